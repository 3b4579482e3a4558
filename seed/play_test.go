package seed_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/seed"
	"github.com/docket-psa/docket/ticket"
)

// stage plays tickets straight on the store: what the workflow does between the deeds is
// beginning, triage and routing.
type stage struct {
	*postgres.Store
	t     *testing.T
	clock *time.Time
}

func (s stage) play(d seed.Ticket) ticket.ID {
	ctx := s.t.Context()
	if d.At != "" {
		defer s.goBack(d)()
		d.Opening.OpenedAt = *s.clock
	}
	opened, err := s.Open(ctx, d.Opening)
	require.NoError(s.t, err, d.Opening.ExternalID)
	id := opened.Ticket
	s.begin(id, 1)
	for i, step := range d.Play {
		*s.clock = s.clock.Add(step.Took + time.Second)
		h := ticket.Header{OperationKey: fmt.Sprintf("%s/%d", d.Opening.ExternalID, i), Who: step.Actor, Via: ticket.ViaCLI, At: *s.clock}
		require.NoError(s.t, s.step(ctx, id, h, step), "%s step %d: %s", d.Opening.ExternalID, i+1, step.Do)
	}
	return id
}

// goBack sets the clock to when the ticket comes in, and gives what sets it forward again.
func (s stage) goBack(d seed.Ticket) func() {
	here := *s.clock
	client, err := s.Client(s.t.Context(), d.Opening.Client)
	require.NoError(s.t, err)
	zone, err := time.LoadLocation(client.TimeZone)
	require.NoError(s.t, err)
	takes := time.Minute
	for _, step := range d.Play {
		takes += step.Took + time.Second
	}
	began, err := d.Began(here, takes, zone)
	require.NoError(s.t, err)
	*s.clock = began
	return func() { *s.clock = here }
}

func (s stage) begin(id ticket.ID, round int) {
	_, err := s.Begin(s.t.Context(), id, round)
	require.NoError(s.t, err)
	_, err = s.Triage(s.t.Context(), id, round)
	require.NoError(s.t, err)
	_, err = s.Route(s.t.Context(), id, round, nil)
	require.NoError(s.t, err)
}

