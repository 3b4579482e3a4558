package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/shopspring/decimal"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

// CreditNoteDraft says what of an invoice to give back: an amount, or lines of it.
type CreditNoteDraft struct {
	InvoiceDeed
	Amount string  // a decimal in the invoice's currency, with tax where the invoice has tax
	Lines  []int64 // each whole, with what it was written down by
	Reason string
}

// Credit issues a credit note against a finalised invoice. It reduces what is owed; the rest is the
// payer's credit. All credit notes of an invoice never give back more than it came to.
//
// Locks: with lines their tickets and the blocks that they sold come first, so that no reopening, and
// nobody who takes a block back, gives the same money back beside it; the series of credit notes is the last lock, so that a number is only taken by who commits.
func (s *Store) Credit(ctx context.Context, n CreditNoteDraft) (billing.CreditNote, error) {
	if err := n.problems(); err != nil {
		return billing.CreditNote{}, err
	}
	lines := slices.Clone(n.Lines)
	slices.Sort(lines)
	n.Lines = slices.Compact(lines)
	d := &invoiceDeed{kind: "credit-note", head: n.InvoiceDeed}
	if len(n.Lines) > 0 {
		d.first = func(b *pgx.Batch) {
			b.Queue(`
select from tickets where number in (select l.ticket from invoice_lines l where l.charge_id = any ($1)) order by number for update`, n.Lines)
			queueSoldBlocks(b, ofInvoice, n.Invoice)
		}
	}
	return onInvoice(ctx, s, d, []any{n.Amount, n.Lines, n.Reason}, func(t *tx, d *invoiceDeed) (billing.CreditNote, error) {
		amount, lines, err := n.gives(ctx, t, d)
		if err != nil {
			return billing.CreditNote{}, err
		}
		if err := d.creditable(amount); err != nil {
			return billing.CreditNote{}, err
		}
		x := d.found
		note := billing.CreditNote{
			Invoice: x.Number, Payer: x.Payer, Currency: x.Currency, Amount: amount, Reduces: decimal.Min(amount, d.stands.Owed),
			Lines: numbersOf(lines), Reason: n.Reason, IssuedAt: d.at,
		}
		note.ToCredit, note.Owed = amount.Sub(note.Reduces), d.stands.Owed.Sub(note.Reduces)
		if note.Number, err = d.nextNote(ctx, t, note.ToCredit); err != nil {
			return billing.CreditNote{}, err
		}
		note.Says = d.sayCredited(note)
		d.event.Amount, d.event.Reason, d.event.Says = amount, n.Reason, note.Says
		d.rows = func(b *pgx.Batch, event int64) {
			b.Queue(`
insert into credit_notes (number, event_id, invoice_id, payer_id, currency, amount, reduces, issued_at) values ($1, $2, $3, $4, $5, $6, $7, $8)`,
				note.Number, event, x.ID, x.Payer, x.Currency, amount, note.Reduces, d.at)
			for _, l := range lines {
				b.Queue(`
insert into credit_note_lines (charge_id, note_id, payer_id, net, amount) select $1, n.id, $3, $4, $5 from credit_notes n where n.number = $2`,
					l.Line, note.Number, x.Payer, l.Amount, l.Gross)
			}
			d.queueCredit(b, "credit-note", note.ToCredit, event)
		}
		return note, nil
	})
}

func (n CreditNoteDraft) problems() error {
	err := reasoned(n.Reason)
	switch {
	case n.Amount == "" && len(n.Lines) == 0:
		err = errors.Join(err, ticket.Invalid("amount", "", "is missing", "say what to give back: --amount 120.00, or --lines L-1,L-2"))
	case n.Amount != "" && len(n.Lines) > 0:
		err = errors.Join(err, ticket.Invalid("amount", n.Amount, "and lines are two answers to one question", "give an amount or lines, not both"))
	}
	return err
}

// gives is what the note comes to, with tax.
func (n CreditNoteDraft) gives(ctx context.Context, t *tx, d *invoiceDeed) (decimal.Decimal, []creditedLine, error) {
	if len(n.Lines) == 0 {
		amount, err := amountOf("amount", n.Amount, d.found.Currency)
		return amount, nil, err
	}
	lines, err := d.lines(ctx, t, n.Lines)
	if err != nil {
		return decimal.Zero, nil, err
	}
	sum := decimal.Zero
	for _, l := range lines {
		sum = sum.Add(l.Gross)
	}
	if !sum.IsPositive() {
		return sum, nil, ticket.Invalid("lines", ticket.LineID(n.Lines[0]), "come to "+d.money(sum), "there is nothing to give back; name lines that cost something")
	}
	return sum, lines, nil
}

