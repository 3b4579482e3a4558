package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/sla"
	"github.com/docket-psa/docket/ticket"
)

// MayCloseMonth says whether the person may close what is over by the date, and whether anything can be yet: nil, or a
// Problem. The last place on earth to reach the date decides: no client's month is cut short.
func (s *Store) MayCloseMonth(ctx context.Context, m billing.MonthClose) error {
	day, err := sla.ParseDate(m.Until)
	if err != nil {
		return ticket.Invalid("month", m.Until, "is not a date", "give a month such as 2026-03")
	}
	who := map[string]actor{}
	b := &pgx.Batch{}
	queueActor(b, m.By, who)
	if err := s.pool.SendBatch(ctx, b).Close(); err != nil {
		return fmt.Errorf("read who closes the month: %w", err)
	}
	if err := mayKeepBooks(who, m.By, "close a month"); err != nil {
		return err
	}
	begins := time.Date(day.Year, time.Month(day.Month), day.Day, 0, 0, 0, 0, time.UTC)
	if earliest := begins.Add(-14 * time.Hour); s.now().Before(earliest) {
		month := begins.AddDate(0, 0, -1).Format("2006-01")
		return ticket.Invalid("month", month, "is not over anywhere before "+m.Until, "it can be closed from that day on; `docket month close "+month+" --dry-run` tells what would be finalised")
	}
	if m.Payer != "" {
		return s.clientExists(ctx, m.Payer)
	}
	return nil
}

