package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

// ReviewInvoice puts on record that somebody has read an open invoice, and what it came to then. Lines may still come: the
// invoice says then that it has moved since, and where the house asks for a review first it is not finalised before somebody
// has read it again. Reviewed once more as it is, it answers the earlier review.
func (s *Store) ReviewInvoice(ctx context.Context, head InvoiceDeed) (billing.InvoiceReview, error) {
	d := &invoiceDeed{kind: "review", head: head, open: true}
	return onInvoice(ctx, s, d, nil, func(t *tx, d *invoiceDeed) (review billing.InvoiceReview, err error) {
		review = billing.InvoiceReview{Invoice: d.name(), By: head.By, At: d.at, Currency: d.found.Currency}
		err = t.conn.QueryRow(ctx, "select coalesce(sum(amount), 0), count(*) from invoice_lines where invoice_id = $1", head.Invoice).
			Scan(&review.Total, &review.LineCount)
		if err != nil {
			return review, fmt.Errorf("sum the lines of %s: %w", d.name(), err)
		}
		if review.LineCount == 0 {
			return review, ticket.Invalid("invoice", d.name(), "has no lines", "there is nothing to review yet")
		}
		before, err := lastReview(ctx, t.conn, head.Invoice)
		if err != nil {
			return review, err
		}
		if d.none = before != nil && !before.Moved(review.Total, review.LineCount); d.none {
			return *before, nil
		}
		review.Says = fmt.Sprintf("%s is reviewed: %s, %s", d.name(), countOf(review.LineCount, "line"), d.money(review.Total))
		d.event.Says = review.Says
		if review.Total.IsPositive() {
			d.event.Amount = review.Total
		}
		d.rows = func(b *pgx.Batch, event int64) {
			b.Queue("insert into invoice_reviews (event_id, invoice_id, payer_id, total, line_count) values ($1, $2, $3, $4, $5)",
				event, head.Invoice, d.found.Payer, review.Total, review.LineCount)
		}
		return review, nil
	})
}

func countOf(n int, of string) string {
	if n == 1 {
		return "1 " + of
	}
	return fmt.Sprintf("%d %ss", n, of)
}

// lastReview reads the last review of an invoice; nil: nobody has reviewed it.
func lastReview(ctx context.Context, q querier, invoice int64) (*billing.InvoiceReview, error) {
	found, err := collect[billing.InvoiceReview](ctx, q, "the review of "+ticket.InvoiceID(invoice), `
select coalesce(i.number, 'draft-' || i.id), e.actor, e.at, i.currency, r.total, r.line_count, e.says
from invoice_reviews r join invoice_events e on e.id = r.event_id join invoices i on i.id = r.invoice_id
where r.invoice_id = $1 order by r.event_id desc limit 1`, invoice)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	found[0].At = found[0].At.UTC()
	return &found[0], nil
}

// InvoiceReviewed gives the last review of an invoice; nil: nobody has reviewed it. A client's session learns nothing of it.
func (r Reads) InvoiceReviewed(ctx context.Context, invoice int64) (*billing.InvoiceReview, error) {
	if r.client != "" {
		return nil, nil
	}
	return lastReview(ctx, r.q, invoice)
}

// reviewed refuses to finalise what nobody has reviewed as it is, where the house asks for that. The invoice is locked.
func (d *document) reviewed(ctx context.Context, t *tx, x lockedInvoice) error {
	if !d.rules.ReviewFirst {
		return nil
	}
	last, err := lastReview(ctx, t.conn, x.ID)
	if err != nil {
		return err
	}
	own := ownLines{d.total, d.count}
	if d.carried != nil {
		own = *d.carried
	}
	return unreviewed(x.name(), last, own, x.Currency)
}

// unreviewed says that nobody has reviewed the invoice as it is: nil where the last review saw it so.
func unreviewed(name string, last *billing.InvoiceReview, own ownLines, currency string) error {
	fix := "read it, then: docket invoice review " + name
	switch {
	case last == nil:
		return ticket.Invalid("invoice", name, "was reviewed by nobody", fix+"; `docket invoice rules` says that this comes first")
	case last.Moved(own.total, own.count):
		return ticket.Invalid("invoice", name, fmt.Sprintf("has moved since %s reviewed it: %s on %s then, %s on %s now",
			last.By, money(last.Total, currency), countOf(last.LineCount, "line"), money(own.total, currency), countOf(own.count, "line")), fix)
	}
	return nil
}

// standardReminders are the steps of a house that has set none.
var standardReminders = []int32{3, 10, 21}

func invoiceRules(ctx context.Context, q querier) (r billing.InvoiceRules, err error) {
	b := &pgx.Batch{}
	queueInvoiceRules(b, &r)
	if err := q.SendBatch(ctx, b).Close(); err != nil {
		return r, fmt.Errorf("read how the house treats invoices: %w", err)
	}
	return r, nil
}

func queueInvoiceRules(b *pgx.Batch, into *billing.InvoiceRules) {
	b.Queue("select review_first, remind_after, remind_in_house, set_by from invoice_rules").QueryRow(func(row pgx.Row) error {
		err := row.Scan(&into.ReviewFirst, &into.RemindAfter, &into.RemindInHouse, &into.SetBy)
		if errors.Is(err, pgx.ErrNoRows) {
			*into, err = billing.InvoiceRules{RemindAfter: standardReminders}, nil
		}
		return err
	})
}

// InvoiceRules tells how the house treats its invoices.
func (r Reads) InvoiceRules(ctx context.Context) (billing.InvoiceRules, error) {
	return invoiceRules(ctx, r.q)
}

// SetInvoiceRules sets how the house treats its invoices; the last word counts.
func (s *Store) SetInvoiceRules(ctx context.Context, r billing.InvoiceRules) error {
	r.RemindAfter = append([]int32{}, r.RemindAfter...)
	slices.Sort(r.RemindAfter)
	r.RemindAfter = slices.Compact(r.RemindAfter)
	for _, days := range r.RemindAfter {
		if days < 1 || days > 365 {
			return ticket.Invalid("remind", days, "is not a number of days after the due date", "from 1 to 365, such as 3,10,21; none at all: never")
		}
	}
	return s.tx(ctx, "set how the house treats invoices", func(t *tx) error {
		who := map[string]actor{}
		b := t.batch()
		queueActor(b, r.SetBy, who)
		if err := t.send(ctx, b); err != nil {
			return err
		}
		if err := mayKeepBooks(who, r.SetBy, "set how the house treats invoices"); err != nil {
			return err
		}
		b = t.batch()
		b.Queue(`
insert into invoice_rules (review_first, remind_after, remind_in_house, set_by, set_at) values ($1, $2, $3, $4, $5)
on conflict (one) do update set review_first = excluded.review_first, remind_after = excluded.remind_after,
  remind_in_house = excluded.remind_in_house, set_by = excluded.set_by, set_at = excluded.set_at`,
			r.ReviewFirst, r.RemindAfter, r.RemindInHouse, r.SetBy, s.now())
		return t.commit(ctx, b)
	})
}
