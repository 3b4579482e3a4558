package billing

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/shopspring/decimal"
)

func (ck checker) lines(c *Contract) {
	switch {
	case len(c.Lines) == 0:
		ck.need("lines", "", "", "give at least one clause with its charge")
	case len(c.Lines) > maxLines:
		ck.add("lines", strconv.Itoa(len(c.Lines)), "are too many", "a contract has at most 500 lines")
		return
	}
	seen := map[string]int{}
	for i := range c.Lines {
		l := &c.Lines[i]
		field := nth("lines", i)
		ck.clause(field+".clause", l.Clause)
		if j, twice := seen[l.Clause]; twice && l.Clause != "" {
			ck.add(field+".clause", l.Clause, "is the clause of "+nth("lines", j)+" too", "give every line a clause of its own")
		}
		seen[l.Clause] = i
		if l.Name == "" {
			ck.need(field+".name", "", "", "say what the invoice line shall be called")
		}
		ck.match(field+".match", &l.Match)
		if l.Except != nil {
			ck.match(field+".except", l.Except)
			if l.Except.fields() == 0 && !ck.reported(field+".except") {
				ck.add(field+".except", "", "is empty, so that it excepts all work", "name what the line does not speak of, or leave except out")
			}
		}
		ck.charge(field, l, c)
		if l.Time != nil {
			ck.timeTerms(field+".time", l.Time, &c.Time)
		}
		ck.discount(field+".discount", l, c)
		ck.optionalPrice(field+".cap", l.Cap)
		ck.optionalID(field+".tax_category", l.TaxCategory)
		ck.accounting(field+".accounting", l.Accounting)
	}
}

// The charges, as they are listed to people, and what some of them have in common.
var (
	charges = []string{
		chargeCovered, chargeTime, chargeBlock, chargeBucket, chargeRetainer, chargePerTicket, chargeUsage,
		chargeFlat, chargePerDevice, chargePerSeat, chargeNotBillable, chargeOutOfScope,
	}
	// timedCharges turn work into billable time.
	timedCharges = []string{chargeTime, chargeBlock, chargeBucket, chargeRetainer, chargeOutOfScope}
	// feeCharges speak of no work: they post with the period.
	feeCharges = []string{chargeFlat, chargePerDevice, chargePerSeat}
	// periodCharges have a price of the period, if only for what it grants.
	periodCharges = []string{chargeFlat, chargePerDevice, chargePerSeat, chargeBucket, chargeRetainer}
)

// charge checks that a line has what its charge needs, and nothing that it ignores.
func (ck checker) charge(field string, l *Line, c *Contract) {
	ck.oneOf(field+".charge", l.Charge, charges...)
	if !slices.Contains(charges, l.Charge) {
		return
	}
	ck.belongs(field, l)
	ck.fee(field, l, c)
	if l.Price != nil {
		ck.price(field+".price", *l.Price)
	}
	switch l.Charge {
	case chargePerTicket:
		ck.mustHave(field+".price", l.Price != nil, "give the price of a ticket, like 12.00")
		if l.Included < 0 || l.Included > maxCount {
			ck.add(field+".included", strconv.Itoa(l.Included), "is no number of tickets", "give how many tickets of a period cost nothing, 0 to 1000000")
		}
		ck.withoutBands(field, l)
	case chargeBlock:
		ck.overage(field+".overage", l.Overage)
		ck.block(field+".block", l.Block)
	case chargeBucket:
		ck.overage(field+".overage", l.Overage)
		ck.mustHave(field+".bucket", l.Bucket != nil, "say what a period grants, like {included: 10h}")
		ck.bucket(field+".bucket", l.Bucket)
	case chargeRetainer:
		ck.mustHave(field+".retainer", l.Retainer != nil, "give the money of a period that pays for work, like 1000.00")
		if l.Retainer != nil {
			ck.above(field+".retainer", *l.Retainer, "give the money of a period that pays for work, like 1000.00")
		}
	case chargeUsage:
		ck.mustHave(field+".usage", l.Usage != nil, "say which event is priced and how, like {event: closure, model: unit, price: 4.00}")
		ck.usage(field+".usage", l.Usage)
		ck.withoutBands(field, l)
	case chargeFlat:
		ck.mustHave(field+".price", l.Price != nil, "give the price of a period, like 500.00")
	case chargePerDevice, chargePerSeat:
		ck.counted(field, l, c)
	}
}

func (ck checker) mustHave(field string, is bool, fix string) {
	if !is {
		ck.need(field, "", "", fix)
	}
}

// belongs reports every field that means nothing with the line's charge.
func (ck checker) belongs(field string, l *Line) {
	given := func(is bool, name, value string, with ...string) {
		if !is || slices.Contains(with, l.Charge) {
			return
		}
		ck.add(field+"."+name, value, "means nothing with charge "+l.Charge, "remove it, or charge "+either(with))
	}
	without := func(is bool, name string, charges ...string) {
		if is && slices.Contains(charges, l.Charge) {
			ck.add(field+"."+name, "", "means nothing with charge "+l.Charge, "remove it")
		}
	}
	given(l.Hidden, "hidden", "true", chargeCovered)
	given(l.Overage != "", "overage", l.Overage, chargeBlock, chargeBucket)
	given(l.Price != nil, "price", "", append([]string{chargePerTicket}, periodCharges...)...)
	given(l.Included != 0, "included", strconv.Itoa(l.Included), chargePerTicket)
	given(l.Block != nil, "block", "", chargeBlock)
	given(l.Bucket != nil, "bucket", "", chargeBucket)
	given(l.Retainer != nil, "retainer", "", chargeRetainer)
	given(l.Usage != nil, "usage", "", chargeUsage)
	given(l.Count != nil, "count", "", chargePerDevice, chargePerSeat)
	given(l.When != "", "when", l.When, periodCharges...)
	given(l.Prorate != "", "prorate", l.Prorate, periodCharges...)
	without(l.Cap != nil, "cap", chargeCovered, chargeNotBillable)
	without(l.Discount != nil, "discount", chargeCovered, chargeNotBillable)
	without(l.TaxCategory != "", "tax_category", chargeNotBillable)
	without(l.Accounting != nil, "accounting", chargeNotBillable)
	without(l.Match.fields() > 0, "match", feeCharges...)
	without(l.Except != nil, "except", feeCharges...)
	if l.Time != nil && !slices.Contains(timedCharges, l.Charge) {
		ck.add(field+".time", "", "means nothing with charge "+l.Charge, "remove it: this charge does not bill time")
	}
}

