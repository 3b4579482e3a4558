package workflows_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"github.com/docket-psa/docket/activities"
	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/workflows"
)

// debts is a store with so many overdue invoices, which fails at first.
type debts struct{ left, calls int }

func (d *debts) RemindOverdue(_ context.Context, limit int) (billing.RemindersSwept, error) {
	if d.calls++; d.calls == 2 {
		return billing.RemindersSwept{}, errors.New("the connection is gone")
	}
	n := min(limit, d.left)
	d.left -= n
	return billing.RemindersSwept{Reminded: make([]billing.Overdue, n), More: n == limit}, nil
}

func TestRemindersSweepUntilNothingIsLeft(t *testing.T) {
	for name, c := range map[string]struct{ overdue, calls int }{"none": {0, 1}, "a few": {3, 1}, "many": {250, 4}, "whole batches": {200, 4}} {
		t.Run(name, func(t *testing.T) {
			var s testsuite.WorkflowTestSuite
			s.SetLogger(log.NewStructuredLogger(slog.New(slog.DiscardHandler)))
			env := s.NewTestWorkflowEnvironment()
			env.RegisterWorkflowWithOptions(workflows.Reminders, workflow.RegisterOptions{Name: workflows.RemindersType})
			store := &debts{left: c.overdue}
			env.RegisterActivity(activities.NewReminders(store))
			env.ExecuteWorkflow(workflows.RemindersType)
			var reminded int
			require.NoError(t, env.GetWorkflowResult(&reminded))
			require.Equal(t, c.overdue, reminded)
			require.Equal(t, c.calls, store.calls, "a batch that failed is tried again")
		})
	}
}
