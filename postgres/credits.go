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

// The payer's credit is one balance a currency. Whoever gives to it or takes from it locks its row,
// after the invoice and before anything else, so that no two take the same money.

// queueCredit adds what is left of a payment or a credit note to the payer's credit.
func (d *invoiceDeed) queueCredit(b *pgx.Batch, kind string, amount decimal.Decimal, event int64) {
	if amount.IsPositive() {
		queueCredit(b, d.found, kind, amount, &event, d.at)
	}
}

func queueCredit(b *pgx.Batch, x lockedInvoice, kind string, amount decimal.Decimal, event *int64, at time.Time) {
	b.Queue(`
insert into credit_balances (payer_id, currency, balance) values ($1, $2, $3)
on conflict (payer_id, currency) do update set balance = credit_balances.balance + excluded.balance`, x.Payer, x.Currency, amount)
	b.Queue("insert into credits (payer_id, currency, kind, amount, invoice_id, event_id, at) values ($1, $2, $3, $4, $5, $6, $7)",
		x.Payer, x.Currency, kind, amount, x.ID, event, at)
}

// lockCredit locks the payer's credit and gives what is left of each part of it, the oldest first.
func lockCredit(ctx context.Context, t *tx, payer, currency string) (balance decimal.Decimal, left []billing.Balance, err error) {
	b := t.batch()
	queueCreditLock(b, payer, currency, &balance)
	if err := t.send(ctx, b); err != nil || balance.IsZero() {
		return balance, nil, err
	}
	left, err = creditLeft(ctx, t, payer, currency)
	return balance, left, err
}

// queueCreditLock locks the payer's credit and reads its balance.
func queueCreditLock(b *pgx.Batch, payer, currency string, balance *decimal.Decimal) {
	b.Queue("select balance from credit_balances where payer_id = $1 and currency = $2 for update", payer, currency).Query(func(rows pgx.Rows) error {
		_, err := pgx.ForEachRow(rows, []any{balance}, func() error { return nil })
		return err
	})
}

// creditLeft gives what is left of each part of the payer's credit, by a statement after its lock: whoever held it before has committed.
func creditLeft(ctx context.Context, t *tx, payer, currency string) (left []billing.Balance, err error) {
	b := t.batch()
	b.Queue(`
select id, "left" from credit_left where payer_id = $1 and currency = $2 and "left" > 0 order by id`, payer, currency).Query(func(rows pgx.Rows) error {
		left, err = pgx.CollectRows(rows, pgx.RowToStructByPos[billing.Balance])
		return err
	})
	return left, t.send(ctx, b)
}

// queueApplied puts parts of the payer's credit on the invoice, or takes them back.
func queueApplied(b *pgx.Batch, x lockedInvoice, applied []billing.Application, event *int64, at time.Time) {
	sum := decimal.Zero
	for _, a := range applied {
		sum = sum.Add(a.Amount)
		b.Queue(`
insert into credit_applications (credit_id, payer_id, currency, invoice_id, amount, reverses, event_id, at)
values ($1, $2, $3, $4, $5, nullif($6::bigint, 0), $7, $8)`, a.Balance, x.Payer, x.Currency, x.ID, a.Amount, a.Reverses, event, at)
	}
	if !sum.IsZero() {
		b.Queue("update credit_balances set balance = balance - $3 where payer_id = $1 and currency = $2", x.Payer, x.Currency, sum)
	}
}

func sumOf(applied []billing.Application) decimal.Decimal {
	sum := decimal.Zero
	for _, a := range applied {
		sum = sum.Add(a.Amount)
	}
	return sum
}

// CreditUse says whose credit is to pay finalised invoices.
type CreditUse struct {
	Payer        string
	Currency     string
	Invoice      int64 // 0: all on which something is owed, the oldest first
	By           string
	OperationKey string
}

func (u CreditUse) problems() error {
	errs := []error{wellFormed("payer", u.Payer), named("operation_key", u.OperationKey)}
	if _, ok := billing.MinorUnits(u.Currency); !ok {
		errs = append(errs, ticket.Invalid("currency", u.Currency, "is not an ISO 4217 currency", "give a code such as USD"))
	}
	return errors.Join(errs...)
}

