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
	Unpaid       bool            `json:"unpaid,omitempty"` // until PayBlock says that it is paid; one whose price is a line of ours is unpaid until that line's invoice is paid
	Billed       bool            `json:"billed,omitempty"` // its price is on an invoice elsewhere: no line posts
	By           string          `json:"by,omitempty"`     // person id
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
