package billing

import (
	"slices"

	"github.com/shopspring/decimal"
)

// KeyTermination is the key of a termination fee within its posting. It is no use of the contract, so no minimum
// counts it.
const KeyTermination = "termination"

// recurs says whether anything of the contract happens by the period at all: fees, a minimum, an allowance that the
// period grants, a fee for no use, or an end that must be closed out.
func (t *Terms) recurs() bool {
	c := &t.contract
	return c.Commitment != nil || (c.Term != nil && c.Term.CancelledOn != "") || slices.ContainsFunc(c.Lines, func(l Line) bool {
		return l.recurring() || l.Charge == chargeBucket || l.noUse()
	})
}

// Runs says by which runs the period of the terms bills: whether it has an opening, which bills in advance, and a
// closing.
func (t *Terms) Runs() (opens, closes bool) {
	opens = slices.ContainsFunc(t.contract.Lines, func(l Line) bool { return l.recurring() && l.inAdvance() })
	return opens, t.recurs()
}

// Adjusts says whether what posts into a closed period changes what its closing has billed: then it must be adjusted
// in the same transaction.
func (t *Terms) Adjusts() bool {
	return t.Commits() || slices.ContainsFunc(t.contract.Lines, func(l Line) bool { return l.noUse() })
}

// Commits says whether the client has committed to a minimum, which a closing compares with what was billed.
func (t *Terms) Commits() bool { return t.contract.Commitment != nil }

// KeepsHighest says whether some line goes on to bill the highest number of its term.
func (t *Terms) KeepsHighest() bool {
	return slices.ContainsFunc(t.contract.Lines, func(l Line) bool {
		c := l.counting()
		return c != nil && c.Fewer == fewerAtRenewal
	})
}

// Counts says whether some line bills a number of devices or seats.
func (t *Terms) Counts() bool {
	return slices.ContainsFunc(t.contract.Lines, func(l Line) bool { return l.counting() != nil })
}

// noUse says whether the line bills a period without any use.
func (l *Line) noUse() bool {
	return l.Charge == chargeUsage && l.Usage != nil && l.Usage.ZeroFlat && len(l.Usage.Tiers) > 0
}

// CommitmentCounter names the counter that every transaction locks which posts into a period whose closing may depend
// on its sums. It counts nothing.
func CommitmentCounter(contract string, p Period) string {
	return CountsCommitment + contract + "/" + p.Start + "/" + p.End
}

// CountsCommitment begins the key of every such counter.
const CountsCommitment = "commitment/"

// WantPeriod names the counters that DecidePeriod reads for these facts, sorted.
func WantPeriod(f PeriodFacts) []string {
	keys := append(OrderCounters(f.Contract, f.Versions), CommitmentCounter(f.Contract, f.Period))
	if f.Run != Opening {
		for i := range f.Versions {
			t := f.Versions[i].Terms
			for j := range t.contract.Lines {
				if l := &t.contract.Lines[j]; l.noUse() {
					keys = append(keys, usageCounter(countsUsage, f.Contract, l.Clause, t.periodKey(f.Period.Start)))
				}
			}
		}
	}
	return sorted(keys)
}

// noteIdle tells of the days on which no fees bill. A period that lies wholly behind the term waits for a revision.
func (p *reckoner) noteIdle() {
	ended := !slices.ContainsFunc(p.spans, func(s termSpan) bool { return s.idle != TermEnded })
	for _, s := range p.spans {
		t := p.facts.Versions[s.version].Terms
		switch {
		case s.idle == FeesWaived:
			p.notes = append(p.notes, PeriodNote{Reason: FeesWaived, Says: t.contract.ID + " was paused: no fees bill for " + tellDates(s.from, s.to) + "."})
		case s.idle == TermEnded && ended:
			p.note(NotRenewed, "", saysTermEnded(t)+" Nothing recurring posts for "+tellDates(p.from, p.to)+" until a new revision renews it.")
		case s.idle == TermEnded:
			p.note(TermEnded, "", saysTermEnded(t)+" No fees bill from "+tellDates(s.from, s.from+1)+" on.")
		}
	}
}

// chargeNoUse bills the first tier's flat fee of usage lines that nothing used, and takes it back where something used
// them after all.
func (p *reckoner) chargeNoUse() {
	var lines []*Line
	version := map[string]int{} // of each clause, the last version that has it
	for _, s := range p.spans {
		if s.idle != "" {
			continue
		}
		all := p.facts.Versions[s.version].Terms.contract.Lines
		for i := range all {
			l := &all[i]
			if !l.noUse() {
				continue
			}
			if j := slices.IndexFunc(lines, func(have *Line) bool { return have.Clause == l.Clause }); j >= 0 {
				lines[j] = l
			} else {
				lines = append(lines, l)
			}
			version[l.Clause] = s.version
		}
	}
	for _, l := range lines {
		v := version[l.Clause]
		t := p.facts.Versions[v].Terms
		used := valueOf(p.facts.Counters, usageCounter(countsUsage, p.facts.Contract, l.Clause, t.periodKey(p.facts.Period.Start)))
		on := p.lastDay(v)
		should := decimal.Zero
		if used.IsZero() {
			should = (&line{Line: l}).lowered(l.Usage.Tiers[0].Flat, on.String())
		}
		posted, _ := p.posted(Usage, l.Clause, t.contract.Currency)
		amount := t.rounding.round(should, decimal.NewFromInt(1), t.places).Sub(posted.Amount)
		if amount.IsZero() {
			continue
		}
		c := p.charge(v, Usage, keyNoUse+"/"+l.Clause, on)
		c.Clause = l.Clause
		c.Text = l.Name + " · " + tellDates(p.from, p.to) + textSep + "no use"
		if amount.IsNegative() {
			c.Text += ", taken back"
		}
		t.document(&c, &line{Line: l})
		c.Amount, c.Exact, c.Rate = amount, should.Sub(posted.Amount), should.Sub(posted.Amount)
		p.explainNoUse(&c, l, used, posted.Amount)
		p.post(c)
	}
}

