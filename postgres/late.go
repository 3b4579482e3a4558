package postgres

import (
	"cmp"
	"context"
	"fmt"

	"github.com/docket-psa/docket/ticket"
)

// Late records a message that the ticket can no longer act on, or that was refused, and says what is true now. The
// message's own key stays free: once the ticket is reopened, or the message put right, it may be sent again.
// Its sender may be anybody: what is recorded is that it came. why is what it was refused for; empty: the ticket is over.
func (s *Store) Late(ctx context.Context, id ticket.ID, name ticket.Name, h ticket.Header, why string) (answer ticket.Answer, err error) {
	key := lateKey(id, h.OperationKey)
	at := h.At
	if plausible("at", at, s.now()) != nil { // it may be what it was refused for
		at = s.now()
	}
	input, err := digestOf(id, name, h.Who)
	if err != nil {
		return answer, err
	}
	err = s.tx(ctx, fmt.Sprintf("late %s of %s", name, id), func(t *tx) error {
		var here *standing
		b := t.batch()
		b.Queue("select"+standingColumns+" from tickets t where t.number = $1", id.Number()).Query(row(&here))
		before := queueEarlier(b, key)
		if err := t.send(ctx, b); err != nil {
			return err
		}
		if here == nil {
			return ticket.Invalid("ticket", id, "does not exist", "`docket ticket list` shows the tickets")
		}
		if e := before(); e != nil {
			answer, err = recall[ticket.Answer](*e, h.OperationKey, input)
			return err
		}
		var says string
		switch {
		case why != "":
			says = fmt.Sprintf("Nothing came of what %s sent: %s; %s is %s.", h.Who, why, id, here.Stage)
		case here.Stage.Open():
			says = fmt.Sprintf("The %s of %s had no effect: %s is in %s.", name, h.Who, id, here.Stage)
		default:
			says = fmt.Sprintf("The %s of %s came too late: %s", name, h.Who, here.over("go on with it"))
		}
		answer = here.answer(false, says)
		b = t.batch()
		if err := s.record(ctx, b, event{
			Ticket: id, Client: here.Client, Round: here.Round, At: at.UTC(), Kind: "late", Actor: h.Who,
			Via: cmp.Or(h.Via, ticket.ViaTemporal), Key: key, Input: input, Says: says, Answer: answer,
		}); err != nil {
			return err
		}
		return t.commit(ctx, b)
	})
	return answer, err
}

func lateKey(id ticket.ID, key string) string { return "late/" + string(id) + "/" + key }
