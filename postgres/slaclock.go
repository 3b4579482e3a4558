package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/sla"
	"github.com/docket-psa/docket/ticket"
)

// promise is what a ticket keeps of its SLA beside the due columns: the resolution clock with its pauses in business
// time, or none where the contract promises none, and up to when waits are known. The response needs no clock: to ask
// the customer is a response, so nothing pauses before it.
type promise struct {
	Clock *sla.Clock `json:"clock,omitempty"`
	Until time.Time  `json:"until,omitzero"` // the latest wait or resume, in event time
}

// alwaysOpen is the calendar of contracts that count every hour.
const alwaysOpen = "24x7"

// promiseOf starts the clocks that the contract promises for the ticket's priority, at its opening.
func promiseOf(ctx context.Context, q querier, terms *billing.Terms, t *standing) (p promise, err error) {
	if terms == nil {
		return p, nil
	}
	target, ok := terms.Target(t.Priority)
	if !ok {
		return p, nil
	}
	calendar := sla.AlwaysOpen(terms.Zone())
	if id := terms.Calendar(); id != alwaysOpen {
		if err := q.QueryRow(ctx, "select document from calendars where id = $1", id).Scan(&calendar); err != nil {
			return p, fmt.Errorf("read calendar %q of contract %s: %w", id, terms.Contract().ID, err)
		}
	}
	if target.Response > 0 {
		due, err := calendar.Add(t.OpenedAt, target.Response)
		if err != nil {
			return p, fmt.Errorf("response target of %s: %w", t.id(), err)
		}
		t.ResponseDue = &due
	}
	if target.Resolution > 0 {
		clock, err := sla.Start(calendar, target.Resolution, t.OpenedAt)
		if err != nil {
			return p, fmt.Errorf("resolution target of %s: %w", t.id(), err)
		}
		p.Clock = &clock
	}
	return p, t.keep(p)
}

// promised reads what keep wrote.
func (t *standing) promised() (p promise, err error) {
	if len(t.SLA) == 0 {
		return p, nil
	}
	if err := json.Unmarshal(t.SLA, &p); err != nil {
		return p, fmt.Errorf("read the SLA clock of %s: %w", t.id(), err)
	}
	return p, nil
}

// keep puts the promise back, and brings the due column in line with its clock: none while it stands still.
func (t *standing) keep(p promise) (err error) {
	t.ResolutionDue = nil
	if p.Clock != nil {
		due, running, err := p.Clock.Due()
		if err != nil {
			return fmt.Errorf("SLA clock of %s: %w", t.id(), err)
		}
		if running {
			t.ResolutionDue = &due
		}
	}
	if t.SLA, err = json.Marshal(p); err != nil {
		return fmt.Errorf("write the SLA clock of %s: %w", t.id(), err)
	}
	return nil
}

// pause stops the clock at the instant; moved is false, and nothing changes, where a later wait or resume is known.
func (t *standing) pause(at time.Time, reason string) (moved bool, err error) {
	p, err := t.promised()
	if err != nil || at.Before(p.Until) {
		return false, err
	}
	if p.Clock != nil {
		stopped, err := p.Clock.Pause(at, reason)
		if err != nil {
			return false, fmt.Errorf("pause the SLA clock of %s: %w", t.id(), err)
		}
		p.Clock = &stopped
	}
	p.Until, t.WaitingFor, t.Stage = at, reason, ticket.Waiting
	return true, t.keep(p)
}

// resume lets the clock run from the instant; moved is false, and nothing changes, where the wait began later.
func (t *standing) resume(at time.Time) (moved bool, err error) {
	p, err := t.promised()
	if err != nil || at.Before(p.Until) {
		return false, err
	}
	if p.Clock != nil {
		runs, err := p.Clock.Resume(at)
		if err != nil {
			return false, fmt.Errorf("resume the SLA clock of %s: %w", t.id(), err)
		}
		p.Clock = &runs
	}
	p.Until, t.WaitingFor, t.Stage = at, "", ticket.Resolution
	return true, t.keep(p)
}

// reopened lets the clock run again, as if the ticket had waited since its closing: nobody owed anything in between.
func (t *standing) reopened(closed, at time.Time) error {
	p, err := t.promised()
	if err != nil || p.Clock == nil {
		return err
	}
	if closed.Before(p.Until) {
		closed = p.Until
	}
	if at.Before(closed) {
		at = closed
	}
	if _, err := t.pause(closed, "closed"); err != nil {
		return err
	}
	_, err = t.resume(at)
	return err
}

// queueReopenedClock reads the clock of a ticket that is being reopened; the function it gives queues what changes.
func queueReopenedClock(read *pgx.Batch, number int64, closed, at time.Time) func(b *pgx.Batch) error {
	var t *standing
	read.Queue("select"+standingColumns+" from tickets t where t.number = $1", number).Query(row(&t))
	return func(b *pgx.Batch) error {
		if err := t.reopened(closed, at); err != nil {
			return err
		}
		b.Queue("update tickets set sla = $2, resolution_due = $3 where number = $1", number, t.SLA, t.ResolutionDue)
		return nil
	}
}

// outcome says how the ticket stands against its targets at its resolution, nil where none were
// promised. A target reached in its very instant is met.
func (p slaColumns) outcome(at time.Time) (*billing.SLAOutcome, error) {
	var kept promise
	if len(p.SLA) > 0 {
		if err := json.Unmarshal(p.SLA, &kept); err != nil {
			return nil, fmt.Errorf("read the SLA clock: %w", err)
		}
	}
	if kept.Clock == nil {
		return nil, nil
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
