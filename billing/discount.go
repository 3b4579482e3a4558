package billing

import "github.com/shopspring/decimal"

var hundred = decimal.NewFromInt(100)

// percentOff lowers an amount of a service date by the line's discount in percent.
func (l *line) discounted(amount decimal.Decimal, date string) decimal.Decimal {
	off := l.Discount
	if off == nil || off.Percent == nil || !off.applies(date) {
		return amount
	}
	return amount.Mul(hundred.Sub(*off.Percent)).Shift(-2)
}

// lowered lowers the whole amount of one charge by the line's discount: the percentage, then the
// fixed amount, never below zero.
func (l *line) lowered(amount decimal.Decimal, date string) decimal.Decimal {
	amount = l.discounted(amount, date)
	if off := l.Discount; off != nil && off.Amount != nil && off.applies(date) {
		amount = decimal.Max(amount.Sub(*off.Amount), decimal.Min(amount, decimal.Zero))
	}
	return amount
}

func (off *DiscountTerms) applies(date string) bool { return off.Until == "" || date < off.Until }

func (d *decider) explainDiscount(s *slot) {
	if s.clause == nil || s.clause.Discount == nil || !s.clause.Discount.applies(s.charge.Date) {
		return
	}
	s.charge.Steps = append(s.charge.Steps, s.clause.Discount.step())
}

// step tells the discount to the explanation.
func (off *DiscountTerms) step() Step {
	var args []Arg
	if off.Percent != nil {
		args = append(args, Arg{"percent", off.Percent.String()})
	}
	if off.Amount != nil {
		args = append(args, Arg{"amount", off.Amount.String()})
	}
	if off.Until != "" {
		args = append(args, Arg{"until", off.Until})
	}
	return Step{Rule: ruleDiscount, Args: args}
}
