package postgres

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/shopspring/decimal"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

// InvoiceVoid asks that a finalised invoice count no longer.
type InvoiceVoid struct {
	InvoiceDeed
	Reason string
}

// Void takes back a finalised invoice on which nothing was paid: it keeps its number and its lines,
// and nothing is owed on it; each line is billed again by a line of its own on the open invoice of
// its period, or the next one; credit that the invoice had used returns to the payer, once. No
// counter and no block moves: the work stays rated as it was, only its bill is written anew. Where
// it sold a block of which something is used it stands. A block of which nothing is used, and which credit had paid, is unpaid until its
// new line is.
//
// Locks: the blocks that it sold; the invoice; where it had used credit the payer's open invoices shared, as a finalisation has its
// invoice before the credit; then as onInvoice says.
func (s *Store) Void(ctx context.Context, v InvoiceVoid) (billing.Voiding, error) {
	if err := reasoned(v.Reason); err != nil {
		return billing.Voiding{}, err
	}
	d := &invoiceDeed{kind: "void", head: v.InvoiceDeed, first: func(b *pgx.Batch) { queueSoldBlocks(b, ofInvoice, v.Invoice) }}
	return onInvoice(ctx, s, d, []any{v.Reason}, func(t *tx, d *invoiceDeed) (billing.Voiding, error) {
		if err := d.voidable(); err != nil {
			return billing.Voiding{}, err
		}
		if err := d.unusedOnly(ctx, t); err != nil {
			return billing.Voiding{}, err
		}
		applied, notes, err := d.used(ctx, t)
		if err != nil {
			return billing.Voiding{}, err
		}
		if len(notes) > 0 {
			return billing.Voiding{}, ticket.Invalid("invoice", d.name(), "has credit notes: "+notes[0], "credit the rest of it instead: "+d.creditCommand(d.stands.Payable.Sub(d.stands.Credited)))
		}
		back := billing.TakeBack(applied)
		if len(back) > 0 {
			if err := d.lockOpen(ctx, t); err != nil {
				return billing.Voiding{}, err
			}
			if _, _, err := lockCredit(ctx, t, d.found.Payer, d.found.Currency); err != nil {
				return billing.Voiding{}, err
			}
		}
		owedAgain, err := paidBy(ctx, t.conn, d.found.ID)
		if err != nil {
			return billing.Voiding{}, err
		}
		today, err := d.found.today(d.at)
		if err != nil {
			return billing.Voiding{}, err
		}
		b := &pgx.Batch{}
		posted, err := s.rebill(ctx, t, b, d, v.Reason)
		if err != nil {
			return billing.Voiding{}, err
		}
		voided := billing.Voiding{
			Invoice: d.found.Number, Payer: d.found.Payer, Currency: d.found.Currency, Lines: posted, Returned: sumOf(back).Neg(),
		}
		for _, l := range posted {
			voided.Total = voided.Total.Add(l.Amount)
		}
		voided.Says = d.sayVoided(voided)
		d.event.Amount, d.event.Reason, d.event.Says = d.stands.Payable, v.Reason, voided.Says
		d.rows = func(last *pgx.Batch, event int64) {
			queueApplied(last, d.found, back, &event, d.at)
			for _, block := range owedAgain {
				queueBlockPayment(last, blockPayment{
					block: block.Block, key: fmt.Sprintf("invoice-%d/event-%d", d.found.ID, event), on: today, invoice: d.found.ID, event: &event, by: d.head.By, at: d.at,
				})
			}
			last.QueuedQueries = append(last.QueuedQueries, b.QueuedQueries...)
		}
		return voided, nil
	})
}

// lockOpen locks the open invoices on which lines may be billed again.
func (d *invoiceDeed) lockOpen(ctx context.Context, t *tx) error {
	b := t.batch()
	b.Queue("select from invoices where payer_id = $1 and currency = $2 and state = 'open' order by period_start, id for share", d.found.Payer, d.found.Currency)
	return t.send(ctx, b)
}

