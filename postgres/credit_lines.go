package postgres

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/shopspring/decimal"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

// givenBack is what a credit note gives back: lines whole, or of an amount its share of each.
type givenBack struct {
	amount decimal.Decimal // with tax
	lines  []creditedLine
	shares []billing.CreditShare
	orders map[string]decimal.Decimal // by counter: what is free again on a purchase order, without tax
	bases  map[int64]decimal.Decimal  // by the charge that a line bills: what goes back of it, without tax
}

// of is what goes back of a charge and of what writes it down.
func (g *givenBack) of(base int64) decimal.Decimal { return g.bases[base] }

// share parts the amount over the lines that still cost something.
func (g *givenBack) share(all []creditedLine, currency string) {
	// What writes a line down is one with it.
	parts := make([]billing.CreditPart, 0, len(all))
	at := map[int64]int{}
	for _, l := range all {
		i, ok := at[l.Base]
		switch {
		case l.undone() || l.Paired || l.Note != nil:
		case !ok || l.corrects():
			at[l.Base] = len(parts)
			parts = append(parts, billing.CreditPart{Line: l.Line, Of: l.Of, Net: l.leftNet(), Gross: l.leftGross()})
		default:
			parts[i].Net, parts[i].Gross = parts[i].Net.Add(l.leftNet()), parts[i].Gross.Add(l.leftGross())
		}
	}
	places, _ := billing.MinorUnits(currency) // amountOf has read the amount by it
	g.shares = billing.ShareCredit(g.amount, places, parts)
	for _, s := range g.shares {
		i := slices.IndexFunc(all, func(l creditedLine) bool { return l.Line == s.Line })
		g.add(all[i], s.Net)
	}
}

// add notes what goes back of a line, and to its purchase order.
func (g *givenBack) add(l creditedLine, net decimal.Decimal) {
	if g.orders == nil {
		g.orders, g.bases = map[string]decimal.Decimal{}, map[int64]decimal.Decimal{}
	}
	g.bases[l.Base] = g.bases[l.Base].Add(net)
	if l.Order != "" {
		g.orders[l.Order] = g.orders[l.Order].Add(net)
	}
}

// queue writes what the note of that number gives back of each line, and to which purchase orders.
func (g *givenBack) queue(b *pgx.Batch, note string, x lockedInvoice, at time.Time) {
	for _, l := range g.lines {
		b.Queue(`
insert into credit_note_lines (charge_id, note_id, payer_id, net, amount) select $1, n.id, $3, $4, $5 from credit_notes n where n.number = $2`,
			l.Line, note, x.Payer, l.leftNet(), l.leftGross())
	}
	for _, s := range g.shares {
		b.Queue(`
insert into credit_note_shares (note_id, charge_id, payer_id, net, amount) select n.id, $1, $3, $4, $5 from credit_notes n where n.number = $2`,
			s.Line, note, x.Payer, s.Net, s.Gross)
	}
	for _, counter := range slices.Sorted(maps.Keys(g.orders)) {
		net := g.orders[counter]
		if net.IsZero() {
			continue
		}
		b.Queue(`
insert into counter_moves (counter, client_id, kind, quantity, note_id, at)
select $1, c.client_id, 'credit', $3, n.id, $4 from counters c, credit_notes n where c.key = $1 and n.number = $2`, counter, note, net.Neg(), at)
		b.Queue("update counters set value = value - $2 where key = $1", counter, net)
	}
}

// creditedLine is a line of an invoice as a credit note finds it.
type creditedLine struct {
	Line     int64
	Base     int64              // the charge that it bills, or writes down
	Kind     billing.ChargeKind // of what was billed at first
	Amount   decimal.Decimal
	Gross    decimal.Decimal // with its tax, as the invoice has it
	Note     *string         // of an earlier credit note with it
	Reversal *int64          // the charge that has undone its base
	Net      decimal.Decimal // what earlier notes of an amount have given back of it
	Given    decimal.Decimal // that with tax
	Of       string          // what it is undone with: its closure or posting
	Paired   bool            // undone on the same invoice, or what undoes another line of it
	Order    string          // counter of the purchase order that its base counted against; empty: none
}

