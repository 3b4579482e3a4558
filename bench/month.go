package bench

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"runtime/metrics"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/shopspring/decimal"
	sdk "go.temporal.io/sdk/client"
	"golang.org/x/sync/errgroup"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/document"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/ticket"
	"github.com/docket-psa/docket/worker"
	"github.com/docket-psa/docket/workflows"
)

// MonthOptions of Month.
type MonthOptions struct {
	Stack
	Clients     int           // of the closing that is judged; a quarter of them are closed before
	Lines       int           // of each invoice
	Papers      int           // invoices that are rendered, too
	Connections int           // pgbench's
	Phase       time.Duration // how long pgbench runs, each time
	Scale       int           // pgbench's
	Conns       int32         // of Docket's pool
	Progress    io.Writer
}

// MonthResult is what the closing of a month took.
type MonthResult struct {
	Clients   int         `json:"clients"`
	Lines     int         `json:"lines_an_invoice"`
	TPCB      []float64   `json:"pgbench_tpcb_per_s"` // before, between and after the closings
	Quarter   MonthClosed `json:"quarter"`            // of the clients, closed before
	Whole     MonthClosed `json:"whole"`
	Memory    float64     `json:"memory_whole_to_quarter"` // live heap at its peak
	Documents float64     `json:"documents_per_s"`         // files kept: PDF, UBL and JSON
	Rendered  float64     `json:"invoices_rendered_per_s"`
	Audited   int         `json:"audited_closures"`
	Postings  int         `json:"audited_postings"`
	Others    float64     `json:"others_cores"` // CPU that everything else on the machine used during the closing of the whole

	Temporal string `json:"-"` // version
}

// MonthClosed is one closing.
type MonthClosed struct {
	Clients   int     `json:"clients"`
	MS        float64 `json:"ms"`
	Deeds     int     `json:"deeds"`            // transactions that post: period runs and invoices finalised
	Commits   int64   `json:"commits"`          // of Docket's own database, those that only read too
	Temporals int64   `json:"temporal_commits"` // of Temporal's databases
	DeedsTPCB float64 `json:"deeds_to_tpcb"`    // a second of each; TPC-B's of before and after
	Committed float64 `json:"commits_to_tpcb"`
	DocketMS  float64 `json:"docket_cpu_ms"`
	TempMS    float64 `json:"temporal_cpu_ms"`
	PostgreMS float64 `json:"postgres_cpu_ms"`
	LiveMB    float64 `json:"live_heap_peak_mb"` // reachable, as each collection found it
	Told      int     `json:"progress_told"`     // how often progress said something new
	Events    int64   `json:"history_events"`    // of the workflow's last run
	HistoryKB float64 `json:"history_kb"`
}

func (m MonthClosed) perS(n int64) float64 { return float64(n) / m.MS * 1000 }

// ClientsPerS, DeedsPerS and CommitsPerS are rates of the closing.
func (m MonthClosed) ClientsPerS() float64 { return m.perS(int64(m.Clients)) }

// DeedsPerS counts the transactions that post.
func (m MonthClosed) DeedsPerS() float64 { return m.perS(int64(m.Deeds)) }

// CommitsPerS counts all transactions of Docket's database.
func (m MonthClosed) CommitsPerS() float64 { return m.perS(m.Commits) }

const (
	feesAMonth   = 4 // recurring lines of each contract
	workATicket  = 9 // entries, and as many lines
	monthCloser  = "olga"
	askEach      = time.Second     // how often the command asks how far it is
	statsWithin  = 2 * time.Second // until sessions that ended have told what they committed
	sampleEach   = 50 * time.Millisecond
	settleTables = "vacuum (analyze)"
)

// monthContract has fees in arrears, so that the month's end posts them, and work by the hour.
const monthContract = `
schema: docket.contract/v1
contract: %[1]s
client: %[1]s
name: Managed services of %[1]s
effective_from: %[2]s
currency: USD
time_zone: UTC
tax: bench
billing: {payment_days: 14}
rates: [{clause: R1, hourly: "120.00"}]
lines:
  - {clause: F1, name: Managed workplace, charge: flat, price: "900.00", when: arrears}
  - {clause: F2, name: Backup, charge: flat, price: "149.50", when: arrears}
  - {clause: F3, name: Firewall, charge: flat, price: "79.00", when: arrears}
  - {clause: F4, name: Mail security, charge: flat, price: "63.25", when: arrears}
  - {clause: T1, name: Support, charge: time, time: {increment: 15m}}
`

