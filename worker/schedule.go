package worker

import (
	"context"
	"errors"
	"fmt"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/docket-psa/docket/workflows"
)

// The ids of the schedules: of what opens and closes billing periods, and of what reminds of overdue invoices.
const (
	PeriodsSchedule   = "periods"
	RemindersSchedule = "reminders"
)

const (
	sweepEvery  = time.Hour      // a period begins at some client's midnight, whatever its zone
	catchUp     = 24 * time.Hour // one sweep makes good for all that were missed
	askAgain    = 15 * time.Second
	askNoLonger = 10 * time.Second
)

// schedules gives what this process is to have done every hour.
func (d Deps) schedules() (all []client.ScheduleOptions) {
	if d.Periods != nil {
		all = append(all, hourly(d.queue(), PeriodsSchedule, workflows.PeriodsType, "Open and close billing periods",
			"Posts the fees, corrections and minimums that are due, each by a transaction of its own that its key makes single.\n\n"+
				"`docket period list` shows what posted and what waits; `docket period run` does the same as this, by hand."))
	}
	if d.Reminders != nil {
		all = append(all, hourly(d.queue(), RemindersSchedule, workflows.RemindersType, "Remind of overdue invoices",
			"Reminds of what is overdue, once a step of the house (`docket invoice rules`), and not of what is in question.\n\n"+
				"`docket invoice remind --dry-run` lists what is next; without it, it does the same as this, by hand."))
	}
	return all
}

// hourly is a sweep every hour, never two at once.
func hourly(queue, id, workflow, summary, details string) client.ScheduleOptions {
	return client.ScheduleOptions{
		ID:   id,
		Spec: client.ScheduleSpec{Intervals: []client.ScheduleIntervalSpec{{Every: sweepEvery}}},
		Action: &client.ScheduleWorkflowAction{
			ID: id, Workflow: workflow, TaskQueue: queue, StaticSummary: summary, StaticDetails: details,
		},
		Overlap:            enumspb.SCHEDULE_OVERLAP_POLICY_SKIP,
		CatchupWindow:      catchUp,
		TriggerImmediately: true, // whatever fell due while nobody worked
	}
}

// EnsureSchedules creates the schedules of the deps that are not there. One that exists stays as it is, so that whoever paused or
// changed it in Temporal keeps his word.
func EnsureSchedules(ctx context.Context, c client.Client, deps Deps) error {
	for _, options := range deps.schedules() {
		_, err := c.ScheduleClient().Create(ctx, options)
		if err != nil && !errors.Is(err, temporal.ErrScheduleAlreadyRunning) {
			return fmt.Errorf("create the schedule %q: %w", options.ID, err)
		}
	}
	return nil
}

// keepSchedules asks until the schedules are there, or ctx ends: tickets need not wait for them.
func keepSchedules(ctx context.Context, c client.Client, deps Deps) {
	for {
		ask, cancel := context.WithTimeout(ctx, askNoLonger)
		err := EnsureSchedules(ask, c, deps)
		cancel()
		if err == nil || ctx.Err() != nil {
			return
		}
		deps.warn(err)
		select {
		case <-ctx.Done():
			return
		case <-time.After(askAgain):
		}
	}
}
