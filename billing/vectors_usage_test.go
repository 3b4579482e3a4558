package billing

import (
	"slices"
	"time"

	"github.com/shopspring/decimal"
)

type vectorTier struct {
	UpTo    *decimal.Decimal `json:"up_to"`
	Unit    decimal.Decimal  `json:"unit"`
	Flat    decimal.Decimal  `json:"flat"`
	Percent decimal.Decimal  `json:"rate_pct"`
}

func contractTiers(tiers []vectorTier) []Tier {
	out := make([]Tier, len(tiers))
	for i, t := range tiers {
		out[i] = Tier{UpTo: t.UpTo, Unit: t.Unit, Flat: t.Flat, Percent: t.Percent}
	}
	return out
}

// vectorTiers prices a quantity, a step from one quantity to another, or several quantities
// that the period comes to one after the other.
func vectorTiers(model string) adapter {
	return func(v *vector) (map[string]any, error) {
		var params struct{ Tiers []vectorTier }
		var in struct {
			Qty        *decimal.Decimal  `json:"qty"`
			Volume     *decimal.Decimal  `json:"volume"`
			TierQty    *decimal.Decimal  `json:"tier_qty"`
			From       decimal.Decimal   `json:"from"`
			Add        decimal.Decimal   `json:"add"`
			Cumulative []decimal.Decimal `json:"cumulative"`
		}
		if err := v.read(&params, &in); err != nil {
			return nil, err
		}
		u := UsageTerms{Model: model, Tiers: contractTiers(params.Tiers), ZeroFlat: v.says("zero usage") && v.says("flat") && !v.says(" no")}
		price, err := priceOf(u)
		if err != nil {
			return nil, err
		}
		if in.Cumulative != nil {
			var deltas []any
			before := decimal.Zero
			for _, q := range in.Cumulative {
				delta, err := price.costs(before, q.Sub(before))
				if err != nil {
					return nil, err
				}
				deltas = append(deltas, delta)
				before = q
			}
			return map[string]any{"deltas": deltas}, nil
		}
		before, quantity := in.From, in.Add
		for _, q := range []*decimal.Decimal{in.Qty, in.Volume} {
			if q != nil {
				before, quantity = decimal.Zero, *q
			}
		}
		if in.TierQty != nil && tierAt(u.Tiers, *in.TierQty, one) != tierAt(u.Tiers, quantity, one) {
			return nil, notApplicable("states another convention: the tier is chosen by other units than those it prices")
		}
		if quantity.IsZero() && before.IsZero() {
			cost, err := price.unused()
			return answer("amount", cost), err
		}
		cost, err := price.costs(before, quantity)
		return answer("amount", cost), err
	}
}

// vectorTierPackages sells each tier in packages of a size of its own.
func vectorTierPackages(v *vector) (map[string]any, error) {
	var params struct {
		Policy string
		Tiers  []struct {
			Size      decimal.Decimal `json:"size"`
			MaxBlocks decimal.Decimal `json:"max_blocks"`
			Price     decimal.Decimal `json:"price"`
		}
	}
	var in struct{ Qty decimal.Decimal }
	if err := v.read(&params, &in); err != nil {
		return nil, err
	}
	model, known := map[string]string{"TOP_TIER": modelVolume, "ALL_TIERS": modelGraduated}[params.Policy]
	if !known {
		return nil, notApplicable("no contract here can say the policy " + params.Policy)
	}
	u := UsageTerms{Model: model}
	end := decimal.Zero
	for i, t := range params.Tiers {
		end = end.Add(t.Size.Mul(t.MaxBlocks))
		tier := Tier{Unit: t.Price, Size: &t.Size}
		if i < len(params.Tiers)-1 {
			to := end
			tier.UpTo = &to
		}
		u.Tiers = append(u.Tiers, tier)
	}
	price, err := priceOf(u)
	if err != nil {
		return nil, err
	}
	whole, err := price.costs(decimal.Zero, in.Qty)
	if err != nil {
		return nil, err
	}
	var each []any
	from := decimal.Zero
	for i := range u.Tiers {
		to := in.Qty
		if u.Tiers[i].UpTo != nil {
			to = decimal.Min(to, *u.Tiers[i].UpTo)
		}
		if !to.GreaterThan(from) {
			break
		}
		cost, err := price.costs(from, to.Sub(from))
		if err != nil {
			return nil, err
		}
		each = append(each, cost)
		from = to
	}
	return map[string]any{"amount": whole, "tier_amounts": each}, nil
}

func vectorPackage(v *vector) (map[string]any, error) {
	var params struct {
		Size, Amount decimal.Decimal
		Free         *decimal.Decimal
	}
	var in struct {
		Qty       *decimal.Decimal
		From, Add decimal.Decimal
	}
	if err := v.read(&params, &in); err != nil {
		return nil, err
	}
	price, err := priceOf(UsageTerms{Model: modelPackage, Price: &params.Amount, Size: &params.Size, Free: params.Free})
	if err != nil {
		return nil, err
	}
	if in.Qty != nil {
		in.From, in.Add = decimal.Zero, *in.Qty
	}
	cost, err := price.costs(in.From, in.Add)
	return answer("amount", cost), err
}

type vectorPercentage struct {
	Percent    decimal.Decimal  `json:"rate_pct"`
	Fixed      decimal.Decimal  `json:"fixed"`
	Min        *decimal.Decimal `json:"min"`
	Max        *decimal.Decimal `json:"max"`
	FreeEvents int              `json:"free_events"`
	FreeVolume *decimal.Decimal `json:"free_volume"`
}

