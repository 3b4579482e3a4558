package postgres

import (
	"context"
	"fmt"

	"github.com/docket-psa/docket/billing"
)

// kept is what a reopening leaves as it is: charges, and the work and the items that they stand for.
type kept struct {
	charges     map[int64]bool
	work, items []int64 // ids, never nil: SQL compares with them
}

// reopenKeeps is what a contract says to keep a reopened round.
const reopenKeeps = "keep"

// group is what one closure charged under one contract: it stays as a whole or not at all, because
// what a ticket's round costs (a limit, its rounding, its minimum) is reckoned over all of it.
type group struct {
	closure  int64
	contract string
}

// kept finds the charges that stay because their contract says so. A group that shares a work entry
// with something that is undone is undone with it: an entry is rated whole, so that no part of it is
// lost or billed twice. So what still waits for a person, or was split with a contract that does not
// keep, is rated afresh. An SLA credit never stays: the next closing measures the ticket against its
// targets anew.
func (s *Store) kept(ctx context.Context, q querier, charges []standingCharge, holds []waiting) (kept, error) {
	groups := map[group]bool{} // true: it stays
	freed := map[int64]bool{}  // work entries of what is undone
	for _, c := range charges {
		if c.whole.Kind == billing.Credit {
			continue
		}
		keeps := false
		if c.whole.Revision > 0 {
			terms, err := s.termsOf(ctx, q, c.whole.Contract, c.whole.Revision)
			if err != nil {
				return kept{}, err
			}
			keeps = terms.Contract().Reopen == reopenKeeps
		}
		of := group{c.Closure, c.whole.Contract}
		if before, known := groups[of]; known {
			keeps = keeps && before
		}
		groups[of] = keeps
	}
	for _, h := range holds {
		content, err := h.content()
		if err != nil {
			return kept{}, err
		}
		for _, c := range content.Charges {
			freeWork(freed, c)
		}
	}
	for again := true; again; {
		again = false
		for _, c := range charges {
			of := group{c.Closure, c.whole.Contract}
			if !groups[of] {
				freeWork(freed, c.whole)
			}
		}
		for _, c := range charges {
			of := group{c.Closure, c.whole.Contract}
			if groups[of] && touches(freed, c.whole) {
				groups[of], again = false, true
			}
		}
	}
	k := kept{charges: map[int64]bool{}, work: []int64{}, items: []int64{}}
	for _, c := range charges {
		if c.whole.Kind == billing.Credit || !groups[group{c.Closure, c.whole.Contract}] {
			continue
		}
		k.charges[c.ID] = true
		for _, span := range c.whole.Spans {
			k.work = append(k.work, span.Work)
		}
		if item, ok := itemOf(c.whole); ok {
			k.items = append(k.items, item)
		}
	}
	return k, nil
}

func freeWork(freed map[int64]bool, c billing.Charge) {
	for _, span := range c.Spans {
		freed[span.Work] = true
	}
}

func touches(freed map[int64]bool, c billing.Charge) bool {
	for _, span := range c.Spans {
		if freed[span.Work] {
			return true
		}
	}
	return false
}

func (k kept) says() string {
	if len(k.charges) == 0 {
		return ""
	}
	return fmt.Sprintf("; %d charges stay, as their contract says", len(k.charges))
}
