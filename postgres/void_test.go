package postgres_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/ticket"
)

func TestAVoidInvoiceIsBilledAgain(t *testing.T) {
	k := newTill(t, hourly)
	id := k.ticket("email")
	receipt := k.close(id, 1, k.minutes("tom", 70))
	invoice := k.month("2026-03")

	ask := postgres.InvoiceVoid{InvoiceDeed: k.deed(invoice), Reason: "Wrong address"}
	v, err := k.Void(t.Context(), ask)
	require.NoError(t, err)
	again, err := k.Void(t.Context(), ask)
	require.NoError(t, err)
	require.JSONEq(t, written(t, v), written(t, again), "the same key answers the same")
	_, err = k.Void(t.Context(), postgres.InvoiceVoid{InvoiceDeed: k.deed(invoice), Reason: "Wrong address"})
	require.ErrorContains(t, err, "is void already")

	require.Equal(t, "187.50", v.Total.StringFixed(2))
	require.Equal(t, "void 0.00", k.stands(invoice))
	require.Equal(t, "INV-2026-00001", k.seen(invoice).Number, "it keeps its number")
	require.Equal(t, "187.50", k.counts(), "its lines count once, where they are billed now")

	why, err := k.Why(t.Context(), v.Lines[0].Line)
	require.NoError(t, err)
	require.Equal(t, receipt.Posted[0].Line, why.Line.Adjusts)
	require.Equal(t, string(id), why.Line.Ticket)
	require.Contains(t, why.Sentences, "Olga voided INV-2026-00001: Wrong address. It bills "+ticket.LineID(receipt.Posted[0].Line)+" of it again, as it was.")
	require.Contains(t, why.Sentences[0], "acme-hourly", "and how the amount came about is still told")
	k.proved()

	next := k.month("2026-04")
	require.Equal(t, "187.50", next.Total.StringFixed(2))
	require.Equal(t, "finalised 187.50", k.stands(next))

	// A void of that one bills the line a third time, from where it is now.
	k.void(next)
	require.Equal(t, "187.50", k.counts())
	require.Equal(t, "187.50", k.month("2026-05").Total.StringFixed(2))
	k.proved()
}

func TestWorkOfAVoidInvoiceIsStillUndoneOnce(t *testing.T) {
	k := newTill(t, hourly, blocks)
	first, second := k.ticket("onboarding"), k.ticket("onboarding")
	k.close(first, 1, k.minutes("tom", 30))
	k.close(second, 1, k.minutes("tom", 30)) // one a month is included, this one costs 45.00
	invoice := k.month("2026-03")
	k.void(invoice)
	require.Equal(t, "45.00", k.counts())

	_, err := k.Reopen(t.Context(), first, ticket.Reopen{Header: k.by("ann"), Reason: "still broken"})
	require.NoError(t, err)
	require.Equal(t, "0.00", k.counts(), "without the first, the second is the included one")
	k.proved()
	_, err = k.Reopen(t.Context(), second, ticket.Reopen{Header: k.by("ann"), Reason: "still broken"})
	require.NoError(t, err)
	require.Equal(t, "0.00", k.counts())
	k.begin(second, 2)
	k.close(second, 2, k.minutes("tom", 5))
	require.Equal(t, "0.00", k.counts())
	require.Equal(t, "0.00", k.month("2026-04").Total.StringFixed(2))
	k.proved()
}

func TestEdge46ACreditAppliedIsReversedOnce(t *testing.T) {
	k := newTill(t, hourly)
	_, march := k.billed(70)
	k.pay(march, "287.50") // 100.00 more than owed

	k.nextMonth()
	id := k.ticket("email")
	k.close(id, 1, k.minutes("tom", 60))
	april := k.month("2026-04")
	require.Equal(t, "partly-paid 50.00", k.stands(april), "100.00 of credit applied to 150.00")
	require.Equal(t, "0.00", k.inCredit())

	// Void, by two people at once.
	errs := make([]error, 2)
	many(2, func(i int) {
		_, errs[i] = k.Void(context.WithoutCancel(t.Context()), postgres.InvoiceVoid{InvoiceDeed: k.deed(april), Reason: "Wrong address"})
	})
	require.NotEqual(t, errs[0] == nil, errs[1] == nil, "%v", errs)
	require.Equal(t, "void 0.00", k.stands(april))
	require.Equal(t, "100.00", k.inCredit(), "it is the client's again")
	k.proved()

	// The same lines, finalised on another invoice: the credit pays it again.
	may := k.month("2026-05")
	require.Equal(t, "150.00", may.Total.StringFixed(2))
	require.Equal(t, "partly-paid 50.00", k.stands(may))
	require.Equal(t, "0.00", k.inCredit())
	v := k.void(may)
	require.Equal(t, "100.00", v.Returned.StringFixed(2))
	require.Equal(t, "100.00", k.inCredit())

	june := k.month("2026-06")
	require.Equal(t, "partly-paid 50.00", k.stands(june))
	require.EqualValues(t, 3, k.count("select count(*) from credit_applications where amount > 0"))
	require.EqualValues(t, 2, k.count("select count(distinct reverses) from credit_applications where amount < 0"), "each application is reversed once")
	credits, err := k.CreditsOf(t.Context(), "acme")
	require.NoError(t, err)
	require.Len(t, credits[0].Credits[0].Applied, 5, "and the credit tells all of it")
	require.True(t, credits[0].Credits[0].Left.IsZero())
	k.proved()
}

