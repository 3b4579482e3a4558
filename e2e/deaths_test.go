package e2e_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/interceptor"
	sdkworker "go.temporal.io/sdk/worker"

	"github.com/docket-psa/docket/activities"
	"github.com/docket-psa/docket/desk"
	"github.com/docket-psa/docket/ticket"
	"github.com/docket-psa/docket/worker"
)

// path is a ticket's way through its workflow, step by step; a step says who sends what, once the one before is done.
type path struct {
	name     string
	contract string   // beside acme's own; empty: none
	passes   []string // activities that are on the way, whoever sends what
	steps    []func(b *byDesk, w *walk) ticket.Message
}

// walk is one ticket on its way.
type walk struct {
	id   ticket.ID
	keys int
	into ticket.ID // another ticket of its own
}

func (w *walk) by(who string) ticket.Header {
	w.keys++
	return ticket.Header{OperationKey: fmt.Sprintf("%s-%d", w.id, w.keys), Who: who, Via: ticket.ViaCLI, At: time.Now().UTC()}
}

func (w *walk) minutes(day, n int) ticket.WorkEntry {
	w.keys++
	return ticket.WorkEntry{
		OperationKey: fmt.Sprintf("%s-work-%d", w.id, w.keys), Actor: "tom", WorkType: "remote", MS: int64(n) * 60_000,
		StartedAt: time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, -day-3*int(w.id.Number()%300)).Add(9 * time.Hour),
	}
}

// waits is the only thing that waits on the ticket.
func (b *byDesk) waits(w *walk) (hold int64, digest string) {
	held, err := b.Held(b.t.Context(), w.id)
	if err != nil || len(held) != 1 {
		return 1, "none" // the comparison tells
	}
	return held[0].Hold, held[0].Digest
}

