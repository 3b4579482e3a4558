package postgres

import (
	"context"
	"fmt"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

// termsFinder gives the terms of a contract's revision.
type termsFinder func(contract string, revision int) (*billing.Terms, error)

func (r *rerater) terms(ctx context.Context) termsFinder {
	return func(contract string, revision int) (*billing.Terms, error) {
		return r.store.termsOf(ctx, r.store.pool, contract, revision)
	}
}

// rerelease makes a correction again: from its hold, from what that was settled with, and from where the correction says
// that the counters stood.
func (p *closurePage) rerelease(row *chargeRow, posted *billing.Charge, find termsFinder) string {
	hold, differs := p.holdOf(row)
	if differs != "" {
		return differs
	}
	var settled []billing.Charge
	for i := range p.charges {
		other := &p.charges[i]
		if other.Hold != row.Hold || other.Kind == billing.Correction || p.ratedAnew(row.Hold) {
			continue // what another contract made of the hold takes over nothing that it had counted
		}
		charge, unread := other.body()
		if unread != "" {
			return unread
		}
		settled = append(settled, charge)
	}
	terms, err := find(posted.Contract, posted.Revision)
	if err != nil {
		return fmt.Sprintf("its terms cannot be found: %v", err)
	}
	again, err := hold.ReleaseAgain(*posted, settled, terms)
	if err != nil {
		return fmt.Sprintf("%s cannot be let go of again: %v", ticket.HoldID(row.Hold), err)
	}
	if !sameJSON(again, *posted) {
		return fmt.Sprintf("%s let go of again comes to %s, it is %s", ticket.HoldID(row.Hold), money(again.Amount, again.Currency), money(posted.Amount, posted.Currency))
	}
	return ""
}
