package billing

import (
	"strings"

	"github.com/shopspring/decimal"
)

// ofTicket tells the steps about what belongs to the ticket itself, and about all that it costs; ""
// for those of others.
func (s Step) ofTicket(c Charge) string {
	switch s.Rule {
	case ruleMaterial:
		return s.material(c)
	case ruleUsage:
		return s.usage(c)
	case ruleRoundTicket:
		return "The contract bills the rounded sum of a ticket: its lines are " + s.get("exact") + " " + c.Currency + " exactly and " + money(s.amount("lines"), c.Currency) +
			" each rounded, so " + money(s.amount("rounded"), c.Currency) + " bills. By line it would have been " + money(s.amount("lines"), c.Currency) + "."
	case ruleLimit:
		return s.limit(c)
	case ruleCredit:
		return s.credit(c)
	case ruleOrder:
		return s.order(c)
	case ruleOrderWarn:
		return "Order " + s.get("order") + " of " + money(s.amount("limit"), c.Currency) + " is passed with it: " + money(s.amount("after").Sub(s.amount("limit")), c.Currency) +
			" are beyond. The contract warns and does not hold."
	case ruleBudget:
		return s.budget(c)
	case ruleProjectWork:
		return "The ticket belongs to project " + s.get("project") + ": what the contract covers by itself, it does not cover for a project."
	case ruleProjectRate:
		return "The project asks " + moneyExactly(s.amount("hourly"), c.Currency) + " an hour for it."
	case ruleRerated:
		return s.rerated()
	case ruleNotOrdered:
		return s.notOrdered()
	case ruleProject:
		return s.size(c, "The ticket is a project by the contract", "it would have been a ticket like any other")
	case rulePattern:
		return s.size(c, "The ticket breaks the pattern of its kind", "nobody would have been asked")
	case ruleHistory:
		limit := decimalOf(s.get("usual")).Mul(decimalOf(s.get("times")))
		return "The ticket breaks the pattern of those before it" + s.by() + ": " + s.broken(c.Currency) + ". Up to " + s.past(limit.String(), c.Currency) + ", and nobody would have been asked."
	}
	return ""
}

func (s Step) material(c Charge) string {
	cost := money(s.amount("cost"), s.get("currency"))
	what := s.get("quantity") + " of it, " + article(s.get("kind")) + ", cost us " + cost + " each"
	switch {
	case s.get("contract") == "" && s.get("price") == "":
		return what + "; no contract says what it is sold for."
	case s.get("covered") != "":
		return what + "; " + clauseName(s.get("contract"), s.get("clause")) + " covers it."
	case s.get("price") == "" && s.get("currency") != c.Currency:
		return what + "; the contract bills in " + c.Currency + ", and nobody said what it is in that."
	case s.get("price") == "":
		return what + "; the contract's materials have no row for it, and nobody set a price."
	}
	price := moneyExactly(s.amount("price"), c.Currency) + " each"
	markup := s.get("markup_percent")
	if markup == "" {
		return what + "; somebody who may set it at " + price + ", so no markup was asked for."
	}
	return what + "; " + clauseName(s.get("contract"), s.get("clause")) + " adds " + markup + " %, so it is sold at " + price + "."
}

// article puts the article before a word: "a part", "an expense".
func article(word string) string {
	if word != "" && strings.ContainsRune("aeiou", rune(word[0])) {
		return "an " + word
	}
	return "a " + word
}

func (s Step) usage(c Charge) string {
	by := clauseName(s.get("contract"), s.get("clause"))
	if s.get("before") == "" {
		said := by + " takes " + s.get("percent") + " % of each " + s.get("event") + ", which was worth " + s.get("quantity") + " here."
		return said + s.bounded(c) + " " + s.get("events") + " came before in the period, worth " + s.get("value") + "."
	}
	said := by + " prices " + s.get("event") + " (" + s.get("model") + "): the period's use goes from " + s.get("before") + " to " + s.get("after") +
		"; the amount is what the whole costs more."
	left := s.get("next_in")
	switch s.get("next") {
	case "free":
		return said + " " + left + " more are free."
	case "package":
		if s.amount("next_in").IsZero() {
			return said + " The package is full: one more, and the next would be charged."
		}
		return said + " " + left + " more fit into the package that is paid for."
	case "tier":
		return said + " More than " + left + " more, and the next tier would price them."
	}
	return said
}

// bounded tells what a percentage of an event comes to with what stands beside it.
func (s Step) bounded(c Charge) string {
	var parts []string
	for _, of := range []struct{ name, before string }{{"fixed", "plus "}, {"least", "at least "}, {"most", "at most "}} {
		if value := s.get(of.name); value != "" {
			parts = append(parts, of.before+moneyExactly(decimalOf(value), c.Currency))
		}
	}
	said := ""
	if len(parts) > 0 {
		of := s.amount("quantity").Mul(s.amount("percent")).Shift(-2)
		said = " That is " + moneyExactly(of, c.Currency) + "; an event costs " + joinAnd(parts) + "."
	}
	if n := s.get("free_events"); n != "" {
		said += " The first " + n + " of a period are free."
	}
	if value := s.get("free_value"); value != "" {
		said += " The first " + value + " of a period's value is free."
	}
	return said
}

