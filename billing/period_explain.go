package billing

import (
	"slices"
	"strconv"
	"strings"

	"github.com/shopspring/decimal"
)

// The rules that a step of a period's charge can name.
const (
	ruleRecurring   = "recurring"
	ruleCounted     = "counted"
	ruleUplift      = "uplift"
	ruleTiers       = "tiers-of-count"
	ruleFeeCap      = "fee-cap"
	ruleShare       = "share"
	ruleRest        = "rest"
	ruleCorrection  = "correction"
	ruleDue         = "due"
	ruleNoUse       = "no-use"
	ruleMinimum     = "commitment"
	ruleAdjusted    = "adjusted"
	ruleTermination = "termination"
)

// explainFee notes how a fee came about.
func (p *reckoner) explainFee(c *Charge, d due) {
	v := &p.facts.Versions[d.version]
	step := func(rule string, args ...Arg) { c.Steps = append(c.Steps, Step{Rule: rule, Args: args}) }
	args := []Arg{
		{"contract", c.Contract},
		intArg("revision", c.Revision),
		{"clause", c.Clause},
		{"line", d.line.Name},
		{"when", when(d.line)},
		{"from", p.facts.Period.Start},
		{"until", p.facts.Period.End},
	}
	if p.onPreviousInvoice(d) {
		args = append(args, Arg{"on", advancePrevious})
	}
	step(ruleRecurring, args...)
	if n := d.line.counting(); n != nil {
		step(ruleCounted, d.counted.args(n)...)
		if len(n.Tiers) > 0 {
			step(ruleTiers, Arg{"model", n.Model}, Arg{"price", d.num.DivRound(d.den, exactPlaces).String()})
		}
	}
	if d.renewals > 0 && v.Terms.contract.Term.UpliftPercent != nil {
		step(ruleUplift, intArg("renewals", d.renewals), Arg{"percent", v.Terms.contract.Term.UpliftPercent.String()})
	}
	if off := d.line.Discount; off != nil && off.applies(d.from.String()) {
		c.Steps = append(c.Steps, off.step())
	}
	if d.line.Cap != nil && d.line.capsFee() {
		step(ruleFeeCap, Arg{"cap", d.line.Cap.String()})
	}
	switch {
	case d.whole:
	case d.days < int(p.to-p.from):
		step(ruleShare, Arg{"price", d.num.DivRound(d.den, exactPlaces).String()}, intArg("days", d.days), intArg("of", int(p.to-p.from)))
	}
	if d.rest {
		step(ruleRest, Arg{"total", d.total.String()}, Arg{"others", d.others.String()})
		return
	}
	step(ruleRound, Arg{"exact", c.Exact.String()}, Arg{"amount", c.Amount.String()}, Arg{"places", strconv.Itoa(int(v.Terms.places))})
}

func when(l *Line) string {
	if l.inAdvance() {
		return "advance"
	}
	return whenArrears
}

func (t *tally) args(c *CountTerms) []Arg {
	args := []Arg{{"of", t.kind}, {"number", t.number().String()}}
	switch {
	case t.fixed:
		args = append(args, Arg{"take", "fixed"})
	case t.take == takePeak || t.take == takeAverage:
		args = append(args, Arg{"take", t.take})
	default:
		args = append(args, Arg{"take", "snapshot"}, Arg{"on", t.on.String()})
	}
	if t.keeps != "" {
		args = append(args, Arg{"fewer", t.keeps}, Arg{"counted", t.kept.DivRound(t.of, exactPlaces).String()})
	}
	if c.Included > 0 {
		args = append(args, intArg("included", c.Included))
	}
	if c.Floor > 0 {
		args = append(args, intArg("floor", c.Floor))
	}
	return append(args, Arg{"billable", t.billable.DivRound(t.of, exactPlaces).String()})
}

func (p *reckoner) explainCorrection(c *Charge, dues []due, posted decimal.Decimal) {
	c.Steps = append(c.Steps, Step{Rule: ruleCorrection, Args: []Arg{
		{"should", posted.Add(c.Amount).String()}, {"posted", posted.String()}, {"from", p.facts.Period.Start}, {"until", p.facts.Period.End},
	}})
	for _, d := range dues {
		if p.facts.Versions[d.version].Terms.contract.Currency != c.Currency {
			continue
		}
		args := []Arg{{"amount", d.amount.String()}, intArg("days", d.days), intArg("of", int(p.to-p.from))}
		if d.line.counting() != nil {
			args = append(args, Arg{"number", d.counted.billableNumber().String()}, Arg{"kind", d.counted.kind})
		}
		c.Steps = append(c.Steps, Step{Rule: ruleDue, Args: args})
	}
}

