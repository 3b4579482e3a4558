package billing

import (
	"github.com/shopspring/decimal"
)

// charge says what a piece of work comes to under the clause that governs it.
func (d *decider) charge(p *piece) {
	e := &d.entries[p.work]
	key := slotKey{version: p.version, clause: p.line, month: d.periodKey(p.version, p.date), work: p.work}
	if e.doubt != 0 {
		key.reason = Implausible
	}
	switch {
	case e.free:
		d.whole(slotKey{kind: NotBillable, version: -1, month: key.month, work: p.work}, p)
		return
	case p.version < 0:
		key.kind, key.reason = Time, orElse(key.reason, NoContract)
		d.unrated(key, p)
		return
	case p.tie >= 0:
		// Neither contract is chosen, so neither is named: a dispatcher says whose work it is.
		key.kind, key.reason = Time, orElse(key.reason, Tie)
		key.version, key.clause = -1, nil
		d.unrated(key, p)
		return
	}

	if p.warranty {
		key.kind, key.reason, key.work, key.of = NotBillable, "", -1, ofWarranty
		d.whole(key, p)
		return
	}
	if p.noStart && d.needsStart(p.line.Charge) {
		key.reason = orElse(key.reason, NoStart)
	}
	if p.lapse.reason != "" {
		d.withoutEntitlement(key, p)
		return
	}

	switch p.line.Charge {
	case chargeCovered, chargePerTicket:
		key.kind, key.work = Covered, -1
		d.whole(key, p)
	case chargeNotBillable:
		key.kind, key.reason = NotBillable, ""
		d.whole(key, p)
	case chargeTime, chargeRetainer:
		key.kind = Time
		d.timed(key, p, p.from, p.to, p.bill, p.plain)
	case chargeOutOfScope:
		key.kind, key.reason = Time, orElse(key.reason, OutOfScope)
		d.timed(key, p, p.from, p.to, p.bill, p.plain)
	case chargeBlock, chargeBucket:
		d.fromBlocks(key, p)
	}
}

// needsStart says whether it matters to what a charge bills when the work was done.
func (d *decider) needsStart(charge string) bool {
	switch charge {
	case chargeCovered, chargeNotBillable:
		return false
	case chargePerTicket:
		return d.facts.Rules < rulesBooks
	}
	return true
}

func orElse(reason, other HoldReason) HoldReason {
	if reason != "" {
		return reason
	}
	return other
}

// whole puts the piece into a charge that bills nothing.
func (d *decider) whole(key slotKey, p *piece) {
	s := d.open(key, p)
	s.charge.Hidden = key.kind == NotBillable || (key.clause != nil && (key.clause.Hidden || key.clause.Charge == chargePerTicket))
	d.add(s, p, p.from, p.to, 0, 0)
}

// unrated puts the piece into a charge for which no price can be found; it keeps the time.
func (d *decider) unrated(key slotKey, p *piece) {
	s := d.open(key, p)
	s.charge.Unrated = true
	d.add(s, p, p.from, p.to, p.elapsed(), p.elapsed())
}

// timed puts billable time into a charge at the rate card's price. No rate is an
// exception: never zero, and for AI work never the rate of a person.
func (d *decider) timed(key slotKey, p *piece, from, to, bill, plain int64) *slot {
	w := &d.facts.Work[p.work]
	if key.clause.time.within(scopeDay, kindHuman) && key.kind == Time {
		key.of = joined(key.of, p.date)
	}
	if w.Hourly != nil {
		s := d.open(key, p)
		s.hourly = decimal.NewNullDecimal(*w.Hourly)
		d.add(s, p, from, to, bill, plain)
		return s
	}
	if project := d.facts.Ticket.Project; p.lapse.reason == ProjectSize && project.Hourly != nil && w.Kind == kindHuman {
		s := d.open(key, p)
		s.hourly = decimal.NewNullDecimal(*project.Hourly)
		d.add(s, p, from, to, bill, plain)
		return s
	}
	r, ok := d.facts.Contracts[key.version].Terms.rate(w, p.bands)
	if p.by != "" && (!ok || r.Band == "") {
		key.bands = p.by
	}
	if !ok {
		key.reason = orElse(key.reason, NoRate)
		s := d.open(key, p)
		s.charge.Unrated = true
		d.add(s, p, from, to, bill, plain)
		return s
	}
	if r.Band != "" {
		key.bands = r.Band
	}
	s := d.open(key, p)
	s.rate, s.hourly = r, decimal.NewNullDecimal(r.Hourly)
	if r.Band == "" {
		s.weight, s.by = p.weight, p.by
	}
	d.add(s, p, from, to, bill, plain)
	return s
}

// ofWarranty marks what a warranty makes free.
const ofWarranty = "warranty"

func joined(a, b string) string {
	if a == "" {
		return b
	}
	return a + "/" + b
}
