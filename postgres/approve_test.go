package postgres_test

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

func (k *till) sign(id ticket.ID, who string, q billing.HeldQuote) billing.Settlement {
	k.t.Helper()
	s, err := k.SignOff(k.t.Context(), id, ticket.SignOff{Header: k.by(who), Hold: q.Hold, Digest: q.Digest, Approved: true})
	require.NoError(k.t, err)
	return s
}

func TestEdge50TheApproverAskedForTheWorkHimself(t *testing.T) {
	k := newTill(t, hourly)
	opened, err := k.Open(t.Context(), ticket.Opening{
		Client: "acme", Subject: "New laptop", Source: "test", ExternalID: k.key(), EventID: k.key(), Category: "email", Contact: "ann",
		OpenedAt: k.now().Add(-8 * time.Hour),
	})
	require.NoError(t, err)
	id := opened.Ticket
	k.begin(id, 1)
	held := k.close(id, 1, k.minutes("tom", 240)).Held[0]

	own := k.sign(id, "ann", held)
	require.Equal(t, billing.Refused, own.Outcome)
	require.Equal(t, "ann asked for it; nobody signs off his own request", own.Says)
	require.Equal(t, "0.00", k.owed())
	require.Equal(t, billing.Settled, k.sign(id, "ben", held).Outcome, "her delegate does")
	require.Equal(t, "600.00", k.owed())
	k.proved()
}

func TestEdge50TheApproverLeft(t *testing.T) {
	k := newTill(t, hourly)
	id := k.ticket("email")
	held := k.close(id, 1, k.minutes("tom", 240)).Held[0]
	k.tamper("update people set active = false where id = 'ann'")
	_, err := k.SignOff(t.Context(), id, ticket.SignOff{Header: k.by("ann"), Hold: held.Hold, Digest: held.Digest, Approved: true})
	require.ErrorContains(t, err, `who "ann" is no longer active`)
	require.Equal(t, billing.Settled, k.sign(id, "ben", held).Outcome)
	k.proved()
}

func TestEdge51AgreedBeforeTheWorkAndGrown(t *testing.T) {
	k := newTill(t, hourly)
	id := k.ticket("email")
	ask := ticket.RequestApproval{Header: k.by("bot"), Action: "Rebuild the mailbox", Amount: "200.00", Currency: "USD"}
	q, err := k.RequestApproval(t.Context(), id, ask)
	require.NoError(t, err)
	again, err := k.RequestApproval(t.Context(), id, ask)
	require.NoError(t, err)
	require.Equal(t, q.Hold, again.Hold, "asked twice, it is one question")
	require.Equal(t, billing.Settled, k.sign(id, "ann", q).Outcome)

	grown := k.close(id, 1, k.minutes("tom", 90)) // 225.00, below the threshold of 500.00
	require.Empty(t, grown.Posted)
	require.Equal(t, "225.00 USD is more than the 200.00 USD that the client agreed to before the work.", grown.Held[0].Says)
	require.Equal(t, billing.Settled, k.sign(id, "ann", grown.Held[0]).Outcome)
	require.Equal(t, "225.00", k.owed())

	within := k.ticket("email")
	ask.Header = k.by("bot")
	q, err = k.RequestApproval(t.Context(), within, ask)
	require.NoError(t, err)
	require.Equal(t, billing.Settled, k.sign(within, "ann", q).Outcome)
	require.Empty(t, k.close(within, 1, k.minutes("tom", 60)).Held)
	k.proved()
}

func TestAQuoteRemindsAndBacksOff(t *testing.T) {
	k := newTill(t, hourly)
	id := k.ticket("email")
	q := k.close(id, 1, k.minutes("tom", 240)).Held[0] // 72 hours
	require.Equal(t, noon.Add(9*time.Hour), q.RemindAt)
	remind := func(n int) billing.HeldQuote {
		found, err := k.Remind(t.Context(), id, q.Hold, q.Step, n)
		require.NoError(t, err)
		return found
	}
	require.Zero(t, remind(1).Reminded, "not yet")
	k.pass(9 * time.Hour)
	first := remind(1)
	require.Equal(t, noon.Add(27*time.Hour), first.RemindAt)
	require.Equal(t, q.Digest, first.Digest, "the same quote")
	require.Equal(t, first, remind(1), "a repeated timer reminds once")
	k.pass(18 * time.Hour)
	require.Equal(t, noon.Add(63*time.Hour), remind(2).RemindAt)
	k.pass(36 * time.Hour)
	require.Zero(t, remind(3).RemindAt, "the last one; then it escalates")
	require.EqualValues(t, 3, k.count("select count(*) from ticket_events where kind = 'reminder'"))
	view, err := k.HoldByID(t.Context(), q.Hold)
	require.NoError(t, err)
	require.Equal(t, 3, view.Reminded)

	k.pass(9 * time.Hour)
	q, err = k.Overdue(t.Context(), id, q.Hold, 0)
	require.NoError(t, err)
	require.Equal(t, k.now().Add(18*time.Hour), q.RemindAt, "the next step has twice the time")
	require.Equal(t, billing.Settled, k.sign(id, "ann", q).Outcome)
	require.Zero(t, remind(1).Hold, "decided")
}

func TestTwoApproversAtOnceHaveOneEffect(t *testing.T) {
	k := newTill(t, hourly)
	k.tamper("update people set absent_until = now() + interval '10 years' where id = 'ann'")
	id := k.ticket("email")
	held := k.close(id, 1, k.minutes("tom", 240)).Held[0]
	var outcomes sync.Map
	var all sync.WaitGroup
	for _, who := range []string{"ann", "ben"} {
		for _, yes := range []bool{true, false} {
			m := ticket.SignOff{Header: k.by(who), Hold: held.Hold, Digest: held.Digest, Approved: yes, Reason: "so"}
			all.Go(func() {
				s, err := k.SignOff(t.Context(), id, m)
				if err == nil {
					outcomes.Store(m.OperationKey, s.Outcome)
				}
			})
		}
	}
	all.Wait()
	counted := map[billing.Outcome]int{}
	outcomes.Range(func(_, outcome any) bool { counted[outcome.(billing.Outcome)]++; return true })
	require.Equal(t, 1, counted[billing.Settled]+counted[billing.Passed], "%v", counted)
	require.Equal(t, 3, counted[billing.Already]+counted[billing.Refused], "%v", counted)
	k.proved()
}
