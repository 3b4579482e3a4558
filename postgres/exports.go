package postgres

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

// KeepExport keeps the batch with all that is in it: a line of an invoice, a credit note, a void, a payment and its return go to
// a format once. The same operation key gives the batch that was kept under it, also where there is nothing left. Returns
// billing.ErrExportedMeanwhile where somebody exported one of them since they were read: then nothing is kept. A batch of which all was left out is answered, and not kept.
func (s *Store) KeepExport(ctx context.Context, b billing.ExportBatch) (e billing.Export, err error) {
	if err := named("operation_key", b.OperationKey); err != nil {
		return e, err
	}
	b.LeftOut = append([]billing.LeftOut{}, b.LeftOut...) // none is no null
	leftOut, err := json.Marshal(b.LeftOut)
	if err != nil {
		return e, fmt.Errorf("encode who was left out of an export: %w", err)
	}
	err = s.tx(ctx, "keep an export", func(t *tx) error {
		before, err := exportUnder(ctx, t, b)
		if err != nil {
			return err
		}
		if before != nil {
			e = *before
			return nil
		}
		e = billing.Export{
			Format: b.Format, OperationKey: b.OperationKey, By: b.By, At: s.now().UTC().Truncate(time.Microsecond), // as it is stored
			Invoices: b.Invoices, Lines: len(b.Lines), Credits: b.Credits, Payments: b.Payments, LeftOut: b.LeftOut,
		}
		switch {
		case len(b.Files) == 0 && len(b.LeftOut) == 0:
			return ticket.Invalid("format", b.Format, "has had everything", "`docket export list` shows the batches")
		case len(b.Files) == 0:
			return nil
		}
		q := t.batch()
		q.Queue(`
insert into exports (format, operation_key, made_by, made_at, invoices, lines, credits, payments, left_out) values ($1, $2, $3, $4, $5, $6, $7, $8, $9) returning id`,
			e.Format, e.OperationKey, e.By, e.At, e.Invoices, e.Lines, e.Credits, e.Payments, string(leftOut)).QueryRow(func(row pgx.Row) error { return row.Scan(&e.ID) })
		if err := t.send(ctx, q); err != nil {
			return err
		}
		q = t.batch()
		q.Queue("insert into export_lines (format, charge_id, export_id) select $1, unnest($2::bigint[]), $3", e.Format, b.Lines, e.ID)
		q.Queue("insert into export_events (format, event_id, export_id) select $1, unnest($2::bigint[]), $3", e.Format, b.Events, e.ID)
		for _, f := range b.Files {
			sum := sha256.Sum256(f.Content)
			f.SHA256 = hex.EncodeToString(sum[:])
			e.Files = append(e.Files, f)
			q.Queue("insert into export_files (export_id, name, lines, sha256, content) values ($1, $2, $3, $4, $5)", e.ID, f.Name, f.Lines, f.SHA256, f.Content)
		}
		return t.commit(ctx, q)
	})
	var pg *pgconn.PgError
	if errors.As(err, &pg) && (pg.ConstraintName == "export_lines_pkey" || pg.ConstraintName == "export_events_pkey") {
		return billing.Export{}, billing.ErrExportedMeanwhile
	}
	return e, err
}

// exportUnder finds the batch that was kept under the key, for whoever may export; nil where there is none.
func exportUnder(ctx context.Context, t *tx, b billing.ExportBatch) (*billing.Export, error) {
	var earlier []billing.Export
	who := map[string]actor{}
	q := t.batch()
	queueActor(q, b.By, who)
	q.Queue(selectExports+" where operation_key = $1", b.OperationKey).Query(func(rows pgx.Rows) (err error) {
		earlier, err = pgx.CollectRows(rows, scanExport)
		return err
	})
	if err := t.send(ctx, q); err != nil {
		return nil, err
	}
	if err := mayKeepBooks(who, b.By, "export invoices"); err != nil || len(earlier) == 0 {
		return nil, err
	}
	e := earlier[0]
	if e.Format != b.Format {
		return nil, ticket.Invalid("operation_key", b.OperationKey, "was used for an export to "+e.Format, "choose a new key for a new export")
	}
	var err error
	e.Files, err = exportFiles(ctx, t.conn, e.ID)
	return &e, err
}

const selectExports = "select id, format, operation_key, made_by, made_at, invoices, lines, credits, payments, left_out from exports"

func scanExport(row pgx.CollectableRow) (e billing.Export, err error) {
	var leftOut string
	if err := row.Scan(&e.ID, &e.Format, &e.OperationKey, &e.By, &e.At, &e.Invoices, &e.Lines, &e.Credits, &e.Payments, &leftOut); err != nil {
		return e, err
	}
	e.At = e.At.UTC()
	return e, json.Unmarshal([]byte(leftOut), &e.LeftOut)
}

func exportFiles(ctx context.Context, q querier, id int64) ([]billing.ExportFile, error) {
	return collect[billing.ExportFile](ctx, q, "the files of an export", `
select name, lines, sha256, content from export_files where export_id = $1 order by array_position(array['invoices', 'credits', 'payments'], name)`, id)
}

// Exports lists the batches, the newest first, without their files.
func (r Reads) Exports(ctx context.Context) ([]billing.Export, error) {
	rows, err := r.q.Query(ctx, selectExports+" order by id desc limit 200")
	if err != nil {
		return nil, fmt.Errorf("list exports: %w", err)
	}
	found, err := pgx.CollectRows(rows, scanExport)
	if err != nil {
		return nil, fmt.Errorf("list exports: %w", err)
	}
	return found, nil
}

// ExportByID gives one batch with its files.
func (r Reads) ExportByID(ctx context.Context, id int64) (billing.Export, error) {
	rows, err := r.q.Query(ctx, selectExports+" where id = $1", id)
	if err != nil {
		return billing.Export{}, fmt.Errorf("read export %d: %w", id, err)
	}
	e, err := pgx.CollectExactlyOneRow(rows, scanExport)
	if errors.Is(err, pgx.ErrNoRows) {
		return e, ticket.Invalid("export", strconv.FormatInt(id, 10), "is not known", "`docket export list` shows them")
	}
	if err != nil {
		return e, fmt.Errorf("read export %d: %w", id, err)
	}
	e.Files, err = exportFiles(ctx, r.q, id)
	return e, err
}