// vectorPercentageEach prices events by their values, in order of arrival.
func vectorPercentageEach(v *vector) (map[string]any, error) {
	var params vectorPercentage
	var in struct {
		Values []decimal.Decimal `json:"txns"`
	}
	if err := v.read(&params, &in); err != nil {
		return nil, err
	}
	p := Percentage{Percent: params.Percent, Fixed: params.Fixed, Min: params.Min, Max: params.Max, FreeEvents: params.FreeEvents, FreeValue: params.FreeVolume}
	if v.says("volume dominates") && p.FreeValue != nil {
		p.FreeEvents = 0 // a contract in which the value alone counts gives no number
	}
	sum, err := eventsCost(p, in.Values)
	return answer("amount", sum), err
}

// vectorPercentageSum knows the sums of its events alone: the free ones, with the free
// value, came first.
func vectorPercentageSum(v *vector) (map[string]any, error) {
	var params vectorPercentage
	var in struct {
		Volume     decimal.Decimal `json:"volume"`
		FreeVolume decimal.Decimal `json:"free_volume"`
		Events     int             `json:"events"`
		FreeEvents int             `json:"free_events"`
	}
	if err := v.read(&params, &in); err != nil {
		return nil, err
	}
	p := Percentage{Percent: params.Percent, Fixed: params.Fixed}
	free := min(in.FreeEvents, in.Events)
	var values []decimal.Decimal
	switch {
	case in.Events == 0:
	case in.FreeEvents >= in.Events && in.Volume.GreaterThan(in.FreeVolume):
		return nil, notApplicable("states another convention: events that are free with a value that is not")
	case in.FreeVolume.IsZero(): // what is free by number alone has no value
		values = evenly(in.Volume, in.Events-free)
	case free > 0:
		p.FreeEvents = free
		values = append(evenly(in.FreeVolume, free), evenly(in.Volume.Sub(in.FreeVolume), in.Events-free)...)
	default: // no event is free, so the first one reaches beyond the free value
		p.FreeValue = &in.FreeVolume
		least := decimal.New(1, -9)
		values = slices.Repeat([]decimal.Decimal{least}, in.Events)
		values[0] = in.Volume.Sub(least.Mul(decimal.NewFromInt(int64(in.Events - 1))))
	}
	sum, err := eventsCost(p, values)
	return answer("amount", sum), err
}

// evenly shares a value over so many events.
func evenly(value decimal.Decimal, events int) []decimal.Decimal {
	return spread(value, 9, slices.Repeat([]decimal.Decimal{one}, events))
}

func eventsCost(p Percentage, values []decimal.Decimal) (decimal.Decimal, error) {
	price, err := priceOf(UsageTerms{Model: modelPercentage, Percentage: &p})
	if err != nil {
		return decimal.Zero, err
	}
	f := vectorFacts(price.terms)
	for i, value := range values {
		f.Events = append(f.Events, Event{ID: int64(i + 1), Name: "used", Quantity: value, Date: vectorNoon.Format(time.DateOnly)})
	}
	return exactSum(decideAll(f))
}

// vectorConversion bills converted, rounded units, less those that are included.
func vectorConversion(v *vector) (map[string]any, error) {
	var params struct {
		DivideBy *decimal.Decimal `json:"divide_by"`
		Rounding string           `json:"rounding"`
		Tiers    []vectorTier     `json:"tiers"`
		Unit     *decimal.Decimal `json:"unit"`
		Discount *decimal.Decimal `json:"usage_discount"`
	}
	var in struct{ Raw decimal.Decimal }
	if err := v.read(&params, &in); err != nil {
		return nil, err
	}
	round, known := map[string]string{"": "", "none": "", "ceiling": "up", "floor": "down", "half_up": "nearest"}[params.Rounding]
	if !known {
		return nil, notApplicable("no contract here rounds units by " + params.Rounding)
	}
	u := UsageTerms{Model: modelUnit, Price: params.Unit, DivideBy: params.DivideBy, Round: round, Included: params.Discount}
	if params.Tiers != nil {
		u.Model, u.Tiers = modelGraduated, contractTiers(params.Tiers)
	}
	price, err := priceOf(u)
	if err != nil {
		return nil, err
	}
	cost, err := price.costs(decimal.Zero, in.Raw)
	n, d := u.units(in.Raw)
	return map[string]any{"billed_qty": n.DivRound(d, exactPlaces), "amount": cost}, err
}

// vectorFreeUnits counts what is not free, before a use and of it.
func vectorFreeUnits(v *vector) (map[string]any, error) {
	var params struct {
		Free *decimal.Decimal `json:"free_qty"`
	}
	var in struct{ Qty, Pre decimal.Decimal }
	if err := v.read(&params, &in); err != nil {
		return nil, err
	}
	price, err := priceOf(UsageTerms{Model: modelUnit, Price: &one, Free: params.Free})
	if err != nil {
		return nil, err
	}
	pre, err := price.costs(decimal.Zero, in.Pre)
	if err != nil {
		return nil, err
	}
	billable, err := price.costs(in.Pre, in.Qty)
	return map[string]any{"billable_qty": billable, "billable_pre": pre}, err
}

func vectorLeastUnits(v *vector) (map[string]any, error) {
	var params struct {
		Least *decimal.Decimal `json:"min_qty"`
		Rate  decimal.Decimal  `json:"rate_minor"`
	}
	var in struct{ Qty decimal.Decimal }
	if err := v.read(&params, &in); err != nil {
		return nil, err
	}
	rate := fromMinor(params.Rate)
	u := UsageTerms{Model: modelUnit, Price: &rate, Minimum: params.Least}
	price, err := priceOf(u)
	if err != nil {
		return nil, err
	}
	cost, err := price.costs(decimal.Zero, in.Qty)
	n, d := u.units(in.Qty)
	return map[string]any{"billed_qty": n.DivRound(d, exactPlaces), "amount_minor": toMinor(cost.Round(minorPlaces))}, err
}
