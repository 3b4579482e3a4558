package postgres

import (
	"context"
	"time"

	"github.com/shopspring/decimal"

	"github.com/docket-psa/docket/billing"
)

// tell reads where the counters and blocks that a page wants stood when the period began, and what
// happened to them in it beside the closures of the period: what they took is what the rehearsal does anew.
func (w *whatIf) tell(ctx context.Context, page *whatIfPage) error {
	var keys, contracts []string
	fresh := func(name, key string, into *[]string) {
		if !w.told[key] {
			w.told[key] = true
			*into = append(*into, name)
		}
	}
	for _, c := range page.closures {
		for _, key := range c.wants.Counters {
			fresh(key, key, &keys)
		}
		for _, contract := range c.wants.Blocks {
			fresh(contract, "blocks/"+contract, &contracts)
		}
	}
	if len(keys) > 0 {
		if err := w.tellCounters(ctx, page, keys); err != nil {
			return err
		}
	}
	if len(contracts) > 0 {
		return w.tellBlocks(ctx, page, contracts)
	}
	return nil
}

// beside joins a move m to the closure that made it, and keeps those that no closure of the period
// made: its charge and its hold name the closure.
const beside = `
left join charges ch on ch.id = m.charge_id left join holds h on h.id = m.hold_id left join closures cl on cl.id = coalesce(ch.closure_id, h.closure_id)
where m.at >= $2 and m.at < $3 and (cl.id is null or cl.client_id <> $4 or cl.closed_at < $2 or cl.closed_at >= $3)`

func (w *whatIf) tellCounters(ctx context.Context, page *whatIfPage, keys []string) error {
	stood, err := collect[billing.Counter](ctx, w.tx, "counters", `
		select wanted, coalesce((select sum(m.quantity) from counter_moves m where m.counter = wanted and m.at < $2), 0)
		from unnest($1::text[]) as wanted`, keys, w.from)
	if err != nil {
		return err
	}
	page.counters = stood
	moves, err := collect[struct {
		Key      string
		Quantity decimal.Decimal
		At       time.Time
	}](ctx, w.tx, "moves of counters", "select m.counter, m.quantity, m.at from counter_moves m "+beside+" and m.counter = any ($1) order by m.at, m.id",
		keys, w.from, w.to, w.client)
	if err != nil {
		return err
	}
	for _, m := range moves {
		page.happened = append(page.happened, happening{at: m.At, counts: []billing.Count{{Key: m.Key, Quantity: m.Quantity}}})
	}
	return nil
}

// tellBlocks tells of the blocks of contracts. Those of the contract that the draft replaces are
// the draft's: the client has paid for them.
func (w *whatIf) tellBlocks(ctx context.Context, page *whatIfPage, contracts []string) error {
	page.blocks = make(map[string][]billing.Block, len(contracts))
	for _, contract := range contracts {
		of := contract
		if contract == w.draft.Contract && w.draft.InsteadOf != "" {
			of = w.draft.InsteadOf
		}
		blocks, err := collect[struct {
			ID        int64
			Priority  int
			GrantedAt time.Time
			ExpiresAt time.Time
			LeftMS    int64
		}](ctx, w.tx, "blocks", `
			select id, priority, granted_at, coalesce(expires_at, '0001-01-01 00:00:00Z'),
				granted_ms - coalesce((select sum(m.ms) from block_moves m where m.block_id = b.id and m.at < $2), 0)::bigint
			from blocks b where contract_id = $1 order by id`, of, w.from)
		if err != nil {
			return err
		}
		page.blocks[contract] = []billing.Block{}
		for _, b := range blocks {
			page.blocks[contract] = append(page.blocks[contract], billing.Block{
				ID: b.ID, Contract: contract, Priority: b.Priority, GrantedAt: b.GrantedAt.UTC(), ExpiresAt: b.ExpiresAt.UTC(), LeftMS: b.LeftMS,
			})
		}
		moves, err := collect[struct {
			billing.Draw
			At time.Time
		}](ctx, w.tx, "moves of blocks", `
			select m.block_id, m.ms, m.at from block_moves m join blocks b on b.id = m.block_id `+beside+" and b.contract_id = $1 order by m.at, m.id",
			of, w.from, w.to, w.client)
		if err != nil {
			return err
		}
		for _, m := range moves {
			page.happened = append(page.happened, happening{at: m.At, draws: []billing.Draw{m.Draw}})
		}
	}
	return nil
}