func (l creditedLine) leftNet() decimal.Decimal   { return l.Amount.Sub(l.Net) }
func (l creditedLine) leftGross() decimal.Decimal { return l.Gross.Sub(l.Given) }

// corrects says whether the line is a correction by itself, which nothing undoes and nobody credits.
func (l creditedLine) corrects() bool {
	return l.Kind == billing.Reversal || l.Kind == billing.Credited || l.Kind == billing.Carried
}

// undone says whether a line on a later invoice has given it back, and no note before.
func (l creditedLine) undone() bool {
	return l.Reversal != nil && !l.Paired && !l.corrects() && l.Note == nil
}

// A line that was billed again, or writes another down, leads to the charge that it is about: its base. What was billed again is of the kind that
// it was at first, its origin, and is paired by it: a line and its reversal that were on a void invoice are both on the new one.
const linesWithBase = `
with recursive up as (
  select l.charge_id as line, c.id, c.adjusts, c.id as origin, c.kind = 'rebilled' as copied
  from invoice_lines l join charges c on c.id = l.charge_id where l.invoice_id = $1
  union all
  select up.line, c.id, c.adjusts, case when up.copied then c.id else up.origin end, up.copied and c.kind = 'rebilled'
  from up join charges c on c.id = up.adjusts
)
select up.line, up.id, a.kind, l.amount, l.amount as gross, n.number, r.id, coalesce(s.net, 0), coalesce(s.amount, 0),
  coalesce('closure ' || c.closure_id, 'posting ' || c.posting_id),
  exists (select from up u where u.origin = r.id) or (a.reverses is not null and exists (select from up u where u.id = a.reverses)), coalesce(o.counter, '')
from up join invoice_lines l on l.charge_id = up.line join charges c on c.id = up.line join charges a on a.id = up.origin
left join credit_note_lines nl on nl.charge_id = up.line left join credit_notes n on n.id = nl.note_id
left join charges r on r.reverses = up.id
left join (select charge_id, sum(net) as net, sum(amount) as amount from credit_note_shares group by 1) s on s.charge_id = up.line
left join counter_moves o on o.charge_id = up.id and starts_with(o.counter, $2)
where up.adjusts is null order by up.line`

// lines reads the invoice's lines with what became of them.
func (d *invoiceDeed) lines(ctx context.Context, t *tx) ([]creditedLine, error) {
	var (
		all  []creditedLine
		kept *string
	)
	b := t.batch()
	b.Queue(linesWithBase, d.found.ID, billing.CountsOrders).Query(func(rows pgx.Rows) (err error) {
		all, err = pgx.CollectRows(rows, pgx.RowToStructByPos[creditedLine])
		return err
	})
	b.Queue("select taxes from invoices where id = $1", d.found.ID).QueryRow(func(row pgx.Row) error { return row.Scan(&kept) })
	if err := t.send(ctx, b); err != nil {
		return nil, err
	}
	return all, withTax(all, kept)
}

// whole gives the named lines, and with each of them those that write it down.
func (d *invoiceDeed) whole(all []creditedLine, named []int64) ([]creditedLine, error) {
	bases := map[int64]bool{}
	var wrong []error
	for _, n := range named {
		i := slices.IndexFunc(all, func(l creditedLine) bool { return l.Line == n })
		if i < 0 {
			wrong = append(wrong, ticket.Invalid("lines", ticket.LineID(n), "is not on "+d.name(), "`docket invoice show "+d.name()+"` lists its lines"))
			continue
		}
		bases[all[i].Base] = true
		wrong = append(wrong, all[i].creditable())
	}
	if err := errors.Join(wrong...); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone(all), func(l creditedLine) bool { return !bases[l.Base] || l.Note != nil }), nil
}

