package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/shopspring/decimal"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

// InvoiceDeed says who does something to which invoice. The same key again answers the same, and
// nothing is done once more.
type InvoiceDeed struct {
	Invoice      int64
	By           string
	OperationKey string
}

// invoiceDeed is one deed in the making: what its locks have found, and what it will leave.
type invoiceDeed struct {
	kind string
	head InvoiceDeed
	at   time.Time
	// first queues what must be locked before an invoice; nil: nothing.
	first func(b *pgx.Batch)
	open  bool                     // the deed is for an open invoice, not for a finalised one
	may   func(*invoiceDeed) error // who may; nil: owners and people of finance

	found  lockedInvoice
	stands receivable
	by     actor

	pays  []soldBlock // the blocks that the invoice sold, where the deed leaves nothing owed on it
	event invoiceEvent
	rows  func(b *pgx.Batch, event int64) // what else the deed writes
	none  bool                            // its answer tells of an earlier deed: there is nothing to write
}

// lockedInvoice is an invoice's row under its lock.
type lockedInvoice struct {
	ID        int64
	Number    string
	Payer     string
	Currency  string
	Start     time.Time
	End       time.Time
	Finalised bool
	TimeZone  string
}

// receivable is where an invoice stands, read after its lock. An open one stands at zero.
type receivable struct {
	State string
	billing.Receivable
}

const selectReceivable = `
select state, coalesce(payable, 0), paid, applied, credited, reduced, coalesce(owed, 0), coalesce(disputed, 0) from invoice_standing where invoice_id = $1`

// invoiceEvent is a row of invoice_events.
type invoiceEvent struct {
	Invoice  *int64
	Payer    string
	Currency string
	Kind     string
	Amount   decimal.Decimal
	Actor    string
	At       time.Time
	Reason   string
	Says     string
	Key      string
	Input    string
	Answer   any
}

// onInvoice is the transaction of every deed on a finalised invoice: lock it, find an earlier
// answer under the key, read where it stands, let do decide, and commit that with the event that
// remembers the answer.
//
// Locks: the invoice FOR UPDATE; then open invoices shared, for what is billed again; the payer's
// credit; the number series last. Owners and people of finance may.
func onInvoice[A any](ctx context.Context, s *Store, d *invoiceDeed, asks []any, do func(*tx, *invoiceDeed) (A, error)) (answer A, err error) {
	input, err := digestOf(d.kind, d.head.Invoice, d.head.By, asks)
	if err := errors.Join(err, named("operation_key", d.head.OperationKey)); err != nil {
		return answer, err
	}
	d.at = s.now().UTC()
	err = s.tx(ctx, fmt.Sprintf("%s on %s", d.kind, ticket.InvoiceID(d.head.Invoice)), func(t *tx) error {
		before, err := d.lock(ctx, t)
		if err != nil {
			return err
		}
		if before != nil {
			answer, err = recall[A](*before, d.head.OperationKey, input)
			return err
		}
		if answer, err = do(t, d); err != nil || d.none {
			return err
		}
		e := d.event
		e.Invoice, e.Payer, e.Currency = &d.found.ID, d.found.Payer, d.found.Currency
		e.Kind, e.Actor, e.At, e.Key, e.Input, e.Answer = d.kind, d.head.By, d.at, d.head.OperationKey, input, answer
		id, err := recordOnInvoice(ctx, t, e)
		if err != nil {
			return err
		}
		b := t.batch()
		d.rows(b, id)
		return t.commit(ctx, b)
	})
	return answer, err
}

// lock locks the invoice and reads what the deed needs. An earlier deed under the key comes back
// first, whoever asks again.
func (d *invoiceDeed) lock(ctx context.Context, t *tx) (*earlier, error) {
	var (
		none bool
		who  = map[string]actor{}
	)
	b := t.batch()
	if d.first != nil {
		d.first(b)
	}
	b.Queue(`
select i.id, coalesce(i.number, ''), i.payer_id, i.currency, i.period_start, i.period_end, i.state = 'finalised', c.time_zone
from invoices i join clients c on c.id = i.payer_id where i.id = $1 for update of i`, d.head.Invoice).Query(func(rows pgx.Rows) error {
		found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[lockedInvoice])
		if none = len(found) == 0; !none {
			d.found = found[0]
		}
		return err
	})
	before := queueInvoiceDone(b, d.head.OperationKey)
	queueReceivable(b, d.head.Invoice, &d.stands)
	queueActor(b, d.head.By, who)
	if err := t.send(ctx, b); err != nil {
		return nil, err
	}
	if e := before(); e != nil {
		return e, nil
	}
	if none {
		return nil, ticket.Invalid("invoice", ticket.InvoiceID(d.head.Invoice), "does not exist", "`docket invoice list` shows them")
	}
	var err error
	if d.by, err = pick(who, "by", d.head.By); err != nil {
		return nil, err
	}
	if d.may == nil {
		d.may = (*invoiceDeed).ofFinance
	}
	if err := d.may(d); err != nil {
		return nil, err
	}
	switch {
	case d.open && d.found.Finalised:
		return nil, ticket.Invalid("invoice", d.name(), "is finalised ("+d.stands.State+"): it never changes", "what is wrong on it is given back by `docket invoice credit "+d.name()+"`")
	case !d.open && !d.found.Finalised:
		return nil, ticket.Invalid("invoice", d.name(), "is still open",
			"finalise it first (`docket invoice finalize`); a line of an open invoice is brought down by `docket invoice write-down`")
	}
	return nil, nil
}

