package billing

import (
	"time"

	"github.com/shopspring/decimal"
)

func vectorTime(v *vector) (map[string]any, error) {
	var params struct {
		Rate          decimal.Decimal  `json:"rate_minor_per_hour"`
		Tax           decimal.Decimal  `json:"tax_pct"`
		OvertimeAfter *decimal.Decimal `json:"overtime_after_hours"`
		OvertimeRate  decimal.Decimal  `json:"overtime_rate_minor"`
	}
	var in struct {
		Minutes decimal.Decimal  `json:"minutes"`
		Role    *decimal.Decimal `json:"role_rate"`
		Entry   *decimal.Decimal `json:"entry_rate"`
	}
	if err := v.read(&params, &in); err != nil {
		return nil, err
	}
	if params.OvertimeAfter != nil && in.Minutes.GreaterThan(params.OvertimeAfter.Mul(decimal.NewFromInt(60))) {
		return nil, notApplicable("no contract here prices the hours of an entry by how long it was: by band, role and type it does")
	}
	t, err := vectorTerms(Line{Charge: chargeTime}, func(c *Contract) {
		c.Rates = []Rate{{Hourly: fromMinor(params.Rate)}}
		if in.Role != nil {
			c.Rates = append(c.Rates, Rate{WorkRole: "engineer", Hourly: fromMinor(*in.Role)})
		}
	})
	if err != nil {
		return nil, err
	}
	w, err := vectorWork(in.Minutes)
	if err != nil {
		return nil, err
	}
	if in.Entry != nil {
		own := fromMinor(*in.Entry)
		w.Hourly = &own
	}
	f := vectorFacts(t)
	f.Work = []Work{w}
	charges, err := decideAll(f)
	if err != nil {
		return nil, err
	}
	var hours, net decimal.Decimal
	var amounts []decimal.Decimal
	for _, c := range charges {
		hours, net, amounts = hours.Add(c.Quantity), net.Add(c.Amount), append(amounts, c.Amount)
	}
	sums, err := taxed(amounts, params.Tax)
	return map[string]any{"hours": hours, "amount_minor": toMinor(net), "tax_minor": toMinor(sums.Tax)}, err
}

// vectorWeighted weighs minutes by the band in which they were worked, and by who worked them.
func vectorWeighted(v *vector) (map[string]any, error) {
	var params struct {
		Member decimal.Decimal `json:"member_mult"`
		After  decimal.Decimal `json:"after_hours_mult"`
	}
	var in struct {
		Billable decimal.Decimal
		Segments []struct {
			Wall    decimal.Decimal `json:"wall"`
			InHours bool            `json:"in_hours"`
		}
	}
	if err := v.read(&params, &in); err != nil {
		return nil, err
	}
	t, err := vectorTerms(Line{Charge: chargeBlock, Overage: "1.00"}, func(c *Contract) {
		if !params.Member.Equal(one) {
			c.Rates = []Rate{{WorkRole: "engineer", Hourly: one, Weight: &params.Member}}
		}
		if !params.After.Equal(one) {
			c.Bands = []Band{{Name: "after-hours", Days: []string{"weekend"}, Multiplier: &params.After}}
			c.Premium = &Premium{On: onMinutes}
		}
	})
	if err != nil {
		return nil, err
	}
	billable, err := inMS(in.Billable)
	if err != nil {
		return nil, err
	}
	w := Work{ID: 1, Actor: "anna", Kind: kindHuman, WorkType: "remote", WorkRole: "engineer", StartedAt: vectorNoon}
	walls := make([]int64, len(in.Segments))
	for i, s := range in.Segments {
		if walls[i], err = inMS(s.Wall); err != nil {
			return nil, err
		}
	}
	for i, ms := range allocate(billable, walls) {
		segment := Segment{From: w.MS, To: w.MS + ms, Date: vectorNoon.Format(time.DateOnly)}
		if !in.Segments[i].InHours {
			segment.Bands = []string{vectorContract + "/after-hours"}
		}
		w.Segments = append(w.Segments, segment)
		w.MS = segment.To
	}
	f := vectorFacts(t)
	f.Work = []Work{w}
	f.Blocks = []Block{{ID: 1, Contract: vectorContract, GrantedAt: vectorNoon.Add(-time.Hour), LeftMS: tooLong}}
	charges, err := decideAll(f)
	var drawn int64
	for _, c := range charges {
		for _, draw := range c.Draws {
			drawn += draw.MS
		}
	}
	return answer("weighted", inMinutes(drawn).Round(2)), err
}
