package billing

import (
	"slices"
	"strconv"
	"time"

	"github.com/shopspring/decimal"
)

// decision parts the charges: those that post, and those that a person must decide.
func (d *decider) decision() Decision {
	out := Decision{Rules: d.facts.Rules, Charges: []Charge{}, Holds: []Hold{}}
	signOffs := d.signOffs()
	exceptions := d.exceptions()
	for _, s := range d.slots {
		if s.reason == "" && !s.signOff {
			out.Charges = append(out.Charges, s.charge)
		}
	}
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
		if s.reason == Implausible {
			// Whoever corrects the time corrects all of it, whatever clauses it fell under.
			h.Clause = ""
		}
		h.Key = string(Exception) + "/" + string(h.Reason) + "/" + h.Contract + "/" + h.Clause
		if h.Unrated {
			h.Key += "/unrated"
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
	h.Key = string(Exception) + "/" + string(NoTime) + "/" + h.Contract + "/" + h.Clause
	h.Says = d.says(&h, nil)
	return h
}

func (d *decider) patience(s *slot) time.Duration {
	if s.version < 0 {
		return defaultPatience
	}
	return d.facts.Contracts[s.version].Terms.patience
}

// signOffs moves what costs the client something into one hold a contract, where the
// round is above the contract's threshold. What is an exception already is not asked
// about twice, and does not count.
func (d *decider) signOffs() []Hold {
	var holds []Hold
	for i := range d.facts.Contracts {
		contract := d.facts.Contracts[i].Contract
		if slices.ContainsFunc(d.facts.Contracts[:i], func(v Version) bool { return v.Contract == contract }) {
			continue
		}
		t := d.latest(contract)
		if t.threshold.Approval == nil {
			continue
		}
		var amount decimal.Decimal
		var billable int64
		var money []*slot
		for _, s := range d.slots {
			if s.charge.Contract != contract || s.reason != "" {
				continue
			}
			amount = amount.Add(s.charge.Amount)
			billable += s.bill
			if !s.charge.Amount.IsZero() || len(s.charge.Draws) > 0 {
				money = append(money, s)
			}
		}
		limit, over := t.threshold.exceeded(amount, billable)
		if !over || len(money) == 0 {
			continue
		}
		if d.approvedBefore(t.contract.Currency) {
			for _, s := range money {
				s.step(ruleApproved, Arg{"approved", d.facts.Ticket.Approved.String()})
			}
			continue
		}
		h := Hold{
			Key: string(SignOff) + "/" + contract, Kind: SignOff, Reason: OverThreshold, Contract: contract, Clause: t.threshold.Clause,
			Currency: t.contract.Currency, Amount: amount, Approvers: slices.Clone(t.threshold.Approvers), Patience: t.threshold.expires.Milliseconds(),
		}
		for _, s := range money {
			s.signOff = true
			s.step(ruleThreshold, Arg{"clause", t.threshold.Clause}, Arg{"limit", limit}, Arg{"amount", amount.String()}, msArg("billable_ms", billable))
			h.Charges = append(h.Charges, s.charge)
		}
		h.Says = d.saysOver(t, amount, billable)
		holds = append(holds, h)
	}
	return holds
}

// approvedBefore says whether the client agreed to the ticket's amount before the work: what
// it comes to in this currency, under all contracts, is within what was approved. Beyond
// that the client is asked again.
func (d *decider) approvedBefore(currency string) bool {
	if d.facts.Ticket.ApprovedCurrency != currency {
		return false
	}
	var sum decimal.Decimal
	for _, s := range d.slots {
		if s.charge.Currency == currency && s.reason == "" {
			sum = sum.Add(s.charge.Amount)
		}
	}
	return !sum.GreaterThan(d.facts.Ticket.Approved)
}

// exceeded says whether the client must agree, and to which limit.
func (t *threshold) exceeded(amount decimal.Decimal, billable int64) (string, bool) {
	switch {
	case t.AmountOver != nil && amount.GreaterThan(*t.AmountOver):
		return "amount_over " + t.AmountOver.String(), true
	case t.timeOver > 0 && billable > t.timeOver:
		return "time_over " + strconv.FormatInt(t.timeOver, 10) + " ms", true
	}
	return "", false
}

// latest gives the terms of a contract at the ticket's resolution, or the last that were
// in force during the work.
func (d *decider) latest(contract string) *Terms {
	var last *Version
	for i := range d.facts.Contracts {
		v := &d.facts.Contracts[i]
		if v.Contract != contract {
			continue
		}
		if v.InForce(d.facts.Ticket.ResolvedAt) {
			return v.Terms
		}
		if last == nil || v.From.After(last.From) {
			last = v
		}
	}
	return last.Terms
}
