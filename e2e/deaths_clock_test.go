package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	sdkworker "go.temporal.io/sdk/worker"

	"github.com/docket-psa/docket/ticket"
)

// waiting is a ticket's way on which time does most: what rings is warned of, missed, reminded of, asked again.
type waiting struct {
	name   string
	opened string
	turns  []turn
	passes []string // activities that are on the way
}

// turn is what somebody says at an instant.
type turn struct {
	at   string
	name ticket.Name
	say  func(d *timeless, id ticket.ID) ticket.Message
}

// A new way is one more row. The instants are those of TestMonthsOfWaitingAcrossClockChanges.
var waits = []waiting{
	{
		name: "targets", opened: "Fri 2026-03-06 15:00 EST = 2026-03-06T20:00Z", passes: []string{"Begin", "Triage", "Route", "Warn", "Breach", "StepUp", "Claim", "Close"},
		turns: []turn{
			{"Mon 2026-03-09 15:00 EDT = 2026-03-09T19:00Z", ticket.MsgClaim, func(d *timeless, _ ticket.ID) ticket.Message {
				return ticket.Claim{Header: d.by("tom")}
			}},
			{"Wed 2026-03-11 10:30 EDT = 2026-03-11T14:30Z", ticket.MsgResolve, func(d *timeless, _ ticket.ID) ticket.Message {
				return ticket.Resolve{Header: d.by("tom"), Resolution: "Rollers cleaned", Work: []ticket.WorkEntry{d.worked(15)}}
			}},
		},
	},
	{
		name: "approval", opened: "Fri 2026-10-30 16:00 EDT = 2026-10-30T20:00Z", passes: []string{"Close", "Remind", "Overdue", "SignOff"},
		turns: []turn{
			{"Fri 2026-10-30 16:00 EDT = 2026-10-30T20:00Z", ticket.MsgResolve, func(d *timeless, _ ticket.ID) ticket.Message {
				return ticket.Resolve{Header: d.by("tom"), Resolution: "Rollers replaced", Work: []ticket.WorkEntry{d.worked(120)}}
			}},
			{"Mon 2026-11-02 20:00 EST = 2026-11-03T01:00Z", ticket.MsgSignOff, func(d *timeless, id ticket.ID) ticket.Message {
				hold, digest := d.waits(id)
				return ticket.SignOff{Header: d.by("ann"), Hold: hold, Digest: digest, Approved: true}
			}},
		},
	},
	{
		name: "ruling by two", opened: "Fri 2026-10-30 16:00 EDT = 2026-10-30T20:00Z", passes: []string{"Close", "SignOff", "Remind", "Overdue", "Rule", "Confirm"},
		turns: []turn{
			{"Fri 2026-10-30 16:00 EDT = 2026-10-30T20:00Z", ticket.MsgResolve, func(d *timeless, _ ticket.ID) ticket.Message {
				return ticket.Resolve{Header: d.by("tom"), Resolution: "Rollers replaced", Work: []ticket.WorkEntry{d.worked(600)}}
			}},
			{"Fri 2026-10-30 17:00 EDT = 2026-10-30T21:00Z", ticket.MsgSignOff, func(d *timeless, id ticket.ID) ticket.Message {
				hold, digest := d.waits(id)
				return ticket.SignOff{Header: d.by("ann"), Hold: hold, Digest: digest, Reason: "too much"}
			}},
			{"Fri 2026-10-30 22:00 EDT = 2026-10-31T02:00Z", ticket.MsgRule, func(d *timeless, id ticket.ID) ticket.Message {
				hold, _ := d.waits(id)
				return ticket.Rule{Header: d.by("dora"), Hold: hold, Action: ticket.WriteOff, Reason: "agreed by phone"}
			}},
			{"Fri 2026-10-30 22:30 EDT = 2026-10-31T02:30Z", ticket.MsgConfirm, func(d *timeless, id ticket.ID) ticket.Message {
				hold, _ := d.waits(id)
				return ticket.Confirm{Header: d.by("olga"), Hold: hold, Proposal: d.proposal(hold), Agreed: true}
			}},
		},
	},
}

// The worker dies before and after each activity of what time does to a ticket: either Temporal has the activity done
// again, of which it has heard nothing; or it has lost the whole run, and another goes on from what PostgreSQL holds.
// Each comes to what the undisturbed ticket came to, at the same instants. The points are counted on that one.
func TestWorkerDiesAtEachStepThatTimeTakes(t *testing.T) {
	t.Parallel()
	for _, w := range waits {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			alone := &mortal{}
			want := w.live(t, alone)
			for _, name := range w.passes {
				require.Contains(t, alone.done, name, "on the way")
			}
			for die := 1; die <= len(alone.done); die++ {
				for _, how := range manners {
					t.Run(fmt.Sprintf("%d %s, %s", die, alone.done[die-1], how), func(t *testing.T) {
						t.Parallel()
						require.Equal(t, want, w.live(t, &mortal{die: die, manner: how}))
					})
				}
			}
		})
	}
}

