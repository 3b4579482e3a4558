package billing

import (
	"fmt"
	"slices"
	"strings"

	"github.com/shopspring/decimal"
)

// ruleReleased is the step of a charge that sets right what was charged after a quote that nobody is billed for.
const ruleReleased = "released"

// Release lets go of what a hold reserved and no settled charge has taken over: all of it, where the hold is covered,
// written off or voided. What the period has charged since was priced after it, so the release gives the charges
// that set that right: together with the quote they come to what posting it and reversing it at once would, and all
// that posted and waits still comes to F of the counter. Where nothing was charged since, they come to nothing, and
// there are none. They count what they cost where their quotes did, and stand when their ticket is reopened: what they
// correct is what others were charged.
//
// hold names it to people, "H-7"; rules are those that it was decided by; counters stand as before the release. terms
// gives those of a contract's revision.
func (u *Undoing) Release(hold string, rules int, h Hold, settled []Charge, terms func(contract string, revision int) (*Terms, error)) ([]Charge, error) {
	var corrections []Charge
	for _, c := range h.Charges {
		part, ok := c.unused(settled)
		switch {
		case !ok:
			continue
		case rules < rulesBooks:
			u.giveBack(part)
			continue
		}
		own, err := terms(c.Contract, c.Revision)
		if err != nil {
			return nil, err
		}
		correction, err := u.release(hold, part, own)
		if err != nil {
			return nil, fmt.Errorf("release %s: %w", h.Key, err)
		}
		if !correction.Amount.IsZero() || len(correction.Counts) > 0 {
			corrections = append(corrections, correction)
		}
	}
	return corrections, nil
}

// Releases says whether the hold, settled so, lets go of something that a counter has priced.
func (h Hold) Releases(settled []Charge) bool {
	return slices.ContainsFunc(h.Charges, func(c Charge) bool { _, ok := c.unused(settled); return ok })
}

// release sets right one part of a quote.
func (u *Undoing) release(hold string, part Charge, terms *Terms) (Charge, error) {
	stood := slices.Clone(u.counters)
	r, err := u.Reverse(0, part, terms)
	if err != nil {
		return Charge{}, err
	}
	k := part
	k.Key, k.Kind, k.Item = string(Correction)+"/"+part.Key, Correction, ""
	what, _, _ := strings.Cut(part.Text, textSep)
	k.Text = what + textSep + "not used, so what came after it costs otherwise"
	k.Exact, k.Amount = part.Exact.Add(r.Exact), part.Amount.Add(r.Amount)
	k.Quantity, k.Unit, k.Rate = one, UnitPiece, k.Amount
	k.Hidden = k.Amount.IsZero()
	k.Spans, k.Draws = nil, nil
	k.Counts = slices.DeleteFunc(summed(slices.Concat(part.Counts, r.Counts)), func(n Count) bool { return n.Quantity.IsZero() })
	args := []Arg{{"hold", hold}, {"charge", part.Key}, {"quoted", part.Amount.String()}, {"moved", r.Amount.String()}}
	for _, n := range r.Counts {
		if prices(n.Key) {
			args = append(args, standingArgs(n, stood)...)
		}
	}
	for _, n := range r.Counts {
		if strings.HasPrefix(n.Key, countsDayWorth+"/") {
			args = append(args, standingArgs(n, stood)...)
		}
	}
	k.Steps = []Step{{Rule: ruleReleased, Args: args}}
	return k, nil
}

// standingArgs tell of a counter where it stood before it was given back, and how much was.
func standingArgs(back Count, stood []Counter) []Arg {
	before := decimal.Zero
	if i := slices.IndexFunc(stood, func(c Counter) bool { return c.Key == back.Key }); i >= 0 {
		before = stood[i].Value
	}
	return []Arg{{"counter", back.Key}, {"before", before.String()}, {"undone", back.Quantity.Neg().String()}}
}

