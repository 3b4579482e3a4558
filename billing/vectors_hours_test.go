package billing

import (
	"strconv"
	"time"

	"github.com/shopspring/decimal"
)

// hoursUsed is what work under hours that are paid for comes to.
type hoursUsed struct {
	left   map[int64]int64 // ms, by block
	drawn  []Draw
	over   int64 // ms beyond
	amount decimal.Decimal
}

// workUnder works so many minutes under a line with blocks of hours.
func workUnder(t *Terms, minutes decimal.Decimal, blocks []Block) (hoursUsed, error) {
	u := hoursUsed{left: map[int64]int64{}}
	w, err := vectorWork(minutes)
	if err != nil {
		return u, err
	}
	f := vectorFacts(t)
	f.Work, f.Blocks = []Work{w}, blocks
	for _, b := range blocks {
		u.left[b.ID] = b.LeftMS
	}
	charges, err := decideAll(f)
	for _, c := range charges {
		for _, draw := range c.Draws {
			u.left[draw.Block] -= draw.MS
			u.drawn = append(u.drawn, draw)
		}
		if c.Kind == Overage {
			u.over += milliseconds(c.Quantity, c.Unit)
			u.amount = u.amount.Add(c.Amount)
		}
	}
	return u, err
}

// allowance is a bucket of the vectors' month, with what rolled over into it.
type allowance struct {
	terms *Terms
	grant Allowance
	price decimal.Decimal // of an hour beyond
}

// allow grants minutes for the month; most is how many of them may roll over.
func allow(included, most, price decimal.Decimal) (allowance, error) {
	a := allowance{price: price}
	hours, err := duration(included)
	if err != nil {
		return a, err
	}
	bucket := Bucket{Included: hours}
	if most.IsPositive() {
		if bucket.Rollover, err = duration(most); err != nil {
			return a, err
		}
	}
	if a.terms, err = vectorTerms(Line{Charge: chargeBucket, Bucket: &bucket, Overage: price.String()}); err != nil {
		return a, err
	}
	a.grant, _ = Allow([]Version{vectorVersion(a.terms)}, vectorClause, Period{vectorMonth + "-01", "2026-04-01"})
	return a, nil
}

const (
	ownHours    = 1 // block ids
	rolledHours = 2
)

// use works so many minutes where others rolled over before, and ends the month: rolls go
// into the next one, and the rest expires. All in milliseconds.
func (a allowance) use(minutes, rolled decimal.Decimal) (u hoursUsed, rolls, expired int64, err error) {
	block := func(id, ms int64, order int) Block {
		return Block{
			ID: id, Contract: vectorContract, Clause: vectorClause, Priority: order, Period: a.grant.Period.Start,
			GrantedAt: a.grant.From, ExpiresAt: a.grant.Until, LeftMS: ms, GrantedMS: ms,
		}
	}
	before, err := inMS(rolled)
	if err != nil {
		return u, 0, 0, err
	}
	blocks := []Block{block(ownHours, a.grant.MS, a.grant.Base), block(rolledHours, before, a.grant.Rolled)}
	if u, err = workUnder(a.terms, minutes, blocks); err != nil {
		return u, 0, 0, err
	}
	own, err := EndedBlock{LeftMS: u.left[ownHours], RolloverMS: a.grant.RolloverMS}.After(0)
	if err != nil {
		return u, 0, 0, err
	}
	old, err := EndedBlock{LeftMS: u.left[rolledHours]}.After(0)
	return u, own.Rolls, own.Forfeits + old.Forfeits, err
}

func vectorBucket(v *vector) (map[string]any, error) {
	var params struct {
		Included decimal.Decimal `json:"included"`
		Unit     string          `json:"unit"`
		Rate     decimal.Decimal `json:"overage_rate_minor"`
		Tax      decimal.Decimal `json:"tax_pct"`
	}
	var in struct{ Used, Rolled decimal.Decimal }
	if err := v.read(&params, &in); err != nil {
		return nil, err
	}
	rate := fromMinor(params.Rate)
	var over, net decimal.Decimal
	switch params.Unit {
	case "minute":
		a, err := allow(params.Included, decimal.Zero, rate)
		if err != nil {
			return nil, err
		}
		u, _, _, err := a.use(in.Used, in.Rolled)
		if err != nil {
			return nil, err
		}
		over, net = inMinutes(u.over), u.amount
	default: // an allowance of units is a usage line with free ones; they do not roll over
		if !in.Rolled.IsZero() {
			return nil, notApplicable("no contract here rolls over units other than hours")
		}
		units, err := priceOf(UsageTerms{Model: modelUnit, Price: &one, Free: &params.Included})
		if err != nil {
			return nil, err
		}
		price, err := priceOf(UsageTerms{Model: modelUnit, Price: &rate, Free: &params.Included})
		if err != nil {
			return nil, err
		}
		if over, err = units.costs(decimal.Zero, in.Used); err != nil {
			return nil, err
		}
		if net, err = price.costs(decimal.Zero, in.Used); err != nil {
			return nil, err
		}
	}
	sums, err := taxed([]decimal.Decimal{net.Round(minorPlaces)}, params.Tax)
	return map[string]any{"overage": over, "amount_minor": toMinor(sums.TaxExclusive), "tax_minor": toMinor(sums.Tax)}, err
}

func vectorBucketChain(v *vector) (map[string]any, error) {
	var params struct{ Included decimal.Decimal }
	var in struct{ Used []decimal.Decimal }
	if err := v.read(&params, &in); err != nil {
		return nil, err
	}
	a, err := allow(params.Included, params.Included, one)
	if err != nil {
		return nil, err
	}
	var periods []any
	rolled := decimal.Zero
	for _, used := range in.Used {
		u, rolls, _, err := a.use(used, rolled)
		if err != nil {
			return nil, err
		}
		periods = append(periods, []any{rolled, inMinutes(a.grant.MS).Add(rolled), inMinutes(u.over)})
		rolled = inMinutes(rolls)
	}
	return map[string]any{"periods": periods}, nil
}

