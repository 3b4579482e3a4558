package billing

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"
)

// Bounds of a contract document, wide enough for any real one.
const (
	maxLines     = 500
	maxRates     = 1000
	maxMatches   = 500
	maxPeople    = 100
	maxBands     = 50
	maxDates     = 500
	maxTiers     = 100
	maxPauses    = 100
	maxMaterials = 100
	maxListed    = 5000
	maxCount     = 1_000_000
)

// longestHours is the most that a block, a bucket and what rolls over may hold: a year of five people.
const longestHours = 10_000 * time.Hour

// maxPrice is the largest rate, price or limit in any currency, maxQuantity the largest number of units.
var (
	maxPrice    = decimal.New(1, 9)
	maxQuantity = decimal.New(1, 12)
)

var (
	idShape     = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)
	clauseShape = regexp.MustCompile(`^[^/\s"]{1,40}$`)
)

const idFix = "use 1 to 64 letters, digits, dots, dashes and underscores, like SH-1"

// check finds everything that is wrong with a document whose fields have been read.
func check(ps *problems, c *Contract) {
	ck := checker{problems: ps, bands: newBandNames(ps, c)}
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
	if c.TimeZone == "" {
		ck.need("time_zone", "", "", zoneFix)
	}
	ck.zone("time_zone", c.TimeZone)
	ck.oneOf("rounding", c.Rounding, "", string(HalfUp), string(HalfEven))
	ck.oneOf("rounding_of", c.RoundingOf, "", roundingOfLine, roundingOfTicket)
	ck.oneOf("unmatched", c.Unmatched, "", chargeOutOfScope, chargeTime)
	ck.oneOf("reopen", c.Reopen, "", reopenReverse, reopenKeep)
	ck.length("patience", c.Patience, time.Minute, 90*24*time.Hour)
	ck.optionalID("payer", c.Payer)
	ck.optionalID("tax", c.Tax)
	ck.accounting("accounting", c.Accounting)
	ck.billing(c)
	ck.term(c)
	ck.pauses(c)
	ck.purchaseOrder(c.PurchaseOrder)
	ck.timeTerms("time", &c.Time, nil)
	ck.bandsOf(c)
	ck.premium(c)
	ck.rates(c)
	ck.lines(c)
	ck.materials(c.Materials)
	ck.listed(c)
	ck.callers(c.Callers)
	ck.approval(c.Approval)
	ck.notToExceed(c.NotToExceed)
	ck.project(c.Project)
	ck.expected(c.Expected)
	ck.commitment(c)
	ck.warranty(c.Warranty)
	ck.sla(c)
}

type checker struct {
	*problems
	bands bandNames
}

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

func (ps *problems) reported(field string) bool {
	return slices.ContainsFunc(ps.found, func(p *Problem) bool {
		return p.Field == field || strings.HasPrefix(p.Field, field+".") || strings.HasPrefix(p.Field, field+"[")
	})
}

// given says whether the file has the field, so that a zero somebody wrote is told from
// one that nobody did. Without a file nobody did.
func (ck checker) given(field string) bool {
	_, given := ck.problems.lines[field]
	return given
}

func (ck checker) id(field, id string) {
	if !idShape.MatchString(id) {
		ck.need(field, id, "is not an id", idFix)
	}
}

func (ck checker) optionalID(field, id string) {
	if id != "" {
		ck.id(field, id)
	}
}

func (ck checker) dates(c *Contract) {
	from := ck.date("effective_from", c.EffectiveFrom)
	if c.EffectiveTo == "" {
		return
	}
	if to := ck.date("effective_to", c.EffectiveTo); !from.IsZero() && !to.IsZero() && !to.After(from) {
		ck.add("effective_to", c.EffectiveTo, "is not after effective_from", "give the first day that the contract no longer covers, or leave it out")
	}
}

// date reads a local date that must be there; the zero time where it is none.
func (ck checker) date(field, value string) time.Time {
	day, err := time.Parse(time.DateOnly, value)
	if err != nil {
		ck.need(field, value, "is not a date", "write it like 2026-01-31")
		return time.Time{}
	}
	return day
}

const zoneFix = "use the client's IANA zone, like Europe/Amsterdam"

// zone checks the name of a time zone; an empty one is left to its default.
func (ck checker) zone(field, name string) {
	if name == "" {
		return
	}
	if _, err := time.LoadLocation(name); err != nil || name == "Local" {
		ck.add(field, name, "is not a time zone", zoneFix)
	}
}