func (p *reckoner) explainNoUse(c *Charge, l *Line, used, posted decimal.Decimal) {
	c.Steps = append(c.Steps, Step{Rule: ruleNoUse, Args: []Arg{
		{"event", l.Usage.Event}, {"used", used.String()}, {"flat", l.Usage.Tiers[0].Flat.String()}, {"posted", posted.String()},
	}})
	p.explainBecause(c)
}

func (p *reckoner) explainTrueUp(c *Charge, l least, billed, lacking, posted decimal.Decimal) {
	t := p.facts.Versions[l.version].Terms
	of := decimal.NewFromInt(int64(p.to - p.from))
	days := l.days
	if l.whole {
		days = int(p.to - p.from)
	}
	c.Steps = append(c.Steps, Step{Rule: ruleMinimum, Args: []Arg{
		{"contract", c.Contract},
		{"clause", c.Clause},
		{"name", t.contract.Commitment.Name},
		{"minimum", t.contract.Commitment.Amount.String()},
		intArg("days", days), intArg("of", int(p.to-p.from)),
		{"due", t.rounding.round(l.num, of, t.places).String()},
		{"billed", billed.String()},
		{"lacking", lacking.String()},
		{"posted", posted.String()},
	}})
	p.explainBecause(c)
}

func (p *reckoner) explainBecause(c *Charge) {
	if p.facts.Because != "" {
		c.Steps = append(c.Steps, Step{Rule: ruleAdjusted, Args: []Arg{{"because", p.facts.Because}}})
	}
}

// tellPeriod tells a step of a period's charge; empty where it is none.
func (s Step) tellPeriod(c Charge) string {
	switch s.Rule {
	case ruleRecurring:
		return s.recurring()
	case ruleCounted:
		return s.counted()
	case ruleUplift:
		return "The term has renewed " + times(int(s.ms("renewals"))) + ", and each renewal adds " + s.get("percent") + "% to the price."
	case ruleTiers:
		model := "each of them is priced by the tier in which it falls"
		if s.get("model") == modelVolume {
			model = "the tier that they reach prices all of them"
		}
		return "They cost " + moneyExactly(s.amount("price").Round(4), c.Currency) + " a period: " + model + "."
	case ruleFeeCap:
		return "The line costs at most " + money(s.amount("cap"), c.Currency) + " a period."
	case ruleShare:
		return "It was in force for " + s.get("days") + " of the period's " + s.get("of") + " days; all of it costs " + moneyExactly(s.amount("price").Round(4), c.Currency) + "."
	case ruleRest:
		return "The days at this price come to " + money(s.amount("total"), c.Currency) + " in all, of which " + money(s.amount("others"), c.Currency) +
			" are on other lines: this is the rest."
	case ruleCorrection:
		return "In advance " + money(s.amount("posted"), c.Currency) + " were billed for " + tellRange(s.get("from"), s.get("until")) +
			"; by what was known at its end it comes to " + money(s.amount("should"), c.Currency) + "."
	case ruleDue:
		return s.due(c)
	case ruleNoUse:
		return s.noUse(c)
	case ruleMinimum:
		return s.minimum(c)
	case ruleAdjusted:
		return s.get("because") + " posted into the period after it was closed, so its sums were made again."
	case ruleTermination:
		return "The contract was cancelled on " + s.get("cancelled") + " and ended before " + s.get("ended") + ", in a term until " + s.get("term_ends") +
			": leaving early costs " + money(s.amount("fee"), c.Currency) + "."
	}
	return ""
}

func (s Step) recurring() string {
	said := clauseName(s.get("contract"), s.get("clause")) + " (revision " + s.get("revision") + "), " + strconv.Quote(s.get("line")) + ", bills every period in "
	said += s.get("when")
	if s.get("on") == advancePrevious {
		said += ", on the invoice of the period before"
	}
	return said + ": this is " + tellRange(s.get("from"), s.get("until")) + "."
}

