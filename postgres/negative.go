package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/shopspring/decimal"

	"github.com/docket-psa/docket/billing"
)

// belowZero ends an invoice that comes to less than zero: it becomes a credit note where all contracts
// with a line on it say so (billing.negative), and else is carried forward into the next period, so
// that nobody is left with an invoice that cannot be finalised.
func (s *Store) belowZero(ctx context.Context, t *tx, x lockedInvoice, d document, lines invoiceTaxLines, by string, now time.Time) (document, error) {
	var notes *bool
	b := t.batch()
	b.Queue(belowZeroNotes, x.ID).QueryRow(func(r pgx.Row) error { return r.Scan(&notes) })
	if err := t.send(ctx, b); err != nil {
		return d, err
	}
	if notes == nil || !*notes {
		return s.carryForward(ctx, t, x, d, lines, by, now)
	}
	d.series = noteSeries
	b = t.batch()
	queueCredit(b, x, "credit-note", d.gross().Neg(), nil, s.now())
	return d, t.send(ctx, b)
}

// belowZeroNotes says whether all contracts with a line on the invoice want a credit note; null: it has no line of a contract.
const belowZeroNotes = `
select bool_and(coalesce(v.document::jsonb #>> '{billing,negative}', '') = 'credit-note')
from invoice_lines l join charges c on c.id = l.charge_id join contract_versions v on v.contract_id = c.contract_id and v.revision = c.revision
where l.invoice_id = $1`

// carryForward posts the pairs of lines that move the invoice's content into the next period's: it
// comes to zero, by everything that is taxed alike, and the next one takes over as much.
func (s *Store) carryForward(ctx context.Context, t *tx, x lockedInvoice, d document, lines invoiceTaxLines, by string, now time.Time) (document, error) {
	period := x.period()
	this, err := billsIn(billing.Charge{Bills: &period})
	if err != nil {
		return d, fmt.Errorf("period of %s: %w", x.name(), err)
	}
	next, err := following(this)
	if err != nil {
		return d, fmt.Errorf("period after that of %s: %w", x.name(), err)
	}
	facts := billing.CarryFacts{
		Invoice: x.ID, Payer: x.Payer, Currency: x.Currency, Period: period, Next: billing.Period{Start: next.Start.String(), End: next.End.String()},
		Sums: lines.carried(),
	}
	charges := facts.Decide().Charges
	ids, err := s.charges.take(ctx, t.conn, len(charges))
	if err != nil {
		return d, err
	}
	origin, err := s.postings.take(ctx, t.conn, 1)
	if err != nil {
		return d, err
	}
	row := postingRow{
		id: origin[0], key: fmt.Sprintf("carry/%d", x.ID), kind: postingCarry, client: x.Payer, rules: 1,
		says: fmt.Sprintf("%s of the period from %s carried forward", money(d.total, x.Currency), facts.Period.Start), state: billing.PostingPosted, by: by, at: now.UTC(),
	}
	if row.facts, err = billing.Canonical(facts); err != nil {
		return d, err
	}
	if row.decision, err = billing.Canonical(facts.Decide()); err != nil {
		return d, err
	}
	row.digest = billing.DigestOf(row.decision)

	b := t.batch()
	s.queuePosting(b, row)
	p := posting{ticket: lockedTicket{ClientID: x.Payer, PayerID: x.Payer}, posting: row.id, at: row.at}
	// Of each pair the first goes on this invoice, which is open to whoever holds its lock.
	known := []invoiceRow{{ID: x.ID, Payer: x.Payer, Currency: x.Currency, Start: x.Start, End: x.End, State: "open"}}
	posted, err := p.place(ctx, t, charges, ids, &known)
	if err != nil {
		return d, err
	}
	var none moves
	if err := p.charges(b, charges, ids, &none); err != nil {
		return d, err
	}
	p.lines(b, charges, posted)
	if err := t.send(ctx, b); err != nil {
		return d, err
	}
	d.carried = &ownLines{d.total, d.count}
	if lines, err = taxLines(ctx, t.conn, x.ID); err != nil { // with those that bring it to zero
		return d, err
	}
	err = d.reckon(lines, x, now)
	return d, err
}

// ownLines is what an invoice's lines come to without those that carry them forward: what somebody reviewed.
type ownLines struct {
	total decimal.Decimal
	count int
}

const postingCarry = "carry"

func (i lockedInvoice) period() billing.Period {
	return billing.Period{Start: i.Start.Format(time.DateOnly), End: i.End.Format(time.DateOnly)}
}

// recarry decides again what was carried forward, for the audit.
func recarry(stored string) (decision []byte, says string, err error) {
	var facts billing.CarryFacts
	if err := json.Unmarshal([]byte(stored), &facts); err != nil {
		return nil, fmt.Sprintf("its facts cannot be read: %v", err), nil // what cannot be read is the finding
	}
	decision, err = billing.Canonical(facts.Decide())
	return decision, "", err
}
