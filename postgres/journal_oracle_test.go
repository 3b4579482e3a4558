package postgres_test

import (
	"context"
	"flag"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/ticket"
)

// An hour costs 120.00 where no block pays for it: two dollars a minute.
const bookedBlocks = `
schema: docket.contract/v1
contract: acme-block
client: acme
name: Block of hours
effective_from: "2026-01-01"
currency: USD
time_zone: America/New_York
accounting: {account: "4400"}
rates:
  - {clause: "3.1", work_role: engineer, hourly: "120.00"}
lines:
  - {clause: "4.1", name: Block hours, charge: block, match: {categories: [email, network]}}
`

// books is what acme's books come to, in cents, by a hand that knows no journal: from what was asked and what was answered.
type books struct {
	*till
	rt *rapid.T

	cash, wip, credit, tax int64
	earned                 int64 // lines but sales of blocks, less what credit notes gave back
	sold                   int64 // prices of blocks
	invoices               []*bookedInvoice
	tickets                map[ticket.ID]*bookedTicket
	order                  []ticket.ID // of tickets: no map is ranged
}

type bookedInvoice struct {
	billing.Invoice
	owed, applied, total, tax int64
	void                      bool
}

type bookedTicket struct {
	round   int
	minutes int64 // worked in all its rounds
	stands  int64 // what its lines come to
	back    int64 // what credit notes gave back of them
}

func cents(d decimal.Decimal) int64 { return d.Shift(2).IntPart() }

func dollars(c int64) string { return decimal.New(c, -2).StringFixed(2) }

// one reads a single amount, in cents.
func (k *till) one(query string, args ...any) int64 {
	k.t.Helper()
	var sum decimal.Decimal
	require.NoError(k.t, k.admin.QueryRow(k.t.Context(), query, args...).Scan(&sum))
	return cents(sum)
}

// drawn is how many minutes blocks have paid for.
func (b *books) drawn() int64 {
	return b.count("select coalesce(sum(ms), 0)::bigint from block_moves where kind in ('draw', 'return')") / time.Minute.Milliseconds()
}

func (b *books) closes(id ticket.ID) {
	of := b.tickets[id]
	of.round++
	b.begin(id, of.round)
	minutes, before := rapid.IntRange(1, 240).Draw(b.rt, "minutes"), b.drawn()
	b.close(id, of.round, b.minutes("tom", minutes))
	of.minutes += int64(minutes) // work of earlier rounds is rated again
	of.stands = 200 * (of.minutes - (b.drawn() - before))
	b.wip, b.earned = b.wip+of.stands, b.earned+of.stands
}

func (b *books) reopens() {
	if len(b.order) == 0 {
		return
	}
	id := rapid.SampledFrom(b.order).Draw(b.rt, "reopened")
	of := b.tickets[id]
	b.reopen(id)
	undone := of.back - of.stands // beside the reversal stands what credit notes gave back
	b.wip, b.earned, of.stands, of.back = b.wip+undone, b.earned+undone, 0, 0
	b.pass(5 * time.Hour)
	b.closes(id)
}

func (b *books) sells() {
	hours, price := int64(rapid.IntRange(1, 7).Draw(b.rt, "hours")), int64(rapid.IntRange(1, 900).Draw(b.rt, "price"))
	if rapid.Bool().Draw(b.rt, "whole cents a minute") {
		price *= 3 * hours // five cents
	}
	g := postgres.BlockGrant{
		OperationKey: b.key(), Contract: "acme-block", Hours: decimal.NewFromInt(hours), GrantedAt: b.now().Add(-8 * time.Hour),
		ExpiresAt: b.now().AddDate(0, 0, rapid.IntRange(1, 70).Draw(b.rt, "expires")), Price: decimal.NewFromInt(price), Currency: "USD",
		Billed: rapid.IntRange(0, 4).Draw(b.rt, "elsewhere") == 0,
	}
	block, err := b.GrantBlock(b.t.Context(), g)
	require.NoError(b.t, err)
	b.sold += 100 * price
	if !g.Billed {
		b.wip += 100 * price
	}
	if rapid.IntRange(0, 5).Draw(b.rt, "taken back") == 0 {
		_, err := b.CancelBlock(b.t.Context(), block.ID, "olga", "sold by mistake")
		require.NoError(b.t, err)
		b.sold -= 100 * price
		if !g.Billed {
			b.wip -= 100 * price
		}
	}
}

