package billing

import (
	"slices"
	"strconv"
	"strings"

	"github.com/shopspring/decimal"
)

// span tells milliseconds to people: "1 h 15 min", "42 min", "2 s", "350 ms". Parts of a
// second are told only below a minute.
func span(ms int64) string {
	if ms < 0 {
		return "−" + span(-ms)
	}
	h, m, s, rest := ms/3_600_000, ms/60_000%60, ms/1000%60, ms%1000
	var parts []string
	if h > 0 {
		parts = append(parts, strconv.FormatInt(h, 10)+" h")
	}
	if m > 0 {
		parts = append(parts, strconv.FormatInt(m, 10)+" min")
	}
	switch {
	case s > 0 && h == 0 && m == 0 && rest > 0:
		parts = append(parts, seconds(s*1000+rest).String()+" s")
	case s > 0:
		parts = append(parts, strconv.FormatInt(s, 10)+" s")
	case h == 0 && m == 0:
		return strconv.FormatInt(rest, 10) + " ms"
	}
	return strings.Join(parts, " ")
}

// money tells an amount with its currency's decimals: "187.50 EUR".
func money(amount decimal.Decimal, currency string) string {
	places, ok := MinorUnits(currency)
	if !ok {
		return amount.String()
	}
	return amount.StringFixed(places) + " " + currency
}

// moneyExactly tells a price that may be finer than its currency: "0.0125 EUR".
func moneyExactly(price decimal.Decimal, currency string) string {
	if places, ok := MinorUnits(currency); ok && !price.Equal(price.Round(places)) {
		return price.String() + " " + currency
	}
	return money(price, currency)
}

// clauseName tells contract and clause: "HB-2 B1".
func clauseName(contract, clause string) string {
	return strings.TrimSpace(contract + " " + clause)
}

// says tells in one sentence why an exception waits.
func (d *decider) says(h *Hold, slots []*slot) string {
	t := &d.facts.Ticket
	var ms int64
	for _, s := range slots {
		ms += s.bill
		if s.kind == Covered {
			ms += s.elapsed
		}
	}
	time := span(ms)
	quoted := "no price could be found for it"
	if !h.Unrated {
		quoted = money(h.Amount, h.Currency) + " if it is billed"
	}
	if said := d.saysOfTicket(h, slots, quoted); said != "" {
		return said
	}
	switch h.Reason {
	case OutOfScope:
		if h.Clause != "" {
			return clauseName(h.Contract, h.Clause) + " (" + slots[0].clause.Name + ") puts " + time + " of this work out of scope: " + quoted + "."
		}
		return "No clause of " + h.Contract + " speaks of this work (" + t.Category + ", " + d.workTypes(slots) + "), " + time + ": " + quoted + "."
	case NoRate:
		w := &d.facts.Work[slots[0].work]
		return clauseName(h.Contract, h.Clause) + " has no hourly rate for " + who(w.Kind) + " doing " + w.WorkType + " as " + quote(w.WorkRole) + ": " + time + " wait for one."
	case NoContract:
		return "No contract of " + t.Client + " was in force when this was done: " + time + " wait for a ruling."
	case Tie:
		return d.saysTie(slots, time)
	case BlockEmpty:
		if len(slots) > 0 && slots[0].period != "" {
			return "The allowance of " + slots[0].period + " (" + clauseName(h.Contract, h.Clause) + ") is used up: " + time + " beyond it, " + quoted + "."
		}
		return "The block hours of " + clauseName(h.Contract, h.Clause) + " are used up: " + time + " beyond them, " + quoted + "."
	case BlockUnpaid:
		return saysUnpaid(slots, h, time)
	case Implausible:
		return "The time cannot be right (" + d.doubts() + "): correct it, or rule on it as it stands; " + quoted + "."
	case NoTime:
		says := t.ID + " was closed by " + t.ResolvedBy + " without any time"
		if len(slots) > 0 {
			says += "; the ticket itself is " + quoted
		}
		return says + "."
	case NoStart:
		return "Nobody noted when " + time + " of this work were done, and " + h.Contract + " prices hours apart: log it with its start, or rule on it; " + quoted + "."
	case Paused:
		return h.Contract + " was paused when " + time + " of this work were done: " + quoted + "."
	case Unlisted:
		return h.Contract + " does not list " + d.unlistedName() + ": " + time + " wait for a ruling, " + quoted + "."
	default:
	}
	return string(h.Reason)
}

func (d *decider) saysTie(slots []*slot, time string) string {
	first := slots[0]
	p := pick{version: -1, tie: -1}
	if first.work >= 0 {
		w := &d.facts.Work[first.work]
		p = d.choose(w.at(first.charge.Spans[0].From-w.Offset), w.WorkType, w.Kind)
	} else {
		for _, workType := range d.resolvedBy() {
			if p = d.choose(d.facts.Ticket.ResolvedAt, workType, d.facts.Ticket.ResolvedKind); p.tie >= 0 {
				break
			}
		}
	}
	a, b := d.facts.Contracts[p.version].Contract, d.facts.Contracts[p.tie].Contract
	if b < a {
		a, b = b, a
	}
	what := time + " of it waits"
	if first.work < 0 {
		what = "the price of the ticket waits"
	}
	return a + " and " + b + " claim this work equally: " + what + " until one of them is chosen."
}

func (d *decider) unlistedName() string {
	if t := &d.facts.Ticket; t.Device != "" {
		return "the device " + quote(t.Device)
	}
	return "the user " + quote(d.facts.Ticket.Contact)
}

func (d *decider) workTypes(slots []*slot) string {
	var types []string
	for _, s := range slots {
		if t := d.facts.Work[s.work].WorkType; !slices.Contains(types, t) {
			types = append(types, t)
		}
	}
	return strings.Join(types, ", ")
}

func who(kind string) string {
	if kind == kindAI {
		return "an AI agent"
	}
	return "a person"
}

func quote(role string) string {
	if role == "" {
		return "no role"
	}
	return strconv.Quote(role)
}
