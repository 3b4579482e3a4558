package billing

import (
	"slices"
	"strconv"

	"github.com/shopspring/decimal"
)

// The first part of the keys of a period's charges.
const (
	keyFee        = "recurring"
	keyCorrection = "correction"
	keyNoUse      = "no-use"
)

// recurring says whether the line bills a fee for each period.
func (l *Line) recurring() bool {
	switch l.Charge {
	case chargeFlat, chargePerDevice, chargePerSeat:
		return true
	case chargeBucket, chargeRetainer:
		return l.Price != nil
	}
	return false
}

func (l *Line) inAdvance() bool { return l.When != whenArrears }

// part is a run of days of the period in which a recurring line costs the same.
type part struct {
	version  int // index in PeriodFacts.Versions
	line     *Line
	from, to epochDay
	renewals int
	whole    bool // bills all of the period's price, whatever its days are

	counted  tally
	num, den decimal.Decimal // price of a whole period, exactly
}

// due is what the parts of one version with one price come to: one line of an invoice.
type due struct {
	part
	days   int
	amount decimal.Decimal
	// Of the dues of one price the last comes by subtraction, so that they sum to their rounded total.
	total, others decimal.Decimal
	rest          bool
}

// chargeFees bills recurring lines: those in advance when the period opens, those in arrears when it closes, when
// those in advance are also corrected to what is known by then.
func (p *reckoner) chargeFees() {
	for _, clause := range p.clauses() {
		parts := p.parts(clause)
		if p.facts.Run == Opening && !slices.ContainsFunc(parts, func(one part) bool { return one.line.inAdvance() }) {
			continue // what it counts need not be known yet
		}
		dues := p.dues(parts)
		var inAdvance []due
		for _, d := range dues {
			if d.line.inAdvance() {
				inAdvance = append(inAdvance, d)
			} else if p.facts.Run == Closing {
				p.postFee(d)
			}
		}
		switch {
		case p.facts.Run == Opening || !p.billedBefore(clause):
			for _, d := range inAdvance {
				p.postFee(d)
			}
		default:
			p.correct(clause, inAdvance)
		}
	}
}

// clauses names the recurring clauses of the period, and those that an earlier run billed, in the order in which the
// versions have them.
func (p *reckoner) clauses() []string {
	var clauses []string
	add := func(clause string) {
		if !slices.Contains(clauses, clause) {
			clauses = append(clauses, clause)
		}
	}
	for i := range p.facts.Versions {
		lines := p.facts.Versions[i].Terms.contract.Lines
		for j := range lines {
			if lines[j].recurring() {
				add(lines[j].Clause)
			}
		}
	}
	for _, s := range p.facts.Posted {
		if s.Kind == Recurring {
			add(s.Clause)
		}
	}
	return clauses
}

func (p *reckoner) billedBefore(clause string) bool {
	return slices.ContainsFunc(p.facts.Posted, func(s PeriodSum) bool { return s.Kind == Recurring && s.Clause == clause })
}

// dues says what the parts of a clause come to, by version and price.
func (p *reckoner) dues(parts []part) []due {
	p.count(parts)
	var dues []due
	for _, part := range p.cutCredits(parts) {
		t := p.facts.Versions[part.version].Terms
		part.num, part.den = part.line.fee(t, part)
		i := slices.IndexFunc(dues, func(d due) bool {
			return d.version == part.version && d.line == part.line && d.same(part)
		})
		if i < 0 {
			dues = append(dues, due{part: part, days: int(part.to - part.from)})
			continue
		}
		dues[i].days += int(part.to - part.from)
		dues[i].to = part.to
	}
	p.amounts(dues)
	return dues
}

// same says whether two parts have one price.
func (a part) same(b part) bool {
	return a.num.Mul(b.den).Equal(b.num.Mul(a.den)) && a.whole == b.whole
}

// parts gives the runs of days on which the clause bills. A line that does not prorate bills once, by what is in force
// on its first day.
func (p *reckoner) parts(clause string) []part {
	var parts []part
	for _, s := range p.spans {
		if s.idle != "" {
			continue
		}
		lines := p.facts.Versions[s.version].Terms.contract.Lines
		i := slices.IndexFunc(lines, func(l Line) bool { return l.Clause == clause && l.recurring() })
		if i < 0 {
			continue
		}
		l := &lines[i]
		if len(parts) > 0 && parts[0].whole {
			parts[0].to = s.to
			continue
		}
		if l.Prorate == prorateNo && len(parts) == 0 {
			parts = append(parts, part{version: s.version, line: l, from: s.from, to: s.to, renewals: s.renewals, whole: true})
			continue
		}
		from := s.from
		if l.Discount != nil {
			if until, ok := dayOf(l.Discount.Until); ok && s.from < until && until < s.to {
				parts = append(parts, part{version: s.version, line: l, from: from, to: until, renewals: s.renewals})
				from = until
			}
		}
		parts = append(parts, part{version: s.version, line: l, from: from, to: s.to, renewals: s.renewals})
	}
	return parts
}

