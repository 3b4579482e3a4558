package billing

import (
	"slices"
)

// Want says which shared allowances Decide may read for these facts, so that the store
// locks them first: the month's counters by key, the blocks of which contracts. Blocks
// and counters of the facts are not looked at. Plain covered and time-and-materials work
// of people wants nothing.
func Want(f Facts) Wants {
	f.Blocks, f.Counters = nil, nil
	wants := Wants{Counters: []string{}, Blocks: []string{}}
	d, err := begin(f)
	if err != nil {
		// Decide refuses the same facts with the same error.
		return wants
	}
	d.findOverlaps()
	d.cut()
	for i := range d.pieces {
		p := &d.pieces[i]
		if p.version >= 0 && p.tie < 0 {
			d.wantPiece(&wants, p)
		}
	}
	d.chargeTicket()
	for _, s := range d.slots {
		if s.clause != nil && s.clause.Included > 0 {
			wants.Counters = append(wants.Counters, ticketCounter(s.charge.Contract, s.charge.Clause, monthOf(s.charge.Date)))
		}
	}
	wants.Counters = sorted(wants.Counters)
	wants.Blocks = sorted(wants.Blocks)
	return wants
}

// wantPiece adds what rating the piece may read. Work of AI under a block line may end
// as overage at a rate, which adds up over the month.
func (d *decider) wantPiece(wants *Wants, p *piece) {
	v, w := &d.facts.Contracts[p.version], &d.facts.Work[p.work]
	switch p.line.Charge {
	case chargeBlock:
		wants.Blocks = append(wants.Blocks, v.Contract)
	case chargeTime, chargeOutOfScope:
	default:
		return
	}
	if w.Kind != kindAI || p.line.time.aiAlone {
		return
	}
	hourly, ok := p.line.overage.Decimal, p.line.overage.Valid && slices.Contains(p.line.Match.Actors, kindAI)
	if !ok || p.line.Charge != chargeBlock {
		r, found := v.Terms.rate(w)
		if !found {
			return
		}
		hourly = r.Hourly
	}
	wants.Counters = append(wants.Counters, aiCounter(v.Contract, p.line.Clause, hourly, monthOf(p.date)))
}

func sorted(keys []string) []string {
	slices.Sort(keys)
	return slices.Compact(keys)
}
