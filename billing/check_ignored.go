package billing

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// ignored reports fields of which what is said elsewhere leaves nothing, so that whoever wrote them would believe in a
// term that nobody keeps. Like reach it is asked of documents that people hand in: those in store have always been read so.
func ignored(ps *problems, c *Contract) {
	ck := checker{problems: ps}
	ck.several(c)
	for i := range c.Lines {
		l := &c.Lines[i]
		field := nth("lines", i)
		if l.Time != nil {
			ck.measures(field+".time", l.Time, &c.Time)
			ck.ofActors(field+".time", l)
		}
		ck.dayOfHours(field, l, c)
		ck.lowersAgents(field+".discount.amount", l, c)
		if l.Usage != nil {
			ck.usageTiers(field+".usage", l.Usage)
		}
		if l.Count != nil {
			ck.sizes(field+".count.tiers", l.Count.Tiers)
			ck.nothingLeft(field+".count", l.Count)
		}
	}
	if len(ps.found) == 0 {
		ck.creditsOfNothing(c)
	}
}

// nothingLeft finds a fixed number of which all are included.
func (ck checker) nothingLeft(field string, n *CountTerms) {
	if n.Fixed > 0 && n.Included >= n.Fixed && !ck.reported(field) {
		ck.add(field+".included", strconv.Itoa(n.Included), "leaves nothing of fixed to bill", "include fewer, or charge covered work by another line")
	}
}

// creditsOfNothing finds credits that are measured by a fee which is nothing at any time: no target that is missed would
// ever be worth something.
func (ck checker) creditsOfNothing(c *Contract) {
	if c.SLA == nil || c.SLA.Credits == nil {
		return
	}
	s := c.SLA.Credits
	ofFee := (s.Response != nil || s.Resolution != nil) && s.Base != baseTicket
	if !ofFee && s.Cap == nil {
		return
	}
	t, err := c.Compile()
	if err != nil {
		return // what is wrong has been reported
	}
	dates := []string{c.EffectiveFrom}
	for i := range c.Lines {
		if off := c.Lines[i].Discount; off != nil && off.Until != "" {
			dates = append(dates, t.PeriodOf(off.Until).End)
		}
	}
	if slices.ContainsFunc(dates, func(date string) bool { return !t.fee(date).IsZero() }) {
		return
	}
	field, fix := "sla.credits.cap_percent", "leave cap_percent out"
	if ofFee {
		field, fix = "sla.credits.base", "write base: ticket"
	}
	ck.add(field, s.Base, "is measured by a fee of nothing", fix+", or give a line a price of a period that depends on no count")
}

// several finds a rule for bands that overlap where there are no two to do so.
func (ck checker) several(c *Contract) {
	if c.Premium == nil || c.Premium.Several == "" || ck.reported("premium") || ck.reported("bands") {
		return
	}
	n := 0
	for i := range c.Bands {
		n += set(c.Bands[i].Multiplier != nil)
	}
	if n < 2 {
		ck.add("premium.several", c.Premium.Several, "means nothing without two bands that have a multiplier", "leave several out")
	}
}

// measures finds a scope of nothing on a line. What the contract says of the scope may be meant for the lines that have a
// minimum of their own.
func (ck checker) measures(field string, t, contract *TimeTerms) {
	measure := cmp.Or(t.Minimum, t.Increment, t.AIMinimum, t.AIIncrement, contract.Minimum, contract.Increment, contract.AIMinimum, contract.AIIncrement)
	if t.Scope != "" && measure == "" && !ck.reported(field) {
		ck.add(field+".scope", t.Scope, "means nothing without a minimum or an increment", "set minimum or increment, or leave scope out")
	}
}

