package billing

import "github.com/shopspring/decimal"

// The charges of the lines that stand for what concerns the whole ticket under a contract.
const (
	chargeRounding = "rounding"
	chargeLimit    = "not-to-exceed"
)

// ofTicket is the line of a charge about all that a ticket costs under a contract.
var ofTicket = &line{Line: &Line{Name: "Rounding of the ticket", Charge: chargeRounding}}

// compileLimit gives the line that the limit of a ticket stands under; nil without one.
func compileLimit(c *Contract) *line {
	if c.NotToExceed == nil {
		return nil
	}
	return &line{Line: &Line{Clause: c.NotToExceed.Clause, Name: "Not to exceed " + money(c.NotToExceed.Amount, c.Currency), Charge: chargeLimit}}
}

// roundTicket rounds the ticket's sum instead of its lines, where the contract says so: one charge
// of the difference, beside the lines as each was rounded. What depends on a running quantity of
// the period is left out: it is the difference of two rounded sums already.
func (d *decider) roundTicket() {
	for _, version := range d.contracts() {
		v := &d.facts.Contracts[version]
		t := v.Terms
		if t.contract.RoundingOf != roundingOfTicket {
			continue
		}
		var exact, amount decimal.Decimal
		for _, s := range d.under(v.Contract) {
			if s.reason == "" && !s.running() {
				exact, amount = exact.Add(s.charge.Exact), amount.Add(s.charge.Amount)
			}
		}
		exact = exact.Round(cutPlaces) // what is exactly half a minor unit must stay so
		rounded := t.rounding.round(exact, one, t.places)
		if rounded.Equal(amount) {
			continue
		}
		s := d.onTicket(slotKey{kind: Discount, version: version, clause: ofTicket, of: chargeRounding}, d.facts.Ticket.ResolvedOn)
		s.lump(rounded.Sub(amount))
		s.step(ruleRoundTicket, Arg{"exact", exact.String()}, Arg{"lines", amount.String()}, Arg{"rounded", rounded.String()})
		s.charge.Text = ofTicket.Name + " " + d.facts.Ticket.ID + textSep + "its sum is rounded, not its lines"
	}
}

// limitTicket keeps what a ticket's round costs under a contract within the contract's limit. What
// is beyond shows as a discount; where the contract does not write it off, a dispatcher is asked
// about it.
func (d *decider) limitTicket() {
	for _, version := range d.contracts() {
		v := &d.facts.Contracts[version]
		limit, l := v.Terms.contract.NotToExceed, v.Terms.limit
		if limit == nil {
			continue
		}
		var sum decimal.Decimal
		for _, s := range d.under(v.Contract) {
			if s.reason == "" {
				sum = sum.Add(s.charge.Amount)
			}
		}
		excess := sum.Sub(limit.Amount)
		if !excess.IsPositive() {
			continue
		}
		args := []Arg{{"clause", limit.Clause}, {"limit", limit.Amount.String()}, {"sum", sum.String()}, {"rest", restHold}}
		if limit.Rest == restWriteOff {
			args[3].Value = restWriteOff
		}
		off := d.onTicket(slotKey{kind: Discount, version: version, clause: l, of: "limit"}, d.facts.Ticket.ResolvedOn)
		off.lump(excess.Neg())
		off.step(ruleLimit, args...)
		off.charge.Text = l.Name + " · " + d.facts.Ticket.ID + textSep + "what is beyond"
		if limit.Rest == restWriteOff {
			continue
		}
		rest := d.onTicket(slotKey{kind: Time, reason: OverLimit, version: version, clause: l, of: "beyond"}, d.facts.Ticket.ResolvedOn)
		rest.lump(excess)
		rest.step(ruleLimit, args...)
		rest.charge.Text = l.Name + " · " + d.facts.Ticket.ID + textSep + "beyond it, as ruled"
	}
}

// under gives the charges in the making that stand under a contract.
func (d *decider) under(contract string) []*slot {
	var slots []*slot
	for _, s := range d.slots {
		if s.version >= 0 && s.charge.Contract == contract {
			slots = append(slots, s)
		}
	}
	return slots
}

// running says whether the charge's amount depends on a running quantity of the period.
func (s *slot) running() bool {
	for _, c := range s.charge.Counts {
		if prices(c.Key) {
			return true
		}
	}
	return false
}

// lump makes the charge one amount that is not a matter of quantity.
func (s *slot) lump(amount decimal.Decimal) {
	s.charge.Quantity, s.charge.Rate, s.charge.Exact, s.charge.Amount = one, amount, amount, amount
}
