package billing

import (
	"cmp"
	"time"
)

const (
	failedCost    = "cost"
	longestOfTime = 24 * time.Hour
)

// timeTerms checks the terms of the contract, or of a line, which reads what it does not
// say from those of the contract.
func (ck checker) timeTerms(field string, t, contract *TimeTerms) {
	ck.length(field+".minimum", t.Minimum, 0, longestOfTime)
	ck.length(field+".increment", t.Increment, 0, longestOfTime)
	ck.oneOf(field+".round", t.Round, "", roundUpward, roundNearest, roundDown)
	ck.length(field+".grace", t.Grace, 0, longestOfTime)
	ck.oneOf(field+".scope", t.Scope, "", scopeEntry, scopeTicket, scopeDay)
	ck.oneOf(field+".increment_scope", t.IncrementScope, "", scopeEntry, scopeTicket, scopeDay)
	if contract != nil && t.Unstarted != "" {
		ck.add(field+".unstarted", t.Unstarted, "means nothing on a line", "set it under time of the contract: its band is known before its line")
	} else {
		ck.bandOrStandard(field+".unstarted", t.Unstarted)
	}
	ck.oneOf(field+".failed", t.Failed, "", failedCost, failedBill)
	ck.oneOf(field+".elsewhere", t.Elsewhere, "", elsewhereShow, elsewhereHold)
	ck.length(field+".ai_minimum", t.AIMinimum, 0, longestOfTime)
	ck.length(field+".ai_increment", t.AIIncrement, 0, longestOfTime)
	ck.oneOf(field+".ai_accumulate", t.AIAccumulate, "", accumulatePeriod, accumulateClosure)
	ck.increments(field, t, contract)
}

// increments checks what only an increment gives a meaning.
func (ck checker) increments(field string, t, contract *TimeTerms) {
	if contract == nil {
		contract = new(TimeTerms)
	}
	increment := cmp.Or(t.Increment, contract.Increment)
	aiIncrement := cmp.Or(t.AIIncrement, contract.AIIncrement)
	none := increment == "" && aiIncrement == ""
	if t.Round != "" && none {
		ck.add(field+".round", t.Round, "means nothing without an increment", "set increment, or leave round out")
	}
	if t.IncrementScope != "" && none {
		ck.add(field+".increment_scope", t.IncrementScope, "means nothing without an increment", "set increment, or leave increment_scope out")
	}
	if t.Grace == "" {
		return
	}
	round, grace := cmp.Or(t.Round, contract.Round), length(t.Grace)
	tooLong := func(increment string) bool { return length(increment) > 0 && grace >= length(increment) }
	switch {
	case none:
		ck.add(field+".grace", t.Grace, "means nothing without an increment", "set increment, or leave grace out")
	case round == roundNearest || round == roundDown:
		ck.add(field+".grace", t.Grace, "means nothing with round "+round, "leave grace out: only what is rounded up is spared by it")
	case tooLong(increment) || tooLong(aiIncrement):
		ck.add(field+".grace", t.Grace, "is not shorter than the increment", "no second increment would ever begin; make grace shorter")
	}
}
