package billing

import (
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
		field := "lines[" + strconv.Itoa(i) + "]"
		ck.clause(field+".clause", l.Clause)
		if j, twice := seen[l.Clause]; twice && l.Clause != "" {
			ck.add(field+".clause", l.Clause, "is the clause of lines["+strconv.Itoa(j)+"] too", "give every line a clause of its own")
		}
		seen[l.Clause] = i
		if l.Name == "" {
			ck.need(field+".name", "", "", "say what the invoice line shall be called")
		}
		ck.match(field+".match", &l.Match)
		ck.charge(field, l, c)
		if l.Time != nil {
			ck.timeTerms(field+".time", l.Time)
		}
	}
}

// charge checks that a line has what its charge needs, and nothing that it ignores.
func (ck checker) charge(field string, l *Line, c *Contract) {
	ck.oneOf(field+".charge", l.Charge, chargeCovered, chargeTime, chargeBlock, chargePerTicket, chargeNotBillable, chargeOutOfScope)
	only := func(is bool, name, value, charge string) {
		if is && l.Charge != charge && l.Charge != "" {
			ck.add(field+"."+name, value, "means nothing with charge "+l.Charge, "remove it, or charge "+charge)
		}
	}
	only(l.Hidden, "hidden", "true", chargeCovered)
	only(l.Overage != "", "overage", l.Overage, chargeBlock)
	only(l.Price != nil, "price", "", chargePerTicket)
	only(l.Included != 0, "included", strconv.Itoa(l.Included), chargePerTicket)
	if l.Time != nil && l.Charge != chargeTime && l.Charge != chargeBlock && l.Charge != chargeOutOfScope && l.Charge != "" {
		ck.add(field+".time", "", "means nothing with charge "+l.Charge, "remove it: this charge does not bill time")
	}

	switch l.Charge {
	case chargePerTicket:
		if l.Price == nil {
			ck.need(field+".price", "", "", "give the price of a ticket, like 12.00")
		} else {
			ck.price(field+".price", *l.Price)
		}
		if l.Included < 0 || l.Included > 1_000_000 {
			ck.add(field+".included", strconv.Itoa(l.Included), "is no number of tickets", "give how many tickets of a month cost nothing, 0 to 1000000")
		}
	case chargeBlock:
		ck.overage(field+".overage", l.Overage)
	}
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

func (ck checker) match(field string, m *Match) {
	for _, l := range []struct {
		name   string
		values []string
	}{
		{"categories", m.Categories},
		{"subcategories", m.Subcategories},
		{"types", m.Types},
		{"work_types", m.WorkTypes},
		{"channels", m.Channels},
		{"sites", m.Sites},
		{"actors", m.Actors},
	} {
		ck.names(field+"."+l.name, l.values)
	}
	for i, actor := range m.Actors {
		if actor != "" {
			ck.oneOf(field+".actors["+strconv.Itoa(i)+"]", actor, kindHuman, kindAI)
		}
	}
	for i, priority := range m.Priorities {
		at := field + ".priorities[" + strconv.Itoa(i) + "]"
		if (priority < 1 || priority > 5) && !ck.reported(at) {
			ck.add(at, strconv.Itoa(priority), "is not a priority", "use 1 (most urgent) to 5")
		}
		if slices.Contains(m.Priorities[:i], priority) {
			ck.add(at, strconv.Itoa(priority), "is there twice", "keep one of them")
		}
	}
	ck.notEmpty(field+".priorities", m.Priorities != nil && len(m.Priorities) == 0)
}

// names checks one list of a match. An empty list would match everything, which is not
// what somebody who writes one means.
func (ck checker) names(field string, values []string) {
	if len(values) > maxMatches {
		ck.add(field, strconv.Itoa(len(values)), "are too many", "list at most 500, or leave the list out to match everything")
		return
	}
	ck.notEmpty(field, values != nil && len(values) == 0)
	seen := make(map[string]bool, len(values))
	for i, value := range values {
		at := field + "[" + strconv.Itoa(i) + "]"
		switch folded := strings.ToLower(value); {
		case value == "" && ck.reported(at):
		case value == "":
			ck.add(at, "", "is empty", "name what the line speaks of, or remove it")
		case seen[folded]:
			ck.add(at, value, "is there twice", "keep one of them")
		default:
			seen[folded] = true
		}
	}
}

func (ck checker) notEmpty(field string, empty bool) {
	if empty {
		ck.add(field, "", "is an empty list", "name what the line speaks of, or leave the list out to match everything")
	}
}
