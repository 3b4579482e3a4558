package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/shopspring/decimal"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

// Finalisation names the invoice to finalise.
type Finalisation struct {
	Payer    string
	Currency string
	Period   string // its first day, local date
	Until    string // the first day after it, where several begin on that day; empty: the shortest is meant
	By       string
	Early    bool // although its period is not over
	Ahead    bool // of the disk: whoever finalises many waits for it once, by Flush, and tells of none before
}

// Finalise ends an invoice's life as a live one: its lines are summed, it gets the next number
// of its series without a gap, and it never changes again. What is still held stays out and
// posts to a later invoice with its own service date. It is taxed by the date of its finalisation in the
// payer's zone, and keeps that. The payer's credit pays what it can; where nothing is owed then, the blocks that the invoice sold
// are paid.
//
// Locks: the blocks that it sold; the invoice FOR UPDATE, which waits for every closing that shares it and makes later
// ones find the next invoice; then the payer's credit; then the number series, last, so that a
// number is only taken by who commits. A finalised invoice is answered as it is.
func (s *Store) Finalise(ctx context.Context, f Finalisation) (invoice billing.Invoice, err error) {
	err = s.tx(ctx, fmt.Sprintf("finalise the invoice of %s for %s", f.Payer, f.Period), func(t *tx) error {
		var (
			row  finalisable
			who  = map[string]actor{}
			none bool
		)
		b := t.batch()
		queueUnpaidSold(b, `i.state = 'open' and `+invoicesMeant, f.Payer, f.Currency, f.Period, f.Until)
		b.Queue(`
select i.id, i.number, i.period_start, i.period_end, i.state, i.total, i.line_count, i.finalised_at, c.time_zone, i.taxes
from invoices i join clients c on c.id = i.payer_id
where `+invoicesMeant+`
order by i.period_end limit 1 for update of i`, f.Payer, f.Currency, f.Period, f.Until).Query(func(rows pgx.Rows) error {
			found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[finalisable])
			if none = len(found) == 0; !none {
				row = found[0]
			}
			return err
		})
		queueActors(b, []string{f.By}, who)
		if err := t.send(ctx, b); err != nil {
			return err
		}
		by, err := pick(who, "by", f.By)
		if err != nil {
			return err
		}
		if !by.mayFinalise() {
			return ticket.Invalid("by", f.By, "may not finalise invoices", "it takes the role owner or finance")
		}
		if none {
			return ticket.Invalid("invoice", f.Payer+" "+f.Period+" "+f.Currency, "does not exist", "`docket invoice list` shows what can be finalised")
		}
		if row.State == "finalised" {
			invoice, err = row.standing(ctx, t, f)
			return err
		}
		zone, err := time.LoadLocation(row.TimeZone)
		if err != nil {
			return fmt.Errorf("payer %s: %w", f.Payer, err)
		}
		now := s.now().In(zone)
		if now.Format(time.DateOnly) < row.End.Format(time.DateOnly) && !f.Early {
			return ticket.Invalid("period", f.Period, "is not over until "+row.End.Format(time.DateOnly),
				"wait, or finalise it early (--early); later work then goes to the next invoice")
		}
		doc, err := s.document(ctx, t, row.locked(f), f.By, now)
		if err != nil {
			return err
		}
		if doc.count == 0 {
			return ticket.Invalid("invoice", f.Payer+" "+f.Period, "has no lines", "there is nothing to finalise; its number would be wasted")
		}
		if err := doc.reviewed(ctx, t, row.locked(f)); err != nil {
			return err
		}
		var sold []soldBlock
		if doc.stands().Owed.IsZero() { // the payer's credit pays it, or nothing is to be paid
			if sold, err = soldOn(ctx, t.conn, row.ID); err != nil {
				return err
			}
		}
		snapshot, err := billing.Canonical(doc.taxes)
		if err != nil {
			return fmt.Errorf("encode the tax of %s: %w", ticket.InvoiceID(row.ID), err)
		}
		at, number := s.now(), ""
		b = t.batch()
		b.Queue(drawNumber+`
update invoices set state = 'finalised', number = drawn.number, total = $3, line_count = $4, finalised_at = $5, finalised_by = $6,
  tax = $7, gross = $8, tax_date = $9::text::date, taxes = $10, due_on = $9::text::date + $11::int from drawn where id = $2 returning drawn.number`,
			now.Format(doc.series), row.ID, doc.total, doc.count, at, f.By, doc.taxes.Tax, doc.taxes.TaxInclusive, doc.taxes.TaxDate, string(snapshot), doc.days).
			QueryRow(func(r pgx.Row) error { return r.Scan(&number) })
		queueApplied(b, row.locked(f), doc.applied, nil, at)
		queueBlocksPaid(b, sold, row.locked(f), f.By, now.Format(time.DateOnly), nil, at)
		commit := t.commit
		if f.Ahead {
			commit = t.commitAhead
		}
		if err := commit(ctx, b); err != nil {
			return err
		}
		row.State, row.Number, row.Total, row.LineCount, row.FinalisedAt = "finalised", &number, &doc.total, &doc.count, &at
		invoice = row.invoice(f, doc.stands(), &doc.taxes)
		return nil
	})
	return invoice, err
}

// invoicesMeant finds the invoices that a Finalisation may mean.
const invoicesMeant = `i.payer_id = $1 and i.currency = $2 and i.period_start = $3::text::date and ($4 = '' or i.period_end = nullif($4, '')::date)`

