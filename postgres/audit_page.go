package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/shopspring/decimal"

	"github.com/docket-psa/docket/billing"
)

// closurePage is one closure with every row that came of it.
type closurePage struct {
	closureRow
	charges []chargeRow
	holds   []heldContent
	grants  []billing.Grant // the blocks that it bought
	anew    []rerated       // what rulings rated under another contract
}

type closureRow struct {
	ID       int64
	Ticket   int64
	Round    int64
	Facts    string
	Decision string
	Digest   string
}

type heldContent struct {
	ID       int64
	Closure  int64
	Key      string
	Reason   billing.HoldReason
	Currency string
	Amount   decimal.Decimal
	Content  string
	State    string
	Decision string
}

// pageSize keeps a worker's share of memory at some megabytes.
const pageSize = 500

// readClosures reads the closures after id last, with their rows, by one statement a table.
func readClosures(ctx context.Context, q querier, last int64) ([]closurePage, error) {
	page := make([]closurePage, 0, pageSize)
	err := readRows(ctx, q, "closures", "select id, ticket, round, facts, decision, digest from closures where id > $1 order by id limit $2", func(r *textRow) {
		page = append(page, closurePage{closureRow: closureRow{
			ID: r.number(), Ticket: r.number(), Round: r.number(), Facts: r.text(), Decision: r.text(), Digest: r.text(),
		}})
	}, last, pageSize)
	if err != nil || len(page) == 0 {
		return nil, err
	}
	byID, ids := make(map[int64]*closurePage, len(page)), make([]int64, 0, len(page))
	for i := range page {
		byID[page[i].ID], ids = &page[i], append(ids, page[i].ID)
	}
	charges, err := readCharges(ctx, q, "closure_id", ids)
	if err != nil {
		return nil, err
	}
	forOwners(charges, func(closure int64, of []chargeRow) { byID[closure].charges = of })
	holds, err := collect[heldContent](ctx, q, "holds", `
		select id, closure_id, key, reason, currency, amount, hold, state, coalesce(decision, '') from holds where closure_id = any ($1) order by id`, ids)
	if err != nil {
		return nil, err
	}
	for _, h := range holds {
		byID[h.Closure].holds = append(byID[h.Closure].holds, h)
	}
	grants, err := readGrants(ctx, q, ids)
	if err != nil {
		return nil, err
	}
	for closure, found := range grants {
		byID[closure].grants = found
	}
	anew, err := collect[rerated](ctx, q, "re-ratings", `
		select hold_id, closure_id, facts, decision, digest from reratings where closure_id = any ($1) order by hold_id`, ids)
	if err != nil {
		return nil, err
	}
	for _, r := range anew {
		byID[r.Closure].anew = append(byID[r.Closure].anew, r)
	}
	return page, nil
}

func collect[R any](ctx context.Context, q querier, what, sql string, args ...any) ([]R, error) {
	rows, err := q.Query(ctx, sql, args...)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", what, err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[R])
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", what, err)
	}
	return found, nil
}
