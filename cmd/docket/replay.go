package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/docket-psa/docket/replay"
	"github.com/docket-psa/docket/seed"
	"github.com/docket-psa/docket/ticket"
	"github.com/docket-psa/docket/worker"
)

type replayOptions struct {
	limit          int
	concurrency    int
	ephemeral      bool
	skipUnreadable bool
}

// replayConns are the connections of a process that tells a log and does its work.
const replayConns = 24

func newReplay(a *app) *cobra.Command {
	var o replayOptions
	c := &cobra.Command{
		Use:   "replay FILE",
		Short: "Tell a real incident log again, each change as the message it stands for",
		Long: `Reads a ServiceNow incident log (CSV, plain or compressed by gzip), opens a ticket for each incident, and sends each
change of state as the message it stands for, through the same workflow as any ticket. Times are the log's. It ends
with one JSON object on stdout; progress goes to stderr. Run again, it goes on where it stopped.

It uses the Docket that runs; where none does, or with --ephemeral, it starts one and stops it at the end.

` + replay.WorkRule,
		Args: exactly("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.replay(cmd.Context(), args[0], o)
		},
	}
	flags := c.Flags()
	flags.IntVar(&o.limit, "limit", 0, "tell only the first `n` incidents; 0 tells all")
	flags.IntVar(&o.concurrency, "concurrency", 0, "how many incidents at a time (`n`); 16 by default")
	flags.BoolVar(&o.ephemeral, "ephemeral", false, "keep nothing: everything is gone at the end")
	flags.BoolVar(&o.skipUnreadable, "skip-unreadable", false, "leave out lines that cannot be read, instead of refusing the log")
	return c
}

// replay reads the whole log once before anything is started or stored.
func (a *app) replay(ctx context.Context, path string, o replayOptions) (err error) {
	if o.limit < 0 || o.concurrency < 0 {
		return usage(errors.New("--limit and --concurrency count incidents: 0 or more"))
	}
	file, err := os.Open(path)
	if err != nil {
		return usage(fmt.Errorf("open the log: %w", err))
	}
	defer func() { _ = file.Close() }()
	incidents, faults, err := replay.Survey(file, o.limit, a.now())
	if err != nil {
		return err
	}
	if faults.Lines > 0 && !o.skipUnreadable {
		a.say("%s of %s cannot be read, and nothing was stored. Correct the log, or leave such lines out: --skip-unreadable", count(faults.Lines, "line"), path)
		return faults.Err()
	}
	for _, p := range faults.First {
		a.say("left out: %v", p)
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("read the log again: %w", err)
	}
	a.say("%s in %s", count(incidents, "incident"), path)

	if !o.ephemeral {
		if _, err := a.open(ctx); err == nil {
			return a.tellLog(ctx, file, incidents, o)
		} else if !errors.Is(err, errNotRunning) {
			return err
		}
	}
	return a.withStack(ctx, o.ephemeral, func(ctx context.Context) error { return a.tellLog(ctx, file, incidents, o) })
}

// withStack starts what `docket up` starts, without its demo, for as long as do runs.
func (a *app) withStack(ctx context.Context, ephemeral bool, do func(context.Context) error) (err error) {
	dir, leave, err := a.home(ephemeral)
	if err != nil {
		return err
	}
	s := &stack{a: a}
	defer func() {
		if a.session != nil {
			a.session.close()
			a.session = nil
		}
		err = errors.Join(err, s.stop(context.WithoutCancel(ctx)), leave())
	}()
	if err := a.startStack(ctx, &printer{out: a.stderr}, s, dir, upOptions{}); err != nil {
		return err
	}
	if a.session, err = a.connect(ctx, s.places, replayConns); err != nil {
		return err
	}
	if _, err := seed.Apply(ctx, a.session.store); err != nil {
		return err
	}
	if err := writeState(a.data, state{
		PID: os.Getpid(), StartedAt: a.now().UTC(), DatabaseURL: s.places.database, OwnerURL: s.owner,
		Temporal: s.places.temporal.HostPort, Namespace: s.places.temporal.Namespace, UI: s.places.ui,
	}); err != nil {
		return err
	}
	group, running := errgroup.WithContext(ctx)
	running, done := context.WithCancel(running)
	defer done()
	group.Go(func() error { return s.keep(running) })
	group.Go(func() error {
		a.session.desk.Relay(running)
		return nil
	})
	group.Go(func() error {
		return worker.Run(running, a.session.temporal, worker.Deps{Desk: a.session.store, Ledger: a.session.store})
	})
	group.Go(func() error {
		defer done()
		return do(running)
	})
	return group.Wait()
}

// tellLog tells the log to the desk of the session and prints what became of it.
func (a *app) tellLog(ctx context.Context, file io.Reader, incidents int, o replayOptions) error {
	s := a.session
	clients, err := s.store.Clients(ctx)
	if err != nil {
		return err
	}
	people, err := s.store.People(ctx, "-")
	if err != nil {
		return err
	}
	cast, err := replay.NewCast(clients, people)
	if err != nil {
		return err
	}
	result, err := replay.Run(ctx, file, replay.Options{
		Desk: s.desk, Record: s.store, Cast: cast, Now: a.now, Limit: o.limit, Concurrency: o.concurrency,
		Unavailable: unavailable, Progress: a.pace(incidents), Trouble: a.trouble(),
	})
	if err != nil && len(ticket.Problems(err)) > 0 {
		return err
	}
	if shown := a.encodeResult(result); err == nil {
		err = shown
	}
	if err != nil && ctx.Err() == nil {
		return err
	}
	switch {
	case ctx.Err() != nil:
		a.say("Stopped after %d of %d incidents. Run it again: it goes on from here.", result.Incidents, incidents)
		return ctx.Err()
	case result.Leaked > 0:
		a.say("%s leaked: docket audit names them", count(result.Leaked, "ticket"))
		return errFound
	}
	return nil
}

// encodeResult prints one JSON object whatever -o says: that is what a replay ends with.
func (a *app) encodeResult(result replay.Result) error {
	if a.output == "table" {
		a.output = "json"
	}
	return a.encode(result)
}

// pace tells how far the replay is, how fast it goes and how long it still takes.
func (a *app) pace(total int) func(done int) {
	began, last := a.now(), a.now()
	return func(done int) {
		now := a.now()
		if now.Sub(last) < progressEvery && done < total {
			return
		}
		last = now
		took := now.Sub(began)
		perHour := int64(done) * int64(time.Hour) / max(int64(took), 1)
		left := time.Duration(int64(took) / int64(done) * int64(total-done)).Round(time.Second)
		a.say("%d of %d incidents, %d.%d a second, %s left", done, total, perHour/3600, perHour%3600/360, left)
	}
}

// trouble says what does not answer, at most every few seconds.
func (a *app) trouble() func(error, time.Duration) {
	var mu sync.Mutex
	var last time.Time
	return func(err error, _ time.Duration) {
		mu.Lock()
		defer mu.Unlock()
		if now := a.now(); now.Sub(last) >= progressEvery {
			last = now
			a.say("no answer, trying again; nothing is lost: %v", err)
		}
	}
}
