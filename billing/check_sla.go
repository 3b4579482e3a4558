package billing

import (
	"maps"
	"slices"
	"strconv"
	"time"
)

// The settings of credits.
const (
	bothHigher = "higher"
	bothBoth   = "both"
	baseFee    = "fee"
	baseTicket = "ticket"
)

// What may pause the clock of a resolution, see SLA.PausesOn.
const (
	PauseCustomer = "customer"
	PauseVendor   = "vendor"
	PausePart     = "part"
	PauseApproval = "approval"
)

const longestTarget = 365 * 24 * time.Hour

func (ck checker) sla(c *Contract) {
	s := c.SLA
	if s == nil {
		return
	}
	if !idShape.MatchString(s.Calendar) {
		ck.need("sla.calendar", s.Calendar, "is not a calendar", "use 24x7 or the id of a calendar")
	}
	if len(s.Targets) == 0 {
		ck.need("sla.targets", "", "", "give at least one priority its response and resolution, or leave sla out")
	}
	if s.Warn != nil {
		ck.whole("sla.warn_percent", *s.Warn, 1, 100)
	}
	ck.namesOf("sla.pauses_on", s.PausesOn, "name the waits that pause, or leave pauses_on out", PauseCustomer, PauseVendor, PausePart, PauseApproval)
	if s.Escalation != nil {
		ck.length("sla.escalation.after", s.Escalation.After, time.Minute, longestTarget)
		if *s.Escalation == (SLAEscalation{}) && !ck.reported("sla.escalation") {
			ck.add("sla.escalation", "", "says nothing", "set after or reroute, or leave escalation out")
		}
	}
	allotted := false
	for _, priority := range slices.Sorted(maps.Keys(s.Targets)) {
		field := "sla.targets." + strconv.Itoa(priority)
		if priority < 1 || priority > 5 {
			ck.add(field, "", "is not a priority", "use 1 (most urgent) to 5")
		}
		target := s.Targets[priority]
		for _, promise := range []struct{ field, value string }{{field + ".response", target.Response}, {field + ".resolution", target.Resolution}} {
			ck.mustHave(promise.field, promise.value != "", "promise a length of business time, like 4h")
			ck.length(promise.field, promise.value, time.Second, longestTarget)
		}
		if target.Calendar != "" && !idShape.MatchString(target.Calendar) {
			ck.add(field+".calendar", target.Calendar, "is not a calendar", "use 24x7 or the id of a calendar, or leave it out for the SLA's own")
		}
		if response, resolution := length(target.Response), length(target.Resolution); response > 0 && resolution > 0 && response > resolution {
			ck.add(field, target.Response, "answers later than it resolves", "make response no longer than resolution")
		}
		allotted = allotted || target.Allotment != ""
		ck.allotment(field+".allotment", target, s.Credits)
	}
	ck.credits(c, allotted)
}

// allotment checks the time against which a fast resolution earns a credit.
func (ck checker) allotment(field string, target SLATarget, credits *SLACredits) {
	if target.Allotment == "" {
		return
	}
	ck.length(field, target.Allotment, time.Second, longestTarget)
	if allotment, resolution := length(target.Allotment), length(target.Resolution); resolution > 0 && allotment > resolution {
		ck.add(field, target.Allotment, "is longer than the resolution target", "make it no longer: who misses a target earns nobody a credit for speed")
	}
	if (credits == nil || credits.Fast == nil) && !ck.reported("sla.credits") {
		ck.add(field, target.Allotment, "earns nothing without sla.credits.fast_hourly", "say what an hour less is worth, or leave allotment out")
	}
}

func (ck checker) credits(c *Contract, allotted bool) {
	s := c.SLA.Credits
	if s == nil {
		return
	}
	const field = "sla.credits"
	ck.clause(field+".clause", s.Clause)
	ck.percent(field+".response_percent", s.Response, 100)
	ck.percent(field+".resolution_percent", s.Resolution, 100)
	ck.oneOf(field+".both", s.Both, "", bothHigher, bothBoth)
	ck.optionalPrice(field+".fast_hourly", s.Fast)
	ck.oneOf(field+".base", s.Base, "", baseFee, baseTicket)
	ck.percent(field+".cap_percent", s.Cap, 100)
	ck.oneOf(field+".floor", s.Floor, "", baseFee, baseTicket)
	missed := s.Response != nil || s.Resolution != nil
	switch {
	case !missed && s.Fast == nil && !ck.reported(field):
		ck.add(field, "", "promise nothing", "set response_percent, resolution_percent or fast_hourly, or leave credits out")
	case s.Both != "" && (s.Response == nil || s.Resolution == nil) && !ck.reported(field):
		ck.add(field+".both", s.Both, "means nothing without both percentages", "set response_percent and resolution_percent, or leave both out")
	}
	if s.Base != "" && !missed && !ck.reported(field) {
		ck.add(field+".base", s.Base, "means nothing without a percentage", "set response_percent or resolution_percent, or leave base out")
	}
	if s.Fast != nil && !allotted && !ck.reported("sla.targets") {
		ck.add(field+".fast_hourly", "", "means nothing without an allotment", "give a target its allotment, or leave fast_hourly out")
	}
	ck.creditsOfFee(c, missed)
}

// creditsOfFee refuses credits that are measured by the fee of a contract that has none:
// they would all be nothing.
func (ck checker) creditsOfFee(c *Contract, missed bool) {
	// A line that could not be read may well be the one that is meant.
	may := func(l Line) bool {
		counted := l.Charge == chargePerDevice || l.Charge == chargePerSeat
		priced := l.Price != nil || (l.Count != nil && l.Count.Tiers != nil)
		return l.Charge == "" || (slices.Contains(periodCharges, l.Charge) && priced && (!counted || (l.Count != nil && l.Count.Fixed > 0)))
	}
	if len(c.Lines) == 0 || slices.ContainsFunc(c.Lines, may) {
		return
	}
	const problem = "is measured by a fee that no line has"
	s := c.SLA.Credits
	if missed && (s.Base == "" || s.Base == baseFee) {
		ck.add("sla.credits.base", s.Base, problem, "write base: ticket, or add a line whose price of a period depends on no count")
	}
	if s.Cap != nil {
		ck.add("sla.credits.cap_percent", "", problem, "leave cap_percent out, or add a line whose price of a period depends on no count")
	}
}
