package postgres_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/ticket"
)

// reminded sweeps and tells what went out.
func (k *till) reminded() (says []string) {
	k.t.Helper()
	swept, err := k.RemindOverdue(k.t.Context(), 100)
	require.NoError(k.t, err)
	for _, r := range swept.Reminded {
		says = append(says, r.Says)
	}
	return says
}

func TestRemindersGoOutOnceAStepUntilItIsPaid(t *testing.T) {
	k := newTill(t, hourly+"billing: {payment_days: 14}\n")
	k.close(k.ticket("email"), 1, k.minutes("tom", 30))
	k.close(k.ticket("email"), 1, k.minutes("tom", 60))
	invoice := k.month("2026-03") // due on April 1
	const day = 24 * time.Hour
	k.pass(14 * day)
	require.Empty(t, k.reminded(), "due today")
	k.pass(2 * day)
	require.Empty(t, k.reminded())
	k.pass(day)
	require.Equal(t, []string{"INV-2026-00001 was due on 2026-04-01, 3 days ago: 225.00 USD are owed"}, k.reminded())
	require.Empty(t, k.reminded(), "once")

	k.pass(10 * day) // nobody swept on the tenth day
	disputed := k.question(invoice, k.linesOn(invoice)[0], "ann")
	var sweeps atomic.Int64
	many(20, func(int) {
		swept, err := k.RemindOverdue(context.WithoutCancel(t.Context()), 100)
		require.NoError(t, err)
		sweeps.Add(int64(len(swept.Reminded)))
	})
	require.EqualValues(t, 1, sweeps.Load(), "however many sweep at once")
	events, err := k.InvoiceEvents(t.Context(), invoice.ID)
	require.NoError(t, err)
	last := events[len(events)-1]
	require.Equal(t, "reminder INV-2026-00001 was due on 2026-04-01, 13 days ago: 150.00 USD are owed; 75.00 USD more are in question", last.Kind+" "+last.Says)

	other := k.question(invoice, k.linesOn(invoice)[1], "ann")
	k.pass(10 * day)
	require.Empty(t, k.reminded(), "all of it is in question")
	for _, d := range []billing.Dispute{disputed, other} {
		_, err := k.SettleDispute(t.Context(), postgres.DisputeAnswer{Dispute: d.ID, Reason: "It was done", By: "olga", OperationKey: k.key()})
		require.NoError(t, err)
	}
	due, err := k.OverdueInvoices(t.Context(), 10)
	require.NoError(t, err)
	require.Len(t, due, 1)
	k.pay(invoice, "225.00")
	require.Empty(t, k.reminded(), "paid")
	_, err = k.bounce(k.lastPayment())
	require.NoError(t, err)
	require.Equal(t, []string{"INV-2026-00001 was due on 2026-04-01, 23 days ago: 225.00 USD are owed"}, k.reminded(), "owed again")
	k.pass(100 * day)
	require.Empty(t, k.reminded(), "that was the last step")
	k.proved()
}

func TestNobodyIsRemindedOfAVoidInvoiceOrWhereTheHouseRemindsNever(t *testing.T) {
	k := newTill(t, hourly)
	_, invoice := k.billed(60)
	k.pass(100 * 24 * time.Hour)
	require.NoError(t, k.SetInvoiceRules(t.Context(), billing.InvoiceRules{SetBy: "olga"}))
	require.Empty(t, k.reminded())
	require.NoError(t, k.SetInvoiceRules(t.Context(), billing.InvoiceRules{SetBy: "olga", RemindAfter: []int32{5}}))
	due, err := k.OverdueInvoices(t.Context(), 10)
	require.NoError(t, err)
	require.Len(t, due, 1)
	k.void(invoice)
	require.Empty(t, k.reminded())
	k.proved()
}

// Whatever happens to an invoice at once, its sums hold, and the audit proves them.
func TestTheLifeOfInvoicesRaces(t *testing.T) {
	k := newTill(t, hourly)
	ctx := context.WithoutCancel(t.Context())
	invoices := k.months(3)
	var paid []int64
	for _, i := range invoices {
		k.pay(i, "40.00")
		paid = append(paid, k.lastPayment())
	}
	k.pay(invoices[0], "500.00") // its credit will be used while it bounces
	paid = append(paid, k.lastPayment())
	k.close(k.ticket("email"), 1, k.minutes("tom", 60))
	fresh := k.now().Format("2006-01")
	k.pass(60 * 24 * time.Hour)

	deeds := []func() (any, error){
		func() (any, error) {
			return k.Finalise(ctx, postgres.Finalisation{Payer: "acme", Currency: "USD", Period: fresh + "-01", By: "olga", Early: true})
		},
		func() (any, error) { return k.RemindOverdue(ctx, 10) },
	}
	for _, p := range paid {
		r := postgres.PaymentReturn{Payment: p, Reason: "No funds", By: "olga", OperationKey: k.key()}
		deeds = append(deeds, func() (any, error) { return k.ReturnPayment(ctx, r) })
	}
	for _, i := range invoices {
		pays := postgres.InvoicePayment{InvoiceDeed: k.deed(i), Amount: "60.00"}
		gives := postgres.CreditNoteDraft{InvoiceDeed: k.deed(i), Amount: "30.00", Reason: "Too dear"}
		voids := postgres.InvoiceVoid{InvoiceDeed: k.deed(i), Reason: "Wrong address"}
		asks := postgres.LineQuestion{Line: k.linesOn(i)[0], Reason: "Never happened", By: "ann", OperationKey: k.key()}
		use := k.use()
		deeds = append(deeds,
			func() (any, error) { return k.Pay(ctx, pays) },
			func() (any, error) { return k.Credit(ctx, gives) },
			func() (any, error) { return k.Void(ctx, voids) },
			func() (any, error) { return k.Question(ctx, asks) },
			func() (any, error) { return k.ApplyCredit(ctx, use) },
			func() (any, error) {
				open, err := k.Disputes(ctx, postgres.DisputeFilter{State: "open", Invoice: i.ID})
				if err != nil || len(open) == 0 {
					return nil, err
				}
				return k.SettleDispute(ctx, postgres.DisputeAnswer{Dispute: open[0].ID, Amount: "10.00", Reason: "True", By: "olga", OperationKey: "settle-" + ticket.DisputeID(open[0].ID)})
			})
	}
	many(200, func(i int) {
		if _, err := deeds[i%len(deeds)](); err != nil {
			require.NotEmpty(t, ticket.Problems(err), "only a refusal: %v", err)
		}
	})
	require.EqualValues(t, len(paid), k.count("select count(*) from payment_returns"))
	require.Zero(t, k.count("select count(*) from credit_balances where balance < 0"))
	k.proved()
}
