package postgres

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/sla"
)

// longPast makes n closures of northwind, five minutes apart up to the kit's now, each an hour of ada's work and its line.
func (k *kit) longPast(n int) {
	k.t.Helper()
	conn, err := pgx.Connect(k.ctx, k.url)
	require.NoError(k.t, err)
	defer func() { require.NoError(k.t, conn.Close(k.ctx)) }()
	at := fmt.Sprintf("timestamptz '%s' - n * interval '5 minutes'", k.time().Format(time.RFC3339))
	series := fmt.Sprintf("from generate_series(1, %d) n", n)
	for _, statement := range []string{
		"set session_replication_role = replica",
		`insert into tickets (number, client_id, source, external_id, body_digest, subject, description, channel, stage, begun_round, priority, opened_at, resolved_at, closed_at, sla)
		select 100000 + n, 'northwind', 'past', n::text, '', 'Of old', '', 'mail', 'posted', 1, 3, ` + at + ` - interval '3 hours', ` + at + `, ` + at + `,
		  (select sla from tickets where sla is not null limit 1) ` + series,
		`insert into work_entries (id, ticket, client_id, round, operation_key, input_digest, actor, kind, work_type, work_role, started_at, ms, cost, cost_currency, logged_at, via, rated_in)
		overriding system value
		select 100000 + n, 100000 + n, 'northwind', 1, 'past-' || n, '', 'ada', 'human', 'remote', 'engineer', ` + at + ` - interval '2 hours', 3600000, 60, 'EUR', ` + at + `, 'cli', 100000 + n ` + series,
		`insert into closures (id, ticket, client_id, round, closed_at, resolved_by, code, resolution, rules, facts, decision, digest, receipt, recorded_at)
		select 100000 + n, 100000 + n, 'northwind', 1, ` + at + `, 'ada', 'solved', '', 1, '{}', '{}', '', '{}', ` + at + ` ` + series,
		`insert into charges (id, closure_id, ticket, client_id, round, key, kind, contract_id, currency, quantity, unit, rate, exact, amount, service_date, hidden, posted_at)
		select 100000 + n, 100000 + n, 100000 + n, 'northwind', 1, 'time', 'time', 'past', 'EUR', 3600, 's', 120, 120, 120, (` + at + `)::date, false, ` + at + ` ` + series,
		"insert into charge_work (charge_id, work_id, generation, span) select 100000 + n, 100000 + n, 1, int8range(0, 3600000) " + series,
		`insert into invoice_lines (charge_id, invoice_id, client_id, payer_id, ticket, currency, amount, service_date, text, posted_at)
		select 100000 + n, 100000, 'northwind', 'northwind', 100000 + n, 'EUR', 120, (` + at + `)::date, 'Work', ` + at + ` ` + series,
		`insert into invoices (id, payer_id, currency, period_start, period_end) overriding system value values (100000, 'northwind', 'EUR', '2020-01-01', '2020-02-01')`,
		"insert into journal select * from journal_due on conflict do nothing",
		`insert into ticket_events (ticket, client_id, round, at, recorded_at, kind, actor, says)
		select 100000 + n, 'northwind', 1, ` + at + `, ` + at + `, 'close', 'ada', '' ` + series,
		"reset session_replication_role",
	} {
		_, err := conn.Exec(k.ctx, statement)
		require.NoError(k.t, err, statement)
	}
	for _, table := range []string{"tickets", "work_entries", "closures", "charges", "charge_work", "invoice_lines", "journal", "ticket_events"} {
		_, err := conn.Exec(k.ctx, "vacuum analyze "+table)
		require.NoError(k.t, err)
	}
}

type planNode struct {
	Node  string     `json:"Node Type"`
	Table string     `json:"Relation Name"`
	Hit   int64      `json:"Shared Hit Blocks"`
	Read  int64      `json:"Shared Read Blocks"`
	Plans []planNode `json:"Plans"`
}

// throughout tells the tables that the plan reads from end to end.
func (p planNode) throughout() (tables []string) {
	if p.Node == "Seq Scan" {
		tables = append(tables, p.Table)
	}
	for _, part := range p.Plans {
		tables = append(tables, part.throughout()...)
	}
	return tables
}

