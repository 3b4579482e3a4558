package billing

import (
	"slices"
	"strconv"
	"time"

	"github.com/shopspring/decimal"
)

// The settings of what asks, limits and refuses.
const (
	restHold     = "hold"
	restWriteOff = "write-off"
	othersHold   = "hold"
	othersBill   = "bill"
	unlistedAsk  = "ask"
	unlistedBill = "bill"
	unlistedAdd  = "add"
	usedUpWarn   = "warn"
	usedUpHold   = "hold"
)

// longestOfTicket is the largest threshold of a ticket's time.
const longestOfTicket = 1000 * time.Hour

const categoriesFix = "name categories of tickets, or leave the list out"

func (ck checker) approval(a *Approval) {
	if a == nil {
		return
	}
	ck.optionalClause("approval.clause", a.Clause)
	ck.optionalPrice("approval.amount_over", a.AmountOver)
	ck.length("approval.time_over", a.TimeOver, time.Minute, longestOfTicket)
	ck.optionalPrice("approval.hourly_over", a.HourlyOver)
	ck.names("approval.categories", a.Categories, maxMatches, categoriesFix)
	ck.namesOf("approval.actors", a.Actors, "name human or ai, or leave the list out", kindHuman, kindAI)
	ck.length("approval.expires", a.Expires, time.Minute, 90*24*time.Hour)
	if a.AmountOver == nil && a.TimeOver == "" && a.HourlyOver == nil && a.Categories == nil && a.Actors == nil && !ck.reported("approval") {
		ck.add("approval", "", "has no threshold", "set amount_over, time_over, hourly_over, categories or actors, or leave approval out")
	}
	if len(a.Approvers) == 0 {
		ck.need("approval.approvers", "", "", "name at least one person of the client who may sign off")
	}
	ck.people("approval.approvers", a.Approvers, maxPeople)
}

func (ck checker) callers(p *Callers) {
	if p == nil {
		return
	}
	ck.optionalClause("callers.clause", p.Clause)
	if len(p.People) == 0 {
		ck.need("callers.people", "", "", "name at least one person of the client who may order work")
	}
	ck.people("callers.people", p.People, maxMatches)
	ck.oneOf("callers.others", p.Others, "", othersHold, othersBill)
}

// listed checks the devices and users that the contract is for, and the line that counts
// one more of them.
func (ck checker) listed(c *Contract) {
	l := c.Listed
	if l == nil {
		return
	}
	ck.optionalClause("listed.clause", l.Clause)
	ck.names("listed.devices", l.Devices, maxListed, "name devices, or leave the list out")
	ck.notEmpty("listed.users", l.Users != nil && len(l.Users) == 0, "name users, or leave the list out")
	ck.people("listed.users", l.Users, maxListed)
	if l.Devices == nil && l.Users == nil && !ck.reported("listed") {
		ck.add("listed", "", "lists nothing", "name devices or users, or leave listed out")
	}
	ck.oneOf("listed.unlisted", l.Unlisted, "", unlistedAsk, unlistedBill, unlistedAdd)
	// A line that could not be read may well be the one that is meant.
	may := func(line Line) bool {
		counts := (line.Charge == chargePerDevice || line.Charge == chargePerSeat) && line.Price != nil
		return line.Clause == "" || line.Charge == "" || (line.Clause == l.Add && counts)
	}
	switch {
	case l.Unlisted == unlistedAdd && l.Add == "":
		ck.need("listed.add", "", "", "give the clause of the per-device or per-seat line that counts one more")
	case l.Add != "" && !clauseShape.MatchString(l.Add):
		ck.clause("listed.add", l.Add)
	case l.Unlisted != unlistedAdd && l.Add != "" && !ck.reported("listed.unlisted"):
		ck.add("listed.add", l.Add, "means nothing without unlisted: add", "write unlisted: add, or leave add out")
	case l.Add != "" && len(c.Lines) > 0 && !slices.ContainsFunc(c.Lines, may):
		ck.add("listed.add", l.Add, "is not the clause of a per-device or per-seat line with a price", "give that of one, or add the line")
	}
}

func (ck checker) notToExceed(n *NotToExceed) {
	if n == nil {
		return
	}
	ck.optionalClause("not_to_exceed.clause", n.Clause)
	ck.above("not_to_exceed.amount", n.Amount, "give the most that a ticket may cost, like 500.00")
	ck.oneOf("not_to_exceed.rest", n.Rest, "", restHold, restWriteOff)
}