// queuePaymentDays reads the shortest time that the contracts on the invoice give for its payment, from their documents: a
// month's end finalises more of them than are worth compiling for it. LIMIT lets each be found by its key.
func queuePaymentDays(b *pgx.Batch, invoice int64, into *int) {
	b.Queue(`
select coalesce(min(v.days), 0) from (
  select distinct c.contract_id, c.revision from invoice_lines l join charges c on c.id = l.charge_id where l.invoice_id = $1
) c cross join lateral (
  select coalesce((v.document::jsonb #>> '{billing,payment_days}')::int, 0) as days from contract_versions v
  where v.contract_id = c.contract_id and v.revision = c.revision limit 1
) v`, invoice).
		QueryRow(func(r pgx.Row) error { return r.Scan(into) })
}

type finalisable struct {
	ID          int64
	Number      *string
	Start       time.Time
	End         time.Time
	State       string
	Total       *decimal.Decimal
	LineCount   *int
	FinalisedAt *time.Time
	TimeZone    string
	Taxes       *string
}

func (r finalisable) locked(f Finalisation) lockedInvoice {
	return lockedInvoice{ID: r.ID, Payer: f.Payer, Currency: f.Currency, Start: r.Start, End: r.End, TimeZone: r.TimeZone}
}

// standing is the invoice as it was finalised before, and where it stands now.
func (r finalisable) standing(ctx context.Context, t *tx, f Finalisation) (billing.Invoice, error) {
	var (
		now  receivable
		kept *billing.DocumentTotals
	)
	b := t.batch()
	queueReceivable(b, r.ID, &now)
	err := t.send(ctx, b)
	if err == nil && r.Taxes != nil {
		kept, err = readTotals(*r.Taxes)
	}
	return r.invoice(f, now, kept), err
}

func (r finalisable) invoice(f Finalisation, now receivable, taxes *billing.DocumentTotals) billing.Invoice {
	return billing.Invoice{
		ID: r.ID, Number: *r.Number, Payer: f.Payer, Currency: f.Currency, PeriodStart: r.Start.Format(time.DateOnly),
		PeriodEnd: r.End.Format(time.DateOnly), State: now.State, Total: *r.Total, LineCount: *r.LineCount, FinalisedAt: r.FinalisedAt,
		Receivable: &now.Receivable, Taxes: taxes,
	}
}

// document is what an invoice comes to as it is finalised.
type document struct {
	total   decimal.Decimal // sum of its lines
	count   int
	taxes   billing.DocumentTotals
	days    int                   // that there are for its payment
	rules   billing.InvoiceRules  // of the house
	series  string                // of its number
	applied []billing.Application // of the payer's credit, which is locked
	carried *ownLines             // what it came to before it was carried forward; nil: it was not
}

// gross is what the invoice comes to with tax: what is paid.
func (d document) gross() decimal.Decimal { return d.taxes.TaxInclusive }

// reckon sums and taxes the invoice, which is locked: by the profiles that count now, on the local date
// of its finalisation.
func (d *document) reckon(lines invoiceTaxLines, x lockedInvoice, now time.Time) (err error) {
	if d.taxes, err = lines.totals(x.name(), x.Currency, now.Format(time.DateOnly)); err != nil {
		return err
	}
	d.total, d.count = decimal.Zero, len(lines.rows)
	for _, l := range lines.rows {
		d.total = d.total.Add(l.Amount)
	}
	return nil
}

// document sums the invoice with its tax, under its lock. A negative one is carried forward, and
// comes to zero then, or becomes a credit note, and then the payer's credit; on any other one the
// payer's credit pays what it can, the oldest first.
//
// What it hangs on is read by one batch after the lock, so that every line that got in before is seen.
func (s *Store) document(ctx context.Context, t *tx, x lockedInvoice, by string, now time.Time) (document, error) {
	var (
		d       = document{series: invoiceSeries}
		lines   invoiceTaxLines
		balance decimal.Decimal
	)
	b := t.batch()
	queueTaxLines(b, x.ID, &lines)
	queueInvoiceRules(b, &d.rules)
	queuePaymentDays(b, x.ID, &d.days)
	queueCreditLock(b, x.Payer, x.Currency, &balance)
	if err := t.send(ctx, b); err != nil {
		return d, err
	}
	if err := d.reckon(lines, x, now); err != nil {
		return d, err
	}
	switch gross := d.gross(); {
	case gross.IsNegative():
		return s.belowZero(ctx, t, x, d, lines, by, now)
	case gross.IsPositive() && !balance.IsZero():
		left, err := creditLeft(ctx, t, x.Payer, x.Currency)
		d.applied = billing.ApplyCredits(left, gross)
		return d, err
	}
	return d, nil
}

// stands says where the invoice stands when it is finalised.
func (d document) stands() receivable {
	r := receivable{State: billing.InvoiceFinalised}
	r.Payable, r.Applied = d.gross(), sumOf(d.applied)
	r.Owed = r.Payable.Sub(r.Applied)
	switch {
	case d.gross().IsNegative():
		r.State, r.Owed = billing.InvoiceCreditNote, decimal.Zero
	case r.Owed.IsZero():
		r.State = billing.InvoicePaid
	case r.Applied.IsPositive():
		r.State = billing.InvoicePartlyPaid
	}
	return r
}

func (a actor) mayFinalise() bool {
	for _, role := range a.Roles {
		if a.Client == "" && (role == "owner" || role == "finance") {
			return true
		}
	}
	return false
}