// creditable says why the invoice cannot give back the amount, if it cannot.
func (d *invoiceDeed) creditable(amount decimal.Decimal) error {
	left := d.stands.Payable.Sub(d.stands.Credited)
	switch {
	case d.stands.State == billing.InvoiceVoid:
		return ticket.Invalid("invoice", d.name(), "is void", "nothing is owed on it; credit the invoice that bills its lines now")
	case d.stands.State == billing.InvoiceCreditNote:
		return ticket.Invalid("invoice", d.name(), "is a credit note itself", "credit an invoice")
	case amount.GreaterThan(left):
		return ticket.Invalid("amount", d.money(amount), fmt.Sprintf("is more than %s has left to give back: %s of %s", d.name(), d.money(left), d.money(d.stands.Payable)),
			"credit at most that")
	}
	return nil
}

// creditedLine is a line that a credit note gives back.
type creditedLine struct {
	Line     int64
	Base     int64 // the charge that it bills, or writes down
	Kind     billing.ChargeKind
	Amount   decimal.Decimal
	Gross    decimal.Decimal // with its tax, as the invoice has it
	Note     *string         // of an earlier credit note with it
	Reversal *int64          // the charge that has undone its base
}

// A line that was billed again, or writes another down, leads to the charge that it is about: its base.
const linesWithBase = `
with recursive up as (
  select l.charge_id as line, c.id, c.adjusts from invoice_lines l join charges c on c.id = l.charge_id where l.invoice_id = $1
  union all
  select up.line, c.id, c.adjusts from up join charges c on c.id = up.adjusts
)
select up.line, up.id, c.kind, l.amount, l.amount as gross, n.number, r.id
from up join invoice_lines l on l.charge_id = up.line join charges c on c.id = up.line
left join credit_note_lines nl on nl.charge_id = up.line left join credit_notes n on n.id = nl.note_id
left join charges r on r.reverses = up.id
where up.adjusts is null order by up.line`

// lines finds the named lines, and with each of them those that write it down.
func (d *invoiceDeed) lines(ctx context.Context, t *tx, named []int64) ([]creditedLine, error) {
	var (
		all  []creditedLine
		kept *string
	)
	b := t.batch()
	b.Queue(linesWithBase, d.found.ID).Query(func(rows pgx.Rows) (err error) {
		all, err = pgx.CollectRows(rows, pgx.RowToStructByPos[creditedLine])
		return err
	})
	b.Queue("select taxes from invoices where id = $1", d.found.ID).QueryRow(func(row pgx.Row) error { return row.Scan(&kept) })
	if err := t.send(ctx, b); err != nil {
		return nil, err
	}
	if err := withTax(all, kept); err != nil {
		return nil, err
	}
	bases := map[int64]bool{}
	var wrong []error
	for _, n := range named {
		i := slices.IndexFunc(all, func(l creditedLine) bool { return l.Line == n })
		if i < 0 {
			wrong = append(wrong, ticket.Invalid("lines", ticket.LineID(n), "is not on "+d.name(), "`docket invoice show "+d.name()+"` lists its lines"))
			continue
		}
		bases[all[i].Base] = true
		wrong = append(wrong, all[i].creditable())
	}
	if err := errors.Join(wrong...); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(l creditedLine) bool { return !bases[l.Base] || l.Note != nil }), nil
}

// withTax adds to each line the tax that was kept with its invoice, whose lines are all there in order.
func withTax(all []creditedLine, kept *string) error {
	if kept == nil {
		return nil
	}
	totals, err := readTotals(*kept)
	if err != nil {
		return err
	}
	if len(totals.Lines) != len(all) {
		return fmt.Errorf("the invoice has %d lines, and was taxed with %d", len(all), len(totals.Lines))
	}
	for i, l := range totals.Lines {
		all[i].Gross = l.Net.Add(l.Tax)
	}
	return nil
}

