package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	sdk "go.temporal.io/sdk/client"
	sdkworker "go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
	"golang.org/x/sync/errgroup"

	"github.com/docket-psa/docket/desk"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/seed"
	"github.com/docket-psa/docket/ticket"
	"github.com/docket-psa/docket/worker"
)

// WaitingOptions of Waiting.
type WaitingOptions struct {
	Stack
	Log        *slog.Logger
	Waiting    int           // tickets, and empty workflows, that wait at once
	Concurrent int           // opened, and asked, at once
	Watch      time.Duration // how long their waiting is watched
	Rounds     int           // how often the sides take turns
	Conns      int32         // of Docket's pool
	Progress   io.Writer
}

// WaitingResult compares tickets that wait for their SLA timers with empty workflows that wait for timers.
type WaitingResult struct {
	Waiting      int            `json:"waiting"`
	IdleCPU      float64        `json:"idle_cpu_ms_per_s"` // of all processes while nothing waits
	Ticket       Waited         `json:"ticket"`
	Empty        Waited         `json:"empty_workflow"`
	RestartRatio float64        `json:"restart_ratio"` // of the times from the workers' start to the last answer, median by round
	History      map[string]int `json:"history"`       // of one ticket, by type of event; the empty workflow's is the same
	Others       float64        `json:"others_cores"`  // CPU that everything else on the machine used meanwhile

	Temporal string `json:"-"` // version
}

// Waited is what waiting costs one side, and what it takes after all workers were away when every timer fell due.
type Waited struct {
	CPU       []float64 `json:"waiting_cpu_ms_per_s"` // of all processes while all of them wait, by round
	FiredMS   []float64 `json:"fired_ms"`             // from the workers' start until every due timer has fired and was acted on
	RestartMS []float64 `json:"restart_ms"`           // and each run has answered a query
}

const (
	waitingClient = "waiting-room"
	waitingTarget = time.Hour // of a response: tickets are opened that long before they are to fall due

	openEach  = 40 * time.Millisecond // what opening one may take, on a machine under load
	settle    = 10 * time.Second      // for what opening leaves to do, and before timers fall due
	countEach = time.Second           // rarely: counting ten thousand rows is work that would be measured with them
	awayAfter = 15 * time.Second      // how long timers are due before workers come back: beyond the sticky queues' timeout

	waitingWorkflow = "empty-waiting"
)

// waitingContract promises a response around the clock, and warns of nothing: one timer falls due.
const waitingContract = `
schema: docket.contract/v1
contract: waiting-room
client: waiting-room
name: Waiting room
effective_from: 2020-01-01
currency: USD
time_zone: UTC
rates: [{clause: R1, hourly: 100.00}]
lines: [{clause: T1, name: Support, charge: time}]
sla:
  calendar: 24x7
  warn_percent: 100
  targets: {3: {response: 1h, resolution: 1000h}}
`

