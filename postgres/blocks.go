package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/shopspring/decimal"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

// BlockGrant is a block of hours that a client bought.
type BlockGrant struct {
	OperationKey string          `json:"operation_key"` // the same grant twice is one block
	Contract     string          `json:"contract"`
	Hours        decimal.Decimal `json:"hours"`
	Priority     int             `json:"priority"` // lower draws first
	GrantedAt    time.Time       `json:"granted_at"`
	ExpiresAt    time.Time       `json:"expires_at,omitzero"` // exclusive; zero: never
	Price        decimal.Decimal `json:"price"`               // what the client paid for it
	Currency     string          `json:"currency"`
	Unpaid       bool            `json:"unpaid,omitempty"` // until PayBlock says that its invoice is paid
}

// Block is a block of hours with what is left of it: bought, or an allowance that a period grants.
type Block struct {
	ID          int64           `json:"id"`
	Contract    string          `json:"contract"`
	Client      string          `json:"client"`
	GrantedMS   int64           `json:"granted_ms"`
	RemainingMS int64           `json:"remaining_ms"` // neither drawn nor reserved by a hold
	Priority    int             `json:"priority"`
	GrantedAt   time.Time       `json:"granted_at"`
	ExpiresAt   *time.Time      `json:"expires_at,omitempty"`
	Price       decimal.Decimal `json:"price"`
	Currency    string          `json:"currency"`
	Clause      string          `json:"clause,omitempty"`       // of the line whose bucket granted it; empty: bought
	Period      string          `json:"period,omitempty"`       // first day of the billing period that it is for
	RolledFrom  int64           `json:"rolled_from,omitempty"`  // the block whose hours were left over
	ForfeitedMS int64           `json:"forfeited_ms,omitempty"` // expired unused
	RolledMS    int64           `json:"rolled_ms,omitempty"`    // gone into the next period
	EndedAt     *time.Time      `json:"ended_at,omitempty"`     // when its end was put on record
	Unpaid      bool            `json:"unpaid,omitempty"`
	CancelledAt *time.Time      `json:"cancelled_at,omitempty"`
	Low         bool            `json:"low,omitempty"` // so little is left that the next one should be ordered
}

var (
	msPerHour = decimal.NewFromInt(time.Hour.Milliseconds())
	mostHours = decimal.NewFromInt(100_000)
)

func (g BlockGrant) problems() error {
	errs := []error{named("operation_key", g.OperationKey), wellFormed("contract", g.Contract)}
	if ms := g.Hours.Mul(msPerHour); !g.Hours.IsPositive() || !ms.IsInteger() || g.Hours.GreaterThan(mostHours) {
		errs = append(errs, ticket.Invalid("hours", g.Hours, "is not a number of hours", "give more than 0 and at most 100000, to the millisecond"))
	}
	if g.GrantedAt.IsZero() {
		errs = append(errs, ticket.Invalid("granted_at", "", "is empty", "say from when the block can be drawn"))
	}
	if !g.ExpiresAt.IsZero() && !g.ExpiresAt.After(g.GrantedAt) {
		errs = append(errs, ticket.Invalid("expires_at", g.ExpiresAt.Format(time.RFC3339), "is not after granted_at", "give a later time, or none"))
	}
	if g.Price.IsNegative() {
		errs = append(errs, ticket.Invalid("price", g.Price, "is negative", "give what the block was sold for, 0 or more"))
	}
	if _, ok := billing.MinorUnits(g.Currency); !ok {
		errs = append(errs, ticket.Invalid("currency", g.Currency, "is not an ISO 4217 currency", "give a code such as USD"))
	}
	return errors.Join(errs...)
}