// fee is what a whole period costs, as a fraction that nothing has been cut off: the price of what is counted, with
// what renewals have added to it, less the discount, and not more than the cap.
func (l *Line) fee(t *Terms, p part) (num, den decimal.Decimal) {
	num, den = decimal.Zero, decimal.NewFromInt(1)
	c := l.counting()
	switch {
	case c == nil && l.Price != nil:
		num = *l.Price
	case c == nil:
	case len(c.Tiers) > 0 && c.Model == modelVolume:
		num, den = volume(c.Tiers, p.counted.billable, p.counted.of), p.counted.of
	case len(c.Tiers) > 0:
		num, den = graduated(c.Tiers, p.counted.billable, p.counted.of), p.counted.of
	case l.Price != nil:
		num, den = l.Price.Mul(p.counted.billable), p.counted.of
	}
	num = num.Mul(t.uplift(p.renewals))
	if off := l.Discount; off != nil && off.applies(p.from.String()) {
		if off.Percent != nil {
			num = num.Mul(hundred.Sub(*off.Percent)).Shift(-2)
		}
		if off.Amount != nil {
			num = decimal.Max(num.Sub(off.Amount.Mul(den)), decimal.Min(num, decimal.Zero))
		}
	}
	if l.Cap != nil && l.capsFee() {
		num = decimal.Min(num, l.Cap.Mul(den))
	}
	return num, den
}

// capsFee says whether the line's cap is one of its fee. That of a bucket or a retainer caps what goes beyond it.
func (l *Line) capsFee() bool { return l.Charge != chargeBucket && l.Charge != chargeRetainer }

// amounts rounds each due once. Of those with one price the last comes by subtraction: three times 10 of 30 days of
// 100 are 33.33, 33.33 and 33.34.
func (p *reckoner) amounts(dues []due) {
	of := decimal.NewFromInt(int64(p.to - p.from))
	for i := range dues {
		d := &dues[i]
		t := p.facts.Versions[d.version].Terms
		num, den := d.share(of)
		d.amount = t.rounding.round(num, den, t.places)

		days, others, last := d.days, decimal.Zero, false
		for j := range dues {
			e := &dues[j]
			if j == i || !e.same(d.part) || p.facts.Versions[e.version].Terms.contract.Currency != t.contract.Currency {
				continue
			}
			if last = j < i; !last { // a later one has the rest
				break
			}
			days, others = days+e.days, others.Add(e.amount)
		}
		if !last {
			continue
		}
		d.rest, d.others = true, others
		d.total = t.rounding.round(d.num.Mul(decimal.NewFromInt(int64(days))), d.den.Mul(of), t.places)
		d.amount = d.total.Sub(others)
	}
}

// share is what the due comes to of its whole period, exactly.
func (d *due) share(of decimal.Decimal) (num, den decimal.Decimal) {
	if d.whole {
		return d.num, d.den
	}
	return d.num.Mul(decimal.NewFromInt(int64(d.days))), d.den.Mul(of)
}

// postFee posts a due as it is.
func (p *reckoner) postFee(d due) {
	of := decimal.NewFromInt(int64(p.to - p.from))
	v := &p.facts.Versions[d.version]
	c := p.charge(d.version, Recurring, keyFee+"/"+strconv.Itoa(v.Revision)+"/"+d.line.Clause+"/"+d.from.String(), d.from)
	c.Clause, c.Text = d.line.Clause, d.text(p)
	v.Terms.document(&c, &line{Line: d.line})
	if p.onPreviousInvoice(d) {
		before := v.Terms.PeriodOf((p.from - 1).String())
		c.Bills = &before
	}
	num, den := d.share(of)
	c.Exact, c.Amount = num.DivRound(den, exactPlaces), d.amount
	c.Rate = d.num.DivRound(d.den, exactPlaces)
	days := decimal.NewFromInt(int64(d.days))
	if d.whole {
		days = of
	}
	c.Quantity = days.DivRound(of, 9)
	if d.byPiece() {
		c.Unit = UnitPiece
		c.Quantity = d.counted.billable.Mul(days).DivRound(d.counted.of.Mul(of), 9)
		c.Rate = d.line.Price.Mul(v.Terms.uplift(d.renewals))
		if off := d.line.Discount; off != nil && off.Percent != nil && off.applies(d.from.String()) {
			c.Rate = c.Rate.Mul(hundred.Sub(*off.Percent)).Shift(-2)
		}
	}
	p.explainFee(&c, d)
	p.post(c)
	p.remember(d)
}

