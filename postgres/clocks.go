package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/docket-psa/docket/sla"
	"github.com/docket-psa/docket/ticket"
)

// Clocks tells how the ticket stands against each of its targets now; none where it was promised none.
func (s *Store) Clocks(ctx context.Context, id ticket.ID) ([]ticket.Clock, error) {
	rows, err := s.pool.Query(ctx, "select"+standingColumns+" from tickets t where t.number = $1", id.Number())
	if err != nil {
		return nil, fmt.Errorf("read the SLA clocks of %s: %w", id, err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[standing])
	if err != nil {
		return nil, fmt.Errorf("read the SLA clocks of %s: %w", id, err)
	}
	if len(found) == 0 {
		return nil, ticket.Invalid("ticket", id, "does not exist", "`docket ticket list` shows the tickets")
	}
	t := &found[0]
	p, err := t.promised()
	if err != nil || p.Clock == nil {
		return nil, err
	}
	now := s.now().UTC()
	response, err := t.responseClock(p, now)
	if err != nil {
		return nil, err
	}
	resolution, err := t.resolutionClock(p, now)
	if err != nil {
		return nil, err
	}
	return []ticket.Clock{response, resolution}, nil
}

func (t *standing) responseClock(p promise, now time.Time) (c ticket.Clock, err error) {
	c = ticket.Clock{
		Target: ticket.ResponseDue, Zone: p.Clock.Calendar.Zone, TargetMS: p.Response, Due: t.ResponseDue, WarnAt: t.ResponseWarnAt,
		Warned: t.ResponseWarnedAt, Met: t.RespondedAt, Missed: t.ResponseBreachedAt,
	}
	if t.ResponseDue == nil {
		return c, nil
	}
	if c.LeftMS, err = businessUntil(p.Clock.Calendar, untilDone(now, t.RespondedAt), *t.ResponseDue); err != nil {
		return c, fmt.Errorf("response clock of %s: %w", t.id(), err)
	}
	c.Step = t.stepOf(ticket.ResponseDue)
	return c, nil
}

func (t *standing) resolutionClock(p promise, now time.Time) (c ticket.Clock, err error) {
	c = ticket.Clock{
		Target: ticket.ResolutionDue, Zone: p.Clock.Calendar.Zone, TargetMS: p.Clock.Target.Milliseconds(), Due: t.ResolutionDue, WarnAt: t.ResolutionWarnAt,
		Paused: p.Clock.PausedAt, Reason: p.Clock.Reason, Warned: t.ResolutionWarnedAt, Met: t.ResolvedAt, Missed: t.ResolutionBreachedAt,
	}
	at := untilDone(now, t.ResolvedAt)
	if at.Before(t.OpenedAt) {
		at = t.OpenedAt
	}
	left, err := p.Clock.Remaining(at)
	if err != nil {
		return c, fmt.Errorf("resolution clock of %s: %w", t.id(), err)
	}
	paused, err := p.Clock.Paused(at)
	if err != nil {
		return c, fmt.Errorf("resolution clock of %s: %w", t.id(), err)
	}
	c.LeftMS, c.PausedMS, c.Step = left.Milliseconds(), paused.Milliseconds(), t.stepOf(ticket.ResolutionDue)
	return c, nil
}

// stepOf says how far the miss of the target has gone up the chain: there is one chain, of the target missed last.
func (t *standing) stepOf(target ticket.Due) int {
	last := ticket.ResponseDue
	if t.ResolutionBreachedAt != nil {
		last = ticket.ResolutionDue
	}
	if target != last {
		return 0
	}
	return t.EscalationStep
}

// businessUntil is the business time from one instant to the other, negative where the other came first; ms.
func businessUntil(calendar sla.Calendar, from, to time.Time) (int64, error) {
	if to.Before(from) {
		over, err := calendar.Between(to, from)
		return -over.Milliseconds(), err
	}
	left, err := calendar.Between(from, to)
	return left.Milliseconds(), err
}

func untilDone(now time.Time, done *time.Time) time.Time {
	if done != nil && done.Before(now) {
		return *done
	}
	return now
}
