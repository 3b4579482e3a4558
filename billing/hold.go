package billing

import (
	"slices"
	"time"
)

// decision parts the charges: those that post, and those that a person must decide.
func (d *decider) decision() Decision {
	out := Decision{Rules: d.facts.Rules, Charges: make([]Charge, 0, len(d.slots)), Holds: []Hold{}}
	signOffs := d.signOffs()
	exceptions := d.exceptions()
	for _, s := range d.slots {
		if s.reason == "" && !s.signOff {
			out.Charges = append(out.Charges, s.charge)
		}
	}
	for _, s := range d.sales {
		out.Charges = append(out.Charges, s.charge)
	}
	out.Grants = d.grants
	for _, h := range slices.Concat(exceptions, signOffs) {
		h.Digest = h.digest()
		out.Holds = append(out.Holds, h)
	}
	return out
}

// digest binds a sign-off to exactly this quote: it is the SHA-256 of the hold's
// canonical JSON with an empty digest.
func (h Hold) digest() string {
	h.Digest = ""
	return digest(h)
}

// exceptions gathers what a dispatcher must decide: one hold for each reason, contract
// and clause, rated and unrated apart.
func (d *decider) exceptions() []Hold {
	var holds []Hold
	var slots [][]*slot
	for _, s := range d.slots {
		if s.reason == "" {
			continue
		}
		h := Hold{Kind: Exception, Reason: s.reason, Contract: s.charge.Contract, Clause: s.charge.Clause, Unrated: s.charge.Unrated}
		switch s.reason {
		case Implausible:
			// Whoever corrects the time corrects all of it, whatever clauses it fell under.
			h.Clause = ""
		case NotOrdered, ProjectSize, PatternBroken, OrderUsedUp, ProjectBudget:
			// All that the ticket costs waits for one answer.
			h.Clause = s.guard
		default:
		}
		h.Key = d.facts.Rerating.prefix() + string(Exception) + "/" + string(h.Reason) + "/" + h.Contract + "/" + h.Clause
		if h.Unrated {
			h.Key += "/unrated"
		}
		if h.Unrated && (s.item != nil || s.event != nil) {
			h.Key += "/" + s.of // each has a price of its own
		}
		i := slices.IndexFunc(holds, func(have Hold) bool { return have.Key == h.Key })
		if i < 0 {
			i = len(holds)
			h.Currency, h.Patience = s.charge.Currency, d.patience(s).Milliseconds()
			holds, slots = append(holds, h), append(slots, nil)
		}
		slots[i] = append(slots[i], s)
	}
	for i := range holds {
		for _, s := range slots[i] {
			holds[i].Charges = append(holds[i].Charges, s.charge)
			holds[i].Amount = holds[i].Amount.Add(s.charge.Amount)
		}
		holds[i].Says = d.says(&holds[i], slots[i])
	}
	if d.withoutTime() && !slices.ContainsFunc(holds, func(h Hold) bool { return h.Reason == NoTime }) {
		holds = append(holds, d.noTime())
	}
	return holds
}

// noTime asks about a ticket that was closed without any work, and costs nothing by itself.
func (d *decider) noTime() Hold {
	h := Hold{Kind: Exception, Reason: NoTime, Currency: d.currency, Charges: []Charge{}, Patience: defaultPatience.Milliseconds()}
	if p := d.choose(d.facts.Ticket.ResolvedAt, "", d.facts.Ticket.ResolvedKind); p.version >= 0 && p.tie < 0 {
		v := &d.facts.Contracts[p.version]
		h.Contract, h.Clause, h.Currency = v.Contract, p.line.Clause, v.Terms.contract.Currency
		h.Patience = v.Terms.patience.Milliseconds()
	}
	h.Key = d.facts.Rerating.prefix() + string(Exception) + "/" + string(NoTime) + "/" + h.Contract + "/" + h.Clause
	h.Says = d.says(&h, nil)
	return h
}

func (d *decider) patience(s *slot) time.Duration {
	if s.version < 0 {
		return defaultPatience
	}
	return d.facts.Contracts[s.version].Terms.patience
}
