package billing

import (
	"slices"
	"strconv"
	"strings"
)

// lapse says why work that a clause would have paid for is not entitled to it, and what happens
// instead. The zero lapse is none.
type lapse struct {
	reason  HoldReason // Paused or Unlisted
	what    string     // the device or the user that is not listed
	instead string     // ask, bill, add
}

// What happens to work without entitlement.
const (
	insteadAsk  = "ask"
	insteadBill = "bill"
	insteadAdd  = "add"
	workTime    = "time"
	feeBill     = "bill"
)

// entitles says whether a charge pays for work out of something that the contract grants.
func entitles(charge string) bool {
	switch charge {
	case chargeCovered, chargeBlock, chargeBucket, chargeRetainer, chargePerTicket:
		return true
	}
	return false
}

// lapsed finds why the terms grant nothing to work of a date on this ticket: they are paused, or
// the ticket's device or user is not one that they list.
func (t *Terms) lapsed(ticket *Ticket, date string) lapse {
	for i := range t.pauses {
		if p := &t.pauses[i]; p.From <= date && date < p.To {
			instead := insteadAsk
			if p.Work == workTime {
				instead = insteadBill
			}
			return lapse{reason: Paused, instead: instead}
		}
	}
	listed := t.contract.Listed
	if listed == nil {
		return lapse{}
	}
	what := ""
	switch {
	case len(listed.Devices) > 0 && ticket.Device != "" && !slices.ContainsFunc(listed.Devices, func(d string) bool { return strings.EqualFold(d, ticket.Device) }):
		what = ticket.Device
	case len(listed.Users) > 0 && ticket.Contact != "" && !slices.Contains(listed.Users, ticket.Contact):
		what = ticket.Contact
	default:
		return lapse{}
	}
	instead := listed.Unlisted
	if instead == "" {
		instead = insteadAsk
	}
	return lapse{reason: Unlisted, what: what, instead: instead}
}

// withoutEntitlement charges a piece that its clause does not pay for: a dispatcher is asked with a
// quote at the rate card, or it is billed at the rate card, or the device or seat is added.
func (d *decider) withoutEntitlement(key slotKey, p *piece) {
	if p.lapse.instead == insteadAdd {
		d.addSeat(p)
		if key.reason == NoStart && d.facts.Rules >= rulesBooks {
			key.reason = "" // when it was done changes nothing for what is covered
		}
		key.kind, key.work, key.of = Covered, -1, string(p.lapse.reason)
		d.whole(key, p)
		return
	}
	key.kind, key.of = Time, string(p.lapse.reason)
	if p.lapse.instead == insteadAsk {
		key.reason = orElse(key.reason, p.lapse.reason)
	}
	d.timed(key, p, p.from, p.to, p.bill, p.plain)
}

// addSeat charges one more device or seat for the period, the first time that work for it comes.
func (d *decider) addSeat(p *piece) {
	v := &d.facts.Contracts[p.version]
	l := v.Terms.line(v.Terms.contract.Listed.Add)
	key := slotKey{kind: Recurring, version: p.version, clause: l, month: v.Terms.periodKey(p.date), work: -1, of: "added/" + p.lapse.what}
	d.open(key, p).charge.Unit = UnitPiece
}

// seatCounter names the counter of a period that remembers a seat which was added.
func seatCounter(contract, clause, what, period string) string {
	return "seat/" + contract + "/" + clause + "/" + what + "/" + period
}

// underWarranty says whether the piece mends earlier work within the contract's warranty.
func (d *decider) underWarranty(p *piece) bool {
	rework := d.facts.Ticket.Rework
	if rework == nil || p.version < 0 || p.tie >= 0 {
		return false
	}
	w := d.facts.Contracts[p.version].Terms.contract.Warranty
	return w != nil && !p.at.After(rework.ResolvedAt.AddDate(0, 0, w.Days))
}

func (d *decider) explainWarranty(s *slot) {
	w, rework := d.facts.Contracts[s.version].Terms.contract.Warranty, d.facts.Ticket.Rework
	s.step(ruleWarranty, Arg{"clause", w.Clause}, Arg{"of", rework.Of}, Arg{"days", strconv.Itoa(w.Days)}, Arg{"resolved", rework.ResolvedAt.UTC().Format("2006-01-02")})
}

// explainLapse notes why the clause does not pay for the charge.
func (d *decider) explainLapse(s *slot) {
	t := &d.facts.Ticket
	reason, _, _ := strings.Cut(s.of, "/")
	switch HoldReason(reason) {
	case Paused:
		s.step(rulePaused)
	case Unlisted:
		s.step(ruleUnlisted, Arg{"device", t.Device}, Arg{"user", t.Contact})
	case ProjectSize:
		s.step(ruleProjectWork, Arg{"project", t.Project.ID})
	default:
	}
}
