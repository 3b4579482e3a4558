package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/docket-psa/docket/ticket"
)

// SQLSTATEs of our own triggers.
const (
	invoiceClosed = "DK001" // the invoice was finalised between reading and writing
)

// attempts bounds how often one transaction is tried. Each further try waits a little longer.
const attempts = 8

// tx is one READ COMMITTED transaction. BEGIN travels with its first batch and COMMIT with its
// last: a round trip saved is worth more than any index.
type tx struct {
	conn  *pgx.Conn
	begun bool
	done  bool
}

// batch starts a batch; the first one of a transaction opens it.
func (t *tx) batch() *pgx.Batch {
	b := &pgx.Batch{}
	if !t.begun {
		t.begun = true
		b.Queue("begin")
	}
	return b
}

// send runs the batch and its callbacks.
func (t *tx) send(ctx context.Context, b *pgx.Batch) error {
	return t.conn.SendBatch(ctx, b).Close()
}

// commit runs the batch and commits with it. Nothing of the batch is kept if any of it fails.
func (t *tx) commit(ctx context.Context, b *pgx.Batch) error {
	b.Queue("commit")
	if err := t.send(ctx, b); err != nil {
		return err
	}
	t.done = true
	return nil
}

// commitAhead commits without waiting for the disk, so that what the transaction has locked is free for the next one at once.
// PostgreSQL writes commits to the disk in their order: a crash of it within the next moments loses this one with all after it, never
// one of them alone. So nobody is told of it before Store.Flush.
func (t *tx) commitAhead(ctx context.Context, b *pgx.Batch) error {
	b.Queue("set local synchronous_commit = off")
	return t.commit(ctx, b)
}

// Flush waits until all that was committed before is on the disk: by a commit of its own, which writes a word that nobody reads.
func (s *Store) Flush(ctx context.Context) error {
	if _, err := s.pool.Exec(ctx, "select pg_logical_emit_message(true, 'docket', '')"); err != nil {
		return fmt.Errorf("wait for the disk: %w", err)
	}
	return nil
}

// tx runs fn as one transaction. fn ends it by t.commit; a nil return without it has changed
// nothing and rolls back. The whole of fn runs again on a serialization failure, a deadlock, a
// lock timeout or an invoice finalised meanwhile, so it must keep nothing from a failed try.
func (s *Store) tx(ctx context.Context, what string, fn func(*tx) error) error {
	var err error
	for try := range attempts {
		if try > 0 {
			pause := time.Duration(rand.Int64N(int64(5*time.Millisecond) << try)) // spreads retries; nothing depends on it
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(pause):
			}
		}
		if err = s.try(ctx, fn); !retriable(err) {
			break
		}
	}
	if err != nil {
		return fmt.Errorf("%s: %w", what, final(err))
	}
	return nil
}

// final turns what no later try can heal into a Problem: a value that PostgreSQL cannot hold. As
// a plain error its message would be tried for ever, and keep the ticket from its other mail.
func final(err error) error {
	var pg *pgconn.PgError
	if errors.As(err, &pg) && strings.HasPrefix(pg.Code, "22") {
		return ticket.Invalid("message", cmp.Or(pg.ColumnName, pg.DataTypeName), "cannot be stored: "+pg.Message, "correct it and send it again under a new key")
	}
	return err
}

func (s *Store) try(ctx context.Context, fn func(*tx) error) error {
	c, err := s.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer c.Release()
	t := &tx{conn: c.Conn()}
	err = fn(t)
	if t.begun && !t.done {
		// The pool drops a connection that cannot roll back, and the server then rolls back itself.
		if _, rollback := t.conn.Exec(context.WithoutCancel(ctx), "rollback"); rollback != nil && err == nil {
			err = rollback
		}
	}
	return err
}

// errMoved makes a transaction start again: what it has to lock is more than what it found before its locks.
var errMoved = errors.New("what was to be locked has changed meanwhile")

func retriable(err error) bool {
	if errors.Is(err, errMoved) {
		return true
	}
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return false
	}
	switch pg.Code {
	case "40001", "40P01", "55P03", invoiceClosed:
		return true
	case "23505": // somebody else committed the same key meanwhile: the next try finds and answers it
		return slices.Contains(keys, pg.ConstraintName)
	}
	return false
}

// keys are the constraints that make what senders repeat single. Among them are the ids that numbers has in stock: where PostgreSQL
// crashed, its sequences may give them again, and the next try takes others.
var keys = []string{
	"ticket_events_operation_key_key", "work_entries_operation_key_key", "comments_operation_key_key",
	"tickets_source_external_id_key", "deliveries_pkey",
	"closures_pkey", "charges_pkey", "holds_pkey", "postings_pkey",
	"usage_events_operation_key_key", "postings_key_key", "invoice_events_operation_key_key", "project_events_operation_key_key", "projects_pkey",
	"exports_operation_key_key",
}