// A new way is one more row.
var paths = []path{
	{name: "a long life", passes: []string{"Begin", "Triage", "Route", "Claim", "Log", "Wait", "Reply", "Close", "Held", "SignOff", "Rule", "Reopen", "RequestApproval"}, steps: []func(b *byDesk, w *walk) ticket.Message{
		func(_ *byDesk, w *walk) ticket.Message { return ticket.Claim{Header: w.by("tom")} },
		func(_ *byDesk, w *walk) ticket.Message {
			return ticket.Work{Header: w.by("tom"), Entry: w.minutes(1, 240)}
		},
		func(_ *byDesk, w *walk) ticket.Message { return ticket.Wait{Header: w.by("tom"), Reason: "customer"} },
		func(_ *byDesk, w *walk) ticket.Message { return reply{Header: w.by("ann"), words: "Go on"} },
		func(_ *byDesk, w *walk) ticket.Message {
			return ticket.Resolve{Header: w.by("tom"), Resolution: "Done"}
		},
		func(b *byDesk, w *walk) ticket.Message {
			hold, digest := b.waits(w)
			return ticket.SignOff{Header: w.by("ann"), Hold: hold, Digest: digest, Reason: "too much"}
		},
		func(b *byDesk, w *walk) ticket.Message {
			hold, _ := b.waits(w)
			return ticket.Rule{Header: w.by("dora"), Hold: hold, Action: ticket.Rework, Reason: "look again"}
		},
		func(_ *byDesk, w *walk) ticket.Message {
			return ticket.Resolve{Header: w.by("tom"), Resolution: "Done again"}
		},
		func(b *byDesk, w *walk) ticket.Message {
			hold, digest := b.waits(w)
			return ticket.SignOff{Header: w.by("ann"), Hold: hold, Digest: digest, Approved: true}
		},
		func(_ *byDesk, w *walk) ticket.Message {
			return ticket.Reopen{Header: w.by("ann"), Reason: "It is back"}
		},
		func(_ *byDesk, w *walk) ticket.Message {
			return ticket.RequestApproval{Header: w.by("tom"), Action: "Replace it", Amount: "900.00", Currency: "USD"}
		},
		func(b *byDesk, w *walk) ticket.Message {
			hold, digest := b.waits(w)
			return ticket.SignOff{Header: w.by("ann"), Hold: hold, Digest: digest, Approved: true}
		},
		func(_ *byDesk, w *walk) ticket.Message {
			return ticket.Resolve{Header: w.by("tom"), Resolution: "Replaced"}
		},
	}},
	{name: "one that goes elsewhere", passes: []string{"Log", "Escalate", "Cancel", "Merge", "Close"}, steps: []func(b *byDesk, w *walk) ticket.Message{
		func(_ *byDesk, w *walk) ticket.Message {
			return ticket.Work{Header: w.by("tom"), Entry: w.minutes(1, 60)}
		},
		func(_ *byDesk, w *walk) ticket.Message {
			return ticket.Escalate{Header: w.by("tom"), Reason: "needs hands"}
		},
		func(_ *byDesk, w *walk) ticket.Message { return ticket.Cancel{Header: w.by("dora"), Reason: "spam"} },
		func(_ *byDesk, w *walk) ticket.Message { return ticket.Merge{Header: w.by("dora"), Into: w.into} },
		func(_ *byDesk, w *walk) ticket.Message {
			return ticket.Unmerge{Header: w.by("dora"), Reason: "They are two"}
		},
		func(_ *byDesk, w *walk) ticket.Message {
			return ticket.Resolve{Header: w.by("tom"), Resolution: "Done"}
		},
	}},
	{name: "one whose time is up", contract: overdueSLA, passes: []string{"Warn", "Wait", "Resume", "Prioritise", "Late"}, steps: []func(b *byDesk, w *walk) ticket.Message{
		func(b *byDesk, w *walk) ticket.Message {
			b.fallen(w, 2)
			return ticket.Claim{Header: w.by("tom")}
		},
		func(_ *byDesk, w *walk) ticket.Message { return ticket.Wait{Header: w.by("tom"), Reason: "customer"} },
		func(_ *byDesk, w *walk) ticket.Message { return ticket.Resume{Header: w.by("tom")} },
		func(_ *byDesk, w *walk) ticket.Message {
			return ticket.Prioritise{Header: w.by("dora"), Priority: 1, Reason: "the whole floor is down"}
		},
		func(b *byDesk, w *walk) ticket.Message {
			b.fallen(w, 3)
			refused := w.minutes(1, 30)
			refused.Actor = "nobody"
			return ticket.Resolve{Header: w.by("tom"), Resolution: "Done", Work: []ticket.WorkEntry{refused}}
		},
		func(_ *byDesk, w *walk) ticket.Message {
			return ticket.Resolve{Header: w.by("tom"), Resolution: "Done"}
		},
	}},
}

// overdueSLA has missed its response, and is about to miss its resolution, when a ticket comes that was opened eight hours ago;
// with priority 1 it has missed that, too.
const overdueSLA = `
schema: docket.contract/v1
contract: acme-sla
client: acme
name: Promises
priority: 10
effective_from: "2020-01-01"
currency: USD
time_zone: America/New_York
lines: [{clause: "2.1", name: Support, charge: covered}]
sla:
  calendar: 24x7
  targets: {1: {response: 1h, resolution: 2h}, 2: {response: 7h, resolution: 10h}, 3: {response: 7h, resolution: 10h}, 4: {response: 7h, resolution: 10h}, 5: {response: 7h, resolution: 10h}}
`

// fallen waits until so much of what falls due is on record.
func (b *byDesk) fallen(w *walk, n int) {
	poll := time.NewTicker(tick)
	defer poll.Stop()
	for end := time.Now().Add(patience); time.Now().Before(end); <-poll.C {
		var fell int
		err := b.admin.QueryRow(b.t.Context(), "select count(*) from ticket_events where ticket = $1 and kind in ('warning', 'breach')", w.id.Number()).Scan(&fell)
		if err == nil && fell >= n {
			return // the comparison tells which
		}
	}
}

// Whoever adds an activity adds its death: each is on a way of these, or of those that time takes, or a sweep's.
func TestEachActivityDies(t *testing.T) {
	dies := map[string]bool{}
	for _, p := range paths {
		for _, name := range p.passes {
			dies[name] = true
		}
	}
	for _, w := range waits {
		for _, name := range w.passes {
			dies[name] = true
		}
	}
	for _, s := range sweeps {
		for _, name := range s.passes {
			dies[name] = true
		}
	}
	for _, all := range []any{&activities.Activities{}, &activities.PeriodActivities{}, &activities.ReminderActivities{}, &activities.MonthActivities{}} {
		for method := range reflect.TypeOf(all).Methods() {
			require.True(t, dies[method.Name], "no row lets the worker die of %s: add it to a way that passes it", method.Name)
		}
	}
}

