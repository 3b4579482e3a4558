package workflows

import (
	"strconv"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/docket-psa/docket/activities"
	"github.com/docket-psa/docket/ticket"
)

// acts names the activities; the worker has the real ones.
var acts *activities.Activities

// write does a short write that a business key makes single. It tries as a local activity,
// which costs one event and no round trip. When PostgreSQL is away, three tries later, the same
// write goes on as a regular activity. A local one that retries beyond its workflow task would
// have to keep the task alive by heartbeats and then set a timer for each try, six events
// each; a regular one is retried by Temporal for as long as it takes, leaves nothing in
// history, and shows operations its attempts and its last error.
func write[R any](ctx workflow.Context, summary string, activity any, args ...any) (R, error) {
	local := workflow.WithLocalActivityOptions(ctx, workflow.LocalActivityOptions{
		StartToCloseTimeout: 3 * time.Second,
		// Bounded by attempts, not by this: it counts from the workflow task's start by the
		// server's clock, which need not be ours.
		ScheduleToCloseTimeout: time.Hour,
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval: 100 * time.Millisecond, BackoffCoefficient: 3, MaximumAttempts: 3,
			NonRetryableErrorTypes: []string{ticket.InvalidError},
		},
		Summary: summary,
	})
	var result R
	err := workflow.ExecuteLocalActivity(local, activity, args...).Get(ctx, &result)
	if err == nil || activities.Refusal(err) != nil {
		return result, err
	}
	workflow.GetLogger(ctx).Warn("local attempts failed, going on as a regular activity", "deed", summary, "error", err)
	return deed[R](ctx, summary, activity, args...)
}

// deed does what can wait, fail or be slow, as a regular activity: retried until it is done,
// in sight of operations. Only an Invalid ends it early. A worker that dies in the middle is
// found out by the timeout: half of what a caller waits for an answer, so that whoever resolved
// the ticket still gets his receipt from the next worker.
func deed[R any](ctx workflow.Context, summary string, activity any, args ...any) (R, error) {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: 15 * time.Second,
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval: 500 * time.Millisecond, BackoffCoefficient: 2, MaximumInterval: time.Minute,
			NonRetryableErrorTypes: []string{ticket.InvalidError},
		},
		Summary: summary,
	})
	var result R
	err := workflow.ExecuteActivity(ctx, activity, args...).Get(ctx, &result)
	return result, err
}

func itoa(n int) string { return strconv.Itoa(n) }
