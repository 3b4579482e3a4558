package workflows_test

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/temporalproto"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/internal/testenv"
	"github.com/docket-psa/docket/ticket"
	"github.com/docket-psa/docket/worker"
	"github.com/docket-psa/docket/workflows"
)

// stories are the lives whose histories are kept. Each goes on until the ticket is at its end.
var stories = map[string]func(*teller){
	"covered": func(s *teller) {
		s.store.targets = ticket.Deadlines{Response: time.Now().Add(time.Hour), Resolution: time.Now().Add(8 * time.Hour)}
		s.ask(ticket.MsgClaim, ticket.Claim{Header: head("c1")})
		s.send(ticket.MsgWork, work("w1"))
		s.ask(ticket.MsgResolve, resolve("r1"))
	},
	"held": func(s *teller) {
		s.store.patience = time.Second
		ruling := quote(8, "d8")
		ruling.Kind, ruling.Reason = billing.Exception, billing.OutOfScope
		s.store.holds = []billing.HeldQuote{quote(7, "d7"), ruling}
		s.ask(ticket.MsgResolve, resolve("r1"))
		s.until("overdue H-7 step 0")
		s.ask(ticket.MsgSignOff, approve("s1", 7, "stale"))
		s.ask(ticket.MsgRule, ticket.Rule{Header: head("u1"), Hold: 8, Action: ticket.Cover, Reason: "in the plan after all"})
		s.store.mu.Lock()
		digest := s.store.held[0].Digest
		s.store.mu.Unlock()
		s.ask(ticket.MsgSignOff, approve("s2", 7, digest))
	},
	"proposed": func(s *teller) {
		ruling := quote(8, "d8")
		ruling.Kind, ruling.Reason = billing.Exception, billing.OutOfScope
		s.store.holds = []billing.HeldQuote{ruling}
		s.ask(ticket.MsgResolve, resolve("r1"))
		s.ask(ticket.MsgRule, ticket.Rule{Header: head("u1"), Hold: 8, Action: ticket.WriteOff, Reason: "we were late"})
		s.ask(ticket.MsgConfirm, ticket.Confirm{Header: head("v1"), Hold: 8, Proposal: "p8", Reason: "too much"})
		s.ask(ticket.MsgRule, ticket.Rule{
			Header: head("u2"), Hold: 8, Action: ticket.WriteOff, Reason: "once more",
		})
		s.ask(ticket.MsgConfirm, ticket.Confirm{Header: head("v2"), Hold: 8, Proposal: "p9", Agreed: true})
	},
	"reopened": func(s *teller) {
		s.store.holds = []billing.HeldQuote{quote(7, "d7")}
		s.ask(ticket.MsgResolve, resolve("r1"))
		s.ask(ticket.MsgReopen, ticket.Reopen{Header: head("o1"), Reason: "still jams"})
		s.store.holds = []billing.HeldQuote{quote(9, "d9")}
		s.ask(ticket.MsgResolve, resolve("r2"))
		s.ask(ticket.MsgRule, ticket.Rule{Header: head("u1"), Hold: 9, Action: ticket.Rework, Reason: "wrong contract"})
		s.ask(ticket.MsgResolve, resolve("r3"))
	},
	"waiting": func(s *teller) {
		s.store.routes = []string{"scripted-ai", "tess"}
		s.store.targets = ticket.Deadlines{Response: time.Now().Add(time.Second), Resolution: time.Now().Add(time.Hour)}
		s.start()
		s.until("breach response")
		s.send(ticket.MsgRequestApproval, ticket.RequestApproval{Header: head("q1"), Action: "Replace the fuser", Amount: "240.00", Currency: "USD"})
		s.until("request-approval q1")
		s.ask(ticket.MsgSignOff, approve("s1", 50, "ask-1"))
		s.send(ticket.MsgWait, ticket.Wait{Header: head("p1"), Reason: "customer"})
		s.until("wait p1")
		s.send(ticket.MsgReply, ticket.Reply{Header: head("y1"), Comment: 1})
		s.send(ticket.MsgResume, ticket.Resume{Header: head("v1")})
		s.until("resume v1")
		s.send(ticket.MsgEscalate, ticket.Escalate{Header: head("e1"), Reason: "needs hands"})
		s.until("route without [scripted-ai]")
		s.ask(ticket.MsgResolve, resolve("r1"))
	},
	"targets": func(s *teller) {
		s.store.routes = []string{"scripted-ai", "tess"}
		now := time.Now()
		s.store.targets = ticket.Deadlines{
			WarnResponse: now.Add(time.Second), Response: now.Add(2 * time.Second), Resolution: now.Add(time.Hour), OnAsk: true,
			Owed: ticket.Owed{Response: now.Add(2 * time.Second), Resolution: now.Add(time.Hour)},
		}
		s.store.after, s.store.reroute = time.Second, true
		s.start()
		s.until("step 1 up")
		s.until("route without [scripted-ai]")
		s.ask(ticket.MsgClaim, ticket.Claim{Header: head("c1")})
		due := now.Add(30 * time.Minute)
		s.store.retargets = ticket.Deadlines{Resolution: due, WarnResolution: now.Add(20 * time.Minute), OnAsk: true, Owed: ticket.Owed{Resolution: due}}
		s.ask(ticket.MsgPrioritise, ticket.Prioritise{Header: head("p1"), Priority: 1, Reason: "the whole floor is down"})
		s.send(ticket.MsgWait, ticket.Wait{Header: head("w1"), Reason: "customer"})
		s.until("wait w1")
		s.store.targets = s.store.retargets
		s.send(ticket.MsgResume, ticket.Resume{Header: head("v1")})
		s.until("resume v1")
		s.send(ticket.MsgRequestApproval, ticket.RequestApproval{Header: head("q1"), Action: "Replace the fuser", Amount: "240.00", Currency: "USD"})
		s.until("request-approval q1")
		s.ask(ticket.MsgSignOff, approve("s1", 50, "ask-1"))
		s.ask(ticket.MsgResolve, resolve("r1"))
	},
	"malformed": func(s *teller) {
		s.start()
		s.send(ticket.MsgClaim, "not an object")
		s.send(ticket.MsgWork, ticket.Work{Header: head("w0"), Entry: ticket.WorkEntry{MS: -1}})
		s.until("late work w0")
		s.ask(ticket.MsgResolve, resolve("r1"))
	},
	"cancelled": func(s *teller) {
		s.start()
		s.send(ticket.MsgCancel, ticket.Cancel{Header: head("x1"), Reason: "opened by mistake"})
	},
	"canceled-by-operator": func(s *teller) {
		s.start()
		require.NoError(s.t, s.c.CancelWorkflow(s.ctx, s.workflowID, ""))
	},
	"moved": func(s *teller) {
		s.start()
		s.store.mu.Lock()
		s.store.client = "contoso"
		s.store.mu.Unlock()
		s.send(ticket.MsgMoved, ticket.Moved{Header: head("n1")})
		s.ask(ticket.MsgClaim, ticket.Claim{Header: head("c1")})
		s.ask(ticket.MsgResolve, resolve("r1"))
	},
	"merged": func(s *teller) {
		s.ask(ticket.MsgMerge, ticket.Merge{Header: head("m1"), Into: "T-7"})
	},
	"late": func(s *teller) { // the relay and a sign-off come after the end
		s.store.stage, s.store.decided[7] = ticket.Posted, billing.Settled
		s.ask(ticket.MsgSignOff, approve("s1", 7, "d7"))
	},
}

