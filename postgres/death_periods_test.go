package postgres_test

import (
	"context"
	"strings"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/postgres"
)

// deadlyPeriods are what a period and its blocks of hours come to: runs, drafts, allowances, ends.
var deadlyPeriods = []deadly{
	{"period closes with a credit", one(strings.Replace(flatFee, `charge: flat, price: "310.00"`, `charge: per-seat, price: "31.00", count: {fewer: credit}`, 1)), func(k *till) func(context.Context, *postgres.Store) error {
		k.devices("seat", "2026-02-01", 10)
		k.sweep()
		k.devices("seat", "2026-03-22", 7)
		k.nextMonth()
		return k.dueRun(billing.Closing)
	}},
	{"period closes with its usage", one(metered), func(k *till) func(context.Context, *postgres.Store) error {
		k.sweep()
		k.record("12", "2026-03-10")
		k.nextMonth()
		return k.dueRun(billing.Closing)
	}},
	{"usage of a period that is closed", one(metered), func(k *till) func(context.Context, *postgres.Store) error {
		k.nextMonth()
		k.sweep()
		e := k.event("2", "2026-03-30")
		return func(ctx context.Context, s *postgres.Store) error { _, err := s.RecordUsage(ctx, e); return err }
	}},
	{"period is drafted", one(ordering), func(k *till) func(context.Context, *postgres.Store) error {
		k.sweep()
		k.nextMonth()
		require.Equal(k.t, billing.PostingPosted, k.closesBeforeItOpens())
		return k.dueRun(billing.Opening)
	}},
	{"draft is approved", one(ordering), drafted(true)},
	{"draft is declined", one(ordering), drafted(false)},
	{"allowances", one(bucket), func(k *till) func(context.Context, *postgres.Store) error {
		at := k.now()
		return func(ctx context.Context, s *postgres.Store) error {
			_, err := s.GrantAllowances(ctx, "acme-bucket", "2026-03-18", at)
			return err
		}
	}},
	{"allowances that end those of before", one(bucket), func(k *till) func(context.Context, *postgres.Store) error {
		k.worked("2026-03-18", 180)
		k.nextMonth()
		at := k.now()
		return func(ctx context.Context, s *postgres.Store) error {
			_, err := s.GrantAllowances(ctx, "acme-bucket", "2026-04-18", at)
			return err
		}
	}},
	// Each block ends by itself.
	{"blocks end", one(bucket), func(k *till) func(context.Context, *postgres.Store) error {
		k.worked("2026-03-18", 60)
		k.nextMonth()
		k.worked("2026-04-10", 60)
		k.nextMonth()
		k.nextMonth()
		at := k.now()
		return func(ctx context.Context, s *postgres.Store) error { _, err := s.EndBlocks(ctx, "", at); return err }
	}},
	{"bought blocks expire", one(blocks), func(k *till) func(context.Context, *postgres.Store) error {
		k.expiring(5)
		k.expiring(3)
		k.worked("2026-03-18", 60)
		k.nextMonth()
		return func(ctx context.Context, s *postgres.Store) error { _, err := s.ExpireBlocks(ctx); return err }
	}},
	{"block is taken back", one(replaced(blocks, "currency: USD", holds)), func(k *till) func(context.Context, *postgres.Store) error {
		block := k.expiring(5)
		return func(ctx context.Context, s *postgres.Store) error {
			_, err := s.CancelBlock(ctx, block.ID, "olga", "sold by mistake")
			return err
		}
	}},
}

// ordering is a fee that the second month's purchase order does not reach.
var ordering = strings.Replace(flatFee, "lines:", "purchase_order: {number: PO-7, limit: 400.00, used_up: hold}\nlines:", 1)

// closesBeforeItOpens closes the period that is over.
func (k *till) closesBeforeItOpens() billing.PostingState {
	k.t.Helper()
	due, err := k.PeriodsDue(k.t.Context(), billing.DueFilter{})
	require.NoError(k.t, err)
	require.Equal(k.t, billing.Closing, due[0].Run)
	receipt, err := k.RunPeriod(k.t.Context(), due[0], "")
	require.NoError(k.t, err)
	return receipt.State
}

// drafted rules on the draft of a fee.
func drafted(approve bool) func(k *till) func(context.Context, *postgres.Store) error {
	return func(k *till) func(context.Context, *postgres.Store) error {
		k.sweep()
		k.nextMonth()
		k.sweep()
		r := postgres.PeriodRuling{Contract: "acme-flat", Period: "2026-04-01", By: "olga", Approve: approve, Reason: "no order covers it"}
		return func(ctx context.Context, s *postgres.Store) error { _, err := s.RulePeriod(ctx, r); return err }
	}
}

// expiring sells acme a block whose end comes within the month.
func (k *till) expiring(hours int64) postgres.Block {
	k.t.Helper()
	block, err := k.GrantBlock(k.t.Context(), postgres.BlockGrant{
		OperationKey: k.key(), Contract: "acme-block", Hours: decimal.NewFromInt(hours), GrantedAt: k.now().Add(-24 * time.Hour), ExpiresAt: k.now().AddDate(0, 0, 10),
		Price: decimal.NewFromInt(hours * 110), Currency: "USD", By: "olga",
	})
	require.NoError(k.t, err)
	return block
}
