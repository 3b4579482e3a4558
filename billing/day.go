package billing

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/shopspring/decimal"
)

// byDay says whether the charge's time counts towards a daily minimum or increment of its line.
func (d *decider) byDay(s *slot) bool {
	return s.work >= 0 && s.kind == Time && s.version >= 0 && d.facts.Work[s.work].Kind == kindHuman && s.clause.time.within(scopeDay, kindHuman)
}

// priceByDay prices time as F(after) − F(before) of its day.
func (d *decider) priceByDay(s *slot) {
	clause := ""
	if s.clause.ownTime || (d.facts.Rules >= rulesBooks && s.clause.accompanies()) {
		clause = s.clause.Clause
	}
	if d.facts.Rules >= rulesBooks && s.clause.Charge == chargeRetainer && s.lapsed() {
		clause += "/billed" // no retainer pays for it, so it must not matter which of the two came first
	}
	of := "/" + s.charge.Contract + "/" + clause + "/" + s.charge.Date
	key := countsDayTime + of
	if d.facts.Rules < rulesBooks {
		key = countsDay + of
	}
	before := d.counter(key)
	measured := decimal.NewFromInt(s.bill)
	after := before.Add(measured)
	s.bill = s.clause.time.ofDay(after.IntPart()) - s.clause.time.ofDay(before.IntPart())
	s.charge.Quantity = s.quantity(s.bill)
	if d.facts.Rules >= rulesBooks && s.bill == 0 {
		s.within = span(measured.IntPart()) + " within the day's minimum"
		if after.IntPart() > s.clause.time.minimum {
			s.within = span(measured.IntPart()) + " within the day's increments"
		}
	}
	average := ""
	if d.facts.Rules < rulesBooks {
		d.countFor(s, key, measured)
	} else {
		average = d.countDay(s, key, countsDayWorth+of, measured)
	}
	s.step(ruleDay, msArg("before_ms", before.IntPart()), msArg("after_ms", after.IntPart()), msArg("minimum_ms", s.clause.time.minimum),
		msArg("increment_ms", s.clause.time.increment), Arg{"date", s.charge.Date}, msArg("billable_ms", s.bill))
	if average != "" {
		last := &s.charge.Steps[len(s.charge.Steps)-1]
		last.Args = append(last.Args, Arg{"average", average})
	}
}

// dayStanding is what has been counted of a day: its milliseconds, and the sum of milliseconds × hourly rate.
type dayStanding struct{ time, worth decimal.Decimal }

// standing is F of a day: its billable time at the average rate of its work, which is the rate where all of it has
// one. Only a rate that belongs to no one charge leaves the others what they would have been, whichever is undone first.
func (a dayStanding) standing(l *line) (num, den decimal.Decimal) {
	if !a.time.IsPositive() {
		return decimal.Zero, one
	}
	return a.worth.Mul(decimal.NewFromInt(l.time.ofDay(a.time.IntPart()))), a.time.Mul(msPerHour)
}

// accompanies says whether charges of the line have a companion, which counts what the line costs: what counts with other
// lines has no such cost of its own, so the line's days count apart.
func (l *line) accompanies() bool { return l.Cap != nil || l.Charge == chargeRetainer }

// dayMoves gives what a charge comes to when its day moves from one standing to another.
func (t *Terms) dayMoves(c *Charge, from, to dayStanding) (exact, amount decimal.Decimal, err error) {
	l := t.line(c.Clause)
	if l == nil {
		return exact, amount, fmt.Errorf("contract %s has no clause %q", t.contract.ID, c.Clause)
	}
	before, of := from.standing(l)
	after, by := to.standing(l)
	exact = after.Mul(of).Sub(before.Mul(by)).DivRound(of.Mul(by), exactPlaces)
	return exact, t.rounding.round(after, by, t.places).Sub(t.rounding.round(before, of, t.places)), nil
}

// countDay counts the charge's time and what it is worth, and makes the charge what the day costs more with it. It gives
// the day's average rate where that is not the charge's own.
func (d *decider) countDay(s *slot, time, worth string, measured decimal.Decimal) (average string) {
	from := dayStanding{d.counter(time), d.counter(worth)}
	adds := s.clause.discounted(measured.Mul(s.charge.Rate), s.charge.Date)
	d.count(s, time, measured)
	d.count(s, worth, adds)
	exact, amount, err := d.facts.Contracts[s.version].Terms.dayMoves(&s.charge, from, dayStanding{from.time.Add(measured), from.worth.Add(adds)})
	if err != nil {
		d.err = errors.Join(d.err, err)
		return ""
	}
	s.charge.Exact, s.charge.Amount = exact, amount
	if from.time.IsZero() || from.worth.Mul(measured).Equal(adds.Mul(from.time)) {
		return ""
	}
	return from.worth.Add(adds).DivRound(from.time.Add(measured), 4).String()
}

// undoDay gives what the day costs less without the charge, whose time is one of its counts.
func (t *Terms) undoDay(c *Charge, count Count, now decimal.Decimal, counters []Counter) (exact, amount decimal.Decimal, err error) {
	is := func(key string) bool { return strings.HasPrefix(key, countsDayWorth+"/") }
	i := slices.IndexFunc(c.Counts, func(n Count) bool { return is(n.Key) })
	if i < 0 {
		return exact, amount, fmt.Errorf("counter %s comes without what its time is worth", count.Key)
	}
	adds := c.Counts[i]
	j := slices.IndexFunc(counters, func(have Counter) bool { return have.Key == adds.Key })
	worth := decimal.Zero
	if j >= 0 {
		worth = counters[j].Value
	} else if !adds.Quantity.IsZero() {
		return exact, amount, fmt.Errorf("counter %s is not given", adds.Key)
	}
	return t.dayMoves(c, dayStanding{now, worth}, dayStanding{now.Sub(count.Quantity), worth.Sub(adds.Quantity)})
}