func (ck checker) oneOf(field, value string, allowed ...string) {
	if slices.Contains(allowed, value) {
		return
	}
	allowed = slices.DeleteFunc(slices.Clone(allowed), func(s string) bool { return s == "" })
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

// whole checks a number without a fraction; one that nobody wrote is left to its default.
func (ck checker) whole(field string, n, least, most int) {
	if (n == 0 && !ck.given(field)) || ck.reported(field) {
		return
	}
	if n < least || n > most {
		ck.add(field, strconv.Itoa(n), "is out of bounds", "use "+strconv.Itoa(least)+" to "+strconv.Itoa(most))
	}
}

func (ck checker) price(field string, price decimal.Decimal) {
	switch {
	case !plain(price):
		ck.add(field, "", "is not an amount", amountFix)
	case price.IsNegative():
		ck.add(field, price.String(), "is negative", "credits are not written as negative prices")
	case price.GreaterThan(maxPrice):
		ck.add(field, price.String(), "is more than 1,000,000,000", "check the number of digits")
	}
}

func (ck checker) optionalPrice(field string, price *decimal.Decimal) {
	if price != nil {
		ck.price(field, *price)
	}
}

// above checks a sum of money that must be more than nothing. With a file, one that is
// not written is missing rather than zero.
func (ck checker) above(field string, sum decimal.Decimal, fix string) {
	switch {
	case ck.reported(field):
	case sum.IsZero() && ck.problems.lines != nil && !ck.given(field):
		ck.need(field, "", "", fix)
	case sum.IsZero():
		ck.add(field, "0", "is nothing", fix)
	default:
		ck.price(field, sum)
	}
}

// quantity checks a number of units; none is a number too where noneToo says so.
func (ck checker) quantity(field string, n *decimal.Decimal, noneToo bool) {
	switch {
	case n == nil:
	case !plain(*n):
		ck.add(field, "", "is not a number of units", amountFix)
	case n.IsNegative():
		ck.add(field, n.String(), "is negative", "give how many units it is")
	case n.IsZero() && !noneToo:
		ck.add(field, "0", "is none", "give how many units it is")
	case n.GreaterThan(maxQuantity):
		ck.add(field, n.String(), "is more than 1,000,000,000,000", "check the number of digits")
	}
}

// percent checks a percentage, 12.5 for 12.5 %.
func (ck checker) percent(field string, p *decimal.Decimal, most int64) {
	ck.within(field, p, most, "is not such a percentage", "use 0 to "+strconv.FormatInt(most, 10)+", without a percent sign")
}

func (ck checker) within(field string, n *decimal.Decimal, most int64, problem, fix string) {
	switch {
	case n == nil:
	case !plain(*n):
		ck.add(field, "", problem, fix)
	case n.IsNegative() || n.GreaterThan(decimal.NewFromInt(most)):
		ck.add(field, n.String(), problem, fix)
	}
}

// plain says whether the number has a shape that can be written in a contract. Whatever
// else is done with another one may need as much memory as its exponent says.
func plain(d decimal.Decimal) bool { return d.Exponent() >= -9 && d.Exponent() <= 12 }

func (ck checker) clause(field, clause string) {
	if !clauseShape.MatchString(clause) {
		ck.need(field, clause, "is not a clause", "number it as the paper contract does, like A1 or §4.2, without spaces and slashes")
	}
}

func (ck checker) optionalClause(field, clause string) {
	if clause != "" {
		ck.clause(field, clause)
	}
}

// names checks a list of names. An empty one is never what somebody who writes it means.
func (ck checker) names(field string, values []string, most int, fix string) {
	if len(values) > most {
		ck.add(field, strconv.Itoa(len(values)), "are too many", "list at most "+strconv.Itoa(most))
		return
	}
	ck.notEmpty(field, values != nil && len(values) == 0, fix)
	seen := make(map[string]bool, len(values))
	for i, value := range values {
		folded := strings.ToLower(value)
		switch at := nth(field, i); {
		case value == "" && ck.reported(at):
		case value == "":
			ck.add(at, "", "is empty", "name something, or remove it")
		case seen[folded]:
			ck.add(at, value, "is there twice", "keep one of them")
		default:
			seen[folded] = true
		}
	}
}

// namesOf checks a list of names of which only a few are known.
func (ck checker) namesOf(field string, values []string, fix string, known ...string) {
	ck.names(field, values, maxMatches, fix)
	for i, value := range values {
		if value != "" {
			ck.oneOf(nth(field, i), value, known...)
		}
	}
}

func (ck checker) notEmpty(field string, empty bool, fix string) {
	if empty {
		ck.add(field, "", "is an empty list", fix)
	}
}

func (ck checker) people(field string, ids []string, most int) {
	if len(ids) > most {
		ck.add(field, strconv.Itoa(len(ids)), "are too many", "name at most "+strconv.Itoa(most))
		return
	}
	seen := make(map[string]bool, len(ids))
	for i, id := range ids {
		at := nth(field, i)
		if id == "" && ck.reported(at) {
			continue
		}
		if !idShape.MatchString(id) {
			ck.add(at, id, "is not a person's id", idFix)
		}
		if seen[id] {
			ck.add(at, id, "is there twice", "keep one of them")
		}
		seen[id] = true
	}
}

// nth is the field of an item of a list.
func nth(list string, i int) string { return list + "[" + strconv.Itoa(i) + "]" }
