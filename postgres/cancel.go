package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/docket-psa/docket/ticket"
)

const (
	endCancelled = `
update tickets set stage = 'cancelled', closed_at = $2, waiting_for = '' where number = $1`
	voidAsked = `
update holds set state = 'void', decided_at = $2, decided_by = $3, decision = 'cancelled', decided_says = $4
where ticket = $1 and state = 'open'`
)

// Cancel ends the ticket without a closure, with whatever approval was asked for it. A ticket with work on it is never
// cancelled, because that work would be billed nowhere and written off by nobody; nor one with parts on it.
func (s *Store) Cancel(ctx context.Context, id ticket.ID, m ticket.Cancel) (ticket.Answer, error) {
	var worked, used int
	deed := message{
		id: id, name: ticket.MsgCancel, head: m.Header, asks: m.Reason, todo: "cancel it",
		read: func(b *pgx.Batch) {
			b.Queue("select count(*) from work_entries where ticket = $1", id.Number()).Query(one(&worked))
			b.Queue("select count(*) from ticket_items where ticket = $1", id.Number()).Query(one(&used))
		},
	}
	return s.act(ctx, deed, func(sc *scene, b *pgx.Batch) (verdict, error) {
		if used > 0 {
			return verdict{says: fmt.Sprintf(
				"%s has items on it (%d) and is not cancelled; resolve it with the code spam, duplicate or silent instead.", id, used)}, nil
		}
		if worked > 0 {
			return verdict{says: fmt.Sprintf(
				"%s has work logged on it (%d entries) and is not cancelled; resolve it with the code spam, duplicate or silent instead.", id, worked)}, nil
		}
		says := fmt.Sprintf("%s cancelled %s: %s", sc.who.Name, id, m.Reason)
		b.Queue(endCancelled, sc.Number, sc.noEarlier(sc.at))
		b.Queue(voidAsked, sc.Number, sc.at, m.Who, says)
		b.Queue("delete from outbox where ticket = $1", sc.Number)
		sc.Stage, sc.WaitingFor = ticket.Cancelled, ""
		return verdict{effect: true, says: says}, nil
	})
}