// Waiting lets many tickets wait for their timers, in turn with as many empty workflows; stops all workers until every
// timer is due; starts them again, and takes the time until every timer has fired and each run has answered a query.
// It fails when the two histories differ: then the yardstick must follow the ticket.
func Waiting(ctx context.Context, o WaitingOptions) (r WaitingResult, err error) {
	r = WaitingResult{Waiting: o.Waiting}
	on, err := o.start(ctx)
	if err != nil {
		return r, err
	}
	defer func() { _ = on.stop(ctx) }()
	b := waitingBench{o: o, on: on}
	defer b.close(ctx)
	if err := b.prepare(ctx); err != nil {
		return r, err
	}
	if r.Temporal, err = temporalVersion(ctx, on.client); err != nil {
		return r, err
	}
	nothingWaits := b.ticketWorker()
	if err := nothingWaits.Start(); err != nil {
		return r, err
	}
	if r.IdleCPU, err = b.watch(ctx); err != nil {
		return r, err
	}
	nothingWaits.Stop()
	began, err := busy()
	if err != nil {
		return r, err
	}
	own, err := cpuOf(os.Getpid())
	if err != nil {
		return r, err
	}
	since := o.Now()
	for round := range o.Rounds {
		sides := []waitingSide{b.tickets(), b.empties()}
		took := []*Waited{&r.Ticket, &r.Empty}
		ids := make([][]string, 2)
		for i := range sides {
			at := (i + round) % 2 // neither side is always the first
			if ids[at], err = b.turn(ctx, sides[at], took[at]); err != nil {
				return r, fmt.Errorf("%s: %w", sides[at].name, err)
			}
			w := took[at]
			_, _ = fmt.Fprintf(o.Progress, "round %d of %d: %-24s %6.1f ms CPU a second waiting, all fired after %5.0f ms, all answered after %5.0f ms\n",
				round+1, o.Rounds, sides[at].name, w.CPU[round], w.FiredMS[round], w.RestartMS[round])
		}
		if r.History, err = on.sameShape(ctx, ids[0], ids[1]); err != nil {
			return r, err
		}
		for _, id := range append(ids[0], ids[1]...) {
			if err := on.client.TerminateWorkflow(ctx, id, "", "measured"); err != nil {
				return r, err
			}
		}
	}
	r.RestartRatio = medianRatio(r.Ticket.RestartMS, r.Empty.RestartMS)
	ended, err := busy()
	if err != nil {
		return r, err
	}
	used, err := cpuOf(os.Getpid())
	if err != nil {
		return r, err
	}
	r.Others = (ended - began - (used - own)).Seconds() / o.Now().Sub(since).Seconds()
	return r, nil
}

type waitingBench struct {
	o     WaitingOptions
	on    *servers
	look  *pgx.Conn // of the superuser, in Docket's database
	store *postgres.Store
	desk  *desk.Desk
	made  atomic.Int64
	began atomic.Int64 // empty workflows that came to their timer
	fired atomic.Int64 // and of which it was acted on
}

func (b *waitingBench) prepare(ctx context.Context) (err error) {
	cluster := b.on.cluster
	admin, err := pgx.Connect(ctx, cluster.SocketURL(cluster.User, "postgres"))
	if err != nil {
		return err
	}
	if _, err = admin.Exec(ctx, "create database "+database); err != nil {
		return errors.Join(err, admin.Close(ctx))
	}
	if err := admin.Close(ctx); err != nil {
		return err
	}
	if _, err := postgres.Migrate(ctx, cluster.URL(cluster.User, database), login, cluster.Password); err != nil {
		return err
	}
	if b.look, err = pgx.Connect(ctx, cluster.SocketURL(cluster.User, database)); err != nil {
		return err
	}
	if b.store, err = postgres.Open(ctx, cluster.URL(login, database), postgres.Options{Now: b.o.Now, MaxConns: b.o.Conns}); err != nil {
		return err
	}
	if _, err := seed.Apply(ctx, b.store); err != nil {
		return err
	}
	if err := b.store.PutClient(ctx, ticket.Client{ID: waitingClient, Name: "Waiting room", TimeZone: "UTC", Currency: "USD"}); err != nil {
		return err
	}
	if _, err := b.store.ApplyContract(ctx, []byte(waitingContract), seed.By, true); err != nil {
		return err
	}
	b.desk = desk.New(b.store, b.on.client, desk.Options{Now: b.o.Now, Log: b.o.Log})
	return nil
}

func (b *waitingBench) close(ctx context.Context) {
	if b.store != nil {
		b.store.Disconnect()
	}
	if b.look != nil {
		_ = b.look.Close(context.WithoutCancel(ctx))
	}
}

// waitingSide is one of the two that take turns.
type waitingSide struct {
	name    string
	worker  func() sdkworker.Worker
	beside  func(context.Context) // what runs in the background while all are opened
	open    func(ctx context.Context, due time.Time) (workflowID string, err error)
	settled func(ctx context.Context) (int64, error) // how many wait by now
	fired   func(ctx context.Context) (int64, error) // how many timers were acted on
	ask     func(ctx context.Context, workflowID string) error
}