// deedWords tell what who may not do it wanted to do.
var deedWords = map[string]string{
	"review": "review invoices", "sent": "send invoices", "credit-note-sent": "send credit notes", "payment": "record payments", "payment-returned": "say that a payment came back",
	"credit-note": "issue credit notes", "void": "void invoices", "answer": "settle what is in question",
}

func (d *invoiceDeed) ofFinance() error {
	if !d.by.mayFinalise() {
		return ticket.Invalid("by", d.head.By, "may not "+deedWords[d.kind], "it takes the role owner or finance")
	}
	return nil
}

func queueReceivable(b *pgx.Batch, invoice int64, into *receivable) {
	b.Queue(selectReceivable, invoice).Query(func(rows pgx.Rows) error {
		found, err := pgx.CollectRows(rows, scanReceivable)
		if len(found) == 1 {
			*into = found[0]
		}
		return err
	})
}

func scanReceivable(row pgx.CollectableRow) (s receivable, err error) {
	err = row.Scan(&s.State, &s.Payable, &s.Paid, &s.Applied, &s.Credited, &s.Reduced, &s.Owed, &s.Disputed)
	return s, err
}

// queueInvoiceDone looks for what was done under the key; the function it gives tells after the
// batch was sent.
func queueInvoiceDone(b *pgx.Batch, key string) func() *earlier {
	var found []earlier
	b.Queue("select input_digest, answer from invoice_events where operation_key = $1", key).Query(func(rows pgx.Rows) (err error) {
		found, err = pgx.CollectRows(rows, pgx.RowToStructByPos[earlier])
		return err
	})
	return func() *earlier {
		if len(found) == 0 {
			return nil
		}
		return &found[0]
	}
}

// recordOnInvoice writes the event and gives its id, which what else the deed writes refers to.
func recordOnInvoice(ctx context.Context, t *tx, e invoiceEvent) (id int64, err error) {
	answer, err := json.Marshal(e.Answer)
	if err != nil {
		return 0, fmt.Errorf("encode the answer of %s: %w", e.Kind, err)
	}
	b := t.batch()
	b.Queue(`
insert into invoice_events (invoice_id, payer_id, currency, kind, amount, actor, at, reason, says, operation_key, input_digest, answer)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) returning id`,
		e.Invoice, e.Payer, e.Currency, e.Kind, e.Amount, e.Actor, e.At, e.Reason, e.Says, e.Key, e.Input, string(answer)).
		QueryRow(func(row pgx.Row) error { return row.Scan(&id) })
	return id, t.send(ctx, b)
}

func (d *invoiceDeed) name() string { return d.found.name() }

func (i lockedInvoice) name() string {
	if i.Number != "" {
		return i.Number
	}
	return ticket.InvoiceID(i.ID)
}

// money tells an amount in the invoice's currency.
func (d *invoiceDeed) money(amount decimal.Decimal) string { return money(amount, d.found.Currency) }

// amountOf reads what people write as an amount of the currency: above zero, and to its minor unit.
func amountOf(field, s, currency string) (decimal.Decimal, error) {
	amount, ok := figure(s)
	if !ok || !amount.IsPositive() {
		return amount, ticket.Invalid(field, s, "is not an amount above zero", "write it like 120.00, with at most 15 digits before the point")
	}
	return amount, wholeUnits(field, amount, currency)
}

// wholeUnits refuses what is finer than the currency's minor unit.
func wholeUnits(field string, amount decimal.Decimal, currency string) error {
	places, ok := billing.MinorUnits(currency)
	switch {
	case !ok:
		return ticket.Invalid("currency", currency, "is not an ISO 4217 currency", "give a code such as USD")
	case !amount.Equal(amount.Round(places)):
		return ticket.Invalid(field, amount, fmt.Sprintf("has more than the %d decimals of %s", places, currency), "round it")
	}
	return nil
}

// reasoned refuses a deed that takes money off without saying why.
func reasoned(reason string) error {
	switch {
	case strings.TrimSpace(reason) == "":
		return ticket.Invalid("reason", reason, "is empty", "say why: whoever asks later reads it")
	case len(reason) > maxReason || strings.IndexByte(reason, 0) >= 0:
		return ticket.Invalid("reason", reason, "is too long or has a NUL byte", fmt.Sprintf("at most %d bytes of plain text", maxReason))
	}
	return nil
}

const maxReason = 2000
