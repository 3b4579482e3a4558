// Package e2e_test proves Docket's promises on its real parts: PostgreSQL, a Temporal server,
// worker processes that are killed, and the desk that people talk to. What is asserted is what
// they see: receipts, lines, the ticket's timeline, and an audit that finds nothing.
package e2e_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"
	sdkworker "go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/docket-psa/docket/desk"
	"github.com/docket-psa/docket/internal/testenv"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/ticket"
	"github.com/docket-psa/docket/workflows"
)

const (
	patience = 90 * time.Second // for what must happen, on a busy machine
	tick     = 50 * time.Millisecond
)

// house is one MSP with everything that runs but workers.
type house struct {
	*postgres.Store
	t        testing.TB
	desk     *desk.Desk
	temporal client.Client
	server   *testenv.TemporalServer
	url      string
	admin    *pgxpool.Pool // a superuser: to look, and to stand in the way
	keys     atomic.Int64
}

// acme pays by the hour, after a minute at most of thinking above 500.00; passwords are covered.
const acme = `
schema: docket.contract/v1
contract: acme-hourly
client: acme
name: Time and materials
effective_from: "2020-01-01"
currency: USD
time_zone: America/New_York
patience: 1m
time: {minimum: 30m, increment: 15m}
rates:
  - {clause: "3.1", work_role: engineer, hourly: "150.00"}
lines:
  - {clause: "2.1", name: Remote support, charge: time, match: {categories: [email, network]}}
  - {clause: "2.2", name: Password resets, charge: covered, match: {categories: [password-reset]}}
approval: {clause: "5.1", amount_over: "500.00", approvers: [ann], expires: 1m}
`

// open gives a house in a namespace and a database of its own on the servers that all tests share.
func open(t testing.TB) *house {
	t.Helper()
	return openOn(t, testenv.Temporal(t, testenv.WithFreshNamespace()))
}

func openOn(t testing.TB, server *testenv.TemporalServer) *house {
	t.Helper()
	return openOver(t, server, testenv.Template(t, "house", func(url string) error {
		_, err := postgres.Migrate(context.Background(), url, "", "")
		return err
	}))
}

// openOver furnishes the migrated database and connects everything to it.
func openOver(t testing.TB, server *testenv.TemporalServer, url string) *house {
	t.Helper()
	ctx := t.Context()
	h := &house{t: t, server: server, url: url}
	var err error
	h.Store, err = postgres.Open(ctx, url, postgres.Options{Now: time.Now, MaxConns: 20})
	require.NoError(t, err)
	t.Cleanup(h.Disconnect)
	h.admin, err = pgxpool.New(ctx, url)
	require.NoError(t, err)
	t.Cleanup(h.admin.Close)
	quiet := slog.New(slog.DiscardHandler)
	h.temporal, err = client.NewLazyClient(client.Options{
		HostPort: server.Address, Namespace: server.Namespace, Logger: log.NewStructuredLogger(quiet),
	})
	require.NoError(t, err)
	t.Cleanup(h.temporal.Close)
	h.desk = desk.New(h.Store, h.temporal, desk.Options{Now: time.Now, Log: quiet})

	require.NoError(t, h.PutClient(ctx, ticket.Client{ID: "acme", Name: "Acme", TimeZone: "America/New_York", Currency: "USD"}))
	for _, p := range []ticket.Person{
		{ID: "tom", Name: "Tom", Kind: ticket.Human, Roles: []string{"technician"}, WorkRole: "engineer"},
		{ID: "dora", Name: "Dora", Kind: ticket.Human, Roles: []string{"dispatcher"}, WorkRole: "engineer"},
		{ID: "bot", Name: "Scripted agent", Kind: ticket.AI, Roles: []string{"agent"}, WorkRole: "agent"},
		{ID: "ann", Name: "Ann", Kind: ticket.Human, Client: "acme", Roles: []string{"approver", "contact"}},
		{ID: "carl", Name: "Carl", Kind: ticket.Human, Client: "acme", Roles: []string{"contact"}},
	} {
		require.NoError(t, h.PutPerson(ctx, postgres.Staffing{Person: p, HourlyCost: decimal.NewFromInt(60)}))
	}
	_, err = h.ApplyContract(ctx, []byte(acme), "dora", true)
	require.NoError(t, err)
	return h
}

// relay starts what did not start, until the test's end.
func (h *house) relay() {
	ctx, stop := context.WithCancel(context.WithoutCancel(h.t.Context()))
	ended := make(chan struct{})
	go func() { defer close(ended); h.desk.Relay(ctx) }()
	h.t.Cleanup(func() { stop(); <-ended })
}

// key gives a new operation key.
func (h *house) key() string { return fmt.Sprintf("key-%d", h.keys.Add(1)) }

func (h *house) by(who string) ticket.Header {
	return ticket.Header{OperationKey: h.key(), Who: who, Via: ticket.ViaCLI, At: time.Now().UTC()}
}

