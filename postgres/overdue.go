package postgres

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

// longestPatience bounds how far reminders back off.
const longestPatience = 7 * 24 * time.Hour

// Overdue voids the quote of the step that ran out, quotes afresh, and asks one step further up.
// Each step has twice the patience of the last. It decides nothing: time never does.
// A step that was overdue before, or is not yet by this clock, is answered with the quote that
// stands; a hold that somebody decided meanwhile is answered with hold 0.
func (s *Store) Overdue(ctx context.Context, id ticket.ID, hold int64, step int) (quote billing.HeldQuote, err error) {
	err = s.tx(ctx, fmt.Sprintf("escalate %s of %s", ticket.HoldID(hold), id), func(t *tx) error {
		quote = billing.HeldQuote{}
		var (
			row   lockedTicket
			found []waiting
			chain []string
		)
		b := t.batch()
		queueLock(b, id, &row)
		queueWaiting(b, "where h.id = $1 and h.state = 'open'", hold, &found)
		b.Queue(nextInChain, id.Number(), hold, step+1, lookedAfterBy("finance")).Query(func(rows pgx.Rows) (err error) {
			chain, err = pgx.CollectRows(rows, pgx.RowTo[string])
			return err
		})
		if err := t.send(ctx, b); err != nil {
			return err
		}
		if len(found) == 0 || found[0].Ticket != id.Number() {
			return nil
		}
		h := found[0]
		if h.Step != step || h.ExpiresAt.After(s.now()) {
			quote = h.quote()
			return nil
		}
		content, err := h.content()
		if err != nil {
			return err
		}
		patience := longestPatience
		if first := time.Duration(content.Patience) * time.Millisecond; first < longestPatience>>min(h.Step+1, 16) {
			patience = first << (h.Step + 1)
		}
		h.Step, h.QuotedAt, h.ExpiresAt, h.Reminded = h.Step+1, s.now(), s.now().Add(patience), 0
		if h.Digest, err = quoteDigest(h.ID, h.Step, content.Digest); err != nil {
			return err
		}
		for _, p := range chain {
			if !slices.Contains(h.Asked, p) {
				h.Asked = append(h.Asked, p)
			}
		}
		quote = h.quote()
		b = t.batch()
		queueQuote(b, row.ClientID, quote, h.QuotedAt)
		if err := s.record(ctx, b, event{
			Ticket: id, Client: row.ClientID, Round: h.Round, At: s.now(), Kind: "overdue", Actor: itself, Via: "timer", Effect: true,
			Says: fmt.Sprintf("%s ran out of time at step %d; quoted afresh until %s, asking %s", ticket.HoldID(h.ID), step,
				h.ExpiresAt.UTC().Format(time.RFC3339), strings.Join(h.Asked, ", ")),
			Answer: quote, Held: []billing.HeldQuote{quote},
		}); err != nil {
			return err
		}
		return t.commit(ctx, b)
	})
	return quote, err
}

// nextInChain is whom step $3 of hold $2 asks beside those asked so far. Of a client: first the
// delegates of those asked, then every approver. Of ours: the dispatchers, and finance for the reasons $4 whose queues it
// looks after; then the owners.
const nextInChain = `
select p.id from people p join holds h on h.id = $2
where p.active and case h.kind
  when 'sign-off' then p.client_id = h.client_id and 'approver' = any (p.roles) and ($3 > 1 or exists (
    select from quotes q join people a on a.id = any (q.asked) where q.hold_id = h.id and a.delegate_id = p.id))
  else p.client_id is null and (p.roles && case when $3 > 1 then array['dispatcher', 'owner'] else array['dispatcher'] end
    or (h.reason = any ($4) and 'finance' = any (p.roles)))
  end
  and exists (select from tickets t where t.number = $1)
order by p.id`
