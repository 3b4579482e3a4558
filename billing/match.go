package billing

import (
	"slices"
	"strings"
	"time"
)

// matches says whether the line speaks of work of this type and kind on this ticket.
// Names are compared without regard to case: nobody means another category by it.
func (l *line) matches(t *Ticket, workType, kind string) bool {
	m := &l.Match
	return among(m.Categories, t.Category) &&
		among(m.Subcategories, t.Subcategory) &&
		among(m.Types, t.Type) &&
		among(m.WorkTypes, workType) &&
		among(m.Channels, t.Channel) &&
		among(m.Sites, t.Site) &&
		among(m.Actors, kind) &&
		(len(m.Priorities) == 0 || slices.Contains(m.Priorities, t.Priority))
}

func among(list []string, name string) bool {
	if len(list) == 0 {
		return true
	}
	for _, s := range list {
		if strings.EqualFold(s, name) {
			return true
		}
	}
	return false
}

// find gives the line of these terms that speaks of the work most specifically, the
// first as written where several do; the line for the rest where none does.
func (t *Terms) find(ticket *Ticket, workType, kind string) *line {
	for i := range t.lines {
		if t.lines[i].matches(ticket, workType, kind) {
			return &t.lines[i]
		}
	}
	return &t.rest
}

// rate finds the hourly rate for the work: the row with the most fields set, then the
// first. A row for people never speaks of AI work.
func (t *Terms) rate(w *Work) (*rate, bool) {
	for i := range t.rates {
		r := &t.rates[i]
		if r.Actor == w.Kind && (r.WorkRole == "" || strings.EqualFold(r.WorkRole, w.WorkRole)) &&
			(r.WorkType == "" || strings.EqualFold(r.WorkType, w.WorkType)) {
			return r, true
		}
	}
	return nil, false
}

// pick is which line of which contract version governs work, or why none does.
type pick struct {
	version int // index in Facts.Contracts; −1: none is in force
	line    *line
	tie     int  // index of the version that claims the work equally; −1: none
	ticket  bool // with a tie: one of the two lines prices the ticket
}

// choose finds the line that governs work of this type and kind at an instant: of the
// contract versions in force then, the most specific line, then the higher priority.
func (d *decider) choose(at time.Time, workType, kind string) pick {
	best := pick{version: -1, tie: -1}
	for i := range d.facts.Contracts {
		v := &d.facts.Contracts[i]
		if !v.InForce(at) {
			continue
		}
		l := v.Terms.find(&d.facts.Ticket, workType, kind)
		if best.version < 0 {
			best = pick{version: i, line: l, tie: -1}
			continue
		}
		than := &d.facts.Contracts[best.version]
		switch c := compare(l, v, best.line, than); {
		case c > 0:
			best = pick{version: i, line: l, tie: -1}
		case c == 0 && l.Charge == chargeOutOfScope && best.line.Charge == chargeOutOfScope:
			// Neither covers it, so a dispatcher is asked anyway; the order of ids decides whose rate card quotes.
			if v.Contract < than.Contract {
				best = pick{version: i, line: l, tie: -1}
			}
		case c == 0:
			best.tie = i
			best.ticket = best.ticket || best.line.Charge == chargePerTicket || l.Charge == chargePerTicket
		}
	}
	return best
}

// compare is > 0 where line a of version v beats line b of version w.
func compare(a *line, v *Version, b *line, w *Version) int {
	if a.fields != b.fields {
		return a.fields - b.fields
	}
	return v.Terms.contract.Priority - w.Terms.contract.Priority
}
