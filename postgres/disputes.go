package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/shopspring/decimal"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

// LineQuestion says that somebody questions a line of a finalised invoice.
type LineQuestion struct {
	Line         int64
	Reason       string
	By           string // somebody of the client or of its payer, or one of ours
	OperationKey string
}

// Question opens a dispute about a line: until finance has settled it, nobody collects what is owed for the line, with its tax and
// what writes it down. It stays owed. A line that went back, or whose invoice is void, cannot be questioned.
func (s *Store) Question(ctx context.Context, q LineQuestion) (billing.Dispute, error) {
	name := ticket.LineID(q.Line)
	invoice, err := s.invoiceOf(ctx, "line", name, "`docket invoice show` lists the lines of an invoice", "select invoice_id from invoice_lines where charge_id = $1", q.Line)
	if err := errors.Join(err, reasoned(q.Reason)); err != nil {
		return billing.Dispute{}, err
	}
	var client string
	d := &invoiceDeed{kind: "question", head: InvoiceDeed{Invoice: invoice, By: q.By, OperationKey: q.OperationKey}}
	d.first = func(b *pgx.Batch) {
		b.Queue("select client_id from invoice_lines where charge_id = $1", q.Line).QueryRow(func(row pgx.Row) error { return row.Scan(&client) })
	}
	d.may = func(d *invoiceDeed) error {
		if d.by.Kind != ticket.Human || (d.by.Client != "" && d.by.Client != client && d.by.Client != d.found.Payer) {
			return ticket.Invalid("by", q.By, "may not question "+name, "a person of "+client+" may, or one of ours")
		}
		return nil
	}
	return onInvoice(ctx, s, d, []any{q.Line, q.Reason}, func(t *tx, d *invoiceDeed) (billing.Dispute, error) {
		if err := d.questionable(name); err != nil {
			return billing.Dispute{}, err
		}
		all, err := d.lines(ctx, t)
		if err != nil {
			return billing.Dispute{}, err
		}
		lines, err := d.whole(all, []int64{q.Line})
		if problems := ticket.Problems(err); len(problems) > 0 {
			return billing.Dispute{}, ticket.Invalid("line", name, problems[0].Problem, "there is nothing to question; name a line that bills something")
		}
		if err != nil {
			return billing.Dispute{}, err
		}
		asked := billing.Dispute{
			Line: q.Line, Invoice: d.found.Number, Payer: d.found.Payer, Client: client, Currency: d.found.Currency,
			State: "open", OpenedBy: q.By, OpenedAt: d.at, Reason: q.Reason,
		}
		for _, l := range lines {
			asked.Amount = asked.Amount.Add(l.leftGross())
		}
		if asked.Left = asked.Amount; !asked.Amount.IsPositive() {
			return billing.Dispute{}, ticket.Invalid("line", name, "comes to "+d.money(asked.Amount), "there is nothing to question; name a line that costs something")
		}
		earlier, err := disputesOf(ctx, t.conn, q.Line)
		if err != nil {
			return billing.Dispute{}, err
		}
		for _, e := range earlier {
			if e.State == "open" {
				return billing.Dispute{}, ticket.Invalid("line", name, fmt.Sprintf("is in question already: %s, by %s", ticket.DisputeID(e.ID), e.OpenedBy),
					"finance settles it: docket dispute settle "+ticket.DisputeID(e.ID))
			}
		}
		ids := numbersOf(lines)
		b := t.batch()
		b.Queue("select nextval('dispute_ids')").QueryRow(func(row pgx.Row) error { return row.Scan(&asked.ID) })
		if err := t.send(ctx, b); err != nil {
			return billing.Dispute{}, err
		}
		asked.Says = d.sayQuestioned(asked)
		tell := &pgx.Batch{}
		if err := queueNotice(tell, ticket.DisputeID(asked.ID), event{
			Kind: "question", Client: asked.Payer, Actor: q.By, Says: asked.Says + " (" + q.Reason + ")", At: d.at,
		}); err != nil {
			return billing.Dispute{}, err
		}
		d.event.Amount, d.event.Reason, d.event.Says = asked.Amount, q.Reason, asked.Says
		d.rows = func(b *pgx.Batch, event int64) {
			b.Queue(`
insert into disputes (id, event_id, invoice_id, charge_id, time, lines, payer_id, client_id, currency, amount, opened_by, opened_at, reason)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
				asked.ID, event, d.found.ID, q.Line, len(earlier)+1, ids, d.found.Payer, client, d.found.Currency, asked.Amount, q.By, d.at, q.Reason)
			b.QueuedQueries = append(b.QueuedQueries, tell.QueuedQueries...)
		}
		return asked, nil
	})
}

// questionable says why no line of the invoice can be questioned, if so.
func (d *invoiceDeed) questionable(line string) error {
	switch d.stands.State {
	case billing.InvoiceVoid:
		return ticket.Invalid("line", line, "is on "+d.name()+", which is void: nothing is owed for it", "question the line that bills it now; `docket why "+line+"` tells which")
	case billing.InvoiceCreditNote:
		return ticket.Invalid("line", line, "is on "+d.name()+", which is a credit note", "question a line of an invoice")
	case billing.InvoiceCredited:
		return ticket.Invalid("line", line, "is on "+d.name()+", all of which was given back", "there is nothing left to question")
	}
	return nil
}

func (d *invoiceDeed) sayQuestioned(q billing.Dispute) string {
	says := fmt.Sprintf("%s: %s of %s, %s, is in question", ticket.DisputeID(q.ID), ticket.LineID(q.Line), q.Invoice, d.money(q.Amount))
	if d.stands.Owed.IsZero() {
		return says + "; nothing is owed on the invoice"
	}
	paused := decimal.Min(d.stands.Owed, d.stands.Disputed.Add(q.Amount))
	return says + "; " + d.money(paused) + " of " + d.money(d.stands.Owed) + " owed are not collected until it is settled"
}

const selectDisputes = `
select v.id, v.charge_id, i.number, v.payer_id, v.client_id, v.currency, v.amount, greatest(v."left", 0), v.state, d.opened_by, v.opened_at, v.reason,
  coalesce(s.settled_by, ''), v.settled_at, coalesce(v.answer, ''), ''
from dispute_standing v join disputes d on d.id = v.id join invoices i on i.id = v.invoice_id left join dispute_settlements s on s.dispute_id = v.id`

func disputesOf(ctx context.Context, q querier, line int64) ([]billing.Dispute, error) {
	return collect[billing.Dispute](ctx, q, "the disputes of "+ticket.LineID(line), selectDisputes+" where v.charge_id = $1 order by v.id", line)
}

// DisputeFilter narrows a list of disputes; an empty field does not.
type DisputeFilter struct {
	Payer   string
	State   string // one of billing.DisputeStates
	Invoice int64
	Limit   int // 0: 50
}

// Disputes lists disputes, the oldest first: what finance has to settle.
func (r Reads) Disputes(ctx context.Context, f DisputeFilter) ([]billing.Dispute, error) {
	limit := f.Limit
	if limit <= 0 {
		limit = defaultLimit
	}
	return collect[billing.Dispute](ctx, r.q, "disputes", selectDisputes+`
where ($1 = '' or v.payer_id = $1) and ($2 = '' or v.state = $2) and ($3 = 0::bigint or v.invoice_id = $3) order by v.id limit $4`,
		f.Payer, f.State, f.Invoice, limit)
}

// DisputeAnswer settles a dispute: the line stands, or a credit note gives it back, whole or in part.
type DisputeAnswer struct {
	Dispute      int64
	Whole        bool   // a credit note of the line
	Amount       string // or of a part of it, with tax; neither: the line stands
	Reason       string
	By           string
	OperationKey string
}

// SettleDispute answers a line in question, once: it stands, and is collected again; or it goes back by a credit note, in the
// same transaction. Owners and people of finance may.
func (s *Store) SettleDispute(ctx context.Context, a DisputeAnswer) (billing.DisputeSettled, error) {
	name := ticket.DisputeID(a.Dispute)
	var line int64
	if a.Whole && a.Amount != "" {
		return billing.DisputeSettled{}, ticket.Invalid("amount", a.Amount, "and the whole line are two answers to one question", "give back an amount of the line or all of it, not both")
	}
	invoice, err := s.invoiceOf(ctx, "dispute", name, "`docket dispute list` shows them", "select invoice_id from disputes where id = $1", a.Dispute)
	if err := errors.Join(err, reasoned(a.Reason)); err != nil {
		return billing.DisputeSettled{}, err
	}
	if line, err = s.invoiceOf(ctx, "dispute", name, "", "select charge_id from disputes where id = $1", a.Dispute); err != nil {
		return billing.DisputeSettled{}, err
	}
	head := InvoiceDeed{Invoice: invoice, By: a.By, OperationKey: a.OperationKey}
	settled := billing.DisputeSettled{Dispute: name, Line: ticket.LineID(line), Outcome: "stands"}
	if a.Whole || a.Amount != "" {
		note, err := s.Credit(ctx, CreditNoteDraft{InvoiceDeed: head, Amount: a.Amount, Lines: wholeLine(a.Whole, line), Reason: a.Reason, settles: a.Dispute, only: line})
		if err != nil {
			return billing.DisputeSettled{}, err
		}
		settled.Invoice, settled.Outcome, settled.Note = note.Invoice, "credited", &note
		settled.Says = name + " is settled: " + note.Says
		return settled, nil
	}
	d := &invoiceDeed{kind: "answer", head: head}
	return onInvoice(ctx, s, d, []any{a.Dispute, a.Reason}, func(t *tx, d *invoiceDeed) (billing.DisputeSettled, error) {
		open, err := d.openDispute(ctx, t, a.Dispute)
		if err != nil {
			return billing.DisputeSettled{}, err
		}
		settled.Invoice = d.found.Number
		settled.Says = fmt.Sprintf("%s is settled: %s of %s stands", name, ticket.LineID(open.Line), d.name())
		if d.stands.Owed.IsPositive() {
			settled.Says += "; " + d.money(d.stands.Owed) + " are owed"
		}
		d.event.Amount, d.event.Reason, d.event.Says = open.Left, a.Reason, settled.Says
		d.rows = func(b *pgx.Batch, event int64) { d.queueSettled(b, a.Dispute, event, "stands", a.Reason) }
		return settled, nil
	})
}

func wholeLine(whole bool, line int64) []int64 {
	if !whole {
		return nil
	}
	return []int64{line}
}

// openDispute reads the dispute under its invoice's lock; a Problem where it is settled, or moot.
func (d *invoiceDeed) openDispute(ctx context.Context, t *tx, id int64) (billing.Dispute, error) {
	found, err := collect[billing.Dispute](ctx, t.conn, "the dispute", selectDisputes+" where v.id = $1", id)
	if err != nil {
		return billing.Dispute{}, err
	}
	if len(found) == 0 {
		return billing.Dispute{}, ticket.Invalid("dispute", ticket.DisputeID(id), "is not known", "`docket dispute list` shows them")
	}
	one, name := found[0], ticket.DisputeID(id)
	switch {
	case one.State == "open":
		return one, nil
	case one.SettledAt != nil:
		return one, ticket.Invalid("dispute", name, "is settled: "+one.State+", by "+one.SettledBy, "nothing is in question any more; the line can be questioned anew")
	case one.State == "void":
		return one, ticket.Invalid("dispute", name, "is moot: "+one.Invoice+" is void", "its lines are billed again; question the new one if need be")
	}
	return one, ticket.Invalid("dispute", name, "is moot: credit notes have given "+ticket.LineID(one.Line)+" back", "nothing is in question any more")
}

func (d *invoiceDeed) queueSettled(b *pgx.Batch, dispute, event int64, outcome, reason string) {
	b.Queue("insert into dispute_settlements (dispute_id, event_id, payer_id, outcome, settled_by, settled_at, reason) values ($1, $2, $3, $4, $5, $6, $7)",
		dispute, event, d.found.Payer, outcome, d.head.By, d.at, reason)
}

// ofLine gives the line with what writes it down, of which a note may give back so much at most.
func (d *invoiceDeed) ofLine(all []creditedLine, line int64, amount decimal.Decimal) ([]creditedLine, error) {
	lines, err := d.whole(all, []int64{line})
	if err != nil {
		return nil, err
	}
	left := decimal.Zero
	for _, l := range lines {
		left = left.Add(l.leftGross())
	}
	if amount.GreaterThan(left) {
		return nil, ticket.Invalid("amount", d.money(amount), fmt.Sprintf("is more than %s has left to give back: %s", ticket.LineID(line), d.money(left)), "credit at most that, or another line with it")
	}
	return lines, nil
}
