package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/shopspring/decimal"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/sla"
	"github.com/docket-psa/docket/ticket"
)

// InvoicePayment is money that came in for an invoice.
type InvoicePayment struct {
	InvoiceDeed
	Amount string // a decimal in the invoice's currency
	On     string // local date; empty: today, where the payer is
	Method string // how, for people: "bank transfer 4711"
}

// Pay puts a payment on a finalised invoice, as far as anything is owed on it; the rest is the
// payer's credit. Money that has come is never refused: on an invoice that is paid or void, all of
// it is credit. A payment that leaves nothing owed pays the blocks that the invoice sold. It came by today; before the invoice,
// too, for some pay ahead.
//
// Locks: the blocks that it sold and nobody has paid; then as onInvoice says.
func (s *Store) Pay(ctx context.Context, p InvoicePayment) (billing.Payment, error) {
	if len(p.Method) > ticket.MaxKey || strings.IndexByte(p.Method, 0) >= 0 {
		return billing.Payment{}, ticket.Invalid("method", p.Method, "is too long or has a NUL byte", "at most 200 bytes of plain text")
	}
	d := &invoiceDeed{kind: "payment", head: p.InvoiceDeed, first: func(b *pgx.Batch) { queueUnpaidSold(b, "i.id = $1", p.Invoice) }}
	return onInvoice(ctx, s, d, []any{p.Amount, p.On, p.Method}, func(t *tx, d *invoiceDeed) (billing.Payment, error) {
		received, err := amountOf("amount", p.Amount, d.found.Currency)
		on, wrong := d.paidOn(ctx, t, p.On)
		if err := errors.Join(err, wrong); err != nil {
			return billing.Payment{}, err
		}
		x := d.found
		paid := billing.Payment{
			Invoice: x.Number, Payer: x.Payer, Currency: x.Currency, Received: received, Amount: decimal.Min(received, d.stands.Owed),
			PaidOn: on, Method: p.Method,
		}
		paid.ToCredit, paid.Owed = received.Sub(paid.Amount), d.stands.Owed.Sub(paid.Amount)
		if err := d.settlesBlocks(ctx, t, paid.Owed.IsZero()); err != nil {
			return billing.Payment{}, err
		}
		like, err := d.paidAlike(ctx, t, received, on)
		if err != nil {
			return billing.Payment{}, err
		}
		paid.Says = d.sayPaid(paid) + sayPaidBlocks(d.pays) + d.sayAhead(on) + like
		d.event.Amount, d.event.Says = received, paid.Says
		d.rows = func(b *pgx.Batch, event int64) {
			b.Queue(`
insert into payments (event_id, invoice_id, payer_id, currency, received, amount, paid_on, method) values ($1, $2, $3, $4, $5, $6, $7, $8)`,
				event, x.ID, x.Payer, x.Currency, received, paid.Amount, on, p.Method)
			d.queueCredit(b, "overpayment", paid.ToCredit, event)
			d.payBlocks(b, on, event)
		}
		return paid, nil
	})
}

// paidAlike says which payment on the invoice is of the same day and as much, and has not come back: the same money may have been told twice, under
// two keys. It is taken all the same, for two transfers may be alike.
func (d *invoiceDeed) paidAlike(ctx context.Context, t *tx, received decimal.Decimal, on string) (string, error) {
	var earlier *int64
	err := t.conn.QueryRow(ctx, `
select min(p.event_id) from payments p where p.invoice_id = $1 and p.received = $2 and p.paid_on = $3::text::date
  and not exists (select from payment_returns r where r.payment_id = p.event_id)`, d.found.ID, received, on).Scan(&earlier)
	if err != nil {
		return "", fmt.Errorf("look for a payment of %s like it: %w", d.name(), err)
	}
	if earlier == nil {
		return "", nil
	}
	name := ticket.PaymentID(*earlier)
	return "; " + name + " of the same day is as much: if it is the same money, take one of them back: docket invoice bounce " + name + " --reason …", nil
}

// paidOn reads the date of a payment: no later than today, where the payer is; no earlier than a year before the invoice's
// period, and than there was anything that the payer could pay for: a first contract, or that period.
func (d *invoiceDeed) paidOn(ctx context.Context, t *tx, on string) (string, error) {
	zone, err := time.LoadLocation(d.found.TimeZone)
	if err != nil {
		return "", fmt.Errorf("payer %s: %w", d.found.Payer, err)
	}
	today := d.at.In(zone).Format(time.DateOnly)
	if on == "" {
		return today, nil
	}
	date, err := sla.ParseDate(on)
	switch {
	case err != nil:
		return "", ticket.Invalid("on", on, "is not a date of a payment", "write it like "+today)
	case date.String() > today:
		return "", ticket.Invalid("on", on, "lies in the future", "it is "+today+" where "+d.found.Payer+" is; record the money once it has come")
	}
	var first string
	err = t.conn.QueryRow(ctx, `
select least($2::date, min(v.effective_from))::text from contract_versions v join clients c on c.id = v.client_id where c.payer_id = $1 or c.id = $1`,
		d.found.Payer, d.found.Start).Scan(&first)
	if err != nil {
		return "", fmt.Errorf("read since when %s pays: %w", d.found.Payer, err)
	}
	switch year := d.found.Start.AddDate(-1, 0, 0).Format(time.DateOnly); {
	case date.String() < year:
		return "", ticket.Invalid("on", on, "lies more than a year before the invoice's period", "check the year: nobody pays before "+year+" what begins on "+d.found.Start.Format(time.DateOnly))
	case date.String() < first:
		return "", ticket.Invalid("on", on, "lies before "+d.found.Payer+" had anything to pay for", "that began on "+first+": check the year")
	}
	return date.String(), nil
}

// sayAhead says that the payment came before the invoice's period began, as some do, and as a mistyped year does.
func (d *invoiceDeed) sayAhead(on string) string {
	begins := d.found.Start.Format(time.DateOnly)
	if on >= begins {
		return ""
	}
	return "; it came before the invoice's period began on " + begins + ": if the date is wrong, `docket invoice show " + d.name() + "` names the payment, and `docket invoice bounce` takes it back"
}

func (d *invoiceDeed) sayPaid(p billing.Payment) string {
	says := fmt.Sprintf("%s received for %s", d.money(p.Received), d.name())
	switch {
	case d.stands.State == billing.InvoiceVoid:
		return says + ", which is void: all of it is " + p.Payer + "'s credit"
	case p.Amount.IsZero():
		return says + ", on which nothing is owed: all of it is " + p.Payer + "'s credit"
	case p.Owed.IsPositive():
		return says + "; " + d.money(p.Owed) + " still owed"
	case p.ToCredit.IsPositive():
		return says + ": paid, and " + d.money(p.ToCredit) + " more are " + p.Payer + "'s credit"
	}
	return says + ": paid"
}