func (s Step) counted() string {
	number, kind := s.get("number"), s.get("of")
	said := ""
	switch s.get("take") {
	case "fixed":
		said = "The contract fixes the number of " + kind + " at " + number
	case takePeak:
		said = "The highest count of " + kind + " on any day of it was " + number
	case takeAverage:
		said = "Over its days the count of " + kind + " was " + s.amount("number").Round(4).String() + " on average"
	default:
		said = "The count of " + kind + " on " + s.get("on") + " was " + number
	}
	switch s.get("fewer") {
	case fewerNo:
		said = "The count of " + kind + " fell to " + s.get("counted") + "; " + number + " were billed in advance, and fewer give nothing back"
	case fewerAtRenewal:
		said = "The count of " + kind + " is " + s.get("counted") + "; " + number + " stay billed until the term renews"
	}
	if included := s.get("included"); included != "" {
		said += ", " + included + " of them are included"
	}
	if floor := s.get("floor"); floor != "" {
		said += ", at least " + floor + " bill"
	}
	if billable := s.get("billable"); billable != number {
		said += ": " + s.amount("billable").Round(4).String() + " cost something"
	}
	return said + "."
}

func (s Step) due(c Charge) string {
	said := s.get("days") + " of " + s.get("of") + " days"
	if kind := s.get("kind"); kind != "" {
		said += " with " + s.get("number") + " × " + kind
	}
	return said + " come to " + money(s.amount("amount"), c.Currency) + "."
}

func (s Step) noUse(c Charge) string {
	if s.amount("used").IsZero() {
		return "Nothing was counted as " + s.get("event") + " in the period, and a period without use costs " + money(s.amount("flat"), c.Currency) + "."
	}
	return s.get("used") + " of " + s.get("event") + " were counted after all, so the " + money(s.amount("posted"), c.Currency) + " for a period without use go back."
}

func (s Step) minimum(c Charge) string {
	said := clauseName(s.get("contract"), s.get("clause")) + ", " + strconv.Quote(s.get("name")) + ", asks for at least " + money(s.amount("minimum"), c.Currency) + " a period"
	if s.get("days") != s.get("of") {
		said += "; for " + s.get("days") + " of " + s.get("of") + " days that is " + money(s.amount("due"), c.Currency)
	}
	said += ". " + money(s.amount("billed"), c.Currency) + " were billed before credits and tax, so "
	if s.amount("lacking").IsZero() {
		said += "nothing lacks"
	} else {
		said += money(s.amount("lacking"), c.Currency) + " lack"
	}
	if posted := s.amount("posted"); !posted.IsZero() {
		said += "; " + money(posted, c.Currency) + " were posted for it before"
	}
	return said + "."
}

// periodKeys begin the keys of a period's charges beside true-ups.
var periodKeys = []string{keyFee, keyCorrection, keyNoUse, KeyTermination}

// periodOutcome tells what a period's charge came to; empty for any other.
func (c Charge) periodOutcome() string {
	of, _, _ := strings.Cut(c.Key, "/")
	switch {
	case c.Kind != TrueUp && !slices.Contains(periodKeys, of), strings.Contains(c.Key, "/renew/"):
		return ""
	case c.Amount.IsNegative():
		return "So " + money(c.Amount.Neg(), c.Currency) + " go back."
	case c.Kind == Recurring && c.Unit == UnitPiece && !c.Amount.IsZero():
		return "So " + c.Quantity.String() + " at " + c.Rate.String() + " are " + money(c.Amount, c.Currency) + "."
	}
	return "So it is " + money(c.Amount, c.Currency) + "."
}

func tellRange(from, until string) string {
	a, okA := dayOf(from)
	b, okB := dayOf(until)
	if !okA || !okB || a >= b {
		return from + " to " + until
	}
	return tellDates(a, b)
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return strconv.Itoa(n) + " times"
}

func saysNoCount(p *reckoner, l *Line) string {
	return clauseName(p.facts.Contract, l.Clause) + " (" + l.Name + ") bills by the number of " + l.kind() + ", and nobody has counted any: " +
		"`docket client count --client " + p.facts.Client + " --kind " + l.kind() + " --on " + p.facts.Period.Start + " NUMBER` does."
}

func saysTermEnded(t *Terms) string {
	began, months, _ := t.firstTerm()
	return "The term of " + t.contract.ID + " ended before " + began.addMonths(months).String() + " and does not renew by itself."
}
