package postgres

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/shopspring/decimal"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

// posting writes charges: their rows, the work they stand for, what they take from blocks and
// counters, and their invoice lines. Closing, settling and reopening all post through it, and so
// does what has no ticket: then only the client and the payer of ticket are known.
type posting struct {
	ticket     lockedTicket
	closure    int64
	posting    int64 // of what has no ticket, instead of a closure
	round      int
	hold       int64 // the hold they come out of; 0: none
	at         time.Time
	generation map[int64]int // of each work entry
	items      map[int64]int // the generation of each item
	bodies     bool          // the closure's decision has not these charges: keep them whole
	bought     boughtBlocks  // by their closings
}

// invoiceRow is an invoice that lines may go on.
type invoiceRow struct {
	ID       int64
	Payer    string
	Currency string
	Start    time.Time
	End      time.Time
	State    string
}

// payer is who gets the charge's line: whom its contract names, else the client's payer.
func (p posting) payer(c billing.Charge) string { return cmp.Or(c.Payer, p.ticket.PayerID) }

// place finds each charge's invoice and says what its line will be. ids are the charges'; known
// are the invoices that have been read, and grows by those it creates.
func (p posting) place(ctx context.Context, t *tx, charges []billing.Charge, ids []int64, known *[]invoiceRow) ([]billing.PostedLine, error) {
	posted := make([]billing.PostedLine, 0, len(charges))
	for i, c := range charges {
		line := billing.PostedLine{Kind: c.Kind, Clause: c.Clause, Text: c.Text, Amount: c.Amount, Currency: c.Currency}
		if !c.Hidden {
			invoice, err := p.invoice(ctx, t, c, known)
			if err != nil {
				return nil, err
			}
			line.Line, line.Invoice = ids[i], invoice
		}
		posted = append(posted, line)
	}
	return posted, nil
}

// charges queues the charges' rows, all of them by one statement, and adds what they take to m.
func (p posting) charges(b *pgx.Batch, charges []billing.Charge, ids []int64, m *moves) error {
	if len(charges) == 0 {
		return nil
	}
	bodies, err := p.kept(charges)
	if err != nil {
		return err
	}
	number := p.ticket.Number
	if p.closure == 0 { // only a closure's charges are a ticket's; a line may be about one all the same
		number = 0
	}
	b.Queue(`
insert into charges (id, closure_id, ticket, client_id, round, hold_id, posting_id, posted_at, key, kind, contract_id, revision, clause, currency, quantity, unit,
  rate, exact, amount, service_date, hidden, reverses, adjusts, project_id, body)
select c.id, nullif($1::bigint, 0), nullif($2::bigint, 0), $3, $4, nullif($5::bigint, 0), nullif($6::bigint, 0), $7, c.key, c.kind, c.contract_id, c.revision,
  c.clause, c.currency, c.quantity, c.unit, c.rate, c.exact, c.amount, c.service_date::date, c.hidden, nullif(c.reverses, 0), nullif(c.adjusts, 0),
  nullif(c.project_id, ''), c.body
from unnest($8::bigint[], $9::text[], $10::text[], $11::text[], $12::int[], $13::text[], $14::text[], $15::numeric[], $16::text[],
  $17::numeric[], $18::numeric[], $19::numeric[], $20::text[], $21::bool[], $22::bigint[], $23::bigint[], $24::text[], $25::text[])
  as c (id, key, kind, contract_id, revision, clause, currency, quantity, unit, rate, exact, amount, service_date, hidden, reverses, adjusts, project_id, body)`,
		p.closure, number, p.ticket.ClientID, p.round, p.hold, p.posting, p.at,
		ids, column(charges, func(c *billing.Charge) string { return c.Key }),
		column(charges, func(c *billing.Charge) string { return string(c.Kind) }),
		column(charges, func(c *billing.Charge) string { return c.Contract }),
		column(charges, func(c *billing.Charge) int { return c.Revision }),
		column(charges, func(c *billing.Charge) string { return c.Clause }),
		column(charges, func(c *billing.Charge) string { return c.Currency }),
		column(charges, func(c *billing.Charge) decimal.Decimal { return c.Quantity }),
		column(charges, func(c *billing.Charge) string { return c.Unit }),
		column(charges, func(c *billing.Charge) decimal.Decimal { return c.Rate }),
		column(charges, func(c *billing.Charge) decimal.Decimal { return c.Exact }),
		column(charges, func(c *billing.Charge) decimal.Decimal { return c.Amount }),
		column(charges, func(c *billing.Charge) string { return c.Date }),
		column(charges, func(c *billing.Charge) bool { return c.Hidden }),
		column(charges, func(c *billing.Charge) int64 { return c.Reverses }),
		column(charges, func(c *billing.Charge) int64 { return c.Adjusts }),
		column(charges, func(c *billing.Charge) string { return c.Project }),
		bodies)
	for i, c := range charges {
		p.worked(b, ids[i], c)
		p.allowances(b, ids[i], c, m)
	}
	return nil
}

