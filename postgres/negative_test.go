package postgres_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/ticket"
)

// belowZero leaves acme's April at less than zero: March was finalised, and a ticket of it reopened.
func (k *till) belowZero() {
	k.t.Helper()
	id, _ := k.billed(70)
	_, err := k.Reopen(k.t.Context(), id, ticket.Reopen{Header: k.by("ann"), Reason: "still broken"})
	require.NoError(k.t, err)
	k.nextMonth()
	k.close(k.ticket("email"), 1, k.minutes("tom", 30)) // 75.00 less 187.50
}

func TestEdge75ANegativeInvoiceIsCarriedForward(t *testing.T) {
	k := newTill(t, hourly)
	k.belowZero()
	april := k.month("2026-04")
	require.Equal(t, "INV-2026-00002", april.Number)
	require.Equal(t, "0.00", april.Total.StringFixed(2))
	require.Equal(t, 3, april.LineCount)
	require.Equal(t, "paid 0.00", k.stands(april))
	require.Equal(t, "75.00", k.counts(), "what is carried counts for nothing")
	require.Equal(t, "0.00", k.inCredit())
	again := k.month("2026-04")
	require.JSONEq(t, written(t, april), written(t, again))

	lines, err := k.InvoiceLines(t.Context(), april.ID, 0, 10)
	require.NoError(t, err)
	out := lines[2]
	require.Equal(t, billing.Carried, out.Kind)
	require.Equal(t, "112.50", out.Amount.StringFixed(2))
	why, err := k.Why(t.Context(), out.Line)
	require.NoError(t, err)
	require.Equal(t, "The invoice of the period from 2026-04-01 came to less than zero; the period from 2026-05-01 takes it over.", why.Sentences[0])
	k.proved()

	k.nextMonth()
	k.close(k.ticket("email"), 1, k.minutes("tom", 120))
	may := k.month("2026-05")
	require.Equal(t, "187.50", may.Total.StringFixed(2), "300.00 less the 112.50 carried forward")
	k.proved()

	// Void, its part of what was carried is billed again, too.
	k.void(may)
	require.Equal(t, "187.50", k.month("2026-06").Total.StringFixed(2))
	k.proved()
}

func TestEdge75ANegativeInvoiceBecomesACreditNote(t *testing.T) {
	k := newTill(t, strings.Replace(hourly, "approval:", "billing: {negative: credit-note}\napproval:", 1))
	k.belowZero()
	april := k.month("2026-04")
	require.Equal(t, "CN-2026-00001", april.Number, "of the series of credit notes")
	require.Equal(t, "-112.50", april.Total.StringFixed(2))
	require.Equal(t, billing.InvoiceCreditNote, april.State)
	require.Equal(t, "credit-note 0.00", k.stands(april))
	require.Equal(t, "112.50", k.inCredit())
	require.EqualValues(t, 1, k.count("select last from number_series where series = 'INV-2026'"))
	k.proved()

	_, err := k.Void(t.Context(), postgres.InvoiceVoid{InvoiceDeed: k.deed(april), Reason: "x"})
	require.ErrorContains(t, err, "is a credit note")
	_, err = k.Credit(t.Context(), postgres.CreditNoteDraft{InvoiceDeed: k.deed(april), Amount: "1", Reason: "x"})
	require.ErrorContains(t, err, "is a credit note")
	require.Equal(t, "1.00", k.pay(april, "1").ToCredit.StringFixed(2))

	k.nextMonth()
	k.close(k.ticket("email"), 1, k.minutes("tom", 120))
	may := k.month("2026-05")
	require.Equal(t, "113.50", may.Receivable.Applied.StringFixed(2))
	require.Equal(t, "INV-2026-00002", may.Number)
	k.proved()
}