func (s stage) step(ctx context.Context, id ticket.ID, h ticket.Header, step seed.Step) (err error) {
	work := ticket.WorkEntry{
		OperationKey: h.OperationKey, Actor: step.Actor, WorkType: step.WorkType, StartedAt: h.At.Add(-step.Took), MS: step.Took.Milliseconds(),
		TokensIn: step.Tokens,
	}
	if step.Failed {
		work.Outcome = ticket.Failed
	}
	var answer ticket.Answer
	switch step.Do {
	case seed.Claim:
		answer, err = s.Claim(ctx, id, ticket.Claim{Header: h})
	case seed.Work:
		answer, err = s.Log(ctx, id, ticket.Work{Header: h, Entry: work})
	case seed.Wait:
		answer, err = s.Wait(ctx, id, ticket.Wait{Header: h, Reason: step.Note})
	case seed.Resume:
		answer, err = s.Resume(ctx, id, ticket.Resume{Header: h})
	case seed.Reply:
		var comment int64
		comment, err = s.AddComment(ctx, id, h.OperationKey, h.Who, step.Note, true, h.At)
		require.NoError(s.t, err)
		answer, err = s.Reply(ctx, id, ticket.Reply{Header: ticket.Header{OperationKey: h.OperationKey + "/reply", Who: h.Who, Via: h.Via, At: h.At}, Comment: comment})
	case seed.Escalate:
		answer, err = s.Escalate(ctx, id, ticket.Escalate{Header: h, To: step.To, Reason: step.Note})
	case seed.Reopen:
		answer, err = s.Reopen(ctx, id, ticket.Reopen{Header: h, Reason: step.Note})
		if err == nil {
			s.begin(id, answer.Round)
		}
	case seed.Merge:
		var into ticket.ID
		into, err = s.TicketBySource(ctx, seed.Source, step.Into)
		require.NoError(s.t, err)
		answer, err = s.Merge(ctx, id, ticket.Merge{Header: h, Into: into})
	case seed.Cancel:
		answer, err = s.Cancel(ctx, id, ticket.Cancel{Header: h, Reason: step.Note})
	case seed.Item:
		answer, err = s.AddItem(ctx, id, ticket.Material{Header: h, Kind: step.Item, Text: step.Note, Quantity: step.Quantity, Cost: step.Cost})
	case seed.Usage:
		_, err = s.RecordUsage(ctx, postgres.UsageEvent{
			OperationKey: h.OperationKey, Client: "kestrel", Event: step.Event, Quantity: decimal.RequireFromString(step.Quantity),
			On: h.At.Format(time.DateOnly), Who: step.Actor, Via: ticket.ViaCLI,
		})
		return err
	case seed.RequestApproval:
		_, err = s.RequestApproval(ctx, id, ticket.RequestApproval{Header: h, Action: step.Note, Amount: step.Amount, Currency: step.Currency})
		return err
	case seed.Resolve:
		now, err := s.Ticket(ctx, id)
		require.NoError(s.t, err)
		m := ticket.Resolve{Header: h, Resolution: step.Note, Code: step.Code}
		if step.Took > 0 {
			m.Work = []ticket.WorkEntry{work}
		}
		_, err = s.Close(ctx, id, now.Round, m)
		return err
	case seed.Approve, seed.Decline, seed.Rule:
		return s.decide(ctx, id, h, step)
	}
	if err == nil && step.Do != seed.Resume && !answer.Effect {
		return fmt.Errorf("no effect: %s", answer.Says)
	}
	return err
}

func (s stage) decide(ctx context.Context, id ticket.ID, h ticket.Header, step seed.Step) error {
	held, err := s.Held(ctx, id)
	if err != nil {
		return err
	}
	decided := 0
	for _, q := range held {
		var settled billing.Settlement
		switch {
		case step.Do == seed.Rule && q.Kind == billing.Exception:
			settled, err = s.Rule(ctx, id, ticket.Rule{Header: h, Hold: q.Hold, Action: step.Action, Reason: step.Note, Hourly: step.Hourly})
		case step.Do != seed.Rule && q.Kind == billing.SignOff:
			settled, err = s.SignOff(ctx, id, ticket.SignOff{Header: h, Hold: q.Hold, Digest: q.Digest, Approved: step.Do == seed.Approve, Reason: step.Note})
		default:
			continue
		}
		if err != nil {
			return err
		}
		if !settled.Changed() {
			return fmt.Errorf("no effect: %s", settled.Says)
		}
		h.OperationKey += "+"
		decided++
	}
	if decided == 0 {
		return fmt.Errorf("nothing waits for it: %v", held)
	}
	return nil
}

// ends is how each demo ticket shows on the desk and on the invoice: its stage, its charges that
// stand, and what waits.
func (s stage) ends(id ticket.ID) string {
	ctx := s.t.Context()
	now, err := s.Ticket(ctx, id)
	require.NoError(s.t, err)
	says := string(now.Stage)
	lines, err := s.LinesOf(ctx, id)
	require.NoError(s.t, err)
	undone := map[int64]bool{}
	for _, l := range lines {
		undone[l.Reverses] = true
	}
	var parts []string
	for _, l := range lines {
		if l.Reverses == 0 && !undone[l.Line] {
			parts = append(parts, fmt.Sprintf("%s %s %s", l.Kind, l.Amount.StringFixed(2), l.Currency))
		}
	}
	slices.Sort(parts)
	for _, p := range parts {
		says += ", " + p
	}
	held, err := s.Held(ctx, id)
	require.NoError(s.t, err)
	for _, q := range held {
		says += fmt.Sprintf(", %s waits for %s", q.Reason, q.Kind)
	}
	return says
}

