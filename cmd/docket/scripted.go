package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/shopspring/decimal"
	"golang.org/x/sync/errgroup"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/seed"
	"github.com/docket-psa/docket/ticket"
)

// player lets the demo's people and its scripted AI agent play their tickets. Nobody here
// thinks: who does what is written in the seed. Everything goes through the desk, as it would
// from anybody.
type player struct {
	*app
	*session
	options upOptions
	zones   map[string]string // of clients
}

const (
	agentSlow  = 4  // the agent takes a quarter of the script's time in the slow tickets
	agentFast  = 40 // and a fortieth in the rest
	lead       = 2 * time.Minute
	retryEvery = 2 * time.Second
)

// all plays the first tickets one after the other, and the rest several at a time.
func (p player) all(ctx context.Context) error {
	script, err := seed.Tickets()
	if err != nil {
		return err
	}
	if len(script) == 0 {
		return nil
	}
	clients, err := p.store.Clients(ctx)
	if err != nil {
		return err
	}
	p.zones = map[string]string{}
	for _, c := range clients {
		p.zones[c.ID] = c.TimeZone
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(p.options.concurrent)
	for i := range p.options.tickets {
		t := script[i%len(script)]
		if turn := i / len(script); turn > 0 {
			t = again(t, turn+1)
		}
		if i < p.options.firstSlow {
			if err := p.play(ctx, t, p.options.pace, agentSlow); err != nil {
				return err
			}
			continue
		}
		group.Go(func() error { return p.play(ctx, t, p.options.pace/20, agentFast) })
	}
	return group.Wait()
}

// again gives the ticket another identity: the script is over and starts anew.
func again(t seed.Ticket, turn int) seed.Ticket {
	suffix := fmt.Sprintf("/%d", turn)
	t.Opening.ExternalID += suffix
	t.Opening.EventID += suffix
	steps := make([]seed.Step, len(t.Play))
	for i, s := range t.Play {
		if s.Into != "" {
			s.Into += suffix
		}
		steps[i] = s
	}
	t.Play = steps
	return t
}

// play opens one ticket, or finds it, and does what is still to be done. A step that finds
// Temporal or PostgreSQL away is tried again: its key makes it single.
func (p player) play(ctx context.Context, t seed.Ticket, pace time.Duration, hurry int64) error {
	ctx, span := p.tel.Tracer.Start(ctx, "demo ticket")
	defer span.End()
	ago, err := p.ago(t)
	if err != nil {
		return err
	}
	id, past, done, err := p.openOrFind(ctx, t, ago)
	if err != nil {
		return err
	}
	left := max(ago-lead, 0)
	for i, step := range t.Play {
		left -= p.takes(step)
		kind := eventOf(step.Do)
		if done[played{kind, step.Actor}] > 0 {
			done[played{kind, step.Actor}]--
			continue
		}
		if !past || i > 0 { // a ticket of the past begins with its first message
			if err := pause(ctx, pace); err != nil {
				return err
			}
		}
		h := ticket.Header{OperationKey: fmt.Sprintf("%s/%d", t.Opening.ExternalID, i+1), Who: step.Actor, Via: ticket.ViaCLI}
		err := p.persist(ctx, id, step, func() error { return p.step(ctx, id, h, step, left, hurry) })
		if err != nil {
			return err
		}
	}
	return nil
}

// persist repeats what failed for want of an answer. What is refused is told, and the play goes on.
func (p player) persist(ctx context.Context, id ticket.ID, step seed.Step, do func() error) error {
	for {
		err := do()
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case unavailable(err):
			p.tel.Log.LogAttrs(ctx, slog.LevelWarn, "the demo waits for an answer and tries again",
				slog.String("ticket", string(id)), slog.String("step", string(step.Do)), slog.Any("error", err))
			if err := pause(ctx, retryEvery); err != nil {
				return err
			}
		case len(problemLines(err)) > 0:
			p.tel.Log.LogAttrs(ctx, slog.LevelWarn, "a step of the demo was refused",
				slog.String("ticket", string(id)), slog.String("step", string(step.Do)), slog.Any("error", err))
			return nil
		default:
			return fmt.Errorf("play %s of %s: %w", step.Do, id, err)
		}
	}
}

// played identifies an event of a timeline that a step leaves.
type played struct{ kind, actor string }

