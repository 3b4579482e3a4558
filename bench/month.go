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
	sdk "go.temporal.io/sdk/client"
	sdkworker "go.temporal.io/sdk/worker"

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
	askEach      = time.Second      // how often the command asks how far it is
	statsWithin  = 11 * time.Second // until idle sessions have told what they committed
	sampleEach   = 50 * time.Millisecond
	settleTables = "vacuum (analyze)"
)

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
	if err := b.work(ctx); err != nil {
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
	store  *postgres.Store
	worker sdkworker.Worker
}

// work starts the worker that closes all of them, as a house's worker goes on from month to month.
func (b *monthBench) work(ctx context.Context) (err error) {
	if b.store, err = b.open(ctx, b.o.Now); err != nil {
		return err
	}
	b.worker = worker.New(b.on.client, worker.Deps{
		Desk: b.store, Ledger: b.store, Periods: b.store, Months: b.store,
		Render: func(ctx context.Context, invoice int64) error {
			_, err := document.Keep(ctx, b.store, invoice)
			return err
		},
		RenderNote: func(ctx context.Context, note int64) error {
			_, err := document.KeepNote(ctx, b.store, note)
			return err
		},
	})
	return b.worker.Start()
}

// closing closes the month as the command does, and shows how far it is. It fails where not each of the clients was finalised.
func (b *monthBench) closing(ctx context.Context, clients int, withoutFiles bool) (m MonthClosed, err error) {
	m.Clients = clients
	ask := billing.MonthClose{Until: b.begins.AddDate(0, 1, 0).Format(time.DateOnly), By: monthCloser, WithoutFiles: withoutFiles}
	if ask, err = b.store.ProveMonth(ctx, ask); err != nil {
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
	found, err := b.store.Audit(ctx, nil)
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
