package postgres_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/ticket"
)

// months finalises n invoices of 150.00, a month apart.
func (k *till) months(n int) []billing.Invoice {
	k.t.Helper()
	var invoices []billing.Invoice
	for range n {
		k.close(k.ticket("email"), 1, k.minutes("tom", 60))
		invoices = append(invoices, k.month(k.now().Format("2006-01")))
		k.nextMonth()
	}
	return invoices
}

func (k *till) use() postgres.CreditUse {
	return postgres.CreditUse{Payer: "acme", Currency: "USD", By: "olga", OperationKey: k.key()}
}

func TestCreditPaysTheOldestInvoiceFirst(t *testing.T) {
	k := newTill(t, hourly)
	invoices := k.months(3)
	nothing, err := k.ApplyCredit(t.Context(), k.use())
	require.NoError(t, err)
	require.Equal(t, "acme has no credit in USD", nothing.Says)
	k.pay(invoices[2], "150")
	k.pay(invoices[2], "200") // all of it is credit
	require.Equal(t, "200.00", k.inCredit())

	use := k.use()
	applied, err := k.ApplyCredit(t.Context(), use)
	require.NoError(t, err)
	require.Equal(t, "200.00 USD of acme's credit applied, the oldest first: 150.00 USD to INV-2026-00001, 50.00 USD to INV-2026-00002; 0.00 USD left", applied.Says)
	again, err := k.ApplyCredit(t.Context(), use)
	require.NoError(t, err)
	require.JSONEq(t, written(t, applied), written(t, again))
	require.Equal(t, "paid 0.00", k.stands(invoices[0]))
	require.Equal(t, "partly-paid 100.00", k.stands(invoices[1]))
	k.pay(invoices[2], "10")
	use = k.use()
	use.Invoice = invoices[2].ID
	one, err := k.ApplyCredit(t.Context(), use)
	require.NoError(t, err)
	require.Equal(t, "nothing is owed there: the credit of acme stays 10.00 USD", one.Says)

	for name, change := range map[string]func(*postgres.CreditUse){
		"payer":         func(u *postgres.CreditUse) { u.Payer = "nobody" },
		"currency":      func(u *postgres.CreditUse) { u.Currency = "XYZ" },
		"by":            func(u *postgres.CreditUse) { u.By = "dora" },
		"operation_key": func(u *postgres.CreditUse) { u.OperationKey = "" },
	} {
		u := k.use()
		change(&u)
		_, err := k.ApplyCredit(t.Context(), u)
		require.Len(t, ticket.Problems(err), 1, name)
		require.Equal(t, name, ticket.Problems(err)[0].Field)
	}
	k.proved()
}

// Everything that can happen to invoices happens at once, each deed twice under its key: whatever
// the interleaving, sums hold and no credit is used twice.
func TestEverythingThatHappensToInvoicesRaces(t *testing.T) {
	k := newTill(t, hourly)
	for round := range 3 {
		k.race(round)
	}
	k.proved()
	require.Zero(t, k.count("select count(*) from credit_balances where balance < 0"))
}

func (k *till) race(seed int) {
	invoices := k.months(4)
	k.close(k.ticket("email"), 1, k.minutes("tom", 60))
	fresh := k.now().Format("2006-01")
	reopens := k.ticket("email")
	k.close(reopens, 1, k.minutes("tom", 60))
	lines, err := k.LinesOf(k.t.Context(), reopens)
	require.NoError(k.t, err)
	chance := rand.New(rand.NewPCG(uint64(seed), 7))
	ctx := context.WithoutCancel(k.t.Context())

	var deeds []func() (any, error)
	for i, invoice := range invoices {
		paid := postgres.InvoicePayment{InvoiceDeed: k.deed(invoice), Amount: fmt.Sprint(20 + 60*chance.IntN(4))}
		gives := postgres.CreditNoteDraft{InvoiceDeed: k.deed(invoice), Amount: fmt.Sprint(10 + 50*chance.IntN(3)), Reason: "Too dear"}
		void := postgres.InvoiceVoid{InvoiceDeed: k.deed(invoice), Reason: "Wrong address"}
		use := k.use()
		deeds = append(deeds,
			func() (any, error) { return k.Pay(ctx, paid) },
			func() (any, error) { return k.ApplyCredit(ctx, use) })
		if i%2 == 0 {
			deeds = append(deeds, func() (any, error) { return k.Credit(ctx, gives) })
		}
		deeds = append(deeds, func() (any, error) { return k.Void(ctx, void) })
	}
	final := postgres.Finalisation{Payer: "acme", Currency: "USD", Period: fresh + "-01", By: "olga", Early: true}
	down := postgres.LineWriteDown{Line: lines[0].Line, To: "10.00", Reason: "Too long", By: "olga", OperationKey: k.key()}
	reopen := ticket.Reopen{Header: k.by("ann"), Reason: "still broken"}
	deeds = append(deeds,
		func() (any, error) { return k.Finalise(ctx, final) },
		func() (any, error) { return k.WriteDown(ctx, down) },
		func() (any, error) { return k.Reopen(ctx, reopens, reopen) })

	answers := make([]any, 2*len(deeds))
	many(len(answers), func(i int) {
		answer, err := deeds[i%len(deeds)]()
		if err != nil {
			require.NotEmpty(k.t, ticket.Problems(err), "only a refusal: %v", err)
			return
		}
		answers[i] = answer
	})
	for i := range deeds {
		if a, b := answers[i], answers[i+len(deeds)]; a != nil && b != nil {
			if _, finalised := a.(billing.Invoice); !finalised { // that one tells where it stands now
				require.JSONEq(k.t, written(k.t, a), written(k.t, b), "one key, one answer")
			}
		}
	}
	sum := decimal.Zero
	require.NoError(k.t, k.admin.QueryRow(ctx, "select coalesce(sum(balance), 0) from credit_balances").Scan(&sum))
	require.False(k.t, sum.IsNegative())
	k.proved()
	k.nextMonth()
}
