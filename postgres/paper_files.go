package postgres

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

// paperFiles is where the files of one kind of document are kept; $1 is the document's id.
type paperFiles struct {
	names   string // the number of the credit note, or empty, and that of the invoice
	from    string // the files d, with what has the numbers
	of      string // the column with the document's id
	lock    string // makes those who render at once wait for each other
	renders string // the command that makes them
}

var (
	invoiceFiles = paperFiles{
		names: "'', i.number", from: "invoice_documents d join invoices i on i.id = d.invoice_id", of: "d.invoice_id",
		lock:    "select from invoices where id = $1 for update",
		renders: "docket invoice file renders the files of a finalised invoice",
	}
	noteFiles = paperFiles{
		names: "n.number, i.number", of: "d.note_id",
		from:    "credit_note_documents d join credit_notes n on n.id = d.note_id join invoices i on i.id = n.invoice_id",
		lock:    "select from invoices where id = (select invoice_id from credit_notes where id = $1) for update",
		renders: "docket credit-note file renders the files of a credit note",
	}
)

// They keep a file: its document, kind, media type, digest, content, and when.
const (
	insertInvoiceFile = `
insert into invoice_documents (invoice_id, kind, payer_id, media_type, sha256, content, rendered_at)
select i.id, $2, i.payer_id, $3, $4, $5, $6 from invoices i where i.id = $1 and i.state = 'finalised'`
	insertNoteFile = `
insert into credit_note_documents (note_id, kind, payer_id, media_type, sha256, content, rendered_at)
select n.id, $2, n.payer_id, $3, $4, $5, $6 from credit_notes n where n.id = $1`
)

// Documents gives the files that are kept of an invoice, without their content.
func (r Reads) Documents(ctx context.Context, invoice int64) ([]billing.KeptDocument, error) {
	return invoiceFiles.kept(ctx, r.q, invoice)
}

// CreditNoteDocuments gives the files that are kept of a credit note, without their content.
func (r Reads) CreditNoteDocuments(ctx context.Context, note int64) ([]billing.KeptDocument, error) {
	return noteFiles.kept(ctx, r.q, note)
}

// DocumentFile gives one file of an invoice with its content; a Problem where it was not rendered.
func (r Reads) DocumentFile(ctx context.Context, invoice int64, kind string) (billing.KeptDocument, error) {
	return invoiceFiles.file(ctx, r.q, invoice, kind)
}

// CreditNoteFile gives one file of a credit note with its content; a Problem where it was not rendered.
func (r Reads) CreditNoteFile(ctx context.Context, note int64, kind string) (billing.KeptDocument, error) {
	return noteFiles.file(ctx, r.q, note, kind)
}

// KeepDocuments keeps the files of an invoice, unless there are some already: what was rendered first stays.
func (s *Store) KeepDocuments(ctx context.Context, invoice int64, files []billing.Rendered) ([]billing.KeptDocument, error) {
	return invoiceFiles.keep(ctx, s, insertInvoiceFile, invoice, files)
}

// KeepCreditNoteDocuments keeps the files of a credit note in the same way.
func (s *Store) KeepCreditNoteDocuments(ctx context.Context, note int64, files []billing.Rendered) ([]billing.KeptDocument, error) {
	return noteFiles.keep(ctx, s, insertNoteFile, note, files)
}

func (f paperFiles) selects(more string) string {
	return "select " + f.names + ", d.kind, d.media_type, d.sha256, length(d.content), d.rendered_at" + more + " from " + f.from + " where " + f.of + " = $1"
}

func (f paperFiles) kept(ctx context.Context, q querier, of int64) ([]billing.KeptDocument, error) {
	rows, err := q.Query(ctx, f.selects("")+" order by d.kind", of)
	if err != nil {
		return nil, fmt.Errorf("list the files of document %d: %w", of, err)
	}
	kept, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (d billing.KeptDocument, err error) {
		err = row.Scan(&d.CreditNote, &d.Invoice, &d.Kind, &d.MediaType, &d.SHA256, &d.Bytes, &d.RenderedAt)
		return d, err
	})
	if err != nil {
		return nil, fmt.Errorf("list the files of document %d: %w", of, err)
	}
	return kept, nil
}

func (f paperFiles) file(ctx context.Context, q querier, of int64, kind string) (d billing.KeptDocument, err error) {
	err = q.QueryRow(ctx, f.selects(", d.content")+" and d.kind = $2", of, kind).
		Scan(&d.CreditNote, &d.Invoice, &d.Kind, &d.MediaType, &d.SHA256, &d.Bytes, &d.RenderedAt, &d.Content)
	if errors.Is(err, pgx.ErrNoRows) {
		kept, err := f.kept(ctx, q, of)
		if err != nil || len(kept) == 0 {
			return d, errors.Join(err, ticket.Invalid("kind", kind, "is not kept", f.renders))
		}
		var kinds []string
		for _, k := range kept {
			kinds = append(kinds, k.Kind)
		}
		return d, ticket.Invalid("kind", kind, "is not kept of "+kept[0].Of(),
			"one of "+strings.Join(kinds, ", ")+"; ubl where EN 16931 can tell the document: two decimals, and tax that is its rate of the sum")
	}
	if err != nil {
		return d, fmt.Errorf("read the %s of document %d: %w", kind, of, err)
	}
	return d, nil
}

func (f paperFiles) keep(ctx context.Context, s *Store, insert string, of int64, files []billing.Rendered) (kept []billing.KeptDocument, err error) {
	err = s.tx(ctx, fmt.Sprintf("keep the files of document %d", of), func(t *tx) error {
		b := t.batch()
		b.Queue(f.lock, of) // two who render at once keep the files of one
		if err := t.send(ctx, b); err != nil {
			return err
		}
		if kept, err = f.kept(ctx, t.conn, of); err != nil || len(kept) > 0 {
			return err
		}
		b = t.batch()
		for _, file := range files {
			sum := sha256.Sum256(file.Content)
			b.Queue(insert, of, file.Kind, file.MediaType, hex.EncodeToString(sum[:]), file.Content, s.now())
		}
		if err := t.send(ctx, b); err != nil {
			return err
		}
		if kept, err = f.kept(ctx, t.conn, of); err != nil {
			return err
		}
		return t.commit(ctx, t.batch())
	})
	return kept, err
}