func TestWhatCannotBeVoided(t *testing.T) {
	k := newTill(t, hourly)
	_, invoice := k.billed(70)
	_, err := k.Void(t.Context(), postgres.InvoiceVoid{InvoiceDeed: k.deed(invoice)})
	require.ErrorContains(t, err, "reason")
	by := k.deed(invoice)
	by.By = "dora"
	_, err = k.Void(t.Context(), postgres.InvoiceVoid{InvoiceDeed: by, Reason: "Wrong address"})
	require.ErrorContains(t, err, "it takes the role owner or finance")

	k.credit(invoice, "20.00")
	_, err = k.Void(t.Context(), postgres.InvoiceVoid{InvoiceDeed: k.deed(invoice), Reason: "Wrong address"})
	require.ErrorContains(t, err, "has credit notes: CN-2026-00001")
	require.ErrorContains(t, err, "--amount 167.50")
	require.Equal(t, "finalised 167.50", k.stands(invoice))
	k.proved()
}

func TestAPaymentForAVoidInvoiceIsCredit(t *testing.T) {
	k := newTill(t, hourly)
	_, invoice := k.billed(70)
	k.void(invoice)
	p := k.pay(invoice, "187.50")
	require.Equal(t, "187.50 USD received for INV-2026-00001, which is void: all of it is acme's credit", p.Says)
	require.Equal(t, "187.50", k.inCredit())
	require.Equal(t, billing.InvoicePaid, k.month("2026-04").State, "the invoice that bills its lines now is paid by it")
	k.proved()
}

func TestAdjustmentsAreNoneOfAPeriodsBusiness(t *testing.T) {
	k := periods(t, managed)
	k.devices("workstation", "2026-02-20", 30)
	k.sweep()
	k.on("2026-03-18")
	id := k.ticket("email")
	k.close(id, 1, k.minutes("tom", 120))
	fee := k.count("select id from charges where clause = 'F'")
	_, err := k.writeDown("olga", fee, "450.00")
	require.NoError(t, err)
	k.on("2026-04-01")
	require.Equal(t, "closing 2026-03-01: W 300.00, M 1000.00\nopening 2026-04-01: F 500.00", k.sweep(), "what is forgiven is no less billed")
	march := k.month("2026-03")
	require.Equal(t, "1950.00", march.Total.StringFixed(2))
	v := k.void(march)
	require.Len(t, v.Lines, 5)
	require.Equal(t, "2450.00", k.counts(), "and April's fee")
	k.proved()
	why, err := k.Why(t.Context(), v.Lines[0].Line)
	require.NoError(t, err)
	require.Empty(t, why.Line.Ticket)
	require.Equal(t, fee, why.Line.Adjusts)

	// What comes late into March adjusts its true-up by itself alone.
	_, err = k.Reopen(t.Context(), id, ticket.Reopen{Header: k.by("ann"), Reason: "still broken"})
	require.NoError(t, err)
	require.Equal(t, []string{"1000", "200"}, k.trueUps(), "200.00 less billed, 200.00 more lack to the minimum")
	require.Equal(t, "2450.00", k.counts())
	k.proved()

	april := k.month("2026-04")
	require.Equal(t, "2450.00", april.Total.StringFixed(2))
	note, err := k.creditLines(april, v.Lines[0].Line)
	require.NoError(t, err)
	require.Equal(t, "450.00", note.Amount.StringFixed(2))
	k.proved()
}
