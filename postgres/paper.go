package postgres

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

// Paper gives what a finalised invoice is printed from: as it was finalised, whatever happened to it since.
func (r Reads) Paper(ctx context.Context, invoice int64) (p billing.Paper, err error) {
	found, err := r.invoices(ctx, " where i.id = $1", invoice)
	if err != nil {
		return p, err
	}
	if len(found) == 0 || found[0].FinalisedAt == nil {
		return p, ticket.Invalid("invoice", ticket.InvoiceID(invoice), "is not finalised", "docket invoice finalize; an open invoice is live: docket invoice show")
	}
	p.Invoice = found[0]
	if p.Invoice.Taxes, err = r.InvoiceTaxes(ctx, invoice, *p.Invoice.FinalisedAt); err != nil {
		return p, err
	}
	if p.Invoice.Lines, err = r.lines(ctx, " where l.invoice_id = $1 order by l.charge_id", invoice); err != nil {
		return p, err
	}
	var issued, due time.Time
	err = r.q.QueryRow(ctx, `
select coalesce(i.tax_date, (i.finalised_at at time zone c.time_zone)::date), coalesce(i.due_on, i.tax_date, (i.finalised_at at time zone c.time_zone)::date),
  coalesce((select sum(a.amount) from credit_applications a where a.invoice_id = i.id and a.event_id is null), 0)
from invoices i join clients c on c.id = i.payer_id where i.id = $1`, invoice).Scan(&issued, &due, &p.Invoice.Receivable.Applied)
	if err != nil {
		return p, fmt.Errorf("read the dates of %s: %w", p.Invoice.Number, err)
	}
	p.IssuedOn, p.DueOn = issued.Format(time.DateOnly), due.Format(time.DateOnly)
	p.Invoice.State, p.Invoice.Receivable = billing.InvoiceFinalised, &billing.Receivable{
		Payable: p.Invoice.Taxes.TaxInclusive, Applied: p.Invoice.Receivable.Applied, Owed: p.Invoice.Taxes.TaxInclusive.Sub(p.Invoice.Receivable.Applied),
	}
	p.Seller, err = r.Company(ctx)
	if err != nil {
		return p, err
	}
	p.Buyer, err = r.ClientParty(ctx, p.Invoice.Payer)
	return p, err
}

const selectDocuments = `
select i.number, d.kind, d.media_type, d.sha256, length(d.content), d.rendered_at
from invoice_documents d join invoices i on i.id = d.invoice_id where d.invoice_id = $1`

// Documents gives the files that are kept of an invoice, without their content.
func (r Reads) Documents(ctx context.Context, invoice int64) ([]billing.KeptDocument, error) {
	return documents(ctx, r.q, invoice)
}

func documents(ctx context.Context, q querier, invoice int64) ([]billing.KeptDocument, error) {
	rows, err := q.Query(ctx, selectDocuments+" order by d.kind", invoice)
	if err != nil {
		return nil, fmt.Errorf("list the files of %s: %w", ticket.InvoiceID(invoice), err)
	}
	kept, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (d billing.KeptDocument, err error) {
		err = row.Scan(&d.Invoice, &d.Kind, &d.MediaType, &d.SHA256, &d.Bytes, &d.RenderedAt)
		return d, err
	})
	if err != nil {
		return nil, fmt.Errorf("list the files of %s: %w", ticket.InvoiceID(invoice), err)
	}
	return kept, nil
}

// DocumentFile gives one file with its content; a Problem where it was not rendered.
func (r Reads) DocumentFile(ctx context.Context, invoice int64, kind string) (d billing.KeptDocument, err error) {
	err = r.q.QueryRow(ctx, `
select i.number, d.kind, d.media_type, d.sha256, length(d.content), d.rendered_at, d.content
from invoice_documents d join invoices i on i.id = d.invoice_id where d.invoice_id = $1 and d.kind = $2`, invoice, kind).
		Scan(&d.Invoice, &d.Kind, &d.MediaType, &d.SHA256, &d.Bytes, &d.RenderedAt, &d.Content)
	if errors.Is(err, pgx.ErrNoRows) {
		kept, err := r.Documents(ctx, invoice)
		if err != nil || len(kept) == 0 {
			return d, errors.Join(err, ticket.Invalid("kind", kind, "is not kept of "+ticket.InvoiceID(invoice), "docket invoice file renders the files of a finalised invoice"))
		}
		var kinds []string
		for _, k := range kept {
			kinds = append(kinds, k.Kind)
		}
		return d, ticket.Invalid("kind", kind, "is not kept of "+kept[0].Invoice,
			"one of "+strings.Join(kinds, ", ")+"; ubl where EN 16931 can tell the invoice: two decimals, and tax that is its rate of the sum")
	}
	if err != nil {
		return d, fmt.Errorf("read the %s of %s: %w", kind, ticket.InvoiceID(invoice), err)
	}
	return d, nil
}

// KeepDocuments keeps the files of an invoice, unless there are some already: what was rendered first stays.
func (s *Store) KeepDocuments(ctx context.Context, invoice int64, files []billing.Rendered) (kept []billing.KeptDocument, err error) {
	err = s.tx(ctx, "keep the files of "+ticket.InvoiceID(invoice), func(t *tx) error {
		b := t.batch()
		b.Queue("select from invoices where id = $1 for update", invoice) // two who render at once keep the files of one
		if err := t.send(ctx, b); err != nil {
			return err
		}
		if kept, err = documents(ctx, t.conn, invoice); err != nil || len(kept) > 0 {
			return err
		}
		b = t.batch()
		for _, f := range files {
			sum := sha256.Sum256(f.Content)
			b.Queue(`
insert into invoice_documents (invoice_id, kind, payer_id, media_type, sha256, content, rendered_at)
select i.id, $2, i.payer_id, $3, $4, $5, $6 from invoices i where i.id = $1 and i.state = 'finalised'`,
				invoice, f.Kind, f.MediaType, hex.EncodeToString(sum[:]), f.Content, s.now())
		}
		if err := t.send(ctx, b); err != nil {
			return err
		}
		if kept, err = documents(ctx, t.conn, invoice); err != nil {
			return err
		}
		return t.commit(ctx, t.batch())
	})
	return kept, err
}
