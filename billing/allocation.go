package billing

import (
	"cmp"
	"math/bits"
	"slices"

	"github.com/shopspring/decimal"
)

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
	rests := make([]uint64, len(weights))
	left := total
	for i, w := range weights {
		hi, lo := bits.Mul64(uint64(total), uint64(w))
		q, r := bits.Div64(hi, lo, sum)
		shares[i], rests[i] = int64(q), r
		left -= int64(q)
	}
	for _, i := range largestFirst(rests, cmp.Compare[uint64])[:left] {
		shares[i]++
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

// spread shares an amount of money over parts as allocate does, in units of its last place.
// A negative amount is shared like its opposite. Ties go by the order of the parts: who
// has them in a map sorts them by key first, so that no map order shows.
func spread(amount decimal.Decimal, places int32, weights []decimal.Decimal) []decimal.Decimal {
	sum := decimal.Zero
	for _, w := range weights {
		sum = sum.Add(w)
	}
	shares := make([]decimal.Decimal, len(weights))
	if len(weights) == 0 {
		return shares
	}
	if sum.IsZero() {
		shares[0] = amount
		return shares
	}
	total := amount.Abs().Shift(places)
	rests := make([]decimal.Decimal, len(weights))
	left := total
	for i, w := range weights {
		shares[i], rests[i] = total.Mul(w).QuoRem(sum, 0)
		left = left.Sub(shares[i])
	}
	for _, i := range largestFirst(rests, decimal.Decimal.Cmp)[:left.IntPart()] {
		shares[i] = shares[i].Add(decimal.NewFromInt(1))
	}
	for i := range shares {
		shares[i] = shares[i].Shift(-places)
		if amount.IsNegative() {
			shares[i] = shares[i].Neg()
		}
	}
	return shares
}

// largestFirst gives the indices of the remainders, the largest first, equal ones in their order.
func largestFirst[R any](rests []R, compare func(a, b R) int) []int {
	order := make([]int, len(rests))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return compare(rests[j], rests[i]) })
	return order
}