// ago is how long ago the ticket comes in: people's work takes the script's time, and lies in the past.
func (p player) ago(t seed.Ticket) (time.Duration, error) {
	worked := p.human(t.Play)
	if worked == 0 || t.Play[0].Do != seed.Claim {
		return 0, nil
	}
	zone := time.UTC
	if t.At != "" {
		var err error
		if zone, err = time.LoadLocation(p.zones[t.Opening.Client]); err != nil {
			return 0, fmt.Errorf("time zone of %s: %w", t.Opening.Client, err)
		}
	}
	began, err := t.Began(p.now(), worked+lead, zone)
	return p.now().Sub(began), err
}

// openOrFind opens the ticket, and says what has been played of it before. A ticket on which
// people work was opened as long ago as their script takes, so that nothing they did lies in
// the future; it is stored first and begins with its first message, which is as old.
func (p player) openOrFind(ctx context.Context, t seed.Ticket, ago time.Duration) (id ticket.ID, past bool, done map[played]int, err error) {
	o := t.Opening
	var opened ticket.Opened
	err = p.persist(ctx, "", seed.Step{Do: "open"}, func() (err error) {
		if ago > 0 {
			past = true
			o.OpenedAt = p.now().UTC().Add(-ago)
			opened, err = p.store.Open(ctx, o)
			return err
		}
		opened, err = p.desk.Open(ctx, o)
		return err
	})
	if err != nil || opened.Ticket == "" {
		return "", false, nil, errors.Join(err, ctx.Err())
	}
	done = map[played]int{}
	if !opened.Duplicate {
		return opened.Ticket, past, done, nil
	}
	moments, err := p.store.Timeline(ctx, opened.Ticket)
	if err != nil {
		return "", false, nil, err
	}
	for _, m := range moments {
		if m.MS == 0 && m.Hold == 0 && m.Line == 0 { // an event, no row of work or money
			done[played{m.Kind, m.Actor}]++
		}
	}
	return opened.Ticket, false, done, nil
}

func eventOf(d seed.Do) string {
	if d == seed.Resolve {
		return "closed"
	}
	return string(d)
}

// human is how long people take over these steps, by the script.
func (p player) human(steps []seed.Step) (total time.Duration) {
	for _, s := range steps {
		total += p.takes(s)
	}
	return total
}

// takes is the script's time of a person's step. The agent takes no time of the past: it runs.
func (p player) takes(s seed.Step) time.Duration {
	if isAgent(s) {
		return 0
	}
	return s.Took
}

func isAgent(s seed.Step) bool { return strings.HasPrefix(s.WorkType, "ai-") }

// step does one thing. left is what people still have to do on the ticket after it, by the
// script: so long ago it ended.
func (p player) step(ctx context.Context, id ticket.ID, h ticket.Header, s seed.Step, left time.Duration, hurry int64) error {
	h.At = p.now().UTC().Add(-left)
	var err error
	switch s.Do {
	case seed.Claim:
		_, err = p.desk.Claim(ctx, id, ticket.Claim{Header: h})
	case seed.Work:
		var w ticket.WorkEntry
		if w, err = p.work(ctx, h, s, left, hurry); err == nil {
			h.At = p.now().UTC().Add(-left)
			_, err = p.desk.Work(ctx, id, ticket.Work{Header: h, Entry: w})
		}
	case seed.Resolve:
		return p.resolve(ctx, id, h, s, left, hurry)
	case seed.Wait:
		_, err = p.desk.Wait(ctx, id, ticket.Wait{Header: h, Reason: s.Note})
	case seed.Resume:
		_, err = p.desk.Resume(ctx, id, ticket.Resume{Header: h})
	case seed.Reply:
		_, err = p.desk.Reply(ctx, id, h, s.Note)
	case seed.Escalate:
		_, err = p.desk.Escalate(ctx, id, ticket.Escalate{Header: h, To: s.To, Reason: s.Note})
	case seed.RequestApproval:
		_, err = p.desk.RequestApproval(ctx, id, ticket.RequestApproval{Header: h, Action: s.Note, Amount: s.Amount, Currency: s.Currency})
	case seed.Approve, seed.Decline, seed.Rule:
		return p.decide(ctx, id, h, s)
	case seed.Reopen:
		_, err = p.desk.Reopen(ctx, id, ticket.Reopen{Header: h, Reason: s.Note})
	case seed.Merge:
		var into ticket.ID
		if into, err = p.store.TicketBySource(ctx, seed.Source, s.Into); err == nil {
			_, err = p.desk.Merge(ctx, id, ticket.Merge{Header: h, Into: into})
		}
	case seed.Cancel:
		_, err = p.desk.Cancel(ctx, id, ticket.Cancel{Header: h, Reason: s.Note})
	case seed.Item:
		_, err = p.desk.AddItem(ctx, id, ticket.Material{Header: h, Kind: s.Item, Text: s.Note, Quantity: s.Quantity, Cost: s.Cost})
	case seed.Usage:
		return p.use(ctx, id, h, s)
	}
	return err
}