// withoutBands refuses bands where a line speaks of what happens at an instant rather than
// of work: no band is known of it.
func (ck checker) withoutBands(field string, l *Line) {
	if len(l.Match.Bands) > 0 {
		ck.add(field+".match.bands", strings.Join(l.Match.Bands, ", "), "mean nothing with charge "+l.Charge, "remove them: only work has bands")
	}
	if l.Except != nil && len(l.Except.Bands) > 0 {
		ck.add(field+".except.bands", strings.Join(l.Except.Bands, ", "), "mean nothing with charge "+l.Charge, "remove them: only work has bands")
	}
}

// either says "a", "a or b", "a, b or c".
func either(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

func (ck checker) overage(field, overage string) {
	if overage == "" || overage == overageRateCard || overage == overageHold {
		return
	}
	if !money9.MatchString(overage) {
		ck.add(field, overage, "is not a way to charge overage", "use rate-card, hold, or the price of an hour like 140.00")
		return
	}
	if price, err := decimal.NewFromString(overage); err == nil {
		ck.price(field, price)
	}
}

// discount checks what lowers a charge.
func (ck checker) discount(field string, l *Line, c *Contract) {
	d := l.Discount
	if d == nil {
		return
	}
	if d.Percent == nil && d.Amount == nil && !ck.reported(field) {
		ck.add(field, "", "lowers nothing", "set percent or amount, or leave discount out")
	}
	ck.percent(field+".percent", d.Percent, 100)
	ck.optionalPrice(field+".amount", d.Amount)
	if why := l.addsUp(c); d.Amount != nil && why != "" {
		ck.add(field+".amount", "", "means nothing where "+why, "use percent: only a charge that stands for itself can be lowered by an amount")
	}
	if d.Until == "" {
		return
	}
	if until := ck.date(field+".until", d.Until); !until.IsZero() && d.Until <= c.EffectiveFrom {
		ck.add(field+".until", d.Until, "is not after effective_from", "the discount would never apply; give the first day without it")
	}
}

// addsUp says why the line's charges are parts of a running sum rather than prices of their own;
// nothing where they are.
func (l *Line) addsUp(c *Contract) string {
	time := l.Time
	if time == nil {
		time = new(TimeTerms)
	}
	scope := cmp.Or(time.Scope, c.Time.Scope)
	switch byDay := scope == scopeDay || cmp.Or(time.IncrementScope, c.Time.IncrementScope, scope) == scopeDay; {
	case l.Charge == chargePerTicket:
		return "tickets have a price"
	case l.Charge == chargeUsage && l.Usage != nil && (l.Usage.Percentage == nil || !l.Usage.byEvent()):
		return "a period's use adds up"
	case byDay && slices.Contains(timedCharges, l.Charge):
		return "a day's time adds up"
	}
	return ""
}

// namedList is one list of a match by its name.
type namedList struct {
	name   string
	values []string
}

// lists gives the lists of a match, all but the priorities.
func (m *Match) lists() [9]namedList {
	return [...]namedList{
		{"categories", m.Categories},
		{"subcategories", m.Subcategories},
		{"types", m.Types},
		{"work_types", m.WorkTypes},
		{"channels", m.Channels},
		{"sites", m.Sites},
		{"devices", m.Devices},
		{"actors", m.Actors},
		{"bands", m.Bands},
	}
}

// fields counts the lists that are set: how specific the match is.
func (m *Match) fields() int {
	n := set(len(m.Priorities) > 0)
	for _, list := range m.lists() {
		n += set(len(list.values) > 0)
	}
	return n
}

const matchFix = "name what the line speaks of, or leave the list out to match everything"

func (ck checker) match(field string, m *Match) {
	for _, list := range m.lists() {
		ck.names(field+"."+list.name, list.values, maxMatches, matchFix)
	}
	for i, actor := range m.Actors {
		if actor != "" {
			ck.oneOf(nth(field+".actors", i), actor, kindHuman, kindAI)
		}
	}
	for i, band := range m.Bands {
		ck.bandOrStandard(nth(field+".bands", i), band)
	}
	if len(m.Priorities) > 5 {
		ck.add(field+".priorities", strconv.Itoa(len(m.Priorities)), "are too many", "there are five, 1 to 5")
		return
	}
	for i, priority := range m.Priorities {
		at := nth(field+".priorities", i)
		if (priority < 1 || priority > 5) && !ck.reported(at) {
			ck.add(at, strconv.Itoa(priority), "is not a priority", "use 1 (most urgent) to 5")
		}
		if slices.Contains(m.Priorities[:i], priority) {
			ck.add(at, strconv.Itoa(priority), "is there twice", "keep one of them")
		}
	}
	ck.notEmpty(field+".priorities", m.Priorities != nil && len(m.Priorities) == 0, matchFix)
}
