package postgres

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/docket-psa/docket/billing"
)

// shelf holds the blocks that a transaction has locked, by id.
type shelf map[int64]*shelved

// shelved is one block's row under its lock.
type shelved struct {
	ID          int64
	Contract    string
	Client      string
	Clause      string
	Period      string // first day, YYYY-MM-DD; empty: bought
	Revision    int
	Priority    int
	Currency    string
	GrantedAt   time.Time
	ExpiresAt   time.Time // zero: never
	GrantedMS   int64
	LeftMS      int64
	ForfeitedMS int64
	RolledMS    int64
	RolloverMS  int64
	RolledFrom  int64
	RolledInto  int64
	EndedAt     *time.Time
	Unpaid      bool
	Cancelled   bool
}

// selectShelved ends before its where clause. It locks what it finds, in the order of ids, when lockShelved follows.
const (
	selectShelved = `
select b.id, b.contract_id, b.client_id, b.clause, coalesce(b.period::text, ''), b.revision, b.priority, b.currency, b.granted_at,
  coalesce(b.expires_at, '0001-01-01 00:00:00Z'), b.granted_ms, b.remaining_ms, b.forfeited_ms, b.rolled_ms, b.rollover_ms,
  coalesce(b.rolled_from, 0), coalesce((select r.id from blocks r where r.rolled_from = b.id), 0), b.ended_at,
  b.sold_unpaid and b.paid_at is null, b.cancelled_at is not null
from blocks b `
	lockShelved = " order by b.id for update of b"
)

// queue locks and reads what the condition finds, and puts it on the shelf.
func (s shelf) queue(b *pgx.Batch, where string, args ...any) {
	b.Queue(selectShelved+where+lockShelved, args...).Query(s.scan)
}

func (s shelf) scan(rows pgx.Rows) error {
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[shelved])
	for i := range found {
		f := &found[i]
		f.GrantedAt, f.ExpiresAt = f.GrantedAt.UTC(), f.ExpiresAt.UTC()
		s[f.ID] = f
	}
	return err
}

// base finds the hours that a clause's bucket granted for the period that begins on a date; nil: none yet.
func (s shelf) base(contract, clause, period string) *shelved {
	for _, row := range s {
		if row.Contract == contract && row.Clause == clause && row.Period == period && row.RolledFrom == 0 {
			return row
		}
	}
	return nil
}

// facts gives the blocks that a decision may draw from: the bought ones, the allowances that are wanted, and what has
// rolled over from those.
func (s shelf) facts(wants billing.Wants, f *billing.Facts) error {
	for _, id := range slices.Sorted(maps.Keys(s)) {
		row := s[id]
		if row.Cancelled || !s.wanted(wants, row) {
			continue
		}
		b := billing.Block{
			ID: row.ID, Contract: row.Contract, Priority: row.Priority, GrantedAt: row.GrantedAt, ExpiresAt: row.ExpiresAt, LeftMS: row.LeftMS,
			Clause: row.Clause, Unpaid: row.Unpaid, ForfeitedMS: row.ForfeitedMS, RolledMS: row.RolledMS, GrantedMS: row.GrantedMS,
			Period: row.Period, RolledFrom: row.RolledFrom,
		}
		if row.RolledMS > 0 {
			b.RolledInto = row.RolledInto
		}
		if row.Clause == "" {
			earliest, err := earliest(f.Contracts, b)
			if err != nil {
				return err
			}
			b.EarliestAt = earliest
		}
		f.Blocks = append(f.Blocks, b)
	}
	return nil
}

func (s shelf) wanted(wants billing.Wants, row *shelved) bool {
	is := func(row *shelved) bool {
		return slices.ContainsFunc(wants.Buckets, func(w billing.BucketWant) bool {
			return w.Contract == row.Contract && w.Clause == row.Clause && w.Period.Start == row.Period
		})
	}
	if row.Clause == "" {
		return slices.Contains(wants.Blocks, row.Contract)
	}
	from := s[row.RolledFrom]
	return is(row) || (from != nil && is(from))
}

// earliest gives the instant from which a bought block pays for work, where that is before it was bought: else zero.
func earliest(versions []billing.Version, b billing.Block) (time.Time, error) {
	at := b.GrantedAt
	for _, v := range versions {
		if v.Contract != b.Contract {
			continue
		}
		from, err := v.Terms.EarliestOf(b.GrantedAt)
		if err != nil {
			return at, fmt.Errorf("contract %s: %w", v.Contract, err)
		}
		if from.Before(at) {
			at = from
		}
	}
	if at.Equal(b.GrantedAt) {
		return time.Time{}, nil
	}
	return at, nil
}

