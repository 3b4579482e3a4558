package billing

import "github.com/shopspring/decimal"

// Quantities of tiered prices are n/d: n raw units of which d make one that the tiers speak
// of (1,000 calls; the days of a period, for an average count). What they cost comes times d,
// so that money divides once, at the end.

// graduated gives d times what n/d units cost when each unit is priced by the tier in which
// it falls: Σ over the tiers entered of the units in it × unit + flat. No units cost nothing.
func graduated(tiers []Tier, n, d decimal.Decimal) decimal.Decimal {
	var sum, from decimal.Decimal
	for i := range tiers {
		t := &tiers[i]
		in := n.Sub(from)
		if !in.IsPositive() {
			break
		}
		if to, ends := t.end(d); ends && i < len(tiers)-1 {
			in = decimal.Min(in, to.Sub(from))
			from = to
		} else {
			from = n
		}
		sum = sum.Add(t.price(in, d))
	}
	return sum
}

// volume gives d times what n/d units cost when the tier that the quantity reaches prices
// all of them. It may fall as n grows. No units cost nothing.
func volume(tiers []Tier, n, d decimal.Decimal) decimal.Decimal {
	if !n.IsPositive() {
		return decimal.Zero
	}
	return tierAt(tiers, n, d).price(n, d)
}

// tierAt gives the tier that n/d units reach; the last one has no end, whatever it says.
func tierAt(tiers []Tier, n, d decimal.Decimal) *Tier {
	for i := range tiers {
		if to, ends := tiers[i].end(d); !ends || n.LessThanOrEqual(to) {
			return &tiers[i]
		}
	}
	return &tiers[len(tiers)-1]
}

// end gives the last of the tier's units, times d.
func (t *Tier) end(d decimal.Decimal) (to decimal.Decimal, ends bool) {
	if t.UpTo == nil {
		return decimal.Zero, false
	}
	return t.UpTo.Mul(d), true
}

// price gives d times what n/d units cost at the tier's prices. A percentage is of the units
// themselves: they are money then.
func (t *Tier) price(n, d decimal.Decimal) decimal.Decimal {
	if t.Size != nil {
		n = roundsUp.round(n, t.Size.Mul(d), 0).Mul(d)
	}
	return n.Mul(t.Unit.Add(percent(t.Percent))).Add(t.Flat.Mul(d))
}

// percent gives p percent as a factor.
func percent(p decimal.Decimal) decimal.Decimal { return p.Shift(-2) }