// turn opens all of one side, watches them wait, and brings the workers back after every timer fell due.
func (b *waitingBench) turn(ctx context.Context, s waitingSide, w *Waited) ([]string, error) {
	lead := time.Duration(b.o.Waiting)*openEach + settle + b.o.Watch + settle
	due := b.o.Now().Add(lead).UTC()
	first := s.worker()
	if err := first.Start(); err != nil {
		return nil, err
	}
	background, over := context.WithCancel(ctx)
	var beside sync.WaitGroup
	beside.Go(func() { s.beside(background) })
	defer beside.Wait()
	defer over()
	ids := make([]string, b.o.Waiting)
	if err := b.each(ctx, func(ctx context.Context, i int) (err error) {
		ids[i], err = s.open(ctx, due)
		return err
	}); err != nil {
		return nil, err
	}
	if err := b.until(ctx, s.settled); err != nil {
		return nil, err
	}
	over()
	if err := sleep(ctx, settle); err != nil {
		return nil, err
	}
	waiting, err := b.watch(ctx)
	if err != nil {
		return nil, err
	}
	first.Stop()
	left := due.Sub(b.o.Now())
	if left < 0 {
		return nil, fmt.Errorf("opening %d took %s longer than the %s until they fall due: the machine is too busy, or let fewer wait", b.o.Waiting, -left, lead)
	}
	if err := sleep(ctx, left+awayAfter); err != nil {
		return nil, err
	}
	began := b.o.Now()
	second := s.worker()
	if err := second.Start(); err != nil {
		return nil, err
	}
	defer second.Stop()
	if err := b.until(ctx, s.fired); err != nil {
		return nil, err
	}
	fired := b.o.Now().Sub(began)
	if err := b.each(ctx, func(ctx context.Context, i int) error { return s.ask(ctx, ids[i]) }); err != nil {
		return nil, err
	}
	w.CPU = append(w.CPU, waiting)
	w.FiredMS, w.RestartMS = append(w.FiredMS, ms(fired)), append(w.RestartMS, ms(b.o.Now().Sub(began)))
	return ids, nil
}

func (b *waitingBench) ticketWorker() sdkworker.Worker {
	return worker.New(b.on.client, worker.Deps{Desk: b.store, Ledger: b.store})
}

// tickets are opened so long ago that their response falls due at the instant; nobody claims them.
func (b *waitingBench) tickets() waitingSide {
	return waitingSide{
		name: "tickets", worker: b.ticketWorker, beside: b.desk.Relay,
		open: func(ctx context.Context, due time.Time) (string, error) {
			key := fmt.Sprintf("waiting-%d", b.made.Add(1))
			opened, err := b.desk.Open(ctx, ticket.Opening{
				Client: waitingClient, Source: "bench", ExternalID: key, EventID: key, Subject: "Printer jams", Impact: 2, Urgency: 2,
				OpenedAt: due.Add(-waitingTarget),
			})
			return opened.Ticket.WorkflowID(), err
		},
		settled: b.count("routed_round = 1"),
		fired:   b.count("response_breached_at is not null"),
		ask: func(ctx context.Context, workflowID string) error {
			value, err := b.on.client.QueryWorkflow(ctx, workflowID, "", ticket.QueryStatus)
			if err != nil {
				return err
			}
			var status ticket.Status
			if err := value.Get(&status); err != nil {
				return err
			}
			if status.Stage != ticket.Resolution || status.DueAt.Before(b.o.Now()) {
				return fmt.Errorf("%s is in %s, and next is %s at %s: its timer has not been acted on", workflowID, status.Stage, status.DueWhat, status.DueAt)
			}
			return nil
		},
	}
}

// count counts this round's tickets of which it is so.
func (b *waitingBench) count(so string) func(context.Context) (int64, error) {
	const since = "select count(*) from tickets where client_id = $1 and opened_at > $2 and "
	began := b.o.Now().Add(-waitingTarget) // tickets of an earlier round fell due before
	return func(ctx context.Context) (n int64, err error) {
		return n, b.look.QueryRow(ctx, since+so, waitingClient, began).Scan(&n)
	}
}

