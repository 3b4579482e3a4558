package postgres_test

import (
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/ticket"
)

// month finalises acme's invoice of a month, like 2026-03, before it is over.
func (k *till) month(month string) billing.Invoice {
	k.t.Helper()
	return k.finaliseOf(month+"-01", true)
}

// nextMonth moves the clock to the same day of the next month.
func (k *till) nextMonth() { k.clock.Store(k.now().AddDate(0, 1, 0).UnixNano()) }

// billed closes a ticket of n minutes at 150.00 an hour, and finalises the month with it.
func (k *till) billed(minutes int) (ticket.ID, billing.Invoice) {
	k.t.Helper()
	id := k.ticket("email")
	k.close(id, 1, k.minutes("tom", minutes))
	return id, k.month("2026-03")
}

func (k *till) deed(i billing.Invoice) postgres.InvoiceDeed {
	return postgres.InvoiceDeed{Invoice: i.ID, By: "olga", OperationKey: k.key()}
}

func (k *till) pay(i billing.Invoice, amount string) billing.Payment {
	k.t.Helper()
	p, err := k.Pay(k.t.Context(), postgres.InvoicePayment{InvoiceDeed: k.deed(i), Amount: amount})
	require.NoError(k.t, err)
	return p
}

func (k *till) credit(i billing.Invoice, amount string) billing.CreditNote {
	k.t.Helper()
	n, err := k.Credit(k.t.Context(), postgres.CreditNoteDraft{InvoiceDeed: k.deed(i), Amount: amount, Reason: "Too dear"})
	require.NoError(k.t, err)
	return n
}

func (k *till) void(i billing.Invoice) billing.Voiding {
	k.t.Helper()
	v, err := k.Void(k.t.Context(), postgres.InvoiceVoid{InvoiceDeed: k.deed(i), Reason: "Wrong address"})
	require.NoError(k.t, err)
	return v
}

// seen is the invoice as it stands.
func (k *till) seen(i billing.Invoice) billing.Invoice {
	k.t.Helper()
	found, err := k.Invoice(k.t.Context(), ticket.InvoiceID(i.ID))
	require.NoError(k.t, err)
	return found
}

// stands tells an invoice's state and what is owed on it: "paid 0.00".
func (k *till) stands(i billing.Invoice) string {
	k.t.Helper()
	found := k.seen(i)
	if found.Receivable == nil {
		return found.State
	}
	return found.State + " " + found.Receivable.Owed.StringFixed(2)
}

// inCredit is what acme has in credit.
func (k *till) inCredit() string {
	k.t.Helper()
	balances, err := k.CreditBalances(k.t.Context())
	require.NoError(k.t, err)
	sum := decimal.Zero
	for _, b := range balances {
		require.Equal(k.t, "acme USD", b.Payer+" "+b.Currency)
		sum = sum.Add(b.Balance)
	}
	return sum.StringFixed(2)
}

// counts is what acme's lines come to that count: those of void invoices do not.
func (k *till) counts() string {
	k.t.Helper()
	totals, err := k.TotalsByClient(k.t.Context())
	require.NoError(k.t, err)
	sum := decimal.Zero
	for _, c := range totals {
		sum = sum.Add(c.Amount)
	}
	return sum.StringFixed(2)
}
