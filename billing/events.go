package billing

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/shopspring/decimal"
)

// chargeEvents prices what happened on the ticket, and its closure, by the usage lines that speak of
// it. What no line speaks of costs nothing.
func (d *decider) chargeEvents() {
	if d.undone() {
		return
	}
	d.chargeClosure()
	events := slices.Clone(d.facts.Events)
	slices.SortFunc(events, func(a, b Event) int { return cmp.Compare(a.ID, b.ID) })
	for i := range events {
		e := &events[i]
		if e.Quantity.IsPositive() {
			d.chargeEvent(slotKey{kind: Usage, of: "event-" + strconv.FormatInt(e.ID, 10)}, e)
		}
	}
}

// chargeClosure charges for the closing itself, once a ticket: reopening reverses it, so the next
// closing counts again, unless the contract lets the round stand. As with a price per ticket, a
// ticket that closed because the customer fell silent, and one that mends earlier work, cost nothing.
func (d *decider) chargeClosure() {
	t := &d.facts.Ticket
	if t.Code != codeSolved {
		return
	}
	k := slotKey{kind: Usage, of: EventClosure}
	if d.withoutTime() {
		k.reason = NoTime
	}
	p := d.speaksOf(EventClosure)
	if p.version >= 0 && p.tie < 0 {
		terms := d.facts.Contracts[p.version].Terms
		mends := piece{pick: p, work: -1, at: t.ResolvedAt}
		if d.underWarranty(&mends) || (t.TicketBilled && (terms.contract.Reopen == reopenKeep || d.facts.Rerating != nil)) {
			return
		}
	}
	d.chargeEvent(k, &Event{Name: EventClosure, Quantity: one, Date: t.ResolvedOn})
}

func (d *decider) chargeEvent(k slotKey, e *Event) {
	p := d.speaksOf(e.Name)
	if p.version < 0 {
		return
	}
	k.version, k.clause, k.month = p.version, p.line, d.periodKey(p.version, e.Date)
	rivals := ""
	if p.tie >= 0 {
		rivals = d.rivals(p)
		k.version, k.clause, k.month, k.reason = -1, nil, "", Tie
	}
	s := d.onTicket(k, e.Date)
	s.event, s.rivals, s.charge.Item, s.charge.Unrated = e, rivals, k.of, p.tie >= 0
}

// speaksOf finds the usage line that prices an event on this ticket: of the contracts in force at its
// resolution the most specific, then the higher priority. A fallback contract speaks only where no
// other is in force.
func (d *decider) speaksOf(event string) pick {
	t := &d.facts.Ticket
	other := slices.ContainsFunc(d.facts.Contracts, func(v Version) bool { return v.InForce(t.ResolvedAt) && !v.Terms.contract.Fallback })
	var claims []pick
	for i := range d.facts.Contracts {
		v := &d.facts.Contracts[i]
		if !v.InForce(t.ResolvedAt) || (v.Terms.contract.Fallback && other) {
			continue
		}
		for j := range v.Terms.others {
			if l := &v.Terms.others[j]; l.Charge == chargeUsage && strings.EqualFold(l.Usage.Event, event) && d.fitsTicket(l) {
				claims = append(claims, pick{version: i, line: l, tie: -1})
			}
		}
	}
	return d.best(claims)
}

// fitsTicket says whether the line's match fits the ticket as it was resolved.
func (d *decider) fitsTicket(l *line) bool {
	return slices.ContainsFunc(d.resolvedBy(), func(workType string) bool {
		return l.matches(&d.facts.Ticket, doing{workType: workType, kind: d.facts.Ticket.ResolvedKind})
	})
}

// Counters of usage: the raw quantity of a period, and where each event has a price of its own, how
// many events and how much value came before in its period.
func usageCounter(kind, contract, clause, period string) string {
	return kind + "/" + contract + "/" + clause + "/" + period
}

