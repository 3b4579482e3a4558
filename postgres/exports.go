package postgres

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

// Export is one batch of rows for an accounting program.
type Export struct {
	ID           int64     `json:"export"`
	Format       string    `json:"format"`
	OperationKey string    `json:"operation_key"`
	By           string    `json:"by"`
	At           time.Time `json:"at"`
	Invoices     int       `json:"invoices"`
	Lines        int       `json:"lines"`
	SHA256       string    `json:"sha256"`
	Content      []byte    `json:"-"`
}

// Unexported lists the finalised invoices that the format has not had yet, oldest first, as they are printed. Void ones
// are left out: their lines are billed again elsewhere.
func (r Reads) Unexported(ctx context.Context, format string) ([]billing.Paper, error) {
	rows, err := r.q.Query(ctx, `
select i.id from invoices i join invoice_standing s on s.invoice_id = i.id
where i.state = 'finalised' and s.state <> 'void' and exists (select from invoice_lines l where l.invoice_id = i.id
  and not exists (select from export_lines e where e.format = $1 and e.charge_id = l.charge_id))
order by i.finalised_at, i.id`, format)
	if err != nil {
		return nil, fmt.Errorf("list what %s has not had: %w", format, err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return nil, fmt.Errorf("list what %s has not had: %w", format, err)
	}
	papers := []billing.Paper{}
	for _, id := range ids {
		p, err := r.Paper(ctx, id)
		if err != nil {
			return nil, err
		}
		papers = append(papers, p)
	}
	return papers, nil
}

// KeepExport keeps the batch with the lines of its papers, each of which goes to the format once. The same operation key
// gives the batch that was kept under it, also where there is nothing left. Where somebody exported one of them meanwhile,
// nothing is kept.
func (s *Store) KeepExport(ctx context.Context, e Export, papers []billing.Paper) (Export, error) {
	sum := sha256.Sum256(e.Content)
	e.SHA256, e.Invoices, e.Lines = hex.EncodeToString(sum[:]), len(papers), 0
	var lines []int64
	for _, p := range papers {
		for _, l := range p.Invoice.Lines {
			lines = append(lines, l.Line)
		}
	}
	e.Lines, e.At = len(lines), s.now().UTC()
	err := s.tx(ctx, "keep an export", func(t *tx) error {
		var earlier []Export
		who := map[string]actor{}
		b := t.batch()
		queueActor(b, e.By, who)
		b.Queue(selectExports+" where operation_key = $1", e.OperationKey).Query(func(rows pgx.Rows) (err error) {
			earlier, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Export])
			return err
		})
		if err := t.send(ctx, b); err != nil {
			return err
		}
		if err := mayKeepBooks(who, e.By, "export invoices"); err != nil {
			return err
		}
		switch {
		case len(earlier) > 0 && earlier[0].Format != e.Format:
			return ticket.Invalid("operation_key", e.OperationKey, "was used for an export to "+earlier[0].Format, "choose a new key for a new export")
		case len(earlier) > 0:
			e = earlier[0]
			return nil
		case len(papers) == 0:
			return ticket.Invalid("format", e.Format, "has had everything", "`docket export list` shows the batches")
		}
		b = t.batch()
		b.Queue(`
insert into exports (format, operation_key, made_by, made_at, invoices, lines, sha256, content) values ($1, $2, $3, $4, $5, $6, $7, $8) returning id`,
			e.Format, e.OperationKey, e.By, e.At, e.Invoices, e.Lines, e.SHA256, e.Content).QueryRow(func(row pgx.Row) error { return row.Scan(&e.ID) })
		if err := t.send(ctx, b); err != nil {
			return err
		}
		b = t.batch()
		b.Queue("insert into export_lines (format, charge_id, export_id) select $1, unnest($2::bigint[]), $3", e.Format, lines, e.ID)
		return t.commit(ctx, b)
	})
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.ConstraintName == "export_lines_pkey" {
		return e, ticket.Invalid("format", e.Format, "was exported by somebody else meanwhile", "`docket export list`; then export again what is left")
	}
	return e, err
}

const selectExports = "select id, format, operation_key, made_by, made_at, invoices, lines, sha256, content from exports"

// Exports lists the batches, the newest first, without their content.
func (r Reads) Exports(ctx context.Context) ([]Export, error) {
	rows, err := r.q.Query(ctx, "select id, format, operation_key, made_by, made_at, invoices, lines, sha256, ''::bytea from exports order by id desc limit 200")
	if err != nil {
		return nil, fmt.Errorf("list exports: %w", err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Export])
	if err != nil {
		return nil, fmt.Errorf("list exports: %w", err)
	}
	return found, nil
}

// ExportByID gives one batch with its content.
func (r Reads) ExportByID(ctx context.Context, id int64) (Export, error) {
	rows, err := r.q.Query(ctx, selectExports+" where id = $1", id)
	if err != nil {
		return Export{}, fmt.Errorf("read export %d: %w", id, err)
	}
	e, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[Export])
	if errors.Is(err, pgx.ErrNoRows) {
		return e, ticket.Invalid("export", strconv.FormatInt(id, 10), "is not known", "`docket export list` shows them")
	}
	if err != nil {
		return e, fmt.Errorf("read export %d: %w", id, err)
	}
	return e, nil
}
