package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

// finalised reads a finalised invoice with its lines and its taxes.
func (r Reads) finalised(ctx context.Context, invoice int64) (i billing.Invoice, err error) {
	found, err := r.invoices(ctx, " where i.id = $1", invoice)
	if err != nil {
		return i, err
	}
	if len(found) == 0 || found[0].FinalisedAt == nil {
		return i, ticket.Invalid("invoice", ticket.InvoiceID(invoice), "is not finalised", "docket invoice finalize; an open invoice is live: docket invoice show")
	}
	i = found[0]
	if i.Taxes, err = r.InvoiceTaxes(ctx, invoice, *i.FinalisedAt); err != nil {
		return i, err
	}
	i.Lines, err = r.lines(ctx, " where l.invoice_id = $1 order by l.charge_id", invoice)
	return i, err
}

// Paper gives what a finalised invoice is printed from: as it was finalised, whatever happened to it since.
func (r Reads) Paper(ctx context.Context, invoice int64) (p billing.Paper, err error) {
	if p.Invoice, err = r.finalised(ctx, invoice); err != nil {
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