// ends of the demo tickets, in the month of the tests and in this order.
var ends = map[string]string{
	"demo-01": "posted, covered 0.00 USD",
	"demo-02": "posted, block 0.00 USD",
	"demo-03": "posted, per-ticket 24.00 EUR",
	"demo-04": "posted, time 218.75 USD, time 306.25 USD",
	"demo-05": "posted, time 380.00 USD, time 380.00 USD",
	"demo-06": "posted, time 0.02 EUR, time 0.04 EUR",
	"demo-07": "posted, covered 0.00 USD, covered 0.00 USD",
	"demo-08": "posted, per-ticket 0.00 USD",
	"demo-09": "posted, block 0.00 USD, block 0.00 USD",
	"demo-10": "posted, time 110.00 EUR",
	"demo-11": "posted, block 0.00 EUR, block 0.00 EUR, overage 93.75 EUR",
	"demo-12": "posted, covered 0.00 USD",
	"demo-13": "posted, covered 0.00 USD",
	"demo-14": "posted, time 116.25 USD",
	"demo-15": "posted, covered 0.00 USD",
	"demo-16": "posted, per-ticket 24.00 EUR",
	"demo-17": "posted, credit -31.24 EUR, time 210.00 EUR, time 315.00 EUR",
	"demo-18": "posted, per-ticket 0.00 USD",
	"demo-19": "posted",
	"demo-20": "posted, time 487.50 USD",
	"demo-21": "posted, time 142.08 USD, time 46.67 USD",
	"demo-22": "posted, per-ticket 4.50 EUR",
	"demo-23": "posted, overage 62.50 EUR",
	"demo-24": "posted, covered 0.00 USD, covered 0.00 USD",
	"demo-25": "posted, per-ticket 35.00 USD",
	"demo-26": "held, out-of-scope waits for exception",
	"demo-27": "posted, block 0.00 USD",
	"demo-28": "posted, time 137.50 EUR",
	"demo-29": "posted, time 0.02 EUR, time 0.09 EUR",
	"demo-30": "posted, covered 0.00 USD, time 140.00 USD",
	"demo-31": "posted, time 290.00 USD, time 290.00 USD",
	"demo-32": "posted",
	"demo-33": "posted, time 38.75 USD",
	"demo-34": "posted, per-ticket 24.00 EUR",
	"demo-35": "posted, overage 156.25 EUR, overage 281.25 EUR, overage 437.50 EUR",
	"demo-36": "posted, covered 0.00 USD",
	"demo-37": "posted",
	"demo-38": "posted",
	"demo-39": "waiting",
	"demo-40": "merged",
	"demo-41": "posted, call-out 85.00 USD, time 195.00 USD",
	"demo-42": "posted, covered 0.00 USD, credit -24.00 USD",
	"demo-43": "posted, covered 0.00 USD, material 319.70 USD",
	"demo-44": "held, over-threshold waits for sign-off",
	"demo-45": "posted, bucket 0.00 EUR",
	"demo-46": "posted, retainer -300.00 EUR, time 371.25 EUR",
	"demo-47": "posted, usage 4.00 EUR",
}

func TestEveryDemoTicketEndsAsItIsToldTo(t *testing.T) {
	s := open(t)
	_, err := seed.Apply(t.Context(), s)
	require.NoError(t, err)
	tickets, err := seed.Tickets()
	require.NoError(t, err)
	st := stage{Store: s, t: t, clock: &clock}
	for _, d := range tickets {
		assert.Equal(t, ends[d.Opening.ExternalID], st.ends(st.play(d)), "%s: %s", d.Opening.ExternalID, d.Shows)
	}
	a, err := s.Audit(t.Context(), nil)
	require.NoError(t, err)
	assert.True(t, a.Clean(), "%+v", a)
}
