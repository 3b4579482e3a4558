package billing

import (
	"slices"
	"strconv"
	"time"

	"github.com/shopspring/decimal"
)

// threshold is above what the client must agree.
type threshold struct {
	*Approval
	limits
	expires time.Duration
}

func compileApproval(a *Approval) threshold {
	if a == nil {
		return threshold{expires: defaultExpiry}
	}
	t := threshold{Approval: a, limits: limits{a.AmountOver, length(a.TimeOver).Milliseconds(), a.Categories}, expires: defaultExpiry}
	if a.Expires != "" {
		t.expires = length(a.Expires)
	}
	return t
}

func (t threshold) clause() string {
	if t.Approval == nil {
		return ""
	}
	return t.Clause
}

// signOffs moves what costs the client something into one hold a contract, where the
// round is above the contract's threshold. What is an exception already is not asked
// about twice, and does not count. A credit is the client's whatever he answers, so it posts.
func (d *decider) signOffs() []Hold {
	var holds []Hold
	for _, version := range d.contracts() {
		v := &d.facts.Contracts[version]
		t := v.Terms
		if t.threshold.Approval == nil && !d.agreedTo(t.contract.Currency) {
			continue
		}
		var money []*slot
		var sum size
		for _, s := range d.under(v.Contract) {
			if s.reason != "" || s.kind == Credit {
				continue
			}
			sum.amount, sum.time = sum.amount.Add(s.charge.Amount), sum.time+s.bill
			if s.costs() {
				money = append(money, s)
			}
		}
		by := d.mustAgree(t, sum, money)
		if by.limit == "" || len(money) == 0 {
			continue
		}
		if d.approvedBefore(t.contract.Currency) {
			for _, s := range money {
				s.step(ruleApproved, Arg{"approved", d.facts.Ticket.Approved.String()})
			}
			continue
		}
		h := Hold{
			Key: d.facts.Rerating.prefix() + string(SignOff) + "/" + v.Contract, Kind: SignOff, Reason: OverThreshold, Contract: v.Contract, Clause: t.threshold.clause(),
			Currency: t.contract.Currency, Amount: sum.amount, Approvers: d.approvers(&t.threshold), Patience: t.threshold.expires.Milliseconds(),
		}
		for _, s := range money {
			s.signOff = true
			s.step(ruleThreshold, Arg{"clause", t.threshold.clause()}, Arg{"limit", by.told()}, Arg{"amount", sum.amount.String()}, msArg("billable_ms", sum.time))
			h.Charges = append(h.Charges, s.charge)
		}
		h.Says = saysOver(t, by)
		holds = append(holds, h)
	}
	return holds
}

// agreedTo says whether somebody agreed to an amount of this currency before the work.
func (d *decider) agreedTo(currency string) bool {
	t := &d.facts.Ticket
	return d.facts.Rules >= rulesOverlaps && t.ApprovedBy != "" && t.ApprovedCurrency == currency
}

// approvers are whom the contract names; where it names nobody, who agreed before the work.
func (d *decider) approvers(t *threshold) []string {
	if t.Approval == nil {
		return []string{d.facts.Ticket.ApprovedBy}
	}
	return slices.Clone(t.Approvers)
}

// mustAgree says why the client must agree to what costs him something, and to which limit: what the contract lets pass,
// or else what he agreed to before the work.
func (d *decider) mustAgree(terms *Terms, sum size, money []*slot) trigger {
	if terms.threshold.Approval != nil {
		if by := d.overThreshold(&terms.threshold, sum, money); by.limit != "" {
			return by
		}
	}
	if currency := terms.contract.Currency; d.agreedTo(currency) && !d.approvedBefore(currency) {
		return trigger{byApproved, d.facts.Ticket.Approved.String(), d.owing(currency).String()}
	}
	return trigger{}
}

// overThreshold says which limit of the contract it is over: the ticket's size or category, a dear hour, or who did the work.
func (d *decider) overThreshold(t *threshold, sum size, money []*slot) trigger {
	if by := t.over(sum, d.facts.Ticket.Category); by.limit != "" {
		return by
	}
	for _, s := range money {
		if t.HourlyOver != nil && s.charge.Unit != UnitTicket && s.charge.Unit != UnitPiece && s.charge.Rate.GreaterThan(*t.HourlyOver) {
			return trigger{byHourly, t.HourlyOver.String(), s.charge.Rate.String()}
		}
	}
	for _, s := range money {
		if s.work >= 0 && slices.Contains(t.Actors, d.facts.Work[s.work].Kind) {
			kind := d.facts.Work[s.work].Kind
			return trigger{byActor, kind, kind}
		}
	}
	return trigger{}
}

// told names the limit in the explanation.
func (t trigger) told() string {
	switch t.limit {
	case byTime:
		return t.limit + " " + t.value + " ms"
	case byHourly, byApproved:
		return t.limit + " " + t.value + ": " + t.came
	}
	return t.limit + " " + t.value
}

// approvedBefore says whether the client agreed to the ticket's amount before the work: what
// it comes to in this currency, under all contracts, is within what was approved. Beyond
// that the client is asked again.
func (d *decider) approvedBefore(currency string) bool {
	return d.facts.Ticket.ApprovedCurrency == currency && !d.owing(currency).GreaterThan(d.facts.Ticket.Approved)
}

// owing is what the ticket's round comes to in a currency, under all contracts, but for what is an exception already.
func (d *decider) owing(currency string) decimal.Decimal {
	var sum decimal.Decimal
	for _, s := range d.slots {
		if s.charge.Currency == currency && s.reason == "" && s.kind != Credit {
			sum = sum.Add(s.charge.Amount)
		}
	}
	return sum
}

func decimalOf(s string) decimal.Decimal {
	d, err := decimal.NewFromString(s)
	if err != nil {
		return decimal.Zero
	}
	return d
}

func msOf(s string) int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return 0
	}
	return n
}
