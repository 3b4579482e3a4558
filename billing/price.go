package billing

import (
	"strconv"

	"github.com/shopspring/decimal"
)

// The rules that a step of the explanation can name.
const (
	ruleMatch     = "match"
	ruleFree      = "free"
	ruleNone      = "none"
	ruleTie       = "tie"
	ruleTime      = "time"
	ruleBlock     = "block"
	ruleOverage   = "overage"
	ruleRate      = "rate"
	ruleNoRate    = "no-rate"
	ruleIncluded  = "included"
	rulePeriod    = "period"
	ruleRound     = "round"
	ruleThreshold = "threshold"
	ruleApproved  = "approved"
	ruleRuling    = "ruling"
	ruleReverse   = "reverse"
)

func (s *slot) step(rule string, args ...Arg) {
	s.charge.Steps = append(s.charge.Steps, Step{Rule: rule, Args: args})
}

func msArg(name string, ms int64) Arg { return Arg{name, strconv.FormatInt(ms, 10)} }

// price finishes a charge: its quantity, its amount rounded once, its text and its steps.
func (d *decider) price(s *slot) {
	// The draws were noted while blocks were walked; they come after how the time came about.
	draws := s.charge.Steps
	s.charge.Steps = make([]Step, 0, 4+len(draws))
	d.explainMatch(s)
	d.explainTime(s)
	s.charge.Steps = append(s.charge.Steps, draws...)

	if !s.human && s.charge.Unit == UnitHour {
		s.charge.Unit = UnitSecond
	}
	switch {
	case s.charge.Unit == UnitTicket:
		s.charge.Quantity = decimal.NewFromInt(1)
		if s.version >= 0 {
			d.priceTicket(s, d.facts.Contracts[s.version].Terms)
		}
	case s.kind == Covered || s.kind == NotBillable:
		s.charge.Quantity = s.quantity(s.elapsed)
	default:
		s.charge.Quantity = s.quantity(s.bill)
		if s.hourly.Valid {
			d.priceTime(s, d.facts.Contracts[s.version].Terms)
		}
	}
	s.charge.Text = d.text(s)
}

func (s *slot) quantity(ms int64) decimal.Decimal {
	if s.charge.Unit == UnitSecond {
		return seconds(ms)
	}
	return hours(ms)
}

// priceTime prices billable time at the hourly rate. AI time adds up over the month,
// unless the contract rounds each closure alone: the charge is F(after) − F(before), so
// that many short fixes cost what their sum costs.
func (d *decider) priceTime(s *slot, t *Terms) {
	c := &s.charge
	c.Rate = s.hourly.Decimal
	if s.rate != nil {
		s.step(ruleRate, Arg{"hourly", c.Rate.String()}, Arg{"clause", s.rate.Clause}, Arg{"work_role", s.rate.WorkRole},
			Arg{"work_type", s.rate.WorkType}, Arg{"actor", s.rate.Actor})
	} else {
		s.step(ruleOverage, Arg{"hourly", c.Rate.String()}, Arg{"clause", c.Clause})
	}
	c.Exact, c.Amount = t.rounding.price(s.bill, c.Rate, t.places)
	if d.facts.Work[s.work].Kind == kindAI && !s.clause.time.aiAlone && s.bill > 0 {
		key := aiCounter(c.Contract, c.Clause, c.Rate, s.month)
		before := d.counter(key)
		d.count(s, key, seconds(s.bill))
		after := d.counter(key)
		c.Amount = aiTotal(after, c.Rate, t).Sub(aiTotal(before, c.Rate, t))
		s.step(rulePeriod, Arg{"before_s", before.String()}, Arg{"after_s", after.String()})
	}
	s.step(ruleRound, Arg{"exact", c.Exact.String()}, Arg{"amount", c.Amount.String()}, Arg{"places", strconv.Itoa(int(t.places))})
}

// aiTotal is what a month's AI seconds cost at a rate, rounded.
func aiTotal(total, hourly decimal.Decimal, t *Terms) decimal.Decimal {
	return t.rounding.round(total.Mul(hourly), secondsPerHour, t.places)
}

var secondsPerHour = decimal.NewFromInt(3600)

func (d *decider) explainMatch(s *slot) {
	switch {
	case s.reason == Tie || (s.reason == Implausible && s.tie >= 0):
		s.step(ruleTie)
	case s.version >= 0:
		v := &d.facts.Contracts[s.version]
		s.step(ruleMatch, Arg{"contract", v.Contract}, Arg{"revision", strconv.Itoa(v.Revision)}, Arg{"clause", s.clause.Clause},
			Arg{"line", s.clause.Name}, Arg{"charge", s.clause.Charge}, Arg{"fields", strconv.Itoa(max(s.clause.fields, 0))}, Arg{"code", d.facts.Ticket.Code})
	case s.kind == NotBillable:
		w := &d.facts.Work[s.work]
		why := d.facts.Ticket.Code
		switch {
		case w.Failed:
			why = "failed"
		case w.NoBill:
			why = "marked"
		}
		s.step(ruleFree, Arg{"why", why})
	default:
		s.step(ruleNone)
	}
}

// explainTime notes how the elapsed time of the charge's work became billable time.
func (d *decider) explainTime(s *slot) {
	if s.work < 0 || s.kind == NotBillable || s.version < 0 {
		return
	}
	e, w := &d.entries[s.work], &d.facts.Work[s.work]
	scope := scopeEntry
	if e.rule.perTicket {
		scope = scopeTicket
	}
	s.step(ruleTime, msArg("entry_ms", w.MS), msArg("minimum_ms", e.rule.least(w.Kind)), msArg("increment_ms", e.rule.step(w.Kind)),
		Arg{"scope", scope}, msArg("billable_ms", e.whole), msArg("part_ms", s.elapsed), msArg("share_ms", s.bill))
	if s.charge.Unrated {
		s.step(ruleNoRate, Arg{"work_role", w.WorkRole}, Arg{"work_type", w.WorkType}, Arg{"actor", w.Kind})
	}
}

// textSep stands between what was done and how it is charged in the text of a line.
const textSep = " — "

// text is what the invoice line says: the clause's name, the ticket, how it is charged.
func (d *decider) text(s *slot) string {
	name := "Work"
	switch {
	case s.clause != nil && s.clause.Name != "":
		name = s.clause.Name
	case s.charge.Unit == UnitTicket:
		name = "Ticket"
	}
	text := name + " · " + d.facts.Ticket.ID
	if s.work >= 0 {
		text += " · " + d.facts.Work[s.work].WorkType
	}
	return text + textSep + s.how()
}

func (s *slot) how() string {
	switch s.kind {
	case Covered:
		if s.clause.Charge == chargePerTicket {
			return "in the price of the ticket"
		}
		return "covered"
	case NotBillable:
		return "not billable"
	case BlockDraw:
		return span(s.bill) + " from block hours"
	case Overage:
		return span(s.bill) + " beyond the block hours"
	case PerTicket:
		if s.clause != nil && len(s.charge.Counts) > 0 && s.charge.Amount.IsZero() {
			return "one of " + strconv.Itoa(s.clause.Included) + " included a month"
		}
		return "per ticket"
	case Time, WrittenOff, Reversal:
	}
	return span(s.bill)
}