func (b *books) writesDown() {
	line := b.count(`select coalesce((select l.charge_id from invoice_lines l join invoices i on i.id = l.invoice_id
where i.state = 'open' and l.ticket is not null and l.amount > 0 order by l.charge_id desc limit 1), 0)`)
	if line == 0 {
		return
	}
	off := rapid.Int64Range(1, 3000).Draw(b.rt, "off")
	was := b.one("select sum(amount) from invoice_lines where charge_id = $1", line)
	down, err := b.writeDown("olga", line, dollars(max(was-off, 0)))
	if err != nil { // undone, or written down further before
		require.NotEmpty(b.t, ticket.Problems(err), "%v", err)
		return
	}
	moved := b.one("select amount from invoice_lines where charge_id = $1", down.By)
	of := b.tickets[ticket.NewID(b.count("select ticket from invoice_lines where charge_id = $1", line))]
	b.wip, b.earned, of.stands = b.wip+moved, b.earned+moved, of.stands+moved
}

// finalises the open invoices of the months that have begun, the oldest first.
func (b *books) finalises() {
	const open = "select coalesce(min(i.id), 0) from invoices i where i.state = 'open' and exists (select from invoice_lines where invoice_id = i.id) and i.period_start <= $1::text::date"
	for id := b.count(open, b.now().Format(time.DateOnly)); id != 0; id = b.count(open, b.now().Format(time.DateOnly)) {
		lines := b.one("select sum(amount) from invoice_lines where invoice_id = $1", id)
		draft := b.seen(billing.Invoice{ID: id})
		i := b.finaliseOf(draft.PeriodStart, true)
		found := &bookedInvoice{Invoice: i, total: max(lines, 0)} // what is below zero is carried into the next month
		require.Equal(b.t, dollars(found.total), i.Total.StringFixed(2))
		found.tax = cents(i.Taxes.Tax)
		found.applied = min(b.credit, found.total+found.tax)
		found.owed = found.total + found.tax - found.applied
		b.wip, b.tax, b.credit = b.wip-found.total, b.tax+found.tax, b.credit-found.applied
		b.invoices = append(b.invoices, found)
	}
	b.nextMonth()
}

func (b *books) any() *bookedInvoice {
	if len(b.invoices) == 0 {
		return nil
	}
	return rapid.SampledFrom(b.invoices).Draw(b.rt, "invoice")
}

func (b *books) pays() {
	i := b.any()
	if i == nil {
		return
	}
	amount := rapid.Int64Range(1, i.owed+100).Draw(b.rt, "paid")
	if rapid.Bool().Draw(b.rt, "whole") && i.owed > 0 {
		amount = i.owed
	}
	b.pay(i.Invoice, dollars(amount))
	on := min(amount, i.owed)
	b.cash, i.owed, b.credit = b.cash+amount, i.owed-on, b.credit+amount-on
}

func (b *books) credits() {
	i := b.any()
	if i == nil {
		return
	}
	draft := postgres.CreditNoteDraft{InvoiceDeed: b.deed(i.Invoice), Reason: "Too dear"}
	if rapid.Bool().Draw(b.rt, "by line") {
		draft.Lines = []int64{b.count("select charge_id from invoice_lines where invoice_id = $1 order by amount desc limit 1", i.ID)}
	} else {
		draft.Amount = dollars(rapid.Int64Range(1, max(i.owed, 500)).Draw(b.rt, "credited"))
	}
	note, err := b.Credit(b.t.Context(), draft)
	if err != nil {
		require.NotEmpty(b.t, ticket.Problems(err), "%v", err)
		return
	}
	amount := cents(note.Amount)
	on := min(amount, i.owed)
	net := b.one(`select sum(g.net) from (select note_id, charge_id, net from credit_note_lines union all select note_id, charge_id, net from credit_note_shares) g
join credit_notes n on n.id = g.note_id where n.number = $1`, note.Number)
	b.tax, b.earned, b.credit, i.owed = b.tax-(amount-net), b.earned-net, b.credit+amount-on, i.owed-on
	for _, id := range b.order {
		b.tickets[id].back += b.one(`select coalesce(sum(g.net), 0)
from (select note_id, charge_id, net from credit_note_lines union all select note_id, charge_id, net from credit_note_shares) g
join credit_notes n on n.id = g.note_id join invoice_lines l on l.charge_id = g.charge_id where n.number = $1 and l.ticket = $2`, note.Number, id.Number())
	}
}

