package billing

import (
	"slices"

	"github.com/shopspring/decimal"
)

// chargeCredit is the charge of the line that SLA credits stand under.
const chargeCredit = "sla-credit"

// credits are the compiled credits of an SLA.
type credits struct {
	*SLACredits
	line       *line
	allotments map[int]int64 // by priority, ms of business time
}

func compileCredits(c *Contract) *credits {
	if c.SLA == nil || c.SLA.Credits == nil {
		return nil
	}
	k := &credits{SLACredits: c.SLA.Credits, allotments: map[int]int64{}}
	k.line = &line{Line: &Line{Clause: k.Clause, Name: "SLA credit", Charge: chargeCredit}}
	for priority, target := range c.SLA.Targets {
		if ms := length(target.Allotment).Milliseconds(); ms > 0 {
			k.allotments[priority] = ms
		}
	}
	return k
}

// fee is what the recurring lines of a date's period cost, as far as they do not depend on a count:
// at the prices of its first day, so that all credits of a period are measured alike.
func (t *Terms) fee(date string) decimal.Decimal {
	from, ok := dayOf(t.PeriodOf(date).Start)
	if !ok { // a date in shape only
		return decimal.Zero
	}
	renewals, _, _ := t.term(from)
	var fee decimal.Decimal
	for i := range t.contract.Lines {
		l := &t.contract.Lines[i]
		of := part{line: l, from: from, renewals: renewals}
		if c := l.counting(); c != nil {
			of.counted.counted, of.counted.of = decimal.NewFromInt(int64(c.Fixed)), one
			of.counted.bill(c)
			if c.Fixed == 0 {
				continue
			}
		}
		if l.recurring() {
			num, den := l.fee(t, of)
			fee = fee.Add(num.DivRound(den, exactPlaces))
		}
	}
	return fee
}

// creditCap is the most credit of a date's period; invalid where there is no cap.
func (t *Terms) creditCap(date string) decimal.NullDecimal {
	if t.credits.Cap == nil {
		return decimal.NullDecimal{}
	}
	return decimal.NewNullDecimal(t.fee(date).Mul(*t.credits.Cap).Shift(-2))
}

// creditTotal is F of the counter of a period's credit: all of it, up to the cap.
func (t *Terms) creditTotal(credit decimal.Decimal, date string) decimal.Decimal {
	if most := t.creditCap(date); most.Valid {
		credit = decimal.Min(credit, most.Decimal)
	}
	return credit.Neg()
}

// creditTargets credits what the contract promises for missed targets, and for a resolution that
// took less than the ticket's allotment. Each credit is a line of its own; together they are at
// most the fee or what the ticket costs, and the period's credit has a cap.
func (d *decider) creditTargets() {
	sla := d.facts.Ticket.SLA
	if sla == nil || d.undone() {
		return
	}
	version := d.promised(sla)
	if version < 0 {
		return
	}
	v := &d.facts.Contracts[version]
	k := v.Terms.credits
	if k == nil {
		return
	}
	cost, fee := d.cost(v.Contract), v.Terms.fee(d.facts.Ticket.ResolvedOn)
	room := fee
	if k.Floor == baseTicket || room.IsZero() {
		room = cost
	}
	for _, c := range []credit{k.forMissed(sla, fee, cost), k.forFast(&d.facts.Ticket)} {
		if c.of != "" {
			room = room.Sub(d.credit(version, c, room))
		}
	}
}

// promised finds the version whose targets the ticket was measured against.
func (d *decider) promised(sla *SLAOutcome) int {
	if sla.Contract == "" {
		if p := d.governs(func(t *Terms) bool { return t.credits != nil }); p.tie < 0 {
			return p.version
		}
		return -1
	}
	if !slices.ContainsFunc(d.facts.Contracts, func(v Version) bool { return v.Contract == sla.Contract }) {
		return -1
	}
	return d.latest(sla.Contract)
}

