package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/shopspring/decimal"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

// taxLine is an invoice line as tax sees it.
type taxLine struct {
	Amount   decimal.Decimal
	Named    string // profile that its contract names; empty: the payer's
	Category string
	Profile  string // the one that counts; empty: there is none
}

// InvoiceTaxes gives an invoice's sums with tax: of a finalised one as they were kept, of an open one
// as they would be if it were finalised now. A Problem says why it cannot be taxed yet.
func (r Reads) InvoiceTaxes(ctx context.Context, invoice int64, now time.Time) (*billing.DocumentTotals, error) {
	var (
		kept           *string
		currency, zone string
	)
	err := r.q.QueryRow(ctx, "select i.taxes, i.currency, c.time_zone from invoices i join clients c on c.id = i.payer_id where i.id = $1", invoice).
		Scan(&kept, &currency, &zone)
	if err != nil {
		return nil, fmt.Errorf("read the tax of %s: %w", ticket.InvoiceID(invoice), err)
	}
	if kept != nil {
		return readTotals(*kept)
	}
	local, err := time.LoadLocation(zone)
	if err != nil {
		return nil, fmt.Errorf("payer of %s: %w", ticket.InvoiceID(invoice), err)
	}
	lines, err := taxLines(ctx, r.q, invoice)
	if err != nil {
		return nil, err
	}
	totals, err := lines.totals(ticket.InvoiceID(invoice), currency, now.In(local).Format(time.DateOnly))
	if err != nil {
		return nil, err
	}
	return &totals, nil
}

func readTotals(kept string) (*billing.DocumentTotals, error) {
	totals := new(billing.DocumentTotals)
	if err := json.Unmarshal([]byte(kept), totals); err != nil {
		return nil, fmt.Errorf("read the tax that was kept with an invoice: %w", err)
	}
	return totals, nil
}

// invoiceTaxLines is what tax needs of an invoice.
type invoiceTaxLines struct {
	rows     []taxLine
	profiles map[string]*billing.TaxProfile // by their ids
}

// totals reckons the tax of all lines of the invoice of that name by the profiles that count now, on a tax date. The lines are in the order of their numbers,
// here as in the totals.
func (x invoiceTaxLines) totals(name, currency, on string) (billing.DocumentTotals, error) {
	d := billing.Document{Currency: currency, TaxDate: on, Lines: make([]billing.TaxableLine, 0, len(x.rows))}
	for _, l := range x.rows {
		if l.Profile != "" && x.profiles[l.Profile] == nil {
			return billing.DocumentTotals{}, ticket.Invalid("tax", l.Profile, "is not known", "apply the profile: docket tax apply FILE")
		}
		d.Lines = append(d.Lines, billing.TaxableLine{Amount: l.Amount, Profile: x.profiles[l.Profile], Category: l.Category})
	}
	totals, err := d.Totals()
	if err != nil {
		return totals, ticket.Invalid("tax", name, "cannot be reckoned: "+err.Error(), "correct the profile and apply it again: docket tax apply FILE")
	}
	return totals, nil
}

func taxLines(ctx context.Context, q querier, invoice int64) (found invoiceTaxLines, err error) {
	b := &pgx.Batch{}
	queueTaxLines(b, invoice, &found)
	if err := q.SendBatch(ctx, b).Close(); err != nil {
		return found, fmt.Errorf("read what %s is taxed by: %w", ticket.InvoiceID(invoice), err)
	}
	return found, nil
}

func queueTaxLines(b *pgx.Batch, invoice int64, into *invoiceTaxLines) {
	b.Queue(`
select l.amount, l.tax_profile, l.tax_category, coalesce(nullif(l.tax_profile, ''), c.tax_profile)
from invoices i join clients c on c.id = i.payer_id join invoice_lines l on l.invoice_id = i.id where i.id = $1 order by l.charge_id`, invoice).Query(func(rows pgx.Rows) (err error) {
		into.rows, err = pgx.CollectRows(rows, pgx.RowToStructByPos[taxLine])
		return err
	})
	b.Queue(`
select distinct on (p.id) p.id, p.document from tax_profiles p
where p.id in (select l.tax_profile from invoice_lines l where l.invoice_id = $1)
  or p.id = (select c.tax_profile from clients c join invoices i on i.payer_id = c.id where i.id = $1)
order by p.id, p.revision desc`, invoice).Query(func(rows pgx.Rows) error {
		into.profiles = map[string]*billing.TaxProfile{}
		var id, document string
		_, err := pgx.ForEachRow(rows, []any{&id, &document}, func() (err error) {
			into.profiles[id], err = billing.ReadTaxProfile([]byte(document))
			return err
		})
		return err
	})
}

// carried sums an invoice by what is taxed alike. Where a profile rounds the tax of each line, each is
// carried by itself: only so does the tax of both sides come to nothing.
func (x invoiceTaxLines) carried() []billing.CarriedSum {
	type kind struct{ profile, category string }
	var sums []billing.CarriedSum
	at := map[kind]int{}
	for _, l := range x.rows {
		k := kind{l.Named, l.Category}
		profile := x.profiles[l.Profile]
		if i, begun := at[k]; begun && (profile == nil || !profile.RoundsLines()) {
			sums[i].Amount = sums[i].Amount.Add(l.Amount)
			continue
		}
		at[k] = len(sums)
		sums = append(sums, billing.CarriedSum{Amount: l.Amount, Tax: l.Named, TaxCategory: l.Category})
	}
	return sums
}