// owing is an invoice on which something is owed.
type owing struct {
	lockedInvoice
	owed decimal.Decimal
}

// ApplyCredit pays what the payer owes from its credit: the oldest credit first, the oldest
// invoice first, also of those on which something is owed again while it waits. Where there is no credit or nothing is owed it says so, and that is its answer
// under the key. Finalising applies credit by itself; this is for credit that came later.
func (s *Store) ApplyCredit(ctx context.Context, u CreditUse) (answer billing.CreditApplied, err error) {
	input, err := digestOf("credit-applied", u.Payer, u.Currency, u.Invoice, u.By)
	if err := errors.Join(err, u.problems()); err != nil {
		return answer, err
	}
	if err := s.mustExist(ctx, "payer", "clients", u.Payer, "`docket client list` shows who there is"); err != nil {
		return answer, err
	}
	at := s.now().UTC()
	err = s.tx(ctx, "apply the credit of "+u.Payer, func(t *tx) error {
		invoices, before, err := u.lock(ctx, t)
		if err != nil {
			return err
		}
		if before != nil {
			answer, err = recall[billing.CreditApplied](*before, u.OperationKey, input)
			return err
		}
		balance, left, err := lockCredit(ctx, t, u.Payer, u.Currency)
		if err != nil {
			return err
		}
		if err := u.all(ctx, t, invoices); err != nil {
			return err
		}
		answer = billing.CreditApplied{Payer: u.Payer, Currency: u.Currency, Applied: []billing.AppliedCredit{}, Balance: balance}
		parts := make([][]billing.Application, len(invoices))
		var settled []int64
		for i, x := range invoices {
			parts[i] = billing.ApplyCredits(left, x.owed)
			left = used(left, parts[i])
			if sum := sumOf(parts[i]); sum.IsPositive() {
				answer.Applied = append(answer.Applied, billing.AppliedCredit{Invoice: x.Number, Amount: sum, At: at})
				answer.Amount = answer.Amount.Add(sum)
				if sum.Equal(x.owed) {
					settled = append(settled, x.ID)
				}
			}
		}
		sold, err := soldOn(ctx, t.conn, settled...)
		if err != nil {
			return err
		}
		answer.Balance = balance.Sub(answer.Amount)
		answer.Says = u.says(answer, balance, len(invoices)) + sayPaidBlocks(sold)
		e := invoiceEvent{
			Payer: u.Payer, Currency: u.Currency, Kind: "credit-applied", Amount: answer.Amount, Actor: u.By, At: at,
			Says: answer.Says, Key: u.OperationKey, Input: input, Answer: answer,
		}
		if u.Invoice != 0 {
			e.Invoice = &u.Invoice
		}
		event, err := recordOnInvoice(ctx, t, e)
		if err != nil {
			return err
		}
		b := t.batch()
		for i, x := range invoices {
			queueApplied(b, x.lockedInvoice, parts[i], &event, at)
			of := slices.DeleteFunc(slices.Clone(sold), func(s soldBlock) bool { return s.Invoice != x.ID })
			today, err := x.today(at)
			if err != nil {
				return err
			}
			queueBlocksPaid(b, of, x.lockedInvoice, u.By, today, &event, at)
		}
		return t.commit(ctx, b)
	})
	return answer, err
}

// owedBy finds the payer's invoices on which something is owed.
const owedBy = `i.id in (select i.id from invoices i join invoice_standing s on s.invoice_id = i.id
  where i.payer_id = $1 and i.currency = $2 and i.state = 'finalised' and s.owed > 0 and ($3 = 0::bigint or i.id = $3))`