// column is one field of all rows.
func column[R, F any](rows []R, field func(*R) F) []F {
	values := make([]F, len(rows))
	for i := range rows {
		values[i] = field(&rows[i])
	}
	return values
}

// kept are the charges whole, where nothing else keeps them so; nil ones else.
func (p posting) kept(charges []billing.Charge) ([]*string, error) {
	bodies := make([]*string, len(charges))
	if !p.bodies {
		return bodies, nil
	}
	for i, c := range charges {
		canonical, err := billing.Canonical(c)
		if err != nil {
			return nil, fmt.Errorf("encode charge %s: %w", c.Key, err)
		}
		text := string(canonical)
		bodies[i] = &text
	}
	return bodies, nil
}

// lines queues the invoice lines by one statement, after every lock on counters and blocks: an invoice is the
// last lock of a transaction.
func (p posting) lines(b *pgx.Batch, charges []billing.Charge, posted []billing.PostedLine) {
	var lines []invoiceLine
	for i, c := range charges {
		if l := posted[i]; l.Line != 0 {
			line := invoiceLine{id: l.Line, invoice: l.Invoice, charge: &charges[i], payer: p.payer(c)}
			if c.Accounting != nil {
				line.booked = *c.Accounting
			}
			lines = append(lines, line)
		}
	}
	if len(lines) == 0 {
		return
	}
	b.Queue(`
insert into invoice_lines (charge_id, invoice_id, client_id, payer_id, ticket, currency, amount, service_date, text, posted_at,
  tax_profile, tax_category, purchase_order, account, item_code, deferral)
select l.id, l.invoice, $1, l.payer, nullif($2::bigint, 0), l.currency, l.amount, l.service_date::date, l.text, $3,
  l.tax, l.category, l.purchase_order, l.account, l.item, l.deferral
from unnest($4::bigint[], $5::bigint[], $6::text[], $7::text[], $8::numeric[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[],
  $14::text[], $15::text[], $16::text[])
  as l (id, invoice, payer, currency, amount, service_date, text, tax, category, purchase_order, account, item, deferral)`,
		p.ticket.ClientID, p.ticket.Number, p.at,
		column(lines, func(l *invoiceLine) int64 { return l.id }),
		column(lines, func(l *invoiceLine) int64 { return l.invoice }),
		column(lines, func(l *invoiceLine) string { return l.payer }),
		column(lines, func(l *invoiceLine) string { return l.charge.Currency }),
		column(lines, func(l *invoiceLine) decimal.Decimal { return l.charge.Amount }),
		column(lines, func(l *invoiceLine) string { return l.charge.Date }),
		column(lines, func(l *invoiceLine) string { return l.charge.Text }),
		column(lines, func(l *invoiceLine) string { return l.charge.Tax }),
		column(lines, func(l *invoiceLine) string { return l.charge.TaxCategory }),
		column(lines, func(l *invoiceLine) string { return l.charge.PurchaseOrder }),
		column(lines, func(l *invoiceLine) string { return l.booked.Account }),
		column(lines, func(l *invoiceLine) string { return l.booked.Item }),
		column(lines, func(l *invoiceLine) string { return l.booked.Defer }))
}

