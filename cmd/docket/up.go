package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/docket-psa/docket/seed"
	"github.com/docket-psa/docket/worker"
)

// upMemory keeps the whole of an idle `up` small: this process is one of many on a laptop.
const upMemory = 160 << 20 // bytes

type upOptions struct {
	ephemeral  bool
	tickets    int
	pace       time.Duration
	pgPort     int
	grpcPort   int
	uiPort     int
	listenOn   string
	stopAtEnd  bool
	beganAt    time.Time
	firstSlow  int
	concurrent int
}

func newUp(a *app) *cobra.Command {
	o := upOptions{firstSlow: 10, concurrent: 4}
	c := &cobra.Command{
		Use:   "up",
		Short: "Start everything, with a seeded company whose tickets play by themselves",
		Long: `Starts a private PostgreSQL, a Temporal server with its Web UI, a worker and the relay; seeds an MSP with eight clients;
and lets a scripted AI agent, scripted technicians, approvers and a dispatcher play its tickets.

The scripted agent's time is measured while it runs; people's durations are the script's, and lie in the past.
Other commands find all of it by themselves. Ctrl-C ends it; started again, it goes on where it stopped.

DATABASE_URL (and DOCKET_OWNER_URL, to migrate) or TEMPORAL_ADDRESS use servers of your own instead.`,
		Annotations: map[string]string{longRunning: logsWarn},
		Args:        exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.beganAt = a.now()
			return a.up(cmd.Context(), o)
		},
	}
	flags := c.Flags()
	flags.BoolVar(&o.ephemeral, "ephemeral", false, "keep nothing: everything is gone at the end")
	flags.IntVar(&o.tickets, "tickets", 47, "how many demo tickets to play (`n`); 0 for none")
	flags.DurationVar(&o.pace, "pace", 700*time.Millisecond, "`pause` between the steps of the first ten tickets; the rest goes faster")
	flags.IntVar(&o.pgPort, "postgres-port", 0, "`port` of PostgreSQL; a free one by default")
	flags.IntVar(&o.grpcPort, "temporal-port", 7233, "`port` of Temporal; another one where it is taken")
	flags.IntVar(&o.uiPort, "ui-port", 8233, "`port` of Temporal's Web UI; another one where it is taken")
	flags.StringVar(&o.listenOn, "listen", a.listenAddress(), "`address` of health and metrics; another port where it is taken")
	flags.BoolVar(&o.stopAtEnd, "stop-when-done", false, "end when the demo tickets are played, as a test does")
	return c
}

// up runs everything until ctx ends.
func (a *app) up(ctx context.Context, o upOptions) (err error) {
	if a.env("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(upMemory)
		debug.SetGCPercent(50)
	}
	dir, leave, err := a.home(o.ephemeral)
	if err != nil {
		return err
	}
	p := newPrinter(a)
	s := &stack{a: a}
	defer func() {
		p.rest()
		if a.session != nil {
			a.session.close()
			a.session = nil
		}
		err = errors.Join(err, s.stop(context.WithoutCancel(ctx)), leave())
		if ctx.Err() != nil && (err == nil || errors.Is(err, context.Canceled)) {
			err = nil // Ctrl-C is how it ends
			p.line("Stopped.%s", map[bool]string{false: " Start again with docket up: it goes on where it stopped."}[o.ephemeral])
		}
	}()
	if err := a.startStack(ctx, p, s, dir, o); err != nil {
		return err
	}
	l, err := a.listenAnywhere(ctx, o.listenOn)
	if err != nil {
		return err
	}
	s.places.metrics = "http://" + l.Addr().String()
	if a.session, err = a.connect(ctx, s.places, workConns); err != nil {
		return err
	}
	a.tel.Metrics.Registry.MustRegister(newDeskMetrics(a.session, a.now))
	if err := s.catchMail(ctx); err != nil {
		return err
	}
	if err := a.welcome(ctx, p, s, o); err != nil {
		return err
	}
	return a.live(ctx, p, s, l, o)
}

