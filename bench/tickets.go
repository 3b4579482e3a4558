package bench

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	sdkworker "go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/docket-psa/docket/desk"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/seed"
	"github.com/docket-psa/docket/worker"
)

// TicketOptions of Tickets.
type TicketOptions struct {
	Stack
	Log        *slog.Logger
	Concurrent int           // tickets under way at once
	Phase      time.Duration // how long each side runs, a round
	Rounds     int           // how often the sides take turns
	Conns      int32         // of Docket's pool
	Progress   io.Writer
}

// TicketResult compares covered AI tickets, open to posted, with empty workflows.
type TicketResult struct {
	Concurrent int            `json:"concurrent"`
	PhaseMS    int64          `json:"phase_ms"`
	Ticket     Cost           `json:"ticket"`
	Empty      Cost           `json:"empty_workflow"`
	CPURatios  []float64      `json:"cpu_ratio_by_round"`
	CPURatio   float64        `json:"cpu_ratio"`
	IdleCPU    float64        `json:"idle_cpu_ms_per_s"`   // of all processes while nothing is sent
	LoadRatio  float64        `json:"cpu_ratio_less_idle"` // without what idling would have cost in the same time: the stricter one
	Events     int            `json:"history_events"`      // of one ticket
	History    map[string]int `json:"history"`             // of one ticket, by type of event; the empty workflow's is the same
	Leaked     int            `json:"leaked"`
	Others     float64        `json:"others_cores"` // CPU that everything else on the machine used meanwhile: near 0 on a quiet one

	Temporal string `json:"-"` // version
}

// Cost is what one of a kind costs, and how fast they go.
type Cost struct {
	Done      int     `json:"done"`
	CPUMS     float64 `json:"cpu_ms_each"` // of all processes, ended children and the load itself included
	DocketMS  float64 `json:"docket_cpu_ms_each"`
	Temporal  float64 `json:"temporal_cpu_ms_each"`
	Postgres  float64 `json:"postgres_cpu_ms_each"`
	Commits   float64 `json:"commits_each"`
	WALBytes  float64 `json:"wal_bytes_each"`
	PerSecond float64 `json:"per_s"`
	P50MS     float64 `json:"p50_ms"`
	P99MS     float64 `json:"p99_ms"`
}

// warmUp is how long each side runs before it is measured: connections, plans and caches.
const warmUp = 3 * time.Second

// idleFor is how long the servers are watched while nothing is sent to them.
const idleFor = 5 * time.Second

// Tickets carries covered AI tickets from opening to their posted line, in turn with empty
// workflows of the same shape, on one PostgreSQL with every commit on disk and one Temporal.
// It fails when the two histories differ: then the yardstick must follow the ticket.
func Tickets(ctx context.Context, o TicketOptions) (r TicketResult, err error) {
	r = TicketResult{Concurrent: o.Concurrent, PhaseMS: o.Phase.Milliseconds()}
	on, err := o.start(ctx)
	if err != nil {
		return r, err
	}
	defer func() { _ = on.stop(ctx) }()
	b := ticketBench{o: o, on: on}
	defer b.close(ctx)
	if err := b.prepare(ctx); err != nil {
		return r, err
	}
	if r.Temporal, err = temporalVersion(ctx, on.client); err != nil {
		return r, err
	}
	tickets := side{name: "covered tickets", one: b.ticket, beside: b.desk.Relay}
	empties := side{name: "empty workflows", one: b.empty}
	for _, s := range []*side{&tickets, &empties} {
		if err := b.batch(ctx, s, min(warmUp, o.Phase)); err != nil {
			return r, err
		}
	}
	if r.History, err = on.sameShape(ctx, tickets.ids, empties.ids); err != nil {
		return r, err
	}
	for _, n := range r.History {
		r.Events += n
	}
	if r.IdleCPU, err = b.idle(ctx); err != nil {
		return r, err
	}
	tickets.forget()
	empties.forget()
	for round := range o.Rounds {
		order := []*side{&tickets, &empties}
		if round%2 == 1 {
			slices.Reverse(order) // neither side is always the first
		}
		for _, s := range order {
			if err := b.batch(ctx, s, o.Phase); err != nil {
				return r, err
			}
			_, _ = fmt.Fprintf(o.Progress, "round %d of %d: %-16s %6.1f ms CPU each, %6.1f /s\n", round+1, o.Rounds, s.name, s.cpu[round], s.perSecond[round])
		}
	}
	r.Ticket, r.Empty = tickets.cost(), empties.cost()
	r.Others = (tickets.total.others + empties.total.others).Seconds() / (tickets.took + empties.took).Seconds()
	for i := range tickets.cpu {
		r.CPURatios = append(r.CPURatios, tickets.cpu[i]/empties.cpu[i])
	}
	r.CPURatio = medianRatio(tickets.cpu, empties.cpu)
	r.LoadRatio = medianRatio(tickets.lessIdle(r.IdleCPU), empties.lessIdle(r.IdleCPU))
	standing, err := b.store.Standing(ctx)
	if err != nil {
		return r, err
	}
	r.Leaked = standing.Leaked
	if standing.Posted != b.opened() || standing.Leaked != 0 {
		return r, fmt.Errorf("of %d tickets %d are posted and %d leaked", b.opened(), standing.Posted, standing.Leaked)
	}
	return r, nil
}

