package postgres

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/docket-psa/docket/billing"
)

// lockAllowances takes the shared allowances a decision will read: counters by key, then
// blocks by key. They are read by the locking statement itself, so what it returns is what the
// lock protects. An allowance that its period has not granted yet is granted here, by the key of its period: whoever needs
// it first makes it, so that no schedule can be late.
func (s *Store) lockAllowances(ctx context.Context, t *tx, client string, rows []versionRow, also []string, f *billing.Facts) (shelf, error) {
	wants, on := billing.Want(*f), shelf{}
	wants.Counters = append(wants.Counters, also...)
	if len(wants.Counters)+len(wants.Blocks)+len(wants.Buckets) == 0 {
		return on, nil
	}
	b := t.batch()
	if len(wants.Counters) > 0 {
		keys := append([]string(nil), wants.Counters...)
		sort.Strings(keys)
		b.Queue(`insert into counters (key, client_id) select unnest($1::text[]), $2 on conflict do nothing`, keys, client)
		b.Queue(`select key, value from counters where key = any ($1) order by key for update`, keys).Query(func(rows pgx.Rows) (err error) {
			f.Counters, err = collectCounters(rows)
			return err
		})
	}
	var stock stocks
	if len(wants.Buckets) > 0 {
		var err error
		if stock, err = s.stocks(ctx, t.conn, client, rows, wants.Buckets); err != nil {
			return nil, err
		}
	}
	on.queueWanted(b, wants.Blocks, stock)
	if err := t.send(ctx, b); err != nil {
		return nil, err
	}
	if err := stock.fill(ctx, t, on, f.Ticket.ResolvedAt, func(b *pgx.Batch) { on.queueWanted(b, wants.Blocks, stock) }); err != nil {
		return nil, err
	}
	return on, on.facts(wants, f)
}

// queueWanted locks the bought blocks of the contracts and, of each allowance, what belongs to its period, to the one
// before, and what has rolled over into the one after.
func (s shelf) queueWanted(b *pgx.Batch, contracts []string, stock stocks) {
	if len(stock) == 0 {
		s.queue(b, "where b.contract_id = any ($1) and b.clause = ''", contracts)
		return
	}
	var ids, clauses, froms, tos []string
	for _, k := range stock {
		ids, clauses = append(ids, k.want.Contract), append(clauses, k.want.Clause)
		froms, tos = append(froms, k.before.Start), append(tos, k.want.Period.End)
	}
	s.queue(b, `
where (b.contract_id = any ($1) and b.clause = '') or (b.clause <> '' and exists (
  select from unnest($2::text[], $3::text[], $4::text[], $5::text[]) as w (contract, clause, first, last)
  where b.contract_id = w.contract and b.clause = w.clause and b.period between w.first::date and w.last::date))`,
		contracts, ids, clauses, froms, tos)
}

// returning is what lockReturns finds of what goes back.
type returning struct {
	counters []billing.Counter
	blocks   shelf
	bought   boughtBlocks
}

// charged is a charge with the closing whose decision it is of.
type charged struct {
	closure int64
	charge  billing.Charge
}

// lockReturns locks what reversing and releasing gives back to, in the order of every
// transaction of money: counters by key, then blocks by id. Counters and blocks are read by that lock.
func (s *Store) lockReturns(ctx context.Context, t *tx, client string, charges []charged, holds []waiting, also []string) (r returning, err error) {
	goes, err := gather(ctx, t.conn, charges, holds, also)
	if err != nil {
		return r, err
	}
	r = returning{blocks: shelf{}, bought: goes.bought}
	if len(goes.keys)+len(goes.blocks) == 0 {
		return r, nil
	}
	b := t.batch()
	goes.queueCounters(b, client, &r.counters)
	r.blocks.queue(b, goes.where(), slices.Sorted(maps.Keys(goes.blocks)), goes.lent)
	return r, t.send(ctx, b)
}

