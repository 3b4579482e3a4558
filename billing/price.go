package billing

import (
	"strconv"
	"strings"

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
	ruleWarranty  = "warranty"
	rulePaused    = "paused"
	ruleUnlisted  = "unlisted"
	rulePremium   = "premium"
	ruleWeighed   = "weighed"
	ruleEnded     = "ended"
	ruleOwnRate   = "own-rate"
	ruleDay       = "day"
	ruleDiscount  = "discount"
	ruleRetainer  = "retainer"
	ruleCap       = "cap"
	ruleSeat      = "seat"
	ruleFee       = "fee"
	ruleBeside    = "beside"
	ruleElsewhere = "elsewhere"
	ruleNoStart   = "no-start"

	ruleMaterial    = "material"
	ruleUsage       = "usage"
	ruleRoundTicket = "round-ticket"
	ruleLimit       = "limit"
	ruleCredit      = "credit"
	ruleOrder       = "order"
	ruleOrderWarn   = "order-warn"
	ruleNotOrdered  = "not-ordered"
	ruleProject     = "project"
	rulePattern     = "pattern"
	ruleHistory     = "history"
	ruleBucket      = "bucket"
	ruleLate        = "late"
	ruleUnpaid      = "unpaid"
	ruleOverdraw    = "overdraw"
	ruleRenewal     = "renewal"
	ruleSale        = "sale"
	ruleReturn      = "return"
	ruleProjectWork = "project-work"
	ruleProjectRate = "project-rate"
	ruleBudget      = "budget"
	ruleRerated     = "re-rated"
)

func (s *slot) step(rule string, args ...Arg) {
	s.charge.Steps = append(s.charge.Steps, Step{Rule: rule, Args: args})
}

func msArg(name string, ms int64) Arg { return Arg{name, strconv.FormatInt(ms, 10)} }

