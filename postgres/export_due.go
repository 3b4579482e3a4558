package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/docket-psa/docket/billing"
)

// What a format has not had yet. An invoice that was voided before it went there never goes, nor does what takes it back: its
// lines are billed again elsewhere. One that had gone before is taken back as a whole. Payments go whatever became of their
// invoices: the money came.
const (
	dueInvoices = `
select i.id from invoices i
where i.state = 'finalised' and i.line_count > 0 and not exists (select from invoice_events v where v.invoice_id = i.id and v.kind = 'void')
  and not exists (select from invoice_lines l join export_lines e on e.charge_id = l.charge_id where l.invoice_id = i.id and e.format = $1)
order by i.finalised_at, i.id`

	dueCredits = `
select v.id, v.invoice_id, n.id, i.number || '-VOID', (v.at at time zone c.time_zone)::date::text
from invoice_events v join invoices i on i.id = v.invoice_id join clients c on c.id = v.payer_id left join credit_notes n on n.event_id = v.id
where v.kind in ('credit-note', 'void') and not exists (select from export_events e where e.format = $1 and e.event_id = v.id)
  and (v.kind = 'credit-note' or exists (
    select from invoice_lines l join export_lines e on e.charge_id = l.charge_id where l.invoice_id = v.invoice_id and e.format = $1))
order by v.id`

	duePayments = `
select v.id, 'P-' || p.event_id, v.payer_id, (case when r.event_id is null then p.paid_on else (v.at at time zone c.time_zone)::date end)::text,
  i.number, p.currency, g.sign * p.received, g.sign * p.amount, p.method, r.event_id is not null
from invoice_events v left join payment_returns r on r.event_id = v.id join payments p on p.event_id = coalesce(r.payment_id, v.id)
cross join lateral (select case when r.event_id is null then 1 else -1 end as sign) g
join invoices i on i.id = p.invoice_id join clients c on c.id = v.payer_id
where v.kind in ('payment', 'payment-returned') and not exists (select from export_events e where e.format = $1 and e.event_id = v.id)
order by v.id`
)

// Unexported lists what the format has not had yet, in one snapshot, so that nothing in it is newer than what it refers to.
func (s *Store) Unexported(ctx context.Context, format string) (due billing.Unexported, err error) {
	err = pgx.BeginTxFunc(ctx, s.pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(t pgx.Tx) error {
		due, err = unexported(ctx, Reads{q: t}, format)
		return err
	})
	if err != nil {
		return due, fmt.Errorf("list what %s has not had: %w", format, err)
	}
	return due, nil
}

func unexported(ctx context.Context, r Reads, format string) (due billing.Unexported, err error) {
	due.Payers = map[string]billing.Party{}
	if due.Seller, err = r.Company(ctx); err != nil {
		return due, err
	}
	invoices, err := collect[struct{ ID int64 }](ctx, r.q, "invoices", dueInvoices, format)
	if err != nil {
		return due, err
	}
	for _, i := range invoices {
		p, err := r.Paper(ctx, i.ID)
		if err != nil {
			return due, err
		}
		due.Invoices = append(due.Invoices, p)
		due.Payers[p.Invoice.Payer] = p.Buyer
	}
	if due.Credits, err = r.unexportedCredits(ctx, format, due.Payers); err != nil {
		return due, err
	}
	if due.Payments, err = collect[billing.PaymentMove](ctx, r.q, "payments", duePayments, format); err != nil {
		return due, err
	}
	for _, m := range due.Payments {
		if _, known := due.Payers[m.Payer]; known {
			continue
		}
		if due.Payers[m.Payer], err = r.ClientParty(ctx, m.Payer); err != nil {
			return due, err
		}
	}
	return due, nil
}

// unexportedCredits gives credit notes, and void invoices that the format has.
func (r Reads) unexportedCredits(ctx context.Context, format string, payers map[string]billing.Party) (credits []billing.DueCredit, err error) {
	type deed struct {
		Event   int64
		Invoice int64
		Note    *int64 // null: the invoice is void
		billing.VoidedAs
	}
	found, err := collect[deed](ctx, r.q, "credit notes", dueCredits, format)
	if err != nil {
		return nil, err
	}
	for _, d := range found {
		c := billing.DueCredit{Event: d.Event}
		if d.Note != nil {
			c.Paper, err = r.CreditNotePaper(ctx, *d.Note)
		} else {
			c.Void = &d.VoidedAs
			c.Paper, err = r.Paper(ctx, d.Invoice)
		}
		if err != nil {
			return nil, err
		}
		payers[c.Paper.Invoice.Payer] = c.Paper.Buyer
		credits = append(credits, c)
	}
	return credits, nil
}
