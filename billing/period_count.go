package billing

import (
	"cmp"

	"github.com/shopspring/decimal"
)

// seatKind is the kind of device count that seats are counted as.
const seatKind = "seat"

// tally is a number of devices or seats: counted/of of them, of which billable/of cost something. of is 1, but the
// days of the count where it is an average.
type tally struct {
	kind         string
	term         string // its first day, with fewer: at-renewal
	take         string
	on           epochDay // of a snapshot
	counted      decimal.Decimal
	billable, of decimal.Decimal
	fixed        bool
	kept         decimal.Decimal // what was counted, where more bills because it did before
	keeps        string          // by which CountTerms.Fewer
}

func (t *tally) number() decimal.Decimal { return t.counted.DivRound(t.of, exactPlaces) }

func (t *tally) billableNumber() decimal.Decimal { return t.billable.DivRound(t.of, 4) }

func byKindAndDate(a, b DeviceCount) int {
	return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Date, b.Date))
}

// counting says how the line counts; nil where it bills no number of anything.
func (l *Line) counting() *CountTerms {
	switch {
	case l.Charge != chargePerDevice && l.Charge != chargePerSeat:
		return nil
	case l.Count == nil:
		return &CountTerms{}
	}
	return l.Count
}

// kind names what the line counts.
func (l *Line) kind() string {
	if c := l.counting(); c != nil && c.Of != "" {
		return c.Of
	}
	return seatKind
}

// count says how many devices or seats each part bills: all parts of a clause that count the same count it over all of
// their days, so that a new price in mid-period does not count anew.
func (p *reckoner) count(parts []part) {
	for i := range parts {
		one := &parts[i]
		c := one.line.counting()
		if c == nil {
			continue
		}
		var days []part
		for _, other := range parts {
			if o := other.line.counting(); o != nil && other.line.kind() == one.line.kind() && o.Take == c.Take {
				days = append(days, other)
			}
		}
		one.counted = p.tally(one.line, days)
		if c.Fewer == fewerAtRenewal {
			one.counted.term = p.facts.Versions[one.version].Terms.TermBegan(one.from.String())
		}
		p.keep(one)
		one.counted.bill(c)
	}
}

// tally counts over the days of the parts.
func (p *reckoner) tally(l *Line, days []part) tally {
	c := l.counting()
	t := tally{kind: l.kind(), take: c.Take, on: days[0].from, of: decimal.NewFromInt(1)}
	if c.Fixed > 0 {
		t.counted, t.fixed = decimal.NewFromInt(int64(c.Fixed)), true
		return t
	}
	first, ok := p.countOn(t.kind, t.on)
	if !ok {
		p.note(NoCount, l.Clause, saysNoCount(p, l))
		return t
	}
	switch t.take {
	case takePeak:
		peak := first
		for _, d := range days {
			for on := d.from; on < d.to; on++ {
				n, _ := p.countOn(t.kind, on)
				peak = max(peak, n)
			}
		}
		t.counted = decimal.NewFromInt(int64(peak))
	case takeAverage:
		sum, of := int64(0), int64(0)
		for _, d := range days {
			for on := d.from; on < d.to; on++ {
				n, _ := p.countOn(t.kind, on)
				sum += int64(n)
				of++
			}
		}
		t.counted, t.of = decimal.NewFromInt(sum), decimal.NewFromInt(of)
	default:
		t.counted = decimal.NewFromInt(int64(first))
	}
	return t
}

// countOn gives the last count up to the day; where none is as old, the first that there is.
func (p *reckoner) countOn(kind string, on epochDay) (int, bool) {
	count, ok, date := 0, false, on.String()
	for _, c := range p.facts.Devices {
		if c.Kind != kind || (ok && c.Date > date) {
			continue
		}
		count, ok = c.Count, true
	}
	return count, ok
}

// keep raises the number to what was billed before, where the contract does not give it back.
func (p *reckoner) keep(one *part) {
	fewer, c := one.line.counting().Fewer, &one.counted
	if c.fixed {
		return
	}
	var before decimal.Decimal
	if fewer != fewerCredit && one.line.inAdvance() {
		before = highest(p.facts.Counted, one)
	}
	if fewer == fewerAtRenewal {
		before = decimal.Max(before, highest(p.facts.Highest, one))
	}
	if before = before.Mul(c.of); before.GreaterThan(c.counted) {
		c.kept, c.keeps = c.counted, cmp.Or(fewer, fewerNo)
		c.counted = before
	}
}

// highest is the highest number that was billed for what the part counts.
func highest(counted []Counted, one *part) decimal.Decimal {
	most := decimal.Zero
	for _, c := range counted {
		if c.Clause == one.line.Clause && c.Kind == one.counted.kind && c.Term == one.counted.term {
			most = decimal.Max(most, c.Number)
		}
	}
	return most
}

// bill says how many of those counted cost something: those beyond what is included, and no fewer than the floor.
func (t *tally) bill(c *CountTerms) {
	t.billable = decimal.Max(t.counted.Sub(decimal.NewFromInt(int64(c.Included)).Mul(t.of)), decimal.Zero)
	t.billable = decimal.Max(t.billable, decimal.NewFromInt(int64(c.Floor)).Mul(t.of))
}

// cutCredits cuts, when the period closes, the parts whose contract gives back what was billed in advance for devices
// that went: each run of days bills the smaller of the number at its start and that of the day.
func (p *reckoner) cutCredits(parts []part) []part {
	if p.facts.Run != Closing {
		return parts
	}
	var cut []part
	for _, whole := range parts {
		c := whole.line.counting()
		if c == nil || c.Fewer != fewerCredit || whole.whole {
			cut = append(cut, whole)
			continue
		}
		most := whole.counted.counted
		for on := whole.from; on < whole.to; on++ {
			n, _ := p.countOn(whole.counted.kind, on)
			number := decimal.Min(most, decimal.NewFromInt(int64(n)))
			if last := len(cut) - 1; on > whole.from && cut[last].counted.counted.Equal(number) {
				cut[last].to = on + 1
				continue
			}
			day := whole
			day.from, day.to = on, on+1
			day.counted.counted = number
			day.counted.bill(c)
			cut = append(cut, day)
		}
	}
	return cut
}