// onPreviousInvoice says whether a fee in advance stands beside the work of the period before, on the invoice that closes
// when its own period begins. The first fee of a contract that begins within a period does not: no invoice closes then, so
// it stands on the period's own. What a closing corrects, or makes good, is on the period's own invoice, too.
func (p *reckoner) onPreviousInvoice(d due) bool {
	b := p.facts.Versions[d.version].Terms.contract.Billing
	return p.facts.Run == Opening && b != nil && b.AdvanceOn == advancePrevious && p.spans[0].from == p.from
}

// byPiece says whether the fee is a number of pieces at one price each.
func (d *due) byPiece() bool {
	l, c := d.line, d.line.counting()
	return c != nil && len(c.Tiers) == 0 && l.Cap == nil && (l.Discount == nil || l.Discount.Amount == nil)
}

// correct posts what the clause's fees, as they are known when the period closes, differ from what was billed in
// advance.
func (p *reckoner) correct(clause string, dues []due) {
	var currencies []string
	for _, d := range dues {
		p.remember(d)
		if c := p.facts.Versions[d.version].Terms.contract.Currency; !slices.Contains(currencies, c) {
			currencies = append(currencies, c)
		}
	}
	for _, s := range p.facts.Posted {
		if s.Kind == Recurring && s.Clause == clause && !slices.Contains(currencies, s.Currency) {
			currencies = append(currencies, s.Currency)
		}
	}
	for _, currency := range currencies {
		p.correctIn(currency, clause, dues)
	}
}

// correctIn rounds what has changed once: the lines that were billed in advance stay rounded as they are.
func (p *reckoner) correctIn(currency, clause string, dues []due) {
	of := decimal.NewFromInt(int64(p.to - p.from))
	posted, _ := p.posted(Recurring, clause, currency)
	should, version := decimal.Zero, len(p.facts.Versions)-1
	last := &Line{Clause: clause, Name: clause}
	for _, d := range dues {
		if p.facts.Versions[d.version].Terms.contract.Currency == currency {
			num, den := d.share(of)
			should, version, last = should.Add(num.DivRound(den, exactPlaces)), d.version, d.line
		}
	}
	t := p.facts.Versions[version].Terms
	places, known := MinorUnits(currency)
	if !known {
		places = t.places
	}
	change := should.Sub(posted.Exact).Round(cutPlaces)
	if change.IsZero() {
		return
	}
	c := p.charge(version, Recurring, keyCorrection+"/"+clause+"/"+currency, p.to-1)
	c.Clause, c.Currency = clause, currency
	c.Text = last.Name + " · " + tellDates(p.from, p.to) + textSep + "correction of what was billed in advance"
	t.document(&c, &line{Line: last})
	c.Exact, c.Rate = change, change
	c.Amount = t.rounding.round(change, decimal.NewFromInt(1), places)
	p.explainCorrection(&c, dues, posted.Amount)
	p.post(c)
}

// cutPlaces is where the ends of what was cut at exactPlaces no longer show.
const cutPlaces = 12

// remember notes the number that the clause is billed for.
func (p *reckoner) remember(d due) {
	if d.line.counting() == nil || d.counted.fixed {
		return
	}
	number := d.counted.number()
	for i := range p.counted {
		if have := &p.counted[i]; have.Clause == d.line.Clause && have.Kind == d.counted.kind && have.Term == d.counted.term {
			have.Number = decimal.Max(have.Number, number)
			return
		}
	}
	p.counted = append(p.counted, Counted{Clause: d.line.Clause, Kind: d.counted.kind, Term: d.counted.term, Number: number})
}

// text is what the invoice line says: "Managed workstations · March 2026 — 12 × workstation, 17 of 31 days".
func (d *due) text(p *reckoner) string {
	text := d.line.Name + " · "
	how := ""
	if d.line.counting() != nil {
		how = d.counted.billableNumber().String() + " × " + d.counted.kind
	}
	if d.whole || d.days == int(p.to-p.from) {
		text += tellDates(p.from, p.to)
	} else {
		text += tellDates(d.from, d.to)
		if how != "" {
			how += ", "
		}
		how += strconv.Itoa(d.days) + " of " + strconv.Itoa(int(p.to-p.from)) + " days"
	}
	if how == "" {
		return text
	}
	return text + textSep + how
}
