package worker_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"

	"github.com/docket-psa/docket/activities"
	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/internal/testenv"
	"github.com/docket-psa/docket/ticket"
	"github.com/docket-psa/docket/worker"
)

const id ticket.ID = "T-5"

// desk knows one triaged ticket, closes it when told, and counts.
type desk struct {
	activities.Desk
	activities.Ledger

	closing chan struct{} // a closing has begun
	finish  chan struct{} // and may end
	mu      sync.Mutex
	begun   int
}

func (d *desk) Begin(context.Context, ticket.ID, int) (ticket.Brief, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.begun++; d.begun == 1 {
		return ticket.Brief{}, errors.New("connection refused") // once: it heals
	}
	return ticket.Brief{
		Ticket: id, Round: 1, Stage: ticket.Resolution, Client: "northwind",
		Triaged: &ticket.Triaged{Priority: 3}, Assigned: &ticket.Assignment{Board: "service-desk"},
	}, nil
}

func (d *desk) Held(context.Context, ticket.ID) ([]billing.HeldQuote, error) { return nil, nil }

func (d *desk) Claim(context.Context, ticket.ID, ticket.Claim) (ticket.Answer, error) {
	return ticket.Answer{}, ticket.Invalid("who", "mallory", "is not known", "give the id of a person the desk knows")
}

func (d *desk) Late(context.Context, ticket.ID, ticket.Name, ticket.Header, string) (ticket.Answer, error) {
	return ticket.Answer{}, nil
}

func (d *desk) Close(context.Context, ticket.ID, int, ticket.Resolve) (billing.Receipt, error) {
	close(d.closing)
	<-d.finish
	return billing.Receipt{Ticket: string(id), Round: 1, Says: "covered"}, nil
}

func TestWorkerFinishesItsClosingWhenToldToStop(t *testing.T) {
	server := testenv.Temporal(t)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var lines buffer
	reader := metric.NewManualReader()
	options, err := worker.Instrument(client.Options{
		HostPort: server.Address, Namespace: server.Namespace,
		Logger: log.NewStructuredLogger(slog.New(slog.NewJSONHandler(&lines, nil))),
	}, nil, metric.NewMeterProvider(metric.WithReader(reader)))
	require.NoError(t, err)
	c, err := client.DialContext(ctx, options)
	require.NoError(t, err)
	defer c.Close()

	d := &desk{closing: make(chan struct{}), finish: make(chan struct{})}
	deps := worker.Deps{Desk: d, Ledger: d, TaskQueue: t.Name()}
	stop, stopped := work(ctx, c, deps)

	head := ticket.Header{OperationKey: "c1", Who: "mallory"}
	start := client.StartWorkflowOptions{ID: id.WorkflowID(), TaskQueue: t.Name()}
	run, err := c.SignalWithStartWorkflow(ctx, start.ID, string(ticket.MsgClaim), ticket.Claim{Header: head}, start,
		ticket.WorkflowType, ticket.Input{Ticket: id, Round: 1})
	require.NoError(t, err)
	require.NoError(t, c.SignalWorkflow(ctx, start.ID, "", string(ticket.MsgResolve),
		ticket.Resolve{Header: ticket.Header{OperationKey: "r1", Who: "tess"}, Resolution: "Done."}))

	<-d.closing
	stop()
	close(d.finish)
	require.NoError(t, <-stopped)

	// Another worker takes it from there.
	stop, stopped = work(ctx, c, deps)
	var end ticket.Answer
	require.NoError(t, run.Get(ctx, &end))
	require.Equal(t, ticket.Posted, end.Stage)
	require.Equal(t, "covered", end.Says)
	stop()
	require.NoError(t, <-stopped)

	require.Contains(t, lines.String(), `"msg":"message refused"`)
	require.Contains(t, lines.String(), `"ticket":"T-5"`)
	var measured metricdata.ResourceMetrics
	require.NoError(t, reader.Collect(ctx, &measured))
	var names []string
	for _, scope := range measured.ScopeMetrics {
		for _, m := range scope.Metrics {
			names = append(names, m.Name)
		}
	}
	require.Contains(t, names, "temporal_workflow_completed")
	require.Contains(t, names, "temporal_local_activity_total")
}

func TestWorkerSaysWhyItCannotStart(t *testing.T) {
	server := testenv.Temporal(t)
	c, err := client.NewLazyClient(client.Options{
		HostPort: server.Address, Namespace: "nowhere", Logger: log.NewStructuredLogger(slog.New(slog.DiscardHandler)),
	})
	require.NoError(t, err)
	defer c.Close()
	d := &desk{}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	require.ErrorContains(t, worker.Run(ctx, c, worker.Deps{Desk: d, Ledger: d}), `task queue "tickets"`)
}

func work(ctx context.Context, c client.Client, deps worker.Deps) (stop context.CancelFunc, stopped <-chan error) {
	ctx, stop = context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- worker.Run(ctx, c, deps) }()
	return stop, done
}

// buffer is a log that two goroutines may write.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