func (ck checker) project(p *Project) {
	if p == nil {
		return
	}
	ck.optionalClause("project.clause", p.Clause)
	ck.optionalPrice("project.amount_over", p.AmountOver)
	ck.length("project.time_over", p.TimeOver, time.Minute, longestOfTicket)
	ck.names("project.categories", p.Categories, maxMatches, categoriesFix)
	if p.AmountOver == nil && p.TimeOver == "" && p.Categories == nil && !ck.reported("project") {
		ck.add("project", "", "has no limit", "set amount_over, time_over or categories, or leave project out")
	}
}

func (ck checker) expected(e *Expected) {
	if e == nil {
		return
	}
	ck.optionalClause("expected.clause", e.Clause)
	ck.optionalPrice("expected.amount_over", e.AmountOver)
	ck.length("expected.time_over", e.TimeOver, time.Minute, longestOfTicket)
	ck.whole("expected.tickets", e.Tickets, 1, maxCount)
	ck.whole("expected.attempts", e.Attempts, 1, maxCount)
	ck.history(e.History)
	if e.AmountOver == nil && e.TimeOver == "" && e.Tickets == 0 && e.Attempts == 0 && e.History == nil && !ck.reported("expected") {
		ck.add("expected", "", "has no limit", "set amount_over, time_over, tickets, attempts or history, or leave expected out")
	}
}

func (ck checker) history(h *History) {
	if h == nil {
		return
	}
	switch {
	case !plain(h.Times):
		ck.add("expected.history.times", "", "is not a number", "give a decimal such as 3 or 2.5")
	case !h.Times.GreaterThan(one) || h.Times.GreaterThan(maxTimes):
		ck.add("expected.history.times", h.Times.String(), "is not between 1 and 1000", "give above how many times the usual the pattern breaks, such as 3")
	}
	ck.whole("expected.history.days", h.Days, 7, maxPastDays)
	ck.whole("expected.history.tickets", h.Tickets, 3, MaxPast)
	ck.namesOf("expected.history.of", h.Of, "name what to compare, or leave the list out to compare everything", pastTime, pastAmount, pastFrequency)
}

// How far a history may reach, and how many times the usual still says anything.
const maxPastDays = 1096

var maxTimes = decimal.NewFromInt(1000)

func (ck checker) purchaseOrder(p *PurchaseOrder) {
	if p == nil {
		return
	}
	ck.mustHave("purchase_order.number", p.Number != "", "give the number of the client's order")
	ck.above("purchase_order.limit", p.Limit, "give what the order is good for, net, like 5000.00")
	ck.oneOf("purchase_order.used_up", p.UsedUp, "", usedUpWarn, usedUpHold)
}

// The kinds of materials.
var materialKinds = []string{"part", "licence", "expense"}

// materials checks the rows that price parts, licences and expenses. The first that fits
// counts, so one whose kinds are all spoken for can never count.
func (ck checker) materials(rows []MaterialTerms) {
	if len(rows) > maxMaterials {
		ck.add("materials", strconv.Itoa(len(rows)), "are too many", "a contract has at most 100 rows of materials")
		return
	}
	seen := map[string]int{}
	taken := map[string]int{}
	for i := range rows {
		m := &rows[i]
		field := nth("materials", i)
		ck.clause(field+".clause", m.Clause)
		if j, twice := seen[m.Clause]; twice && m.Clause != "" {
			ck.add(field+".clause", m.Clause, "is the clause of "+nth("materials", j)+" too", "give every row a clause of its own")
		}
		seen[m.Clause] = i
		ck.mustHave(field+".name", m.Name != "", "say what the invoice line shall be called")
		ck.namesOf(field+".kinds", m.Kinds, "name kinds, or leave the list out for all", materialKinds...)
		ck.percent(field+".markup_percent", &m.MarkupPercent, 1000)
		if m.Covered && !m.MarkupPercent.IsZero() {
			ck.add(field+".markup_percent", "", "means nothing with covered", "keep one of the two: what is covered costs nothing")
		}
		ck.optionalID(field+".tax_category", m.TaxCategory)
		ck.accounting(field+".accounting", m.Accounting)

		kinds := m.Kinds
		if len(kinds) == 0 {
			kinds = materialKinds
		}
		first, free := -1, false
		for _, kind := range kinds {
			if j, is := taken[kind]; is {
				first = max(first, j)
			} else {
				taken[kind], free = i, true
			}
		}
		if !free && !ck.reported(field+".kinds") {
			ck.add(field, "", "can never count: "+nth("materials", first)+" speaks of the same first", "remove it, or move it up")
		}
	}
}
