package billing

// measure turns each entry's measured time into billable time: the minimum, then the
// increment, once for the whole, then shared over its pieces by their elapsed time. The
// terms are those that govern the start of the entry's billable time.
func (d *decider) measure() {
	perTicket := make(map[ticketTime][]int, 1)
	var order []ticketTime
	for i := range d.entries {
		e := &d.entries[i]
		w := &d.facts.Work[i]
		p := d.firstTimed(e)
		if p == nil {
			continue
		}
		e.timed, e.rule = true, p.line.time
		if !e.rule.perTicket {
			e.whole = roundUp(w.MS, e.rule.least(w.Kind), e.rule.step(w.Kind))
			continue
		}
		k := ticketTime{contract: d.facts.Contracts[p.version].Contract, kind: w.Kind, rule: e.rule}
		if _, ok := perTicket[k]; !ok {
			order = append(order, k)
		}
		perTicket[k] = append(perTicket[k], i)
	}
	for _, k := range order {
		d.measureTogether(k, perTicket[k])
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
// shortfall goes to the longest entry, the earliest of equals. One entry in doubt makes
// the sum doubtful, so all of them wait with it.
func (d *decider) measureTogether(k ticketTime, entries []int) {
	var sum int64
	longest, suspect := entries[0], false
	for _, i := range entries {
		ms := d.facts.Work[i].MS
		d.entries[i].whole = ms
		sum += ms
		if ms > d.facts.Work[longest].MS {
			longest = i
		}
		suspect = suspect || d.entries[i].suspect
	}
	d.entries[longest].whole += roundUp(sum, k.rule.least(k.kind), k.rule.step(k.kind)) - sum
	for _, i := range entries {
		d.entries[i].suspect = suspect
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
		if p.version < 0 || p.tie >= 0 {
			continue
		}
		switch p.line.Charge {
		case chargeTime, chargeBlock, chargeOutOfScope:
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
