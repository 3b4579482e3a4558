package postgres

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/docket-psa/docket/billing"
)

// stocked is one allowance that a transaction needs, with what its contract grants in its period and in the one before.
type stocked struct {
	client string
	want   billing.BucketWant
	before billing.Period
	now    *billing.Allowance // nil: the period grants nothing
	last   *billing.Allowance // of the period before; nil: it granted nothing, or was over before the books began
}

type stocks []stocked

// stocks finds what the contracts grant. rows are the versions of the client's contracts that count.
func (s *Store) stocks(ctx context.Context, q querier, client string, rows []versionRow, wants []billing.BucketWant) (stocks, error) {
	var found stocks
	for _, w := range wants {
		own := slices.DeleteFunc(slices.Clone(rows), func(r versionRow) bool { return r.Contract != w.Contract })
		versions, err := s.versions(ctx, q, own, always.from, always.to)
		if err != nil {
			return nil, err
		}
		k := stocked{client: client, want: w, before: billing.PeriodBefore(versions, w.Period)}
		k.now = allowed(versions, w.Clause, w.Period)
		k.last = allowed(versions, w.Clause, k.before)
		found = append(found, k)
	}
	return found, nil
}

func allowed(versions []billing.Version, clause string, p billing.Period) *billing.Allowance {
	if a, ok := billing.Allow(versions, clause, p); ok {
		return &a
	}
	return nil
}

// fill makes what is missing on the shelf: the grant of each period, and the end of the period before, whose unused hours
// roll over up to their limit and otherwise expire. look locks and reads the shelf again; it is called as long as
// something was made. Nothing is made where all of it is there, as with every closing of a period but its first.
func (k stocks) fill(ctx context.Context, t *tx, on shelf, at time.Time, look func(*pgx.Batch)) error {
	const most = 5 // grants, what rolls over, the end; each sees what the one before made
	for range most {
		b := t.batch()
		before := b.Len()
		for i := range k {
			if err := k[i].make(ctx, t, b, on, at); err != nil {
				return err
			}
		}
		if b.Len() == before {
			return nil
		}
		look(b)
		if err := t.send(ctx, b); err != nil {
			return fmt.Errorf("grant the allowance of %s: %w", k[0].want.Contract, err)
		}
	}
	return nil
}

// make queues what is missing of one allowance, one step at a time.
func (k *stocked) make(ctx context.Context, t *tx, b *pgx.Batch, on shelf, at time.Time) error {
	if k.now != nil {
		base := on.base(k.want.Contract, k.want.Clause, k.want.Period.Start)
		switch {
		case base == nil:
			queueAllowance(b, *k.now, k.client, at)
		case base.EndedAt == nil && k.now.MS > base.GrantedMS:
			queueAdded(b, base, *k.now, at)
		}
	}
	last := on.base(k.want.Contract, k.want.Clause, k.before.Start)
	if last == nil && k.last != nil {
		kept, err := keptBooks(ctx, t.conn, k.want.Contract, k.last.Until)
		if err != nil {
			return err
		}
		if !kept {
			k.last = nil
			return nil
		}
		queueAllowance(b, *k.last, k.client, at)
		return nil
	}
	for _, id := range slices.Sorted(maps.Keys(on)) {
		row := on[id]
		if row.Contract != k.want.Contract || row.Clause != k.want.Clause || row.Period != k.before.Start || row.EndedAt != nil {
			continue
		}
		if err := on.queueEnd(b, row, k.now, at); err != nil {
			return err
		}
	}
	return nil
}

// keptBooks says whether the contract was on the books before an instant. What a client had left before that, nobody knows.
func keptBooks(ctx context.Context, q querier, contract string, before time.Time) (kept bool, err error) {
	if err := q.QueryRow(ctx, "select created_at < $2 from contracts where id = $1", contract, before).Scan(&kept); err != nil {
		return false, fmt.Errorf("find contract %s: %w", contract, err)
	}
	return kept, nil
}

// queueEnd puts the end of a block on record. What is left rolls over into the allowance that follows, if one does. The
// block for it is made first, and the end follows when it is locked.
func (s shelf) queueEnd(b *pgx.Batch, row *shelved, next *billing.Allowance, at time.Time) error {
	if row.RolloverMS > 0 && next != nil && row.RolledInto == 0 {
		b.Queue(`
insert into blocks (contract_id, client_id, operation_key, granted_ms, remaining_ms, priority, granted_at, expires_at, currency, clause, revision, period, rolled_from)
select contract_id, client_id, 'rolled/' || id, 0, 0, $2, $3, $4, currency, clause, $5, $6::text::date, id from blocks where id = $1
on conflict (operation_key) do nothing`,
			row.ID, next.Rolled, next.From, next.Until, next.Revision, next.Period.Start)
		return nil
	}
	changes := map[int64]*moved{row.ID: {}}
	into, err := s.end(b, row, changes[row.ID], changes, at)
	if err != nil {
		return err
	}
	c := changes[row.ID]
	b.Queue(`
update blocks set ended_at = $2, remaining_ms = 0, forfeited_ms = forfeited_ms + $3, rolled_ms = rolled_ms + $4 where id = $1`,
		row.ID, at, c.forfeited, c.rolled)
	if into != 0 {
		b.Queue("update blocks set remaining_ms = remaining_ms + $2, granted_ms = granted_ms + $2 where id = $1", into, changes[into].granted)
	}
	return nil
}

// queueAllowance grants a period's hours, once for the key of contract, clause and period.
func queueAllowance(b *pgx.Batch, a billing.Allowance, client string, at time.Time) {
	b.Queue(`
with granted as (
  insert into blocks (contract_id, client_id, operation_key, granted_ms, remaining_ms, priority, granted_at, expires_at, currency, clause, revision, period, rollover_ms)
  values ($1, $2, $3, $4, $4, $5, $6, $7, $8, $9, $10, $11::text::date, $12)
  on conflict (operation_key) do nothing returning id
)
insert into block_grants (operation_key, block_id, client_id, ms, revision, at) select $3, id, $2, $4, $10, $13 from granted`,
		a.Contract, client, a.Key(), a.MS, a.Base, a.From, a.Until, a.Currency, a.Clause, a.Revision, a.Period.Start, a.RolloverMS, at)
}

// queueAdded adds what a version grants that was applied after the period's grant.
func queueAdded(b *pgx.Batch, base *shelved, a billing.Allowance, at time.Time) {
	b.Queue(`
with added as (
  insert into block_grants (operation_key, block_id, client_id, ms, revision, at) values ($2, $1, $3, $4, $5, $6)
  on conflict (operation_key) do nothing returning ms
)
update blocks set granted_ms = granted_ms + added.ms, remaining_ms = remaining_ms + added.ms from added where id = $1`,
		base.ID, a.AddedKey(), base.Client, a.MS-base.GrantedMS, a.Latest, at)
}
