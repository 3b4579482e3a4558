// Package postgres owns the database: the schema, and every transaction on it. The
// transactions of money stand one a file: close.go, settle.go, reopen.go, finalise.go, and for what
// happens to an invoice payments.go, payment_returns.go, credit_notes.go, credits.go, write_down.go, void.go, invoice_review.go, invoice_sending.go, disputes.go, reminders.go.
// It does not own rules (billing, sla, triage decide) nor who calls (desk, activities).
package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Store is the database that desk and billing share.
type Store struct {
	Reads
	pool     *pgxpool.Pool
	now      func() time.Time
	terms    *termsCache
	costs    costsCache
	closures *numbers
	charges  *numbers
	holds    *numbers
	postings *numbers
	proofs   proofKey
}

// Options of Open.
type Options struct {
	Now      func() time.Time // the clock; required
	MaxConns int32            // 0: pgx's default
	Tracer   pgx.QueryTracer  // nil: none
}

// Open connects as the staff role, whoever the URL names: rights and row-level security
// are those of docket_staff from the first statement on.
func Open(ctx context.Context, url string, o Options) (*Store, error) {
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("read DATABASE_URL: %w", err)
	}
	if o.MaxConns > 0 {
		cfg.MaxConns = o.MaxConns
	}
	cfg.ConnConfig.Tracer = o.Tracer
	params := cfg.ConnConfig.RuntimeParams
	params["role"] = "docket_staff"
	params["timezone"] = "UTC"
	params["application_name"] = "docket"
	// The statements are few and found by key: a plan that is made once serves every value, and
	// making one anew for each call costs as much as running it.
	params["plan_cache_mode"] = "force_generic_plan"
	params["lock_timeout"] = "5s"
	params["idle_in_transaction_session_timeout"] = "30s"
	params["client_connection_check_interval"] = "5s"
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("connect to PostgreSQL: %w", err)
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return nil, fmt.Errorf("connect to PostgreSQL as docket_staff: %w", err)
	}
	return &Store{
		Reads: Reads{q: pool},
		pool:  pool, now: o.Now, terms: newTermsCache(),
		closures: newNumbers("closure_ids"), charges: newNumbers("charge_ids"), holds: newNumbers("hold_ids"),
		postings: newNumbers("posting_ids"),
	}, nil
}

// Disconnect ends all connections.
func (s *Store) Disconnect() { s.pool.Close() }

// Ping says whether the database answers.
func (s *Store) Ping(ctx context.Context) error { return s.pool.Ping(ctx) }