// lastDay is the last day of the period on which the version is in force.
func (p *reckoner) lastDay(version int) epochDay {
	last := p.from
	for _, s := range p.spans {
		if s.version == version {
			last = s.to - 1
		}
	}
	return last
}

// least is a minimum that the period owes in one currency: the sum of its versions' minimums by the days that each was
// in force, over the days of the period.
type least struct {
	version int // the last one that asks for it
	num     decimal.Decimal
	days    int
	whole   bool
}

// leasts gives the minimum of each currency, in order of appearance. Days on which no fees bill ask for none.
func (p *reckoner) leasts() []least {
	of := decimal.NewFromInt(int64(p.to - p.from))
	var found []least
	for _, s := range p.spans {
		t := p.facts.Versions[s.version].Terms
		c := t.contract.Commitment
		if c == nil || s.idle != "" {
			continue
		}
		i := slices.IndexFunc(found, func(l least) bool {
			return p.facts.Versions[l.version].Terms.contract.Currency == t.contract.Currency
		})
		if i < 0 {
			i = len(found)
			found = append(found, least{version: s.version})
			found[i].whole = c.Prorate == prorateNo
			if found[i].whole {
				found[i].num = c.Amount.Mul(of)
			}
		}
		l := &found[i]
		l.version = s.version
		l.days += int(s.to - s.from)
		if !l.whole {
			l.num = l.num.Add(c.Amount.Mul(decimal.NewFromInt(int64(s.to - s.from))))
		}
	}
	return found
}

// trueUp posts what the period lacks to its minimum: max(0, minimum × share − billed), less what earlier runs posted of
// it. Billed is net, before credits and tax, with what this run bills.
func (p *reckoner) trueUp() {
	of := decimal.NewFromInt(int64(p.to - p.from))
	for _, l := range p.leasts() {
		t := p.facts.Versions[l.version].Terms
		c, currency := t.contract.Commitment, t.contract.Currency
		billed := decimal.Zero
		for _, b := range p.facts.Billed {
			if b.Currency == currency {
				billed = billed.Add(b.Amount)
			}
		}
		for _, own := range p.charges {
			if own.Currency == currency {
				billed = billed.Add(own.Amount)
			}
		}
		posted := decimal.Zero
		for _, s := range p.facts.Posted {
			if s.Kind == TrueUp && s.Currency == currency {
				posted = posted.Add(s.Amount)
			}
		}
		lacking := decimal.Max(t.rounding.round(l.num, of, t.places).Sub(billed), decimal.Zero)
		if lacking.Equal(posted) {
			continue
		}
		charge := p.charge(l.version, TrueUp, "true-up/"+currency, p.lastDay(l.version))
		charge.Clause = c.Clause
		charge.Text = c.Name + " · " + tellDates(p.from, p.to) + textSep + "up to the minimum of " + money(t.rounding.round(l.num, of, t.places), currency)
		if !posted.IsZero() {
			charge.Text = c.Name + " · " + tellDates(p.from, p.to) + textSep + "correction of the true-up"
		}
		t.document(&charge, nil)
		charge.Amount = lacking.Sub(posted)
		charge.Exact, charge.Rate = charge.Amount, charge.Amount
		p.explainTrueUp(&charge, l, billed, lacking, posted)
		p.post(charge)
	}
}

// closeOut ends a cancelled contract's last period: its charges wait for a person, with the fee for leaving before the
// end of the term.
func (p *reckoner) closeOut() {
	i := len(p.facts.Versions) - 1
	v := &p.facts.Versions[i]
	c := &v.Terms.contract
	end, ok := dayOf(c.EffectiveTo)
	if c.Term == nil || c.Term.CancelledOn == "" || !ok || v.Until != c.EffectiveTo || end > p.to {
		return
	}
	p.note(Cancelled, "", c.ID+" was cancelled on "+c.Term.CancelledOn+" and ended on "+(end-1).String()+": its last period posts when a person approves it.")
	_, until, idle := v.Terms.term(end - 1)
	if c.Term.TerminationFee == nil || idle != "" || until == never || end >= until {
		return
	}
	t := v.Terms
	charge := p.charge(i, Recurring, KeyTermination, end-1)
	charge.Text = c.Name + textSep + "fee for ending before " + until.String()
	t.document(&charge, nil)
	charge.Rate, charge.Exact = *c.Term.TerminationFee, *c.Term.TerminationFee
	charge.Amount = t.rounding.round(charge.Exact, decimal.NewFromInt(1), t.places)
	charge.Steps = []Step{{Rule: ruleTermination, Args: []Arg{
		{"cancelled", c.Term.CancelledOn}, {"ended", end.String()}, {"term_ends", until.String()}, {"fee", charge.Exact.String()},
	}}}
	p.post(charge)
}
