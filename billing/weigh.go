package billing

import "github.com/shopspring/decimal"

// weigh multiplies billable time by what it counts, once: where the contract weighs minutes, by what its bands weigh;
// where hours that are paid for are drawn, by the weight of the work's row in the rate card. Of the two the higher counts.
// A contract that weighs the rate does so when the charge is priced.
func (d *decider) weigh() {
	for i := range d.pieces {
		p := &d.pieces[i]
		p.plain = p.bill
		if p.version < 0 || p.tie >= 0 {
			continue
		}
		t := d.facts.Contracts[p.version].Terms
		if p.bands != "" {
			p.weight, p.by = t.weight(p.bands, d.facts.Work[p.work].Kind)
		}
		onMinutes := p.by != "" && t.weighsMinutes()
		if r := d.roleWeight(p, t); r != nil && (!onMinutes || !r.Weight.LessThan(p.weight)) {
			p.role, p.bill = r, weighMS(p.plain, *r.Weight)
			continue
		}
		if onMinutes && !d.pricedByBand(p, t) {
			p.bill = weighMS(p.plain, p.weight)
		}
	}
}

// roleWeight finds the row of the rate card that weighs the piece where it draws hours that are paid for; nil where none
// does.
func (d *decider) roleWeight(p *piece, t *Terms) *rate {
	if !t.weighs || p.warranty || !p.drawsHours() {
		return nil
	}
	if r, ok := t.rate(&d.facts.Work[p.work], p.bands); ok && r.Weight != nil {
		return r
	}
	return nil
}

// pricedByBand says whether the rate card has a price for the piece's band, and nothing else is asked of its minutes: no
// premium comes on top of that price.
func (d *decider) pricedByBand(p *piece, t *Terms) bool {
	w := &d.facts.Work[p.work]
	if d.facts.Rules < rulesBooks || w.Hourly != nil || p.drawsHours() {
		return false
	}
	r, ok := t.rate(w, p.bands)
	return ok && r.Band != ""
}

// drawsHours says whether the piece's clause pays for it with hours.
func (p *piece) drawsHours() bool {
	return p.lapse.reason == "" && (p.line.Charge == chargeBlock || p.line.Charge == chargeBucket)
}

// weighMS gives milliseconds times a weight, rounded once.
func weighMS(ms int64, weight decimal.Decimal) int64 {
	return decimal.NewFromInt(ms).Mul(weight).Round(0).IntPart()
}

// weighing is a part of a charge's time that one thing weighs.
type weighing struct {
	by     string // the bands, joined; empty: the row of the rate card
	clause string
	weight decimal.Decimal
	plain  int64
	bill   int64
}

// noteWeighing notes, for the explanation, what weighed a part of the charge's time.
func (d *decider) noteWeighing(s *slot, p *piece, bill, plain int64) {
	t := d.facts.Contracts[p.version].Terms
	var w weighing
	switch {
	case p.role != nil:
		w = weighing{clause: p.role.Clause, weight: *p.role.Weight}
	case p.by != "" && t.weighsMinutes() && d.facts.Rules >= rulesBooks:
		w = weighing{by: p.by, clause: t.clauseOf(p.by), weight: p.weight}
	default:
		return
	}
	for i := range s.weighed {
		if have := &s.weighed[i]; have.by == w.by && have.clause == w.clause && have.weight.Equal(w.weight) {
			have.plain, have.bill = have.plain+plain, have.bill+bill
			return
		}
	}
	w.plain, w.bill = plain, bill
	s.weighed = append(s.weighed, w)
}

// clauseOf names the clause of the first of several bands.
func (t *Terms) clauseOf(bands string) string {
	for i := range t.bands {
		if inBand(bands, t.bands[i].Name) {
			return t.bands[i].Clause
		}
	}
	return ""
}

// explainWeighing notes how the charge's time became minutes of what pays for it.
func (d *decider) explainWeighing(s *slot) {
	for _, w := range s.weighed {
		args := []Arg{{"weight", w.weight.String()}, {"clause", w.clause}, msArg("plain_ms", w.plain), msArg("weighed_ms", w.bill)}
		if w.by != "" {
			args = append(args, Arg{"bands", w.by})
		} else {
			args = append(args, Arg{"work_role", d.facts.Work[s.work].WorkRole})
		}
		s.step(ruleWeighed, args...)
	}
}
