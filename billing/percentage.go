package billing

import "github.com/shopspring/decimal"

// price gives what an event of this value costs, exactly, when so many events of such a value
// came before it in its period: clamp(value × percent + fixed, min, max) of what is not free.
//
// What is free goes by the order of arrival: the first events, or the first value, or where
// both are given the first events up to that value. An event that goes beyond the free
// value is priced by what is beyond. Undoing an event negates what it cost, and its place
// among the free ones goes to the next event, as minutes given back to a block do: no sum
// of the period could tell which later event would have been free in its stead.
func (p *Percentage) price(value, events, before decimal.Decimal) decimal.Decimal {
	switch byNumber := events.LessThan(decimal.NewFromInt(int64(p.FreeEvents))); {
	case byNumber && p.FreeValue == nil:
		return decimal.Zero
	case p.FreeValue != nil && (byNumber || p.FreeEvents == 0):
		left := p.FreeValue.Sub(before)
		if value.LessThanOrEqual(left) {
			return decimal.Zero
		}
		value = value.Sub(decimal.Max(left, decimal.Zero))
	}
	amount := value.Mul(percent(p.Percent)).Add(p.Fixed)
	if p.Min != nil {
		amount = decimal.Max(amount, *p.Min)
	}
	if p.Max != nil {
		amount = decimal.Min(amount, *p.Max)
	}
	return amount
}

// free is the value of a period without charge.
func (p *Percentage) free() decimal.Decimal {
	if p.FreeValue == nil {
		return decimal.Zero
	}
	return *p.FreeValue
}

// bounds names what stands beside the percentage, for the explanation.
func (p *Percentage) bounds() []Arg {
	var args []Arg
	add := func(name string, of *decimal.Decimal) {
		if of != nil && !of.IsZero() {
			args = append(args, Arg{name, of.String()})
		}
	}
	add("fixed", &p.Fixed)
	add("least", p.Min)
	add("most", p.Max)
	add("free_value", p.FreeValue)
	if p.FreeEvents > 0 {
		args = append(args, Arg{"free_events", decimal.NewFromInt(int64(p.FreeEvents)).String()})
	}
	return args
}