// live takes a ticket the whole way, and gives its tale.
func (w waiting) live(t *testing.T, m *mortal) string {
	t.Helper()
	d := places[0].desk(t, w.opened)
	id := d.open("Printer jams")
	said := make([]ticket.Message, len(w.turns))
	m.attend(d.env)
	plan := func() {
		for i, turn := range w.turns {
			due := d.instant(turn.at)
			if said[i] != nil { // his message came, and the run that had it may have died of it: he repeats it
				if i+1 == len(w.turns) || said[i+1] == nil {
					d.env.RegisterDelayedCallback(func() { d.env.SignalWorkflow(string(turn.name), said[i]) }, 0)
				}
				continue
			}
			d.env.RegisterDelayedCallback(func() {
				said[i] = d.proven(turn.name, turn.say(d, id))
				d.env.SignalWorkflow(string(turn.name), said[i])
			}, max(0, due.Sub(d.env.Now())))
		}
	}
	plan()
	d.env.ExecuteWorkflow(ticket.WorkflowType, ticket.Input{Ticket: id, Round: 1})
	require.True(t, d.env.IsWorkflowCompleted())
	if m.dead {
		require.Error(t, d.env.GetWorkflowError())
		d.env = skipping(d.env.Now())
		d.employ()
		plan()
		d.env.ExecuteWorkflow(ticket.WorkflowType, ticket.Input{Ticket: id, Round: 1})
		require.True(t, d.env.IsWorkflowCompleted())
	}
	require.NoError(t, d.env.GetWorkflowError())
	found, err := d.store.Audit(t.Context(), nil)
	require.NoError(t, err)
	require.True(t, found.Clean(), "%+v", found)
	tale := slices.DeleteFunc(strings.Split(taleOf(t, d.pool, id), "\n"), func(line string) bool {
		return strings.HasSuffix(line, "(no effect)") // a message that came again is on record, and no more
	})
	return strings.Join(tale, "\n") + "\n" + strings.Join(d.happened(id, "warning", "breach", "escalated", "reminder", "overdue"), "\n") + "\n" + heard(t, d.pool)
}

// heard is who hears of what.
func heard(t *testing.T, look *pgxpool.Pool) string {
	t.Helper()
	rows, err := look.Query(t.Context(), "select tells || ' ' || channel || ' ' || recipient || ' ' || state || ' ' || says from notices order by id")
	require.NoError(t, err)
	all, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	return strings.Join(all, "\n")
}

// worked is remote work of some minutes that ends now.
func (d *timeless) worked(minutes int) ticket.WorkEntry {
	length := time.Duration(minutes) * time.Minute
	return ticket.WorkEntry{OperationKey: fmt.Sprintf("work-%d", minutes), Actor: "tom", WorkType: "remote", StartedAt: d.env.Now().Add(-length), MS: length.Milliseconds()}
}

// waits is what waits on the ticket.
func (d *timeless) waits(id ticket.ID) (hold int64, digest string) {
	held, err := d.store.Held(d.t.Context(), id)
	require.NoError(d.t, err)
	require.Len(d.t, held, 1)
	return held[0].Hold, held[0].Digest
}

// proposal is the digest of what was proposed about a hold.
func (d *timeless) proposal(hold int64) (digest string) {
	require.NoError(d.t, d.pool.QueryRow(d.t.Context(), "select digest from proposals where hold_id = $1", hold).Scan(&digest))
	return digest
}

// proven has the desk vouch for who sends the message, now.
func (d *timeless) proven(name ticket.Name, m ticket.Message) ticket.Message {
	prove := func(h *ticket.Header) *ticket.Header { h.At = d.env.Now().UTC(); return h }
	proof := func(m ticket.Message) string {
		p, err := d.store.Prove(d.t.Context(), name, m)
		require.NoError(d.t, err)
		return p
	}
	switch m := m.(type) {
	case ticket.Resolve:
		prove(&m.Header).Proof = proof(m)
		return m
	case ticket.SignOff:
		prove(&m.Header).Proof = proof(m)
		return m
	case ticket.Rule:
		prove(&m.Header).Proof = proof(m)
		return m
	case ticket.Confirm:
		prove(&m.Header).Proof = proof(m)
		return m
	}
	return m
}

// manner is how a worker dies of an activity, and what is left of it.
type manner string

const (
	beforeIt  manner = "before it"             // Temporal has another worker do it
	afterIt   manner = "after it"              // likewise: it is done again
	lostAfter manner = "after it, run and all" // Temporal has lost the run; another one begins
)

var manners = []manner{beforeIt, afterIt, lostAfter}

// mortal is a worker that dies of one of the activities that it does, and otherwise notes their names.
type mortal struct {
	interceptor.WorkerInterceptorBase
	die    int // of which activity, from 1; 0: of none
	manner manner
	mu     sync.Mutex
	done   []string
	dead   bool
}

// attend makes it the environment's worker.
func (m *mortal) attend(env *testsuite.TestWorkflowEnvironment) {
	env.SetWorkerOptions(sdkworker.Options{Interceptors: []interceptor.WorkerInterceptor{m}, DeadlockDetectionTimeout: time.Minute})
}

func (m *mortal) InterceptActivity(_ context.Context, next interceptor.ActivityInboundInterceptor) interceptor.ActivityInboundInterceptor {
	return &mortalActivity{ActivityInboundInterceptorBase: interceptor.ActivityInboundInterceptorBase{Next: next}, mortal: m}
}

type mortalActivity struct {
	interceptor.ActivityInboundInterceptorBase
	mortal *mortal
}

var (
	errDied = errors.New("the worker died")
	errLost = temporal.NewNonRetryableApplicationError("the run is lost", "Lost", nil)
)

func (a *mortalActivity) ExecuteActivity(ctx context.Context, in *interceptor.ExecuteActivityInput) (any, error) {
	m := a.mortal
	m.mu.Lock()
	m.done = append(m.done, activity.GetInfo(ctx).ActivityType.Name)
	dies, gone := len(m.done) == m.die, m.dead
	m.dead = m.dead || dies && m.manner == lostAfter
	m.mu.Unlock()
	if gone {
		return nil, errLost
	}
	if dies && m.manner == beforeIt {
		return nil, errDied
	}
	result, err := a.Next.ExecuteActivity(ctx, in)
	switch {
	case dies && m.manner == lostAfter:
		return nil, errLost
	case dies:
		return nil, errDied
	}
	return result, err
}
