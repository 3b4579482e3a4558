package billing

import (
	"errors"
	"fmt"
	"strings"

	"github.com/shopspring/decimal"
)

// The kinds of counters, the first part of their keys. Each is a running quantity of a period that
// the price of the next charge depends on.
const (
	countsAI       = "ai"       // seconds of AI work at one rate
	countsTickets  = "tickets"  // under a price per ticket with included ones
	countsDay      = "day"      // milliseconds of one day under a daily minimum or increment, by rules before rulesBooks
	countsDayTime  = "day-time" // the same since
	countsRetainer = "retainer" // money at the rate card
	countsCap      = "cap"      // money of a line before its cap
	countsSeat     = "seat"     // 1 once a device or a user has been added
	countsUsage    = "usage"    // raw units of use
	countsCredit   = "credit"   // money of SLA credits before their cap

	// Those that are only watched.
	countsDayWorth = "day-worth" // milliseconds × hourly rate, less the discount, of the time that countsDayTime counts

	countsEvents  = "events"  // of use that is priced event by event
	countsValue   = "value"   // of the same events
	countsOrder   = "po"      // money billed against a purchase order
	countsPattern = "pattern" // tickets of a category
	countsProject = "project" // money billed to a project
	countsHours   = "hours"   // milliseconds worked on a project

	countsOverdrawn = "overdrawn" // milliseconds used ahead of the next block
)

// prices says whether a kind of counter makes the amount of the charges that move it. The others are
// only watched.
func prices(key string) bool {
	switch kind, _, _ := strings.Cut(key, "/"); kind {
	case countsAI, countsTickets, countsDay, countsDayTime, countsRetainer, countsCap, countsSeat, countsUsage, countsCredit:
		return true
	}
	return false
}

// standing is F: what a charge's period costs while its counter stands at value, as a fraction that
// nothing has been cut off. A charge comes to F(after) − F(before), and its reversal to
// F(now − q) − F(now), so that what remains is as if it had never been. An error means that the
// terms do not speak of the counter.
func (t *Terms) standing(c *Charge, key string, value decimal.Decimal) (num, den decimal.Decimal, err error) {
	kind, _, _ := strings.Cut(key, "/")
	l := t.line(c.Clause)
	switch {
	case kind == countsCredit && t.credits != nil:
		return t.creditTotal(value, c.Date), one, nil
	case l == nil:
		return num, one, fmt.Errorf("counter %s: contract %s has no clause %q", key, t.contract.ID, c.Clause)
	case kind == countsAI:
		return l.discounted(value.Mul(c.Rate), c.Date), secondsPerHour, nil
	case kind == countsTickets && l.Price != nil:
		return l.discounted(ticketTotal(value, l.Included, *l.Price), c.Date), one, nil
	case kind == countsDay:
		return l.discounted(decimal.NewFromInt(l.time.ofDay(value.IntPart())).Mul(c.Rate), c.Date), msPerHour, nil
	case kind == countsRetainer && l.Retainer != nil:
		return decimal.Min(value, *l.Retainer).Neg(), one, nil
	case kind == countsCap && l.Cap != nil:
		return decimal.Min(l.Cap.Sub(value), decimal.Zero), one, nil
	case kind == countsUsage && l.Usage != nil:
		num, den = l.Usage.fraction(value)
		return l.discounted(num, c.Date), den, nil
	case kind == countsSeat && l.Price != nil:
		return decimal.Min(value, one).Mul(*l.Price), one, nil
	}
	return num, one, fmt.Errorf("counter %s: clause %q of contract %s prices nothing by it", key, c.Clause, t.contract.ID)
}

// moves gives what a charge comes to when its counter moves from one standing to another: exactly,
// and as the difference of the two sums, each rounded, so that many small ones cost what their sum does.
func (t *Terms) moves(c *Charge, key string, from, to decimal.Decimal) (exact, amount decimal.Decimal, err error) {
	before, den, err := t.standing(c, key, from)
	if err != nil {
		return exact, amount, err
	}
	after, _, err := t.standing(c, key, to)
	if err != nil {
		return exact, amount, err
	}
	return divide(after.Sub(before), den, exactPlaces), t.rounding.round(after, den, t.places).Sub(t.rounding.round(before, den, t.places)), nil
}

// counter gives where the counter stands; nobody has counted yet where it is missing. Want listens:
// what is asked for must be locked.
func (d *decider) counter(key string) decimal.Decimal {
	if d.asked != nil {
		d.asked.Counters = append(d.asked.Counters, key)
	}
	for i := range d.facts.Counters {
		if d.facts.Counters[i].Key == key {
			return d.facts.Counters[i].Value
		}
	}
	if d.stands == nil {
		return decimal.Zero
	}
	value := d.stands(key)
	d.facts.Counters = append(d.facts.Counters, Counter{Key: key, Value: value})
	return value
}

// count moves the counter on, for this decision and for the charge.
func (d *decider) count(s *slot, key string, quantity decimal.Decimal) {
	count := Count{Key: key, Quantity: quantity}
	s.charge.Counts = append(s.charge.Counts, count)
	d.move(count)
}

// move moves the counter on for this decision.
func (d *decider) move(c Count) {
	for i := range d.facts.Counters {
		if d.facts.Counters[i].Key == c.Key {
			d.facts.Counters[i].Value = d.facts.Counters[i].Value.Add(c.Quantity)
			return
		}
	}
	if d.stands != nil {
		c.Quantity = d.stands(c.Key).Add(c.Quantity)
	}
	d.facts.Counters = append(d.facts.Counters, Counter{Key: c.Key, Value: c.Quantity})
}

// countFor counts the quantity and makes the charge what the counter's move comes to.
func (d *decider) countFor(s *slot, key string, quantity decimal.Decimal) {
	t := d.facts.Contracts[s.version].Terms
	before := d.counter(key)
	d.count(s, key, quantity)
	exact, amount, err := t.moves(&s.charge, key, before, before.Add(quantity))
	if err != nil {
		d.err = errors.Join(d.err, err)
		return
	}
	s.charge.Exact, s.charge.Amount = exact, amount
}