// OverInvoices lists the open invoices with lines whose period is over by the date, payer by payer: those after one of
// them, at most so many. The zero one is before all; 0: all of them.
func (r Reads) OverInvoices(ctx context.Context, m billing.MonthClose, after billing.OverInvoice, most int) ([]billing.OverInvoice, error) {
	rows, err := r.q.Query(ctx, `
select i.id, i.payer_id, i.currency, i.period_start::text, i.period_end::text, s.net from invoices i
cross join lateral (select sum(l.amount) as net from invoice_lines l where l.invoice_id = i.id) as s
where i.state = 'open' and i.period_end <= $1::text::date and ($2 = '' or i.payer_id = $2) and s.net is not null
  and ($3 = 0 or (i.payer_id, i.period_start, i.currency, i.id) > ($4, nullif($5, '')::date, $6, $3))
order by i.payer_id, i.period_start, i.currency, i.id limit nullif($7::int, 0)`,
		m.Until, m.Payer, after.Invoice, after.Payer, after.Start, after.Currency, most)
	if err != nil {
		return nil, fmt.Errorf("list invoices that are over: %w", err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[billing.OverInvoice])
	if err != nil {
		return nil, fmt.Errorf("list invoices that are over: %w", err)
	}
	return found, nil
}

// FinaliseOver finalises one of them. What is refused (a tax profile that is missing, a period that is not over in the
// payer's zone) is told in its result, and keeps back nothing else; an error may heal. It is kept for good once Flush has
// returned: the next one need not wait for the disk to get its number.
func (s *Store) FinaliseOver(ctx context.Context, o billing.OverInvoice, by string) (billing.Finalised, error) {
	done := billing.Finalised{OverInvoice: o}
	invoice, err := s.Finalise(ctx, Finalisation{Payer: o.Payer, Currency: o.Currency, Period: o.Start, Until: o.End, By: by, Ahead: true})
	var problem *ticket.Problem
	switch {
	case errors.As(err, &problem):
		done.Refused = err.Error()
		return done, nil
	case err != nil:
		return done, err
	}
	done.Number = invoice.Number
	if invoice.Receivable != nil {
		done.Total = invoice.Receivable.Payable
	}
	return done, nil
}

// Unrendered lists finalised invoices of what is over by the date that have no files yet, oldest first: those after one of
// them, at most so many.
func (r Reads) Unrendered(ctx context.Context, m billing.MonthClose, after int64, most int) ([]int64, error) {
	rows, err := r.q.Query(ctx, `
select i.id from invoices i where i.state = 'finalised' and i.period_end <= $1::text::date and ($2 = '' or i.payer_id = $2)
  and i.id > $3 and not exists (select from invoice_documents d where d.invoice_id = i.id)
order by i.id limit $4`, m.Until, m.Payer, after, most)
	if err != nil {
		return nil, fmt.Errorf("list invoices without files: %w", err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return nil, fmt.Errorf("list invoices without files: %w", err)
	}
	return found, nil
}

// ofTheMonth are the invoices whose period ended with the month: $1 is the date after it, $2 the payer or empty.
const ofTheMonth = `
i.state = 'finalised' and i.period_end <= $1::text::date and i.period_end > $1::text::date - interval '1 month' and ($2 = '' or i.payer_id = $2)`

// unsent are those of the month's invoices that went to nobody yet, of payers who have a mail address. What is void, and what
// lacks its files, cannot be sent. Older invoices are left alone: who begins to mail does not mail the past.
const unsent = ofTheMonth + `
  and exists (select from invoice_documents d where d.invoice_id = i.id and d.kind = 'pdf')
  and not exists (select from invoice_sendings x where x.invoice_id = i.id)
  and not exists (select from invoice_events e where e.invoice_id = i.id and e.kind = 'void')`

// Unsent lists what a closing that sends would mail, oldest first.
func (r Reads) Unsent(ctx context.Context, m billing.MonthClose) ([]int64, error) {
	rows, err := r.q.Query(ctx, "select i.id from invoices i join clients c on c.id = i.payer_id where coalesce(c.party ->> 'email', '') <> '' and "+unsent+
		" order by i.finalised_at, i.id", m.Until, m.Payer)
	if err != nil {
		return nil, fmt.Errorf("list invoices that went to nobody: %w", err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return nil, fmt.Errorf("list invoices that went to nobody: %w", err)
	}
	return found, nil
}

// SendOver mails one of them to its payer: once, however often the month is closed.
func (s *Store) SendOver(ctx context.Context, invoice int64, by string) error {
	_, err := s.SendInvoice(ctx, InvoiceDispatch{InvoiceDeed: InvoiceDeed{
		Invoice: invoice, By: by, OperationKey: fmt.Sprintf("month's end, invoice %d", invoice),
	}})
	return err
}

// mailedMonth adds what became of the mails of the month.
func (r Reads) mailedMonth(ctx context.Context, m billing.MonthClose, report *billing.MonthReport) error {
	if !m.Send {
		return nil
	}
	err := r.q.QueryRow(ctx, `
select (select count(*) from invoices i where exists (select from invoice_sendings x where x.invoice_id = i.id) and `+ofTheMonth+`),
  coalesce((select array_agg(distinct i.payer_id order by i.payer_id) from invoices i join clients c on c.id = i.payer_id
    where coalesce(c.party ->> 'email', '') = '' and `+unsent+`), '{}')`, m.Until, m.Payer).Scan(&report.Sent, &report.Homeless)
	if err != nil {
		return fmt.Errorf("count the mails of the month: %w", err)
	}
	return nil
}

// MonthStands reads what the month that ended on the date came to: the invoices whose period ended with it, and the work
// done before it that waits for a person.
func (r Reads) MonthStands(ctx context.Context, m billing.MonthClose) (report billing.MonthReport, err error) {
	report = billing.MonthReport{Until: m.Until, Finalised: []billing.FinalisedMonth{}, Held: []billing.HeldMonth{}}
	rows, err := r.q.Query(ctx, `
select i.currency, count(*)::int, min(i.number), max(i.number), sum(coalesce(i.gross, i.total)) from invoices i
where `+ofTheMonth+` group by i.currency order by i.currency`, m.Until, m.Payer)
	if err != nil {
		return report, fmt.Errorf("sum the month: %w", err)
	}
	if report.Finalised, err = pgx.CollectRows(rows, pgx.RowToStructByPos[billing.FinalisedMonth]); err != nil {
		return report, fmt.Errorf("sum the month: %w", err)
	}
	rows, err = r.q.Query(ctx, `
select c.payer_id, h.kind, h.reason, count(*)::int, h.currency, sum(h.amount) from holds h join clients c on c.id = h.client_id
join tickets t on t.number = h.ticket
where h.state = 'open' and h.closure_id is not null and (t.closed_at at time zone c.time_zone)::date < $1::text::date and ($2 = '' or c.payer_id = $2)
group by c.payer_id, h.kind, h.reason, h.currency order by c.payer_id, h.kind, h.reason, h.currency`, m.Until, m.Payer)
	if err != nil {
		return report, fmt.Errorf("list what the month still holds: %w", err)
	}
	held, err := pgx.CollectRows(rows, pgx.RowToStructByPos[billing.HeldMonth])
	if err != nil {
		return report, fmt.Errorf("list what the month still holds: %w", err)
	}
	billing.Tell(&report.Held, &report.Untold, held...)
	return report, r.mailedMonth(ctx, m, &report)
}