// work gives the step's work entry. The agent works now, and what is logged is what was
// measured; a person's time is the script's, and ended as long ago as what follows takes.
func (p player) work(ctx context.Context, h ticket.Header, s seed.Step, left time.Duration, hurry int64) (ticket.WorkEntry, error) {
	w := ticket.WorkEntry{
		OperationKey: h.OperationKey, Actor: s.Actor, WorkType: s.WorkType, Note: s.Note,
		TokensIn: s.Tokens * 4 / 5, TokensOut: s.Tokens - s.Tokens*4/5,
	}
	if s.Failed {
		w.Outcome = ticket.Failed
	}
	if isAgent(s) {
		began := p.now()
		if err := pause(ctx, s.Took/time.Duration(hurry)); err != nil {
			return w, err
		}
		w.MS = max(p.now().Sub(began).Milliseconds(), 1)
		w.StartedAt = began.UTC().Add(-left)
		return w, nil
	}
	w.MS = s.Took.Milliseconds()
	w.StartedAt = p.now().UTC().Add(-left - s.Took)
	return w, nil
}

func (p player) resolve(ctx context.Context, id ticket.ID, h ticket.Header, s seed.Step, left time.Duration, hurry int64) error {
	r := ticket.Resolve{Header: h, Resolution: s.Note, Code: s.Code}
	if s.Took > 0 {
		w, err := p.work(ctx, h, s, left, hurry)
		if err != nil {
			return err
		}
		w.Note = "" // the resolution says it
		r.Work = []ticket.WorkEntry{w}
	}
	r.At = p.now().UTC().Add(-left)
	_, err := p.desk.Resolve(ctx, id, r)
	return err
}

// decide signs off, or rules on, whatever waits on the ticket for such a word. What an earlier
// signal leads to may still be on its way, so it looks more than once.
func (p player) decide(ctx context.Context, id ticket.ID, h ticket.Header, s seed.Step) error {
	const looks, between = 40, 50 * time.Millisecond
	kind := billing.SignOff
	if s.Do == seed.Rule {
		kind = billing.Exception
	}
	for range looks {
		holds, err := p.store.HoldsOf(ctx, id)
		if err != nil {
			return err
		}
		decided := false
		for _, hold := range holds {
			if hold.State != "open" || hold.Kind != kind {
				continue
			}
			if err := p.word(ctx, id, h, s, hold); err != nil {
				return err
			}
			decided = true
		}
		if decided {
			return nil
		}
		if err := pause(ctx, between); err != nil {
			return err
		}
	}
	return nil
}

func (p player) word(ctx context.Context, id ticket.ID, h ticket.Header, s seed.Step, hold billing.HoldView) error {
	h.OperationKey += "/" + ticket.HoldID(hold.Hold)
	var err error
	if s.Do == seed.Rule {
		rule := ticket.Rule{Header: h, Hold: hold.Hold, Action: s.Action, Reason: s.Note, Hourly: s.Hourly}
		_, err = p.desk.Rule(ctx, id, rule)
		return err
	}
	_, err = p.desk.SignOff(ctx, id, ticket.SignOff{Header: h, Hold: hold.Hold, Digest: hold.Digest, Approved: s.Do == seed.Approve, Reason: s.Note})
	return err
}

// use records what the ticket's client used outside the ticket, on the day on which it came in: the same day
// however often the demo is started.
func (p player) use(ctx context.Context, id ticket.ID, h ticket.Header, s seed.Step) error {
	t, err := p.store.Ticket(ctx, id)
	if err != nil {
		return err
	}
	quantity, err := decimal.NewFromString(s.Quantity)
	if err != nil {
		return fmt.Errorf("quantity %q of %s: %w", s.Quantity, s.Event, err)
	}
	_, err = p.store.RecordUsage(ctx, postgres.UsageEvent{
		OperationKey: h.OperationKey, Client: t.Client, Event: s.Event, Quantity: quantity, On: t.OpenedAt.UTC().Format(time.DateOnly), Who: s.Actor, Via: ticket.ViaCLI,
	})
	return err
}

// pause waits, unless ctx ends first.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
