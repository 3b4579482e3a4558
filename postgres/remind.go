package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

// A quote reminds at 1/8, 3/8 and 7/8 of its time: each wait is twice the last, as each step up the chain is. What has
// less time than worthReminding only escalates.
const (
	mostReminders  = 3
	worthReminding = time.Hour
)

// remindAt is when a quote reminds next, after so many reminders; zero: it does not.
func remindAt(quoted, expires time.Time, reminded int) time.Time {
	patience := expires.Sub(quoted)
	if reminded >= mostReminders || patience < worthReminding {
		return time.Time{}
	}
	return quoted.Add(patience / 8 * time.Duration(1<<(reminded+1)-1)).UTC()
}

// Remind reminds whom the quote of the step asks, for the nth time. It changes nothing: neither the quote, nor who may
// decide. One that is done already, or not yet due by this clock, is answered with the quote as it stands; a hold that
// somebody decided meanwhile with hold 0.
func (s *Store) Remind(ctx context.Context, id ticket.ID, hold int64, step, n int) (quote billing.HeldQuote, err error) {
	err = s.tx(ctx, fmt.Sprintf("remind of %s of %s", ticket.HoldID(hold), id), func(t *tx) error {
		quote = billing.HeldQuote{}
		var (
			row   lockedTicket
			found []waiting
		)
		b := t.batch()
		queueLock(b, id, &row)
		queueWaiting(b, "where h.id = $1 and h.state = 'open'", hold, &found)
		if err := t.send(ctx, b); err != nil {
			return err
		}
		if len(found) == 0 || found[0].Ticket != id.Number() {
			return nil
		}
		h := found[0]
		quote = h.quote()
		if h.Step != step || h.Reminded != n-1 || quote.RemindAt.IsZero() || quote.RemindAt.After(s.now()) {
			return nil
		}
		h.Reminded = n
		quote = h.quote()
		b = t.batch()
		b.Queue("insert into quote_reminders (hold_id, step, n, client_id, at) values ($1, $2, $3, $4, $5)", hold, step, n, row.ClientID, s.now())
		if err := s.record(ctx, b, event{
			Ticket: id, Client: row.ClientID, Round: h.Round, At: s.now(), Kind: "reminder", Actor: itself, Via: "timer", Effect: true,
			Says:   fmt.Sprintf("%s reminded %s (%d of %d); it runs out %s", ticket.HoldID(h.ID), whom(h), n, mostReminders, h.ExpiresAt.UTC().Format(time.RFC3339)),
			Answer: quote, Held: []billing.HeldQuote{quote},
		}); err != nil {
			return err
		}
		return t.commit(ctx, b)
	})
	return quote, err
}

// whom tells who is asked, for a sentence.
func whom(h waiting) string {
	if len(h.Asked) == 0 {
		return "the dispatchers"
	}
	return fmt.Sprint(h.Asked)
}
