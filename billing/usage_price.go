package billing

import "github.com/shopspring/decimal"

// The models of UsageTerms.
const (
	modelUnit       = "unit"
	modelGraduated  = "graduated"
	modelVolume     = "volume"
	modelPackage    = "package"
	modelPercentage = "percentage"
)

// fraction gives what a period's use costs in all, as a fraction that nothing has been cut off:
// F of the rules of money. It is a function of the raw quantity alone, so a use costs
// F(after) − F(before), and undoing it the same the other way, in any order. Its denominator
// does not depend on the quantity. Where byEvent holds there is no such F.
func (u *UsageTerms) fraction(quantity decimal.Decimal) (times, d decimal.Decimal) {
	n, d := u.units(quantity)
	switch u.Model {
	case modelGraduated:
		times = graduated(u.Tiers, n, d)
	case modelVolume:
		times = volume(u.Tiers, n, d)
	case modelPercentage:
		times = n.Sub(u.Percentage.free().Mul(d)).Mul(percent(u.Percentage.Percent))
		times = decimal.Max(times, decimal.Zero)
	default:
		times = n.Mul(*u.Price)
	}
	return times, d
}

// units gives the billing units of a period's raw quantity, as n/d: the raw units less the
// free ones, converted, rounded, less the included ones, and at least the minimum where
// anything was used at all. A package is a conversion that rounds up.
func (u *UsageTerms) units(quantity decimal.Decimal) (n, d decimal.Decimal) {
	n, d = quantity, decimal.NewFromInt(1)
	if u.Free != nil {
		n = n.Sub(*u.Free)
	}
	n = decimal.Max(n, decimal.Zero)
	rounds := u.Round
	if u.DivideBy != nil {
		d = *u.DivideBy
	}
	if u.Model == modelPackage {
		d, rounds = d.Mul(*u.Size), string(roundsUp)
	}
	if rounds != "" && rounds != roundsNot {
		n, d = Rounding(rounds).round(n, d, 0), decimal.NewFromInt(1)
	}
	if u.Included != nil {
		n = decimal.Max(n.Sub(u.Included.Mul(d)), decimal.Zero)
	}
	if u.Minimum != nil && quantity.IsPositive() {
		n = decimal.Max(n, u.Minimum.Mul(d))
	}
	return n, d
}

// byEvent says whether each event has a price of its own, which the sum of the period's
// quantities does not tell: total does not apply then, but Percentage.price.
func (u *UsageTerms) byEvent() bool {
	p := u.Percentage
	return u.Model == modelPercentage && (!p.Fixed.IsZero() || p.Min != nil || p.Max != nil || p.FreeEvents > 0)
}
