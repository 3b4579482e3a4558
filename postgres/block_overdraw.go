package postgres

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/shopspring/decimal"

	"github.com/docket-psa/docket/billing"
)

// queueRepayment lets a block pay back what its contract used ahead of it, up to what it has left.
func queueRepayment(b *pgx.Batch, m *moves, row *shelved, left int64, lent decimal.Decimal, at time.Time) {
	ms := min(left, lent.IntPart())
	if ms <= 0 {
		return
	}
	queueRepay(b, m, row, ms, fmt.Sprintf("repay/%d", row.ID), at)
}

func queueRepay(b *pgx.Batch, m *moves, row *shelved, ms int64, key string, at time.Time) {
	counter := billing.OverdrawnKey(row.Contract)
	b.Queue(`insert into block_moves (block_id, client_id, kind, ms, operation_key, at) values ($1, $2, 'repay', $3, $4, $5)`,
		row.ID, row.Client, ms, key, at)
	b.Queue(`insert into counter_moves (counter, client_id, kind, quantity, block_id, at) values ($1, $2, 'repay', $3, $4, $5)`,
		counter, row.Client, -ms, row.ID, at)
	m.draw(row.ID, ms)
	m.count(counter, decimal.NewFromInt(-ms))
}

// giveBack returns hours to the blocks that have paid for what is now undone: where less is lent than blocks have paid
// back, the block that paid last gets them first.
func (r returning) giveBack(ctx context.Context, t *tx, b *pgx.Batch, m *moves, at time.Time) error {
	for _, counter := range r.counters {
		contract, ok := strings.CutPrefix(counter.Key, billing.OverdrawnKey(""))
		over := counter.Value.Add(m.counters[counter.Key]).Neg().IntPart()
		if !ok || over <= 0 {
			continue
		}
		repaid, err := readRepaid(ctx, t.conn, contract)
		if err != nil {
			return err
		}
		for _, id := range slices.Backward(slices.Sorted(maps.Keys(repaid))) {
			ms := min(over, repaid[id])
			if row := r.blocks[id]; ms > 0 && row != nil {
				queueRepay(b, m, row, -ms, fmt.Sprintf("repay/%d/%s", id, m.cause), at)
				over -= ms
			}
		}
		if over > 0 {
			return fmt.Errorf("counter %s: %d ms more are given back than were lent", counter.Key, over)
		}
	}
	return nil
}

func readRepaid(ctx context.Context, q querier, contract string) (map[int64]int64, error) {
	rows, err := q.Query(ctx, `
select m.block_id, sum(m.ms)::bigint from block_moves m join blocks b on b.id = m.block_id
where b.contract_id = $1 and m.kind = 'repay' group by 1 having sum(m.ms) > 0`, contract)
	if err != nil {
		return nil, fmt.Errorf("read what blocks of %s paid back: %w", contract, err)
	}
	repaid := map[int64]int64{}
	var id, ms int64
	if _, err := pgx.ForEachRow(rows, []any{&id, &ms}, func() error { repaid[id] = ms; return nil }); err != nil {
		return nil, fmt.Errorf("read what blocks of %s paid back: %w", contract, err)
	}
	return repaid, nil
}
