package postgres

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"go.opentelemetry.io/otel/trace"

	"github.com/docket-psa/docket/billing"
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
	Answer any                 // what a repetition of the same key answers again
	Held   []billing.HeldQuote // the holds it is about, for who is to hear of them
	Opened []billing.HeldQuote // those it opened: whom they ask hears of them
	Undoes int64               // the event that it takes back; 0: none

	// Of what goes to a payer.
	Invoice int64  // whose files go with it; 0: none
	Note    int64  // the credit note whose files go with it instead; 0: none
	Address string // a mail address; empty: the one of the payer's invoices
}

const insertEvent = `
insert into ticket_events (ticket, client_id, round, at, recorded_at, kind, actor, via, operation_key, input_digest, effect, says, answer, trace_id, undoes)
values ($1, $2, $3, $4, $5, $6, $7, $8, nullif($9, ''), nullif($10, ''), $11, $12, $13, $14, nullif($15::bigint, 0))`

// record queues the event's row, and with it a notice to everybody who is to hear of it.
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
	args := []any{
		e.Ticket.Number(), e.Client, e.Round, e.At, s.now(), e.Kind, e.Actor, e.Via, e.Key, e.Input, e.Effect, e.Says, answer, traceID, e.Undoes,
	}
	notices, err := e.notices()
	if err != nil {
		return err
	}
	if notices == nil {
		b.Queue(insertEvent, args...)
	} else {
		args = append(args, notices)
		b.Queue(fmt.Sprintf(insertTold, len(args)), args...)
	}
	return nil
}

// earlier is what the record keeps of an operation key.
type earlier struct {
	Input  *string
	Answer []byte
}

// queueEarlier looks for the keys; the function it gives tells after the batch was sent.
func queueEarlier(b *pgx.Batch, keys ...string) func() *earlier {
	var found []earlier
	b.Queue("select input_digest, answer from ticket_events where operation_key = any ($1)", keys).Query(func(rows pgx.Rows) (err error) {
		found, err = pgx.CollectRows(rows, pgx.RowToStructByPos[earlier])
		return err
	})
	return func() *earlier {
		if len(found) == 0 {
			return nil
		}
		return &found[0]
	}
}

// queueEarlierOf looks for the keys, too, and tells which ticket the message was to, and which one carries on for that.
func queueEarlierOf(b *pgx.Batch, into **earlierOf, keys ...string) {
	b.Queue(`
select e.input_digest, e.answer, t.number, case when t.merged_into is null then t.number else `+livesOn+` end
from ticket_events e join tickets t on t.number = e.ticket where e.operation_key = any ($1)`, keys).Query(row(into))
}

// earlierOf is earlier, of a ticket.
type earlierOf struct {
	Input   *string
	Answer  []byte
	Ticket  int64
	Carries int64
}

// recall gives the answer on record again, or a Problem where the key was used for something else.
func recall[A any](e earlier, key, input string) (answer A, err error) {
	if e.Input == nil || *e.Input != input {
		return answer, ticket.Invalid("operation_key", key, "was used for another message", "choose a new key for a new message; repeat a message unchanged")
	}
	if err := json.Unmarshal(e.Answer, &answer); err != nil {
		return answer, fmt.Errorf("read the answer of operation %q: %w", key, err)
	}
	return answer, nil
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
