package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

// rerated is what a ruling rated under another contract, as it is stored.
type rerated struct {
	Hold     int64
	Closure  int64
	Facts    string
	Decision string
	Digest   string
}

// rateAnew decides again what rulings rated under another contract, and adds it to what was decided: its charges, holds
// and blocks are the closure's as its own are.
func (p *closurePage) rateAnew(ctx context.Context, r *rerater, decided billing.Decision) (all billing.Decision, says []string, err error) {
	for _, a := range p.anew {
		again, differs, err := r.rerate(ctx, &closureRow{Facts: a.Facts, Decision: a.Decision, Digest: a.Digest})
		if err != nil {
			return decided, nil, err
		}
		if differs != "" {
			says = append(says, fmt.Sprintf("what the ruling on %s rated: %s", ticket.HoldID(a.Hold), differs))
			if err := json.Unmarshal([]byte(a.Decision), &again); err != nil {
				says = append(says, fmt.Sprintf("what the ruling on %s rated cannot be read: %v", ticket.HoldID(a.Hold), err))
			}
		}
		decided.Charges = slices.Concat(decided.Charges, again.Charges)
		decided.Holds = slices.Concat(decided.Holds, again.Holds)
		decided.Grants = slices.Concat(decided.Grants, again.Grants)
	}
	for _, h := range p.holds {
		if h.State == "settled" && h.Decision == string(ticket.OtherContract) && !p.ratedAnew(h.ID) {
			says = append(says, fmt.Sprintf("%s was rated under another contract, and nothing says how", ticket.HoldID(h.ID)))
		}
	}
	return decided, says, nil
}

// ratedAnew says whether a ruling rated the hold under another contract.
func (p *closurePage) ratedAnew(hold int64) bool {
	return slices.ContainsFunc(p.anew, func(a rerated) bool { return a.Hold == hold })
}
