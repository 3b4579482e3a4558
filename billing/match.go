package billing

import (
	"slices"
	"strings"
	"time"
)

// doing is the work that a clause is looked for: what it was, who did it, and in which bands of the
// terms (joined; empty is standard time).
type doing struct {
	workType string
	kind     string
	bands    string
}

// matches says whether the line speaks of the work on this ticket: its match fits, and what it
// excepts does not.
func (l *line) matches(t *Ticket, w doing) bool {
	return l.Match.fits(t, w) && (l.Except == nil || !l.Except.fits(t, w))
}

// fits compares names without regard to case: nobody means another category by it.
func (m *Match) fits(t *Ticket, w doing) bool {
	return among(m.Categories, t.Category) &&
		among(m.Subcategories, t.Subcategory) &&
		among(m.Types, t.Type) &&
		among(m.WorkTypes, w.workType) &&
		among(m.Channels, t.Channel) &&
		among(m.Sites, t.Site) &&
		among(m.Devices, t.Device) &&
		among(m.Actors, w.kind) &&
		(len(m.Bands) == 0 || slices.ContainsFunc(m.Bands, func(name string) bool { return inBand(w.bands, name) })) &&
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
func (t *Terms) find(ticket *Ticket, w doing) *line {
	for i := range t.lines {
		if t.lines[i].matches(ticket, w) {
			return &t.lines[i]
		}
	}
	return &t.rest
}

// after gives the line that would have governed the work without this one; nil where the line is none of those that
// speak of work.
func (t *Terms) after(l *line, ticket *Ticket, w doing) *line {
	for i := range t.lines {
		if &t.lines[i] != l {
			continue
		}
		for j := i + 1; j < len(t.lines); j++ {
			if t.lines[j].matches(ticket, w) {
				return &t.lines[j]
			}
		}
		return &t.rest
	}
	return nil
}

// rate finds the hourly rate for the work: the row with the most fields set, then the
// first. A row for people never speaks of AI work.
func (t *Terms) rate(w *Work, bands string) (*rate, bool) {
	for i := range t.rates {
		r := &t.rates[i]
		if r.Actor == w.Kind && (r.WorkRole == "" || strings.EqualFold(r.WorkRole, w.WorkRole)) &&
			(r.WorkType == "" || strings.EqualFold(r.WorkType, w.WorkType)) && (r.Band == "" || inBand(bands, r.Band)) {
			return r, true
		}
	}
	return nil, false
}

// pick is which line of which contract version governs work, or why none does.
type pick struct {
	version int // index in Facts.Contracts; −1: none is in force
	line    *line
	bands   string // of the version's terms, joined
	tie     int    // index of the version that claims the work equally; −1: none
	ticket  bool   // with a tie: one of the two lines prices the ticket
}

// choose finds the line that governs what a ticket itself costs at an instant, by work of this type
// and kind, whatever the band.
func (d *decider) choose(at time.Time, workType, kind string) pick {
	return d.govern(at, workType, kind, nil, false)
}

// govern finds the line that governs work of this type and kind at an instant, within the bands of
// its segment: of the contract versions in force then, the most specific line, then the higher
// priority. A fallback contract speaks only where no other is in force.
func (d *decider) govern(at time.Time, workType, kind string, bands []string, unstarted bool) pick {
	best := pick{version: -1, tie: -1}
	for i := range d.facts.Contracts {
		v := &d.facts.Contracts[i]
		if !v.InForce(at) {
			continue
		}
		within := v.Terms.within(bands, unstarted)
		l := v.Terms.find(&d.facts.Ticket, doing{workType: workType, kind: kind, bands: within})
		this := pick{version: i, line: l, bands: within, tie: -1}
		if best.version < 0 {
			best = this
			continue
		}
		if mine, other := v.Terms.contract.Fallback, d.facts.Contracts[best.version].Terms.contract.Fallback; mine != other {
			if other {
				best = this
			}
			continue
		}
		than := &d.facts.Contracts[best.version]
		switch c := compare(l, v, best.line, than); {
		case c > 0:
			best = this
		case c == 0 && l.Charge == chargeOutOfScope && best.line.Charge == chargeOutOfScope:
			// Neither covers it, so a dispatcher is asked anyway; the order of ids decides whose rate card quotes.
			if v.Contract < than.Contract {
				best = this
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
