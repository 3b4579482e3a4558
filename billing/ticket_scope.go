package billing

import (
	"slices"
	"strings"
)

// governs finds the contract version that what belongs to the ticket itself falls under: the one
// that governs the work of who resolved it most specifically at its resolution, then the higher
// priority. Versions that have something to say of the matter come before those that have not;
// two that claim it equally are a tie.
func (d *decider) governs(speaks func(*Terms) bool) pick {
	t := &d.facts.Ticket
	var claims []pick
	add := func(version int, l *line) {
		if version >= 0 {
			claims = append(claims, pick{version: version, line: l, tie: -1})
		}
	}
	for _, workType := range d.resolvedBy() {
		p := d.choose(t.ResolvedAt, workType, t.ResolvedKind)
		add(p.version, p.line)
		if p.tie >= 0 {
			add(p.tie, d.facts.Contracts[p.tie].Terms.find(t, doing{workType: workType, kind: t.ResolvedKind}))
		}
	}
	if silent := func(p pick) bool { return !speaks(d.facts.Contracts[p.version].Terms) }; !allOf(claims, silent) {
		claims = slices.DeleteFunc(claims, silent)
	}
	return d.best(claims)
}

func allOf(claims []pick, is func(pick) bool) bool {
	return !slices.ContainsFunc(claims, func(p pick) bool { return !is(p) })
}

// best gives the strongest of several claims, with the version that ties with it.
func (d *decider) best(claims []pick) pick {
	best := pick{version: -1, tie: -1}
	for _, p := range claims {
		if best.version < 0 {
			best = p
			continue
		}
		v, than := &d.facts.Contracts[p.version], &d.facts.Contracts[best.version]
		switch c := compare(p.line, v, best.line, than); {
		case c > 0:
			best = p
		case c < 0 || p.version == best.version || p.version == best.tie:
		case p.line.Charge == chargeOutOfScope && best.line.Charge == chargeOutOfScope:
			// Neither speaks of the work: as for work itself, the order of ids decides.
			if v.Contract < than.Contract {
				best = p
			}
		default:
			best.tie = p.version
		}
	}
	return best
}

// onTicket opens the charge of something that belongs to the ticket itself, and to no work.
func (d *decider) onTicket(k slotKey, date string) *slot {
	k.work = -1
	p := piece{pick: pick{version: k.version, line: k.clause, tie: -1}, work: -1, at: d.facts.Ticket.ResolvedAt, date: date}
	s := d.open(k, &p)
	s.charge.Unit = UnitPiece
	return s
}

// contracts gives the contracts of the facts, each once, with the version that speaks for it: the
// one in force at the ticket's resolution, or else the last of those during the work.
func (d *decider) contracts() []int {
	var versions []int
	for i := range d.facts.Contracts {
		contract := d.facts.Contracts[i].Contract
		if !slices.ContainsFunc(d.facts.Contracts[:i], func(v Version) bool { return v.Contract == contract }) {
			versions = append(versions, d.latest(contract))
		}
	}
	return versions
}

// latest gives the version of a contract in force at the ticket's resolution, or the last that was
// during the work.
func (d *decider) latest(contract string) int {
	last := -1
	for i := range d.facts.Contracts {
		v := &d.facts.Contracts[i]
		if v.Contract != contract {
			continue
		}
		if v.InForce(d.facts.Ticket.ResolvedAt) {
			return i
		}
		if last < 0 || v.From.After(d.facts.Contracts[last].From) {
			last = i
		}
	}
	return last
}

// undone says whether the ticket was closed as something that was no work at all.
func (d *decider) undone() bool {
	return d.facts.Ticket.Code == codeDuplicate || d.facts.Ticket.Code == codeSpam
}

// rivals names the contracts of a tie, in the order of their ids.
func (d *decider) rivals(p pick) string {
	a, b := d.facts.Contracts[p.version].Contract, d.facts.Contracts[p.tie].Contract
	return min(a, b) + " and " + max(a, b)
}

// joinAnd tells a list to people: "a", "a and b", "a, b and c".
func joinAnd(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}
