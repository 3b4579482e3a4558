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

	settles int64 // the dispute that the note settles; 0: none
	only    int64 // the line in question, of which alone an amount is then given back
}

// Credit issues a credit note against a finalised invoice. It reduces what is owed; the rest is the
// payer's credit. All that goes back of an invoice, by credit notes and by lines that undo its own, is never more than it came to;
// so a note of an amount says what of it each line gives back. What goes back is free again on the purchase order that it was
// billed under.
//
// Locks: the tickets of its lines, the counters of its purchase orders and the blocks that it sold come first, so that no reopening, and
// nobody who takes a block back, gives the same money back beside it; the series of credit notes is the last lock, so that a number is only taken by who commits.
func (s *Store) Credit(ctx context.Context, n CreditNoteDraft) (billing.CreditNote, error) {
	if err := n.problems(); err != nil {
		return billing.CreditNote{}, err
	}
	lines := slices.Clone(n.Lines)
	slices.Sort(lines)
	n.Lines = slices.Compact(lines)
	d := &invoiceDeed{kind: "credit-note", head: n.InvoiceDeed, first: n.lock}
	asks := []any{n.Amount, n.Lines, n.Reason}
	if n.settles != 0 {
		asks = append(asks, n.settles)
	}
	return onInvoice(ctx, s, d, asks, func(t *tx, d *invoiceDeed) (billing.CreditNote, error) {
		if n.settles != 0 {
			if _, err := d.openDispute(ctx, t, n.settles); err != nil {
				return billing.CreditNote{}, err
			}
		}
		given, err := n.gives(ctx, t, d)
		if err != nil {
			return billing.CreditNote{}, err
		}
		x, amount := d.found, given.amount
		note := billing.CreditNote{
			Invoice: x.Number, Payer: x.Payer, Currency: x.Currency, Amount: amount, Reduces: decimal.Min(amount, d.stands.Owed),
			Lines: numbersOf(given.lines), Reason: n.Reason, IssuedAt: d.at,
		}
		note.ToCredit, note.Owed = amount.Sub(note.Reduces), d.stands.Owed.Sub(note.Reduces)
		if err := d.settlesBlocks(ctx, t, note.Owed.IsZero()); err != nil {
			return billing.CreditNote{}, err
		}
		d.pays = slices.DeleteFunc(d.pays, func(s soldBlock) bool { return !s.Left.GreaterThan(given.of(s.Sale)) })
		today, err := x.today(d.at)
		if err != nil {
			return billing.CreditNote{}, err
		}
		if note.Number, err = d.nextNote(ctx, t, note.ToCredit); err != nil {
			return billing.CreditNote{}, err
		}
		note.Says = d.sayCredited(note) + sayPaidBlocks(d.pays)
		d.event.Amount, d.event.Reason, d.event.Says = amount, n.Reason, note.Says
		d.rows = func(b *pgx.Batch, event int64) {
			b.Queue(`
insert into credit_notes (number, event_id, invoice_id, payer_id, currency, amount, reduces, issued_at) values ($1, $2, $3, $4, $5, $6, $7, $8)`,
				note.Number, event, x.ID, x.Payer, x.Currency, amount, note.Reduces, d.at)
			given.queue(b, note.Number, x, d.at)
			d.queueCredit(b, "credit-note", note.ToCredit, event)
			d.payBlocks(b, today, event)
			if n.settles != 0 {
				d.queueSettled(b, n.settles, event, "credited", n.Reason)
			}
		}
		return note, nil
	})
}

// lock locks what must be locked before the invoice.
func (n CreditNoteDraft) lock(b *pgx.Batch) {
	b.Queue(`
select from tickets where number in (select l.ticket from invoice_lines l where l.invoice_id = $1) order by number for update`, n.Invoice)
	b.Queue(`
with recursive up as (
  select c.id, c.adjusts from invoice_lines l join charges c on c.id = l.charge_id where l.invoice_id = $1 and l.purchase_order <> ''
  union
  select c.id, c.adjusts from up join charges c on c.id = up.adjusts
)
select from counters where key in (select m.counter from up join counter_moves m on m.charge_id = up.id where starts_with(m.counter, $2))
order by key for update`, n.Invoice, billing.CountsOrders)
	queueSoldBlocks(b, ofInvoice, n.Invoice)
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

// gives is what the note comes to, with tax, and what of which line it gives back.
func (n CreditNoteDraft) gives(ctx context.Context, t *tx, d *invoiceDeed) (g givenBack, err error) {
	all, err := d.lines(ctx, t)
	if err != nil {
		return g, err
	}
	if len(n.Lines) > 0 {
		if g.lines, err = d.whole(all, n.Lines); err != nil {
			return g, err
		}
		for _, l := range g.lines {
			g.amount = g.amount.Add(l.leftGross())
			g.add(l, l.leftNet())
		}
		if !g.amount.IsPositive() {
			return g, ticket.Invalid("lines", ticket.LineID(n.Lines[0]), "come to "+d.money(g.amount), "there is nothing to give back; name lines that cost something")
		}
		return g, d.creditable(g.amount, all)
	}
	if g.amount, err = amountOf("amount", n.Amount, d.found.Currency); err != nil {
		return g, err
	}
	if err := d.creditable(g.amount, all); err != nil {
		return g, err
	}
	if n.only != 0 {
		if all, err = d.ofLine(all, n.only, g.amount); err != nil {
			return g, err
		}
	}
	g.share(all, d.found.Currency)
	return g, nil
}

// creditable says why the invoice cannot give back the amount, if it cannot.
func (d *invoiceDeed) creditable(amount decimal.Decimal, all []creditedLine) error {
	left, undone := d.stands.Payable.Sub(d.stands.Credited), decimal.Zero
	for _, l := range all {
		if l.undone() {
			undone = undone.Add(l.leftGross())
		}
	}
	also := ""
	if !undone.IsZero() {
		left, also = left.Sub(undone), "; "+d.money(undone)+" went back when its work was undone"
	}
	switch {
	case d.stands.State == billing.InvoiceVoid:
		return ticket.Invalid("invoice", d.name(), "is void", "nothing is owed on it; credit the invoice that bills its lines now")
	case d.stands.State == billing.InvoiceCreditNote:
		return ticket.Invalid("invoice", d.name(), "is a credit note itself", "credit an invoice")
	case amount.GreaterThan(left):
		fix := "credit at most that"
		if !left.IsPositive() {
			fix = "`docket invoice show " + d.name() + "` tells what went back, and when"
		}
		return ticket.Invalid("amount", d.money(amount), fmt.Sprintf("is more than %s has left to give back: %s of %s%s", d.name(), d.money(left), d.money(d.stands.Payable), also), fix)
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
