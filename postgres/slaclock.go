package postgres

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/sla"
	"github.com/docket-psa/docket/ticket"
)

// pause makes the ticket wait from the instant on, and stops its clock where the contract pauses it for that reason;
// moved is false, and nothing changes, where a later wait or resume is known.
func (t *standing) pause(at time.Time, reason string) (moved bool, err error) {
	p, err := t.promised()
	if err != nil || at.Before(p.Until) {
		return false, err
	}
	if p.stops(reason) {
		if err := p.stop(at, reason); err != nil {
			return false, fmt.Errorf("pause the SLA clock of %s: %w", t.id(), err)
		}
	}
	p.Until, t.WaitingFor, t.Stage = at, reason, ticket.Waiting
	return true, t.keep(p)
}

// resume ends the wait at the instant, and lets the clock run unless the client is still asked for something that stops
// it; moved is false, and nothing changes, where the wait began later.
func (t *standing) resume(at time.Time) (moved bool, err error) {
	p, err := t.promised()
	if err != nil || at.Before(p.Until) {
		return false, err
	}
	if len(p.Asks) == 0 {
		if err := p.run(at); err != nil {
			return false, fmt.Errorf("resume the SLA clock of %s: %w", t.id(), err)
		}
	}
	p.Until, t.WaitingFor, t.Stage = at, "", ticket.Resolution
	return true, t.keep(p)
}

// asked stops the clock while the client decides on a hold, where the contract says so.
func (t *standing) asked(at time.Time, hold int64) error {
	p, err := t.promised()
	if err != nil || !t.OnAsk || slices.Contains(p.Asks, hold) {
		return err
	}
	at = later(t.noEarlier(at), p.Until)
	if err := p.stop(at, billing.PauseApproval); err != nil {
		return fmt.Errorf("pause the SLA clock of %s: %w", t.id(), err)
	}
	p.Until, p.Asks = at, append(p.Asks, hold)
	return t.keep(p)
}

// told lets the clock run again once the client has decided on the last of what he was asked, unless something else
// is waited for.
func (t *standing) told(at time.Time, hold int64) error {
	p, err := t.promised()
	if err != nil || !slices.Contains(p.Asks, hold) {
		return err
	}
	at = later(at, p.Until)
	p.Asks = slices.DeleteFunc(p.Asks, func(h int64) bool { return h == hold })
	if len(p.Asks) == 0 && (t.WaitingFor == "" || !p.stops(t.WaitingFor)) {
		if err := p.run(at); err != nil {
			return fmt.Errorf("resume the SLA clock of %s: %w", t.id(), err)
		}
	}
	p.Until = at
	return t.keep(p)
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

func (p *promise) stop(at time.Time, reason string) error {
	if p.Clock != nil {
		stopped, err := p.Clock.Pause(at, reason)
		p.Clock = &stopped
		return err
	}
	if w := p.pauses(); w.Since == nil {
		w.Since, w.Reason = &at, reason
		p.Waits = &w
	}
	return nil
}

func (p *promise) run(at time.Time) error {
	if p.Clock != nil {
		runs, err := p.Clock.Resume(at)
		p.Clock = &runs
		return err
	}
	if w := p.pauses(); w.Since != nil {
		w.Over, w.Since, w.Reason = append(w.Over, sla.Pause{From: *w.Since, To: at, Reason: w.Reason}), nil, ""
		p.Waits = &w
	}
	return nil
}

// reopened lets the clock run again, as if the ticket had waited since its closing: nobody owed anything in between.
// A missed target goes up the chain no further, and what the client was asked is void.
func (t *standing) reopened(closed, at time.Time) error {
	t.EscalationStep, t.EscalateAt = 0, nil
	p, err := t.promised()
	if err != nil || len(t.SLA) == 0 {
		return err
	}
	closed = later(closed, p.Until)
	at = later(at, closed)
	if err := p.stop(closed, "closed"); err != nil {
		return fmt.Errorf("pause the SLA clock of %s: %w", t.id(), err)
	}
	if err := p.run(at); err != nil {
		return fmt.Errorf("resume the SLA clock of %s: %w", t.id(), err)
	}
	p.Until, p.Asks = at, nil
	return t.keep(p)
}

// queueReopenedClock reads the clock of a ticket that is being reopened; the function it gives queues what changes.
func queueReopenedClock(read *pgx.Batch, number int64, closed, at time.Time) func(b *pgx.Batch) error {
	var t *standing
	read.Queue("select"+standingColumns+" from tickets t where t.number = $1", number).Query(row(&t))
	return func(b *pgx.Batch) error {
		if err := t.reopened(closed, at); err != nil {
			return err
		}
		t.queueSLA(b)
		return nil
	}
}

// moveClock does to the clock of a ticket that is locked, and open, what a question to its client or the answer does.
func moveClock(ctx context.Context, t *tx, b *pgx.Batch, id ticket.ID, move func(*standing) error) error {
	var at *standing
	read := t.batch()
	read.Queue("select"+standingColumns+" from tickets t where t.number = $1", id.Number()).Query(row(&at))
	if err := t.send(ctx, read); err != nil {
		return err
	}
	if !at.Stage.Open() || !at.OnAsk {
		return nil
	}
	if err := move(at); err != nil {
		return err
	}
	at.queueSLA(b)
	return nil
}

// outcome says how the ticket stands against its targets at its resolution, nil where none were
// promised. A target reached in its very instant is met.
func (p slaColumns) outcome(id ticket.ID, at time.Time) (*billing.SLAOutcome, error) {
	kept, err := readPromise(p.SLA, id)
	if err != nil || kept.Clock == nil {
		return nil, err
	}
	answered := at // to resolve is to respond
	if p.RespondedAt != nil {
		answered = *p.RespondedAt
	}
	spent, err := kept.Clock.Elapsed(at)
	if err != nil {
		return nil, err
	}
	late, err := kept.Clock.Breached(at)
	if err != nil {
		return nil, err
	}
	return &billing.SLAOutcome{
		Contract:         p.PromisedBy,
		ResponseMissed:   p.ResponseBreachedAt != nil || (p.ResponseDue != nil && p.ResponseDue.Before(answered)),
		ResolutionMissed: p.ResolutionBreachedAt != nil || late,
		SpentMS:          spent.Milliseconds(),
	}, nil
}
