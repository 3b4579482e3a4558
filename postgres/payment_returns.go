package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/shopspring/decimal"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

// PaymentReturn says that a payment came back: a cheque that bounced, a debit that the bank returned.
type PaymentReturn struct {
	Payment      int64 // P-n: its event
	Reason       string
	By           string
	OperationKey string
}

// returnedOn finds the invoices that a payment's credit has paid, beside the invoice that it was made for.
const returnedOn = `select invoice_id from payments where event_id = $1
  union select a.invoice_id from credits c join credit_applications a on a.credit_id = c.id where c.event_id = $1`

// ReturnPayment takes a payment back by a row that names it: what it had paid is owed again. What of it had become the payer's
// credit is taken out of that; where invoices have used it meanwhile, they are owed again, too. The blocks of hours that any of
// them sold are unpaid until they are paid again.
//
// Locks: the blocks that those invoices sold, the invoices from the oldest to the newest; the payer's credit. An invoice
// that used the credit before the credit's lock was there starts the whole again.
func (s *Store) ReturnPayment(ctx context.Context, r PaymentReturn) (billing.PaymentReturned, error) {
	invoice, err := s.invoiceOf(ctx, "payment", ticket.PaymentID(r.Payment), "`docket invoice show` names the payments of an invoice",
		"select invoice_id from payments where event_id = $1", r.Payment)
	if err := errors.Join(err, reasoned(r.Reason)); err != nil {
		return billing.PaymentReturned{}, err
	}
	var locked []lockedInvoice
	d := &invoiceDeed{kind: "payment-returned", head: InvoiceDeed{Invoice: invoice, By: r.By, OperationKey: r.OperationKey}, first: func(b *pgx.Batch) {
		queueSoldBlocks(b, "l.invoice_id in ("+returnedOn+")", r.Payment)
		b.Queue(`
select i.id, i.number, i.payer_id, i.currency, i.period_start, i.period_end, true, c.time_zone
from invoices i join clients c on c.id = i.payer_id where i.id in (`+returnedOn+`) order by i.finalised_at, i.id for update of i`, r.Payment).
			Query(func(rows pgx.Rows) (err error) {
				locked, err = pgx.CollectRows(rows, pgx.RowToStructByPos[lockedInvoice])
				return err
			})
	}}
	return onInvoice(ctx, s, d, []any{r.Payment, r.Reason}, func(t *tx, d *invoiceDeed) (billing.PaymentReturned, error) {
		p, err := r.found(ctx, t, d)
		if err != nil {
			return billing.PaymentReturned{}, err
		}
		x, today := d.found, ""
		if today, err = x.today(d.at); err != nil {
			return billing.PaymentReturned{}, err
		}
		back := billing.PaymentReturned{
			Payment: ticket.PaymentID(r.Payment), Invoice: x.Number, Payer: x.Payer, Currency: x.Currency, Received: p.Received, Uncredited: p.Received.Sub(p.Amount),
		}
		unpaid := map[int64]decimal.Decimal{}
		if p.Amount.IsPositive() {
			unpaid[x.ID] = p.Amount
		}
		credit, used, err := r.uses(ctx, t, x)
		if err != nil {
			return billing.PaymentReturned{}, err
		}
		for i := range used {
			if !slices.ContainsFunc(locked, func(l lockedInvoice) bool { return l.ID == used[i].Invoice }) {
				return billing.PaymentReturned{}, errMoved
			}
			unpaid[used[i].Invoice] = unpaid[used[i].Invoice].Sub(used[i].Amount)
			credit = credit.Sub(used[i].Amount) // it goes back to the credit before it is taken out of it
		}
		var blocks []soldBlock
		slices.SortStableFunc(locked, func(a, b lockedInvoice) int { return first(b.ID == x.ID) - first(a.ID == x.ID) })
		for _, l := range locked {
			again := unpaid[l.ID]
			if !again.IsPositive() {
				continue
			}
			back.OwedAgain = append(back.OwedAgain, billing.OwedAgain{Invoice: l.Number, Amount: again})
			paid, err := paidBy(ctx, t.conn, l.ID)
			if err != nil {
				return billing.PaymentReturned{}, err
			}
			blocks = append(blocks, paid...)
		}
		for _, b := range blocks {
			back.Blocks = append(back.Blocks, b.Block)
		}
		back.Says = sayReturned(back, blocks)
		if left := credit.Sub(back.Uncredited); left.IsPositive() && len(back.OwedAgain) > 0 {
			back.Says += "; " + x.Payer + " has " + money(left, x.Currency) + " in credit: docket credit apply " + x.Payer + " pays with it"
		}
		d.event.Amount, d.event.Reason, d.event.Says = p.Received, r.Reason, back.Says
		d.rows = func(b *pgx.Batch, event int64) {
			b.Queue(`
insert into payment_returns (payment_id, event_id, invoice_id, payer_id, currency, amount, uncredited) values ($1, $2, $3, $4, $5, $6, $7)`,
				r.Payment, event, x.ID, x.Payer, x.Currency, p.Amount, back.Uncredited)
			for _, u := range used {
				of := x
				of.ID = u.Invoice
				queueApplied(b, of, []billing.Application{u.Application}, &event, d.at)
			}
			if back.Uncredited.IsPositive() {
				b.Queue("update credit_balances set balance = balance - $3 where payer_id = $1 and currency = $2", x.Payer, x.Currency, back.Uncredited)
			}
			for _, block := range blocks {
				queueBlockPayment(b, blockPayment{
					block: block.Block, key: fmt.Sprintf("invoice-%d/event-%d", block.Invoice, event), on: today, invoice: block.Invoice, event: &event, by: r.By, at: d.at,
				})
			}
		}
		return back, nil
	})
}

