package billing

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/shopspring/decimal"
)

// Part is how much of a hold a split bills: billable time, or an amount in the hold's currency. The rest is
// covered or written off.
type Part struct {
	MS     int64
	Amount *decimal.Decimal
	Rest   Action // Cover or WriteOff
}

func (p Part) args() []Arg {
	var args []Arg
	if p.MS > 0 {
		args = append(args, msArg("bill_ms", p.MS))
	}
	if p.Amount != nil {
		args = append(args, Arg{"bill_amount", p.Amount.String()})
	}
	if p.Rest != "" {
		args = append(args, Arg{"rest", string(p.Rest)})
	}
	return args
}

func partOf(s Step) Part {
	p := Part{MS: s.ms("bill_ms"), Rest: Action(s.get("rest"))}
	if amount, err := decimal.NewFromString(s.get("bill_amount")); err == nil {
		p.Amount = &amount
	}
	return p
}

// ErrUndivided says that a hold cannot be split as asked; the text says why, and what is possible.
var ErrUndivided = errors.New("cannot be split so")

func undivided(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrUndivided}, args...)...)
}

// split bills the first charges of the hold, up to the part, and waives the rest. The charge in which the
// part ends becomes two: no millisecond, no hour and no cent of the quote is lost, and each is in one of them.
// What is not time bills whole in a split by time.
func (h Hold) split(r Ruling) ([]Charge, error) {
	if err := h.divides(r.Part); err != nil {
		return nil, err
	}
	var charges []Charge
	left := r.Part
	for _, c := range h.Charges {
		billed, rest, err := left.take(c)
		if err != nil {
			return nil, err
		}
		if billed != nil {
			billed.Steps = append(slices.Clone(billed.Steps), r.step())
			charges = append(charges, billed.counted())
		}
		if rest != nil {
			rest.Steps = append(slices.Clone(rest.Steps), r.step())
			kind, how := Covered, "covered"
			if r.Part.Rest == WriteOff {
				kind, how = WrittenOff, "written off"
			}
			*rest = rest.waived(kind, how)
			rest.Hidden = rest.Hidden || kind == WrittenOff
			charges = append(charges, *rest)
		}
	}
	return charges, nil
}

// divides refuses what is no part of the hold.
func (h Hold) divides(p Part) error {
	var ms int64
	for _, c := range h.Charges {
		switch {
		case c.Unrated:
			return undivided("no price could be found for it; bill it at a rate, cover it or write it off")
		case c.lowers() || c.Kind == Credit:
			return undivided("its lines are lowered together (%s), and cannot be parted; bill all of it and write the line down, or cover it", c.Text)
		case c.isTime():
			ms += c.timeOf()
		}
	}
	places, _ := MinorUnits(h.Currency)
	switch {
	case p.Rest != Cover && p.Rest != WriteOff:
		return undivided("the rest is covered or written off, not %q", p.Rest)
	case (p.Amount == nil) == (p.MS == 0):
		return undivided("say how much bills: a time, or an amount")
	case p.Amount == nil && p.MS < 0, p.Amount != nil && !p.Amount.IsPositive():
		return undivided("nothing of it would bill; cover it or write it off")
	case p.Amount == nil && p.MS >= ms:
		return undivided("it has %s that can bill by time; bill less than that, or all of it", span(ms))
	case p.Amount != nil && !p.Amount.LessThan(h.Amount):
		return undivided("it comes to %s; bill less than that, or all of it", money(h.Amount, h.Currency))
	case p.Amount != nil && !p.Amount.Equal(p.Amount.Round(places)):
		return undivided("%s has more than the %d decimals of %s", p.Amount, places, h.Currency)
	}
	return nil
}

func (c Charge) isTime() bool { return c.Unit == UnitHour || c.Unit == UnitSecond }

// take gives what of the charge bills and what does not, and takes it off the part that is left.
func (p *Part) take(c Charge) (billed, rest *Charge, err error) {
	switch {
	case p.Amount == nil && !c.isTime():
		return &c, nil, nil
	case p.Amount == nil && p.MS >= c.timeOf():
		p.MS -= c.timeOf()
		return &c, nil, nil
	case p.Amount == nil && p.MS == 0:
		return nil, &c, nil
	case p.Amount == nil:
		ms, exact := p.MS, c.Exact.Mul(decimal.NewFromInt(p.MS)).DivRound(decimal.NewFromInt(c.timeOf()), exactPlaces)
		p.MS = 0
		places, _ := MinorUnits(c.Currency)
		return c.parted(ms, exact, HalfUp.round(exact, one, places))
	case !p.Amount.LessThan(c.Amount) && (p.Amount.IsPositive() || c.Amount.IsNegative()):
		left := p.Amount.Sub(c.Amount)
		p.Amount = &left
		return &c, nil, nil
	case p.Amount.IsZero():
		return nil, &c, nil
	}
	amount := *p.Amount
	p.Amount = &decimal.Decimal{}
	if !c.isTime() {
		return nil, nil, undivided("%s would end within %q, which is no time; bill up to it or beyond it", money(amount, c.Currency), c.Text)
	}
	ms := decimal.NewFromInt(c.timeOf()).Mul(amount).DivRound(c.Amount, 0).IntPart()
	return c.parted(min(max(ms, 1), c.timeOf()-1), amount, amount)
}

