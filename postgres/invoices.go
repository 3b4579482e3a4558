package postgres

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/shopspring/decimal"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

// InvoiceFilter narrows a list of invoices; an empty field does not.
type InvoiceFilter struct {
	Payer string
	State string // one of billing.InvoiceStates
	Limit int    // 0: 50
}

// An open invoice has no total of its own: it is the sum of its lines, from an index alone.
const selectInvoices = `
select i.id, coalesce(i.number, ''), i.payer_id, i.currency, i.period_start::text, i.period_end::text, s.state,
  coalesce(i.total, sums.total, 0), coalesce(i.line_count, sums.lines, 0)::int, i.finalised_at,
  coalesce(s.payable, 0), s.paid, s.applied, s.credited, s.reduced, coalesce(s.owed, 0), coalesce(s.disputed, 0), coalesce(i.due_on::text, '')
from invoices i join invoice_standing s on s.invoice_id = i.id
left join lateral (select sum(l.amount) as total, count(*) as lines from invoice_lines l where i.state = 'open' and l.invoice_id = i.id) as sums on true`

// Invoices lists invoices without their lines, the newest period first.
func (r Reads) Invoices(ctx context.Context, f InvoiceFilter) ([]billing.Invoice, error) {
	limit := f.Limit
	if limit <= 0 {
		limit = defaultLimit
	}
	return r.invoices(ctx, " where ($1 = '' or i.payer_id = $1) and ($2 = '' or s.state = $2) order by i.period_start desc, i.payer_id, i.currency limit $3",
		f.Payer, f.State, limit)
}

// Invoice finds one invoice, without its lines, by what people call it: its number
// (INV-2026-00017), that of a credit note against it, its row (draft-12), or a client, whose payer's newest open one is
// meant; of those that begin on one day, the one of the shortest period.
// InvoiceLines pages through its lines.
func (r Reads) Invoice(ctx context.Context, ref string) (billing.Invoice, error) {
	ref = strings.TrimSpace(ref)
	found, err := r.invoices(ctx, " where i.number = upper($1) or i.id = (select n.invoice_id from credit_notes n where n.number = upper($1))", ref)
	if err == nil && len(found) == 0 {
		digits := strings.TrimPrefix(strings.ToLower(ref), "draft-")
		if id, bad := strconv.ParseInt(digits, 10, 64); bad == nil {
			found, err = r.invoices(ctx, " where i.id = $1", id)
		}
	}
	if err == nil && len(found) == 0 {
		found, err = r.openInvoice(ctx, ref, "")
	}
	if err != nil {
		return billing.Invoice{}, err
	}
	if len(found) == 0 {
		return billing.Invoice{}, ticket.Invalid("invoice", ref, "is not known, and no client of that name has an open one",
			"give a number like INV-2026-00017, a draft like draft-12, or a client; `docket invoice list` shows them")
	}
	return found[0], nil
}

// OpenInvoice finds the newest open invoice of a client's payer whose period ends before the date until.
func (r Reads) OpenInvoice(ctx context.Context, client, until string) (billing.Invoice, error) {
	if _, err := time.Parse(time.DateOnly, until); err != nil {
		return billing.Invoice{}, ticket.Invalid("until", until, "is not a date", "write it like 2026-04-01, the first day after the period")
	}
	found, err := r.openInvoice(ctx, client, until)
	if err != nil {
		return billing.Invoice{}, err
	}
	if len(found) == 0 {
		return billing.Invoice{}, ticket.Invalid("invoice", client, "has no open one until "+until, "`docket invoice list --state open` shows them")
	}
	return found[0], nil
}

func (r Reads) openInvoice(ctx context.Context, client, until string) ([]billing.Invoice, error) {
	return r.invoices(ctx, `
		where i.state = 'open' and i.payer_id = (select payer_id from clients where id = $1) and ($2 = '' or i.period_end = nullif($2, '')::date)
		order by i.period_start desc, i.period_end, (select count(*) from invoice_lines l where l.invoice_id = i.id) desc, i.id limit 1`, client, until)
}

func (r Reads) invoices(ctx context.Context, where string, args ...any) ([]billing.Invoice, error) {
	rows, err := r.q.Query(ctx, selectInvoices+where, args...)
	if err != nil {
		return nil, fmt.Errorf("list invoices: %w", err)
	}
	invoices, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (i billing.Invoice, err error) {
		var r billing.Receivable
		err = row.Scan(&i.ID, &i.Number, &i.Payer, &i.Currency, &i.PeriodStart, &i.PeriodEnd, &i.State, &i.Total, &i.LineCount, &i.FinalisedAt,
			&r.Payable, &r.Paid, &r.Applied, &r.Credited, &r.Reduced, &r.Owed, &r.Disputed, &i.DueOn)
		if i.FinalisedAt != nil {
			i.Receivable = &r
		}
		return i, err
	})
	if err != nil {
		return nil, fmt.Errorf("list invoices: %w", err)
	}
	return invoices, nil
}

const selectLines = `
select l.charge_id, l.ticket, l.client_id, c.kind, c.clause, l.text, c.quantity, c.unit, c.rate, l.amount, l.currency,
  l.service_date::text, l.posted_at, coalesce(c.reverses, 0), coalesce(c.adjusts, 0), coalesce(c.project_id, ''), l.invoice_id,
  l.payer_id, l.tax_profile, l.tax_category, l.purchase_order, l.account, l.item_code, l.deferral
from invoice_lines l join charges c on c.id = l.charge_id`

