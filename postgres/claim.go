package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/docket-psa/docket/ticket"
)

const claimTicket = `
update tickets set assignee = $2, claimed_at = $3, responded_at = $4, response_breached_at = $5, stage = $6, routed_round = $7
where number = $1`

// Claim makes the sender the assignee, also of a ticket that somebody else has. The first claim is the response that
// the SLA speaks of, met or missed by the time at which it happened.
func (s *Store) Claim(ctx context.Context, id ticket.ID, m ticket.Claim) (ticket.Answer, error) {
	deed := message{id: id, name: ticket.MsgClaim, head: m.Header, asks: nil, todo: "claim it"}
	return s.act(ctx, deed, func(sc *scene, b *pgx.Batch) (verdict, error) {
		from := sc.Assignee
		if from == sc.who.ID && sc.ClaimedAt != nil {
			return verdict{says: fmt.Sprintf("%s has %s already.", sc.who.Name, id)}, nil
		}
		says := fmt.Sprintf("%s claimed %s.", sc.who.Name, id)
		switch {
		case from != "" && from != sc.who.ID && sc.ClaimedAt != nil:
			says = fmt.Sprintf("%s took %s over from %s.", sc.who.Name, id, sc.name(from))
		case from != "" && from != sc.who.ID:
			says = fmt.Sprintf("%s claimed %s, which was routed to %s.", sc.who.Name, id, sc.name(from))
		}
		at := sc.noEarlier(sc.at)
		if sc.respond(at) {
			says += fmt.Sprintf(" The response was due at %s and came %s late.",
				sc.ResponseDue.UTC().Format(time.RFC3339), at.Sub(*sc.ResponseDue).Round(time.Second))
		}
		sc.Assignee, sc.ClaimedAt = sc.who.ID, &at
		if sc.Stage == ticket.Routing { // found before routing looked
			sc.Stage, sc.RoutedRound = sc.onward(), sc.Round
		}
		b.Queue(claimTicket, sc.Number, sc.Assignee, at, sc.RespondedAt, sc.ResponseBreachedAt, sc.Stage, sc.RoutedRound)
		v := verdict{effect: true, says: says}
		if from != "" && from != sc.who.ID {
			v.answer = handed{Answer: sc.answer(true, says), To: []string{from}}
		}
		return v, nil
	})
}

// respond notes the first response, and says whether it missed its target just now.
func (t *standing) respond(at time.Time) (missed bool) {
	if t.RespondedAt != nil {
		return false
	}
	t.RespondedAt = &at
	if t.ResponseDue == nil || !t.ResponseDue.Before(at) || t.ResponseBreachedAt != nil {
		return false
	}
	t.ResponseBreachedAt = t.ResponseDue
	return true
}

// onward is the stage of a ticket that has found its assignee: it may still wait for the customer.
func (t *standing) onward() ticket.Stage {
	if t.WaitingFor != "" {
		return ticket.Waiting
	}
	return ticket.Resolution
}
