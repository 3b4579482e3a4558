package billing

import (
	"slices"
	"strconv"

	"github.com/shopspring/decimal"
)

// chargeTicket charges for the closure itself, once a ticket, under the contract version
// in force when it was resolved. A ticket that closed because the customer fell silent,
// a duplicate and spam cost nothing by themselves.
func (d *decider) chargeTicket() {
	t := &d.facts.Ticket
	if t.Code != codeSolved || t.TicketBilled {
		return
	}
	var reason HoldReason
	if d.withoutTime() {
		reason = NoTime
	}
	for _, workType := range d.resolvedBy() {
		p := piece{work: -1, date: t.ResolvedOn, at: t.ResolvedAt, pick: d.choose(t.ResolvedAt, workType, t.ResolvedKind)}
		key := slotKey{kind: PerTicket, reason: reason, version: p.version, clause: p.line, work: -1}
		switch {
		case p.version < 0:
		case p.tie >= 0 && p.ticket:
			key.version, key.clause, key.reason = -1, nil, Tie
			s := d.open(key, &p)
			s.charge.Unit, s.charge.Unrated = UnitTicket, true
		case p.tie < 0 && p.line.Charge == chargePerTicket && (d.underWarranty(&p) || d.facts.Contracts[p.version].Terms.lapsed(t, p.date).reason != ""):
			// It mends earlier work, or the contract grants nothing: the work itself says what happens.
		case p.tie < 0 && p.line.Charge == chargePerTicket:
			s := d.open(key, &p)
			s.charge.Unit, s.doing = UnitTicket, doing{workType: workType, kind: t.ResolvedKind}
		}
	}
}

// withoutTime says whether somebody closed the ticket as solved without any work on it.
func (d *decider) withoutTime() bool {
	return d.facts.Rerating == nil && d.facts.Ticket.Code == codeSolved && !slices.ContainsFunc(d.facts.Work, func(w Work) bool { return w.MS > 0 })
}

// resolvedBy gives the work types by which the ticket may be priced: those of who
// resolved it (a price per AI resolution is none when a person had to finish), else
// those of all work, else none.
func (d *decider) resolvedBy() []string {
	var own, all []string
	for i := range d.facts.Work {
		w := &d.facts.Work[i]
		if w.Failed {
			continue
		}
		if !slices.Contains(all, w.WorkType) {
			all = append(all, w.WorkType)
		}
		if w.Kind == d.facts.Ticket.ResolvedKind && !slices.Contains(own, w.WorkType) {
			own = append(own, w.WorkType)
		}
	}
	switch {
	case len(own) > 0:
		return own
	case len(all) > 0:
		return all
	}
	return []string{""}
}

// ticketCounter names the counter of a month's tickets under a line with included ones.
func ticketCounter(contract, clause, month string) string {
	return "tickets/" + contract + "/" + clause + "/" + month
}

// aiCounter names the counter of a month's AI seconds at one rate.
func aiCounter(contract, clause string, hourly decimal.Decimal, month string) string {
	return "ai/" + contract + "/" + clause + "/" + hourly.String() + "/" + month
}

// ticketTotal is what n tickets of a month cost: the included ones nothing.
func ticketTotal(n decimal.Decimal, included int, price decimal.Decimal) decimal.Decimal {
	return decimal.Max(n.Sub(decimal.NewFromInt(int64(included))), decimal.Zero).Mul(price)
}

// priceTicket prices a charge per ticket as F(after) − F(before) of the period's count.
func (d *decider) priceTicket(s *slot, t *Terms) {
	l := s.clause
	one := decimal.NewFromInt(1)
	s.charge.Rate, s.charge.Exact = *l.Price, l.discounted(*l.Price, s.charge.Date)
	if l.Included > 0 {
		key := ticketCounter(s.charge.Contract, s.charge.Clause, t.periodKey(s.charge.Date))
		before := d.counter(key)
		s.charge.Exact = l.discounted(ticketTotal(before.Add(one), l.Included, *l.Price).Sub(ticketTotal(before, l.Included, *l.Price)), s.charge.Date)
		if s.charge.Exact.IsZero() {
			s.charge.Rate = decimal.Zero
		}
		d.count(s, key, one)
		s.step(ruleIncluded, Arg{"before", before.String()}, Arg{"included", strconv.Itoa(l.Included)}, Arg{"price", l.Price.String()})
	}
	d.explainDiscount(s)
	s.charge.Amount = t.rounding.round(s.charge.Exact, one, t.places)
}
