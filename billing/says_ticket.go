package billing

import (
	"slices"
	"strings"
)

// saysOfTicket tells why what belongs to the ticket itself waits, and why all that it costs does;
// "" for what is a matter of single entries. quoted tells what is asked for.
func (d *decider) saysOfTicket(h *Hold, slots []*slot, quoted string) string {
	ofTicket := len(slots) > 0 && (slots[0].item != nil || slots[0].event != nil)
	if ofTicket && h.Unrated {
		return d.saysUnpriced(h, slots[0])
	}
	switch h.Reason {
	case NoContract:
		if !ofTicket {
			return ""
		}
		var what []string
		for _, s := range slots {
			what = append(what, s.item.says())
		}
		return "No contract of " + d.facts.Ticket.Client + " was in force when the ticket was resolved: " + joinAnd(what) + " wait for a ruling, " + quoted + "."
	case NotOrdered:
		return d.saysNotOrdered(h, quoted)
	case OverLimit:
		step := slots[0].step0(ruleLimit)
		return "The ticket comes to " + money(step.amount("sum"), h.Currency) + ", and " + clauseName(h.Contract, h.Clause) + " lets a ticket cost at most " +
			money(step.amount("limit"), h.Currency) + ": " + money(h.Amount, h.Currency) + " beyond it wait for a ruling; bill them only if the client agrees."
	case ProjectSize:
		return d.saysSize(h, slots[0].step0(ruleProject), "This looks like a project") + " Quote it as one, or rule on it: " + quoted + "."
	case PatternBroken:
		if past := slots[0].step0(ruleHistory); past.Rule != "" {
			return "This is not what such tickets of the client come to: " + past.broken(h.Currency) + " (" + clauseName(h.Contract, h.Clause) + "). Look at it before the client does: " + quoted + "."
		}
		return d.saysSize(h, slots[0].step0(rulePattern), "This is not what such a ticket comes to") + " Look at it before the client does: " + quoted + "."
	case OrderUsedUp:
		step := slots[0].step0(ruleOrder)
		left := step.amount("limit").Sub(step.amount("before"))
		return "Order " + step.get("order") + " of " + money(step.amount("limit"), h.Currency) + " has " + money(left, h.Currency) + " left, and this comes to " +
			money(step.amount("needs"), h.Currency) + ": get a new order, or rule on it; " + quoted + "."
	case ProjectBudget:
		return saysBudget(h, slots[0].step0(ruleBudget), quoted)
	default:
	}
	return ""
}

// step0 gives the charge's step of a rule; an empty one where it has none.
func (s *slot) step0(rule string) Step {
	for _, step := range s.charge.Steps {
		if step.Rule == rule {
			return step
		}
	}
	return Step{}
}

// saysUnpriced tells why nobody knows what a material or an event costs.
func (d *decider) saysUnpriced(h *Hold, s *slot) string {
	if s.event != nil {
		return s.rivals + " price " + s.event.Name + " equally: " + s.event.Quantity.String() + " of it waits until one of them is chosen."
	}
	what := s.item.says()
	cost := money(s.item.UnitCost, s.item.Currency)
	switch h.Reason {
	case WrongCurrency:
		return what + " cost " + cost + " each, and " + h.Contract + " bills in " + h.Currency + ": rule what one costs in " + h.Currency + "."
	case NoRate:
		return "The materials of " + h.Contract + " have no row for " + article(s.item.Kind) + ", and nobody set a price: " + what + " (cost " + cost + " each) wait for one."
	case NoContract:
		return "No contract of " + d.facts.Ticket.Client + " was in force when the ticket was resolved: " + what + " (cost " + cost + " each) wait for a ruling."
	default:
	}
	return s.rivals + " claim this ticket equally: " + what + " waits until one of them is chosen."
}

// says tells how many of what an item is.
func (i *Item) says() string { return i.Quantity.String() + " × " + quote(i.name()) }

func (d *decider) saysNotOrdered(h *Hold, quoted string) string {
	by := "nobody is noted as having asked for it"
	if contact := d.facts.Ticket.Contact; contact != "" {
		by = contact + ", who asked for it, is not among them"
	}
	return clauseName(h.Contract, h.Clause) + " names who may order work that costs something, and " + by + ": " + quoted + "."
}

// saysSize tells what a ticket came to, and which limit that is over.
func (d *decider) saysSize(h *Hold, by Step, so string) string {
	clause := clauseName(h.Contract, h.Clause)
	limit, came := by.get("limit"), by.get("came_to")
	switch by.get("by") {
	case byAmount:
		return so + ": " + money(decimalOf(came), h.Currency) + " are more than the " + money(decimalOf(limit), h.Currency) + " of " + clause + "."
	case byTime:
		return so + ": " + span(msOf(came)) + " are more than the " + span(msOf(limit)) + " of " + clause + "."
	case byAttempts:
		return so + ": AI agents failed " + came + " times on it, and " + clause + " expects " + limit + " at most."
	case byTickets:
		return so + ": it is ticket " + came + " of " + strings.TrimSpace(d.facts.Ticket.Category) + " in the period, and " + clause + " expects " + limit + "."
	}
	return so + ": " + clause + " says so of every " + limit + " ticket."
}

// saysOver tells in one sentence why the client is asked.
func saysOver(t *Terms, by trigger) string {
	const pass = " lets pass without sign-off."
	over, currency := clauseName(t.contract.ID, t.threshold.clause()), t.contract.Currency
	switch by.limit {
	case byAmount:
		return money(decimalOf(by.came), currency) + " is more than the " + money(decimalOf(by.value), currency) + " that " + over + pass
	case byTime:
		return span(msOf(by.came)) + " is more than the " + span(msOf(by.value)) + " that " + over + pass
	case byHourly:
		return moneyExactly(decimalOf(by.came), currency) + " an hour is more than the " + moneyExactly(decimalOf(by.value), currency) + " an hour that " + over + pass
	case byApproved:
		return money(decimalOf(by.came), currency) + " is more than the " + money(decimalOf(by.value), currency) + " that the client agreed to before the work."
	case byActor:
		return over + " lets no work of " + who(by.value) + " that costs something pass without sign-off."
	}
	return over + " lets no " + by.value + " ticket that costs something pass without sign-off."
}

// saysOrders warns of the purchase orders that the decision passes.
func (d Decision) saysOrders() []string {
	var orders, said []string
	warn := func(charges []Charge) {
		for _, c := range charges {
			for _, step := range c.Steps {
				if step.Rule != ruleOrderWarn {
					continue
				}
				i := slices.Index(orders, step.get("order"))
				if i < 0 {
					i = len(orders)
					orders, said = append(orders, step.get("order")), append(said, "")
				}
				// The last one of an order tells where the order stands.
				said[i] = "order " + orders[i] + " is passed by " + money(step.amount("after").Sub(step.amount("limit")), c.Currency)
			}
		}
	}
	warn(d.Charges)
	for _, h := range d.Holds {
		warn(h.Charges)
	}
	return said
}
