package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/docket-psa/docket/ticket"
)

const writeEscalation = `
update tickets set assignee = nullif($2, ''), claimed_at = null, stage = $3, routed_round = $4, routing_says = $5 where number = $1`

// Escalate takes the ticket from its assignee, and gives it to the named person or back to routing. A wait for the
// customer goes on.
func (s *Store) Escalate(ctx context.Context, id ticket.ID, m ticket.Escalate) (ticket.Answer, error) {
	deed := message{id: id, name: ticket.MsgEscalate, head: m.Header, asks: []string{m.To, m.Reason}, also: []string{m.To}, todo: "escalate it"}
	return s.act(ctx, deed, func(sc *scene, b *pgx.Batch) (verdict, error) {
		if m.To != "" {
			to, err := pick(sc.people, "to", m.To)
			if err != nil {
				return verdict{}, err
			}
			if err := to.may(ticket.MsgClaim, sc.Client); err != nil {
				return verdict{}, ticket.Invalid("to", m.To, "cannot take tickets", "name a technician, a dispatcher or an agent, or nobody")
			}
		}
		had, from := sc.Assignee, "the board"
		if had != "" {
			from = sc.name(had)
		}
		sc.Assignee, sc.ClaimedAt, sc.RoutedRound = m.To, nil, 0
		says := fmt.Sprintf("%s was escalated from %s: %s", id, from, m.Reason)
		if m.To != "" {
			says = fmt.Sprintf("%s was escalated from %s to %s: %s", id, from, sc.name(m.To), m.Reason)
			sc.RoutedRound = sc.Round
		}
		switch {
		case sc.TriagedAt == nil: // triage comes first, and then routing
		case m.To != "":
			sc.Stage = sc.onward()
		default:
			sc.Stage = ticket.Routing
		}
		b.Queue(writeEscalation, sc.Number, sc.Assignee, sc.Stage, sc.RoutedRound, says)
		v := verdict{effect: true, says: says}
		if had != "" && had != m.To {
			v.answer = handed{Answer: sc.answer(true, says), To: []string{had}}
		}
		return v, nil
	})
}
