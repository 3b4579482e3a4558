package postgres

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"go.opentelemetry.io/otel/trace"

	"github.com/docket-psa/docket/ticket"
)

// event is one row of the record.
type event struct {
	Ticket ticket.ID
	Client string
	Round  int
	At     time.Time
	Kind   string
	Actor  string
	Via    string
	Key    string // operation key; empty: the deed has another unique key
	Input  string // digest of the message; the same key with another input is refused
	Effect bool
	Says   string
	Answer any // what a repetition of the same key answers again
}

const insertEvent = `
insert into ticket_events (ticket, client_id, round, at, recorded_at, kind, actor, via, operation_key, input_digest, effect, says, answer, trace_id)
values ($1, $2, $3, $4, $5, $6, $7, $8, nullif($9, ''), nullif($10, ''), $11, $12, $13, $14)`

// record queues the event's row.
func (s *Store) record(ctx context.Context, b *pgx.Batch, e event) error {
	var answer []byte
	if e.Answer != nil {
		var err error
		if answer, err = json.Marshal(e.Answer); err != nil {
			return fmt.Errorf("encode the answer of %s: %w", e.Kind, err)
		}
	}
	var traceID string
	if sc := trace.SpanContextFromContext(ctx); sc.HasTraceID() {
		traceID = sc.TraceID().String()
	}
	b.Queue(insertEvent, e.Ticket.Number(), e.Client, e.Round, e.At, s.now(), e.Kind, e.Actor, e.Via,
		e.Key, e.Input, e.Effect, e.Says, answer, traceID)
	return nil
}

// repeated answers a message whose operation key is on record: true and the same answer as
// then, or a Problem where the key was used for something else.
func repeated[A any](ctx context.Context, q querier, key, input string) (answer A, seen bool, err error) {
	var e earlier
	err = q.QueryRow(ctx, "select input_digest, answer from ticket_events where operation_key = $1", key).Scan(&e.Input, &e.Answer)
	if errors.Is(err, pgx.ErrNoRows) {
		return answer, false, nil
	}
	if err != nil {
		return answer, false, fmt.Errorf("look up operation %q: %w", key, err)
	}
	answer, err = recall[A](e, key, input)
	return answer, true, err
}

// querier is what a pool, a connection and a transaction have in common.
type querier interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults
}

// digestOf names a message by its content. Its time is left out by the caller where a repeated
// delivery may carry another one.
func digestOf(parts ...any) (string, error) {
	h := sha256.New()
	if err := json.NewEncoder(h).Encode(parts); err != nil {
		return "", fmt.Errorf("encode for a digest: %w", err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
