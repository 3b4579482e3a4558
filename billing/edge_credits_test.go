package billing_test

import (
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/docket-psa/docket/billing"
)

func TestEdge46EachApplicationIsReversedOnce(t *testing.T) {
	rows := billing.ApplyCredits([]billing.Balance{{ID: 7, Left: dec("30")}, {ID: 8, Left: dec("100")}}, dec("80"))
	require.Equal(t, []billing.Application{{Balance: 7, Amount: dec("30")}, {Balance: 8, Amount: dec("50")}}, rows)
	rows[0].ID, rows[1].ID = 1, 2

	back := billing.TakeBack(rows)
	require.Equal(t, []billing.Application{{Balance: 7, Amount: dec("-30"), Reverses: 1}, {Balance: 8, Amount: dec("-50"), Reverses: 2}}, back)
	back[0].ID, back[1].ID = 3, 4
	rows = append(rows, back...)
	require.Empty(t, billing.TakeBack(rows), "a second time there is nothing to take back")

	again := billing.ApplyCredits([]billing.Balance{{ID: 7, Left: dec("30")}, {ID: 8, Left: dec("100")}}, dec("20"))
	require.Equal(t, []billing.Application{{Balance: 7, Amount: dec("20")}}, again)
	again[0].ID = 5
	require.Equal(t, []billing.Application{{Balance: 7, Amount: dec("-20"), Reverses: 5}}, billing.TakeBack(append(rows, again...)))
}

func TestEdge48ACreditLargerThanTheBalance(t *testing.T) {
	note := billing.Balance{ID: 1, Left: dec("150")}
	applied := billing.ApplyCredits([]billing.Balance{note}, dec("100"))
	require.Equal(t, []billing.Application{{Balance: 1, Amount: dec("100")}}, applied)
	note.Left = note.Left.Sub(applied[0].Amount)
	require.Equal(t, "50", note.Left.String(), "the rest is the client's credit")
	require.Empty(t, billing.ApplyCredits([]billing.Balance{note}, dec("0")))
	require.Empty(t, billing.ApplyCredits([]billing.Balance{note}, dec("-20")), "a document below zero asks for nothing")
}

func TestPropertyCreditsNeverPayTooMuch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var balances []billing.Balance
		have := decimal.Zero
		for i, cents := range rapid.SliceOfN(rapid.Int64Range(0, 9_999), 0, 6).Draw(t, "balances") {
			balances = append(balances, billing.Balance{ID: int64(i + 1), Left: decimal.New(cents, -2)})
			have = have.Add(balances[i].Left)
		}
		payable := decimal.New(rapid.Int64Range(-9_999, 29_999).Draw(t, "payable"), -2)
		paid := decimal.Zero
		for _, a := range billing.ApplyCredits(balances, payable) {
			require.True(t, a.Amount.IsPositive() && a.Amount.LessThanOrEqual(balances[a.Balance-1].Left))
			paid = paid.Add(a.Amount)
		}
		require.True(t, paid.Equal(decimal.Max(decimal.Min(have, payable), decimal.Zero)))
	})
}