// teller plays one story on a real server.
type teller struct {
	t          *testing.T
	ctx        context.Context
	c          client.Client
	store      *memory
	workflowID string
}

func record(t *testing.T) {
	t.Helper()
	server := testenv.Temporal(t)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c, err := client.DialContext(ctx, client.Options{
		HostPort: server.Address, Namespace: server.Namespace, Identity: "recorder",
		Logger: log.NewStructuredLogger(slog.New(slog.DiscardHandler)),
	})
	require.NoError(t, err)
	defer c.Close()
	require.NoError(t, os.MkdirAll(histories, 0o755))
	t.Run("record periods", func(t *testing.T) { recordSweep(t, ctx, c) })
	for name, tell := range stories {
		t.Run("record "+name, func(t *testing.T) {
			s := &teller{t: t, ctx: ctx, c: c, store: newMemory(), workflowID: "ticket/" + name}
			s.store.now = time.Now
			w := worker.New(c, worker.Deps{Desk: s.store, Ledger: s.store, TaskQueue: s.workflowID, Identity: "recorder"})
			require.NoError(t, w.Start())
			defer w.Stop()
			tell(s)
			err := c.GetWorkflow(ctx, s.workflowID, "").Get(ctx, nil)
			if name != "canceled-by-operator" {
				require.NoError(t, err)
			}
			s.keep(name)
		})
	}
}