type ticketBench struct {
	o       TicketOptions
	on      *servers
	admin   *pgx.Conn
	store   *postgres.Store
	desk    *desk.Desk
	workers []sdkworker.Worker
	made    atomic.Int64
	tickets atomic.Int64
}

func (b *ticketBench) opened() int { return int(b.tickets.Load()) }

func (b *ticketBench) prepare(ctx context.Context) (err error) {
	cluster := b.on.cluster
	if b.admin, err = pgx.Connect(ctx, cluster.SocketURL(cluster.User, "postgres")); err != nil {
		return err
	}
	if _, err := b.admin.Exec(ctx, "create database "+database); err != nil {
		return err
	}
	if _, err := postgres.Migrate(ctx, cluster.URL(cluster.User, database), login, cluster.Password); err != nil {
		return err
	}
	if b.store, err = postgres.Open(ctx, cluster.URL(login, database), postgres.Options{Now: b.o.Now, MaxConns: b.o.Conns}); err != nil {
		return err
	}
	if _, err := seed.Apply(ctx, b.store); err != nil {
		return err
	}
	b.desk = desk.New(b.store, b.on.client, desk.Options{Now: b.o.Now, Log: b.o.Log})
	deps := worker.Deps{Desk: b.store, Ledger: b.store}
	yardstick := sdkworker.New(b.on.client, emptyTaskQueue, worker.Options(deps))
	yardstick.RegisterWorkflowWithOptions(empty, workflow.RegisterOptions{Name: emptyWorkflow})
	yardstick.RegisterActivity(nothing)
	for _, w := range []sdkworker.Worker{worker.New(b.on.client, deps), yardstick} {
		if err := w.Start(); err != nil {
			return err
		}
		b.workers = append(b.workers, w)
	}
	return nil
}

func (b *ticketBench) close(ctx context.Context) {
	for _, w := range b.workers {
		w.Stop()
	}
	if b.store != nil {
		b.store.Disconnect()
	}
	if b.admin != nil {
		_ = b.admin.Close(context.WithoutCancel(ctx))
	}
}

// side is one of the two that take turns.
type side struct {
	name   string
	one    func(context.Context) (workflowID string, err error)
	beside func(context.Context) // what runs in the background of this side alone

	mu        sync.Mutex
	ids       []string
	latencies []time.Duration
	total     spent
	took      time.Duration
	cpu       []float64 // ms each, by round
	perSecond []float64
}

func (s *side) forget() {
	s.ids, s.latencies, s.total, s.took, s.cpu, s.perSecond = nil, nil, spent{}, 0, nil, nil
}

func (s *side) done(id string, took time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ids, s.latencies = append(s.ids, id), append(s.latencies, took)
}

// batch runs one side for the time, some at once, and counts what it cost until the last has ended.
func (b *ticketBench) batch(ctx context.Context, s *side, length time.Duration) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var beside, all sync.WaitGroup
	before, err := b.on.meter(ctx, b.admin)
	if err != nil {
		return err
	}
	background, over := context.WithCancel(ctx)
	if s.beside != nil {
		beside.Go(func() { s.beside(background) })
	}
	began, had := b.o.Now(), len(s.ids)
	for range b.o.Concurrent {
		all.Go(func() {
			for ctx.Err() == nil && b.o.Now().Sub(began) < length {
				start := b.o.Now()
				id, err := s.one(ctx)
				if err != nil {
					cancel(fmt.Errorf("%s: %w", s.name, err))
					return
				}
				s.done(id, b.o.Now().Sub(start))
			}
		})
	}
	all.Wait()
	took := b.o.Now().Sub(began)
	over()
	beside.Wait()
	if err := context.Cause(ctx); err != nil {
		return err
	}
	after, err := b.on.meter(ctx, b.admin)
	if err != nil {
		return err
	}
	used, n := after.since(before), float64(len(s.ids)-had)
	s.total, s.took = s.total.plus(used), s.took+took
	s.cpu = append(s.cpu, ms(used.cpu())/n)
	s.perSecond = append(s.perSecond, n/took.Seconds())
	return nil
}

// idle gives the CPU time that all processes use while they wait, in ms a second.
func (b *ticketBench) idle(ctx context.Context) (float64, error) {
	before, err := cpuOf(os.Getpid())
	if err != nil {
		return 0, err
	}
	began := b.o.Now()
	select {
	case <-ctx.Done():
		return 0, ctx.Err()
	case <-time.After(min(idleFor, b.o.Phase)):
	}
	after, err := cpuOf(os.Getpid())
	return ms(after-before) / b.o.Now().Sub(began).Seconds(), err
}

// lessIdle gives the CPU time each, by round, without that of idling.
func (s *side) lessIdle(perSecond float64) []float64 {
	var less []float64
	for i := range s.cpu {
		less = append(less, s.cpu[i]-perSecond/s.perSecond[i])
	}
	return less
}

// cost gives medians over the rounds, and means and percentiles over all.
func (s *side) cost() Cost {
	n := float64(len(s.ids))
	slices.Sort(s.latencies)
	at := func(q float64) float64 { return ms(s.latencies[int(q*(n-1))]) }
	return Cost{
		Done: len(s.ids), CPUMS: Median(s.cpu), Commits: float64(s.total.commits) / n, WALBytes: float64(s.total.wal) / n,
		DocketMS: ms(s.total.docket) / n, Temporal: ms(s.total.temporal) / n, Postgres: ms(s.total.postgres) / n,
		PerSecond: Median(s.perSecond), P50MS: at(0.5), P99MS: at(0.99),
	}
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
