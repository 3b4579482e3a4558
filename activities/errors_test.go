package activities_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"

	"github.com/docket-psa/docket/activities"
	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

// ledger fails each closing with what the test gives it.
type ledger struct {
	activities.Ledger
	err error
}

func (l ledger) Close(context.Context, ticket.ID, int, ticket.Resolve) (billing.Receipt, error) {
	return billing.Receipt{}, l.err
}

func closing(t *testing.T, err error) *temporal.ApplicationError {
	t.Helper()
	var s testsuite.WorkflowTestSuite
	env := s.NewTestActivityEnvironment()
	a := activities.New(nil, ledger{err: err})
	env.RegisterActivity(a)
	_, got := env.ExecuteActivity(a.Close, ticket.ID("T-1"), 1, ticket.Resolve{})
	var app *temporal.ApplicationError
	require.ErrorAs(t, got, &app)
	return app
}

func TestProblemsTravelWholeAndAreNotRetried(t *testing.T) {
	app := closing(t, fmt.Errorf("close T-1: %w", errors.Join(
		ticket.Invalid("work.ms", -5, "is negative", "give elapsed milliseconds"),
		ticket.Invalid("code", "gone", "is not a resolution code", "solved"),
	)))
	require.Equal(t, ticket.InvalidError, app.Type())
	require.True(t, app.NonRetryable())
	require.NotNil(t, activities.Refusal(app))
	var problems []*ticket.Problem
	require.NoError(t, app.Details(&problems))
	require.Len(t, problems, 2)
	require.Equal(t, "work.ms", problems[0].Field)
	require.Equal(t, "give elapsed milliseconds", problems[0].Fix)
}

func TestWhatMayHealIsRetried(t *testing.T) {
	app := closing(t, errors.New("connection refused"))
	require.False(t, app.NonRetryable())
	require.Nil(t, activities.Refusal(app))
}