// ofActors finds measures of people's time on lines for agents, and the other way round.
func (ck checker) ofActors(field string, l *Line) {
	only := func(kind string) bool {
		return len(l.Match.Actors) == 1 && l.Match.Actors[0] == kind
	}
	t := l.Time
	for _, f := range []struct{ name, value, kind, instead string }{
		{"minimum", t.Minimum, kindAI, "set ai_minimum"},
		{"increment", t.Increment, kindAI, "set ai_increment"},
		{"ai_minimum", t.AIMinimum, kindHuman, "set minimum"},
		{"ai_increment", t.AIIncrement, kindHuman, "set increment"},
		{"ai_accumulate", t.AIAccumulate, kindHuman, "remove it"},
	} {
		if f.value != "" && only(f.kind) {
			ck.add(field+"."+f.name, f.value, "means nothing on a line for "+map[string]string{kindAI: "AI work", kindHuman: "people's work"}[f.kind]+" alone", f.instead+", or let match.actors name the other too")
		}
	}
}

// dayOfHours finds minimums and increments by day on lines that draw hours: only time that is billed adds up by day.
func (ck checker) dayOfHours(field string, l *Line, c *Contract) {
	if l.Charge != chargeBlock && l.Charge != chargeBucket {
		return
	}
	t := l.Time
	if t == nil {
		t = new(TimeTerms)
	}
	scope := cmp.Or(t.Scope, c.Time.Scope)
	incScope := cmp.Or(t.IncrementScope, c.Time.IncrementScope, scope)
	minimum, increment := cmp.Or(t.Minimum, c.Time.Minimum), cmp.Or(t.Increment, c.Time.Increment)
	const fix = "give the line's own time the %s entry or ticket: only time that is billed adds up by day"
	at := func(own string, name string) string {
		if own != "" {
			return field + ".time." + name
		}
		return "time." + name
	}
	add := func(own, name string) {
		if where := at(own, name); !ck.reported(where) {
			ck.add(where, scopeDay, "means nothing for "+field+", which charges "+l.Charge, strings.Replace(fix, "%s", name, 1))
		}
	}
	if minimum != "" && scope == scopeDay {
		add(t.Scope, "scope")
	}
	if increment != "" && incScope == scopeDay {
		name, own := "increment_scope", t.IncrementScope
		if cmp.Or(t.IncrementScope, c.Time.IncrementScope) == "" {
			name, own = "scope", t.Scope
		}
		add(own, name)
	}
}

// lowersAgents finds an amount off each charge where agents' time adds up over the period instead of standing for itself.
func (ck checker) lowersAgents(field string, l *Line, c *Contract) {
	if l.Discount == nil || l.Discount.Amount == nil || !slices.Contains(timedCharges, l.Charge) || ck.reported(field) {
		return
	}
	own := l.Time
	if own == nil {
		own = new(TimeTerms)
	}
	speaks := len(l.Match.Actors) == 0 || slices.Contains(l.Match.Actors, kindAI)
	excepted := l.Except != nil && l.Except.fields() == 1 && slices.Contains(l.Except.Actors, kindAI)
	priced := slices.ContainsFunc(c.Rates, func(r Rate) bool { return r.Actor == kindAI })
	if !speaks || excepted || !priced || cmp.Or(own.AIAccumulate, c.Time.AIAccumulate) == accumulateClosure {
		return
	}
	ck.add(field, l.Discount.Amount.String(), "means nothing for agents' time, which adds up over the period",
		"use percent, match actors: [human], or set time.ai_accumulate: closure")
}

// usageTiers finds steps of which a part never counts.
func (ck checker) usageTiers(field string, u *UsageTerms) {
	if u.ZeroFlat && len(u.Tiers) > 0 && u.Tiers[0].Flat.IsZero() && !ck.reported(field) {
		ck.add(field+".zero_flat", "", "bills nothing: the first tier has no flat fee", "give the first tier its flat fee, or leave zero_flat out")
	}
	ck.sizes(field+".tiers", u.Tiers)
}

// sizes finds packages of money.
func (ck checker) sizes(field string, tiers []Tier) {
	for i := range tiers {
		t := &tiers[i]
		if t.Size != nil && plain(t.Percent) && !t.Percent.IsZero() {
			ck.add(nth(field, i)+".size", "", "means nothing beside percent", "keep one of the two: packages are of units, and a percentage is of money")
		}
	}
}
