package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"
	sdklog "go.temporal.io/sdk/log"

	"github.com/docket-psa/docket/bench"
)

// benched is everything that `docket bench` measured, with the machine it ran on.
type benched struct {
	At        time.Time              `json:"at"`
	Version   string                 `json:"version"`
	Machine   bench.Machine          `json:"machine"`
	Rating    *bench.RatingResult    `json:"rating,omitempty"`
	Closings  *bench.ClosingResult   `json:"closings,omitempty"`
	Tickets   *bench.TicketResult    `json:"tickets,omitempty"`
	Waiting   *bench.WaitingResult   `json:"waiting,omitempty"`
	Month     *bench.MonthResult     `json:"month,omitempty"`
	Footprint *bench.FootprintResult `json:"footprint,omitempty"`
}

// The sizes at which the targets of docs/benchmarks.md hold.
const (
	benchConnections = 16
	benchScale       = 50
	benchPapers      = 100
)

type benchOptions struct {
	only    string
	rounds  int
	phase   time.Duration
	waiting int
	clients int
	lines   int
}

func newBench(a *app) *cobra.Command {
	var o benchOptions
	c := &cobra.Command{
		Use:   "bench",
		Short: "Measure closings, tickets and memory, each against a yardstick that takes turns with it",
		Long: `Starts servers of its own, with every commit on disk, and measures
  rating     deciding, auditing and rehearsing one closure, in turn with encoding/json reading and writing its facts
  closings   closing transactions a second, in turn with pgbench's TPC-B on the same PostgreSQL
  tickets    a covered AI ticket from opening to its posted line, in turn with an empty workflow of the same history
  waiting    tickets that wait for their timers, and what follows when all workers were away as those fell due, in turn with empty workflows
  month      closing a month of many clients by its workflow, without files, in turn with pgbench's TPC-B; then files a second
  footprint  the memory of an idle docket up, and its warm start, beside the same servers with an empty workflow

Each takes minutes. Machines differ and are never quiet: read the ratios. docs/benchmarks.md says how.`,
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch o.only {
			case "", "rating", "closings", "tickets", "waiting", "month", "footprint":
			default:
				return usage(fmt.Errorf("--only %q is no bench: rating, closings, tickets, waiting, month or footprint", o.only))
			}
			if o.waiting < 1 {
				return usage(fmt.Errorf("--waiting %d: at least one", o.waiting))
			}
			if o.clients < 4 || o.lines < 5 {
				return usage(fmt.Errorf("--clients %d, --lines %d: at least four clients, and five lines each", o.clients, o.lines))
			}
			if o.rounds < 1 || o.phase < time.Second {
				return usage(fmt.Errorf("--rounds %d, --phase %s: at least one round and one second", o.rounds, o.phase))
			}
			return a.bench(cmd.Context(), o)
		},
	}
	flags := c.Flags()
	flags.StringVar(&o.only, "only", "", "one `bench` alone: rating, closings, tickets, waiting, month or footprint")
	flags.IntVar(&o.waiting, "waiting", 1000, "how many tickets, and then empty workflows, wait at once (`n`)")
	flags.IntVar(&o.clients, "clients", 2000, "how many clients' month is closed (`n`)")
	flags.IntVar(&o.lines, "lines", 40, "how many lines each of their invoices has (`n`)")
	flags.IntVar(&o.rounds, "rounds", 5, "how often the sides take turns (`n`); medians are over them")
	flags.DurationVar(&o.phase, "phase", 10*time.Second, "how long each side runs in a round")
	return c
}

