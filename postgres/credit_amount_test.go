package postgres_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/ticket"
)

// A client gets back what he was charged, once: the reversal of a round of which a note of an amount gave back a part
// gives the rest, and says so.
func TestEdge03ARoundCreditedByAnAmountGivesBackTheRest(t *testing.T) {
	k := newTill(t, hourly)
	id, march := k.billed(70)
	k.pay(march, "187.50")
	note := k.credit(march, "100.00")
	k.reopen(id)
	require.Equal(t, "100.00", k.counts(), "187.50 billed, 100.00 given back by the note, 87.50 by the reversal")
	lines, err := k.LinesOf(t.Context(), id)
	require.NoError(t, err)
	require.Len(t, lines, 3)
	require.Equal(t, "-187.50", lines[1].Amount.StringFixed(2), "on record whole")
	require.Equal(t, billing.Credited, lines[2].Kind)
	require.Equal(t, "100.00", lines[2].Amount.StringFixed(2))
	why, err := k.Why(t.Context(), lines[2].Line)
	require.NoError(t, err)
	require.Contains(t, why.Sentences, ticket.LineID(lines[0].Line)+" is undone, and "+note.Number+" had given 100.00 USD of it back already.")
	k.proved()

	t.Run("and nothing more is left to credit", func(t *testing.T) {
		_, err := k.Credit(t.Context(), postgres.CreditNoteDraft{InvoiceDeed: k.deed(march), Amount: "87.50", Reason: "Too dear"})
		require.ErrorContains(t, err, "has left to give back: 0.00 USD of 187.50 USD; 87.50 USD went back when its work was undone")
		k.proved()
	})
	t.Run("the next round bills afresh", func(t *testing.T) {
		k.begin(id, 2)
		k.pass(3 * time.Hour)
		k.close(id, 2, k.minutes("tom", 20))
		require.Equal(t, "362.50", k.counts(), "the work of both rounds is rated afresh; what the note gave back is the client's credit")
		k.proved()
	})
}

func TestACreditOfAnAmountIsSharedOverTheRoundsOfItsInvoice(t *testing.T) {
	k := newTill(t, hourly)
	one, other := k.ticket("email"), k.ticket("email")
	first := k.close(one, 1, k.minutes("tom", 70)).Posted[0].Line
	k.close(other, 1, k.minutes("tom", 60))
	march := k.month("2026-03")
	k.credit(march, "100.00")
	require.EqualValues(t, 2, k.count("select count(*) from credit_note_shares"))
	require.EqualValues(t, 1, k.count("select count(*) from credit_note_shares where charge_id = $1 and net = 55.56 and amount = 55.56", first))

	// A line that is given back whole gives what the first note left.
	note, err := k.creditLines(march, first)
	require.NoError(t, err)
	require.Equal(t, "131.94", note.Amount.StringFixed(2))
	k.reopen(one)
	require.Equal(t, "337.50", k.counts(), "all of it had gone back by notes")
	k.reopen(other)
	require.Equal(t, "231.94", k.counts(), "337.50 billed, as much given back: 231.94 by notes")
	k.proved()
}

func TestACreditOfAnAmountAndAReopeningRace(t *testing.T) {
	k := newTill(t, hourly)
	id, march := k.billed(70)
	many(2, func(i int) {
		ctx := context.WithoutCancel(t.Context())
		if i == 0 {
			_, err := k.Credit(ctx, postgres.CreditNoteDraft{InvoiceDeed: k.deed(march), Amount: "150.00", Reason: "Too dear"})
			if err != nil {
				require.ErrorContains(t, err, "went back when its work was undone")
			}
			return
		}
		_, err := k.Reopen(ctx, id, ticket.Reopen{Header: k.by("tom"), Reason: "again"})
		require.NoError(t, err)
	})
	credited := k.count("select coalesce(sum(amount), 0)::bigint from credit_notes")
	back := k.count("select -(coalesce(sum(amount), 0) * 2)::bigint from invoice_lines where charge_id <> (select min(charge_id) from invoice_lines)")
	require.EqualValues(t, 375, 2*credited+back, "187.50 went back, whoever was first")
	k.proved()
}

func TestReportsSubtractWhatCreditNotesGaveBack(t *testing.T) {
	k := newTill(t, hourly)
	one, other := k.ticket("email"), k.ticket("email")
	first := k.close(one, 1, k.minutes("tom", 70)).Posted[0].Line
	k.close(other, 1, k.minutes("tom", 60))
	march := k.month("2026-03")
	billed := func() string {
		margins, err := k.ReportMargin(t.Context(), postgres.ReportFilter{From: day(t, "2026-03-01"), To: day(t, "2026-04-01")})
		require.NoError(t, err)
		require.Len(t, margins, 1)
		actors, err := k.ReportAIvsTech(t.Context(), postgres.ReportFilter{})
		require.NoError(t, err)
		require.Len(t, actors, 1)
		require.True(t, margins[0].Billed.Equal(actors[0].Billed), "%s, %s", margins[0].Billed, actors[0].Billed)
		require.Equal(t, 2, actors[0].Tickets)
		require.Zero(t, actors[0].Covered, "it cost something, before it was credited")
		return margins[0].Billed.StringFixed(2)
	}
	require.Equal(t, "337.50", billed())
	k.credit(march, "100.00")
	require.Equal(t, "237.50", billed(), "an amount")
	_, err := k.creditLines(march, first)
	require.NoError(t, err)
	require.Equal(t, "105.56", billed(), "a line")
	k.reopen(one)
	require.Equal(t, "105.56", billed(), "undone, it gives back nothing more")
	k.reopen(other)
	require.Equal(t, "0.00", billed())
	k.proved()
}
