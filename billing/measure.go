package billing

import (
	"time"
)

// measure turns each entry's measured time into billable time: the minimum, then the
// increment, each once for what the contract applies it to (the entry, the ticket; a day's is
// applied when charges are priced), then shared over the entry's pieces by their elapsed time.
// The terms are those that govern the start of the entry's billable time.
func (d *decider) measure() {
	together := make(map[ticketTime][]int, 1)
	var order []ticketTime
	for i := range d.entries {
		e := &d.entries[i]
		w := &d.facts.Work[i]
		p := d.firstTimed(e)
		if p == nil {
			continue
		}
		e.timed, e.rule = true, p.line.time
		e.whole = e.rule.at(scopeEntry, w.Kind, w.MS)
		if !e.rule.within(scopeTicket, w.Kind) {
			continue
		}
		k := ticketTime{contract: d.facts.Contracts[p.version].Contract, kind: w.Kind, rule: e.rule}
		if _, ok := together[k]; !ok {
			order = append(order, k)
		}
		together[k] = append(together[k], i)
	}
	for _, k := range order {
		d.measureTogether(k, together[k])
	}
	d.share()
}

// ticketTime says which entries share one minimum and increment per ticket.
type ticketTime struct {
	contract string
	kind     string
	rule     timeRule
}

// measureTogether applies a minimum and an increment to the sum of several entries. The
// shortfall goes to the longest entry, the earliest of equals; where rounding takes time away,
// all give their part of it. One entry in doubt makes the sum doubtful, so all of them wait with it.
func (d *decider) measureTogether(k ticketTime, entries []int) {
	var sum int64
	longest, doubtful := entries[0], false
	each := make([]int64, len(entries))
	for j, i := range entries {
		each[j] = d.entries[i].whole
		sum += each[j]
		if d.facts.Work[i].MS > d.facts.Work[longest].MS {
			longest = i
		}
		doubtful = doubtful || d.entries[i].doubt != 0
	}
	whole := k.rule.at(scopeTicket, k.kind, sum)
	if whole >= sum {
		d.entries[longest].whole += whole - sum
	} else {
		for j, ms := range allocate(whole, each) {
			d.entries[entries[j]].whole = ms
		}
	}
	for _, i := range entries {
		if doubtful {
			d.entries[i].doubt |= besideDoubt
		}
	}
}

// share splits each entry's billable time over its pieces, by largest remainder.
func (d *decider) share() {
	for i := range d.entries {
		e := &d.entries[i]
		if !e.timed {
			continue
		}
		pieces := d.pieces[e.first:e.end]
		if len(pieces) == 1 {
			pieces[0].bill = e.whole
			continue
		}
		elapsed := make([]int64, len(pieces))
		for j := range pieces {
			elapsed[j] = pieces[j].elapsed()
		}
		for j, ms := range allocate(e.whole, elapsed) {
			pieces[j].bill = ms
		}
	}
}

func (d *decider) firstTimed(e *entry) *piece {
	if e.free {
		return nil
	}
	for i := e.first; i < e.end; i++ {
		p := &d.pieces[i]
		if p.version < 0 || p.tie >= 0 || p.warranty {
			continue
		}
		switch p.line.Charge {
		case chargeTime, chargeBlock, chargeBucket, chargeRetainer, chargeOutOfScope:
			return p
		}
		if p.lapse.reason != "" && p.lapse.instead != insteadAdd {
			return p
		}
	}
	return nil
}

func (r *timeRule) least(kind string) int64 {
	if kind == kindAI {
		return r.aiMinimum
	}
	return r.minimum
}

func (r *timeRule) step(kind string) int64 {
	if kind == kindAI {
		return r.aiIncrement
	}
	return r.increment
}

// scopes are what the minimum and the increment apply to. An agent's day is its ticket: its work is
// counted over the period instead.
func (r *timeRule) scopes(kind string) (minimum, increment string) {
	minimum, increment = r.scope, r.incScope
	if kind == kindAI {
		if minimum == scopeDay {
			minimum = scopeTicket
		}
		if increment == scopeDay {
			increment = scopeTicket
		}
	}
	return minimum, increment
}

func (r *timeRule) within(scope, kind string) bool {
	minimum, increment := r.scopes(kind)
	return minimum == scope || increment == scope
}

// at gives time as the minimum and the increment of one scope leave it.
func (r *timeRule) at(scope, kind string, ms int64) int64 {
	if ms <= 0 {
		return 0
	}
	minimum, increment := r.scopes(kind)
	if minimum == scope {
		ms = max(ms, r.least(kind))
	}
	if increment == scope {
		ms = r.stepped(ms, r.step(kind))
	}
	return ms
}

// ofDay is what a day's time bills under a daily minimum or increment.
func (r *timeRule) ofDay(ms int64) int64 { return r.at(scopeDay, kindHuman, ms) }

// stepped gives a whole number of increments: up, unless time is no further beyond one than the
// grace; to the nearest one, half of it up; or down. The first increment is free of grace: work is
// never rounded to nothing by it. An increment of 0 leaves time exact.
func (r *timeRule) stepped(ms, increment int64) int64 {
	if increment <= 0 {
		return ms
	}
	whole, rest := ms/increment, ms%increment
	switch {
	case r.round == roundDown:
	case r.round == roundNearest:
		if rest*2 >= increment {
			whole++
		}
	case rest > r.grace || (rest > 0 && whole == 0):
		whole++
	}
	return whole * increment
}

// beside notes, for the explanation, who else worked on the ticket at the same time.
type beside struct {
	who string
	ms  int64
}

func (d *decider) besides(i int) beside {
	w := &d.facts.Work[i]
	var found beside
	for j := range d.facts.Work {
		other := &d.facts.Work[j]
		if other.Actor == w.Actor || d.entries[j].free || other.Kind != kindHuman || w.Kind != kindHuman || other.Unstarted || w.Unstarted {
			continue
		}
		from, to := w.StartedAt, w.end()
		if other.StartedAt.After(from) {
			from = other.StartedAt
		}
		if end := other.end(); end.Before(to) {
			to = end
		}
		if both := to.Sub(from) / time.Millisecond; int64(both) > found.ms {
			found = beside{who: other.Actor, ms: int64(both)}
		}
	}
	return found
}
