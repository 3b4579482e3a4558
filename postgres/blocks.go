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
}

// Block is a block of hours with what is left of it.
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

// GrantBlock gives the contract a block of hours, once for each operation key. A repetition
// answers with the block as it stands now; the same key with other terms is a Problem.
func (s *Store) GrantBlock(ctx context.Context, g BlockGrant) (Block, error) {
	if err := g.problems(); err != nil {
		return Block{}, err
	}
	if err := s.mustExist(ctx, "contract", "contracts", g.Contract, "apply the contract first; `docket contract list` shows them"); err != nil {
		return Block{}, err
	}
	granted := g.Hours.Mul(msPerHour).IntPart()
	var expires *time.Time
	if !g.ExpiresAt.IsZero() {
		expires = &g.ExpiresAt
	}
	// Two grants of the same key: the second waits for the first on the unique key, does
	// nothing, and then reads the first one's row.
	if _, err := s.pool.Exec(ctx, `
		insert into blocks (contract_id, client_id, operation_key, granted_ms, remaining_ms, priority, granted_at, expires_at, price, currency)
		select id, client_id, $2, $3, $3, $4, $5, $6, $7, $8 from contracts where id = $1
		on conflict (operation_key) do nothing`,
		g.Contract, g.OperationKey, granted, g.Priority, g.GrantedAt, expires, g.Price, g.Currency); err != nil {
		return Block{}, fmt.Errorf("grant a block to %s: %w", g.Contract, err)
	}
	rows, err := s.pool.Query(ctx, selectBlocks+" where operation_key = $1", g.OperationKey)
	if err != nil {
		return Block{}, fmt.Errorf("read the granted block: %w", err)
	}
	b, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[Block])
	if err != nil {
		return Block{}, fmt.Errorf("read the granted block: %w", err)
	}
	same := b.Contract == g.Contract && b.GrantedMS == granted && b.Priority == g.Priority && b.GrantedAt.Equal(g.GrantedAt.Truncate(time.Microsecond)) &&
		(b.ExpiresAt == nil) == (expires == nil) && b.Price.Equal(g.Price) && b.Currency == g.Currency &&
		(expires == nil || b.ExpiresAt.Equal(expires.Truncate(time.Microsecond)))
	if !same {
		return b, ticket.Invalid("operation_key", g.OperationKey, "was used for another block", "choose a new key for a new block; repeat a grant unchanged")
	}
	return b, nil
}

const selectBlocks = `
select id, contract_id, client_id, granted_ms, remaining_ms, priority, granted_at, expires_at, price, currency from blocks`

// Blocks lists the blocks of hours, of one contract or, with contract empty, of all.
func (r Reads) Blocks(ctx context.Context, contract string) ([]Block, error) {
	rows, err := r.q.Query(ctx, selectBlocks+" where $1 = '' or contract_id = $1 order by contract_id, priority, expires_at nulls last, id", contract)
	if err != nil {
		return nil, fmt.Errorf("list blocks: %w", err)
	}
	blocks, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Block])
	if err != nil {
		return nil, fmt.Errorf("list blocks: %w", err)
	}
	return blocks, nil
}
