package postgres

import (
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/shopspring/decimal"
)

// moves sums what one transaction takes from counters and blocks, so that each cached row is
// written once, counters before blocks and both in the order of their keys: the lock order.
type moves struct {
	counters map[string]decimal.Decimal
	blocks   map[int64]int64 // milliseconds taken; negative gives back
}

func (m *moves) count(key string, quantity decimal.Decimal) {
	if m.counters == nil {
		m.counters = map[string]decimal.Decimal{}
	}
	m.counters[key] = m.counters[key].Add(quantity)
}

func (m *moves) draw(block, ms int64) {
	if m.blocks == nil {
		m.blocks = map[int64]int64{}
	}
	m.blocks[block] += ms
}

func (m *moves) queue(b *pgx.Batch) {
	for _, key := range slices.Sorted(maps.Keys(m.counters)) {
		if q := m.counters[key]; !q.IsZero() {
			b.Queue("update counters set value = value + $2 where key = $1", key, q)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(m.blocks)) {
		if ms := m.blocks[id]; ms != 0 {
			b.Queue("update blocks set remaining_ms = remaining_ms - $2 where id = $1", id, ms)
		}
	}
}