// withTax adds to each line the tax that was kept with its invoice, whose lines are all there in order.
func withTax(all []creditedLine, kept *string) error {
	if kept == nil {
		return nil
	}
	totals, err := readTotals(*kept)
	if err != nil {
		return err
	}
	if len(totals.Lines) != len(all) {
		return fmt.Errorf("the invoice has %d lines, and was taxed with %d", len(all), len(totals.Lines))
	}
	for i, l := range totals.Lines {
		all[i].Gross = l.Net.Add(l.Tax)
	}
	return nil
}

func (l creditedLine) creditable() error {
	name := ticket.LineID(l.Line)
	switch {
	case l.Note != nil:
		return ticket.Invalid("lines", name, "was given back by "+*l.Note, "leave it out; credit an amount if more is to be given back")
	case l.corrects():
		return ticket.Invalid("lines", name, "corrects another line ("+string(l.Kind)+")", "name lines that bill something, or credit an amount")
	case l.Reversal != nil:
		return ticket.Invalid("lines", name, "was undone by "+ticket.LineID(*l.Reversal)+" when its ticket was reopened", "it was given back already; leave it out")
	}
	return nil
}

// creditedBefore queues what goes with the reversals of lines of which credit notes have given something back: a
// charge for each, of as much, on the same invoice, or the client would have the money twice. m is what they count: the purchase order
// has been given back the same money, too. It gives the charges.
func (s *Store) creditedBefore(ctx context.Context, t *tx, b *pgx.Batch, p posting, charges []standingCharge, stands []billing.Charge, m *moves) ([]billing.Charge, error) {
	type credit struct {
		Charge int64
		Notes  []string
		Net    decimal.Decimal
	}
	ids := make([]int64, len(charges))
	for i, c := range charges {
		ids[i] = c.ID
	}
	var credits []credit
	read := t.batch()
	read.Queue(`
with recursive copies as (
  select c.id as base, c.id from charges c where c.id = any ($1)
  union all
  select k.base, c.id from copies k join charges c on c.adjusts = k.id and c.kind = 'rebilled'
), given as (
  select charge_id, note_id, net from credit_note_lines union all select charge_id, note_id, net from credit_note_shares
)
select k.base, array_agg(distinct n.number), sum(g.net) from copies k join given g on g.charge_id = k.id join credit_notes n on n.id = g.note_id
group by 1 having sum(g.net) <> 0 order by 1`, ids).Query(func(rows pgx.Rows) (err error) {
		credits, err = pgx.CollectRows(rows, pgx.RowToStructByPos[credit])
		return err
	})
	if err := t.send(ctx, read); err != nil || len(credits) == 0 {
		return nil, err
	}
	fresh, err := s.charges.take(ctx, t.conn, len(credits))
	if err != nil {
		return nil, err
	}
	again := make([]billing.Charge, 0, len(credits))
	for i, c := range credits {
		j := slices.Index(ids, c.Charge)
		one := billing.CreditedAlready(stands[j], c.Net, c.Charge, strings.Join(c.Notes, ", "))
		if order := stands[j].OrderKey(); slices.ContainsFunc(stands[j].Counts, func(n billing.Count) bool { return n.Key == order }) {
			one = one.OnOrder(order)
		}
		p.closure, p.round = charges[j].Closure, charges[j].Round
		p.ticket.PayerID = charges[j].Payer
		posted, err := p.place(ctx, t, []billing.Charge{one}, fresh[i:i+1], &[]invoiceRow{})
		if err != nil {
			return nil, err
		}
		if err := p.charges(b, []billing.Charge{one}, fresh[i:i+1], m); err != nil {
			return nil, err
		}
		p.lines(b, []billing.Charge{one}, posted)
		again = append(again, one)
	}
	return again, nil
}
