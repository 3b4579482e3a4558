package postgres_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/ticket"
)

func (k *till) creditLines(i billing.Invoice, lines ...int64) (billing.CreditNote, error) {
	k.t.Helper()
	return k.Credit(k.t.Context(), postgres.CreditNoteDraft{InvoiceDeed: k.deed(i), Lines: lines, Reason: "Not our work"})
}

func TestLinesAreGivenBackOnce(t *testing.T) {
	k := newTill(t, hourly)
	one, other := k.ticket("email"), k.ticket("email")
	first := k.close(one, 1, k.minutes("tom", 70)).Posted[0].Line
	second := k.close(other, 1, k.minutes("tom", 60)).Posted[0].Line
	invoice := k.month("2026-03")

	note, err := k.creditLines(invoice, first, first)
	require.NoError(t, err)
	require.Equal(t, "CN-2026-00001 gives back 187.50 USD of INV-2026-00001; 150.00 USD still owed", note.Says)
	require.Equal(t, []int64{first}, note.Lines)

	_, err = k.creditLines(invoice, first)
	require.ErrorContains(t, err, "was given back by CN-2026-00001")
	_, err = k.creditLines(invoice, 4711)
	require.ErrorContains(t, err, "is not on INV-2026-00001")

	// A line whose ticket was reopened is on the open invoice with its minus already.
	_, err = k.Reopen(t.Context(), other, ticket.Reopen{Header: k.by("ann"), Reason: "still broken"})
	require.NoError(t, err)
	_, err = k.creditLines(invoice, second)
	require.ErrorContains(t, err, "was undone by")

	// And a credited line's ticket is reopened without giving its money back once more.
	require.Equal(t, "187.50", k.counts())
	_, err = k.Reopen(t.Context(), one, ticket.Reopen{Header: k.by("ann"), Reason: "still broken"})
	require.NoError(t, err)
	require.Equal(t, "187.50", k.counts(), "the note gave back the rest")
	lines, err := k.LinesOf(t.Context(), one)
	require.NoError(t, err)
	require.Len(t, lines, 3)
	require.Equal(t, "Credited already by CN-2026-00001: "+lines[0].Text, lines[2].Text)
	k.proved()
}

func TestALineBilledAgainAndCreditedIsNotGivenBackOnceMore(t *testing.T) {
	k := newTill(t, hourly)
	id, march := k.billed(70)
	again := k.void(march).Lines[0].Line
	april := k.month("2026-04")
	_, err := k.creditLines(april, again)
	require.NoError(t, err)
	require.Equal(t, "credited 0.00", k.stands(april))
	_, err = k.Reopen(t.Context(), id, ticket.Reopen{Header: k.by("ann"), Reason: "still broken"})
	require.NoError(t, err)
	require.Equal(t, "187.50", k.counts(), "what was billed, less nothing: the note gave it back")
	k.proved()
}

func TestCreditNotesNeverGiveBackMoreThanTheInvoice(t *testing.T) {
	k := newTill(t, hourly)
	_, invoice := k.billed(70)
	errs := make([]error, 10)
	many(len(errs), func(i int) {
		_, errs[i] = k.Credit(context.WithoutCancel(t.Context()), postgres.CreditNoteDraft{InvoiceDeed: k.deed(invoice), Amount: "50.00", Reason: "Too dear"})
	})
	refused := 0
	for _, err := range errs {
		if err != nil {
			refused++
			require.ErrorContains(t, err, "is more than INV-2026-00001 has left to give back: 37.50 USD of 187.50 USD")
		}
	}
	require.Equal(t, 7, refused)
	require.EqualValues(t, 3, k.count("select last from number_series where series = 'CN-2026'"), "those refused left no gap")
	require.Equal(t, "finalised 37.50", k.stands(invoice))
	k.proved()
}

func TestCreditNotesThatMakeNoSense(t *testing.T) {
	k := newTill(t, hourly)
	_, invoice := k.billed(70)
	for name, c := range map[string]struct {
		draft  postgres.CreditNoteDraft
		fields []string
	}{
		"neither":        {postgres.CreditNoteDraft{Reason: "x"}, []string{"amount"}},
		"both":           {postgres.CreditNoteDraft{Reason: "x", Amount: "1", Lines: []int64{1}}, []string{"amount"}},
		"nothing at all": {postgres.CreditNoteDraft{}, []string{"reason", "amount"}},
		"no reason":      {postgres.CreditNoteDraft{Amount: "1"}, []string{"reason"}},
		"a fraction":     {postgres.CreditNoteDraft{Reason: "x", Amount: "0.001"}, []string{"amount"}},
	} {
		t.Run(name, func(t *testing.T) {
			c.draft.InvoiceDeed = k.deed(invoice)
			_, err := k.Credit(t.Context(), c.draft)
			var fields []string
			for _, p := range ticket.Problems(err) {
				fields = append(fields, p.Field)
			}
			require.Equal(t, c.fields, fields, "%v", err)
		})
	}
	k.void(invoice)
	_, err := k.Credit(t.Context(), postgres.CreditNoteDraft{InvoiceDeed: k.deed(invoice), Amount: "1", Reason: "x"})
	require.ErrorContains(t, err, "is void")
}
