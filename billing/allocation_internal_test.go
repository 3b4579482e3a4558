package billing

import (
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestAllocate(t *testing.T) {
	for name, c := range map[string]struct {
		total   int64
		weights []int64
		want    []int64
	}{
		"two services":             {30250, []int64{480, 240}, []int64{20167, 10083}},
		"equal remainders":         {5, []int64{1, 1, 1}, []int64{2, 2, 1}},
		"one cent":                 {1, []int64{100, 1}, []int64{1, 0}},
		"one, two, three":          {10000, []int64{1, 2, 3}, []int64{1667, 3333, 5000}},
		"nothing":                  {0, []int64{1, 2}, []int64{0, 0}},
		"no weight":                {7, []int64{0, 0}, []int64{7, 0}},
		"fifteen minutes over two": {900_000, []int64{120_000, 720_000}, []int64{128_571, 771_429}},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.want, allocate(c.total, c.weights))
		})
	}
}

func TestPropertyAllocateLosesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		total := rapid.Int64Range(0, 9e12).Draw(t, "total")
		weights := rapid.SliceOfN(rapid.Int64Range(0, 9e12), 1, 20).Draw(t, "weights")
		shares := allocate(total, weights)
		var sum, all int64
		for _, w := range weights {
			all += w
		}
		for i, s := range shares {
			require.GreaterOrEqual(t, s, int64(0))
			sum += s
			if all > 0 { // within one unit of its exact share
				exact := decimal.NewFromInt(total).Mul(decimal.NewFromInt(weights[i]))
				off := decimal.NewFromInt(s).Mul(decimal.NewFromInt(all)).Sub(exact).Abs()
				require.True(t, off.LessThan(decimal.NewFromInt(all)))
			}
		}
		require.Equal(t, total, sum)
	})
}

func TestSpread(t *testing.T) {
	for name, c := range map[string]struct {
		amount  string
		places  int32
		weights []string
		want    []string
	}{
		"one, two, three":                 {"100.00", 2, []string{"1", "2", "3"}, []string{"16.67", "33.33", "50"}},
		"equal remainders":                {"0.05", 2, []string{"1", "1", "1"}, []string{"0.02", "0.02", "0.01"}},
		"a negative amount":               {"-1.01", 2, []string{"1", "1", "1", "1"}, []string{"-0.26", "-0.25", "-0.25", "-0.25"}},
		"finer than the currency":         {"0.0001", 4, []string{"1", "1", "1"}, []string{"0.0001", "0", "0"}},
		"no decimals":                     {"5", 0, []string{"1", "1", "1"}, []string{"2", "2", "1"}},
		"weights that are no whole units": {"10.00", 2, []string{"0.5", "0.25", "0.25"}, []string{"5", "2.5", "2.5"}},
		"no weight":                       {"7.00", 2, []string{"0", "0"}, []string{"7", "0"}},
		"more than 64 bits hold":          {"100000000000000000000.01", 2, []string{"1", "1"}, []string{"50000000000000000000.01", "50000000000000000000"}},
	} {
		t.Run(name, func(t *testing.T) {
			weights := make([]decimal.Decimal, len(c.weights))
			for i, w := range c.weights {
				weights[i] = dec(w)
			}
			var got []string
			for _, s := range spread(dec(c.amount), c.places, weights) {
				got = append(got, s.String())
			}
			require.Equal(t, c.want, got)
		})
	}
}

// No unit is lost, and each share is within one unit of its exact part; where both apply,
// time and money are shared alike.
func TestPropertySpreadLosesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		units := rapid.Int64Range(-9e12, 9e12).Draw(t, "units")
		ints := rapid.SliceOfN(rapid.Int64Range(0, 9e6), 1, 20).Draw(t, "weights")
		weights := make([]decimal.Decimal, len(ints))
		all := decimal.Zero
		for i, w := range ints {
			weights[i] = decimal.New(w, -3)
			all = all.Add(weights[i])
		}
		places := rapid.Int32Range(0, 4).Draw(t, "places")
		amount := decimal.New(units, -places)
		sum := decimal.Zero
		shares := spread(amount, places, weights)
		for i, s := range shares {
			sum = sum.Add(s)
			require.True(t, s.Shift(places).IsInteger())
			if !all.IsZero() {
				off := s.Mul(all).Sub(amount.Mul(weights[i])).Abs()
				require.True(t, off.LessThan(all.Shift(-places)))
			}
		}
		require.True(t, sum.Equal(amount))
		if units >= 0 {
			for i, n := range allocate(units, ints) {
				require.True(t, shares[i].Shift(places).Equal(decimal.NewFromInt(n)))
			}
		}
	})
}