// price finishes a charge: its quantity, its amount rounded once, its text and its steps.
func (d *decider) price(s *slot) {
	switch {
	case s.item != nil:
		d.priceMaterial(s)
		return
	case s.event != nil:
		d.priceUsage(s)
		return
	}
	// The draws were noted while blocks were walked; they come after how the time came about.
	draws := s.charge.Steps
	s.charge.Steps = make([]Step, 0, 4+len(draws))
	d.explainMatch(s)
	d.explainLapse(s)
	d.explainTime(s)
	d.explainWeighing(s)
	s.charge.Steps = append(s.charge.Steps, draws...)

	if !s.human && s.charge.Unit == UnitHour {
		s.charge.Unit = UnitSecond
	}
	switch {
	case s.kind == CallOut || s.kind == Recurring:
		s.charge.Quantity = decimal.NewFromInt(1)
		d.priceFee(s)
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
	switch {
	case s.rate != nil:
		s.step(ruleRate, Arg{"hourly", inDigits(c.Rate)}, Arg{"clause", s.rate.Clause}, Arg{"work_role", s.rate.WorkRole},
			Arg{"work_type", s.rate.WorkType}, Arg{"actor", s.rate.Actor})
	case d.facts.Work[s.work].Hourly != nil:
		s.step(ruleOwnRate, Arg{"hourly", inDigits(c.Rate)})
	case strings.HasPrefix(s.of, string(ProjectSize)):
		s.step(ruleProjectRate, Arg{"hourly", inDigits(c.Rate)}, Arg{"project", d.facts.Ticket.Project.ID})
	default:
		args := []Arg{{"hourly", inDigits(c.Rate)}, {"clause", c.Clause}}
		if s.clause.Charge == chargeBucket {
			args = append(args, Arg{"period", s.period})
		}
		s.step(ruleOverage, args...)
	}
	d.explainPremium(s, t)
	if s.by != "" && !t.weighsMinutes() {
		c.Rate = c.Rate.Mul(s.weight)
	}
	c.Exact, c.Amount = t.rounding.price(s.bill, c.Rate, t.places)
	switch {
	case d.byDay(s) && s.bill > 0:
		d.priceByDay(s)
	case d.facts.Work[s.work].Kind == kindAI && !s.clause.time.aiAlone && s.bill > 0:
		key := aiCounter(c.Contract, c.Clause, c.Rate, s.month)
		exact, before := s.clause.discounted(c.Exact, c.Date), d.counter(key)
		d.countFor(s, key, seconds(s.bill))
		c.Exact = exact
		s.step(rulePeriod, Arg{"before_s", inDigits(before)}, Arg{"after_s", inDigits(d.counter(key))})
	case s.clause.Discount != nil:
		c.Exact = s.clause.lowered(c.Exact, c.Date)
		c.Amount = t.rounding.round(c.Exact, decimal.NewFromInt(1), t.places)
	}
	d.explainDiscount(s)
	s.step(ruleRound, Arg{"exact", inDigits(c.Exact)}, Arg{"amount", inDigits(c.Amount)}, Arg{"places", strconv.Itoa(int(t.places))})
}

// priceFee prices a fee: of a call-out, or of a device or seat that the work added.
func (d *decider) priceFee(s *slot) {
	t := d.facts.Contracts[s.version].Terms
	s.charge.Rate = *s.clause.Price
	if s.kind == CallOut {
		s.charge.Exact = *s.clause.Price
		s.charge.Amount = t.rounding.round(s.charge.Exact, decimal.NewFromInt(1), t.places)
		s.step(ruleFee, Arg{"name", s.clause.Name}, Arg{"clause", s.clause.Clause}, Arg{"price", s.clause.Price.String()})
		return
	}
	what := strings.TrimPrefix(s.of, "added/")
	key := seatCounter(s.charge.Contract, s.charge.Clause, what, s.month)
	before := d.counter(key)
	d.countFor(s, key, decimal.NewFromInt(1))
	s.charge.Hidden = s.charge.Amount.IsZero()
	s.step(ruleSeat, Arg{"what", what}, Arg{"clause", s.charge.Clause}, Arg{"price", s.clause.Price.String()}, Arg{"before", before.String()}, Arg{"period", s.month})
}

// explainPremium notes what the bands weigh, and whether on the time or on the rate.
func (d *decider) explainPremium(s *slot, t *Terms) {
	if s.by == "" {
		return
	}
	on := onRate
	if t.weighsMinutes() {
		on = onMinutes
	}
	s.step(rulePremium, Arg{"bands", s.by}, Arg{"weight", s.weight.String()}, Arg{"on", on}, Arg{"clause", t.clauseOf(s.by)})
}

var secondsPerHour = decimal.NewFromInt(3600)

func (d *decider) explainMatch(s *slot) {
	switch {
	case s.reason == Tie || (s.reason == Implausible && s.tie >= 0):
		s.step(ruleTie)
	case s.kind == CallOut || s.kind == Recurring:
	case s.version >= 0:
		v := &d.facts.Contracts[s.version]
		args := []Arg{
			{"contract", v.Contract},
			{"revision", strconv.Itoa(v.Revision)},
			{"clause", s.clause.Clause},
			{"line", s.clause.Name},
			{"charge", s.clause.Charge},
			{"fields", strconv.Itoa(max(s.clause.fields, 0))},
			{"code", d.facts.Ticket.Code},
		}
		s.step(ruleMatch, append(args, d.otherwise(s)...)...)
		if s.of == ofWarranty {
			d.explainWarranty(s)
		}
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

// otherwise notes what would have become of the work without its clause, where no number of a later step tells what would
// have changed the answer.
func (d *decider) otherwise(s *slot) []Arg {
	if d.facts.Rules < rulesBooks {
		return nil
	}
	switch s.clause.Charge {
	case chargeCovered, chargePerTicket, chargeNotBillable, chargeOutOfScope:
		if next := d.facts.Contracts[s.version].Terms.after(s.clause, &d.facts.Ticket, s.doing); next != nil {
			return []Arg{{"otherwise", next.Charge}, {"otherwise_clause", next.Clause}}
		}
	}
	return nil
}

// explainTime notes how the elapsed time of the charge's work became billable time.
func (d *decider) explainTime(s *slot) {
	if s.work < 0 || s.kind == NotBillable || s.version < 0 {
		return
	}
	e, w := &d.entries[s.work], &d.facts.Work[s.work]
	scope, incScope := e.rule.scopes(w.Kind)
	share := s.bill
	if d.facts.Rules >= rulesBooks {
		share = s.plain // what weighs it is a step of its own
	}
	args := []Arg{
		msArg("entry_ms", w.MS), msArg("minimum_ms", e.rule.least(w.Kind)), msArg("increment_ms", e.rule.step(w.Kind)),
		{"scope", scope},
		msArg("billable_ms", e.whole), msArg("part_ms", s.elapsed), msArg("share_ms", share),
	}
	if incScope != scope {
		args = append(args, Arg{"increment_scope", incScope})
	}
	if e.rule.round != roundUpward {
		args = append(args, Arg{"round", e.rule.round})
	}
	if e.rule.grace > 0 {
		args = append(args, msArg("grace_ms", e.rule.grace))
	}
	s.step(ruleTime, args...)
	if d.facts.Rules >= rulesOverlaps && e.doubt == 0 {
		if b := d.besides(s.work); b.ms > 0 {
			s.step(ruleBeside, Arg{"who", b.who}, msArg("ms", b.ms))
		}
	}
	if w.Elsewhere != nil {
		s.step(ruleElsewhere, Arg{"who", w.Actor}, Arg{"ticket", w.Elsewhere.Ticket}, msArg("ms", w.Elsewhere.MS), Arg{"rule", e.rule.elsewhere})
	}
	if s.reason == NoStart {
		s.step(ruleNoStart)
	}
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
		if s.of == ofWarranty {
			return "under warranty"
		}
		return "not billable"
	case BlockDraw:
		return span(s.bill) + " from block hours"
	case BucketDraw:
		return span(s.bill) + " from the allowance of " + s.period
	case Overage:
		if s.clause.Charge == chargeBucket {
			return span(s.bill) + " beyond the allowance of " + s.period
		}
		return span(s.bill) + " beyond the block hours"
	case PerTicket:
		if s.clause != nil && len(s.charge.Counts) > 0 && s.charge.Amount.IsZero() {
			return "one of " + strconv.Itoa(s.clause.Included) + " included a month"
		}
		return "per ticket"
	case CallOut:
		return "call-out"
	case Recurring:
		return "added " + strings.TrimPrefix(s.of, "added/")
	case Time:
		if s.within != "" {
			return s.within
		}
		if s.by != "" {
			return span(s.bill) + " · " + s.by + " ×" + s.weight.String()
		}
	default:
	}
	return span(s.bill)
}
