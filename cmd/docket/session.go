package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/exaring/otelpgx"
	"github.com/jackc/pgx/v5"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/envconfig"
	sdklog "go.temporal.io/sdk/log"

	"github.com/docket-psa/docket/desk"
	"github.com/docket-psa/docket/document"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/worker"
)

// defaultNamespace is the one that `docket up` and docker-compose.yml register.
const defaultNamespace = "docket"

// session is a connection to the database and to Temporal.
type session struct {
	store    *postgres.Store
	temporal client.Client
	desk     *desk.Desk
	places   places
}

// places says where things are.
type places struct {
	database string
	temporal client.Options // HostPort and Namespace, with whatever else envconfig read
	ui       string
	metrics  string
}

// open connects, once for each command.
func (a *app) open(ctx context.Context) (*session, error) {
	if a.session != nil {
		return a.session, nil
	}
	p, err := a.find()
	if err != nil {
		return nil, err
	}
	a.session, err = a.connect(ctx, p, 4)
	return a.session, err
}

// find reads the environment first, and then what `docket up` left in the data directory.
func (a *app) find() (places, error) {
	p := places{database: a.env("DATABASE_URL")}
	var err error
	if p.temporal, err = a.temporalFromEnv(); err != nil {
		return p, err
	}
	if p.database != "" && p.temporal.HostPort != "" {
		return p, nil
	}
	s, err := readState(a.data)
	if errors.Is(err, errNotRunning) && p.database != "" {
		p.temporal.HostPort = client.DefaultHostPort
		return p, nil
	}
	if err != nil {
		return p, err
	}
	if p.database == "" {
		p.database = s.DatabaseURL
	}
	if p.temporal.HostPort == "" {
		p.temporal.HostPort, p.temporal.Namespace = s.Temporal, s.Namespace
	}
	p.ui, p.metrics = s.UI, s.Metrics
	return p, nil
}

// temporalFromEnv reads TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TLS and the rest, and the SDK's
// configuration file, as every Temporal program does.
func (a *app) temporalFromEnv() (client.Options, error) {
	o, err := envconfig.LoadDefaultClientOptions()
	if err != nil {
		return o, usage(fmt.Errorf("read the settings of Temporal's client: %w", err))
	}
	if o.Namespace == "" {
		o.Namespace = defaultNamespace
	}
	return o, nil
}

// connect reaches the database now and Temporal when it is first needed.
func (a *app) connect(ctx context.Context, p places, conns int32) (*session, error) {
	var tracer pgx.QueryTracer
	if a.tel.Tracers != nil {
		tracer = otelpgx.NewTracer(otelpgx.WithTracerProvider(a.tel.Tracers), otelpgx.WithDisableConnectionDetailsInAttributes())
	}
	store, err := postgres.Open(ctx, p.database, postgres.Options{Now: a.now, MaxConns: conns, Tracer: tracer})
	if err != nil {
		return nil, err
	}
	options := p.temporal
	options.Logger = sdklog.NewStructuredLogger(a.tel.Log)
	if options, err = worker.Instrument(options, a.tel.Tracers, a.tel.Metrics.Meters); err != nil {
		return nil, err
	}
	temporal, err := client.NewLazyClient(options)
	if err != nil {
		return nil, fmt.Errorf("set up Temporal's client: %w", err)
	}
	return &session{
		store: store, temporal: temporal, places: p,
		desk: desk.New(store, temporal, desk.Options{Now: a.now, Log: a.tel.Log}),
	}, nil
}

// workerDeps is what a worker of this process does its deeds with.
func (a *app) workerDeps(s *session) worker.Deps {
	return worker.Deps{
		Desk: s.store, Ledger: s.store, Periods: s.store, Reminders: s.store, Months: s.store,
		Render: func(ctx context.Context, invoice int64) error {
			_, err := document.Keep(ctx, s.store, invoice)
			return err
		},
		RenderNote: func(ctx context.Context, note int64) error {
			_, err := document.KeepNote(ctx, s.store, note)
			return err
		},
		Unscheduled: func(err error) { a.tel.Log.Warn("billing periods and reminders are not scheduled yet", "error", err) },
	}
}

func (s *session) close() {
	s.temporal.Close()
	s.store.Disconnect()
}