// lock locks the payer's invoices on which something may be owed, the oldest first, and then reads
// what is.
func (u CreditUse) lock(ctx context.Context, t *tx) ([]owing, *earlier, error) {
	var (
		invoices []lockedInvoice
		who      = map[string]actor{}
		owed     = map[int64]decimal.Decimal{}
	)
	b := t.batch()
	queueUnpaidSold(b, owedBy, u.Payer, u.Currency, u.Invoice)
	b.Queue(`
select i.id, i.number, i.payer_id, i.currency, i.period_start, i.period_end, true, c.time_zone
from invoices i join clients c on c.id = i.payer_id
where `+owedBy+`
order by i.finalised_at, i.id for update of i`, u.Payer, u.Currency, u.Invoice).Query(func(rows pgx.Rows) (err error) {
		invoices, err = pgx.CollectRows(rows, pgx.RowToStructByPos[lockedInvoice])
		return err
	})
	before := queueInvoiceDone(b, u.OperationKey)
	queueActor(b, u.By, who)
	if err := t.send(ctx, b); err != nil {
		return nil, nil, err
	}
	if e := before(); e != nil {
		return nil, e, nil
	}
	by, err := pick(who, "by", u.By)
	if err != nil {
		return nil, nil, err
	}
	if !by.mayFinalise() {
		return nil, nil, ticket.Invalid("by", u.By, "may not apply credit", "it takes the role owner or finance")
	}
	ids := make([]int64, len(invoices))
	for i, x := range invoices {
		ids[i] = x.ID
	}
	b = t.batch()
	b.Queue("select invoice_id, owed from invoice_standing where invoice_id = any ($1)", ids).Query(func(rows pgx.Rows) error {
		var (
			id     int64
			amount decimal.Decimal
		)
		_, err := pgx.ForEachRow(rows, []any{&id, &amount}, func() error { owed[id] = amount; return nil })
		return err
	})
	if err := t.send(ctx, b); err != nil {
		return nil, nil, err
	}
	found := make([]owing, 0, len(invoices))
	for _, x := range invoices {
		if owed[x.ID].IsPositive() {
			found = append(found, owing{x, owed[x.ID]})
		}
	}
	return found, nil, nil
}

// all starts the whole again where more is owed than on the locked invoices: a payment may have come back while this waited for their
// locks, and an older invoice than theirs be owed again. Under the lock of the credit, which a return takes too, no more of them come.
func (u CreditUse) all(ctx context.Context, t *tx, locked []owing) error {
	ids := make([]int64, len(locked))
	for i, x := range locked {
		ids[i] = x.ID
	}
	var more bool
	err := t.conn.QueryRow(ctx, "select exists (select from invoices i where "+owedBy+" and not i.id = any ($4))", u.Payer, u.Currency, u.Invoice, ids).Scan(&more)
	if err != nil {
		return fmt.Errorf("look for what else %s owes: %w", u.Payer, err)
	}
	if more {
		return errMoved
	}
	return nil
}

// used is what is left of the balances after the applications.
func used(left []billing.Balance, applied []billing.Application) []billing.Balance {
	by := map[int64]decimal.Decimal{}
	for _, a := range applied {
		by[a.Balance] = by[a.Balance].Add(a.Amount)
	}
	rest := make([]billing.Balance, 0, len(left))
	for _, l := range left {
		if l.Left = l.Left.Sub(by[l.ID]); l.Left.IsPositive() {
			rest = append(rest, l)
		}
	}
	return rest
}

func (u CreditUse) says(c billing.CreditApplied, had decimal.Decimal, owing int) string {
	switch {
	case had.IsZero():
		return fmt.Sprintf("%s has no credit in %s", u.Payer, u.Currency)
	case owing == 0:
		return fmt.Sprintf("nothing is owed there: the credit of %s stays %s", u.Payer, money(had, u.Currency))
	}
	says := fmt.Sprintf("%s of %s's credit applied, the oldest first:", money(c.Amount, u.Currency), u.Payer)
	for i, a := range c.Applied {
		if i > 0 {
			says += ","
		}
		says += " " + money(a.Amount, u.Currency) + " to " + a.Invoice
	}
	return says + "; " + money(c.Balance, u.Currency) + " left"
}