// invoiceLine is a charge that is shown on an invoice.
type invoiceLine struct {
	id      int64
	invoice int64
	charge  *billing.Charge
	payer   string
	booked  billing.Accounting
}

// worked queues what work and which item a charge stands for.
func (p posting) worked(b *pgx.Batch, id int64, c billing.Charge) {
	for _, s := range c.Spans {
		if s.From == s.To { // a failed attempt that measured nothing
			continue
		}
		b.Queue("insert into charge_work (charge_id, work_id, generation, span) values ($1, $2, $3, int8range($4, $5))",
			id, s.Work, p.generation[s.Work], s.From, s.To)
	}
	if item, ok := itemOf(c); ok {
		b.Queue("insert into charge_items (charge_id, item_id, generation) values ($1, $2, $3)", id, item, p.items[item])
	}
}

// allowances queues one row for each move of a counter or a block.
func (p posting) allowances(b *pgx.Batch, id int64, c billing.Charge, m *moves) {
	m.cause = p.cause(id, c)
	for _, n := range c.Counts {
		if n.Quantity.IsZero() {
			continue // of what lowers a charge that costs nothing yet
		}
		kind := "count"
		if n.Quantity.IsNegative() {
			kind = "return"
		}
		b.Queue(`insert into counter_moves (counter, client_id, kind, quantity, charge_id, at) values ($1, $2, $3, $4, $5, $6)`,
			n.Key, p.ticket.ClientID, kind, n.Quantity, id, p.at)
		m.count(n.Key, n.Quantity)
	}
	for _, d := range c.Draws {
		kind := "draw"
		if d.MS < 0 {
			kind = "return"
		}
		block := p.bought.id(p.closure, d.Block)
		b.Queue(`insert into block_moves (block_id, client_id, kind, ms, charge_id, at) values ($1, $2, $3, $4, $5, $6)`,
			block, p.ticket.ClientID, kind, d.MS, id, p.at)
		m.draw(block, d.MS)
	}
}

// cause names what moves allowances for a charge: its reversal, the settling of its hold, or its closing.
func (p posting) cause(id int64, c billing.Charge) string {
	switch {
	case c.Reverses != 0:
		return ticket.LineID(id)
	case p.hold != 0:
		return ticket.HoldID(p.hold)
	}
	return closingCause(p.closure)
}

func closingCause(closure int64) string { return fmt.Sprintf("closure-%d", closure) }

// readGenerations tells how often each work entry and each item of the ticket has been given to rating.
func (p *posting) readGenerations(ctx context.Context, q querier) error {
	p.generation, p.items = map[int64]int{}, map[int64]int{}
	b := &pgx.Batch{}
	for _, of := range []struct {
		table string
		into  map[int64]int
	}{{"work_entries", p.generation}, {"ticket_items", p.items}} {
		b.Queue("select id, generation from "+of.table+" where ticket = $1", p.ticket.Number).Query(func(rows pgx.Rows) error {
			var (
				id int64
				n  int
			)
			_, err := pgx.ForEachRow(rows, []any{&id, &n}, func() error { of.into[id] = n; return nil })
			return err
		})
	}
	if err := q.SendBatch(ctx, b).Close(); err != nil {
		return fmt.Errorf("read the work of %s: %w", p.ticket.id(), err)
	}
	return nil
}

// money tells an amount with its currency's decimals: "187.50 EUR".
func money(amount decimal.Decimal, currency string) string {
	places, ok := billing.MinorUnits(currency)
	if !ok {
		return amount.String() + " " + currency
	}
	return amount.StringFixed(places) + " " + currency
}