func (a *app) bench(ctx context.Context, o benchOptions) error {
	b := benched{At: a.now().UTC().Truncate(time.Second), Version: version()}
	var err error
	if b.Machine, err = bench.ThisMachine(ctx); err != nil {
		return err
	}
	stack := bench.Stack{Now: a.now, SearchAttributes: searchAttributes, Meters: a.tel.Metrics.Meters, Logger: sdklog.NewStructuredLogger(a.tel.Log)}
	wanted := func(name string) bool {
		if o.only == "" {
			a.say("%s:", name)
		}
		return o.only == "" || o.only == name
	}
	if wanted("rating") {
		r, err := bench.Rating(ctx, bench.RatingOptions{Now: a.now, Phase: o.phase / 5, Rounds: o.rounds, Progress: a.stderr})
		if err != nil {
			return fmt.Errorf("measure rating: %w", err)
		}
		b.Rating = &r
	}
	if wanted("closings") {
		r, err := bench.Closings(ctx, bench.ClosingOptions{
			Now: a.now, Connections: benchConnections, Phase: o.phase, Rounds: o.rounds, Scale: benchScale, Progress: a.stderr,
		})
		if err != nil {
			return fmt.Errorf("measure closings: %w", err)
		}
		b.Closings = &r
	}
	if wanted("tickets") {
		r, err := bench.Tickets(ctx, bench.TicketOptions{
			Stack: stack, Log: a.tel.Log, Concurrent: benchConnections, Phase: o.phase, Rounds: o.rounds, Conns: workConns, Progress: a.stderr,
		})
		if err != nil {
			return fmt.Errorf("measure tickets: %w", err)
		}
		b.Tickets, b.Machine.Temporal = &r, r.Temporal
	}
	if wanted("waiting") {
		r, err := bench.Waiting(ctx, bench.WaitingOptions{
			Stack: stack, Log: a.tel.Log, Waiting: o.waiting, Concurrent: benchConnections / 4, Watch: o.phase, Rounds: o.rounds, Conns: workConns, Progress: a.stderr,
		})
		if err != nil {
			return fmt.Errorf("measure waiting: %w", err)
		}
		b.Waiting, b.Machine.Temporal = &r, r.Temporal
	}
	if wanted("month") {
		r, err := bench.Month(ctx, bench.MonthOptions{
			Stack: stack, Clients: o.clients, Lines: o.lines, Papers: min(benchPapers, o.clients/4), Connections: benchConnections, Phase: o.phase,
			Scale: benchScale, Conns: workConns, Progress: a.stderr,
		})
		if err != nil {
			return fmt.Errorf("measure the closing of a month: %w", err)
		}
		b.Month, b.Machine.Temporal = &r, r.Temporal
	}
	if wanted("footprint") {
		self, err := os.Executable()
		if err != nil {
			return fmt.Errorf("find docket's own program: %w", err)
		}
		r, err := bench.Footprint(ctx, bench.FootprintOptions{Stack: stack, Binary: self, Log: a.tel.Log, Rounds: o.rounds, Progress: a.stderr})
		if err != nil {
			return fmt.Errorf("measure memory and start: %w", err)
		}
		b.Footprint, b.Machine.Temporal = &r, r.Temporal
	}
	return a.show(b, func() { b.print(a.stdout) })
}

// figure is one row of the table.
type figure struct{ what, value, target string }

func (b benched) print(w io.Writer) {
	m := b.Machine
	_, _ = fmt.Fprintf(w, "%s, %d cores, %d MB, %s, %s, PostgreSQL %s", m.CPU, m.Cores, m.MemoryMB, m.OS, m.Go, m.PostgreSQL)
	if m.Temporal != "" {
		_, _ = fmt.Fprintf(w, ", Temporal %s", m.Temporal)
	}
	_, _ = fmt.Fprintf(w, "\nMedians; %s.\n\n", b.At.Format("2 January 2006"))
	rows := [][]string{{"what", "measured", "target"}}
	for _, f := range b.figures() {
		rows = append(rows, []string{f.what, f.value, f.target})
	}
	align(w, rows, []bool{false, true, false})
}

