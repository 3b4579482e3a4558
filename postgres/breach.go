package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/docket-psa/docket/ticket"
)

// Breach records that a deadline ("response" or "resolution") passed unmet, once. One that was met, moved or reported
// meanwhile changes nothing, and the answer says what is due now. The breach is dated by the deadline, not by the
// timer that noticed it.
func (s *Store) Breach(ctx context.Context, id ticket.ID, round int, target string) (answer ticket.Answer, err error) {
	if target != "response" && target != "resolution" {
		return answer, ticket.Invalid("target", target, "is not known", "response or resolution")
	}
	err = s.tx(ctx, fmt.Sprintf("%s breach of %s", target, id), func(t *tx) error {
		var at *standing
		b := t.batch()
		b.Queue("select"+standingColumns+" from tickets t where t.number = $1 for update of t", id.Number()).Query(row(&at))
		if err := t.send(ctx, b); err != nil {
			return err
		}
		if at == nil {
			return ticket.Invalid("ticket", id, "does not exist", "`docket ticket list` shows the tickets")
		}
		due := at.deadlines().Response
		if target == "resolution" {
			due = at.deadlines().Resolution
		}
		if round != at.Round || due.IsZero() || due.After(s.now()) {
			answer = at.answer(false, fmt.Sprintf("The %s target of %s is not missed: %s", target, id, dueAt(due)))
			return nil
		}
		b = t.batch()
		if target == "response" {
			at.ResponseBreachedAt = &due
			b.Queue("update tickets set response_breached_at = $2 where number = $1", at.Number, due)
		} else {
			at.ResolutionBreachedAt = &due
			b.Queue("update tickets set resolution_breached_at = $2 where number = $1", at.Number, due)
		}
		answer = at.answer(true, fmt.Sprintf("%s missed its %s target, which was %s.", id, target, due.Format(time.RFC3339)))
		if err := s.record(ctx, b, event{
			Ticket: id, Client: at.Client, Round: at.Round, At: due, Kind: "breach", Actor: itself, Effect: true, Says: answer.Says,
		}); err != nil {
			return err
		}
		return t.commit(ctx, b)
	})
	return answer, err
}

func dueAt(due time.Time) string {
	if due.IsZero() {
		return "it is met, stands still, or is reported."
	}
	return "it is due " + due.Format(time.RFC3339) + "."
}