// parted makes two charges of one: the first ms of its billable time for the amount, and what is left of it.
// Work, draws and counts are parted alike.
func (c Charge) parted(ms int64, exact, amount decimal.Decimal) (*Charge, *Charge, error) {
	whole := c.timeOf()
	if ms <= 0 || ms >= whole {
		return nil, nil, undivided("%q is too short to be parted", c.Text)
	}
	billed, rest := c, c
	rest.Key = c.Key + "/rest"
	billed.Quantity = hours(ms)
	if c.Unit == UnitSecond {
		billed.Quantity = seconds(ms)
	}
	rest.Quantity = c.Quantity.Sub(billed.Quantity)
	billed.Exact, billed.Amount = exact, amount
	rest.Exact, rest.Amount = c.Exact.Sub(exact), c.Amount.Sub(amount)
	what, _, _ := strings.Cut(c.Text, textSep)
	billed.Text = what + textSep + span(ms) + " of " + span(whole)
	rest.Text = what + textSep + span(whole-ms)

	var elapsed int64
	for _, s := range c.Spans {
		elapsed += s.To - s.From
	}
	billed.Spans, rest.Spans = cutSpans(c.Spans, decimal.NewFromInt(elapsed).Mul(decimal.NewFromInt(ms)).DivRound(decimal.NewFromInt(whole), 0).IntPart())
	var err error
	if billed.Draws, err = c.firstDraws(ms, whole); err != nil {
		return nil, nil, err
	}
	if billed.Counts, err = billed.countsOf(c); err != nil {
		return nil, nil, err
	}
	return &billed, &rest, nil
}

// cutSpans parts spans after the first ms of them.
func cutSpans(spans []Span, ms int64) (first, rest []Span) {
	for _, s := range spans {
		at := min(s.To, s.From+max(ms, 0))
		ms -= at - s.From
		if at > s.From || s.From == s.To {
			first = append(first, Span{Work: s.Work, From: s.From, To: at})
		}
		if at < s.To {
			rest = append(rest, Span{Work: s.Work, From: at, To: s.To})
		}
	}
	return first, rest
}

// firstDraws gives what of the charge's draws its first ms take.
func (c Charge) firstDraws(ms, whole int64) ([]Draw, error) {
	var all int64
	for _, d := range c.Draws {
		if d.Restores != 0 || d.Unrolls != 0 {
			return nil, undivided("%q draws from a block that has ended, and cannot be parted; bill all of it, or none", c.Text)
		}
		all += d.MS
	}
	var draws []Draw
	left := decimal.NewFromInt(all).Mul(decimal.NewFromInt(ms)).DivRound(decimal.NewFromInt(whole), 0).IntPart()
	for _, d := range c.Draws {
		if d.MS = min(d.MS, left); d.MS > 0 {
			draws, left = append(draws, d), left-d.MS
		}
	}
	return draws, nil
}

// countsOf gives the counts that the first part of c keeps. A charge whose price depends on what its period
// has counted cannot be parted: nobody could say what the part costs without counting anew.
func (c Charge) countsOf(whole Charge) ([]Count, error) {
	money, hours := whole.projectKeys()
	var counts []Count
	for _, n := range whole.Counts {
		switch kind, _, _ := strings.Cut(n.Key, "/"); {
		case n.Key == whole.OrderKey(), n.Key == money:
			n.Quantity = c.Amount
		case n.Key == hours:
			n.Quantity = decimal.NewFromInt(c.worked())
		case prices(n.Key), kind == countsOverdrawn:
			return nil, undivided("%q is priced by what its period has counted (%s); bill all of it and write the line down, or cover it", whole.Text, n.Key)
		}
		if !n.Quantity.IsZero() {
			counts = append(counts, n)
		}
	}
	return counts, nil
}

// CanSplit says whether some part of the hold could bill by itself.
func (h Hold) CanSplit() bool {
	timed := false
	for _, c := range h.Charges {
		if c.Unrated || c.lowers() || c.Kind == Credit {
			return false
		}
		timed = timed || (c.isTime() && c.timeOf() > 1 && c.divisible())
	}
	return timed
}

func (c Charge) divisible() bool {
	_, err := c.countsOf(c)
	return err == nil && !slices.ContainsFunc(c.Draws, func(d Draw) bool { return d.Restores != 0 || d.Unrolls != 0 })
}

// toProject gives the charge billed to a project. What it counted for another one goes back.
func (c Charge) toProject(project string) Charge {
	money, hours := c.projectKeys()
	if money != "" {
		c.Counts = slices.DeleteFunc(slices.Clone(c.Counts), func(n Count) bool { return n.Key == money || n.Key == hours })
	}
	c.Project = project
	return c
}

// GivesUp is what of the hold's amount the ruling gives away: all of it where it is covered or written off, the
// rest where it is split, nothing where it bills.
func (r Ruling) GivesUp(h Hold) decimal.Decimal {
	switch r.Action {
	case Cover, WriteOff:
		return decimal.Max(h.Amount, decimal.Zero)
	case Split:
		charges, err := Settle(h, r)
		if err != nil {
			return decimal.Max(h.Amount, decimal.Zero)
		}
		billed := decimal.Zero
		for _, c := range charges {
			billed = billed.Add(c.Amount)
		}
		return decimal.Max(h.Amount.Sub(billed), decimal.Zero)
	case Approve, Bill, ToProject, ReRate:
	}
	return decimal.Zero
}

func heldName(hold int64) string { return "H-" + strconv.FormatInt(hold, 10) }
