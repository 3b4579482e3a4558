package billing

import (
	"slices"
	"time"

	"github.com/shopspring/decimal"
)

// overage charges what the blocks did not hold, as the line says: at its own hourly
// price, at the rate card, or after a dispatcher's word. The line's price is for people,
// unless the line speaks of AI work by name.
//
// The line's price is that of an hour of the block, so what weighs the minutes of a draw weighs these too. The rate card
// has a price for the work itself: only the premium of its bands comes on top, as it does everywhere.
func (d *decider) overage(key slotKey, p *piece, from, bill, plain int64) {
	l := p.line
	if l.overage.Valid && (d.facts.Work[p.work].Kind == kindHuman || slices.Contains(l.Match.Actors, kindAI)) {
		byRole := p.role != nil && (p.by == "" || !p.weight.GreaterThan(*p.role.Weight))
		if p.role != nil && !byRole {
			bill = plain // the rate weighs more, and weights never compound
		}
		if !byRole && p.by != "" {
			key.bands = p.by
		}
		s := d.open(key, p)
		s.hourly = decimal.NewNullDecimal(l.overage.Decimal)
		if byRole {
			d.noteWeighing(s, p, bill, plain)
		} else {
			s.weight, s.by = p.weight, p.by
		}
		d.add(s, p, from, p.to, bill, plain)
		d.explainEnded(s, p)
		return
	}
	if p.by != "" {
		key.bands = p.by
	}
	if l.Overage == overageHold {
		key.reason = orElse(key.reason, BlockEmpty)
	}
	s := d.timed(key, p, from, p.to, d.atCard(p, bill, plain), plain)
	d.explainEnded(s, p)
}

// explainEnded notes the bought blocks with hours that come nearest to paying for the piece and do not: the last one that
// had ended by then, and the first one that was bought later.
func (d *decider) explainEnded(s *slot, p *piece) {
	if d.facts.Rules < rulesBooks || p.line.Charge != chargeBlock {
		return
	}
	var ended, later *Block
	for i := range d.facts.Blocks {
		b := &d.facts.Blocks[i]
		if b.Clause != "" || b.Contract != d.facts.Contracts[p.version].Contract || b.LeftMS+b.ForfeitedMS == 0 || d.pays(b, p, "") {
			continue
		}
		if p.at.Before(b.since(p.line)) {
			if later == nil || b.since(p.line).Before(later.since(p.line)) {
				later = b
			}
		} else if ended == nil || b.ExpiresAt.After(ended.ExpiresAt) {
			ended = b
		}
	}
	note := func(b *Block, why string, at time.Time) {
		told := func(have Step) bool { return have.Rule == ruleEnded && have.get("block") == blockName(b.ID) }
		if slices.ContainsFunc(s.charge.Steps, told) {
			return // by another piece of the same charge
		}
		s.step(ruleEnded, Arg{"block", blockName(b.ID)}, msArg("left_ms", b.LeftMS+b.ForfeitedMS), Arg{"why", why},
			Arg{"on", at.UTC().Format("2006-01-02 15:04 UTC")}, msArg("grace_ms", p.line.blocks.grace.Milliseconds()))
	}
	switch {
	case ended == nil:
	case p.at.Before(ended.ExpiresAt):
		note(ended, "late", ended.ExpiresAt)
	default:
		note(ended, "expired", ended.ExpiresAt)
	}
	if later != nil {
		note(later, "later", later.since(p.line))
	}
}

// atCard gives the minutes that the rate card prices: not what a role weighs, and no premium where the card's row is for
// the band.
func (d *decider) atCard(p *piece, bill, plain int64) int64 {
	t, w := d.facts.Contracts[p.version].Terms, &d.facts.Work[p.work]
	if p.by != "" && t.weighsMinutes() {
		r, ok := t.rate(w, p.bands)
		if ofBand := ok && r.Band != "" && w.Hourly == nil; ofBand && d.facts.Rules >= rulesBooks {
			return plain
		}
		if p.role != nil {
			return weighMS(plain, p.weight)
		}
		return bill
	}
	if p.role != nil {
		return plain
	}
	return bill
}
