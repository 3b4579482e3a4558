package workflows_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"github.com/docket-psa/docket/activities"
	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
	"github.com/docket-psa/docket/workflows"
)

// ledgers is a store of billing periods: what is due, and what was made.
type ledgers struct {
	mu     sync.Mutex
	due    []billing.DueRun
	made   []string
	answer func(run billing.DueRun, try int) (billing.PostingState, error)
	tries  map[string]int
	ended  int // blocks of hours that a sweep ends
}

func (l *ledgers) ExpireBlocks(context.Context) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := l.ended
	l.ended = 0
	return n, nil
}

func (l *ledgers) PeriodsDue(_ context.Context, f billing.DueFilter) (due []billing.DueRun, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, run := range l.due {
		if n := len(due); n > 0 && n >= f.Most && due[n-1].Contract != run.Contract {
			break
		}
		if run.Contract > f.After && !slices.Contains(l.made, run.Key()) {
			due = append(due, run)
		}
	}
	return due, nil
}

func (l *ledgers) RunPeriod(_ context.Context, run billing.DueRun, _ string) (billing.PeriodReceipt, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tries[run.Key()]++
	state, err := billing.PostingPosted, error(nil)
	if l.answer != nil {
		state, err = l.answer(run, l.tries[run.Key()])
	}
	if err == nil && state != billing.PostingWaiting {
		l.made = append(l.made, run.Key())
	}
	return billing.PeriodReceipt{DueRun: run, State: state, Says: "nobody has counted"}, err
}

func (l *ledgers) RunPeriodAhead(ctx context.Context, run billing.DueRun) (billing.PeriodReceipt, error) {
	return l.RunPeriod(ctx, run, "")
}

func (*ledgers) Flush(context.Context) error { return nil }

func months(contract string, n int) (runs []billing.DueRun) {
	for i := range n {
		p := billing.Period{Start: fmt.Sprintf("2026-%02d-01", i+1), End: fmt.Sprintf("2026-%02d-01", i+2)}
		runs = append(runs, billing.DueRun{Contract: contract, Run: billing.Opening, Period: p}, billing.DueRun{Contract: contract, Run: billing.Closing, Period: p})
	}
	return runs
}

func sweep(t *testing.T, l *ledgers) (workflows.PeriodsSwept, error) {
	t.Helper()
	l.tries = map[string]int{}
	var s testsuite.WorkflowTestSuite
	s.SetLogger(log.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	env := s.NewTestWorkflowEnvironment()
	env.RegisterWorkflowWithOptions(workflows.Periods, workflow.RegisterOptions{Name: workflows.PeriodsType})
	env.RegisterActivity(activities.NewPeriods(l))
	env.ExecuteWorkflow(workflows.PeriodsType)
	require.True(t, env.IsWorkflowCompleted())
	var swept workflows.PeriodsSwept
	if err := env.GetWorkflowError(); err != nil {
		return swept, err
	}
	require.NoError(t, env.GetWorkflowResult(&swept))
	return swept, nil
}

func TestASweepMakesEachContractsRunsInOrder(t *testing.T) {
	l := &ledgers{ended: 3}
	for i := range 20 {
		l.due = append(l.due, months(fmt.Sprintf("C-%02d", i), 3)...)
	}
	swept, err := sweep(t, l)
	require.NoError(t, err)
	require.Equal(t, 120, swept.Posted)
	require.Equal(t, 3, swept.Expired)
	for i := range 20 {
		of := months(fmt.Sprintf("C-%02d", i), 3)
		var made []string
		for _, key := range l.made {
			if slices.ContainsFunc(of, func(r billing.DueRun) bool { return r.Key() == key }) {
				made = append(made, key)
			}
		}
		require.Len(t, made, 6)
		require.True(t, slices.IsSortedFunc(made, func(a, b string) int {
			return slices.IndexFunc(of, func(r billing.DueRun) bool { return r.Key() == a }) - slices.IndexFunc(of, func(r billing.DueRun) bool { return r.Key() == b })
		}))
	}
	swept, err = sweep(t, l)
	require.NoError(t, err)
	require.Zero(t, swept, "nothing is due twice")
}

func TestWhatWaitsOrFailsKeepsBackItsContractAlone(t *testing.T) {
	l := &ledgers{due: slices.Concat(months("counts", 2), months("drafts", 1), months("fails", 1), months("heals", 1), months("refused", 1))}
	l.answer = func(run billing.DueRun, try int) (billing.PostingState, error) {
		switch {
		case run.Contract == "counts" && run.Run == billing.Closing:
			return billing.PostingWaiting, nil
		case run.Contract == "drafts" && run.Run == billing.Closing:
			return billing.PostingDraft, nil
		case run.Contract == "fails":
			return "", errors.New("broken")
		case run.Contract == "heals" && try < 3:
			return "", errors.New("connection refused")
		case run.Contract == "refused":
			return "", ticket.Invalid("period", "2026-01-01", "is not over", "wait")
		}
		return billing.PostingPosted, nil
	}
	swept, err := sweep(t, l)
	require.NoError(t, err)
	require.Equal(t, 4, swept.Posted)
	require.Equal(t, 1, swept.Drafts)
	require.Equal(t, []string{"closing of counts for January 2026: nobody has counted"}, swept.Waiting)
	require.Len(t, swept.Failed, 2)
	require.Equal(t, 8, l.tries["opening/fails/2026-01-01/2026-02-01"])
	require.Equal(t, 1, l.tries["opening/refused/2026-01-01/2026-02-01"], "what cannot heal is not tried again")
}

func TestASweepThatIsFullGoesOnAsANewRun(t *testing.T) {
	l := &ledgers{}
	for i := range 300 {
		l.due = append(l.due, months(fmt.Sprintf("C-%03d", i), 1)...)
	}
	_, err := sweep(t, l)
	require.True(t, workflow.IsContinueAsNewError(err))
	require.Len(t, l.made, 500)
	swept, err := sweep(t, l) // the next hour's, from the beginning
	require.NoError(t, err)
	require.Equal(t, 100, swept.Posted)
}