// startStack starts the servers side by side where one does not need the other.
func (a *app) startStack(ctx context.Context, p *printer, s *stack, dir string, o upOptions) error {
	began := a.now()
	if err := s.startPostgres(ctx, dir, o.pgPort); err != nil {
		return err
	}
	if s.cluster != nil {
		p.started("PostgreSQL", a.now().Sub(began), "private, in "+s.cluster.Dir+", port "+fmt.Sprint(s.cluster.Port))
	} else {
		p.started("PostgreSQL", 0, "yours, from DATABASE_URL")
	}
	began = a.now()
	group, starting := errgroup.WithContext(ctx)
	var schema string
	var schemaTook time.Duration
	group.Go(func() error {
		applied, err := s.migrate(starting)
		schemaTook = a.now().Sub(began)
		switch {
		case applied < 0:
			schema = "not ours to touch: DOCKET_OWNER_URL is not set"
		case applied == 0:
			schema = "up to date"
		default:
			schema = count(applied, "migration")
		}
		return err
	})
	var temporalTook time.Duration
	group.Go(func() error {
		err := s.startTemporal(starting, o.grpcPort, o.uiPort)
		temporalTook = a.now().Sub(began)
		return err
	})
	if err := group.Wait(); err != nil {
		return err
	}
	p.started("schema", schemaTook, schema)
	p.started("Temporal", temporalTook, s.places.temporal.HostPort+", namespace "+s.places.temporal.Namespace)
	return nil
}

// listenAnywhere takes the address, or its host with a free port.
func (a *app) listenAnywhere(ctx context.Context, address string) (net.Listener, error) {
	l, err := listen(ctx, address)
	if err == nil {
		return l, nil
	}
	host, _, split := net.SplitHostPort(address)
	if split != nil {
		return nil, usage(fmt.Errorf("--listen %q is not host:port", address))
	}
	a.say("%s is taken: health and metrics listen on another port.", address)
	return listen(ctx, net.JoinHostPort(host, "0"))
}

// welcome seeds, tells other commands where things are, and prints the links.
func (a *app) welcome(ctx context.Context, p *printer, s *stack, o upOptions) error {
	began := a.now()
	stored, err := seed.Apply(ctx, a.session.store)
	if err != nil {
		return err
	}
	clients, err := a.session.store.Clients(ctx)
	if err != nil {
		return err
	}
	what := count(len(clients), "client")
	if stored.Clients > 0 {
		what += fmt.Sprintf(", %d people, %s", stored.People, count(stored.Contracts, "contract revision"))
	} else {
		what += ", as you left them"
	}
	p.started("company", a.now().Sub(began), what)
	if err := writeState(a.data, state{
		PID: os.Getpid(), StartedAt: o.beganAt.UTC(), DatabaseURL: s.places.database, OwnerURL: s.owner,
		Temporal: s.places.temporal.HostPort, Namespace: s.places.temporal.Namespace, UI: s.places.ui, Metrics: s.places.metrics,
	}); err != nil {
		return err
	}
	if s.places.ui != "" {
		p.link("Temporal UI", s.places.ui+"/namespaces/"+s.places.temporal.Namespace+"/workflows")
	}
	p.link("metrics", s.places.metrics+"/metrics")
	if s.catcher != nil {
		p.link("mail", "docket inbox")
	}
	p.line("")
	return nil
}

// live runs the worker, the relay, health and the demo, until ctx ends or one of them cannot go on.
func (a *app) live(ctx context.Context, p *printer, s *stack, l net.Listener, o upOptions) error {
	group, ctx := errgroup.WithContext(ctx)
	ctx, done := context.WithCancel(ctx)
	defer done()
	group.Go(func() error { return s.keep(ctx) })
	group.Go(func() error { return a.httpd(ctx, l, a.session) })
	group.Go(func() error {
		a.session.desk.Relay(ctx)
		return nil
	})
	group.Go(func() error {
		return worker.Run(ctx, a.session.temporal, a.workerDeps(a.session))
	})
	group.Go(func() error { return a.deliver(ctx, a.session, s.catcher.URL()) })
	news := newNews(a, p, o.beganAt, !o.stopAtEnd)
	played := make(chan struct{})
	group.Go(func() error { return news.tell(ctx, played) })
	group.Go(func() error {
		defer close(played)
		select {
		case <-ctx.Done():
			return nil
		case <-news.ready:
		}
		play := player{app: a, session: a.session, options: o}
		return play.all(ctx)
	})
	if o.stopAtEnd {
		group.Go(func() error {
			select {
			case <-ctx.Done():
			case <-news.told:
				done()
			}
			return nil
		})
	}
	err := group.Wait()
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}
