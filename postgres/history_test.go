package postgres_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

// twentyLines is a contract of twenty lines: services that are covered, block hours, time and
// materials, and AI work that adds up over the month.
func twentyLines() string {
	var doc strings.Builder
	doc.WriteString(`
schema: docket.contract/v1
contract: acme-block
client: acme
name: Everything that acme buys
effective_from: "2024-01-01"
currency: USD
time_zone: America/New_York
time: {minimum: 15m, increment: 15m}
rates: [{hourly: 150}, {work_role: architect, hourly: 200}, {actor: ai, hourly: 36}]
lines:
`)
	for i := range 17 {
		_, _ = fmt.Fprintf(&doc, "  - {clause: A%d, name: Service %d, match: {categories: [Category %d], work_types: [remote, onsite]}, charge: covered}\n", i, i, i)
	}
	doc.WriteString(`  - {clause: A17, name: Password resets, match: {categories: [password-reset]}, charge: covered}
  - {clause: B1, name: Block hours, match: {work_types: [remote]}, charge: block}
  - {clause: T1, name: Support, charge: time}
`)
	return doc.String()
}

// history writes n closures of acme, five minutes apart up to noon, as closings would have: every other one has
// three entries by a person and an agent, which draw, bill and count; the rest are an agent's covered
// fixes, of which the demo is full. It decides them by the rules and copies the rows, since closing
// hundreds of thousands of tickets one by one takes minutes; that `docket audit` finds nothing in it
// is what makes it true.
func (k *till) history(n int) {
	k.t.Helper()
	ctx := k.t.Context()
	c, err := billing.ParseContract([]byte(twentyLines()))
	require.NoError(k.t, err)
	terms, err := c.Compile()
	require.NoError(k.t, err)
	h := historian{k: k, terms: terms, granted: noon.AddDate(-10, 0, 0), block: k.count("select id from blocks"), left: k.count("select remaining_ms from blocks"), counters: map[string]decimal.Decimal{}}
	for i := range n {
		h.close(i, noon.Add(-time.Duration(n-i)*5*time.Minute))
	}
	conn, err := pgx.Connect(ctx, k.url)
	require.NoError(k.t, err)
	defer func() { require.NoError(k.t, conn.Close(ctx)) }()
	_, err = conn.Exec(ctx, "set session_replication_role = replica")
	require.NoError(k.t, err)
	for _, t := range []struct {
		name, columns string
		rows          [][]any
	}{
		{"tickets", "number client_id source external_id body_digest subject description channel stage begun_round opened_at resolved_at closed_at", h.tickets},
		{"work_entries", "id ticket client_id round operation_key input_digest actor kind work_type work_role started_at ms cost cost_currency logged_at via rated_in", h.work},
		{"closures", "id ticket client_id round closed_at resolved_by code resolution rules facts decision digest receipt recorded_at", h.closures},
		{"charges", "id closure_id ticket client_id round key kind contract_id revision clause currency quantity unit rate exact amount service_date hidden posted_at", h.charges},
		{"charge_work", "charge_id work_id generation span", h.spans},
		{"block_moves", "block_id client_id kind ms charge_id at gone_ms", h.draws},
		{"counters", "key client_id value", h.totals()},
		{"counter_moves", "counter client_id kind quantity charge_id at", h.counts},
		{"invoice_lines", "charge_id invoice_id client_id payer_id ticket currency amount service_date text posted_at", h.lines},
	} {
		_, err := conn.CopyFrom(ctx, pgx.Identifier{t.name}, strings.Fields(t.columns), pgx.CopyFromRows(t.rows))
		require.NoError(k.t, err, t.name)
	}
	for _, statement := range []string{
		fmt.Sprintf("update blocks set remaining_ms = %d, granted_at = '%s', first_day = '%s'", h.left, h.granted.Format(time.RFC3339), h.granted.Format(time.DateOnly)),
		fmt.Sprintf("update journal set booked_on = '%s' where kind = 'block'", h.granted.Format(time.DateOnly)),
		"insert into invoices (payer_id, currency, period_start, period_end) values ('acme', 'USD', '2024-01-01', '2024-02-01')",
		"insert into journal select * from journal_due on conflict do nothing",
		"select setval('charge_ids', (select max(id) from charges)), setval('closure_ids', (select max(id) from closures))",
		"analyze",
	} {
		_, err := conn.Exec(ctx, statement)
		require.NoError(k.t, err, statement)
	}
}

// historian gathers the rows of a history.
type historian struct {
	k        *till
	terms    *billing.Terms
	block    int64
	left     int64 // of the block
	gone     int64
	granted  time.Time
	counters map[string]decimal.Decimal

	tickets, work, closures, charges, spans, draws, counts, lines [][]any
}

