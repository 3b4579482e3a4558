package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/docket-psa/docket/billing"
)

// drawRow is a move of a block for a charge. A block that a closing bought has, in its decision, another number.
type drawRow struct {
	Block       int64
	MS          int64
	BoughtBy    int64
	Provisional int64
}

// of gives the draw as the decision of the charge's closure names it.
func (d drawRow) of(closure int64) billing.Draw {
	if d.BoughtBy == closure && d.Provisional != 0 {
		return billing.Draw{Block: d.Provisional, MS: d.MS}
	}
	return billing.Draw{Block: d.Block, MS: d.MS}
}

// readGrants reads the blocks that closures bought, as their decisions name them.
func readGrants(ctx context.Context, q querier, closures []int64) (map[int64][]billing.Grant, error) {
	type grantRow struct {
		Closure int64
		billing.Grant
	}
	rows, err := collect[grantRow](ctx, q, "bought blocks", `
		select closure_id, provisional, operation_key, contract_id, revision, '', granted_ms, priority, granted_at,
			coalesce(expires_at, '0001-01-01 00:00:00Z'), price, currency
		from blocks where closure_id = any ($1) order by provisional desc`, closures)
	if err != nil {
		return nil, err
	}
	found := make(map[int64][]billing.Grant, len(rows))
	for _, r := range rows {
		found[r.Closure] = append(found[r.Closure], r.Grant)
	}
	return found, nil
}

// compareGrants checks that what the decision bought was made, and nothing else.
func (p *closurePage) compareGrants(decided billing.Decision) []string {
	var says []string
	for _, g := range decided.Grants {
		i := slices.IndexFunc(p.grants, func(row billing.Grant) bool { return row.Block == g.Block })
		if i < 0 {
			says = append(says, fmt.Sprintf("block %s was bought and is not there", g.Key))
			continue
		}
		row := p.grants[i]
		if row.Key != g.Key || row.Contract != g.Contract || row.MS != g.MS || !row.Price.Equal(g.Price) || row.Currency != g.Currency ||
			!row.GrantedAt.Equal(g.GrantedAt) || !row.ExpiresAt.Equal(g.ExpiresAt) || row.Priority != g.Priority {
			says = append(says, fmt.Sprintf("block %s is not the one that was bought", g.Key))
		}
	}
	for _, row := range p.grants {
		if !slices.ContainsFunc(decided.Grants, func(g billing.Grant) bool { return g.Block == row.Block }) {
			says = append(says, fmt.Sprintf("block %s was never bought", row.Key))
		}
	}
	return says
}

// redecideSale decides the sale of a block, or its return, again.
func (s *Store) redecideSale(ctx context.Context, kind, stored string) (decision []byte, says string, err error) {
	var d billing.SaleDecision
	if kind == kindReturn {
		var f billing.ReturnFacts
		if err := json.Unmarshal([]byte(stored), &f); err != nil {
			return nil, fmt.Sprintf("its facts cannot be read: %v", err), nil // what cannot be read is the finding
		}
		d, err = billing.DecideReturn(f)
	} else {
		var f billing.SaleFacts
		if err := json.Unmarshal([]byte(stored), &f); err != nil {
			return nil, fmt.Sprintf("its facts cannot be read: %v", err), nil // as above
		}
		if v := f.Version; v != nil {
			if v.Terms, err = s.terms.load(ctx, s.pool, v.Contract, v.Revision, v.Digest); err != nil {
				if ctx.Err() != nil {
					return nil, "", err
				}
				return nil, fmt.Sprintf("its terms cannot be found: %v", err), nil
			}
		}
		d, err = billing.DecideSale(f)
	}
	if err != nil {
		return nil, fmt.Sprintf("it cannot be decided again: %v", err), nil // as above
	}
	decision, err = billing.Canonical(d)
	return decision, "", err
}