// The worker dies before and after each activity of each path, before its end is known to Temporal: as many tickets as
// there are such points go the same way at once, each stops at a point of its own, and then the process is killed.
// Another goes on, whoever got no answer repeats his message, and each ticket has come to what the undisturbed one
// came to. The points are counted on that one.
func TestE2EWorkerKilledAtEachStepOfEachPath(t *testing.T) {
	t.Parallel()
	for _, p := range paths {
		t.Run(p.name, func(t *testing.T) {
			h := open(t)
			h.relay()
			b := &byDesk{h}
			// What time does dies in TestWorkerDiesAtEachStepThatTimeTakes: here no quote runs out, however busy the machine is.
			for _, contract := range []string{strings.Replace(acme, "expires: 1m", "expires: 72h", 1), p.contract} {
				if contract != "" {
					_, err := h.ApplyContract(t.Context(), []byte(contract), "dora", true)
					require.NoError(t, err)
				}
			}
			steps := filepath.Join(t.TempDir(), "steps")

			counting := h.start(job{Steps: steps, StopAfter: 1 << 40})
			into := h.inResolution("email")
			first := p.begin(b, into)
			p.walk(b, first)
			want := b.tale(first.id)
			passed := reached(t, steps)[first.id]
			require.Greater(t, passed, 2*len(p.steps))
			log, err := os.ReadFile(steps)
			require.NoError(t, err)
			for _, name := range p.passes {
				require.Contains(t, string(log), fmt.Sprintf("%s after %s\n", first.id, name))
			}
			counting.kill9()

			mortal := h.start(job{Steps: steps, StopAfter: first.id.Number()})
			walks := make([]*walk, passed)
			for k := range walks { // the kth ticket after the first one stops at point k
				opened, err := h.Open(t.Context(), h.opening("email"))
				require.NoError(t, err)
				walks[k] = &walk{id: opened.Ticket, into: into}
				require.Equal(t, first.id.Number()+int64(k)+1, opened.Ticket.Number())
			}
			var going sync.WaitGroup
			for _, w := range walks {
				going.Go(func() { p.walk(b, w) })
			}
			h.until("every ticket at its point", func(context.Context) bool {
				at := reached(t, steps)
				for k, w := range walks {
					if at[w.id] < k+1 {
						return false
					}
				}
				return true
			})
			mortal.kill9()
			h.work()
			going.Wait()
			for k, w := range walks {
				require.Equal(t, want, b.tale(w.id), "killed at point %d of %s", k+1, w.id)
			}
			h.proved(int(h.closures()))
			t.Logf("killed at %d points", passed)
		})
	}
}

func (h *house) closures() (n int64) {
	require.NoError(h.t, h.admin.QueryRow(h.t.Context(), "select count(*) from closures").Scan(&n))
	return n
}

func (p path) begin(b *byDesk, into ticket.ID) *walk {
	opened, err := b.Open(b.t.Context(), b.opening("email"))
	require.NoError(b.t, err)
	return &walk{id: opened.Ticket, into: into}
}

// walk goes the whole way. Whoever gets no answer repeats what he sent, unchanged.
func (p path) walk(b *byDesk, w *walk) {
	ctx, cancel := context.WithTimeout(b.t.Context(), 5*time.Minute)
	defer cancel()
	insist := func(try func() error) {
		for ctx.Err() == nil {
			err := try()
			if lost := errors.Is(err, desk.ErrUnavailable) || errors.Is(err, context.DeadlineExceeded); !lost {
				return // the comparison tells what it came to
			}
		}
	}
	insist(func() error { return b.rests(ctx, w.id) })
	for _, step := range p.steps {
		m := step(b, w)
		insist(func() error { _, err := b.do(ctx, w.id, m); return err })
	}
}