const monthTax = `
schema: docket.tax/v1
tax: bench
name: Sales tax
standard: standard
categories: [{category: standard, code: S, rates: [{valid_from: 2015-01-01, percent: 8.875}]}]
`

// Month closes months as the command does, by the workflow on a real Temporal server with a worker, in turn with pgbench's TPC-B on the
// same PostgreSQL: of a few clients with their files, of a quarter of the clients without, then of all of them. It proves the books
// afterwards, and fails where they do not hold.
func Month(ctx context.Context, o MonthOptions) (r MonthResult, err error) {
	r = MonthResult{Clients: o.Clients, Lines: o.Lines}
	o.Settings = roomy
	on, err := o.start(ctx)
	if err != nil {
		return r, err
	}
	defer func() { _ = on.stop(ctx) }()
	b := monthBench{o: o, on: on}
	defer b.close(ctx)
	if err := b.prepare(ctx); err != nil {
		return r, err
	}
	if r.Temporal, err = temporalVersion(ctx, on.client); err != nil {
		return r, err
	}
	if err := b.house(ctx, "paper", o.Papers); err != nil {
		return r, err
	}
	if _, err := b.closing(ctx, o.Papers, false); err != nil {
		return r, err
	}
	if r.Documents, r.Rendered, err = b.papers(ctx); err != nil {
		return r, err
	}
	_, _ = fmt.Fprintf(o.Progress, "%.1f invoices rendered a second, %.1f files\n", r.Rendered, r.Documents)
	for _, turn := range []struct {
		name    string
		clients int
		into    *MonthClosed
	}{{"quarter", max(1, o.Clients/4), &r.Quarter}, {"whole", o.Clients, &r.Whole}} {
		if err := b.house(ctx, turn.name, turn.clients); err != nil {
			return r, err
		}
		if len(r.TPCB) == 0 {
			if err := b.tpcb(ctx, &r); err != nil {
				return r, err
			}
		}
		began := o.Now()
		var used spent
		if *turn.into, used, err = b.measured(ctx, turn.clients); err != nil {
			return r, err
		}
		r.Others = used.others.Seconds() / o.Now().Sub(began).Seconds()
		if err := b.tpcb(ctx, &r); err != nil {
			return r, err
		}
		beside := Median(r.TPCB[len(r.TPCB)-2:])
		turn.into.DeedsTPCB, turn.into.Committed = turn.into.DeedsPerS()/beside, turn.into.CommitsPerS()/beside
		_, _ = fmt.Fprintf(o.Progress, "%d clients closed in %.1f s: %.0f transactions a second that post, %.0f in all; %.1f MB live\n",
			turn.clients, turn.into.MS/1000, turn.into.DeedsPerS(), turn.into.CommitsPerS(), turn.into.LiveMB)
	}
	r.Memory = r.Whole.LiveMB / r.Quarter.LiveMB
	return r, b.prove(ctx, &r)
}

type monthBench struct {
	o      MonthOptions
	on     *servers
	admin  *pgx.Conn     // of the superuser, in no database that is measured
	look   *pgxpool.Pool // of the superuser, in Docket's database
	begins time.Time     // the month
	made   int           // clients
}

func (b *monthBench) prepare(ctx context.Context) (err error) {
	cluster := b.on.cluster
	if b.admin, err = pgx.Connect(ctx, cluster.SocketURL(cluster.User, "postgres")); err != nil {
		return err
	}
	for _, name := range []string{database, yardstickDatabase} {
		if _, err := b.admin.Exec(ctx, "create database "+name); err != nil {
			return err
		}
	}
	if _, err := postgres.Migrate(ctx, cluster.URL(cluster.User, database), login, cluster.Password); err != nil {
		return err
	}
	if err := b.yardstick().fill(ctx, b.o.Progress); err != nil {
		return err
	}
	if b.look, err = pgxpool.New(ctx, cluster.SocketURL(cluster.User, database)); err != nil {
		return err
	}
	now := b.o.Now().UTC()
	b.begins = time.Date(now.Year(), now.Month()-1, 1, 0, 0, 0, 0, time.UTC)
	inMonth, err := b.open(ctx, b.noon)
	if err != nil {
		return err
	}
	defer inMonth.Disconnect()
	for _, p := range []ticket.Person{
		{ID: monthCloser, Name: "Olga", Kind: ticket.Human, Roles: []string{"owner"}},
	} {
		if err := inMonth.PutPerson(ctx, postgres.Staffing{Person: p, HourlyCost: decimal.NewFromInt(60)}); err != nil {
			return err
		}
	}
	if err := inMonth.SetCompany(ctx, billing.Party{Name: "Harbor IT", Country: "US"}, monthCloser); err != nil {
		return err
	}
	_, err = inMonth.ApplyTax(ctx, []byte(monthTax), monthCloser)
	return err
}