// InvoiceLines gives up to limit lines of an invoice, after line number after, in the order of
// their numbers. Call it again with the last number it gave until it gives none.
func (r Reads) InvoiceLines(ctx context.Context, invoice, after int64, limit int) ([]billing.InvoiceLine, error) {
	if limit <= 0 {
		limit = defaultLimit
	}
	return r.lines(ctx, " where l.invoice_id = $1 and l.charge_id > $2 order by l.charge_id limit $3", invoice, after, limit)
}

// LinesOf lists the invoice lines of a ticket.
func (r Reads) LinesOf(ctx context.Context, id ticket.ID) ([]billing.InvoiceLine, error) {
	return r.lines(ctx, " where l.ticket = $1 order by l.charge_id", id.Number())
}

func (r Reads) lines(ctx context.Context, where string, args ...any) ([]billing.InvoiceLine, error) {
	rows, err := r.q.Query(ctx, selectLines+where, args...)
	if err != nil {
		return nil, fmt.Errorf("list invoice lines: %w", err)
	}
	lines, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (billing.InvoiceLine, error) {
		l, _, err := scanLine(row)
		return l, err
	})
	if err != nil {
		return nil, fmt.Errorf("list invoice lines: %w", err)
	}
	return lines, nil
}

func scanLine(row pgx.CollectableRow) (l billing.InvoiceLine, invoice int64, err error) {
	var (
		number *int64 // null: it comes of no ticket
		booked billing.Accounting
	)
	err = row.Scan(&l.Line, &number, &l.Client, &l.Kind, &l.Clause, &l.Text, &l.Quantity, &l.Unit, &l.Rate, &l.Amount, &l.Currency,
		&l.Date, &l.PostedAt, &l.Reverses, &l.Adjusts, &l.Project, &invoice,
		&l.Payer, &l.Tax, &l.TaxCategory, &l.PurchaseOrder, &booked.Account, &booked.Item, &booked.Defer)
	if booked != (billing.Accounting{}) {
		l.Accounting = &booked
	}
	if number != nil {
		l.Ticket = string(ticket.NewID(*number))
	}
	return l, invoice, err
}

// LineCount counts an invoice's lines from an index alone: what a watcher asks to learn whether
// anything came.
func (r Reads) LineCount(ctx context.Context, invoice int64) (int, error) {
	var n int
	if err := r.q.QueryRow(ctx, "select count(*) from invoice_lines where invoice_id = $1", invoice).Scan(&n); err != nil {
		return 0, fmt.Errorf("count the lines of invoice %d: %w", invoice, err)
	}
	return n, nil
}

// ClientTotal is what has been billed to a client in one currency, reversals included, and the lines
// of void invoices left out.
type ClientTotal struct {
	Client   string          `json:"client"`
	Currency string          `json:"currency"`
	Lines    int             `json:"lines"`
	Amount   decimal.Decimal `json:"amount"`
}

// TotalsByClient sums all lines that count by client and currency.
func (r Reads) TotalsByClient(ctx context.Context) ([]ClientTotal, error) {
	rows, err := r.q.Query(ctx, "select client_id, currency, count(*), sum(amount) from billed_lines group by 1, 2 order by 1, 2")
	if err != nil {
		return nil, fmt.Errorf("sum the lines by client: %w", err)
	}
	totals, err := pgx.CollectRows(rows, pgx.RowToStructByPos[ClientTotal])
	if err != nil {
		return nil, fmt.Errorf("sum the lines by client: %w", err)
	}
	return totals, nil
}

// Why tells where one line comes from: its charge as it was decided, by which decision, what
// undid it, and the story in sentences.
func (r Reads) Why(ctx context.Context, line int64) (billing.Why, error) {
	var why billing.Why
	rows, err := r.q.Query(ctx, selectLines+" where l.charge_id = $1", line)
	if err != nil {
		return why, fmt.Errorf("look for line %s: %w", ticket.LineID(line), err)
	}
	var invoice int64
	why.Line, err = pgx.CollectExactlyOneRow(rows, func(row pgx.CollectableRow) (l billing.InvoiceLine, err error) {
		l, invoice, err = scanLine(row)
		return l, err
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return why, ticket.Invalid("line", ticket.LineID(line), "is not known", "`docket invoice show` lists the lines of an invoice")
	}
	if err != nil {
		return why, fmt.Errorf("look for line %s: %w", ticket.LineID(line), err)
	}
	found, err := r.invoices(ctx, " where i.id = $1", invoice)
	if err != nil {
		return why, err
	}
	if len(found) == 1 { // a client that is not the payer does not see the invoice, only its line
		why.Invoice = found[0]
	}
	charge, closed, err := r.charge(ctx, line)
	if err != nil {
		return why, err
	}
	why.Charge, why.Digest, why.ClosedAt, why.Reversed = charge, closed.digest, closed.at, closed.reversedBy
	why.Sentences = billing.Explain(charge)
	return why, nil
}

type chargeOrigin struct {
	digest     string
	at         time.Time
	reversedBy int64
}