// plan runs a statement and tells how.
func (k *kit) plan(q querier, sql string, args ...any) planNode {
	k.t.Helper()
	var told []byte
	require.NoError(k.t, q.QueryRow(k.ctx, "explain (analyze, buffers, format json) "+sql, args...).Scan(&told))
	var explained []struct{ Plan planNode }
	require.NoError(k.t, json.Unmarshal(told, &explained))
	return explained[0].Plan
}

// What a scrape asks of the database is the same after 5,000 closures and after 20,000, but for the index of what is posted, and goes
// through no table from end to end.
func TestAScrapeDoesNotReadThePast(t *testing.T) {
	const page = 20
	asked := map[string][]int64{}
	for _, n := range []int{5_000, 20_000} {
		k := newKit(t)
		k.longPast(n)
		some := make([]int64, page)
		for i := range some {
			some[i] = int64(100_001 + i*n/page)
		}
		for name, ask := range map[string]struct {
			sql  string
			args []any
		}{
			"events": {changedTickets, []any{n - page, page}}, "turn": {nextTickets, []any{100_000 + n/2, page}},
			"leaks": {accounted(true) + " select ticket from leaking", []any{some}},
		} {
			plan := k.plan(k.pool, ask.sql, ask.args...)
			for _, table := range []string{"tickets", "work_entries", "charges", "charge_work", "ticket_events", "closures"} {
				require.NotContains(t, plan.throughout(), table, name)
			}
			asked[name] = append(asked[name], plan.Hit+plan.Read)
		}
		stands, err := k.WatchLeaks(page).Standing(t.Context())
		require.NoError(t, err)
		require.Equal(t, n, stands.Posted)
		require.Zero(t, stands.Leaked)

		// Where vacuum lags, a scan is cheaper: what counts is that an index alone can tell.
		tx, err := k.pool.Begin(t.Context())
		require.NoError(t, err)
		_, err = tx.Exec(t.Context(), "set local enable_seqscan = off")
		require.NoError(t, err)
		require.NotContains(t, k.plan(tx, countStages).throughout(), "tickets")
		require.NoError(t, tx.Rollback(t.Context()))
	}
	t.Logf("pages a scrape: %v", asked)
	for name, pages := range asked {
		// Each of what is asked for may lie on a page of its own; a scan of the past would read hundreds more.
		require.Less(t, pages[1], 2*pages[0]+page, name)
	}
}

// BenchmarkReports makes each report of 20,000 closures, of all of them and of a week: the second beside the first tells whether
// what a short period takes goes by the past.
func BenchmarkReports(b *testing.B) {
	k := newKit(b)
	k.promises(promising)
	k.priority3() // whose promise all of the past was given too
	k.longPast(20_000)
	for name, report := range map[string]func(f ReportFilter) (int, error){
		"revenue":   func(f ReportFilter) (int, error) { r, err := k.ReportRevenue(k.ctx, f); return len(r), err },
		"accounts":  func(f ReportFilter) (int, error) { r, err := k.ReportAccounts(k.ctx, f); return len(r), err },
		"AI":        func(f ReportFilter) (int, error) { r, err := k.ReportAIvsTech(k.ctx, f); return len(r), err },
		"margin":    func(f ReportFilter) (int, error) { r, err := k.ReportMargin(k.ctx, f); return len(r), err },
		"contracts": func(f ReportFilter) (int, error) { r, err := k.ReportContractMargin(k.ctx, f); return len(r), err },
		"SLA":       func(f ReportFilter) (int, error) { r, err := k.ReportSLA(k.ctx, f); return len(r), err },
		"leakage":   func(f ReportFilter) (int, error) { r, err := k.ReportLeakage(k.ctx, f); return len(r), err },
	} {
		for period, f := range map[string]ReportFilter{
			"all": {}, "week": {From: sla.DateAt(k.time(), time.UTC).AddDays(-7), To: sla.DateAt(k.time(), time.UTC).AddDays(1)},
		} {
			b.Run(name+"/"+period, func(b *testing.B) {
				for b.Loop() {
					rows, err := report(f)
					require.NoError(b, err)
					require.NotZero(b, rows)
				}
			})
		}
	}
}
