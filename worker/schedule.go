package worker

import (
	"context"
	"errors"
	"fmt"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/docket-psa/docket/ticket"
	"github.com/docket-psa/docket/workflows"
)

// PeriodsSchedule is the id of the schedule that opens and closes billing periods.
const PeriodsSchedule = "periods"

const (
	sweepEvery  = time.Hour      // a period begins at some client's midnight, whatever its zone
	catchUp     = 24 * time.Hour // one sweep makes good for all that were missed
	askAgain    = 15 * time.Second
	askNoLonger = 10 * time.Second
)

// EnsureSchedule creates the schedule of billing periods, if there is none: an hourly sweep, never two at once. One that exists
// stays as it is, so that whoever paused or changed it in Temporal keeps his word.
func EnsureSchedule(ctx context.Context, c client.Client, taskQueue string) error {
	if taskQueue == "" {
		taskQueue = ticket.TaskQueue
	}
	_, err := c.ScheduleClient().Create(ctx, client.ScheduleOptions{
		ID:   PeriodsSchedule,
		Spec: client.ScheduleSpec{Intervals: []client.ScheduleIntervalSpec{{Every: sweepEvery}}},
		Action: &client.ScheduleWorkflowAction{
			ID: PeriodsSchedule, Workflow: workflows.PeriodsType, TaskQueue: taskQueue,
			StaticSummary: "Open and close billing periods",
			StaticDetails: "Posts the fees, corrections and minimums that are due, each by a transaction of its own that its key makes single.\n\n" +
				"`docket period list` shows what posted and what waits; `docket period run` does the same as this, by hand.",
		},
		Overlap:            enumspb.SCHEDULE_OVERLAP_POLICY_SKIP,
		CatchupWindow:      catchUp,
		TriggerImmediately: true, // whatever fell due while nobody worked
	})
	if err != nil && !errors.Is(err, temporal.ErrScheduleAlreadyRunning) {
		return fmt.Errorf("create the schedule %q: %w", PeriodsSchedule, err)
	}
	return nil
}

// keepSchedule asks until the schedule is there, or ctx ends: tickets need not wait for it.
func keepSchedule(ctx context.Context, c client.Client, taskQueue string, warn func(error)) {
	for {
		ask, cancel := context.WithTimeout(ctx, askNoLonger)
		err := EnsureSchedule(ask, c, taskQueue)
		cancel()
		if err == nil || ctx.Err() != nil {
			return
		}
		warn(err)
		select {
		case <-ctx.Done():
			return
		case <-time.After(askAgain):
		}
	}
}