func (b benched) figures() []figure {
	var all []figure
	if r := b.Rating; r != nil {
		all = append(
			all,
			figure{"deciding a closure of three entries : encoding/json on its facts", ratio(r.DecidePlain), ""},
			figure{"  auditing it: read, decide, write, compare", ratio(r.AuditPlain), ""},
			figure{"  rehearsing it under a draft", ratio(r.WhatIfPlain), ""},
			figure{"  deciding it", fmt.Sprintf("%.1f µs", r.DecideEach/1000), "< 50 µs"},
			figure{"    allocations", fmt.Sprintf("%.0f", r.Allocations), "≤ 400"},
			figure{"  audited on all cores, were they idle", fmt.Sprintf("%.0f /s", r.AuditIdle), "≥ 20000 /s on two"},
			figure{"    as they were", fmt.Sprintf("%.0f /s", r.AuditEach), ""},
			figure{"  rehearsed on all cores, were they idle", fmt.Sprintf("%.0f /s", r.WhatIfIdle), "≥ 20000 /s on two"},
			figure{"    as they were", fmt.Sprintf("%.0f /s", r.WhatIfEach), ""},
			figure{"  CPU of everything else on the machine meanwhile", fmt.Sprintf("%.1f cores", r.Others), ""},
		)
	}
	if r := b.Closings; r != nil {
		all = append(
			all,
			figure{"closings, spread clients : pgbench TPC-B", ratio(r.SpreadTPCB), "≥ 0.30×"},
			figure{"closings, one busy client : spread", ratio(r.BusySpread), "≥ 0.90×"},
			figure{"closings, one block of hours : spread", ratio(r.BlockSpread), "≥ 0.30×"},
			figure{fmt.Sprintf("audit of the %d closures, with their rows", r.Audited), fmt.Sprintf("%.0f /s", r.AuditPerS), ""},
		)
	}
	if r := b.Tickets; r != nil {
		all = append(
			all,
			figure{"covered AI ticket : empty workflow, CPU", ratio(r.CPURatio), "≤ 1.30×"},
			figure{"  the same, less what idling costs", ratio(r.LoadRatio), ""},
			figure{"  history events", fmt.Sprint(r.Events), "≤ 40"},
			figure{"  CPU of everything else on the machine meanwhile", fmt.Sprintf("%.1f cores", r.Others), ""},
		)
		for _, side := range []struct {
			name string
			bench.Cost
		}{{"ticket", r.Ticket}, {"empty workflow", r.Empty}} {
			all = append(
				all,
				figure{"  " + side.name + ": CPU", fmt.Sprintf("%.1f ms", side.CPUMS), ""},
				figure{"    commits", fmt.Sprintf("%.1f", side.Commits), ""},
				figure{"    WAL", fmt.Sprintf("%.1f KB", side.WALBytes/1024), ""},
				figure{"    start to answer, p50", fmt.Sprintf("%.0f ms", side.P50MS), ""},
				figure{"    start to answer, p99", fmt.Sprintf("%.0f ms", side.P99MS), ""},
				figure{"    at once " + fmt.Sprint(r.Concurrent), fmt.Sprintf("%.1f /s", side.PerSecond), ""},
			)
		}
	}
	if r := b.Waiting; r != nil {
		all = append(
			all,
			figure{fmt.Sprintf("%d waiting tickets : empty workflows, restart to the last answer", r.Waiting), ratio(r.RestartRatio), "≤ 1.50×"},
			figure{"  CPU while nothing waits", fmt.Sprintf("%.0f ms/s", r.IdleCPU), ""},
			figure{"  CPU of everything else on the machine meanwhile", fmt.Sprintf("%.1f cores", r.Others), ""},
		)
		for _, side := range []struct {
			name string
			bench.Waited
		}{{"tickets", r.Ticket}, {"empty workflows", r.Empty}} {
			all = append(
				all,
				figure{"  " + side.name + ": CPU while all wait", fmt.Sprintf("%.0f ms/s", bench.Median(side.CPU)), ""},
				figure{"    every due timer fired after", fmt.Sprintf("%.0f ms", bench.Median(side.FiredMS)), ""},
				figure{"    and every run answered after", fmt.Sprintf("%.0f ms", bench.Median(side.RestartMS)), ""},
			)
		}
	}
	if r := b.Month; r != nil {
		w := r.Whole
		all = append(
			all,
			figure{fmt.Sprintf("month of %d clients, %d lines each: transactions that post : pgbench TPC-B", w.Clients, r.Lines), ratio(w.DeedsTPCB), "≥ 0.15×"},
			figure{"  all transactions of Docket's database : pgbench TPC-B", ratio(w.Committed), ""},
			figure{"  live heap at its peak : that of a quarter of the clients", ratio(r.Memory), "≤ 1.50×"},
			figure{"    MB", fmt.Sprintf("%.1f", w.LiveMB), ""},
			figure{"  closed in", fmt.Sprintf("%.1f s", w.MS/1000), ""},
			figure{"    clients", fmt.Sprintf("%.0f /s", w.ClientsPerS()), ""},
			figure{"    transactions that post", fmt.Sprintf("%.0f /s", w.DeedsPerS()), ""},
			figure{"    all transactions of Docket's database", fmt.Sprintf("%.0f /s", w.CommitsPerS()), ""},
			figure{"    transactions of Temporal's databases meanwhile", fmt.Sprint(w.Temporals), ""},
			figure{"    CPU of docket / Temporal / PostgreSQL, a client", fmt.Sprintf("%.1f / %.1f / %.1f ms",
				w.DocketMS/float64(w.Clients), w.TempMS/float64(w.Clients), w.PostgreMS/float64(w.Clients)), ""},
			figure{"    history of its last run", fmt.Sprintf("%d events, %.0f KB", w.Events, w.HistoryKB), "< 51200, < 50 MB"},
			figure{"    progress told", fmt.Sprintf("%d times", w.Told), ""},
			figure{"  documents (PDF, UBL and JSON of an invoice)", fmt.Sprintf("%.0f /s", r.Documents), ""},
			figure{"  CPU of everything else on the machine meanwhile", fmt.Sprintf("%.1f cores", r.Others), ""},
		)
	}
	if r := b.Footprint; r != nil {
		all = append(all, figure{fmt.Sprintf("docket up, idle after %d tickets (PSS)", r.Tickets), fmt.Sprintf("%.0f MB", r.PSSMB), "< 500 MB"})
		for _, p := range r.Processes {
			all = append(all, figure{fmt.Sprintf("  %s × %d", p.Process, p.Processes), fmt.Sprintf("%.1f MB", float64(p.PSSKB)/1024), ""})
		}
		all = append(
			all,
			figure{"warm start to a posted ticket", fmt.Sprintf("%.0f ms", r.WarmMedian), ""},
			figure{"  the same servers to an empty workflow", fmt.Sprintf("%.0f ms", r.EmptyMedian), ""},
		)
	}
	return all
}

func ratio(v float64) string { return fmt.Sprintf("%.2f×", v) }
