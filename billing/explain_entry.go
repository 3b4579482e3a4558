package billing

import (
	"strings"

	"github.com/shopspring/decimal"
)

// entry tells the steps that weigh one entry of work; "" for those of others.
func (s Step) entry(c Charge) string {
	switch s.Rule {
	case ruleWarranty:
		return "It mends " + s.get("of") + ", resolved on " + s.get("resolved") + ", within the " + s.get("days") + " days of warranty" + s.by() + ", so it bills nothing." + s.warrantyUntil()
	case rulePaused:
		return "The contract was paused on " + c.Date + ", so the clause grants nothing. On a day without a pause it would have."
	case ruleUnlisted:
		return s.unlisted()
	case rulePremium:
		return s.premium()
	case ruleWeighed:
		return s.weighed()
	case ruleOwnRate:
		return "The entry has a rate of its own, " + s.get("hourly") + " an hour, set by somebody who may; the rate card was not asked."
	case ruleDay:
		return s.day()
	case ruleDiscount:
		return s.discount(c)
	case ruleRetainer:
		return s.retainer(c)
	case ruleCap:
		return s.cap(c)
	case ruleSeat:
		return s.seat(c)
	case ruleFee:
		return s.get("name") + s.by() + " costs " + money(s.amount("price"), c.Currency) + " once a ticket, for work in its hours. In other hours there would have been none."
	case ruleBeside:
		return s.get("who") + " worked on it too, " + span(s.ms("ms")) + " at the same time; both bill."
	case ruleElsewhere:
		return s.elsewhere()
	case ruleNoStart:
		return "Nobody noted when the work began, the contract prices hours apart by the time of day, and it declares no band for such entries."
	}
	return ""
}

func (s Step) elsewhere() string {
	said := s.get("who") + " was on " + s.get("ticket") + " for " + span(s.ms("ms")) + " of it"
	if s.get("rule") == elsewhereHold {
		return said + ", and the contract holds such work until a dispatcher has looked at it. Without that time there, nobody would have been asked."
	}
	return said + ", where that time may bill too."
}

// by names the clause of a step in brackets.
func (s Step) by() string {
	if clause := s.get("clause"); clause != "" {
		return " (" + clause + ")"
	}
	return ""
}

// warrantyUntil tells the last day on which mending was free.
func (s Step) warrantyUntil() string {
	resolved, ok := dayOf(s.get("resolved"))
	if !ok {
		return ""
	}
	return " After " + (resolved + epochDay(s.ms("days"))).String() + " it would have billed."
}

func (s Step) unlisted() string {
	const otherwise = " Were it, the clause would have paid for this."
	if device := s.get("device"); device != "" {
		return "The contract lists its devices and users, and " + device + " is not among them." + otherwise
	}
	return "The contract lists its users, and " + s.get("user") + " is not among them." + otherwise
}

func (s Step) premium() string {
	bands, weight := strings.ReplaceAll(s.get("bands"), "+", " and "), s.get("weight")
	if s.get("on") == onMinutes {
		return "It was done in " + bands + s.by() + ": each minute counts " + weight + ". In standard hours it would not."
	}
	return "It was done in " + bands + s.by() + ": the rate counts " + weight + " times. In standard hours it would not."
}

// weighed tells what a minute counts where it is paid with hours.
func (s Step) weighed() string {
	what, otherwise := "as "+quote(s.get("work_role")), "With a weight of 1"
	if bands := s.get("bands"); bands != "" {
		otherwise = "In standard hours"
		what = "in " + strings.ReplaceAll(bands, "+", " and ")
	}
	return span(s.ms("plain_ms")) + " of it were done " + what + s.by() + ", where each minute counts " + s.get("weight") + ": that takes " + span(s.ms("weighed_ms")) +
		" of the hours. " + otherwise + " it would have taken " + span(s.ms("plain_ms")) + "."
}

func (s Step) day() string {
	before, after, minimum := s.ms("before_ms"), s.ms("after_ms"), s.ms("minimum_ms")
	said := "The day's time (" + s.get("date") + ") goes from " + span(before) + " to " + span(after)
	if minimum > 0 {
		said += ", with a minimum of " + span(minimum) + " a day"
	}
	if increment := s.ms("increment_ms"); increment > 0 {
		said += ", in increments of " + span(increment)
	}
	adds := "nothing"
	if ms := s.ms("billable_ms"); ms != 0 {
		adds = span(ms)
	}
	said += ": this adds " + adds + "."
	if average := s.get("average"); average != "" {
		said += " Its work has several rates, so the day bills at their average, " + average + " an hour: the amount is what the whole day costs more."
	}
	if left := minimum - after; left > 0 {
		said += " " + span(left) + " more of that day are in the minimum already."
	}
	return said
}

func (s Step) discount(c Charge) string {
	var parts []string
	if percent := s.get("percent"); percent != "" {
		parts = append(parts, percent+" %")
	}
	if amount := s.get("amount"); amount != "" {
		parts = append(parts, money(s.amount("amount"), c.Currency))
	}
	said := "The clause takes " + strings.Join(parts, ", then ") + " off"
	if (c.Unit == UnitHour || c.Unit == UnitSecond || c.Unit == UnitTicket) && !c.multiplies() {
		places, _ := MinorUnits(c.Currency)
		quantity := span(c.timeOf())
		if c.Unit == UnitTicket {
			quantity = "1 ticket"
		}
		said = quantity + " at " + c.Rate.String() + " would be " + money(c.gross().Round(places), c.Currency) + ", and the clause takes " + strings.Join(parts, ", then ") + " off"
	}
	if until := s.get("until"); until != "" {
		said += ", for work before " + until
	}
	return said + "."
}

func (s Step) retainer(c Charge) string {
	before, gross, retainer := s.amount("before"), s.amount("gross"), s.amount("retainer")
	after := before.Add(gross)
	said := "The period's retainer of " + money(retainer, c.Currency) + s.by() + " pays for work: " + money(before, c.Currency) + " came before, " + money(gross, c.Currency) + " now."
	switch left := retainer.Sub(after); {
	case left.IsPositive():
		return said + " " + money(left, c.Currency) + " are left; as much more work, and the retainer would be used up."
	case before.LessThan(retainer):
		return said + " It is used up now: " + money(left.Neg(), c.Currency) + " bill beside it."
	}
	return said + " It was used up before, so all of this bills."
}

func (s Step) cap(c Charge) string {
	before, gross, most := s.amount("before"), s.amount("gross"), s.amount("cap")
	said := "The clause costs at most " + money(most, c.Currency) + " a period: " + money(before, c.Currency) + " came before, " + money(gross, c.Currency) + " now."
	if left := most.Sub(before.Add(gross)); left.IsPositive() {
		return said + " " + money(left, c.Currency) + " more, and the cap would be reached."
	}
	return said + " What is beyond the cap is taken off."
}

func (s Step) seat(c Charge) string {
	said := s.get("what") + " was not listed; the contract adds it for the period at " + money(s.amount("price"), c.Currency) + s.by()
	if s.amount("before").GreaterThan(decimal.Zero) {
		return said + ", and that was charged before."
	}
	return said + ", once."
}