func (h *historian) close(i int, at time.Time) {
	number, closure := int64(10_000+i), int64(i+1)
	f := billing.Facts{
		Rules: billing.Rules,
		Ticket: billing.Ticket{
			ID: string(ticket.NewID(number)), Round: 1, Client: "acme", Currency: "USD", Category: "password-reset", Type: "incident", Channel: "mail", Priority: 3,
			OpenedAt: at.Add(-3 * time.Hour), ResolvedAt: at, ResolvedOn: at.Format(time.DateOnly), ResolvedBy: "bot", ResolvedKind: "ai", Code: ticket.Solved,
		},
		Contracts: []billing.Version{{Contract: "acme-block", Revision: 1, Digest: h.terms.Digest(), From: h.terms.Begins(), Terms: h.terms}},
	}
	f.Work = append(f.Work, h.entry(3*closure, "bot", "ai", "ai-resolution", at.Add(-2*time.Hour), 2*time.Second+time.Duration(i%700)*time.Millisecond))
	if i%2 == 0 {
		f.Ticket.Category, f.Ticket.ResolvedBy, f.Ticket.ResolvedKind = "email", "tom", "human"
		f.Work = append(
			f.Work,
			h.entry(3*closure+1, "tom", "human", "remote", at.Add(-90*time.Minute), 42*time.Minute),
			h.entry(3*closure+2, "tom", "human", "onsite", at.Add(-30*time.Minute), 20*time.Minute),
		)
	}
	wants := billing.Want(f)
	for _, key := range wants.Counters {
		f.Counters = append(f.Counters, billing.Counter{Key: key, Value: h.counters[key]})
	}
	if len(wants.Blocks) > 0 {
		f.Blocks = []billing.Block{{ID: h.block, Contract: "acme-block", GrantedAt: h.granted, LeftMS: h.left}}
	}
	d, err := billing.Decide(f)
	require.NoError(h.k.t, err)
	require.Empty(h.k.t, d.Holds)
	facts, err := billing.Canonical(f)
	require.NoError(h.k.t, err)
	decision, err := billing.Canonical(d)
	require.NoError(h.k.t, err)

	h.tickets = append(h.tickets, []any{number, "acme", "history", fmt.Sprint(number), "", "A ticket of old", "", "mail", "posted", 1, f.Ticket.OpenedAt, at, at})
	for _, w := range f.Work {
		h.work = append(h.work, []any{
			w.ID, number, "acme", 1, fmt.Sprintf("history-%d", w.ID), "", w.Actor, w.Kind, w.WorkType, w.WorkRole, w.StartedAt, w.MS,
			decimal.Zero, "USD", at, "cli", closure,
		})
	}
	h.closures = append(h.closures, []any{
		closure, number, "acme", 1, at, f.Ticket.ResolvedBy, f.Ticket.Code, "Solved it", f.Rules, string(facts), string(decision), billing.DigestOf(decision), "{}", at,
	})
	for _, c := range d.Charges {
		h.post(number, closure, at, c)
	}
}

func (h *historian) entry(id int64, actor, kind, workType string, start time.Time, d time.Duration) billing.Work {
	return billing.Work{
		ID: id, Actor: actor, Kind: kind, WorkType: workType, WorkRole: "engineer", StartedAt: start, MS: d.Milliseconds(),
		Segments: []billing.Segment{{From: 0, To: d.Milliseconds(), Date: start.Format(time.DateOnly)}},
	}
}

func (h *historian) post(number, closure int64, at time.Time, c billing.Charge) {
	id := int64(len(h.charges) + 1)
	h.charges = append(h.charges, []any{
		id, closure, number, "acme", 1, c.Key, string(c.Kind), c.Contract, c.Revision, c.Clause, c.Currency, c.Quantity, c.Unit, c.Rate, c.Exact, c.Amount, date(h.k.t, c.Date), c.Hidden, at,
	})
	for _, s := range c.Spans {
		span := pgtype.Range[pgtype.Int8]{
			Lower: pgtype.Int8{Int64: s.From, Valid: true}, Upper: pgtype.Int8{Int64: s.To, Valid: true},
			LowerType: pgtype.Inclusive, UpperType: pgtype.Exclusive, Valid: true,
		}
		h.spans = append(h.spans, []any{id, s.Work, 1, span})
	}
	for _, d := range c.Draws {
		h.left -= d.MS
		h.draws = append(h.draws, []any{d.Block, "acme", "draw", d.MS, id, at, h.gone})
		h.gone += d.MS
	}
	for _, n := range c.Counts {
		h.counters[n.Key] = h.counters[n.Key].Add(n.Quantity)
		h.counts = append(h.counts, []any{n.Key, "acme", "count", n.Quantity, id, at})
	}
	if !c.Hidden {
		h.lines = append(h.lines, []any{id, 1, "acme", "acme", number, c.Currency, c.Amount, date(h.k.t, c.Date), c.Text, at})
	}
}

func (h *historian) totals() [][]any {
	var rows [][]any
	for key, value := range h.counters {
		rows = append(rows, []any{key, "acme", value})
	}
	return rows
}

func date(t testing.TB, s string) time.Time {
	t.Helper()
	d, err := time.Parse(time.DateOnly, s)
	require.NoError(t, err)
	return d
}