// open gives the store. Who has done a thing disconnects it: a session that ends has told all that it committed, an idle one is late by seconds.
func (b *monthBench) open(ctx context.Context, now func() time.Time) (*postgres.Store, error) {
	return postgres.Open(ctx, b.on.cluster.SocketURL(login, database), postgres.Options{Now: now, MaxConns: b.o.Conns})
}

// noon is a day in the month.
func (b *monthBench) noon() time.Time { return b.begins.AddDate(0, 0, 9).Add(12 * time.Hour) }

func (b *monthBench) close(ctx context.Context) {
	if b.look != nil {
		b.look.Close()
	}
	if b.admin != nil {
		_ = b.admin.Close(context.WithoutCancel(ctx))
	}
}

// house makes clients whose month is over but for its closing: a contract each, and tickets that were closed in the month.
func (b *monthBench) house(ctx context.Context, kind string, clients int) error {
	_, _ = fmt.Fprintf(b.o.Progress, "a month of %d clients, %d lines each …\n", clients, b.o.Lines)
	inMonth, err := b.open(ctx, b.noon)
	if err != nil {
		return err
	}
	defer inMonth.Disconnect()
	g, within := errgroup.WithContext(ctx)
	g.SetLimit(int(b.o.Conns))
	for i := range clients {
		g.Go(func() error { return b.agree(within, inMonth, fmt.Sprintf("%s-%d", kind, i)) })
	}
	if err := g.Wait(); err != nil {
		return err
	}
	b.made += clients
	ids, err := b.tickets(ctx, kind, clients)
	if err != nil {
		return err
	}
	g, within = errgroup.WithContext(ctx)
	g.SetLimit(int(b.o.Conns))
	for _, id := range ids {
		g.Go(func() error {
			_, err := inMonth.Close(within, id, 1, ticket.Resolve{
				Header:     ticket.Header{OperationKey: "close/" + string(id), Who: monthCloser, Via: ticket.ViaCLI, At: b.noon().Add(-time.Hour)},
				Resolution: "Solved",
			})
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	_, err = b.look.Exec(ctx, settleTables) // what making them left to do is not part of closing
	return err
}

func (b *monthBench) agree(ctx context.Context, inMonth *postgres.Store, client string) error {
	if err := inMonth.PutClient(ctx, ticket.Client{ID: client, Name: client, TimeZone: "UTC", Currency: "USD"}); err != nil {
		return err
	}
	if err := inMonth.SetClientParty(ctx, client, billing.Party{Country: "US"}, monthCloser); err != nil {
		return err
	}
	// Each client has its own technician: nobody works for thousands at once.
	tech := ticket.Person{ID: "tech-" + client, Name: "Technician of " + client, Kind: ticket.Human, Roles: []string{"technician"}, WorkRole: "engineer"}
	if err := inMonth.PutPerson(ctx, postgres.Staffing{Person: tech, HourlyCost: decimal.NewFromInt(60)}); err != nil {
		return err
	}
	_, err := inMonth.ApplyContract(ctx, fmt.Appendf(nil, monthContract, client, b.begins.Format(time.DateOnly)), monthCloser, true)
	return err
}

// tickets makes tickets in resolution, with work of twenty minutes an entry.
func (b *monthBench) tickets(ctx context.Context, kind string, clients int) ([]ticket.ID, error) {
	rows, err := b.look.Query(ctx, `
with made as (
  insert into tickets (client_id, source, external_id, body_digest, subject, description, channel, category, priority, stage,
    begun_round, routed_round, assignee, opened_at)
  select format('%s-%s', $1::text, c), 'bench', format('%s-%s-%s', $1::text, c, n), '', 'Printer jams', '', 'portal', 'email', 3,
    'resolution', 1, 1, format('tech-%s-%s', $1::text, c), $3 from generate_series(0, $2 - 1) as c, generate_series(0, ($4 - 1) / $5) as n
  returning number, client_id, external_id
), work as (
  insert into work_entries (ticket, client_id, round, operation_key, input_digest, actor, kind, work_type, work_role, started_at, ms, cost,
    cost_currency, logged_at, via)
  select number, client_id, 1, 'bench/' || number || '/' || e, '', 'tech-' || client_id, 'human', 'remote', 'engineer', $3 + e * interval '20 minutes', 1200000, 20,
    'USD', $3 + interval '4 hours', 'bench'
  from made, generate_series(0, least($5, $4 - $5 * split_part(external_id, '-', 3)::int) - 1) as e
)
select number from made`, kind, clients, b.noon().Add(-5*time.Hour), b.o.Lines-feesAMonth, workATicket)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (ticket.ID, error) {
		var number int64
		err := row.Scan(&number)
		return ticket.NewID(number), err
	})
}

// closing closes the month as the command does, and shows how far it is. It fails where not each of the clients was finalised.
func (b *monthBench) closing(ctx context.Context, clients int, withoutFiles bool) (m MonthClosed, err error) {
	m.Clients = clients
	store, err := b.open(ctx, b.o.Now)
	if err != nil {
		return m, err
	}
	defer store.Disconnect()
	w := worker.New(b.on.client, worker.Deps{
		Desk: store, Ledger: store, Periods: store, Months: store,
		Render: func(ctx context.Context, invoice int64) error {
			_, err := document.Keep(ctx, store, invoice)
			return err
		},
	})
	if err := w.Start(); err != nil {
		return m, err
	}
	defer w.Stop()
	ask := billing.MonthClose{Until: b.begins.AddDate(0, 1, 0).Format(time.DateOnly), By: monthCloser, WithoutFiles: withoutFiles}
	if ask, err = store.ProveMonth(ctx, ask); err != nil {
		return m, err
	}
	began := b.o.Now()
	run, err := b.on.client.ExecuteWorkflow(ctx, sdk.StartWorkflowOptions{ID: workflows.MonthWorkflowID(ask), TaskQueue: ticket.TaskQueue}, workflows.MonthType, ask)
	if err != nil {
		return m, err
	}
	var (
		last     workflows.MonthClosing
		report   billing.MonthReport
		finished = make(chan error, 1)
	)
	go func() { finished <- run.Get(ctx, &report) }()
	for done := false; !done; {
		select {
		case err := <-finished:
			if err != nil {
				return m, err
			}
			done = true
		case <-time.After(askEach):
			at, err := b.progress(ctx, run.GetID())
			if err == nil && at != last {
				last = at
				m.Told++
				_, _ = fmt.Fprintf(b.o.Progress, "%5.1f s  %s\n", b.o.Now().Sub(began).Seconds(), at)
			}
		}
	}
	m.MS = ms(b.o.Now().Sub(began))
	if last, err = b.progress(ctx, run.GetID()); err != nil {
		return m, err
	}
	m.Deeds = last.Periods + last.Finalised
	if last.Periods != clients || last.Finalised != clients || len(report.Refused)+len(report.Failed)+len(report.Waiting) > 0 {
		return m, fmt.Errorf("%d clients did not close as they should: %s; %+v", clients, last, report)
	}
	about, err := b.on.client.DescribeWorkflowExecution(ctx, run.GetID(), "")
	if err != nil {
		return m, err
	}
	m.Events, m.HistoryKB = about.GetWorkflowExecutionInfo().GetHistoryLength(), float64(about.GetWorkflowExecutionInfo().GetHistorySizeBytes())/1024
	return m, nil
}

func (b *monthBench) progress(ctx context.Context, id string) (at workflows.MonthClosing, err error) {
	found, err := b.on.client.QueryWorkflow(ctx, id, "", workflows.MonthProgress)
	if err != nil {
		return at, err
	}
	return at, found.Get(&at)
}

// measured is a closing without files, with what it cost.
func (b *monthBench) measured(ctx context.Context, clients int) (m MonthClosed, used spent, err error) {
	if err := b.calm(ctx); err != nil {
		return m, used, err
	}
	spentBefore, err := b.on.meter(ctx, b.admin)
	if err != nil {
		return m, used, err
	}
	ours, theirs, err := b.commits(ctx)
	if err != nil {
		return m, used, err
	}
	live := watchHeap()
	m, err = b.closing(ctx, clients, true)
	m.LiveMB = live()
	if err != nil {
		return m, used, err
	}
	after, err := b.on.meter(ctx, b.admin)
	if err != nil {
		return m, used, err
	}
	used = after.since(spentBefore)
	m.DocketMS, m.TempMS, m.PostgreMS = ms(used.docket), ms(used.temporal), ms(used.postgres)
	if err := sleep(ctx, statsWithin); err != nil {
		return m, used, err
	}
	oursAfter, theirsAfter, err := b.commits(ctx)
	m.Commits, m.Temporals = oursAfter-ours, theirsAfter-theirs
	return m, used, err
}

// calm lets what came before settle: PostgreSQL's statistics, its dirty pages, and Go's garbage.
func (b *monthBench) calm(ctx context.Context) error {
	if _, err := b.admin.Exec(ctx, "checkpoint"); err != nil {
		return err
	}
	runtime.GC()
	return sleep(ctx, statsWithin)
}

// commits counts transactions that committed: of Docket's database, and of Temporal's two.
func (b *monthBench) commits(ctx context.Context) (ours, theirs int64, err error) {
	err = b.admin.QueryRow(ctx, `
select sum(xact_commit) filter (where datname = $1)::bigint, sum(xact_commit) filter (where datname like 'temporal%')::bigint from pg_stat_database`, database).
		Scan(&ours, &theirs)
	if err != nil {
		return 0, 0, fmt.Errorf("read PostgreSQL's counters: %w", err)
	}
	return ours, theirs, nil
}

// watchHeap samples what each collection found reachable, until the function that it gives is called: that gives the peak in MB.
func watchHeap() (stop func() float64) {
	var (
		peak uint64
		over = make(chan struct{})
		all  sync.WaitGroup
	)
	all.Go(func() {
		sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
		tick := time.NewTicker(sampleEach)
		defer tick.Stop()
		for {
			metrics.Read(sample)
			peak = max(peak, sample[0].Value.Uint64())
			select {
			case <-over:
				return
			case <-tick.C:
			}
		}
	})
	return func() float64 {
		close(over)
		all.Wait()
		return float64(peak) / (1 << 20)
	}
}

func (b *monthBench) yardstick() tpcb {
	return tpcb{url: b.on.cluster.SocketURL(b.on.cluster.User, yardstickDatabase), connections: b.o.Connections, phase: b.o.Phase, scale: b.o.Scale}
}

func (b *monthBench) tpcb(ctx context.Context, r *MonthResult) error {
	if _, err := b.admin.Exec(ctx, "checkpoint"); err != nil {
		return err
	}
	perS, err := b.yardstick().run(ctx)
	r.TPCB = append(r.TPCB, perS)
	_, _ = fmt.Fprintf(b.o.Progress, "pgbench TPC-B: %8.0f /s\n", perS)
	return err
}

// papers tells how many files, and of how many invoices, were kept a second, from the first to the last.
func (b *monthBench) papers(ctx context.Context) (files, invoices float64, err error) {
	err = b.look.QueryRow(ctx, `
select count(*) / extract(epoch from max(rendered_at) - min(rendered_at)), count(distinct invoice_id) / extract(epoch from max(rendered_at) - min(rendered_at))
from invoice_documents`).Scan(&files, &invoices)
	return files, invoices, err
}

// prove audits all of it, and counts: a figure over books that do not hold would be worth nothing.
func (b *monthBench) prove(ctx context.Context, r *MonthResult) error {
	store, err := b.open(ctx, b.o.Now)
	if err != nil {
		return err
	}
	defer store.Disconnect()
	found, err := store.Audit(ctx, nil)
	if err != nil {
		return err
	}
	if !found.Clean() {
		return fmt.Errorf("the books do not hold: %+v", found)
	}
	r.Audited, r.Postings = found.Closures, found.Postings
	var wrong, invoices, gaps int
	err = b.look.QueryRow(ctx, `
select (select count(*) from invoices i where state <> 'finalised' or line_count <> $1
    or total <> (select sum(amount) from invoice_lines l where l.invoice_id = i.id)),
  (select count(*) from invoices), (select max(last) from number_series) - (select count(distinct number) from invoices)`, b.o.Lines).Scan(&wrong, &invoices, &gaps)
	if err != nil {
		return err
	}
	if wrong > 0 || gaps != 0 || invoices != b.made {
		return fmt.Errorf("%d clients have %d invoices, of which %d have not %d lines that come to the total, and the numbers have %d gaps",
			b.made, invoices, wrong, b.o.Lines, gaps)
	}
	return nil
}
