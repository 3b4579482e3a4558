package billing

import "github.com/shopspring/decimal"

// vectorDiscounts lowers a charge by a percentage, a fixed amount, and what somebody writes
// down or up by hand.
func vectorDiscounts(v *vector) (map[string]any, error) {
	var params struct {
		Percent *decimal.Decimal `json:"pct"`
		Fixed   *decimal.Decimal `json:"fixed_minor"`
		Adjust  decimal.Decimal  `json:"adjust_minor"`
	}
	var in struct {
		Subtotal decimal.Decimal `json:"subtotal_minor"`
	}
	if err := v.read(&params, &in); err != nil {
		return nil, err
	}
	var off DiscountTerms
	left := fromMinor(in.Subtotal)
	var taken []any
	take := func() error {
		after, err := anHour(fromMinor(in.Subtotal), func(l *Line) { l.Discount = &off }, nil)
		taken = append(taken, toMinor(left.Sub(after)))
		left = after
		return err
	}
	if params.Percent != nil {
		off.Percent = params.Percent
		if err := take(); err != nil {
			return nil, err
		}
	}
	if params.Fixed != nil {
		fixed := fromMinor(*params.Fixed)
		off.Amount = &fixed
		if err := take(); err != nil {
			return nil, err
		}
	}
	final := decimal.Max(toMinor(left).Add(params.Adjust), decimal.Zero)
	return map[string]any{"discounts_minor": taken, "final_minor": final}, nil
}

// anHour gives what an hour of work at a rate comes to, under a line and where counters stand.
func anHour(rate decimal.Decimal, change func(*Line), counters []Counter) (decimal.Decimal, error) {
	l := Line{Charge: chargeTime}
	change(&l)
	t, err := vectorTerms(l, func(c *Contract) { c.Rates = []Rate{{Hourly: rate}} })
	if err != nil {
		return decimal.Zero, err
	}
	f := vectorFacts(t)
	w, err := vectorWork(decimal.NewFromInt(60))
	if err != nil {
		return decimal.Zero, err
	}
	f.Work, f.Counters = []Work{w}, counters
	return billedSum(decideAll(f))
}

// vectorMinMax caps a line over its period, and trues it up to a minimum at the period's end.
func vectorMinMax(v *vector) (map[string]any, error) {
	var params struct{ Min, Max *decimal.Decimal }
	var in struct {
		Line   decimal.Decimal `json:"line_amount"`
		Before decimal.Decimal `json:"previously_billed"`
		Last   bool            `json:"last_in_period"`
	}
	if err := v.read(&params, &in); err != nil {
		return nil, err
	}
	counters := []Counter{{Key: "cap/" + vectorContract + "/" + vectorClause + "/" + vectorMonth, Value: in.Before}}
	total, err := anHour(in.Line, func(l *Line) { l.Cap = params.Max }, counters)
	if err != nil {
		return nil, err
	}
	up := decimal.Zero
	if params.Min != nil && in.Last {
		if up, err = trueUpTo(*params.Min, 1, 1, in.Before.Add(total)); err != nil {
			return nil, err
		}
	}
	return map[string]any{"line_total": total, "true_up": up}, nil
}

func vectorCommitment(v *vector) (map[string]any, error) {
	var params struct {
		Min decimal.Decimal `json:"min_minor"`
	}
	var in struct {
		Used []decimal.Decimal `json:"used_minor"`
		Num  int               `json:"num"`
		Den  int               `json:"den"`
	}
	if err := v.read(&params, &in); err != nil {
		return nil, err
	}
	if in.Den == 0 {
		in.Num, in.Den = 1, 1
	}
	billed := decimal.Zero
	for _, used := range in.Used {
		billed = billed.Add(fromMinor(used))
	}
	up, err := trueUpTo(fromMinor(params.Min), in.Num, in.Den, billed)
	return answer("true_up_minor", toMinor(up)), err
}

// trueUpTo closes a period of den days, in num of which the contract with the minimum is in force.
func trueUpTo(minimum decimal.Decimal, num, den int, billed decimal.Decimal) (decimal.Decimal, error) {
	t, err := vectorTerms(Line{Charge: chargeTime}, func(c *Contract) {
		c.Rates = []Rate{{Hourly: decimal.NewFromInt(100)}}
		c.Commitment = &Commitment{Clause: "M1", Name: "Minimum", Amount: minimum}
	})
	if err != nil {
		return decimal.Zero, err
	}
	p := periodOfDays(den)
	return billedSum(runPeriod(t, Closing, p, p.Start, daysOn(p.Start, num), billed))
}
