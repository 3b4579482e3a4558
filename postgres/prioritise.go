package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

// Prioritise gives the ticket another priority. Its targets are reckoned anew from the opening, by the contract that was
// in force then and the calendars as they stand now; the time for which its clock has stood still so far is kept, also
// while it does. A response that was given stays as it was measured, and so does a target that was missed: lowering the
// priority afterwards does not undo it.
func (s *Store) Prioritise(ctx context.Context, id ticket.ID, m ticket.Prioritise) (ticket.Answer, error) {
	if err := m.Validate(); err != nil {
		return ticket.Answer{}, err
	}
	var versions []versionRow
	deed := message{
		id: id, name: ticket.MsgPrioritise, head: m.Header, asks: []any{m.Priority, m.Reason}, todo: "change its priority",
		read: func(b *pgx.Batch) { queueVersions(b, id, &versions) },
	}
	return s.act(ctx, deed, func(sc *scene, b *pgx.Batch) (verdict, error) {
		if sc.Priority == m.Priority {
			return verdict{says: fmt.Sprintf("%s has priority %d already.", id, m.Priority)}, nil
		}
		if sc.TriagedAt == nil {
			return verdict{says: fmt.Sprintf("%s is not triaged yet; triage sets its priority first.", id)}, nil
		}
		was := sc.Priority
		sc.Priority = m.Priority
		terms, err := s.promiser(ctx, sc.conn, versions, &sc.standing)
		if err != nil {
			return verdict{}, err
		}
		if err := promiseOf(ctx, sc.conn, terms, &sc.standing); err != nil {
			return verdict{}, err
		}
		b.Queue("update tickets set priority = $2 where number = $1", sc.Number, sc.Priority)
		sc.queueSLA(b)
		says := fmt.Sprintf("%s changed the priority of %s from %d to %d: %s", sc.who.Name, id, was, m.Priority, m.Reason)
		return verdict{effect: true, says: says + sc.newTargets()}, nil
	})
}

// promiser gives the contract that the ticket was promised by, as it was in force at its opening; nil without one.
func (s *Store) promiser(ctx context.Context, q querier, rows []versionRow, t *standing) (*billing.Terms, error) {
	if t.Contract == "" {
		return nil, nil
	}
	var own []versionRow
	for _, v := range rows {
		if v.Contract == t.Contract {
			own = append(own, v)
		}
	}
	return s.inForce(ctx, q, own, t.OpenedAt)
}

// newTargets tells by when the ticket is due now.
func (t *standing) newTargets() string {
	d := t.deadlines()
	says := ""
	if !d.Response.IsZero() {
		says += "; the response is due " + d.Response.Format(time.RFC3339)
	}
	switch {
	case t.ResolutionBreachedAt != nil:
		says += "; the resolution was missed before, and stays so"
	case !d.Resolution.IsZero():
		says += "; the resolution is due " + d.Resolution.Format(time.RFC3339)
	case t.WaitingFor != "" && len(t.SLA) > 0:
		says += "; the SLA clock still stands still"
	}
	return says + "."
}
