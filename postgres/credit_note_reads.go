package postgres

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/shopspring/decimal"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

// CreditNoteFilter narrows a list of credit notes; an empty field does not.
type CreditNoteFilter struct {
	Payer   string
	Invoice string // number of the one that they correct
	Limit   int    // 0: 50
}

// An invoice that came to less than zero is a credit note with a number of the same series, so that no list has gaps; it is an
// invoice all the same, with files of its own.
const selectCreditNotes = `
select * from (
  select n.id, n.invoice_id, n.number, i.number as invoice, n.payer_id, n.currency, (n.issued_at at time zone c.time_zone)::date::text as issued_on,
    n.issued_at, n.amount - t.tax as net, t.tax, n.amount, n.reduces, n.amount - n.reduces as to_credit, e.reason,
    (select count(*) from credit_note_documents d where d.note_id = n.id)::int as files,
    (select max(s.at) from credit_note_sendings x join invoice_events s on s.id = x.event_id where x.note_id = n.id) as sent_at
  from credit_notes n join invoices i on i.id = n.invoice_id join clients c on c.id = n.payer_id join invoice_events e on e.id = n.event_id
  cross join lateral (select note_tax(n.id) as tax) t
  union all
  select 0, i.id, i.number, '', i.payer_id, i.currency, coalesce(i.tax_date, (i.finalised_at at time zone c.time_zone)::date)::text,
    i.finalised_at, i.tax - i.gross, -i.tax, -i.gross, 0, -i.gross, '',
    (select count(*) from invoice_documents d where d.invoice_id = i.id)::int,
    (select max(s.at) from invoice_sendings x join invoice_events s on s.id = x.event_id where x.invoice_id = i.id)
  from invoices i join clients c on c.id = i.payer_id where i.state = 'finalised' and i.gross < 0
) n`

func (r Reads) creditNotes(ctx context.Context, where string, args ...any) ([]billing.ListedNote, error) {
	rows, err := r.q.Query(ctx, selectCreditNotes+where, args...)
	if err != nil {
		return nil, fmt.Errorf("list credit notes: %w", err)
	}
	notes, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (n billing.ListedNote, err error) {
		err = row.Scan(&n.ID, &n.InvoiceID, &n.Number, &n.Invoice, &n.Payer, &n.Currency, &n.IssuedOn, &n.IssuedAt,
			&n.Net, &n.Tax, &n.Amount, &n.Reduces, &n.ToCredit, &n.Reason, &n.Files, &n.SentAt)
		n.IssuedAt = n.IssuedAt.UTC()
		return n, err
	})
	if err != nil {
		return nil, fmt.Errorf("list credit notes: %w", err)
	}
	return notes, nil
}

// CreditNotes lists credit notes without their lines, the newest first.
func (r Reads) CreditNotes(ctx context.Context, f CreditNoteFilter) ([]billing.ListedNote, error) {
	if f.Limit <= 0 {
		f.Limit = defaultLimit
	}
	return r.creditNotes(ctx, " where ($1 = '' or n.payer_id = $1) and ($2 = '' or n.invoice = $2) order by n.issued_at desc, n.number desc limit $3",
		f.Payer, f.Invoice, f.Limit)
}

// CreditNote finds a credit note against an invoice by its number, with what it gives back of each line.
func (r Reads) CreditNote(ctx context.Context, number string) (n billing.ListedNote, err error) {
	number = strings.ToUpper(strings.TrimSpace(number))
	found, err := r.creditNotes(ctx, " where n.number = $1", number)
	switch {
	case err != nil:
		return n, err
	case len(found) == 0:
		return n, ticket.Invalid("credit note", number, "is not known", "give a number like CN-2026-00003; `docket credit-note list` shows them")
	case found[0].Invoice == "":
		return n, ticket.Invalid("credit note", number, "is an invoice that came to less than zero", "docket invoice show, file and send take its number")
	}
	n = found[0]
	invoice, err := r.finalised(ctx, n.InvoiceID)
	if err != nil {
		return n, err
	}
	return n, r.noteLines(ctx, &n.IssuedNote, invoice)
}

// CreditNotePaper gives what a credit note is printed from: as it was issued, whatever happened since.
func (r Reads) CreditNotePaper(ctx context.Context, note int64) (p billing.Paper, err error) {
	found, err := r.creditNotes(ctx, " where n.id = $1 and n.invoice <> ''", note)
	if err != nil {
		return p, err
	}
	if len(found) == 0 {
		return p, ticket.Invalid("credit note", note, "is not known", "`docket credit-note list` shows them")
	}
	n := &found[0].IssuedNote
	if p, err = r.Paper(ctx, n.InvoiceID); err != nil {
		return p, err
	}
	if err := r.noteLines(ctx, n, p.Invoice); err != nil {
		return p, err
	}
	p.Note, p.Invoice.Lines, p.Invoice.Taxes = n, nil, nil
	return p, nil
}

// noteLines adds what a credit note gives back of the lines of its invoice.
func (r Reads) noteLines(ctx context.Context, n *billing.IssuedNote, invoice billing.Invoice) error {
	type given struct {
		Line       int64
		Nth        int
		Gross, Tax decimal.Decimal
	}
	all, err := collect[given](ctx, r.q, "what "+n.Number+" gives back", "select charge_id, nth, gross, tax from note_lines($1) order by nth", n.ID)
	if err != nil {
		return err
	}
	if len(invoice.Taxes.Lines) != len(invoice.Lines) {
		return fmt.Errorf("%s has %d lines, and was taxed with %d", invoice.Number, len(invoice.Lines), len(invoice.Taxes.Lines))
	}
	back := make([]billing.GivenBack, 0, len(all))
	for _, g := range all {
		n.Lines = append(n.Lines, invoice.Lines[g.Nth-1])
		if was := invoice.Taxes.Lines[g.Nth-1]; !was.Net.Add(was.Tax).Equal(g.Gross) {
			n.Parts = append(n.Parts, g.Line)
		}
		back = append(back, billing.GivenBack{Nth: g.Nth, Gross: g.Gross, Tax: g.Tax})
	}
	totals := invoice.Taxes.CreditTotals(back)
	n.Taxes = &totals
	return nil
}
