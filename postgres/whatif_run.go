package postgres

import (
	"container/heap"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

// happening is something that happened after a closing: a word about one of its holds, its
// reopening, or a move of a counter or a block that no rehearsed closure made.
type happening struct {
	at      time.Time
	closure *rehearsed // nil: a move
	word    *billing.Word
	counts  []billing.Count
	draws   []billing.Draw
}

// happenings are those still to come, the earliest on top (container/heap).
type happenings []happening

func (h happenings) Len() int           { return len(h) }
func (h happenings) Less(i, j int) bool { return h[i].at.Before(h[j].at) }
func (h happenings) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *happenings) Push(x any)        { *h = append(*h, x.(happening)) }
func (h *happenings) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}

// rehearsed is a closure under the draft, while something of it is still to come.
type rehearsed struct {
	*whatIfClosure
	posted []billing.Charge // reversals included
	held   []billing.Hold
	toCome int
}

// rehearse closes a page's closures, one after the other, and what happened in between.
func (w *whatIf) rehearse(ctx context.Context, page *whatIfPage) error {
	w.take(page)
	for _, c := range page.closures {
		if err := w.passTo(c.ClosedAt); err != nil {
			return err
		}
		if err := w.closeOne(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

// take tells the rehearsal what was read for it.
func (w *whatIf) take(told *whatIfPage) {
	for _, c := range told.counters {
		if _, known := w.rehearsal.Stands(c.Key); known {
			continue // a closing heard of it before its page did
		}
		w.rehearsal.Counter(c.Counter)
		for _, h := range c.happened {
			heap.Push(&w.later, h)
		}
	}
	for _, b := range told.bought {
		w.rehearsal.Bought(b.contract, b.blocks)
	}
	for _, b := range told.buckets {
		w.rehearsal.Bucket(b.contract, b.clause, b.Allowances)
	}
	for _, h := range told.happened {
		heap.Push(&w.later, h)
	}
}

// tellMore tells of counters of which only the closing itself heard, as they stand before it.
func (w *whatIf) tellMore(ctx context.Context, c *whatIfClosure, keys []string) error {
	var told whatIfPage
	if err := w.byStatistics(ctx, func() error { return w.tellCounters(ctx, &told, keys) }); err != nil {
		return err
	}
	w.take(&told)
	return w.passTo(c.ClosedAt)
}

// finish lets everything happen that came after the last closing.
func (w *whatIf) finish() error {
	for len(w.later) > 0 {
		if err := w.happen(heap.Pop(&w.later).(happening)); err != nil {
			return err
		}
	}
	return nil
}

func (w *whatIf) passTo(at time.Time) error {
	for len(w.later) > 0 && !w.later[0].at.After(at) {
		if err := w.happen(heap.Pop(&w.later).(happening)); err != nil {
			return err
		}
	}
	return nil
}

func (w *whatIf) closeOne(ctx context.Context, c *whatIfClosure) error {
	if wants := &c.wants; c.failed == "" && len(wants.Counters)+len(wants.Blocks)+len(wants.Buckets) > 0 {
		var err error
		c.decision, err = w.rehearsal.Close(c.facts, c.wants, c.ClosedAt)
		for untold := (*billing.Untold)(nil); errors.As(err, &untold); {
			if err := w.tellMore(ctx, c, untold.Counters); err != nil {
				return err
			}
			c.decision, err = w.rehearsal.Close(c.facts, c.wants, c.ClosedAt)
		}
		if err != nil {
			c.failed = err.Error()
		}
	}
	r := &rehearsed{whatIfClosure: c}
	if c.failed != "" {
		return w.end(r)
	}
	r.posted, r.held = c.decision.Charges, c.decision.Holds
	for i := range r.held {
		if word, ok := w.said(c, &r.held[i]); ok {
			heap.Push(&w.later, happening{at: word.at, closure: r, word: &word.Word})
			r.toCome++
		}
	}
	if !c.undone.IsZero() {
		heap.Push(&w.later, happening{at: c.undone, closure: r})
		r.toCome++
	}
	if r.toCome > 0 {
		return nil
	}
	return w.end(r)
}

// said finds what a person really said about the hold. The word is about the hold that would be.
func (w *whatIf) said(c *whatIfClosure, h *billing.Hold) (decided, bool) {
	words := make([]billing.Word, 0, len(c.words))
	for _, d := range c.words {
		words = append(words, d.Word)
	}
	word, ok := billing.Speaks(words, h)
	if !ok {
		return decided{}, false
	}
	i := slices.IndexFunc(c.words, func(d decided) bool { return d.Hold == word.Hold })
	word.Hold = h.Key
	return decided{at: c.words[i].at, Word: word}, true
}

func (w *whatIf) happen(h happening) error {
	if h.closure == nil {
		w.rehearsal.Move(h.counts, h.draws)
		return nil
	}
	r := h.closure
	if h.word == nil {
		reversals, err := w.rehearsal.Reopen(&r.facts, r.posted, r.held, w.keeps(r.whatIfClosure))
		if err != nil {
			r.failed = err.Error()
		}
		r.posted, r.held = append(r.posted, reversals...), nil
	} else if i := slices.IndexFunc(r.held, func(held billing.Hold) bool { return held.Key == h.word.Hold }); i >= 0 {
		charges, err := w.rehearsal.Settle(&r.facts, r.held[i], *h.word)
		switch {
		case err == nil:
			r.posted = append(r.posted, charges...)
			r.held = slices.Delete(r.held, i, i+1)
		case !errors.Is(err, billing.ErrAskedAgain): // else it waits
			r.failed = err.Error()
		}
	}
	if r.toCome--; r.toCome > 0 {
		return nil
	}
	return w.end(r)
}

// keeps says which contracts keep what they charged, as they really did when the closure was reopened: the next
// round rates the work of the others. The draft does as the contract that it replaces did; where the closure had
// nothing under that, as any other that kept something.
func (w *whatIf) keeps(c *whatIfClosure) func(contract string) bool {
	return func(contract string) bool {
		if contract != w.draft.Contract {
			return slices.Contains(c.stays, contract)
		}
		return slices.Contains(c.stays, w.draft.InsteadOf) || (len(c.stays) > 0 && !slices.ContainsFunc(c.was, func(d billing.ClauseDifference) bool {
			return d.Contract == w.draft.InsteadOf
		}))
	}
}

// end compares a closure of which nothing is to come any more.
func (w *whatIf) end(r *rehearsed) error {
	if !r.counts {
		return nil
	}
	compared := r.was
	if r.failed == "" {
		for i := range r.posted {
			compared.Would(&r.posted[i], false)
			w.billedBy.add(&r.posted[i])
		}
		for _, h := range r.held {
			for i := range h.Charges {
				compared.Would(&h.Charges[i], true)
			}
		}
	}
	row := billing.WhatIfTicket{
		Ticket: string(ticket.NewID(r.Ticket)), Round: r.Round, ClosedAt: r.ClosedAt.UTC(), Subject: r.Subject, Reopened: !r.undone.IsZero(),
		Failed: r.failed, Totals: compared.Totals(), Clauses: compared.Sorted(),
	}
	if w.detailed(r.whatIfClosure) {
		row.Detail = &billing.WhatIfDetail{Was: r.charges, Waits: r.waits, Would: r.posted, WouldWait: r.held}
	}
	w.closures++
	if r.failed != "" {
		// What it would come to is not known, so it is on neither side of the sums.
		w.failed++
		return w.each(row)
	}
	for _, c := range compared {
		w.sums.Add(c.Contract, c.Clause, c.Difference)
	}
	if slices.ContainsFunc(row.Totals, func(d billing.Difference) bool { return !d.By.IsZero() }) {
		w.changed++
	}
	return w.each(row)
}
