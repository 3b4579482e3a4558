package desk_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"

	"github.com/docket-psa/docket/desk"
	"github.com/docket-psa/docket/internal/testenv"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/seed"
	"github.com/docket-psa/docket/ticket"
	"github.com/docket-psa/docket/worker"
)

// office is a desk over the demo's company, a database of its own and a real Temporal server.
type office struct {
	*desk.Desk
	t        *testing.T
	store    *postgres.Store
	temporal client.Client
	deps     worker.Deps
}

var quiet = slog.New(slog.DiscardHandler)

func openOffice(t *testing.T) *office {
	t.Helper()
	server := testenv.Temporal(t, testenv.WithFreshNamespace())
	c, err := client.Dial(client.Options{HostPort: server.Address, Namespace: server.Namespace, Logger: sdklog.NewStructuredLogger(quiet)})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	store := openStore(t)
	return &office{
		Desk: desk.New(store, c, desk.Options{Now: time.Now, Log: quiet}), t: t, store: store, temporal: c,
		deps: worker.Deps{Desk: store, Ledger: store},
	}
}

// openStore gives the store of a database that holds the demo's company.
func openStore(t *testing.T) *postgres.Store {
	t.Helper()
	url := testenv.Template(t, "company", func(url string) error {
		ctx := context.Background()
		if _, err := postgres.Migrate(ctx, url, "", ""); err != nil {
			return err
		}
		store, err := postgres.Open(ctx, url, postgres.Options{Now: time.Now})
		if err != nil {
			return err
		}
		defer store.Disconnect()
		_, err = seed.Apply(ctx, store)
		return err
	})
	store, err := postgres.Open(t.Context(), url, postgres.Options{Now: time.Now})
	require.NoError(t, err)
	t.Cleanup(store.Disconnect)
	return store
}

// unreachable is a desk whose Temporal does not answer.
func unreachable(t *testing.T, store *postgres.Store) *desk.Desk {
	t.Helper()
	c, err := client.NewLazyClient(client.Options{HostPort: "127.0.0.1:1", Logger: sdklog.NewStructuredLogger(quiet)})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return desk.New(store, c, desk.Options{Now: time.Now, Log: quiet})
}

// work lets a worker run until the test ends.
func (o *office) work() {
	o.t.Helper()
	ctx, stop := context.WithCancel(o.t.Context())
	done := make(chan error, 1)
	go func() { done <- worker.Run(ctx, o.temporal, o.deps) }()
	o.t.Cleanup(func() {
		stop()
		require.NoError(o.t, <-done)
	})
}

// relay lets the relay run until the test ends.
func (o *office) relay() {
	ctx, stop := context.WithCancel(o.t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		o.Relay(ctx)
	}()
	o.t.Cleanup(func() {
		stop()
		<-done
	})
}

func (o *office) opened(subject string) ticket.ID {
	o.t.Helper()
	opened, err := o.Open(o.t.Context(), opening(subject))
	require.NoError(o.t, err)
	return opened.Ticket
}

func (o *office) eventually(id ticket.ID, stage ticket.Stage) ticket.Summary {
	o.t.Helper()
	var at ticket.Summary
	require.Eventually(o.t, func() bool {
		var err error
		at, err = o.Ticket(o.t.Context(), id)
		return err == nil && at.Stage == stage
	}, 30*time.Second, 20*time.Millisecond, "%s does not reach %s, it stands at %s", id, stage, at.Stage)
	return at
}

func opening(subject string) ticket.Opening {
	return ticket.Opening{Client: "northwind", Subject: subject, Source: "test", ExternalID: subject}
}

func by(person string) ticket.Header { return ticket.Header{Who: person, Via: ticket.ViaCLI} }

// fields names what the problems are about.
func fieldsOf(err error) string {
	var fields []string
	for _, p := range ticket.Problems(err) {
		fields = append(fields, p.Field)
	}
	return strings.Join(fields, ",")
}
