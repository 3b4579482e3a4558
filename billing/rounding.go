package billing

import (
	"math/bits"
	"slices"

	"github.com/shopspring/decimal"
)

// Rounding says what happens to exactly half a minor unit.
type Rounding string

// The modes of rounding money.
const (
	HalfUp   Rounding = "half-up"   // away from zero
	HalfEven Rounding = "half-even" // to the even neighbour
)

// How quantities are rounded to whole units.
const (
	roundsNot              = "no"
	roundsUp      Rounding = "up" // away from zero
	roundsNearest Rounding = "nearest"
	roundsDown    Rounding = "down" // towards zero
)

// exactPlaces is how many decimals Exact keeps of an amount that does not end.
const exactPlaces = 16

var (
	two       = decimal.NewFromInt(2)
	msPerHour = decimal.NewFromInt(3_600_000)
	thousand  = decimal.NewFromInt(1000)
)

// round gives num/den with the given number of decimals. It divides once, so that no
// digit is lost before the rounding.
func (r Rounding) round(num, den decimal.Decimal, places int32) decimal.Decimal {
	if r != HalfEven && r != roundsUp && r != roundsDown {
		return num.DivRound(den, places)
	}
	q, rest := num.QuoRem(den, places)
	unit := decimal.New(1, -places)
	half := rest.Abs().Mul(two).Cmp(den.Abs().Mul(unit)) // what is left, compared with half a unit
	odd := !q.Shift(places).Mod(two).IsZero()
	if away := r == roundsUp && !rest.IsZero() || r == HalfEven && (half > 0 || half == 0 && odd); !away {
		return q
	}
	if num.Sign()*den.Sign() < 0 {
		return q.Sub(unit)
	}
	return q.Add(unit)
}

// price gives ms at an hourly rate: exact (to 16 places) and rounded once to the minor unit.
func (r Rounding) price(ms int64, hourly decimal.Decimal, places int32) (exact, amount decimal.Decimal) {
	total := decimal.NewFromInt(ms).Mul(hourly)
	return total.DivRound(msPerHour, exactPlaces), r.round(total, msPerHour, places)
}

// hours gives ms in hours to 9 places, so that the milliseconds can be had back from it.
func hours(ms int64) decimal.Decimal {
	return decimal.NewFromInt(ms).DivRound(msPerHour, 9)
}

// seconds gives ms in seconds, exactly.
func seconds(ms int64) decimal.Decimal { return decimal.New(ms, -3) }

// milliseconds is the inverse of hours and seconds.
func milliseconds(quantity decimal.Decimal, unit string) int64 {
	if unit == UnitSecond {
		return quantity.Mul(thousand).Round(0).IntPart()
	}
	return quantity.Mul(msPerHour).Round(0).IntPart()
}

// allocate shares a total over parts in proportion to their weights, by largest
// remainder; equal remainders go to the earlier part. The shares sum to the total.
// All numbers are ≥ 0; with no weight at all, the first part takes everything.
func allocate(total int64, weights []int64) []int64 {
	shares := make([]int64, len(weights))
	if len(weights) == 0 {
		return shares
	}
	if len(weights) == 1 {
		shares[0] = total
		return shares
	}
	var sum uint64
	for _, w := range weights {
		sum += uint64(w)
	}
	if sum == 0 {
		shares[0] = total
		return shares
	}
	type rest struct {
		part int
		left uint64
	}
	rests := make([]rest, len(weights))
	left := total
	for i, w := range weights {
		hi, lo := bits.Mul64(uint64(total), uint64(w))
		q, r := bits.Div64(hi, lo, sum)
		shares[i], rests[i] = int64(q), rest{part: i, left: r}
		left -= int64(q)
	}
	slices.SortStableFunc(rests, func(a, b rest) int {
		switch {
		case a.left > b.left:
			return -1
		case a.left < b.left:
			return 1
		}
		return a.part - b.part
	})
	for i := range left {
		shares[rests[i].part]++
	}
	return shares
}

// SplitTime shares the time of one trip or one piece of work over several tickets, as evenly as
// milliseconds allow; the parts sum to it, and the earlier ones are the longer.
func SplitTime(ms int64, parts int) []int64 {
	weights := make([]int64, parts)
	for i := range weights {
		weights[i] = 1
	}
	return allocate(ms, weights)
}