func vectorRollover(v *vector) (map[string]any, error) {
	var params struct {
		Amount   decimal.Decimal `json:"amount"`
		Most     decimal.Decimal `json:"max_rollover"`
		Least    decimal.Decimal `json:"min_rollover"`
		Preserve bool            `json:"preserve_overage"`
	}
	var in struct{ Usage decimal.Decimal }
	if err := v.read(&params, &in); err != nil {
		return nil, err
	}
	left := params.Amount.Sub(in.Usage)
	switch {
	case params.Least.GreaterThan(decimal.Max(left, decimal.Zero)):
		return nil, notApplicable("no contract here rolls over more than what is left")
	case params.Preserve && left.IsNegative():
		return nil, notApplicable("no contract here takes overage, which it bills, from the next period as well")
	}
	a, err := allow(params.Amount, params.Most, one)
	if err != nil {
		return nil, err
	}
	_, rolls, _, err := a.use(in.Usage, decimal.Zero)
	return answer("balance", inMinutes(rolls)), err
}

// vectorDeferredMinutes values the minutes that a bucket's blocks were granted, gave and lost
// at the fee of one: what accounting defers as used (Accounting.Defer) is made of them.
func vectorDeferredMinutes(v *vector) (map[string]any, error) {
	var params struct {
		Fee      decimal.Decimal `json:"fee_minor"`
		Included decimal.Decimal `json:"included_min"`
		Rollover bool            `json:"rollover"`
	}
	var in struct{ Rolled, Used decimal.Decimal }
	if err := v.read(&params, &in); err != nil {
		return nil, err
	}
	most := decimal.Zero
	if params.Rollover {
		most = params.Included
	}
	a, err := allow(params.Included, most, one)
	if err != nil {
		return nil, err
	}
	u, rolls, expired, err := a.use(in.Used, in.Rolled)
	if err != nil {
		return nil, err
	}
	var drawn int64
	for _, draw := range u.drawn {
		drawn += draw.MS
	}
	value := func(minutes decimal.Decimal) decimal.Decimal {
		return minutes.Mul(params.Fee).DivRound(params.Included, 6)
	}
	return map[string]any{
		"opening": value(in.Rolled), "issued": params.Fee, "applied": value(inMinutes(-drawn)),
		"expired": value(inMinutes(-expired)), "closing": value(inMinutes(rolls)),
	}, nil
}

// vectorBlocks draws from bought blocks that stand in the order in which they are drawn.
func vectorBlocks(v *vector) (map[string]any, error) {
	var params struct{ Unit string }
	var in struct {
		Need   decimal.Decimal
		Blocks [][2]scalar
	}
	if err := v.read(&params, &in); err != nil {
		return nil, err
	}
	if params.Unit != "minute" {
		return nil, notApplicable("a block here holds hours, not " + params.Unit + "s")
	}
	t, err := blockTerms()
	if err != nil {
		return nil, err
	}
	var blocks []Block
	for i, b := range in.Blocks {
		ms, err := inMS(b[1].number())
		if err != nil {
			return nil, err
		}
		blocks = append(blocks, Block{ID: int64(i + 1), Contract: vectorContract, Priority: i + 1, GrantedAt: vectorNoon.Add(-time.Hour), LeftMS: ms})
	}
	u, err := workUnder(t, in.Need, blocks)
	draws := []any{}
	for _, draw := range u.drawn {
		draws = append(draws, []any{in.Blocks[draw.Block-1][0].text, inMinutes(draw.MS)})
	}
	return map[string]any{"draws": draws, "uncovered": inMinutes(u.over)}, err
}

func blockTerms() (*Terms, error) { return vectorTerms(Line{Charge: chargeBlock, Overage: "1.00"}) }

// vectorGrants burns grants down by priority and expiry. One unit of a grant is a minute.
func vectorGrants(v *vector) (map[string]any, error) {
	var in struct {
		Usage  decimal.Decimal
		Grants []struct {
			ID       string          `json:"id"`
			Balance  decimal.Decimal `json:"balance"`
			Priority int             `json:"priority"`
			Expires  int             `json:"expires_day"`
		}
	}
	if err := v.read(&struct{}{}, &in); err != nil {
		return nil, err
	}
	t, err := blockTerms()
	if err != nil {
		return nil, err
	}
	var blocks []Block
	for i, g := range in.Grants {
		ms, err := inMS(g.Balance)
		if err != nil {
			return nil, err
		}
		blocks = append(blocks, Block{
			ID: int64(i + 1), Contract: vectorContract, Priority: g.Priority, GrantedAt: vectorNoon.Add(-time.Hour),
			ExpiresAt: vectorNoon.AddDate(0, 0, g.Expires), LeftMS: ms,
		})
	}
	u, err := workUnder(t, in.Usage, blocks)
	balances := map[string]any{}
	for i, g := range in.Grants {
		balances[g.ID] = inMinutes(u.left[int64(i+1)])
	}
	return map[string]any{"balances": balances, "overage": inMinutes(u.over)}, err
}

// scalar is a text or a number in a list of both.
type scalar struct{ text string }

func (s *scalar) UnmarshalJSON(data []byte) error {
	s.text = string(data)
	if text, err := strconv.Unquote(s.text); err == nil {
		s.text = text
	}
	return nil
}

func (s scalar) number() decimal.Decimal {
	d, err := decimal.NewFromString(s.text)
	if err != nil {
		return decimal.Zero
	}
	return d
}