// voidable says why the invoice cannot be voided, if it cannot.
func (d *invoiceDeed) voidable() error {
	switch {
	case d.stands.State == billing.InvoiceVoid:
		return ticket.Invalid("invoice", d.name(), "is void already", "`docket invoice show "+d.name()+"` tells who voided it, and why")
	case d.stands.State == billing.InvoiceCreditNote:
		return ticket.Invalid("invoice", d.name(), "is a credit note", "what it gave back may be in use; bill it by a new line instead")
	case d.stands.Paid.IsPositive():
		return ticket.Invalid("invoice", d.name(), fmt.Sprintf("has %s of %s paid", d.money(d.stands.Paid), d.money(d.stands.Payable)),
			"money that came in stays on it; give the rest back by a credit note: "+d.creditCommand(d.stands.Payable.Sub(d.stands.Credited)))
	}
	return nil
}

func (d *invoiceDeed) creditCommand(amount decimal.Decimal) string {
	digits, _, _ := strings.Cut(d.money(amount), " ")
	return fmt.Sprintf("docket invoice credit %s --amount %s --reason …", d.name(), digits)
}

// used reads what of the payer's credit the invoice has used, and which credit notes it has.
func (d *invoiceDeed) used(ctx context.Context, t *tx) (applied []billing.Application, notes []string, err error) {
	b := t.batch()
	b.Queue("select id, credit_id, amount, coalesce(reverses, 0) from credit_applications where invoice_id = $1 order by id", d.found.ID).
		Query(func(rows pgx.Rows) (err error) {
			applied, err = pgx.CollectRows(rows, pgx.RowToStructByPos[billing.Application])
			return err
		})
	b.Queue("select number from credit_notes where invoice_id = $1 order by id", d.found.ID).Query(func(rows pgx.Rows) (err error) {
		notes, err = pgx.CollectRows(rows, pgx.RowTo[string])
		return err
	})
	return applied, notes, t.send(ctx, b)
}

// rebill queues on b a line for each line of the invoice, and says which they are.
func (s *Store) rebill(ctx context.Context, t *tx, b *pgx.Batch, d *invoiceDeed, reason string) ([]billing.PostedLine, error) {
	var (
		lines []lineCharge
		known []invoiceRow
		none  moves
	)
	read := t.batch()
	read.Queue("select "+lineChargeColumns+" from "+lineChargeTables+" where l.invoice_id = $1 order by c.id", d.found.ID).Query(func(rows pgx.Rows) (err error) {
		lines, err = collectLineCharges(rows)
		return err
	})
	if err := t.send(ctx, read); err != nil {
		return nil, err
	}
	ids, err := s.charges.take(ctx, t.conn, len(lines))
	if err != nil {
		return nil, err
	}
	all := make([]billing.PostedLine, 0, len(lines))
	for i := range lines {
		l := &lines[i]
		whole, err := l.charge()
		if err != nil {
			return nil, err
		}
		again := []billing.Charge{billing.Rebill(whole, d.name(), billing.Adjustment{Line: l.ID, By: cmp.Or(d.by.Name, d.by.ID), Reason: reason})}
		p := l.posting(d.at)
		posted, err := p.place(ctx, t, again, ids[i:i+1], &known)
		if err != nil {
			return nil, err
		}
		if err := p.charges(b, again, ids[i:i+1], &none); err != nil {
			return nil, err
		}
		p.lines(b, again, posted)
		all = append(all, posted...)
	}
	return all, nil
}

func (d *invoiceDeed) sayVoided(v billing.Voiding) string {
	says := d.name() + " is void"
	if len(v.Lines) > 0 {
		var on []string
		for _, l := range v.Lines {
			if draft := ticket.InvoiceID(l.Invoice); !slices.Contains(on, draft) {
				on = append(on, draft)
			}
		}
		says += fmt.Sprintf(": its lines, %s, are billed again on %s", d.money(v.Total), on[0])
		for _, more := range on[1:] {
			says += ", " + more
		}
	}
	if v.Returned.IsPositive() {
		says += "; " + d.money(v.Returned) + " returned to " + v.Payer + "'s credit"
	}
	return says
}
