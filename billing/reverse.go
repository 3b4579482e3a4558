package billing

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/shopspring/decimal"
)

// Undoing undoes posted charges one after another. Its counters move with each.
type Undoing struct {
	counters []Counter
	came     map[string]decimal.Decimal // what reversals came to, by the key of the charge that each undid
}

// Undo begins to undo charges on counters as they stand.
func Undo(counters []Counter) *Undoing {
	return &Undoing{counters: slices.Clone(counters), came: map[string]decimal.Decimal{}}
}

// Reverse is Reverse of the next charge. What lowers a charge comes after it, and gives back as much as the charge's own
// reversal came to: that is not what it once counted, where the period has moved on since.
func (u *Undoing) Reverse(id int64, c Charge, terms *Terms) (Charge, error) {
	if of, ok := c.companionOf(); ok {
		if gross, known := u.came[of]; known {
			c.Counts = slices.Clone(c.Counts)
			for i := range c.Counts {
				if prices(c.Counts[i].Key) {
					c.Counts[i].Quantity = gross.Neg()
				}
			}
		}
	}
	r, err := Reverse(id, c, terms, u.counters)
	if err != nil {
		return Charge{}, err
	}
	u.came[c.Key] = r.Amount
	for _, n := range r.Counts {
		u.move(n)
	}
	return r, nil
}

func (u *Undoing) move(n Count) {
	i := slices.IndexFunc(u.counters, func(have Counter) bool { return have.Key == n.Key })
	if i < 0 {
		i = len(u.counters)
		u.counters = append(u.counters, Counter{Key: n.Key})
	}
	u.counters[i].Value = u.counters[i].Value.Add(n.Quantity)
}

// Reverse gives the charge that undoes posted charge id. Its draws go back, and so do its
// counts. A charge that depends on a counter is undone as F(counter − q) − F(counter), so
// that what remains of the period is as if the charge had never been; any other by
// negating what posted.
//
// terms are those of the charge's contract and revision; they may be nil for a charge
// without counts. counters hold at least those of the charge, as they stand now: where
// several charges are undone, the counts of each must move them before the next. The
// reversal names no spans: the work is free again through the charge that it reverses.
func Reverse(id int64, c Charge, terms *Terms, counters []Counter) (Charge, error) {
	switch c.Kind {
	case Reversal:
		return Charge{}, fmt.Errorf("reverse charge %d: it is a reversal itself", id)
	case Correction:
		return Charge{}, fmt.Errorf("reverse charge %d: it corrects what others were charged, and stands", id)
	default:
	}
	r := c
	r.Key, r.Kind, r.Reverses = "reversal/"+strconv.FormatInt(id, 10), Reversal, id
	r.Quantity, r.Exact, r.Amount = c.Quantity.Neg(), c.Exact.Neg(), c.Amount.Neg()
	r.Text = "Reversal: " + c.Text
	r.Spans = nil
	r.Draws = slices.Clone(c.Draws)
	for i := range r.Draws {
		// What is given back to a block that has ended expires or rolls over again, whatever it came from.
		r.Draws[i] = Draw{Block: r.Draws[i].Block, MS: -r.Draws[i].MS}
	}
	r.Counts = slices.Clone(c.Counts)
	for i := range r.Counts {
		r.Counts[i].Quantity = r.Counts[i].Quantity.Neg()
	}
	r.Steps = []Step{{Rule: ruleReverse, Args: []Arg{{"charge", strconv.FormatInt(id, 10)}, {"amount", c.Amount.String()}}}}
	for _, count := range c.Counts {
		if !prices(count.Key) {
			continue
		}
		if err := r.uncount(c, count, terms, counters); err != nil {
			return Charge{}, fmt.Errorf("reverse charge %d: %w", id, err)
		}
	}
	r.Hidden = r.Amount.IsZero()
	r.Counts = r.ordered(c)
	return r, nil
}

// ordered gives the reversal's counts with what it gives back to the purchase order and to the project
// of c: as much as posts, which is not what c once took where the period has moved on since. A charge
// that never counted although it cost something, like a write-down, takes nothing back either.
func (r *Charge) ordered(c Charge) []Count {
	counts := r.Counts
	project, _ := c.projectKeys()
	for _, key := range []string{c.OrderKey(), project} {
		onKey := func(n Count) bool { return n.Key == key }
		if key == "" || (!c.Amount.IsZero() && !slices.ContainsFunc(c.Counts, onKey)) {
			continue
		}
		counts = slices.DeleteFunc(counts, onKey)
		if !r.Amount.IsZero() {
			counts = append(counts, Count{Key: key, Quantity: r.Amount})
		}
	}
	return counts
}

// uncount replaces the reversal's amount by what the period costs less without the count.
func (r *Charge) uncount(c Charge, count Count, terms *Terms, counters []Counter) error {
	if terms == nil {
		return fmt.Errorf("counter %s needs the terms of contract %s revision %d", count.Key, c.Contract, c.Revision)
	}
	i := slices.IndexFunc(counters, func(have Counter) bool { return have.Key == count.Key })
	if i < 0 {
		return fmt.Errorf("counter %s is not given", count.Key)
	}
	now := counters[i].Value
	without := now.Sub(count.Quantity)
	if count.Quantity.IsPositive() && without.IsNegative() {
		return fmt.Errorf("counter %s stands at %s, below the %s that were counted", count.Key, now, count.Quantity)
	}
	kind, _, _ := strings.Cut(count.Key, "/")
	undone := func() (exact, amount decimal.Decimal, err error) { return terms.moves(&c, count.Key, now, without) }
	if kind == countsDayTime {
		undone = func() (exact, amount decimal.Decimal, err error) { return terms.undoDay(&c, count, now, counters) }
	}
	exact, amount, err := undone()
	if err != nil {
		return err
	}
	switch kind {
	case countsAI:
		r.Amount = amount
	case countsTickets:
		r.Exact, r.Amount = exact, terms.rounding.round(exact, decimal.NewFromInt(1), terms.places)
		if r.Rate = decimal.Zero; !exact.IsZero() {
			r.Rate = *terms.line(c.Clause).Price
		}
	default:
		r.Exact, r.Amount = exact, amount
	}
	r.Steps = append(r.Steps, Step{Rule: rulePeriod, Args: []Arg{{"before", now.String()}, {"after", without.String()}}})
	return nil
}

// line finds a clause; the empty one is what the terms say of the rest.
func (t *Terms) line(clause string) *line {
	for _, lines := range [][]line{t.lines, t.others} {
		for i := range lines {
			if lines[i].Clause == clause {
				return &lines[i]
			}
		}
	}
	if clause == "" {
		return &t.rest
	}
	return nil
}