// moved is what one transaction does to a block's row.
type moved struct {
	taken     int64 // drawn and reserved less what came back; negative: given back
	granted   int64
	forfeited int64
	rolled    int64
	cause     string // the charge, hold or closing that moved it last
}

// settleEnds adds what goes with the moves of blocks whose end is on record: hours that are taken come back first, hours
// that are given back roll over or expire again.
func (s shelf) settleEnds(b *pgx.Batch, changes map[int64]*moved, at time.Time) error {
	ids := slices.SortedFunc(maps.Keys(changes), func(x, y int64) int {
		return cmp.Or(cmp.Compare(s.rolledFrom(x), s.rolledFrom(y)), cmp.Compare(x, y)) // a block before what rolled over from it
	})
	for i := 0; i < len(ids); i++ {
		row, change := s[ids[i]], changes[ids[i]]
		if row == nil || row.EndedAt == nil {
			continue
		}
		into, err := s.end(b, row, change, changes, at)
		if err != nil {
			return err
		}
		if into != 0 && !slices.Contains(ids, into) {
			ids = append(ids, into)
		}
	}
	return nil
}

func (s shelf) rolledFrom(id int64) int64 {
	if row := s[id]; row != nil {
		return row.RolledFrom
	}
	return 0
}

// end queues the moves that keep an ended block empty, and gives the block that hours rolled into or came back from.
func (s shelf) end(b *pgx.Batch, row *shelved, change *moved, changes map[int64]*moved, at time.Time) (into int64, err error) {
	ended := billing.EndedBlock{LeftMS: row.LeftMS, ForfeitedMS: row.ForfeitedMS, RolledMS: row.RolledMS}
	if row.RolledInto != 0 {
		ended.RolloverMS = row.RolloverMS
	}
	m, err := ended.After(change.taken - change.granted)
	if err != nil {
		return 0, fmt.Errorf("block %d has ended: %w", row.ID, err)
	}
	key := func(what string) string {
		if change.cause == "" {
			return fmt.Sprintf("%s/%d", what, row.ID)
		}
		return fmt.Sprintf("%s/%d/%s", what, row.ID, change.cause)
	}
	if m.Restores > 0 {
		queueUndo(b, row, "restore", "forfeit", m.Restores, 0, key("restore"), at)
	}
	if m.Unrolls > 0 {
		queueUndo(b, row, "unroll", "roll", m.Unrolls, row.RolledInto, key("unroll"), at)
		queueBlockGrant(b, s[row.RolledInto], -m.Unrolls, row.ID, key("unrolled"), at)
	}
	if m.Forfeits > 0 {
		queueEndMove(b, row, "forfeit", m.Forfeits, 0, key("forfeit"), at)
	}
	if m.Rolls > 0 {
		queueEndMove(b, row, "roll", m.Rolls, row.RolledInto, key("roll"), at)
		queueBlockGrant(b, s[row.RolledInto], m.Rolls, row.ID, key("rolled"), at)
	}
	change.forfeited += m.Forfeits - m.Restores
	change.rolled += m.Rolls - m.Unrolls
	if m.Rolls == m.Unrolls {
		return 0, nil
	}
	next := changes[row.RolledInto]
	if next == nil {
		next = &moved{}
		changes[row.RolledInto] = next
	}
	next.granted += m.Rolls - m.Unrolls
	next.cause = cmp.Or(next.cause, change.cause, fmt.Sprintf("rolled-%d", row.ID))
	return row.RolledInto, nil
}

func queueEndMove(b *pgx.Batch, row *shelved, kind string, ms, into int64, key string, at time.Time) {
	b.Queue(`
insert into block_moves (block_id, client_id, kind, ms, into_block, operation_key, at) values ($1, $2, $3, $4, nullif($5::bigint, 0), $6, $7)`,
		row.ID, row.Client, kind, ms, into, key, at)
}

// queueUndo undoes moves of a kind, linked to the last of them.
func queueUndo(b *pgx.Batch, row *shelved, kind, undoes string, ms, into int64, key string, at time.Time) {
	b.Queue(`
insert into block_moves (block_id, client_id, kind, ms, into_block, undoes, operation_key, at)
values ($1, $2, $3, $4, nullif($5::bigint, 0), (select max(id) from block_moves where block_id = $1 and kind = $6), $7, $8)`,
		row.ID, row.Client, kind, -ms, into, undoes, key, at)
}

func queueBlockGrant(b *pgx.Batch, row *shelved, ms, from int64, key string, at time.Time) {
	b.Queue(`
insert into block_grants (operation_key, block_id, client_id, ms, revision, from_block, at) values ($1, $2, $3, $4, $5, nullif($6::bigint, 0), $7)`,
		key, row.ID, row.Client, ms, row.Revision, from, at)
}