// empties do nothing in the shape of a ticket that waits for its response.
func (b *waitingBench) empties() waitingSide {
	began, fired := b.began.Load(), b.fired.Load()
	since := func(counter *atomic.Int64, before int64) func(context.Context) (int64, error) {
		return func(context.Context) (int64, error) { return counter.Load() - before, nil }
	}
	return waitingSide{
		name: "empty waiting workflows", worker: b.emptyWorker, beside: func(context.Context) {},
		open: func(ctx context.Context, due time.Time) (string, error) {
			id := fmt.Sprintf("empty-waiting/%d", b.made.Add(1))
			_, err := b.on.client.ExecuteWorkflow(ctx, sdk.StartWorkflowOptions{ID: id, TaskQueue: emptyTaskQueue, EnableEagerStart: true}, waitingWorkflow, due)
			return id, err
		},
		settled: since(&b.began, began),
		fired:   since(&b.fired, fired),
		ask: func(ctx context.Context, workflowID string) error {
			_, err := b.on.client.QueryWorkflow(ctx, workflowID, "", ticket.QueryStatus)
			return err
		},
	}
}

func (b *waitingBench) emptyWorker() sdkworker.Worker {
	w := sdkworker.New(b.on.client, emptyTaskQueue, worker.Options(worker.Deps{Desk: b.store, Ledger: b.store}))
	w.RegisterWorkflowWithOptions(b.emptyWaiting, workflow.RegisterOptions{Name: waitingWorkflow})
	return w
}

func (b *waitingBench) emptyWaiting(ctx workflow.Context, due time.Time) error {
	local := workflow.WithLocalActivityOptions(ctx, workflow.LocalActivityOptions{StartToCloseTimeout: 3 * time.Second})
	if err := workflow.SetQueryHandler(ctx, ticket.QueryStatus, func() (string, error) { return "waiting", nil }); err != nil {
		return err
	}
	for _, step := range []func(context.Context) error{nothing, nothing, b.noteBegun} { // begin, triage, route
		if err := workflow.ExecuteLocalActivity(local, step).Get(ctx, nil); err != nil {
			return err
		}
	}
	rings := workflow.NewTimer(ctx, due.Sub(workflow.Now(ctx))) // response due
	if err := upsert(ctx, ticket.Resolution); err != nil {
		return err
	}
	if err := rings.Get(ctx, nil); err != nil {
		return err
	}
	if err := workflow.ExecuteLocalActivity(local, b.noteFired).Get(ctx, nil); err != nil { // breach
		return err
	}
	return workflow.NewTimer(ctx, emptyTimer).Get(ctx, nil) // the next step up the chain
}

func (b *waitingBench) noteBegun(context.Context) error { b.began.Add(1); return nil }

func (b *waitingBench) noteFired(context.Context) error { b.fired.Add(1); return nil }

// each does something for all of them, some at once.
func (b *waitingBench) each(ctx context.Context, do func(ctx context.Context, i int) error) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(b.o.Concurrent)
	for i := range b.o.Waiting {
		g.Go(func() error { return do(ctx, i) })
	}
	return g.Wait()
}

// until waits until all of them have got so far.
func (b *waitingBench) until(ctx context.Context, count func(context.Context) (int64, error)) error {
	within := b.o.Now().Add(upWithin + time.Duration(b.o.Waiting)*openEach)
	for {
		n, err := count(ctx)
		if err != nil || n >= int64(b.o.Waiting) {
			return err
		}
		if b.o.Now().After(within) {
			return fmt.Errorf("only %d of %d got so far", n, b.o.Waiting)
		}
		if err := sleep(ctx, countEach); err != nil {
			return err
		}
	}
}

// watch gives the CPU time that all processes use, in ms a second.
func (b *waitingBench) watch(ctx context.Context) (float64, error) {
	before, err := cpuOf(os.Getpid())
	if err != nil {
		return 0, err
	}
	began := b.o.Now()
	if err := sleep(ctx, b.o.Watch); err != nil {
		return 0, err
	}
	after, err := cpuOf(os.Getpid())
	return ms(after-before) / b.o.Now().Sub(began).Seconds(), err
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
