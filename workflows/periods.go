package workflows

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/docket-psa/docket/activities"
	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

// PeriodsType is the workflow that opens and closes billing periods.
const PeriodsType = "Periods"

// periodActs names the activities; the worker has the real ones.
var periodActs *activities.PeriodActivities

// Limits of one sweep. What is beyond them is left to the run that it continues as.
const (
	mostRuns      = 500
	runsAtOnce    = 8
	shownRuns     = 20               // of each kind, in the details
	runTakes      = 30 * time.Second // at most, then it is tried again
	runTries      = 8                // then the next sweep tries
	longestPause  = time.Minute
	listTakes     = 2 * time.Minute
	firstRunPause = time.Second
)

// PeriodsSwept is what one sweep came to.
type PeriodsSwept struct {
	Posted  int      `json:"posted"`
	Drafts  int      `json:"drafts,omitempty"`  // wait for a person to approve
	Expired int      `json:"expired,omitempty"` // blocks of hours whose end was put on record
	Waiting []string `json:"waiting,omitempty"` // something must be known first
	Failed  []string `json:"failed,omitempty"`  // the next sweep tries again
}

// Periods makes every run of a billing period that is due: fees in advance when a period begins, everything else when it is
// over. A schedule starts it every hour. It keeps nothing: what is due is what PostgreSQL has no posting of, and a run that is
// made twice is made once. So it may die on any line, and the next one goes on.
//
// A contract's runs are made in order, contracts side by side, those after one by their ids. One that waits, or fails, keeps
// back its contract alone. Then the blocks of hours end that have expired.
func Periods(ctx workflow.Context, after string) (PeriodsSwept, error) {
	s := sweep{}
	s.describe(ctx)
	due, err := listDue(ctx, after, mostRuns)
	if err != nil {
		return s.swept, err
	}
	s.contracts = byContract(due)

	s.runAll(ctx)
	s.expire(ctx)

	s.describe(ctx)
	if len(due) >= mostRuns { // there is more: what waits or fails on this page keeps back none of it
		return s.swept, workflow.NewContinueAsNewError(ctx, PeriodsType, due[len(due)-1].Contract)
	}
	return s.swept, nil
}

// sweep is one execution: what is left to do, and what was done.
type sweep struct {
	contracts [][]billing.DueRun // what is due of each contract, in order
	next      int                // contract that nobody has begun
	swept     PeriodsSwept
}

// listDue lists what is due of the contracts after one, by id: fewer than most, where there are no more.
func listDue(ctx workflow.Context, after string, most int) (due []billing.DueRun, err error) {
	err = listingDue(ctx, after, most).Get(ctx, &due)
	return due, err
}

// listingDue begins to list it.
func listingDue(ctx workflow.Context, after string, most int) workflow.Future {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: listTakes,
		RetryPolicy:         &temporal.RetryPolicy{InitialInterval: firstRunPause, MaximumInterval: longestPause},
		Summary:             "what is due",
	})
	return workflow.ExecuteActivity(ctx, periodActs.DuePeriods, most, after)
}

// byContract parts what is due by contract, in the order in which it came.
func byContract(due []billing.DueRun) [][]billing.DueRun {
	var parts [][]billing.DueRun
	for _, run := range due {
		if n := len(parts); n > 0 && parts[n-1][0].Contract == run.Contract {
			parts[n-1] = append(parts[n-1], run)
			continue
		}
		parts = append(parts, []billing.DueRun{run})
	}
	return parts
}

// runAll makes the runs, of a few contracts at once.
func (s *sweep) runAll(ctx workflow.Context) {
	group := workflow.NewWaitGroup(ctx)
	for range min(runsAtOnce, len(s.contracts)) {
		group.Add(1)
		workflow.Go(ctx, func(ctx workflow.Context) {
			defer group.Done()
			for s.next < len(s.contracts) {
				runs := s.contracts[s.next]
				s.next++
				s.runContract(ctx, runs)
				s.describe(ctx)
			}
		})
	}
	group.Wait(ctx)
}

// runContract makes a contract's runs in order, as far as they go.
func (s *sweep) runContract(ctx workflow.Context, runs []billing.DueRun) {
	for _, run := range runs {
		options := workflow.ActivityOptions{
			StartToCloseTimeout: runTakes,
			RetryPolicy: &temporal.RetryPolicy{
				InitialInterval: firstRunPause, MaximumInterval: longestPause, MaximumAttempts: runTries,
				NonRetryableErrorTypes: []string{ticket.InvalidError},
			},
			Summary: run.String(),
		}
		var receipt billing.PeriodReceipt
		err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, options), periodActs.RunPeriod, run).Get(ctx, &receipt)
		switch {
		case err != nil:
			workflow.GetLogger(ctx).Error("a billing period could not be run", "run", run.Key(), "error", err)
			s.swept.Failed = append(s.swept.Failed, fmt.Sprintf("%s: %v", run, err))
			return
		case receipt.State == billing.PostingWaiting:
			s.swept.Waiting = append(s.swept.Waiting, run.String()+": "+receipt.Says)
			return
		case receipt.State == billing.PostingDraft:
			s.swept.Drafts++
		default:
			s.swept.Posted++
		}
	}
}

// expire ends blocks that have expired. A failure is left to the next sweep: what has expired pays for no later work meanwhile.
func (s *sweep) expire(ctx workflow.Context) {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: listTakes,
		RetryPolicy:         &temporal.RetryPolicy{InitialInterval: firstRunPause, MaximumInterval: longestPause, MaximumAttempts: runTries},
		Summary:             "blocks that have expired",
	})
	if err := workflow.ExecuteActivity(ctx, periodActs.ExpireBlocks).Get(ctx, &s.swept.Expired); err != nil {
		workflow.GetLogger(ctx).Error("blocks that have expired could not be ended", "error", err)
		s.swept.Failed = append(s.swept.Failed, fmt.Sprintf("blocks that have expired: %v", err))
	}
}

// describe writes the current details of the Temporal UI, in Markdown.
func (s *sweep) describe(ctx workflow.Context) {
	lines := []string{fmt.Sprintf("**%d** posted", s.swept.Posted)}
	if left := len(s.contracts) - s.next; left > 0 {
		lines[0] += fmt.Sprintf(", %d contracts to go", left)
	}
	if s.swept.Expired > 0 {
		lines = append(lines, fmt.Sprintf("%d blocks of hours ended: `docket block list`", s.swept.Expired))
	}
	if s.swept.Drafts > 0 {
		lines = append(lines, fmt.Sprintf("%d drafts wait for a person: `docket period list --state draft`", s.swept.Drafts))
	}
	list := func(head string, what []string) {
		if len(what) == 0 {
			return
		}
		lines = append(lines, "", head)
		for _, w := range what[:min(shownRuns, len(what))] {
			lines = append(lines, "- "+escape(w))
		}
		if more := len(what) - shownRuns; more > 0 {
			lines = append(lines, fmt.Sprintf("- … and %d more", more))
		}
	}
	list("Waiting for something to be known:", s.swept.Waiting)
	list("Failed, and tried again with the next sweep:", s.swept.Failed)
	workflow.SetCurrentDetails(ctx, strings.Join(slices.Clip(lines), "\n"))
}