// first sorts what is true before what is not.
func first(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

type receivedPayment struct {
	Received decimal.Decimal
	Amount   decimal.Decimal // of it, on its invoice
}

// found reads the payment; a Problem where it came back before.
func (r PaymentReturn) found(ctx context.Context, t *tx, d *invoiceDeed) (p receivedPayment, err error) {
	var on *string
	err = t.conn.QueryRow(ctx, `
select p.received, p.amount, to_char(e.at at time zone 'UTC', 'YYYY-MM-DD') from payments p
left join payment_returns r on r.payment_id = p.event_id left join invoice_events e on e.id = r.event_id where p.event_id = $1`, r.Payment).
		Scan(&p.Received, &p.Amount, &on)
	if err != nil {
		return p, fmt.Errorf("read payment %s: %w", ticket.PaymentID(r.Payment), err)
	}
	if on != nil {
		return p, ticket.Invalid("payment", ticket.PaymentID(r.Payment), "came back before, on "+*on, "it is owed again already: `docket invoice show "+d.name()+"`")
	}
	return p, nil
}

// creditUse is a negative application that gives back what an invoice used of the payment's credit.
type creditUse struct {
	Invoice int64
	billing.Application
}

// uses locks the payer's credit, and reads how much it is and, after that, which invoices have used the payment's part of it.
func (r PaymentReturn) uses(ctx context.Context, t *tx, x lockedInvoice) (balance decimal.Decimal, back []creditUse, err error) {
	b := t.batch()
	b.Queue("select balance from credit_balances where payer_id = $1 and currency = $2 for update", x.Payer, x.Currency).Query(func(rows pgx.Rows) error {
		_, err := pgx.ForEachRow(rows, []any{&balance}, func() error { return nil })
		return err
	})
	if err := t.send(ctx, b); err != nil {
		return balance, nil, err
	}
	uses, err := collect[creditUse](ctx, t.conn, "what used the payment's credit", `
select a.invoice_id, a.id, a.credit_id, a.amount, coalesce(a.reverses, 0) from credit_applications a join credits c on c.id = a.credit_id
where c.event_id = $1 order by a.id`, r.Payment)
	if err != nil {
		return balance, nil, err
	}
	all := make([]billing.Application, len(uses))
	for i, u := range uses {
		all[i] = u.Application
	}
	for _, a := range billing.TakeBack(all) {
		i := slices.IndexFunc(uses, func(u creditUse) bool { return u.ID == a.Reverses })
		back = append(back, creditUse{Invoice: uses[i].Invoice, Application: a})
	}
	return balance, back, nil
}

// invoiceOf finds the invoice of something on it by its number; a Problem where there is none.
func (s *Store) invoiceOf(ctx context.Context, field, name, fix, query string, id int64) (invoice int64, err error) {
	err = s.pool.QueryRow(ctx, query, id).Scan(&invoice)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, ticket.Invalid(field, name, "is not known", fix)
	}
	if err != nil {
		return 0, fmt.Errorf("look for %s: %w", name, err)
	}
	return invoice, nil
}

func sayReturned(r billing.PaymentReturned, blocks []soldBlock) string {
	says := fmt.Sprintf("%s of %s, %s, came back", r.Payment, r.Invoice, money(r.Received, r.Currency))
	again := make([]string, len(r.OwedAgain))
	for i, o := range r.OwedAgain {
		again[i] = money(o.Amount, r.Currency) + " on " + o.Invoice
	}
	switch {
	case len(again) > 0:
		says += ": owed again are " + strings.Join(again, ", ")
	default:
		says += ": nothing is owed again"
	}
	if r.Uncredited.IsPositive() {
		says += "; " + money(r.Uncredited, r.Currency) + " are " + r.Payer + "'s credit no more"
	}
	for _, b := range blocks {
		says += fmt.Sprintf("; block %d (%s) is unpaid again", b.Block, inHours(b.MS))
	}
	return says
}
