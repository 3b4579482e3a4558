package postgres

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"github.com/docket-psa/docket/billing"
)

// tell reads where the counters and blocks that a page wants stood when the period began, and what
// happened to them since beside the closures since then: what those took is what the rehearsal
// does anew, and so are grants of allowances and their ends.
func (w *whatIf) tell(ctx context.Context, page *whatIfPage) error {
	var keys, bought []string
	var buckets []billing.BucketWant
	fresh := func(name string) bool {
		known := w.told[name]
		w.told[name] = true
		return !known
	}
	for _, c := range page.closures {
		for _, key := range c.wants.Counters {
			if fresh(key) {
				keys = append(keys, key)
			}
		}
		for _, contract := range c.wants.Blocks {
			if fresh("blocks of " + contract) {
				bought = append(bought, contract)
			}
		}
		for _, b := range c.wants.Buckets {
			if fresh("bucket " + b.Clause + " of " + b.Contract) {
				buckets = append(buckets, b)
			}
		}
	}
	if len(keys)+len(bought)+len(buckets) == 0 {
		return nil
	}
	return w.byStatistics(ctx, func() error {
		for _, contract := range bought {
			if err := w.tellBought(ctx, page, contract); err != nil {
				return err
			}
		}
		for _, b := range buckets {
			if err := w.tellBucket(ctx, page, b.Contract, b.Clause); err != nil {
				return err
			}
		}
		if len(keys) == 0 {
			return nil
		}
		return w.tellCounters(ctx, page, keys)
	})
}

// byStatistics reads what is no few rows, unlike a page: what happened to a counter.
func (w *whatIf) byStatistics(ctx context.Context, read func() error) error {
	w.reading.Lock()
	defer w.reading.Unlock()
	if _, err := w.tx.Exec(ctx, byStatistics); err != nil {
		return err
	}
	if err := read(); err != nil {
		return err
	}
	_, err := w.tx.Exec(ctx, byKeys)
	return err
}

// beside joins a move m to the closure that made it, and keeps those that no closure since the
// period's begin made: its charge or its hold names the closure. Blocks pay back what was used ahead of them
// in the rehearsal.
const beside = `
left join charges ch on ch.id = m.charge_id left join holds h on h.id = m.hold_id left join closures cl on cl.id = coalesce(ch.closure_id, h.closure_id)
where m.at >= $2 and m.kind not in ('repay', 'forfeit', 'restore', 'roll', 'unroll') and (cl.closed_at is null or cl.closed_at < $2)`

// toldCounter is where a counter stood, and how it moved since.
type toldCounter struct {
	billing.Counter
	happened []happening
}

func (w *whatIf) tellCounters(ctx context.Context, page *whatIfPage, keys []string) error {
	counters, err := collect[billing.Counter](ctx, w.tx, "counters", `
		select wanted, coalesce((select sum(m.quantity) from counter_moves m where m.counter = wanted and m.at < $2), 0)
		from unnest($1::text[]) as wanted`, keys, w.from)
	if err != nil {
		return err
	}
	moves, err := collect[struct {
		Key      string
		Quantity decimal.Decimal
		At       time.Time
	}](ctx, w.tx, "moves of counters", "select m.counter, m.quantity, m.at from counter_moves m "+beside+" and m.counter = any ($1) order by m.at, m.id",
		keys, w.from)
	if err != nil {
		return err
	}
	for _, c := range counters {
		told := toldCounter{Counter: c}
		for _, m := range moves {
			if m.Key == c.Key {
				told.happened = append(told.happened, happening{at: m.At, counts: []billing.Count{{Key: m.Key, Quantity: m.Quantity}}})
			}
		}
		page.counters = append(page.counters, told)
	}
	return nil
}

// tellBought tells of the blocks that a contract has bought. Those of the contract that the draft
// replaces are the draft's: the client has paid for them. What closures since the period's begin bought
// by themselves is not among them: the rehearsal buys its own.
func (w *whatIf) tellBought(ctx context.Context, page *whatIfPage, contract string) error {
	of := contract
	if contract == w.draft.Contract && w.draft.InsteadOf != "" {
		of = w.draft.InsteadOf
	}
	blocks, err := w.readHours(ctx, `
		b.contract_id = $1 and b.clause = '' and b.cancelled_at is null
		and not exists (select from closures cl where cl.id = b.closure_id and cl.closed_at >= $2)`, of)
	if err != nil {
		return err
	}
	for i := range blocks {
		blocks[i].Contract = contract
		blocks[i].Buys = !blocks[i].EnteredAt.Before(w.from)
	}
	// As they came on the books, since the one that paid back last gives back first.
	slices.SortFunc(blocks, func(a, b billing.HeldHours) int { return cmp.Compare(a.ID, b.ID) })
	page.bought = append(page.bought, boughtHours{contract: contract, blocks: blocks})
	return w.tellMoves(ctx, page, "b.contract_id = $1 and b.clause = ''", of)
}

type boughtHours struct {
	contract string
	blocks   []billing.HeldHours
}

