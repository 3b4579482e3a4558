package billing

import (
	"cmp"
	"slices"
	"time"
)

// Target is how soon somebody answers and how soon it is solved, in business time of the calendar.
type Target struct {
	Response   time.Duration
	Resolution time.Duration
	Calendar   string // "24x7" or the id of a calendar
}

// What an SLA says where its contract does not.
const (
	warnPercent   = 75
	escalateAfter = time.Hour
)

// Calendar names the calendar that SLA targets count in where their priority has none of its own; empty without an SLA.
func (t *Terms) Calendar() string {
	if t.contract.SLA == nil {
		return ""
	}
	return t.contract.SLA.Calendar
}

// Calendars names every calendar that the SLA counts in, each once, sorted.
func (t *Terms) Calendars() []string {
	var ids []string
	for _, target := range t.targets {
		ids = append(ids, target.Calendar)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// Target gives the SLA target of a priority, 1 … 5; false where the contract promises none.
func (t *Terms) Target(priority int) (Target, bool) {
	target, ok := t.targets[priority]
	return target, ok
}

// WarnPercent is the share of a target's business time after which the assignee is warned; 100 never warns.
func (t *Terms) WarnPercent() int {
	if t.contract.SLA == nil || t.contract.SLA.Warn == nil {
		return warnPercent
	}
	return *t.contract.SLA.Warn
}

// PausesOn lists the waits for which the clock of a resolution stands still. nil: every wait that somebody declares,
// whatever its reason, which that the client was asked to approve something is not.
func (t *Terms) PausesOn() []string {
	if t.contract.SLA == nil {
		return nil
	}
	return t.contract.SLA.PausesOn
}

// Escalation says how long after a missed target, in business time, the next person up is told, and whether the first
// step takes the ticket from its assignee.
func (t *Terms) Escalation() (after time.Duration, reroute bool) {
	if t.contract.SLA == nil || t.contract.SLA.Escalation == nil {
		return escalateAfter, false
	}
	e := t.contract.SLA.Escalation
	return cmp.Or(length(e.After), escalateAfter), e.Reroute
}