func (b *books) voids() {
	i := b.any()
	if i == nil {
		return
	}
	_, err := b.Void(b.t.Context(), postgres.InvoiceVoid{InvoiceDeed: b.deed(i.Invoice), Reason: "Wrong address"})
	if err != nil {
		require.NotEmpty(b.t, ticket.Problems(err), "%v", err)
		return
	}
	b.wip, b.tax, b.credit = b.wip+i.total, b.tax-i.tax, b.credit+i.applied
	i.owed, i.applied, i.void = 0, 0, true
}

func (b *books) uses() {
	_, err := b.ApplyCredit(b.t.Context(), b.use())
	require.NoError(b.t, err)
	for _, i := range b.invoices {
		on := min(b.credit, i.owed)
		b.credit, i.owed, i.applied = b.credit-on, i.owed-on, i.applied+on
	}
}

// same compares the journal with these books, and lets the audit prove it.
func (b *books) same() {
	deferred, owed := int64(0), int64(0)
	rows, err := b.Blocks(b.t.Context(), "")
	require.NoError(b.t, err)
	for _, block := range rows {
		if block.CancelledAt != nil {
			continue
		}
		price, used := cents(block.Price), block.GrantedMS-block.RemainingMS
		deferred += price - (2*price*used+block.GrantedMS)/(2*block.GrantedMS) // half up
	}
	for _, i := range b.invoices {
		owed += i.owed
	}
	of := func(accounts ...string) string {
		return dollars(b.one("select coalesce(sum(amount), 0) from journal where unit = 'USD' and split_part(account, '/', 1) = any ($1)", accounts))
	}
	var revenue []string
	for _, a := range billing.Accounts {
		if a.Type == billing.Revenue || a.Type == billing.Contra {
			revenue = append(revenue, a.Code)
		}
	}
	accounts, err := b.admin.Query(b.t.Context(), "select distinct account from journal")
	require.NoError(b.t, err)
	used, err := pgx.CollectRows(accounts, pgx.RowTo[string])
	require.NoError(b.t, err)
	for _, account := range used {
		_, known := billing.AccountOf(account)
		require.True(b.t, known, account)
	}
	require.Equal(b.t, dollars(b.cash), of("cash"), "cash")
	require.Equal(b.t, dollars(b.wip), of("wip"), "work in progress")
	require.Equal(b.t, dollars(owed), of("receivable"), "receivable")
	require.Equal(b.t, dollars(-b.credit), of("client-credit"), "credit")
	require.Equal(b.t, dollars(-b.tax), of("tax"), "tax")
	require.Equal(b.t, dollars(-deferred), of("deferred"), "deferred revenue is what the unused hours are worth")
	require.Equal(b.t, dollars(-(b.earned + b.sold - deferred)), of(revenue...), "revenue")
	b.proved()
}

// TestRandomMonthsInTheJournal: whatever happens to tickets, blocks and invoices, the journal says what an oracle of integers does.
func TestRandomMonthsInTheJournal(t *testing.T) {
	few(t, 8)
	rapid.Check(t, func(rt *rapid.T) {
		k := newTill(t, bookedBlocks)
		if rapid.Bool().Draw(rt, "taxed") {
			k.tax(newYork)
			require.NoError(t, k.TaxClient(t.Context(), "acme", "NY", "olga"))
		}
		b := &books{till: k, rt: rt, tickets: map[ticket.ID]*bookedTicket{}}
		opens := func() {
			id := b.opened("email")
			b.tickets[id], b.order = &bookedTicket{}, append(b.order, id)
			b.closes(id)
		}
		expires := func() {
			_, err := b.EndBlocks(t.Context(), "", b.now())
			require.NoError(t, err)
		}
		deeds := []func(){opens, opens, opens, b.reopens, b.sells, b.sells, b.writesDown, b.finalises, b.finalises, b.pays, b.pays, b.credits, b.voids, expires, b.uses}
		for n := range rapid.IntRange(20, 45).Draw(rt, "deeds") {
			deeds[rapid.IntRange(0, len(deeds)-1).Draw(rt, fmt.Sprintf("deed %d", n))]()
			b.pass(20 * time.Minute)
		}
		b.same()
		b.pass(time.Duration(rapid.IntRange(0, 200).Draw(rt, "days until the sweep")) * 24 * time.Hour)
		expires()
		b.same()
		b.eachDay()
	})
}

