package billing

import (
	"strings"

	"github.com/shopspring/decimal"
)

// accompany adds a charge that lowers another one: it posts and waits with it, stands on the same
// clause and date, and carries the count that the lowering depends on. It is posted, hidden at
// zero, even where nothing is lowered yet: only so does a later reversal, in any order, find what
// the period costs without it.
func (d *decider) accompany(s *slot, kind ChargeKind, of, counter, text string) *slot {
	c := &s.charge
	key := s.slotKey
	key.kind, key.of = kind, of+"/"+c.Key
	k := &slot{slotKey: key, with: s, tie: -1, human: s.human}
	k.charge = Charge{
		Key: string(kind) + "/" + key.of, Kind: kind, Contract: c.Contract, Revision: c.Revision, Clause: c.Clause, Currency: c.Currency,
		Quantity: decimal.NewFromInt(1), Unit: UnitPiece, Date: c.Date, Text: text,
		Payer: c.Payer, Bills: c.Bills, Tax: c.Tax, TaxCategory: c.TaxCategory, Accounting: c.Accounting,
	}
	d.countFor(k, counter, c.Amount)
	k.charge.Rate, k.charge.Hidden = k.charge.Exact, k.charge.Amount.IsZero()
	d.slots = append(d.slots, k)
	return k
}

// accompanied says whether the charge has a companion where its line is lowered: also one that costs nothing now, if
// its reversal may come to something, since others have moved on by then.
func (d *decider) accompanied(s *slot) bool {
	return !s.charge.Amount.IsZero() || (s.running() && d.facts.Rules >= rulesBooks)
}

// companionOf gives the key of the charge that a companion lowers; false where c is none.
func (c *Charge) companionOf() (key string, ok bool) {
	if c.Kind == FromRetainer {
		return strings.CutPrefix(c.Key, string(FromRetainer)+"/from/")
	}
	return strings.CutPrefix(c.Key, string(Discount)+"/cap/")
}

// lapsed says whether the charge is for work that its clause grants nothing to.
func (s *slot) lapsed() bool {
	reason, _, _ := strings.Cut(s.of, "/")
	return HoldReason(reason) == Paused || HoldReason(reason) == Unlisted
}

// drawRetainers pays for work under a retainer with the period's retainer, as far as it goes.
func (d *decider) drawRetainers() {
	for _, s := range d.slots[:len(d.slots):len(d.slots)] {
		if s.with != nil || s.clause == nil || s.clause.Charge != chargeRetainer || s.kind != Time || s.charge.Unrated || s.lapsed() {
			continue
		}
		key := "retainer/" + s.charge.Contract + "/" + s.charge.Clause + "/" + d.periodKey(s.version, s.charge.Date)
		before := d.counter(key) // asked for in any case: what costs nothing while nothing is counted may cost something then
		if !d.accompanied(s) {
			continue
		}
		k := d.accompany(s, FromRetainer, "from", key, s.clause.Name+" · "+d.facts.Ticket.ID+textSep+"from the retainer")
		k.step(ruleRetainer, Arg{"before", before.String()}, Arg{"gross", s.charge.Amount.String()}, Arg{"retainer", s.clause.Retainer.String()}, Arg{"clause", s.charge.Clause})
	}
}

// capLines lowers what a line costs beyond its cap of the period.
func (d *decider) capLines() {
	for _, s := range d.slots[:len(d.slots):len(d.slots)] {
		if s.with != nil || s.clause == nil || s.clause.Cap == nil || s.charge.Unrated || s.kind == Covered || s.kind == NotBillable {
			continue
		}
		key := "cap/" + s.charge.Contract + "/" + s.charge.Clause + "/" + d.periodKey(s.version, s.charge.Date)
		before := d.counter(key) // asked for in any case: what costs nothing while nothing is counted may cost something then
		if !d.accompanied(s) {
			continue
		}
		k := d.accompany(s, Discount, "cap", key, s.clause.Name+" · "+d.facts.Ticket.ID+textSep+"beyond the cap")
		k.step(ruleCap, Arg{"before", before.String()}, Arg{"gross", s.charge.Amount.String()}, Arg{"cap", s.clause.Cap.String()}, Arg{"clause", s.charge.Clause})
	}
}