func (s Step) limit(c Charge) string {
	limit, sum := s.amount("limit"), s.amount("sum")
	said := "A ticket costs at most " + money(limit, c.Currency) + s.by() + ", and this one comes to " + money(sum, c.Currency) + ": " + money(sum.Sub(limit), c.Currency) + " are beyond."
	switch {
	case s.get("rest") == restWriteOff:
		return said + " The contract has us bear them."
	case c.Kind == Discount:
		return said + " They are taken off here, and wait for a dispatcher by themselves."
	}
	return said + " A dispatcher had to say whether they bill."
}

func (s Step) credit(c Charge) string {
	said := s.promise(c)
	if most := s.get("at_most"); most != "" {
		said += " One ticket's credit is at most " + money(s.amount("at_most"), c.Currency) + "."
	}
	if s.get("cap") == "" {
		return said
	}
	before, most := s.amount("before"), s.amount("cap")
	after := before.Add(c.countedFor(countsCredit))
	said += " The period's credit is at most " + money(most, c.Currency) + ": " + money(before, c.Currency) + " came before."
	if left := most.Sub(after); left.IsPositive() {
		return said + " " + money(left, c.Currency) + " more, and the cap would be reached."
	}
	return said + " What is beyond the cap is not credited."
}

// promise tells what the ticket earned a credit for.
func (s Step) promise(c Charge) string {
	places, _ := MinorUnits(c.Currency)
	exact := money(s.amount("exact").Round(places), c.Currency)
	if missed := s.get("missed"); missed != "" {
		of := "the period's fee of "
		if s.get("base") == baseTicket {
			of = "what the ticket costs, "
		}
		targets := "target was"
		if strings.Contains(missed, " and ") {
			targets = "targets were"
		}
		return "The " + missed + " " + targets + " missed: the contract" + s.by() + " credits " + s.get("percent") + " % of " + of + money(s.amount("of"), c.Currency) +
			", " + exact + ". In time, nothing would have been credited."
	}
	allotment, spent := s.ms("allotment_ms"), s.ms("spent_ms")
	return "It was resolved in " + span(spent) + " of the " + span(allotment) + " that the contract" + s.by() + " allots: " + moneyExactly(s.amount("hourly"), c.Currency) + " for each hour less, " +
		exact + ". " + span(allotment-spent) + " longer, and nothing would have been credited."
}

// countedFor is what the charge counts towards a kind of counter.
func (c Charge) countedFor(kind string) decimal.Decimal {
	for _, n := range c.Counts {
		if strings.HasPrefix(n.Key, kind+"/") {
			return n.Quantity
		}
	}
	return decimal.Zero
}

func (s Step) order(c Charge) string {
	order, limit, before := s.get("order"), s.amount("limit"), s.amount("before")
	if needs := s.get("needs"); needs != "" {
		return "Order " + order + " of " + money(limit, c.Currency) + " had " + money(limit.Sub(before), c.Currency) + " left, and the ticket comes to " +
			money(s.amount("needs"), c.Currency) + ", so a dispatcher had to be asked. " + money(s.amount("needs").Sub(limit.Sub(before)), c.Currency) + " less, and it would have posted."
	}
	after := s.amount("after")
	said := "It bills against order " + order
	if moved := after.Sub(before); moved.IsNegative() {
		said = "It gives " + money(moved.Neg(), c.Currency) + " back to order " + order
	}
	if after.IsPositive() {
		said += ", of which " + money(after, c.Currency) + " of " + money(limit, c.Currency) + " are used now"
	} else {
		said += ", of which nothing of " + money(limit, c.Currency) + " is used now"
	}
	if left := limit.Sub(after); left.IsPositive() {
		return said + ": " + money(left, c.Currency) + " more, and it is used up."
	}
	return said + ": it is used up."
}

func (s Step) notOrdered() string {
	if contact := s.get("contact"); contact != "" {
		return "The contract" + s.by() + " names who may order work that costs something, and " + contact + " is not among them, so a dispatcher had to be asked."
	}
	return "The contract" + s.by() + " names who may order work that costs something, and nobody is noted as having asked for this, so a dispatcher had to be asked."
}

// size tells which limit the ticket is over, and by how much less it would not have been.
func (s Step) size(c Charge, so, otherwise string) string {
	limit, came := s.get("limit"), s.get("came_to")
	switch s.get("by") {
	case byAmount:
		over := decimalOf(came).Sub(decimalOf(limit))
		return so + s.by() + ": it comes to " + money(decimalOf(came), c.Currency) + ", and the limit is " + money(decimalOf(limit), c.Currency) + ". " +
			money(over, c.Currency) + " less, and " + otherwise + "."
	case byTime:
		return so + s.by() + ": it took " + span(msOf(came)) + ", and the limit is " + span(msOf(limit)) + ". " + span(msOf(came)-msOf(limit)) + " less, and " + otherwise + "."
	case byAttempts:
		return so + s.by() + ": AI agents failed " + came + " times on it, and the contract expects " + limit + " at most. Fewer failures, and " + otherwise + "."
	case byTickets:
		return so + s.by() + ": it is number " + came + " of " + s.get("category") + " in the period, and " + limit + " are expected. One fewer, and " + otherwise + "."
	}
	return so + s.by() + ": every " + limit + " ticket is. In another category, " + otherwise + "."
}