// eachDay compares what was deferred on the days on which it changes with what hours are left by a hand that knows when they were
// worked and when they expired, and never when somebody swept them.
func (b *books) eachDay() {
	ctx := b.t.Context()
	zone, err := time.LoadLocation("America/New_York")
	require.NoError(b.t, err)
	rows, err := b.Blocks(ctx, "")
	require.NoError(b.t, err)
	on := func(at time.Time) string { return at.In(zone).Format(time.DateOnly) }
	days := []string{"2026-01-01", on(b.now())}
	for _, block := range rows {
		for _, at := range []time.Time{block.GrantedAt, block.ExpiresAt.Add(-time.Microsecond)} {
			days = append(days, on(at.AddDate(0, 0, -1)), on(at), on(at.AddDate(0, 0, 1)))
		}
	}
	worked, err := collectDrawn(ctx, b.till)
	require.NoError(b.t, err)
	for _, date := range days {
		found, err := b.ReportDeferred(ctx, postgres.Balance{AsOf: day(b.t, date)})
		require.NoError(b.t, err)
		for _, block := range rows {
			i := slices.IndexFunc(found, func(r billing.DeferredRow) bool { return r.Block == block.ID })
			left, deferred := int64(0), int64(0)
			if i >= 0 {
				left, deferred = found[i].Left, cents(found[i].Deferred)
			}
			if date < on(block.GrantedAt) || (!block.ExpiresAt.After(b.now()) && date >= on(block.ExpiresAt.Add(-time.Microsecond))) || (block.CancelledAt != nil && date >= on(*block.CancelledAt)) {
				require.Zero(b.t, deferred, "block %d on %s", block.ID, date)
				require.Zero(b.t, left, "block %d on %s", block.ID, date)
				continue
			}
			used, moves := int64(0), int64(0)
			for _, w := range worked {
				if w.Block == block.ID && w.On <= date {
					used, moves = used+w.MS, moves+1
				}
			}
			want := cents(block.Price) - (2*cents(block.Price)*used+block.GrantedMS)/(2*block.GrantedMS)
			off := moves // late work is worth its cent in the order in which it came
			if 2*cents(block.Price)*time.Minute.Milliseconds()%(2*block.GrantedMS) == 0 {
				off = 0
			}
			require.LessOrEqual(b.t, max(want-deferred, deferred-want), off, "block %d on %s: %s deferred, %s unused", block.ID, date, dollars(deferred), dollars(want))
			if deferred != 0 {
				require.Equal(b.t, block.GrantedMS-used, left, "block %d on %s", block.ID, date)
			}
		}
	}
}

// drawnOn is what work of a date took from a block; negative: gave back.
type drawnOn struct {
	Block int64
	MS    int64
	On    string
}

func collectDrawn(ctx context.Context, k *till) ([]drawnOn, error) {
	rows, err := k.admin.Query(ctx, "select m.block_id, m.ms, c.service_date::text from block_moves m join charges c on c.id = m.charge_id")
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[drawnOn])
}

// few lets rapid check a property fewer times: each of these is a database of its own.
func few(t *testing.T, checks int) {
	t.Helper()
	was := flag.Lookup("rapid.checks").Value.String()
	if was != flag.Lookup("rapid.checks").DefValue {
		return // whoever asks for more gets it
	}
	require.NoError(t, flag.Set("rapid.checks", fmt.Sprint(checks)))
	t.Cleanup(func() { _ = flag.Set("rapid.checks", was) })
}