// ReleaseAgain makes a correction again from the hold, from what the hold was settled with, and from where the correction
// says that the counters stood: it must be the same.
func (h Hold) ReleaseAgain(posted Charge, settled []Charge, terms *Terms) (Charge, error) {
	i := slices.IndexFunc(posted.Steps, func(s Step) bool { return s.Rule == ruleReleased })
	if i < 0 {
		return Charge{}, fmt.Errorf("charge %s does not say what it corrects", posted.Key)
	}
	step := posted.Steps[i]
	at := slices.IndexFunc(h.Charges, func(c Charge) bool { return c.Key == step.get("charge") })
	if at < 0 {
		return Charge{}, fmt.Errorf("the hold has no charge %s", step.get("charge"))
	}
	part, ok := h.Charges[at].unused(settled)
	if !ok {
		return Charge{}, fmt.Errorf("all of %s is billed", part.Key)
	}
	u := Undo(nil)
	for j := 0; j+2 < len(step.Args); j++ {
		if step.Args[j].Name == "counter" {
			u.counters = append(u.counters, Counter{Key: step.Args[j].Value, Value: decimalOf(step.Args[j+1].Value)})
		}
	}
	if of, ok := part.companionOf(); ok {
		u.came[of] = step.amount("undone").Neg()
	}
	return u.release(step.get("hold"), part, terms)
}

// unused gives what of a held charge no settled charge has taken over; false where no counter has priced any of it.
func (c Charge) unused(settled []Charge) (Charge, bool) {
	if i := slices.IndexFunc(settled, func(s Charge) bool { return s.Key == c.Key }); i >= 0 {
		taken := settled[i]
		c.Exact, c.Amount = c.Exact.Sub(taken.Exact), c.Amount.Sub(taken.Amount)
		counts := make([]Count, 0, len(c.Counts))
		for _, n := range c.Counts {
			if j := slices.IndexFunc(taken.Counts, func(t Count) bool { return t.Key == n.Key }); j >= 0 {
				if n.Quantity = n.Quantity.Sub(taken.Counts[j].Quantity); n.Quantity.IsZero() {
					continue
				}
			}
			counts = append(counts, n)
		}
		c.Counts = counts
	}
	return c.counted(), slices.ContainsFunc(c.Counts, func(n Count) bool { return prices(n.Key) })
}

// giveBack moves the counters back by what a charge had counted.
func (u *Undoing) giveBack(c Charge) {
	for _, n := range c.Counts {
		u.move(Count{Key: n.Key, Quantity: n.Quantity.Neg()})
	}
}

// summed adds up counts of the same counter.
func summed(counts []Count) []Count {
	var sums []Count
	for _, n := range counts {
		i := slices.IndexFunc(sums, func(have Count) bool { return have.Key == n.Key })
		if i < 0 {
			sums = append(sums, n)
			continue
		}
		sums[i].Quantity = sums[i].Quantity.Add(n.Quantity)
	}
	return sums
}

// released tells what a release sets right.
func (s Step) released(c Charge) string {
	hold := s.get("hold")
	if hold == "" {
		hold = "The quote"
	}
	kind, _, _ := strings.Cut(s.get("counter"), "/")
	before, undone := s.amount("before"), s.amount("undone")
	after := before.Sub(undone)
	told, what := decimal.Decimal.String, undone.String()+" of it"
	switch kind {
	case countsTickets:
		what = undone.String() + " ticket of the period"
	case countsAI:
		told = func(d decimal.Decimal) string { return d.String() + " s" }
		what = told(undone) + " of AI time"
	case countsDay, countsDayTime:
		told = func(d decimal.Decimal) string { return span(d.IntPart()) }
		what = told(undone) + " of the day"
	case countsCap, countsRetainer, countsCredit:
		told = func(d decimal.Decimal) string { return money(d, c.Currency) }
		what = told(undone) + " of its cost"
	case countsSeat:
		what = "what it would have added"
	}
	moved := s.amount("moved")
	now := money(moved.Abs(), c.Currency) + " less"
	switch {
	case moved.IsZero():
		now = "as much as before"
	case moved.IsPositive():
		now = money(moved, c.Currency) + " more"
	}
	return hold + " was waived, so " + what + " was not used: the count goes from " + told(before) + " to " + told(after) +
		", and all that was charged by it should come to " + now + ". The quote of " + money(s.amount("quoted"), c.Currency) +
		" goes; the rest was charged for what came after, as if it had been used, and is set right here."
}