// opening is a new ticket of acme.
func (h *house) opening(category string) ticket.Opening {
	key := h.key()
	return ticket.Opening{
		Client: "acme", Subject: "Something with " + category, Source: "test", ExternalID: key, EventID: key, Category: category,
		OpenedAt: time.Now().Add(-8 * time.Hour).UTC(),
	}
}

// ticket opens a ticket, as a face of the desk does.
func (h *house) ticket(category string) ticket.ID {
	h.t.Helper()
	opened, err := h.desk.Open(h.t.Context(), h.opening(category))
	require.NoError(h.t, err)
	return opened.Ticket
}

// inResolution opens a ticket and waits until it can be worked on.
func (h *house) inResolution(category string) ticket.ID {
	h.t.Helper()
	id := h.ticket(category)
	h.reaches(id, ticket.Resolution)
	return id
}

// minutes is work that ended an hour ago.
func (h *house) minutes(n int) ticket.WorkEntry {
	d := time.Duration(n) * time.Minute
	return ticket.WorkEntry{OperationKey: h.key(), WorkType: "remote", StartedAt: time.Now().Add(-time.Hour - d).UTC(), MS: d.Milliseconds()}
}

func (h *house) resolve(who string, work ...ticket.WorkEntry) ticket.Resolve {
	return ticket.Resolve{Header: h.by(who), Resolution: "Solved it.", Work: work}
}

// until waits for a condition.
func (h *house) until(what string, is func(context.Context) bool) {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), patience)
	defer cancel()
	poll := time.NewTicker(tick)
	defer poll.Stop()
	for !is(ctx) {
		select {
		case <-ctx.Done():
			require.FailNow(h.t, "it did not come about: "+what)
		case <-poll.C:
		}
	}
}

// reaches waits until the ticket stands in the stage.
func (h *house) reaches(id ticket.ID, stage ticket.Stage) {
	h.t.Helper()
	h.until(string(id)+" in "+string(stage), func(ctx context.Context) bool {
		at, err := h.Ticket(ctx, id)
		return err == nil && at.Stage == stage
	})
}

// ends waits until no run carries the ticket any more, and gives what the last one said.
func (h *house) ends(id ticket.ID) ticket.Answer {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), patience)
	defer cancel()
	var a ticket.Answer
	require.NoError(h.t, h.temporal.GetWorkflow(ctx, id.WorkflowID(), "").Get(ctx, &a))
	h.replays(id)
	return a
}

// history is of the ticket's latest run.
func (h *house) history(id ticket.ID) *historypb.History {
	h.t.Helper()
	all := &historypb.History{}
	events := h.temporal.GetWorkflowHistory(h.t.Context(), id.WorkflowID(), "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		e, err := events.Next()
		require.NoError(h.t, err)
		all.Events = append(all.Events, e)
	}
	return all
}

// happened counts the events of a type in the ticket's latest run.
func (h *house) happened(id ticket.ID, kind enumspb.EventType) (n int) {
	h.t.Helper()
	for _, e := range h.history(id).Events {
		if e.EventType == kind {
			n++
		}
	}
	return n
}

// replays proves that the code does again what the latest run did.
func (h *house) replays(id ticket.ID) {
	h.t.Helper()
	replayer, err := sdkworker.NewWorkflowReplayerWithOptions(sdkworker.WorkflowReplayerOptions{})
	require.NoError(h.t, err)
	replayer.RegisterWorkflowWithOptions(workflows.Ticket, workflow.RegisterOptions{Name: ticket.WorkflowType})
	require.NoError(h.t, replayer.ReplayWorkflowHistory(nil, h.history(id)))
}

// runs counts the runs that carry or carried any ticket.
func (h *house) runs(ctx context.Context) int64 {
	n, err := h.temporal.CountWorkflow(ctx, &workflowservice.CountWorkflowExecutionsRequest{Query: "WorkflowType = '" + ticket.WorkflowType + "'"})
	if err != nil {
		return -1
	}
	return n.GetCount()
}

// told gives the ticket's moments of a kind.
func (h *house) told(id ticket.ID, kind string) []ticket.Moment {
	h.t.Helper()
	shown, err := h.Timeline(h.t.Context(), id)
	require.NoError(h.t, err)
	var moments []ticket.Moment
	for _, m := range shown {
		if m.Kind == kind {
			moments = append(moments, m)
		}
	}
	return moments
}

// billed are the amounts of the ticket's lines.
func (h *house) billed(id ticket.ID) []string {
	h.t.Helper()
	amounts := []string{}
	for _, line := range h.told(id, "line") {
		amount, err := decimal.NewFromString(line.Amount)
		require.NoError(h.t, err)
		amounts = append(amounts, amount.StringFixed(2))
	}
	return amounts
}

// proved runs the audit over everything, which finds the closures and nothing wrong.
func (h *house) proved(closures int) {
	h.t.Helper()
	audit, err := h.Audit(h.t.Context(), nil)
	require.NoError(h.t, err)
	require.Truef(h.t, audit.Clean(), "%+v", audit)
	require.Equal(h.t, closures, audit.Closures)
	standing, err := h.Standing(h.t.Context())
	require.NoError(h.t, err)
	require.Zero(h.t, standing.Leaked)
}
