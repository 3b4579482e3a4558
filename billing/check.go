package billing

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"
)

// Bounds of a contract document, wide enough for any real one.
const (
	maxLines   = 500
	maxRates   = 1000
	maxMatches = 500
	maxPeople  = 100
)

// maxPrice is the largest rate, price or limit in any currency.
var maxPrice = decimal.New(1, 9)

var (
	idShape     = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)
	clauseShape = regexp.MustCompile(`^[^/\s"]{1,40}$`)
)

const idFix = "use 1 to 64 letters, digits, dots, dashes and underscores, like SH-1"

// check finds everything that is wrong with a document whose fields have been read.
func check(ps *problems, c *Contract) {
	ck := checker{problems: ps}
	if c.Schema != SchemaV1 {
		ck.need("schema", c.Schema, "is not a schema of this version", "write "+SchemaV1)
	}
	ck.id("contract", c.ID)
	ck.id("client", c.Client)
	if c.Name == "" {
		ck.need("name", "", "", "say what people call the contract")
	}
	ck.dates(c)
	if _, known := MinorUnits(c.Currency); !known {
		ck.need("currency", c.Currency, "is not a currency of ISO 4217", "use its three capital letters, like EUR")
	}
	ck.zone(c.TimeZone)
	ck.oneOf("rounding", c.Rounding, "", string(HalfUp), string(HalfEven))
	ck.oneOf("unmatched", c.Unmatched, "", chargeOutOfScope, chargeTime)
	ck.length("patience", c.Patience, time.Minute, 90*24*time.Hour)
	ck.timeTerms("time", &c.Time)
	ck.rates(c.Rates)
	ck.lines(c)
	ck.approval(c.Approval)
	ck.sla(c.SLA)
}

type checker struct{ *problems }

// need reports a required field: missing where it is empty, else wrong. A field that is
// there but could not be read has been reported already.
func (ck checker) need(field, value, problem, fix string) {
	if value == "" {
		if ck.problems.lines != nil && ck.reported(field) {
			return
		}
		problem = "is missing"
	}
	ck.add(field, value, problem, fix)
}

func (ck checker) reported(field string) bool {
	return slices.ContainsFunc(ck.found, func(p *Problem) bool {
		return p.Field == field || strings.HasPrefix(p.Field, field+".") || strings.HasPrefix(p.Field, field+"[")
	})
}

func (ck checker) id(field, id string) {
	if !idShape.MatchString(id) {
		ck.need(field, id, "is not an id", idFix)
	}
}

func (ck checker) dates(c *Contract) {
	const fix = "write it like 2026-01-31"
	from, err := time.Parse(time.DateOnly, c.EffectiveFrom)
	if err != nil {
		ck.need("effective_from", c.EffectiveFrom, "is not a date", fix)
	}
	if c.EffectiveTo == "" {
		return
	}
	to, err2 := time.Parse(time.DateOnly, c.EffectiveTo)
	switch {
	case err2 != nil:
		ck.add("effective_to", c.EffectiveTo, "is not a date", fix)
	case err == nil && !to.After(from):
		ck.add("effective_to", c.EffectiveTo, "is not after effective_from", "give the first day that the contract no longer covers, or leave it out")
	}
}

func (ck checker) zone(name string) {
	if name == "" || name == "Local" {
		ck.need("time_zone", name, "is not a time zone", "use the client's IANA zone, like Europe/Amsterdam")
		return
	}
	if _, err := time.LoadLocation(name); err != nil {
		ck.add("time_zone", name, "is not a time zone", "use the client's IANA zone, like Europe/Amsterdam")
	}
}

func (ck checker) oneOf(field, value string, allowed ...string) {
	if slices.Contains(allowed, value) {
		return
	}
	allowed = slices.DeleteFunc(allowed, func(s string) bool { return s == "" })
	ck.need(field, value, "is not known", "use "+strings.Join(allowed, ", "))
}

// length checks a duration; an empty one is left to its default.
func (ck checker) length(field, value string, least, most time.Duration) {
	if value == "" {
		return
	}
	const shape = "write it like 15m, 1h30m or 72h"
	d, err := time.ParseDuration(value)
	switch {
	case err != nil:
		ck.add(field, value, "is not a length of time", shape)
	case d < least || d > most:
		ck.add(field, value, "is out of bounds", "use "+span(least.Milliseconds())+" to "+span(most.Milliseconds()))
	case d%time.Millisecond != 0:
		ck.add(field, value, "is finer than a millisecond", shape)
	}
}

