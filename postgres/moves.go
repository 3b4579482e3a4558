package postgres

import (
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/shopspring/decimal"
)

// moves sums what one transaction takes from counters and blocks, so that each cached row is
// written once, counters before blocks and both in the order of their keys: the lock order.
type moves struct {
	counters map[string]decimal.Decimal
	blocks   map[int64]*moved
	cause    string // what is moving them: a charge, a hold or a closing
}

func (m *moves) count(key string, quantity decimal.Decimal) {
	if m.counters == nil {
		m.counters = map[string]decimal.Decimal{}
	}
	m.counters[key] = m.counters[key].Add(quantity)
}

// draw takes milliseconds from a block; negative gives back.
func (m *moves) draw(block, ms int64) {
	c := m.block(block)
	c.taken += ms
	c.cause = m.cause
}

func (m *moves) block(id int64) *moved {
	if m.blocks == nil {
		m.blocks = map[int64]*moved{}
	}
	if m.blocks[id] == nil {
		m.blocks[id] = &moved{}
	}
	return m.blocks[id]
}

// queue writes the sums. on holds the blocks as they were locked.
func (m *moves) queue(b *pgx.Batch, on shelf, at time.Time) error {
	for _, key := range slices.Sorted(maps.Keys(m.counters)) {
		if q := m.counters[key]; !q.IsZero() {
			b.Queue("update counters set value = value + $2 where key = $1", key, q)
		}
	}
	if err := on.settleEnds(b, m.blocks, at); err != nil {
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(m.blocks)) {
		c := m.blocks[id]
		left := c.granted - c.taken - c.forfeited - c.rolled
		switch {
		case c.granted == 0 && c.forfeited == 0 && c.rolled == 0 && left == 0:
		case c.granted == 0 && c.forfeited == 0 && c.rolled == 0:
			b.Queue("update blocks set remaining_ms = remaining_ms + $2 where id = $1", id, left)
		default:
			b.Queue(`
update blocks set remaining_ms = remaining_ms + $2, granted_ms = granted_ms + $3, forfeited_ms = forfeited_ms + $4, rolled_ms = rolled_ms + $5
where id = $1`, id, left, c.granted, c.forfeited, c.rolled)
		}
	}
	return nil
}
