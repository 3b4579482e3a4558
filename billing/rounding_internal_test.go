package billing

import (
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// The values are those of other billing systems' published tests, where they speak of a
// mode that a contract here can state.
func TestRounding(t *testing.T) {
	one := decimal.NewFromInt(1)
	for _, c := range []struct {
		mode   Rounding
		places int32
		value  string
		want   string
	}{
		{HalfUp, 2, "12.347", "12.35"},
		{HalfUp, 2, "-12.345", "-12.35"},
		{HalfUp, 3, "12345678901234567890.0345", "12345678901234567890.035"},
		{HalfUp, 2, "17.9699999999999988631316", "17.97"},
		{HalfEven, 2, "12.346", "12.35"},
		{HalfEven, 2, "12.335", "12.34"},
		{HalfEven, 2, "12.345", "12.34"},
		{HalfEven, 2, "-12.345", "-12.34"},
		{HalfEven, 2, "-12.335", "-12.34"},
		{HalfEven, 0, "2.5", "2"},
		{HalfEven, 0, "3.5", "4"},
		{HalfEven, 2, "12.3450000001", "12.35"},
	} {
		t.Run(string(c.mode)+" "+c.value, func(t *testing.T) {
			require.Equal(t, c.want, c.mode.round(decimal.RequireFromString(c.value), one, c.places).String())
		})
	}
}

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