// cost is what the ticket's round costs under a contract, credits apart.
func (d *decider) cost(contract string) decimal.Decimal {
	var cost decimal.Decimal
	for _, s := range d.under(contract) {
		if s.reason == "" && s.kind != Credit {
			cost = cost.Add(s.charge.Amount)
		}
	}
	return decimal.Max(cost, decimal.Zero)
}

// credit is one promise that a ticket earned, of num/den; the zero credit is none.
type credit struct {
	of       string // missed or fast
	text     string
	num, den decimal.Decimal
	args     []Arg
}

// forMissed is the credit for missed targets: of response and resolution the higher, or both.
func (k *credits) forMissed(sla *SLAOutcome, fee, cost decimal.Decimal) credit {
	var percents []decimal.Decimal
	var missed []string
	if sla.ResponseMissed && k.Response != nil {
		percents, missed = append(percents, *k.Response), append(missed, "response")
	}
	if sla.ResolutionMissed && k.Resolution != nil {
		percents, missed = append(percents, *k.Resolution), append(missed, "resolution")
	}
	if len(percents) == 0 {
		return credit{}
	}
	percent := percents[0]
	if len(percents) == 2 {
		switch {
		case k.Both == bothBoth:
			percent = percents[0].Add(percents[1])
		case percents[1].GreaterThan(percent):
			percent, missed = percents[1], missed[1:]
		default:
			missed = missed[:1]
		}
	}
	base, of := fee, baseFee
	if k.Base == baseTicket {
		base, of = cost, baseTicket
	}
	return credit{
		of: "missed", text: joinAnd(missed) + " target missed", num: base.Mul(percent), den: hundred,
		args: []Arg{{"missed", joinAnd(missed)}, {"percent", percent.String()}, {"base", of}, {"of", base.String()}},
	}
}

// forFast is the credit for what a resolution took less than the ticket's allotment.
func (k *credits) forFast(t *Ticket) credit {
	allotment, ok := k.allotments[t.Priority]
	if k.Fast == nil || !ok || t.Code != codeSolved || t.SLA.SpentMS >= allotment {
		return credit{}
	}
	saved := allotment - t.SLA.SpentMS
	return credit{
		of: "fast", text: span(saved) + " faster than " + span(allotment), num: decimal.NewFromInt(saved).Mul(*k.Fast), den: msPerHour,
		args: []Arg{msArg("allotment_ms", allotment), msArg("spent_ms", t.SLA.SpentMS), {"hourly", k.Fast.String()}},
	}
}

// credit opens the charge of one credit, at most what there is room for, and gives that.
func (d *decider) credit(version int, c credit, room decimal.Decimal) decimal.Decimal {
	v := &d.facts.Contracts[version]
	t, k := v.Terms, v.Terms.credits
	amount := t.rounding.round(c.num, c.den, t.places)
	args := append([]Arg{{"clause", k.Clause}, {"exact", c.num.DivRound(c.den, exactPlaces).String()}}, c.args...)
	if amount.GreaterThan(room) {
		amount = room
		args = append(args, Arg{"at_most", room.String()})
	}
	key, most := "", t.creditCap(d.facts.Ticket.ResolvedOn)
	var before decimal.Decimal
	if most.Valid {
		key = countsCredit + "/" + v.Contract + "/" + k.Clause + "/" + t.periodKey(d.facts.Ticket.ResolvedOn)
		before = d.counter(key)
	}
	if !amount.IsPositive() {
		return decimal.Zero
	}
	s := d.onTicket(slotKey{kind: Credit, version: version, clause: k.line, of: c.of}, d.facts.Ticket.ResolvedOn)
	s.lump(amount.Neg())
	if key != "" {
		d.countFor(s, key, amount)
		s.lump(s.charge.Amount)
		args = append(args, Arg{"before", before.String()}, Arg{"cap", most.Decimal.String()})
	}
	// A credit that the cap leaves nothing of is on record: what is reversed later makes room for the next one.
	s.charge.Hidden = s.charge.Amount.IsZero()
	s.step(ruleCredit, args...)
	s.charge.Text = k.line.Name + " · " + d.facts.Ticket.ID + textSep + c.text
	return amount
}