// GrantBlock gives the contract a block of hours, once for each operation key. It pays back what was used ahead of it. A
// repetition answers with the block as it stands now; the same key with other terms is a Problem.
func (s *Store) GrantBlock(ctx context.Context, g BlockGrant) (block Block, err error) {
	if err := g.problems(); err != nil {
		return Block{}, err
	}
	if err := s.mustExist(ctx, "contract", "contracts", g.Contract, "apply the contract first; `docket contract list` shows them"); err != nil {
		return Block{}, err
	}
	granted := g.Hours.Mul(msPerHour).IntPart()
	err = s.tx(ctx, "grant a block to "+g.Contract, func(t *tx) error {
		var lent decimal.Decimal
		made := shelved{Contract: g.Contract, LeftMS: granted}
		b := t.batch()
		// The counter is locked first, as every closing does that uses hours ahead of a block.
		b.Queue("insert into counters (key, client_id) select $1, client_id from contracts where id = $2 on conflict do nothing",
			billing.OverdrawnKey(g.Contract), g.Contract)
		b.Queue("select value from counters where key = $1 for update", billing.OverdrawnKey(g.Contract)).QueryRow(func(row pgx.Row) error {
			return row.Scan(&lent)
		})
		// Two grants of the same key: the second waits for the first, and then does nothing.
		b.Queue(`
insert into blocks (contract_id, client_id, operation_key, granted_ms, remaining_ms, priority, granted_at, expires_at, price, currency, sold_unpaid)
select id, client_id, $2, $3, $3, $4, $5, nullif($6::timestamptz, '0001-01-01 00:00:00Z'), $7, $8, $9 from contracts where id = $1
on conflict (operation_key) do nothing returning id, client_id`,
			g.Contract, g.OperationKey, granted, g.Priority, g.GrantedAt, g.ExpiresAt, g.Price, g.Currency, g.Unpaid).Query(func(rows pgx.Rows) error {
			_, err := pgx.ForEachRow(rows, []any{&made.ID, &made.Client}, func() error { return nil })
			return err
		})
		if err := t.send(ctx, b); err != nil {
			return err
		}
		b = t.batch()
		if made.ID != 0 {
			var m moves
			queueRepayment(b, &m, &made, granted, lent, s.now())
			if err := m.queue(b, shelf{}, s.now()); err != nil {
				return err
			}
		}
		b.Queue(selectBlocks+" where operation_key = $1", g.OperationKey).Query(func(rows pgx.Rows) error {
			block, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[Block])
			return err
		})
		return t.commit(ctx, b)
	})
	if err != nil {
		return Block{}, err
	}
	if !g.made(block) {
		return block, ticket.Invalid("operation_key", g.OperationKey, "was used for another block", "choose a new key for a new block; repeat a grant unchanged")
	}
	return block, nil
}

// made says whether the block is the one that was asked for.
func (g BlockGrant) made(b Block) bool {
	expires := time.Time{}
	if b.ExpiresAt != nil {
		expires = *b.ExpiresAt
	}
	return b.Contract == g.Contract && b.GrantedMS == g.Hours.Mul(msPerHour).IntPart() && b.Priority == g.Priority &&
		b.GrantedAt.Equal(g.GrantedAt.Truncate(time.Microsecond)) && expires.Equal(g.ExpiresAt.Truncate(time.Microsecond)) &&
		b.Price.Equal(g.Price) && b.Currency == g.Currency && b.Clause == ""
}

const selectBlocks = `
select id, contract_id, client_id, granted_ms, remaining_ms, priority, granted_at, expires_at, price, currency, clause,
  coalesce(period::text, ''), coalesce(rolled_from, 0), forfeited_ms, rolled_ms, ended_at, sold_unpaid and paid_at is null, cancelled_at, false
from blocks`

// Blocks lists the blocks of hours, of one contract or, with contract empty, of all: what was bought, then allowances by
// their periods, those that nothing rolled over into left out.
func (r Reads) Blocks(ctx context.Context, contract string) ([]Block, error) {
	return r.blocks(ctx, `
where ($1 = '' or contract_id = $1) and (granted_ms > 0 or clause = '')
order by contract_id, clause, period, rolled_from nulls first, priority, expires_at nulls last, id`, contract)
}

func (r Reads) blocks(ctx context.Context, where string, args ...any) ([]Block, error) {
	rows, err := r.q.Query(ctx, selectBlocks+where, args...)
	if err != nil {
		return nil, fmt.Errorf("list blocks: %w", err)
	}
	blocks, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Block])
	if err != nil {
		return nil, fmt.Errorf("list blocks: %w", err)
	}
	return blocks, nil
}
