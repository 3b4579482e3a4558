package postgres

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/shopspring/decimal"

	"github.com/docket-psa/docket/billing"
)

// buy makes the blocks that a decision buys, and puts them on the shelf. A block that somebody else has bought by the
// same key meanwhile starts the closing again, which then finds it.
func (p posting) buy(ctx context.Context, t *tx, grants []billing.Grant, on shelf) (boughtBlocks, error) {
	if len(grants) == 0 {
		return nil, nil
	}
	bought := boughtBlocks{}
	b := t.batch()
	for _, g := range grants {
		b.Queue(`
insert into blocks (contract_id, client_id, operation_key, granted_ms, remaining_ms, priority, granted_at, expires_at, price, currency,
  revision, sold_unpaid, closure_id, provisional)
values ($1, $2, $3, $4, $4, $5, $6, nullif($7::timestamptz, '0001-01-01 00:00:00Z'), $8, $9, $10, $11, $12, $13) returning id`,
			g.Contract, p.ticket.ClientID, g.Key, g.MS, g.Priority, g.GrantedAt, g.ExpiresAt, g.Price, g.Currency, g.Revision,
			!g.Price.IsZero(), p.closure, g.Block).QueryRow(func(row pgx.Row) error {
			made := &shelved{
				Contract: g.Contract, Client: p.ticket.ClientID, Revision: g.Revision, Priority: g.Priority, Currency: g.Currency,
				GrantedAt: g.GrantedAt, ExpiresAt: g.ExpiresAt, GrantedMS: g.MS, LeftMS: g.MS,
			}
			if err := row.Scan(&made.ID); err != nil {
				return err
			}
			on[made.ID] = made
			bought[boughtBlock{p.closure, g.Block}] = made.ID
			return nil
		})
	}
	if err := t.send(ctx, b); err != nil {
		return nil, fmt.Errorf("buy the next block: %w", err)
	}
	return bought, nil
}

// repay lets the blocks that a decision bought pay back what had been used ahead of them, from what the decision leaves.
func (p posting) repay(b *pgx.Batch, m *moves, facts billing.Facts, decision billing.Decision, on shelf) {
	for _, g := range decision.Grants {
		key := billing.OverdrawnKey(g.Contract)
		lent := m.counters[key]
		if i := slices.IndexFunc(facts.Counters, func(c billing.Counter) bool { return c.Key == key }); i >= 0 {
			lent = lent.Add(facts.Counters[i].Value)
		}
		row := on[p.bought.id(p.closure, g.Block)]
		queueRepayment(b, m, row, row.LeftMS-m.block(row.ID).taken, decimal.Max(lent, decimal.Zero), p.at)
	}
}
