package postgres

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/sla"
	"github.com/docket-psa/docket/ticket"
)

// queueInvoices reads the latest invoices of the payer of the ticket's client. They are a hint where
// lines can go: another one is looked up when it is needed, and the line's own trigger has the last word
// on whether it is still open.
func queueInvoices(b *pgx.Batch, id ticket.ID, into *[]invoiceRow) {
	b.Queue(`
select i.id, i.payer_id, i.currency, i.period_start, i.period_end, i.state
from tickets t join clients c on c.id = t.client_id join invoices i on i.payer_id = c.payer_id
where t.number = $1 order by i.period_start desc limit 12`, id.Number()).Query(collectInvoices(into))
}

// queueInvoicesOf reads those of a payer.
func queueInvoicesOf(b *pgx.Batch, payer string, into *[]invoiceRow) {
	b.Queue(`
select id, payer_id, currency, period_start, period_end, state from invoices where payer_id = $1 order by period_start desc limit 12`, payer).
		Query(collectInvoices(into))
}

func collectInvoices(into *[]invoiceRow) func(pgx.Rows) error {
	return func(rows pgx.Rows) (err error) {
		*into, err = pgx.CollectRows(rows, pgx.RowToStructByPos[invoiceRow])
		return err
	}
}

// invoice finds the open invoice of the charge's payer, currency and period, or creates it. A
// period whose invoice is finalised gives way to the next: work that comes late keeps its
// service date and posts to the open invoice.
func (p posting) invoice(ctx context.Context, t *tx, c billing.Charge, known *[]invoiceRow) (int64, error) {
	period, err := billsIn(c)
	if err != nil {
		return 0, fmt.Errorf("billing period of charge %s: %w", c.Key, err)
	}
	for {
		i := slices.IndexFunc(*known, func(r invoiceRow) bool { return r.is(p.payer(c), c.Currency, period) })
		if i < 0 {
			row, err := ensureInvoice(ctx, t, p.payer(c), c.Currency, period)
			if err != nil {
				return 0, err
			}
			*known = append(*known, row)
			i = len(*known) - 1
		}
		if (*known)[i].State == "open" {
			return (*known)[i].ID, nil
		}
		if period, err = following(period); err != nil {
			return 0, fmt.Errorf("billing period of charge %s: %w", c.Key, err)
		}
	}
}

func (r invoiceRow) is(payer, currency string, period sla.Period) bool {
	return r.Payer == payer && r.Currency == currency &&
		r.Start.Format(time.DateOnly) == period.Start.String() && r.End.Format(time.DateOnly) == period.End.String()
}

// billsIn is the invoice's period: what the charge says, else the calendar month of its service date.
func billsIn(c billing.Charge) (period sla.Period, err error) {
	if c.Bills == nil {
		on, err := sla.ParseDate(c.Date)
		if err != nil {
			return period, err
		}
		return sla.Monthly(1).Period(on)
	}
	if period.Start, err = sla.ParseDate(c.Bills.Start); err != nil {
		return period, err
	}
	if period.End, err = sla.ParseDate(c.Bills.End); err != nil {
		return period, err
	}
	if period.Days() <= 0 {
		return period, fmt.Errorf("%s ends before it begins", period.Start)
	}
	return period, nil
}

// following is the period after: of as many whole months; of one where the period is not of whole
// months, as at a contract's end.
func following(p sla.Period) (sla.Period, error) {
	cycles := []string{"monthly", "quarterly", "semiannual", "yearly"}
	for _, every := range cycles {
		same, err := sla.Cycle{Every: every, Anchor: p.Start}.Period(p.Start)
		if err != nil {
			return sla.Period{}, err
		}
		if same == p {
			return sla.Cycle{Every: every, Anchor: p.Start}.Period(p.End)
		}
	}
	return sla.Cycle{Every: cycles[0], Anchor: p.End}.Period(p.End)
}

func ensureInvoice(ctx context.Context, t *tx, payer, currency string, period sla.Period) (row invoiceRow, err error) {
	b := t.batch()
	b.Queue(`
insert into invoices (payer_id, currency, period_start, period_end) values ($1, $2, $3::text::date, $4::text::date)
on conflict (payer_id, currency, period_start, period_end) do nothing`, payer, currency, period.Start.String(), period.End.String())
	b.Queue(`
select id, payer_id, currency, period_start, period_end, state from invoices
where payer_id = $1 and currency = $2 and period_start = $3::text::date and period_end = $4::text::date`,
		payer, currency, period.Start.String(), period.End.String()).Query(func(rows pgx.Rows) (err error) {
		row, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[invoiceRow])
		return err
	})
	if err := t.send(ctx, b); err != nil {
		return row, fmt.Errorf("open the invoice of %s for %s … %s in %s: %w", payer, period.Start, period.End, currency, err)
	}
	return row, nil
}