// tellBucket tells of what a clause's bucket granted before the period.
func (w *whatIf) tellBucket(ctx context.Context, page *whatIfPage, contract, clause string) error {
	versions, since, err := w.versionsOf(ctx, contract)
	if err != nil {
		return err
	}
	told := bucketHours{contract: contract, clause: clause, Allowances: billing.Allowances{Versions: versions, Since: since}}
	// Where it is another contract's, its allowances are not the draft's.
	if told.Hours, err = w.readHours(ctx, `
		b.contract_id = $1 and b.clause = $3 and (exists (select from block_grants g where g.block_id = b.id and g.at < $2)
			or exists (select from blocks f where f.id = b.rolled_from and f.ended_at < $2))`, contract, clause); err != nil {
		return err
	}
	page.buckets = append(page.buckets, told)
	return w.tellMoves(ctx, page, "b.contract_id = $1 and b.clause = $3", contract, clause)
}

type bucketHours struct {
	contract, clause string
	billing.Allowances
}

// readHours reads blocks as they stood when the period began. When one came on the books its sale tells; one
// that was not sold on an invoice is taken to have come when it counts from. The condition may name the contract
// ($1), the instant ($2) and more.
func (w *whatIf) readHours(ctx context.Context, where, contract string, more ...any) ([]billing.HeldHours, error) {
	rows, err := collect[struct {
		ID         int64
		Contract   string
		Clause     string
		Period     string
		Priority   int
		GrantedAt  time.Time
		ExpiresAt  time.Time
		GrantedMS  int64
		TakenMS    int64
		RepaidMS   int64
		RolloverMS int64
		RolledFrom int64
		Ended      bool
		SoldUnpaid bool
		PaidAt     *time.Time
		EnteredAt  time.Time
	}](ctx, w.tx, "blocks", `
		select b.id, b.contract_id, b.clause, coalesce(b.period::text, ''), b.priority, b.granted_at, coalesce(b.expires_at, '0001-01-01 00:00:00Z'),
			case when b.clause = '' then b.granted_ms else coalesce((select sum(g.ms) from block_grants g where g.block_id = b.id and g.at < $2), 0)::bigint end,
			coalesce((select sum(m.ms) from block_moves m where m.block_id = b.id and m.at < $2 and m.kind not in ('forfeit', 'restore', 'roll', 'unroll')), 0)::bigint,
			coalesce((select sum(m.ms) from block_moves m where m.block_id = b.id and m.at < $2 and m.kind = 'repay'), 0)::bigint,
			b.rollover_ms, coalesce(b.rolled_from, 0), coalesce(b.ended_at < $2, false), b.sold_unpaid, b.paid_at,
			coalesce((select p.at from postings p where p.key = 'sale/' || b.operation_key), b.granted_at)
		from blocks b where `+where+` order by b.granted_at, b.id`, append([]any{contract, w.from}, more...)...)
	if err != nil {
		return nil, err
	}
	hours := make([]billing.HeldHours, 0, len(rows))
	for _, r := range rows {
		h := billing.HeldHours{
			Block: billing.Block{
				ID: r.ID, Contract: r.Contract, Clause: r.Clause, Period: r.Period, Priority: r.Priority, GrantedAt: r.GrantedAt.UTC(),
				ExpiresAt: r.ExpiresAt.UTC(), GrantedMS: r.GrantedMS, RolledFrom: r.RolledFrom,
			},
			TakenMS: r.TakenMS, RepaidMS: r.RepaidMS, RolloverMS: r.RolloverMS, Ended: r.Ended && r.Clause != "", SoldUnpaid: r.SoldUnpaid, EnteredAt: r.EnteredAt,
		}
		if r.PaidAt != nil {
			h.PaidAt = r.PaidAt.UTC()
		}
		hours = append(hours, h)
	}
	return hours, nil
}

func (w *whatIf) tellMoves(ctx context.Context, page *whatIfPage, where, contract string, more ...any) error {
	moves, err := collect[struct {
		Block int64
		MS    int64
		At    time.Time
	}](ctx, w.tx, "moves of blocks", "select m.block_id, m.ms, m.at from block_moves m join blocks b on b.id = m.block_id "+beside+" and "+where+" order by m.at, m.id",
		append([]any{contract, w.from}, more...)...)
	if err != nil {
		return err
	}
	for _, m := range moves {
		page.happened = append(page.happened, happening{at: m.At, draws: []billing.Draw{{Block: m.Block, MS: m.MS}}})
	}
	return nil
}

// versionsOf gives all versions of a contract as they would be, with the draft among them, and since
// when the contract is on the books; a new one since the period began.
func (w *whatIf) versionsOf(ctx context.Context, contract string) ([]billing.Version, time.Time, error) {
	rows, err := collect[versionRow](ctx, w.tx, "versions", `
		select distinct on (effective_from) contract_id, revision, digest from contract_versions where contract_id = $1
		order by effective_from, revision desc`, contract)
	if err != nil {
		return nil, w.from, err
	}
	versions, err := w.store.versions(ctx, w.tx, rows, always.from, always.to)
	if err != nil {
		return nil, w.from, err
	}
	if contract == w.draft.Contract {
		versions = append(versions, w.draft.Version)
	}
	since := w.from
	if len(rows) > 0 {
		err = w.tx.QueryRow(ctx, "select created_at from contracts where id = $1", contract).Scan(&since)
	}
	return slices.Clip(versions), since, err
}
