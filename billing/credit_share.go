package billing

import (
	"slices"

	"github.com/shopspring/decimal"
)

// CreditPart is a line of an invoice as a credit note of an amount finds it: with what was written off it, and less what
// other notes gave back.
type CreditPart struct {
	Line  int64
	Of    string          // what is undone together: the closure, or the posting, that it comes of
	Net   decimal.Decimal // what it still charges; negative where it takes something off the others
	Gross decimal.Decimal // with its tax
}

// CreditShare is what a credit note gives back of one line.
type CreditShare struct {
	Line       int64
	Net, Gross decimal.Decimal
}

// ShareCredit says what of each line a credit note of an amount, with tax, gives back: in proportion to what still costs
// something, first over what is undone together, then over its lines, each in minor units and so that they sum to the amount. So
// a later reversal knows what went back already. The amount is no more than the parts come to.
func ShareCredit(amount decimal.Decimal, places int32, parts []CreditPart) []CreditShare {
	var groups []string
	for _, p := range parts {
		if !slices.Contains(groups, p.Of) {
			groups = append(groups, p.Of)
		}
	}
	weights := make([]decimal.Decimal, len(groups))
	for i, g := range groups {
		for _, p := range parts {
			if p.Of == g {
				weights[i] = weights[i].Add(p.Gross)
			}
		}
		weights[i] = decimal.Max(weights[i], decimal.Zero)
	}
	var shares []CreditShare
	for i, of := range spread(amount, places, weights) {
		if of.IsZero() {
			continue
		}
		var lines []CreditPart
		var costs []decimal.Decimal
		for _, p := range parts {
			if p.Of == groups[i] && p.Gross.IsPositive() {
				lines, costs = append(lines, p), append(costs, p.Gross)
			}
		}
		for j, gross := range spread(of, places, costs) {
			if gross.IsZero() {
				continue
			}
			net := lines[j].Net // all of it, without a cent of rounding
			if !gross.Equal(lines[j].Gross) {
				net = gross.Mul(lines[j].Net).DivRound(lines[j].Gross, places)
			}
			shares = append(shares, CreditShare{Line: lines[j].Line, Net: net, Gross: gross})
		}
	}
	return shares
}