// recordSweep keeps a sweep of billing periods: some post, one waits, one cannot be run.
func recordSweep(t *testing.T, ctx context.Context, c client.Client) {
	t.Helper()
	l := &ledgers{tries: map[string]int{}, due: slices.Concat(months("C-1", 2), months("C-2", 1), months("C-3", 1))}
	l.answer = func(run billing.DueRun, _ int) (billing.PostingState, error) {
		switch run.Contract {
		case "C-2":
			return billing.PostingWaiting, nil
		case "C-3":
			return "", ticket.Invalid("period", run.Period.Start, "is not over", "wait")
		}
		return billing.PostingPosted, nil
	}
	s := &teller{t: t, ctx: ctx, c: c, workflowID: "periods-sweep"}
	store := newMemory()
	w := worker.New(c, worker.Deps{Desk: store, Ledger: store, Periods: l, TaskQueue: s.workflowID, Identity: "recorder"})
	require.NoError(t, w.Start())
	defer w.Stop()
	run, err := c.ExecuteWorkflow(ctx, s.options(), workflows.PeriodsType)
	require.NoError(t, err)
	require.NoError(t, run.Get(ctx, nil))
	s.keep("periods")
}

func (s *teller) options() client.StartWorkflowOptions {
	return client.StartWorkflowOptions{
		ID: s.workflowID, TaskQueue: s.workflowID,
		WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
	}
}

func (s *teller) input() ticket.Input { return ticket.Input{Ticket: id, Round: 1} }

func (s *teller) start() {
	_, err := s.c.ExecuteWorkflow(s.ctx, s.options(), ticket.WorkflowType, s.input())
	require.NoError(s.t, err)
	s.until("route without []")
}

func (s *teller) send(name ticket.Name, m any) {
	_, err := s.c.SignalWithStartWorkflow(s.ctx, s.workflowID, string(name), m, s.options(), ticket.WorkflowType, s.input())
	require.NoError(s.t, err)
}

func (s *teller) ask(name ticket.Name, m ticket.Message) {
	handle, err := s.c.UpdateWithStartWorkflow(s.ctx, client.UpdateWithStartWorkflowOptions{
		StartWorkflowOperation: s.c.NewWithStartWorkflowOperation(s.options(), ticket.WorkflowType, s.input()),
		UpdateOptions: client.UpdateWorkflowOptions{
			WorkflowID: s.workflowID, UpdateName: string(name), UpdateID: m.Head().OperationKey, Args: []any{m},
			WaitForStage: client.WorkflowUpdateStageCompleted,
		},
	})
	require.NoError(s.t, err)
	require.NoError(s.t, handle.Get(s.ctx, nil))
}

// until waits for the workflow to have asked the store for something.
func (s *teller) until(call string) {
	require.Eventuallyf(s.t, func() bool {
		for _, c := range s.store.asked() {
			if c == call {
				return true
			}
		}
		return false
	}, 20*time.Second, 10*time.Millisecond, "never asked to %q", call)
}

func (s *teller) keep(name string) {
	h := &historypb.History{}
	events := s.c.GetWorkflowHistory(s.ctx, s.workflowID, "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		e, err := events.Next()
		require.NoError(s.t, err)
		h.Events = append(h.Events, e)
	}
	data, err := temporalproto.CustomJSONMarshalOptions{Indent: " "}.Marshal(h)
	require.NoError(s.t, err)
	require.NoError(s.t, os.WriteFile(filepath.Join(histories, name+".json"), append(data, '\n'), 0o644))
	s.t.Logf("%s: %d events", name, len(h.Events))
}