func (ck checker) timeTerms(field string, t *TimeTerms) {
	ck.length(field+".minimum", t.Minimum, 0, 24*time.Hour)
	ck.length(field+".increment", t.Increment, 0, 24*time.Hour)
	ck.oneOf(field+".scope", t.Scope, "", scopeEntry, scopeTicket)
	ck.length(field+".ai_minimum", t.AIMinimum, 0, 24*time.Hour)
	ck.length(field+".ai_increment", t.AIIncrement, 0, 24*time.Hour)
	ck.oneOf(field+".ai_accumulate", t.AIAccumulate, "", accumulatePeriod, accumulateClosure)
}

func (ck checker) price(field string, price decimal.Decimal) {
	switch {
	case price.IsNegative():
		ck.add(field, price.String(), "is negative", "credits are not written as negative prices")
	case price.GreaterThan(maxPrice):
		ck.add(field, price.String(), "is more than 1,000,000,000", "check the number of digits")
	}
}

func (ck checker) clause(field, clause string) {
	if !clauseShape.MatchString(clause) {
		ck.need(field, clause, "is not a clause", "number it as the paper contract does, like A1 or §4.2, without spaces and slashes")
	}
}

func (ck checker) rates(rates []Rate) {
	if len(rates) > maxRates {
		ck.add("rates", strconv.Itoa(len(rates)), "are too many", "a rate card has at most 1000 rows")
		return
	}
	type key struct{ role, workType, actor string }
	seen := map[key]int{}
	for i, r := range rates {
		field := "rates[" + strconv.Itoa(i) + "]"
		ck.oneOf(field+".actor", r.Actor, "", kindHuman, kindAI)
		if r.Clause != "" {
			ck.clause(field+".clause", r.Clause)
		}
		ck.price(field+".hourly", r.Hourly)
		if _, given := ck.problems.lines[field+".hourly"]; ck.problems.lines != nil && !given {
			ck.need(field+".hourly", "", "", "give the price of an hour, like 150.00 (0 for free)")
		}
		k := key{strings.ToLower(r.WorkRole), strings.ToLower(r.WorkType), r.Actor}
		if r.Actor == kindHuman {
			k.actor = ""
		}
		if j, twice := seen[k]; twice {
			ck.add(field, "", "speaks of the same work as rates["+strconv.Itoa(j)+"]", "keep one of the two rows")
		}
		seen[k] = i
	}
}

func (ck checker) approval(a *Approval) {
	if a == nil {
		return
	}
	if a.Clause != "" {
		ck.clause("approval.clause", a.Clause)
	}
	if a.AmountOver != nil {
		ck.price("approval.amount_over", *a.AmountOver)
	}
	ck.length("approval.time_over", a.TimeOver, time.Minute, 1000*time.Hour)
	ck.length("approval.expires", a.Expires, time.Minute, 90*24*time.Hour)
	if a.AmountOver == nil && a.TimeOver == "" && !ck.reported("approval") {
		ck.add("approval", "", "has no threshold", "set amount_over or time_over, or leave approval out")
	}
	if len(a.Approvers) == 0 {
		ck.need("approval.approvers", "", "", "name at least one person of the client who may sign off")
	}
	ck.people("approval.approvers", a.Approvers)
}

func (ck checker) people(field string, ids []string) {
	if len(ids) > maxPeople {
		ck.add(field, strconv.Itoa(len(ids)), "are too many", "name at most 100")
		return
	}
	for i, id := range ids {
		at := field + "[" + strconv.Itoa(i) + "]"
		if id == "" && ck.reported(at) {
			continue
		}
		if !idShape.MatchString(id) {
			ck.add(at, id, "is not a person's id", idFix)
		}
		if slices.Contains(ids[:i], id) {
			ck.add(at, id, "is there twice", "keep one of them")
		}
	}
}

func (ck checker) sla(s *SLA) {
	if s == nil {
		return
	}
	if !idShape.MatchString(s.Calendar) {
		ck.need("sla.calendar", s.Calendar, "is not a calendar", "use 24x7 or the id of a calendar")
	}
	if len(s.Targets) == 0 {
		ck.need("sla.targets", "", "", "give at least one priority its response and resolution, or leave sla out")
	}
	for _, priority := range slices.Sorted(maps.Keys(s.Targets)) {
		field := "sla.targets." + strconv.Itoa(priority)
		if priority < 1 || priority > 5 {
			ck.add(field, "", "is not a priority", "use 1 (most urgent) to 5")
		}
		target := s.Targets[priority]
		for _, promise := range []struct{ field, value string }{{field + ".response", target.Response}, {field + ".resolution", target.Resolution}} {
			if promise.value == "" {
				ck.need(promise.field, "", "", "promise a length of business time, like 4h")
			}
			ck.length(promise.field, promise.value, time.Second, 365*24*time.Hour)
		}
		if response, resolution := length(target.Response), length(target.Resolution); response > 0 && resolution > 0 && response > resolution {
			ck.add(field, target.Response, "answers later than it resolves", "make response no longer than resolution")
		}
	}
}
