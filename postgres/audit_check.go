package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

// check proves one closure: its decision from its facts, then everything that it says against
// the rows. An error means that the database could not be read.
func (p *closurePage) check(ctx context.Context, r *rerater) (mismatched, lines []string, err error) {
	decided, says, err := r.rerate(ctx, &p.closureRow)
	if err != nil {
		return nil, nil, err
	}
	if says != "" {
		mismatched = append(mismatched, p.named(says))
		if err := json.Unmarshal([]byte(p.Decision), &decided); err != nil {
			return append(mismatched, p.named(fmt.Sprintf("its decision cannot be read: %v", err))), nil, nil
		}
	}
	decided, found, err := p.rateAnew(ctx, r, decided)
	if err != nil {
		return nil, nil, err
	}
	for _, says := range slices.Concat(found, p.compareHolds(decided)) {
		mismatched = append(mismatched, p.named(says))
	}
	for _, says := range p.compareGrants(decided) {
		mismatched = append(mismatched, p.named(says))
	}
	for _, says := range p.compareCharges(decided, r.terms(ctx)) {
		lines = append(lines, p.named(says))
	}
	return mismatched, lines, nil
}

// named says of which closure a finding is.
func (p *closurePage) named(says string) string {
	return fmt.Sprintf("%s round %d: %s", ticket.NewID(p.Ticket), p.Round, says)
}

// rerater decides again what was decided; one for each goroutine.
type rerater struct {
	store   *Store
	scratch []byte // for canonical JSON
}

// rerate decides again from the stored facts. Where nothing differs it gives the decision, and ""; else
// it says what differs.
func (r *rerater) rerate(ctx context.Context, c *closureRow) (again billing.Decision, says string, err error) {
	facts, err := billing.ParseFacts(c.Facts)
	if err != nil {
		return again, fmt.Sprintf("its facts cannot be read: %v", err), nil // what cannot be read is the finding
	}
	for i := range facts.Contracts {
		v := &facts.Contracts[i]
		terms, err := r.store.terms.load(ctx, r.store.pool, v.Contract, v.Revision, v.Digest)
		if err != nil {
			if ctx.Err() != nil {
				return again, "", err
			}
			return again, fmt.Sprintf("its terms cannot be found: %v", err), nil
		}
		v.Terms = terms
	}
	again, err = billing.Decide(facts)
	if err != nil {
		return again, fmt.Sprintf("it cannot be decided again: %v", err), nil // as above
	}
	if r.scratch, err = billing.AppendCanonical(r.scratch[:0], again); err != nil {
		return again, "", err
	}
	switch digest := billing.DigestOf(r.scratch); {
	case digest != c.Digest:
		return billing.Decision{}, fmt.Sprintf("decided again its digest is %.12s…, the stored one is %.12s…", digest, c.Digest), nil
	case string(r.scratch) != c.Decision:
		return billing.Decision{}, "decided again its bytes are not the stored decision, whose digest was left as it was", nil
	}
	return again, "", nil
}

// compareHolds checks that each hold of the decision is stored as it was decided. A declined one
// keeps its charges and changes who decides.
func (p *closurePage) compareHolds(decided billing.Decision) []string {
	var says []string
	for _, h := range decided.Holds {
		i := slices.IndexFunc(p.holds, func(row heldContent) bool { return row.Key == h.Key })
		if i < 0 {
			says = append(says, fmt.Sprintf("hold %s is not stored", h.Key))
			continue
		}
		row := p.holds[i]
		same, err := row.same(h)
		if err != nil {
			says = append(says, fmt.Sprintf("%s cannot be read: %v", ticket.HoldID(row.ID), err))
			continue
		}
		if !same || !row.Amount.Equal(h.Amount) || row.Currency != h.Currency {
			says = append(says, fmt.Sprintf("%s is not the hold that was decided", ticket.HoldID(row.ID)))
		}
	}
	for _, row := range p.holds {
		if !slices.ContainsFunc(decided.Holds, func(h billing.Hold) bool { return h.Key == row.Key }) {
			says = append(says, fmt.Sprintf("%s was never decided", ticket.HoldID(row.ID)))
		}
	}
	return says
}

