package billing_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/docket-psa/docket/billing"
)

func creditPart(line int64, of, net, gross string) billing.CreditPart {
	return billing.CreditPart{Line: line, Of: of, Net: dec(net), Gross: dec(gross)}
}

func TestACreditOfAnAmountIsSharedOverWhatStillCosts(t *testing.T) {
	for name, c := range map[string]struct {
		amount string
		parts  []billing.CreditPart
		want   string
	}{
		"one line":                     {"100", []billing.CreditPart{creditPart(1, "a", "187.50", "187.50")}, "L-1 100 (100)"},
		"in proportion":                {"100", []billing.CreditPart{creditPart(1, "a", "187.50", "187.50"), creditPart(2, "b", "150", "150")}, "L-1 55.56 (55.56), L-2 44.44 (44.44)"},
		"with its tax":                 {"60.50", []billing.CreditPart{creditPart(1, "a", "100", "121")}, "L-1 60.5 (50)"},
		"all of it, tax and all":       {"10.01", []billing.CreditPart{creditPart(1, "a", "8.27", "10.01")}, "L-1 10.01 (8.27)"},
		"a discount goes with its own": {"150", []billing.CreditPart{creditPart(1, "a", "200", "200"), creditPart(2, "a", "-150", "-150"), creditPart(3, "b", "100", "100")}, "L-1 50 (50), L-3 100 (100)"},
		"what was undone has no share": {"50", []billing.CreditPart{creditPart(1, "a", "-200", "-200"), creditPart(2, "b", "250", "250")}, "L-2 50 (50)"},
	} {
		t.Run(name, func(t *testing.T) {
			var told []string
			for _, s := range billing.ShareCredit(dec(c.amount), 2, c.parts) {
				told = append(told, fmt.Sprintf("L-%d %s (%s)", s.Line, s.Gross, s.Net))
			}
			require.Equal(t, c.want, strings.Join(told, ", "))
		})
	}
}

func TestCreditSharesLoseNoCent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var parts []billing.CreditPart
		sum := decimal.Zero
		for i := range rapid.IntRange(1, 8).Draw(t, "lines") {
			net := decimal.New(rapid.Int64Range(-5000, 50000).Draw(t, "net"), -2)
			gross := net.Mul(dec("1.21")).Round(2)
			parts = append(parts, billing.CreditPart{Line: int64(i + 1), Of: rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "of"), Net: net, Gross: gross})
			sum = sum.Add(gross)
		}
		if sum.LessThan(dec("0.01")) {
			return
		}
		amount := decimal.New(rapid.Int64Range(1, sum.Shift(2).IntPart()).Draw(t, "amount"), -2)
		given := decimal.Zero
		for _, s := range billing.ShareCredit(amount, 2, parts) {
			whole := parts[s.Line-1]
			require.True(t, s.Gross.IsPositive() && s.Gross.LessThanOrEqual(whole.Gross), "no line gives back more than it costs: %v of %v", s, whole)
			require.True(t, s.Net.LessThanOrEqual(whole.Net))
			given = given.Add(s.Gross)
		}
		require.True(t, given.Equal(amount), "%s of %s", given, amount)
	})
}
