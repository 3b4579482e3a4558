package workflows_test

import (
	"log/slog"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	sdkworker "go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/docket-psa/docket/activities"
	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
	"github.com/docket-psa/docket/workflows"
)

const id ticket.ID = "T-1042"

var monday = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// desk is one ticket's run in an environment whose clock jumps from timer to timer.
type desk struct {
	*testsuite.TestWorkflowEnvironment
	t      *testing.T
	store  *memory
	timers []time.Duration

	upserts []func(temporal.SearchAttributes) // who is told of them
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	return deskOver(t, newMemory(), monday)
}

// again gives a later run of the same ticket, over the same store.
func (d *desk) again() *desk {
	d.t.Helper()
	return deskOver(d.t, d.store, d.Now())
}

func deskOver(t *testing.T, store *memory, start time.Time) *desk {
	t.Helper()
	var s testsuite.WorkflowTestSuite
	s.SetLogger(log.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	d := &desk{TestWorkflowEnvironment: s.NewTestWorkflowEnvironment(), t: t, store: store}
	d.SetStartTime(start)
	d.SetTestTimeout(20 * time.Second)
	store.now = d.Now
	d.RegisterWorkflowWithOptions(workflows.Ticket, workflow.RegisterOptions{Name: ticket.WorkflowType})
	d.RegisterActivity(activities.New(store, store))
	// A machine that is busy with other tests may not turn to a workflow for seconds: no deadlock.
	d.SetWorkerOptions(sdkworker.Options{DeadlockDetectionTimeout: time.Minute})
	d.SetOnTimerScheduledListener(func(_ string, after time.Duration) { d.timers = append(d.timers, after) })
	return d
}

// after sends a message once the clock has moved on by that much.
func (d *desk) after(wait time.Duration, name ticket.Name, m any) {
	d.RegisterDelayedCallback(func() { d.SignalWorkflow(string(name), m) }, wait)
}

// together sends several messages in one batch, as a worker finds them that was away.
func (d *desk) together(wait time.Duration, batch ...sent) {
	d.RegisterDelayedCallback(func() {
		for _, m := range batch[:len(batch)-1] {
			d.SignalWorkflowSkippingWorkflowTask(string(m.name), m.message)
		}
		last := batch[len(batch)-1]
		d.SignalWorkflow(string(last.name), last.message)
	}, wait)
}

type sent struct {
	name    ticket.Name
	message any
}

// ask sends an update once the clock has moved on by that much and keeps what comes back.
func (d *desk) ask(wait time.Duration, name ticket.Name, key string, m any) *reply {
	r := &reply{t: d.t}
	d.RegisterDelayedCallback(func() { d.UpdateWorkflow(string(name), key, r, m) }, wait)
	return r
}

// reply keeps an update's answer.
type reply struct {
	t        *testing.T
	rejected error
	accepted bool
	done     bool
	value    any
	err      error
}

func (r *reply) Reject(err error) { r.rejected = err }
func (r *reply) Accept()          { r.accepted = true }
func (r *reply) Complete(v any, err error) {
	r.done, r.value, r.err = true, v, err
}

func answerOf[A any](r *reply) A {
	r.t.Helper()
	require.NoError(r.t, r.rejected)
	require.True(r.t, r.done, "the update was not answered")
	require.NoError(r.t, r.err)
	a, ok := r.value.(A)
	require.Truef(r.t, ok, "answered with a %T", r.value)
	return a
}

// run carries the ticket to its end.
func (d *desk) run() ticket.Answer {
	d.t.Helper()
	d.ExecuteWorkflow(ticket.WorkflowType, ticket.Input{Ticket: id, Round: d.store.round})
	require.True(d.t, d.IsWorkflowCompleted())
	require.NoError(d.t, d.GetWorkflowError())
	var a ticket.Answer
	require.NoError(d.t, d.GetWorkflowResult(&a))
	return a
}

func (d *desk) status() ticket.Status {
	d.t.Helper()
	v, err := d.QueryWorkflow(ticket.QueryStatus)
	require.NoError(d.t, err)
	var s ticket.Status
	require.NoError(d.t, v.Get(&s))
	return s
}

// at looks at the run once the clock has moved on by that much.
func (d *desk) at(wait time.Duration, look func()) { d.RegisterDelayedCallback(look, wait) }

func head(key string) ticket.Header {
	return ticket.Header{OperationKey: key, Who: "alice", Via: ticket.ViaCLI}
}

func resolve(key string) ticket.Resolve {
	return ticket.Resolve{Header: head(key), Resolution: "Rollers cleaned."}
}

func work(key string) ticket.Work {
	return ticket.Work{Header: head(key), Entry: ticket.WorkEntry{
		OperationKey: key, WorkType: "remote", StartedAt: monday, MS: 90_000,
	}}
}

func quote(hold int64, digest string) billing.HeldQuote {
	return billing.HeldQuote{
		Hold: hold, Kind: billing.SignOff, Reason: billing.OverThreshold, Says: "above 300.00 USD",
		Amount: decimal.NewFromInt(500), Currency: "USD", Digest: digest, Approvers: []string{"nora"},
	}
}

func approve(key string, hold int64, digest string) ticket.SignOff {
	h := head(key)
	h.Who = "nora"
	return ticket.SignOff{Header: h, Hold: hold, Digest: digest, Approved: true}
}
