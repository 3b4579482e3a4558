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
	begins, opens, err := monthOver(m.Until)
	if err != nil {
		return err
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
	if s.now().Before(opens) {
		month := begins.AddDate(0, 0, -1).Format("2006-01")
		return ticket.Invalid("month", month, "is not over anywhere before "+m.Until, "it can be closed from that day on; `docket month close "+month+" --dry-run` tells what would be finalised")
	}
	if m.Payer != "" {
		return s.clientExists(ctx, m.Payer)
	}
	return nil
}

// monthOver reads the first date after a month: midnight of it as UTC has it, and when the first place on earth has it.
func monthOver(until string) (begins, opens time.Time, err error) {
	day, err := sla.ParseDate(until)
	if err != nil {
		return begins, opens, ticket.Invalid("month", until, "is not a date", "give a month such as 2026-03")
	}
	begins = time.Date(day.Year, day.Month, day.Day, 0, 0, 0, 0, time.UTC)
	return begins, begins.Add(-14 * time.Hour), nil
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
		done.Refused = problem.Error() // which invoice it is, the report says beside it
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
	return ids(ctx, r.q, "invoices without files", `
select i.id from invoices i where i.state = 'finalised' and i.period_end <= $1::text::date and ($2 = '' or i.payer_id = $2)
  and i.id > $3 and not exists (select from invoice_documents d where d.invoice_id = i.id)
order by i.id limit $4`, m.Until, m.Payer, after, most)
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
	return ids(ctx, r.q, "invoices that went to nobody",
		"select i.id from invoices i join clients c on c.id = i.payer_id where coalesce(c.party ->> 'email', '') <> '' and "+unsent+" order by i.finalised_at, i.id", m.Until, m.Payer)
}

// SendOver mails one of them to its payer: once, however often the month is closed.
func (s *Store) SendOver(ctx context.Context, invoice int64, by string) error {
	_, err := s.SendInvoice(ctx, InvoiceDispatch{InvoiceDeed: InvoiceDeed{
		Invoice: invoice, By: by, OperationKey: fmt.Sprintf("month's end, invoice %d", invoice),
	}})
	return err
}

// UnrenderedNotes lists credit notes that were issued before the date, where their payers are, and have no files yet, oldest first:
// those after one of them, at most so many.
func (r Reads) UnrenderedNotes(ctx context.Context, m billing.MonthClose, after int64, most int) ([]int64, error) {
	return ids(ctx, r.q, "credit notes without files", `
select n.id from credit_notes n join clients c on c.id = n.payer_id
where (n.issued_at at time zone c.time_zone)::date < $1::text::date and ($2 = '' or n.payer_id = $2)
  and n.id > $3 and not exists (select from credit_note_documents d where d.note_id = n.id)
order by n.id limit $4`, m.Until, m.Payer, after, most)
}

// notesOfTheMonth are the credit notes, of clients c, that were issued in the month.
const notesOfTheMonth = `
(n.issued_at at time zone c.time_zone)::date < $1::text::date and (n.issued_at at time zone c.time_zone)::date >= $1::text::date - interval '1 month'
  and ($2 = '' or n.payer_id = $2)`

// unsentNotes are those that went to nobody yet.
const unsentNotes = notesOfTheMonth + `
  and exists (select from credit_note_documents d where d.note_id = n.id and d.kind = 'pdf')
  and not exists (select from credit_note_sendings x where x.note_id = n.id)`

// UnsentNotes lists what of them a closing that sends would mail, oldest first.
func (r Reads) UnsentNotes(ctx context.Context, m billing.MonthClose) ([]int64, error) {
	return ids(ctx, r.q, "credit notes that went to nobody",
		"select n.id from credit_notes n join clients c on c.id = n.payer_id where coalesce(c.party ->> 'email', '') <> '' and "+unsentNotes+" order by n.id", m.Until, m.Payer)
}

// SendNoteOver mails one of them to its payer: once, however often the month is closed.
func (s *Store) SendNoteOver(ctx context.Context, note int64, by string) error {
	_, err := s.SendCreditNote(ctx, CreditNoteDispatch{Note: note, By: by, OperationKey: fmt.Sprintf("month's end, credit note %d", note)})
	return err
}

func ids(ctx context.Context, q querier, what, sql string, args ...any) ([]int64, error) {
	rows, err := q.Query(ctx, sql, args...)
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", what, err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", what, err)
	}
	return found, nil
}

// mailedMonth adds what became of the mails of the month.
func (r Reads) mailedMonth(ctx context.Context, m billing.MonthClose, report *billing.MonthReport) error {
	if !m.Send {
		return nil
	}
	err := r.q.QueryRow(ctx, `
select (select count(*) from invoices i where exists (select from invoice_sendings x where x.invoice_id = i.id) and `+ofTheMonth+`),
  (select count(*) from credit_notes n join clients c on c.id = n.payer_id
    where exists (select from credit_note_sendings x where x.note_id = n.id) and `+notesOfTheMonth+`),
  array(select i.payer_id from invoices i join clients c on c.id = i.payer_id where coalesce(c.party ->> 'email', '') = '' and `+unsent+`
    union select n.payer_id from credit_notes n join clients c on c.id = n.payer_id where coalesce(c.party ->> 'email', '') = '' and `+unsentNotes+` order by 1)`,
		m.Until, m.Payer).Scan(&report.Sent, &report.SentNotes, &report.Homeless)
	if err != nil {
		return fmt.Errorf("count the mails of the month: %w", err)
	}
	return nil
}

// MonthStands reads what the month that ended on the date came to: the invoices whose period ended with it, and the work
// done before it that waits for a person; and which of its periods nobody has billed, since their contracts came late.
func (s *Store) MonthStands(ctx context.Context, m billing.MonthClose) (report billing.MonthReport, err error) {
	if report, err = s.monthStands(ctx, m); err != nil {
		return report, err
	}
	past, err := s.pastOfMonth(ctx, m)
	if err != nil {
		return report, fmt.Errorf("list what was over before its contract came: %w", err)
	}
	billing.Tell(&report.Past, &report.Untold, past...)
	return report, nil
}

func (r Reads) monthStands(ctx context.Context, m billing.MonthClose) (report billing.MonthReport, err error) {
	report = billing.MonthReport{Until: m.Until, Finalised: []billing.FinalisedMonth{}, Held: []billing.HeldMonth{}}
	rows, err := r.q.Query(ctx, `
select currency, count(*)::int, min(number), max(number), coalesce(sum(gross) filter (where not void), 0), (count(*) filter (where void))::int from (
  select i.currency, i.number, coalesce(i.gross, i.total) as gross,
    exists (select from invoice_events e where e.invoice_id = i.id and e.kind = 'void') as void
  from invoices i where `+ofTheMonth+`
) of_the_month group by currency order by currency`, m.Until, m.Payer)
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
