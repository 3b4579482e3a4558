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
	charges []*chargeRow
	holds   []heldContent
	grants  []billing.Grant // the blocks that it bought
}

type closureRow struct {
	ID       int64
	Ticket   int64
	Round    int
	Facts    string
	Decision string
	Digest   string
}

// chargeRow is a charge as its columns, its work, its moves and its line tell it.
type chargeRow struct {
	chargeColumns
	spans  []billing.Span
	draws  []billing.Draw
	counts []billing.Count
}

type chargeColumns struct {
	ID           int64
	Closure      int64
	Key          string
	Kind         billing.ChargeKind
	Contract     string
	Revision     int
	Clause       string
	Currency     string
	Quantity     numeric
	Unit         string
	Rate         numeric
	Exact        numeric
	Amount       numeric
	Date         string
	Hidden       bool
	Hold         int64
	Reverses     int64
	Adjusts      int64
	Body         *string
	Undone       *numeric // the amount of the charge that it reverses
	LineAmount   *numeric // nil: it has no invoice line
	LineCurrency *string
	LineDate     *string
	LineText     *string
}

// numeric is a number as PostgreSQL writes it. It nearly always is what was decided, letter by
// letter: a decimal is made of it only where it is not.
type numeric string

func (n numeric) is(d decimal.Decimal) bool {
	if string(n) == d.String() {
		return true
	}
	parsed, err := decimal.NewFromString(string(n))
	return err == nil && parsed.Equal(d)
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
func readClosures(ctx context.Context, q querier, last int64) ([]*closurePage, error) {
	found, err := collect[closureRow](ctx, q, "closures", `
		select id, ticket, round, facts, decision, digest from closures where id > $1 order by id limit $2`, last, pageSize)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	pages := make([]*closurePage, 0, len(found))
	byID := make(map[int64]*closurePage, len(found))
	ids := make([]int64, 0, len(found))
	for _, c := range found {
		page := &closurePage{closureRow: c}
		pages, ids, byID[c.ID] = append(pages, page), append(ids, c.ID), page
	}
	columns, err := collect[chargeColumns](ctx, q, "charges", `
		select c.id, c.closure_id, c.key, c.kind, c.contract_id, c.revision, c.clause, c.currency, c.quantity::text, c.unit, c.rate::text, c.exact::text,
			c.amount::text, c.service_date::text, c.hidden, coalesce(c.hold_id, 0), coalesce(c.reverses, 0), coalesce(c.adjusts, 0), c.body, o.amount::text,
			l.amount::text, l.currency, l.service_date::text, l.text
		from charges c left join charges o on o.id = c.reverses left join invoice_lines l on l.charge_id = c.id
		where c.closure_id = any ($1) order by c.id`, ids)
	if err != nil {
		return nil, err
	}
	charges := make(map[int64]*chargeRow, len(columns))
	chargeIDs := make([]int64, 0, len(columns))
	for _, c := range columns {
		row := &chargeRow{chargeColumns: c}
		charges[c.ID], chargeIDs = row, append(chargeIDs, c.ID)
		byID[c.Closure].charges = append(byID[c.Closure].charges, row)
	}
	if err := readEffects(ctx, q, chargeIDs, charges); err != nil {
		return nil, err
	}
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
	return pages, nil
}

func readEffects(ctx context.Context, q querier, ids []int64, charges map[int64]*chargeRow) error {
	spans, err := collect[struct {
		Charge int64
		billing.Span
	}](ctx, q, "charged work", "select charge_id, work_id, lower(span), upper(span) from charge_work where charge_id = any ($1)", ids)
	if err != nil {
		return err
	}
	for _, s := range spans {
		charges[s.Charge].spans = append(charges[s.Charge].spans, s.Span)
	}
	draws, err := collect[drawRow](ctx, q, "draws", `
		select m.charge_id, m.block_id, m.ms, coalesce(b.closure_id, 0), coalesce(b.provisional, 0)
		from block_moves m left join blocks b on b.id = m.block_id and b.closure_id is not null
		where m.charge_id = any ($1)`, ids)
	if err != nil {
		return err
	}
	for _, d := range draws {
		charges[d.Charge].draws = append(charges[d.Charge].draws, d.of(charges[d.Charge].Closure))
	}
	counts, err := collect[struct {
		Charge int64
		billing.Count
	}](ctx, q, "counts", "select charge_id, counter, quantity from counter_moves where charge_id = any ($1)", ids)
	if err != nil {
		return err
	}
	for _, n := range counts {
		charges[n.Charge].counts = append(charges[n.Charge].counts, n.Count)
	}
	return nil
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
