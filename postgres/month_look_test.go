package postgres_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
)

// looks tells what a closing of what is over by a date would make of acme's invoices.
func (k *till) looks(until string) []billing.InvoiceAhead {
	k.t.Helper()
	look, err := k.LookAtMonth(k.t.Context(), billing.MonthClose{Until: until})
	require.NoError(k.t, err)
	return look.Invoices
}

func TestAMonthBelowZeroIsToldBeforeItIsClosed(t *testing.T) {
	t.Run("carried forward", func(t *testing.T) {
		k := newTill(t, hourly)
		k.belowZero()
		ahead := k.looks("2026-05-01")
		require.Len(t, ahead, 2)
		require.Equal(t, "carried-forward 0.00", ahead[0].Becomes+" "+ahead[0].Total.StringFixed(2))
		require.Equal(t, "stays-open 2026-05-01 -112.50", ahead[1].Becomes+" "+ahead[1].Start+" "+ahead[1].Net.StringFixed(2))
		require.True(t, k.month("2026-04").Total.IsZero())
		next, err := k.Invoice(t.Context(), "acme")
		require.NoError(t, err)
		require.Equal(t, "2026-05-01 -112.50", next.PeriodStart+" "+next.Total.StringFixed(2))
	})
	t.Run("a credit note", func(t *testing.T) {
		k := newTill(t, strings.Replace(hourly, "approval:", "billing: {negative: credit-note}\napproval:", 1))
		k.belowZero()
		ahead := k.looks("2026-05-01")
		require.Len(t, ahead, 1)
		require.Equal(t, "credit-note -112.50", ahead[0].Becomes+" "+ahead[0].Total.StringFixed(2))
		require.Equal(t, billing.InvoiceCreditNote, k.month("2026-04").State)
	})
}

// Where a review comes first, what comes to less than zero needs one as well, of what it comes to before it is carried forward.
func TestAReviewComesFirst(t *testing.T) {
	k := newTill(t, hourly)
	k.belowZero()
	require.NoError(t, k.SetInvoiceRules(t.Context(), billing.InvoiceRules{ReviewFirst: true, SetBy: "olga"}))
	k.nextMonth()
	over, err := k.OverInvoices(t.Context(), billing.MonthClose{Until: "2026-05-01"}, billing.OverInvoice{}, 0)
	require.NoError(t, err)
	require.Len(t, over, 1)

	ahead := k.looks("2026-05-01")
	require.Equal(t, billing.AheadRefused, ahead[0].Becomes)
	require.Contains(t, ahead[0].Refused, "was reviewed by nobody")
	done, err := k.FinaliseOver(t.Context(), over[0], "olga")
	require.NoError(t, err)
	require.Equal(t, done.Refused, ahead[0].Refused, "word for word")

	_, err = k.ReviewInvoice(t.Context(), k.deed(billing.Invoice{ID: over[0].Invoice}))
	require.NoError(t, err)
	require.Equal(t, billing.AheadCarried, k.looks("2026-05-01")[0].Becomes)
	done, err = k.FinaliseOver(t.Context(), over[0], "olga")
	require.NoError(t, err)
	require.Empty(t, done.Refused)
	require.True(t, done.Total.IsZero())
	k.proved()
}

// What is void was billed again: it has a number of the month, and no part in its sum.
func TestAMonthDoesNotSumWhatIsVoid(t *testing.T) {
	k := newTill(t, hourly)
	_, invoice := k.billed(60)
	m := billing.MonthClose{Until: "2026-04-01"}
	stands := func() billing.FinalisedMonth {
		report, err := k.MonthStands(t.Context(), m)
		require.NoError(t, err)
		require.Len(t, report.Finalised, 1)
		return report.Finalised[0]
	}
	require.Equal(t, "150.00", stands().Total.StringFixed(2))
	k.void(invoice)
	now := stands()
	require.True(t, now.Total.IsZero())
	require.Equal(t, []int{1, 1}, []int{now.Invoices, now.Void})
	require.Equal(t, invoice.Number, now.Last)
}