// priceUsage prices an event as what the period's use costs more with it.
func (d *decider) priceUsage(s *slot) {
	c := &s.charge
	c.Quantity = s.event.Quantity
	c.Text = s.event.Name + " · " + d.facts.Ticket.ID + textSep + c.Quantity.String()
	if c.Unrated {
		s.step(ruleTie)
		return
	}
	u, t := s.clause.Usage, d.facts.Contracts[s.version].Terms
	args := []Arg{{"event", u.Event}, {"model", u.Model}, {"contract", c.Contract}, {"clause", c.Clause}, {"quantity", c.Quantity.String()}}
	if u.byEvent() {
		args = append(args, d.priceAlone(s, u, t)...)
	} else {
		key := usageCounter(countsUsage, c.Contract, c.Clause, s.month)
		before := d.counter(key)
		d.countFor(s, key, c.Quantity)
		after := before.Add(c.Quantity)
		args = append(args, Arg{"before", before.String()}, Arg{"after", after.String()})
		args = append(args, u.next(after)...)
	}
	c.Rate = c.Exact.DivRound(c.Quantity, 9)
	s.step(ruleUsage, args...)
	d.explainDiscount(s)
	s.step(ruleRound, Arg{"exact", c.Exact.String()}, Arg{"amount", c.Amount.String()}, Arg{"places", strconv.Itoa(int(t.places))})
	c.Text = s.clause.Name + " · " + d.facts.Ticket.ID + textSep + c.Quantity.String() + " " + u.Event
	c.Hidden = s.clause.Hidden && c.Amount.IsZero()
}

// priceAlone prices an event that has a price of its own, whatever the period's sum. What is free
// goes by the order of arrival, so the period remembers how many came and what they were worth.
func (d *decider) priceAlone(s *slot, u *UsageTerms, t *Terms) []Arg {
	c := &s.charge
	number := usageCounter(countsEvents, c.Contract, c.Clause, s.month)
	value := usageCounter(countsValue, c.Contract, c.Clause, s.month)
	events, before := d.counter(number), d.counter(value)
	exact := s.clause.lowered(u.Percentage.price(c.Quantity, events, before), c.Date)
	c.Exact, c.Amount = exact.Round(exactPlaces), t.rounding.round(exact, one, t.places)
	d.count(s, number, one)
	d.count(s, value, c.Quantity)
	args := []Arg{{"events", events.String()}, {"value", before.String()}, {"percent", u.Percentage.Percent.String()}}
	if d.facts.Rules >= rulesBooks {
		args = append(args, u.Percentage.bounds()...)
	}
	return args
}

// next tells how many more units the period may use before a further unit costs otherwise, and why;
// nothing where that cannot be said in whole raw units.
func (u *UsageTerms) next(after decimal.Decimal) []Arg {
	left, why := u.untilNext(after)
	if why == "" || left.IsNegative() {
		return nil
	}
	return []Arg{{"next_in", left.String()}, {"next", why}}
}

func (u *UsageTerms) untilNext(after decimal.Decimal) (decimal.Decimal, string) {
	free := decimal.Zero
	if u.Free != nil {
		free = *u.Free
	}
	if u.DivideBy != nil || (u.Round != "" && u.Round != roundsNot) {
		return decimal.Zero, ""
	}
	included := decimal.Zero
	if u.Included != nil {
		included = *u.Included
	}
	if u.Model == modelPackage {
		included = included.Mul(*u.Size)
	}
	if costsFrom := free.Add(included); after.LessThan(costsFrom) {
		return costsFrom.Sub(after), "free"
	}
	used := after.Sub(free)
	switch u.Model {
	case modelPackage:
		if rest := used.Mod(*u.Size); !rest.IsZero() {
			return u.Size.Sub(rest), "package"
		}
		return decimal.Zero, "package"
	case modelGraduated, modelVolume:
		used = used.Sub(included)
		for i := range u.Tiers {
			if to, ends := u.Tiers[i].end(one); ends && used.LessThanOrEqual(to) {
				return to.Sub(used), "tier"
			}
		}
	}
	return decimal.Zero, ""
}