// same says whether the row holds what was decided.
func (row *heldContent) same(decided billing.Hold) (bool, error) {
	if row.Reason != billing.Declined {
		canonical, err := billing.Canonical(decided)
		return string(canonical) == row.Content, err
	}
	var stored billing.Hold
	if err := json.Unmarshal([]byte(row.Content), &stored); err != nil {
		return false, err
	}
	return sameJSON(stored.Charges, decided.Charges) && stored.Amount.Equal(decided.Amount), nil
}

// compareCharges checks that what was decided and what was settled is posted, once, and nothing else.
func (p *closurePage) compareCharges(decided billing.Decision, terms termsFinder) []string {
	var says []string
	posted := make([]bool, len(decided.Charges))
	for i := range p.charges {
		row := &p.charges[i]
		var expected *billing.Charge
		if row.Kind != billing.Correction && (row.Hold == 0 || p.ratedAnew(row.Hold)) && row.Reverses == 0 && row.Adjusts == 0 {
			i := slices.IndexFunc(decided.Charges, func(c billing.Charge) bool { return c.Key == row.Key })
			if i < 0 {
				says = append(says, fmt.Sprintf("%s: charge %s was never decided", ticket.LineID(row.ID), row.Key))
				continue
			}
			expected, posted[i] = &decided.Charges[i], true
		} else {
			body, differs := row.body()
			if differs != "" {
				says = append(says, ticket.LineID(row.ID)+": "+differs)
				continue
			}
			expected = &body
		}
		for _, differs := range row.differs(expected) {
			says = append(says, ticket.LineID(row.ID)+": "+differs)
		}
		switch {
		case row.Kind == billing.Correction:
			if differs := p.rerelease(row, expected, terms); differs != "" {
				says = append(says, ticket.LineID(row.ID)+": "+differs)
			}
		case row.Hold != 0 && !p.ratedAnew(row.Hold):
			if differs := p.resettle(row, expected); differs != "" {
				says = append(says, ticket.LineID(row.ID)+": "+differs)
			}
		}
	}
	for i, c := range decided.Charges {
		if !posted[i] {
			says = append(says, fmt.Sprintf("charge %s of %s %s was decided and is not posted", c.Key, c.Amount, c.Currency))
		}
	}
	return append(says, p.unsettled()...)
}

// resettle settles the hold again by the ruling that the charge names: it must give the same charge.
func (p *closurePage) resettle(row *chargeRow, posted *billing.Charge) string {
	hold, differs := p.holdOf(row)
	if differs != "" {
		return differs
	}
	again, err := billing.Settle(hold, billing.RulingOf(*posted))
	if err != nil {
		return fmt.Sprintf("%s cannot be settled again: %v", ticket.HoldID(row.Hold), err)
	}
	if !slices.ContainsFunc(again, func(c billing.Charge) bool { return sameJSON(c, *posted) }) {
		return fmt.Sprintf("%s settled again gives something else", ticket.HoldID(row.Hold))
	}
	return ""
}

// holdOf finds the hold that the charge comes out of; says tells why there is none.
func (p *closurePage) holdOf(row *chargeRow) (hold billing.Hold, says string) {
	i := slices.IndexFunc(p.holds, func(h heldContent) bool { return h.ID == row.Hold })
	if i < 0 {
		return hold, fmt.Sprintf("it comes from %s, which is not this closure's", ticket.HoldID(row.Hold))
	}
	if err := json.Unmarshal([]byte(p.holds[i].Content), &hold); err != nil {
		return hold, fmt.Sprintf("%s cannot be read: %v", ticket.HoldID(row.Hold), err)
	}
	return hold, ""
}

// unsettled finds charges of settled holds that never posted.
func (p *closurePage) unsettled() []string {
	var says []string
	for _, h := range p.holds {
		if h.State != "settled" || p.ratedAnew(h.ID) {
			continue
		}
		var hold billing.Hold
		if err := json.Unmarshal([]byte(h.Content), &hold); err != nil {
			continue // told already
		}
		for _, c := range hold.Charges {
			if !slices.ContainsFunc(p.charges, func(row chargeRow) bool { return row.Hold == h.ID && row.Key == c.Key }) {
				says = append(says, fmt.Sprintf("charge %s of %s is settled (%s) and not posted", c.Key, ticket.HoldID(h.ID), h.Decision))
			}
		}
	}
	return says
}

// sameJSON compares by canonical JSON, as digests do.
func sameJSON(a, b any) bool {
	x, errX := billing.Canonical(a)
	y, errY := billing.Canonical(b)
	return errX == nil && errY == nil && string(x) == string(y)
}
