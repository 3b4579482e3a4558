package postgres_test

import (
	"context"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/ticket"
)

func (k *till) writeDown(by string, line int64, to string) (billing.WrittenDown, error) {
	k.t.Helper()
	return k.WriteDown(k.t.Context(), postgres.LineWriteDown{Line: line, To: to, Reason: "It took too long", By: by, OperationKey: k.key()})
}

func TestEdge76AWriteDownInReview(t *testing.T) {
	k := newTill(t, hourly)
	id := k.ticket("email")
	line := k.close(id, 1, k.minutes("tom", 70)).Posted[0].Line

	_, err := k.writeDown("dora", line, "150.00")
	require.ErrorContains(t, err, "no limit is set for dispatchers in USD")
	require.ErrorContains(t, k.SetWriteDownLimit(t.Context(), postgres.WriteDownLimit{Role: "dispatcher", Currency: "USD", Amount: decimal.NewFromInt(50), By: "dora"}),
		"it takes the role owner or finance")
	require.NoError(t, k.SetWriteDownLimit(t.Context(), postgres.WriteDownLimit{Role: "dispatcher", Currency: "USD", Amount: decimal.NewFromInt(50), By: "olga"}))

	down, err := k.writeDown("dora", line, "150.00")
	require.NoError(t, err)
	require.Equal(t, "150.00", k.owed())
	lines, err := k.LinesOf(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, billing.Discount, lines[1].Kind)
	require.Equal(t, line, lines[1].Adjusts, "a line of its own, linked")
	why, err := k.Why(t.Context(), down.By)
	require.NoError(t, err)
	require.Equal(t, []string{
		"Dora wrote " + ticket.LineID(line) + " down from 187.50 USD to 150.00 USD: It took too long.",
		"So the invoice moves by -37.50 USD.",
	}, why.Sentences)

	_, err = k.writeDown("dora", line, "130.00")
	require.ErrorContains(t, err, "would lose 57.50 USD in all, and dispatcher may take 50.00 USD off a line", "many small steps are one")
	_, err = k.writeDown("tom", line, "130.00")
	require.ErrorContains(t, err, "may not write lines down")
	_, err = k.writeDown("ann", line, "130.00")
	require.ErrorContains(t, err, "may not write lines down")
	_, err = k.writeDown("olga", line, "150.00")
	require.ErrorContains(t, err, "is not less than the line costs: 150.00 USD")
	_, err = k.writeDown("olga", down.By, "0")
	require.ErrorContains(t, err, "has nothing to take off")
	_, err = k.writeDown("olga", line, "0.001")
	require.ErrorContains(t, err, "decimals of USD")
	_, err = k.writeDown("olga", line, "100.00")
	require.NoError(t, err, "an owner has no limit")
	require.Equal(t, "100.00", k.owed())
	k.proved()

	// Reopened, nothing of it stays.
	_, err = k.Reopen(t.Context(), id, ticket.Reopen{Header: k.by("ann"), Reason: "still broken"})
	require.NoError(t, err)
	require.Equal(t, "0.00", k.owed())
	_, err = k.writeDown("olga", line, "0")
	require.ErrorContains(t, err, "was undone by")
	k.proved()
}

func TestAWriteDownAfterFinalisingIsACreditNote(t *testing.T) {
	k := newTill(t, hourly)
	id := k.ticket("email")
	line := k.close(id, 1, k.minutes("tom", 70)).Posted[0].Line
	down, err := k.writeDown("olga", line, "100.00")
	require.NoError(t, err)
	invoice := k.month("2026-03")
	require.Equal(t, "100.00", invoice.Total.StringFixed(2))
	_, err = k.writeDown("olga", line, "50.00")
	require.ErrorContains(t, err, "docket invoice credit INV-2026-00001 --lines "+ticket.LineID(line))

	// Void, and billed again: the line with what was taken off it, and both are taken off again on reopening.
	v := k.void(invoice)
	require.Len(t, v.Lines, 2)
	require.Equal(t, "100.00", k.counts())
	_, err = k.writeDown("olga", v.Lines[0].Line, "120.00")
	require.ErrorContains(t, err, "is not less than the line costs: 100.00 USD")
	_, err = k.writeDown("olga", v.Lines[0].Line, "80.00")
	require.NoError(t, err)
	april := k.month("2026-04")
	note, err := k.creditLines(april, v.Lines[0].Line)
	require.NoError(t, err)
	require.Equal(t, "80.00", note.Amount.StringFixed(2), "a line goes back with what it was written down by")
	require.Len(t, note.Lines, 3)
	k.proved()
	_, err = k.Reopen(t.Context(), id, ticket.Reopen{Header: k.by("ann"), Reason: "still broken"})
	require.NoError(t, err)
	require.Equal(t, "80.00", k.counts(), "billed, and given back by the note")
	require.NotZero(t, down.By)
	k.proved()
}

func TestWriteDownsOfOneLineRace(t *testing.T) {
	k := newTill(t, hourly)
	id := k.ticket("email")
	line := k.close(id, 1, k.minutes("tom", 70)).Posted[0].Line
	one := postgres.LineWriteDown{Line: line, To: "100.00", Reason: "It took too long", By: "olga", OperationKey: k.key()}
	many(10, func(i int) {
		w := one
		if i%2 == 0 {
			w.OperationKey = k.key()
		}
		_, err := k.WriteDown(context.WithoutCancel(t.Context()), w)
		if err != nil {
			require.ErrorContains(t, err, "is not less than")
		}
	})
	require.Equal(t, "100.00", k.owed(), "only one of them took anything off")
	k.proved()
}
