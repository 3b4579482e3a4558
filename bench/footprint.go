package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"go.temporal.io/sdk/client"
	sdkworker "go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/docket-psa/docket/desk"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/worker"
)

// FootprintOptions of Footprint.
type FootprintOptions struct {
	Stack
	Binary   string // docket's
	Log      *slog.Logger
	Rounds   int // warm starts of each side
	Progress io.Writer
}

// FootprintResult is what `docket up` holds while idle, and how fast it starts on data it has.
type FootprintResult struct {
	Tickets   int      `json:"tickets_played"`
	PSSMB     float64  `json:"pss_mb"` // all processes
	Processes []Memory `json:"by_process"`

	WarmMS      []float64 `json:"warm_start_to_posted_ticket_ms"`
	EmptyMS     []float64 `json:"warm_start_to_empty_workflow_ms"`
	WarmMedian  float64   `json:"warm_start_to_posted_ticket_median_ms"`
	EmptyMedian float64   `json:"warm_start_to_empty_workflow_median_ms"`

	Temporal string `json:"-"` // version
}

const (
	played   = 10
	quiet    = 0.15 // cores: an idle Temporal uses about a tenth
	quietFor = 2 * time.Second
	quietIn  = time.Minute
	lookEach = 5 * time.Millisecond // shorter than what is measured with it
)

// Footprint lets `docket up` play ten tickets and sums up the memory of all its processes when
// it has become quiet. Then it starts it again and again on data that it has, until a covered
// ticket is posted, in turn with the same servers alone until an empty workflow has ended.
func Footprint(ctx context.Context, o FootprintOptions) (FootprintResult, error) {
	r := FootprintResult{Tickets: played}
	dir, err := os.MkdirTemp("", "docket-bench-")
	if err != nil {
		return r, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := os.Chmod(dir, 0o755); err != nil { // PostgreSQL's unprivileged account must reach the cluster below
		return r, err
	}
	if err := o.idle(ctx, filepath.Join(dir, "idle"), &r); err != nil {
		return r, fmt.Errorf("memory of an idle docket up: %w", err)
	}
	for _, m := range r.Processes {
		r.PSSMB += float64(m.PSSKB) / 1024
	}
	_, _ = fmt.Fprintf(o.Progress, "idle after %d tickets: %.0f MB\n", played, r.PSSMB)

	kept := filepath.Join(dir, "kept")
	for round := range o.Rounds + 1 {
		warm, err := o.warm(ctx, kept, round, &r)
		if err != nil {
			return r, fmt.Errorf("warm start: %w", err)
		}
		if round == 0 {
			continue // it made the cluster
		}
		empty, err := o.warmEmpty(ctx, kept, round)
		if err != nil {
			return r, fmt.Errorf("warm start of the servers alone: %w", err)
		}
		r.WarmMS, r.EmptyMS = append(r.WarmMS, ms(warm)), append(r.EmptyMS, ms(empty))
		_, _ = fmt.Fprintf(o.Progress, "warm start %d of %d: a posted ticket after %.0f ms, an empty workflow after %.0f ms\n", round, o.Rounds, ms(warm), ms(empty))
	}
	r.WarmMedian, r.EmptyMedian = Median(r.WarmMS), Median(r.EmptyMS)
	return r, nil
}

// idle plays the tickets and reads the memory once nothing moves any more.
func (o FootprintOptions) idle(ctx context.Context, dir string, r *FootprintResult) (err error) {
	u, err := o.up(ctx, dir, "--ephemeral", "--tickets", strconv.Itoa(played), "--pace", "0")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, u.stop(ctx)) }()
	store, err := postgres.Open(ctx, u.DatabaseURL, postgres.Options{Now: o.Now, MaxConns: 1})
	if err != nil {
		return err
	}
	err = u.until(ctx, func() (bool, error) {
		standing, err := store.Standing(ctx)
		return standing.Posted == played, err
	})
	store.Disconnect() // a session of ours would count as memory of theirs
	if err != nil {
		return err
	}
	if err := u.untilQuiet(ctx); err != nil {
		return err
	}
	r.Processes, err = memoryOf(u.process.PID())
	return err
}

// warm starts `docket up` and gives the time until a covered ticket, sent from another process
// as soon as it can be, is posted.
func (o FootprintOptions) warm(ctx context.Context, dir string, round int, r *FootprintResult) (took time.Duration, err error) {
	began := o.Now()
	u, err := o.up(ctx, dir, "--tickets", "0")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, u.stop(ctx)) }()
	store, err := postgres.Open(ctx, u.DatabaseURL, postgres.Options{Now: o.Now, MaxConns: 2})
	if err != nil {
		return 0, err
	}
	defer store.Disconnect()
	c, err := client.NewLazyClient(client.Options{HostPort: u.Temporal, Namespace: u.Namespace, Logger: o.Logger})
	if err != nil {
		return 0, err
	}
	defer c.Close()
	if _, err := CoveredTicket(ctx, desk.New(store, c, desk.Options{Now: o.Now, Log: o.Log}), o.Now, fmt.Sprintf("warm-%d", round)); err != nil {
		return 0, err
	}
	took = o.Now().Sub(began)
	r.Temporal, err = temporalVersion(ctx, c)
	return took, err
}

// warmEmpty starts the same servers on the same data, and a worker that knows the empty workflow alone.
func (o FootprintOptions) warmEmpty(ctx context.Context, dir string, round int) (took time.Duration, err error) {
	began := o.Now()
	alone := o.Stack
	alone.Dir = filepath.Join(dir, "postgres") // where `docket up` keeps it
	on, err := alone.start(ctx)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, on.stop(ctx)) }()
	w := sdkworker.New(on.client, emptyTaskQueue, worker.Options(worker.Deps{}))
	w.RegisterWorkflowWithOptions(empty, workflow.RegisterOptions{Name: emptyWorkflow})
	w.RegisterActivity(nothing)
	if err := w.Start(); err != nil {
		return 0, err
	}
	defer w.Stop()
	if err := runEmpty(ctx, on.client, fmt.Sprintf("empty/warm-%d", round)); err != nil {
		return 0, err
	}
	return o.Now().Sub(began), nil
}
