package workflows

import (
	"fmt"
	"strings"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/docket-psa/docket/activities"
	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

// RemindersType is the workflow that reminds of overdue invoices.
const RemindersType = "Reminders"

var reminderActs *activities.ReminderActivities

const (
	remindAtOnce = 100 // invoices an activity
	mostBatches  = 50  // an execution; the rest is left to the next sweep
)

// Reminders reminds of every invoice that has come to another step past its due date. A schedule starts it every hour. It keeps
// nothing: a step of which a reminder is on record goes out no more, so it may die on any line, and the next sweep goes on. It
// gives how many went out.
func Reminders(ctx workflow.Context) (int, error) {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: listTakes,
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval: firstRunPause, MaximumInterval: longestPause, MaximumAttempts: runTries, NonRetryableErrorTypes: []string{ticket.InvalidError},
		},
		Summary: "remind of what is overdue",
	})
	var said []string
	for range mostBatches {
		var swept billing.RemindersSwept
		if err := workflow.ExecuteActivity(ctx, reminderActs.RemindOverdue, remindAtOnce).Get(ctx, &swept); err != nil {
			return len(said), err
		}
		for _, o := range swept.Reminded {
			said = append(said, o.Payer+": "+o.Says)
		}
		lines := []string{fmt.Sprintf("**%d** reminded", len(said))}
		for _, s := range said[:min(shownRuns, len(said))] {
			lines = append(lines, "- "+escape(s))
		}
		if more := len(said) - shownRuns; more > 0 {
			lines = append(lines, fmt.Sprintf("- … and %d more", more))
		}
		workflow.SetCurrentDetails(ctx, strings.Join(lines, "\n"))
		if !swept.More || len(swept.Reminded) == 0 {
			break
		}
	}
	return len(said), nil
}
