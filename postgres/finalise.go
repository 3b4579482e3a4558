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
}

// Finalise ends an invoice's life as a live one: its lines are summed, it gets the next number
// of its series without a gap, and it never changes again. What is still held stays out and
// posts to a later invoice with its own service date.
//
// Locks: the invoice FOR UPDATE, which waits for every closing that shares it and makes later
// ones find the next invoice; then the number series, last, so that a number is only taken by
// who commits. A finalised invoice is answered as it is.
func (s *Store) Finalise(ctx context.Context, f Finalisation) (invoice billing.Invoice, err error) {
	err = s.tx(ctx, fmt.Sprintf("finalise the invoice of %s for %s", f.Payer, f.Period), func(t *tx) error {
		var (
			row  finalisable
			who  = map[string]actor{}
			none bool
		)
		b := t.batch()
		b.Queue(`
select i.id, i.number, i.period_start, i.period_end, i.state, i.total, i.line_count, i.finalised_at, c.time_zone
from invoices i join clients c on c.id = i.payer_id
where i.payer_id = $1 and i.currency = $2 and i.period_start = $3::text::date and ($4 = '' or i.period_end = nullif($4, '')::date)
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
			invoice = row.invoice(f)
			return nil
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
		// In a statement after the lock: every line that got in before it is seen.
		var (
			total decimal.Decimal
			count int
		)
		series := now.Format("INV-2006")
		var number int64
		b = t.batch()
		b.Queue("select coalesce(sum(amount), 0), count(*) from invoice_lines where invoice_id = $1", row.ID).QueryRow(func(r pgx.Row) error {
			return r.Scan(&total, &count)
		})
		b.Queue(`insert into number_series (series, last) values ($1, 1) on conflict (series) do update set last = number_series.last + 1 returning last`,
			series).QueryRow(func(r pgx.Row) error { return r.Scan(&number) })
		if err := t.send(ctx, b); err != nil {
			return err
		}
		if count == 0 {
			return ticket.Invalid("invoice", f.Payer+" "+f.Period, "has no lines", "there is nothing to finalise; its number would be wasted")
		}
		if total.IsNegative() {
			return ticket.Invalid("invoice", f.Payer+" "+f.Period, "is negative: "+money(total, f.Currency), "leave it open until its total is no longer below zero")
		}
		at := s.now()
		name := fmt.Sprintf("%s-%05d", series, number)
		row.State, row.Number, row.Total, row.LineCount, row.FinalisedAt = "finalised", &name, &total, &count, &at
		invoice = row.invoice(f)
		b = t.batch()
		b.Queue(`
update invoices set state = 'finalised', number = $2, total = $3, line_count = $4, finalised_at = $5, finalised_by = $6 where id = $1`,
			row.ID, name, total, count, at, f.By)
		return t.commit(ctx, b)
	})
	return invoice, err
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
}

func (r finalisable) invoice(f Finalisation) billing.Invoice {
	return billing.Invoice{
		ID: r.ID, Number: *r.Number, Payer: f.Payer, Currency: f.Currency, PeriodStart: r.Start.Format(time.DateOnly),
		PeriodEnd: r.End.Format(time.DateOnly), State: r.State, Total: *r.Total, LineCount: *r.LineCount, FinalisedAt: r.FinalisedAt,
	}
}

func (a actor) mayFinalise() bool {
	for _, role := range a.Roles {
		if a.Client == "" && (role == "owner" || role == "finance") {
			return true
		}
	}
	return false
}