// gathered names the counters and the blocks that charges give back to.
type gathered struct {
	keys   map[string]bool
	new    []string // of the keys, those that may have no row yet
	blocks map[int64]bool
	lent   []string // contracts that used hours ahead of a block
	bought boughtBlocks
}

func gather(ctx context.Context, q querier, charges []charged, holds []waiting, also []string) (g gathered, err error) {
	all := slices.Clone(charges)
	for _, h := range holds {
		content, err := h.content()
		if err != nil {
			return g, err
		}
		for _, c := range content.Charges {
			all = append(all, charged{charge: c})
			if h.ClosureID != nil {
				all[len(all)-1].closure = *h.ClosureID
			}
		}
	}
	g = gathered{keys: map[string]bool{}, blocks: map[int64]bool{}, new: slices.Clone(also)}
	if g.bought, err = readBought(ctx, q, all); err != nil {
		return g, err
	}
	for _, c := range all {
		for _, n := range c.charge.Counts {
			g.keys[n.Key] = true
			if contract, ok := strings.CutPrefix(n.Key, billing.OverdrawnKey("")); ok {
				g.lent = append(g.lent, contract)
			}
		}
		g.new = append(g.new, c.charge.BudgetKeys()...)
		for _, d := range c.charge.Draws {
			g.blocks[g.bought.id(c.closure, d.Block)] = true
		}
	}
	for _, key := range g.new {
		g.keys[key] = true
	}
	return g, nil
}

// queueCounters locks and reads the counters, in the order of their keys.
func (g gathered) queueCounters(b *pgx.Batch, client string, into *[]billing.Counter) {
	if len(g.new) > 0 {
		b.Queue("insert into counters (key, client_id) select unnest($1::text[]), $2 on conflict do nothing", sortedKeys(g.new), client)
	}
	b.Queue("select key, value from counters where key = any ($1) order by key for update", slices.Sorted(maps.Keys(g.keys))).Query(func(rows pgx.Rows) (err error) {
		*into, err = collectCounters(rows)
		return err
	})
}

// where finds the blocks: those of $1, what rolled over from them, and those of the contracts $2 that have paid back.
func (gathered) where() string {
	return `
where b.id = any ($1) or b.rolled_from = any ($1)
  or (b.contract_id = any ($2) and exists (select from block_moves m where m.block_id = b.id and m.kind = 'repay'))`
}

func sortedKeys(keys []string) []string {
	keys = slices.Clone(keys)
	slices.Sort(keys)
	return slices.Compact(keys)
}

// boughtBlocks gives the ids of blocks that closings bought, by what their decisions call them.
type boughtBlocks map[boughtBlock]int64

type boughtBlock struct{ closure, provisional int64 }

// id is the block that a draw of a closing's decision names.
func (m boughtBlocks) id(closure, block int64) int64 {
	if block >= 0 {
		return block
	}
	return m[boughtBlock{closure, block}]
}

func readBought(ctx context.Context, q querier, charges []charged) (boughtBlocks, error) {
	var closures []int64
	for _, c := range charges {
		if slices.ContainsFunc(c.charge.Draws, func(d billing.Draw) bool { return d.Block < 0 }) {
			closures = append(closures, c.closure)
		}
	}
	found := boughtBlocks{}
	if len(closures) == 0 {
		return found, nil
	}
	rows, err := q.Query(ctx, "select closure_id, provisional, id from blocks where closure_id = any ($1)", closures)
	if err != nil {
		return nil, fmt.Errorf("find the blocks that were bought: %w", err)
	}
	var (
		key boughtBlock
		id  int64
	)
	if _, err := pgx.ForEachRow(rows, []any{&key.closure, &key.provisional, &id}, func() error { found[key] = id; return nil }); err != nil {
		return nil, fmt.Errorf("find the blocks that were bought: %w", err)
	}
	return found, nil
}

// always is every instant: the versions of a contract that are in force at some time are all that there are.
var always = struct{ from, to time.Time }{time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)}