func (l creditedLine) creditable() error {
	name := ticket.LineID(l.Line)
	switch {
	case l.Note != nil:
		return ticket.Invalid("lines", name, "was given back by "+*l.Note, "leave it out; credit an amount if more is to be given back")
	case l.Kind == billing.Reversal || l.Kind == billing.Credited || l.Kind == billing.Carried:
		return ticket.Invalid("lines", name, "corrects another line ("+string(l.Kind)+")", "name lines that bill something, or credit an amount")
	case l.Reversal != nil:
		return ticket.Invalid("lines", name, "was undone by "+ticket.LineID(*l.Reversal)+" when its ticket was reopened", "it was given back already; leave it out")
	}
	return nil
}

func numbersOf(lines []creditedLine) []int64 {
	numbers := make([]int64, 0, len(lines))
	for _, l := range lines {
		numbers = append(numbers, l.Line)
	}
	return numbers
}

// nextNote takes the next number of the year's series of credit notes. The payer's credit, where
// the note gives to it, is locked before.
func (d *invoiceDeed) nextNote(ctx context.Context, t *tx, toCredit decimal.Decimal) (string, error) {
	zone, err := time.LoadLocation(d.found.TimeZone)
	if err != nil {
		return "", fmt.Errorf("payer %s: %w", d.found.Payer, err)
	}
	b := t.batch()
	if toCredit.IsPositive() {
		b.Queue("insert into credit_balances (payer_id, currency, balance) values ($1, $2, 0) on conflict do nothing", d.found.Payer, d.found.Currency)
		b.Queue("select from credit_balances where payer_id = $1 and currency = $2 for update", d.found.Payer, d.found.Currency)
	}
	next := queueNumber(b, d.at.In(zone).Format(noteSeries))
	if err := t.send(ctx, b); err != nil {
		return "", err
	}
	return next(), nil
}

func (d *invoiceDeed) sayCredited(n billing.CreditNote) string {
	says := fmt.Sprintf("%s gives back %s of %s", n.Number, d.money(n.Amount), n.Invoice)
	switch {
	case n.ToCredit.IsZero() && n.Owed.IsPositive():
		return says + "; " + d.money(n.Owed) + " still owed"
	case n.ToCredit.IsZero():
		return says + "; nothing is owed on it any more"
	case n.Reduces.IsZero():
		return says + ": all of it is " + n.Payer + "'s credit"
	}
	return says + ": " + d.money(n.Reduces) + " were owed, " + d.money(n.ToCredit) + " are " + n.Payer + "'s credit"
}

// creditedBefore queues what goes with the reversals of lines that credit notes have given back: a
// charge for each, on the same invoice, or the client would have the money twice. It gives them.
func (s *Store) creditedBefore(ctx context.Context, t *tx, b *pgx.Batch, p posting, charges []standingCharge, stands []billing.Charge) ([]billing.Charge, error) {
	type credit struct {
		Charge int64
		Note   string
		Net    decimal.Decimal
	}
	ids := make([]int64, len(charges))
	for i, c := range charges {
		ids[i] = c.ID
	}
	var credits []credit
	read := t.batch()
	read.Queue(`
with recursive copies as (
  select c.id as base, c.id from charges c where c.id = any ($1)
  union all
  select k.base, c.id from copies k join charges c on c.adjusts = k.id and c.kind = 'rebilled'
)
select k.base, n.number, l.net from copies k join credit_note_lines l on l.charge_id = k.id join credit_notes n on n.id = l.note_id
order by k.base`, ids).Query(func(rows pgx.Rows) (err error) {
		credits, err = pgx.CollectRows(rows, pgx.RowToStructByPos[credit])
		return err
	})
	if err := t.send(ctx, read); err != nil || len(credits) == 0 {
		return nil, err
	}
	fresh, err := s.charges.take(ctx, t.conn, len(credits))
	if err != nil {
		return nil, err
	}
	again := make([]billing.Charge, 0, len(credits))
	var none moves
	for i, c := range credits {
		j := slices.Index(ids, c.Charge)
		one := []billing.Charge{billing.CreditedAlready(stands[j], c.Net, c.Charge, c.Note)}
		p.closure, p.round = charges[j].Closure, charges[j].Round
		p.ticket.PayerID = charges[j].Payer
		posted, err := p.place(ctx, t, one, fresh[i:i+1], &[]invoiceRow{})
		if err != nil {
			return nil, err
		}
		if err := p.charges(b, one, fresh[i:i+1], &none); err != nil {
			return nil, err
		}
		p.lines(b, one, posted)
		again = append(again, one...)
	}
	return again, nil
}