// tale is what the ticket came to, without its name and the times: what happened, in order, and what it bills.
func (h *house) tale(id ticket.ID) string {
	h.t.Helper()
	return taleOf(h.t, h.admin, id)
}

func taleOf(t testing.TB, look *pgxpool.Pool, id ticket.ID) string {
	t.Helper()
	var tale string
	require.NoError(t, look.QueryRow(t.Context(), `
select t.stage || ' round ' || t.round || coalesce(' assignee ' || t.assignee, '')
  || E'\n' || (select string_agg(e.round || ' ' || e.kind || ' by ' || e.actor || case when e.effect then '' else ' (no effect)' end, E'\n' order by e.id) from ticket_events e where e.ticket = t.number)
  || E'\nclosures ' || (select count(*) from closures c where c.ticket = t.number)
  || E'\nlines ' || coalesce((select string_agg(l.amount::text, ', ' order by l.charge_id) from invoice_lines l where l.ticket = t.number), '')
  || E'\nholds ' || coalesce((select string_agg(h.state || ' ' || h.kind || ' ' || h.amount, ', ' order by h.id) from holds h where h.ticket = t.number), '')
  || E'\nwork ' || coalesce((select string_agg(w.ms::text, ', ' order by w.id) from work_entries w where w.ticket = t.number), '')
from tickets t where t.number = $1`, id.Number()).Scan(&tale))
	return tale
}

// stopping is a worker whose tickets stop for good at a point of their own: before, or after, one of their activities.
type stopping struct {
	interceptor.WorkerInterceptorBase
	after int64
	mu    sync.Mutex
	log   *os.File
	at    map[ticket.ID]int
}

func workStopping(ctx context.Context, c client.Client, deps worker.Deps, j job) error {
	log, err := os.OpenFile(j.Steps, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	options := worker.Options(deps)
	options.Interceptors = append(options.Interceptors, &stopping{after: j.StopAfter, log: log, at: map[ticket.ID]int{}})
	options.MaxConcurrentLocalActivityExecutionSize, options.MaxConcurrentActivityExecutionSize = 5000, 5000 // those that stop keep their places
	w := sdkworker.New(c, ticket.TaskQueue, options)
	worker.Register(w, deps)
	if err := w.Start(); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

// InterceptActivity puts a point before and one after each activity, local or not.
func (s *stopping) InterceptActivity(_ context.Context, next interceptor.ActivityInboundInterceptor) interceptor.ActivityInboundInterceptor {
	return &stoppingActivity{ActivityInboundInterceptorBase: interceptor.ActivityInboundInterceptorBase{Next: next}, stopping: s}
}

type stoppingActivity struct {
	interceptor.ActivityInboundInterceptorBase
	stopping *stopping
}

func (a *stoppingActivity) ExecuteActivity(ctx context.Context, in *interceptor.ExecuteActivityInput) (any, error) {
	id, ok := in.Args[0].(ticket.ID)
	if !ok {
		return nil, fmt.Errorf("%s is not of a ticket: %v", activity.GetInfo(ctx).ActivityType.Name, in.Args)
	}
	a.stopping.pass(id, "before "+activity.GetInfo(ctx).ActivityType.Name)
	result, err := a.Next.ExecuteActivity(ctx, in)
	a.stopping.pass(id, "after "+activity.GetInfo(ctx).ActivityType.Name)
	return result, err
}

// pass counts a point, and never returns from the ticket's own one or later.
func (s *stopping) pass(id ticket.ID, what string) {
	s.mu.Lock()
	s.at[id]++
	n := s.at[id]
	own := id.Number() - s.after
	if own <= 0 || int64(n) <= own {
		_, _ = fmt.Fprintf(s.log, "%s %s\n", id, what)
	}
	s.mu.Unlock()
	if own > 0 && int64(n) >= own {
		select {}
	}
}

// reached is at which point each ticket is.
func reached(t *testing.T, steps string) map[ticket.ID]int {
	t.Helper()
	f, err := os.Open(steps)
	require.NoError(t, err)
	defer func() { _ = f.Close() }()
	at := map[ticket.ID]int{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		id, _, _ := strings.Cut(lines.Text(), " ")
		at[ticket.ID(id)]++
	}
	return at
}
