package worker_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/internal/testenv"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/ticket"
	"github.com/docket-psa/docket/worker"
)

const monthlyFee = `
schema: docket.contract/v1
contract: acme-managed
client: acme
name: Managed services
effective_from: 2026-01-01
currency: USD
time_zone: America/New_York
lines:
  - {clause: F, name: Managed service, charge: flat, price: "500.00"}
`

// Two workers start on a fresh house: one schedule, and each period that is due posts once, however often it sweeps.
func TestTheScheduleRunsADuePeriodOnce(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	url := testenv.Template(t, "migrated", func(url string) error {
		_, err := postgres.Migrate(context.Background(), url, "", "")
		return err
	})
	now := time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
	store, err := postgres.Open(ctx, url, postgres.Options{Now: func() time.Time { return now }})
	require.NoError(t, err)
	t.Cleanup(store.Disconnect)
	require.NoError(t, store.PutClient(ctx, ticket.Client{ID: "acme", Name: "Acme", TimeZone: "America/New_York", Currency: "USD"}))
	require.NoError(t, store.PutPerson(ctx, postgres.Staffing{Person: ticket.Person{ID: "olga", Name: "Olga", Kind: ticket.Human, Roles: []string{"owner"}}}))
	_, err = store.ApplyContract(ctx, []byte(monthlyFee), "olga", true)
	require.NoError(t, err)

	server := testenv.Temporal(t, testenv.WithFreshNamespace())
	c, err := client.DialContext(ctx, client.Options{
		HostPort: server.Address, Namespace: server.Namespace, Logger: log.NewStructuredLogger(slog.New(slog.DiscardHandler)),
	})
	require.NoError(t, err)
	defer c.Close()
	deps := worker.Deps{Desk: store, Ledger: store, Periods: store, Reminders: store, Unscheduled: func(err error) { t.Log(err) }}
	for range 2 {
		stop, stopped := work(ctx, c, deps)
		t.Cleanup(func() {
			stop()
			require.NoError(t, <-stopped)
		})
	}
	postings := func() []billing.PostingView {
		found, err := store.Postings(ctx, postgres.PostingFilter{Client: "acme"})
		require.NoError(t, err)
		return found
	}
	require.Eventually(t, func() bool { return len(postings()) > 0 }, time.Minute, 100*time.Millisecond, "the schedule sweeps at once")

	schedule := c.ScheduleClient().GetHandle(ctx, worker.PeriodsSchedule)
	// The schedule skips a sweep while another runs, and a line may be there before its sweep has ended: this one waits for it.
	require.NoError(t, schedule.Trigger(ctx, client.ScheduleTriggerOptions{Overlap: enumspb.SCHEDULE_OVERLAP_POLICY_BUFFER_ONE}))
	require.Eventually(t, func() bool {
		d, err := schedule.Describe(ctx)
		return err == nil && d.Info.NumActions >= 2 && len(d.Info.RunningWorkflows) == 0
	}, time.Minute, 100*time.Millisecond)
	d, err := schedule.Describe(ctx)
	require.NoError(t, err)
	require.Equal(t, time.Hour, d.Schedule.Spec.Intervals[0].Every)
	for _, action := range d.Info.RecentActions {
		run := c.GetWorkflow(ctx, action.StartWorkflowResult.WorkflowID, action.StartWorkflowResult.FirstExecutionRunID)
		require.NoError(t, run.Get(ctx, nil))
	}
	found := postings()
	require.Len(t, found, 1, "March opened once")
	require.Equal(t, "500.00 USD for March 2026", found[0].Says)

	// The reminders are scheduled beside it.
	reminders, err := c.ScheduleClient().GetHandle(ctx, worker.RemindersSchedule).Describe(ctx)
	require.NoError(t, err)
	require.Equal(t, time.Hour, reminders.Schedule.Spec.Intervals[0].Every)
	require.NotEmpty(t, reminders.Info.RecentActions, "at once, too")
	for _, action := range reminders.Info.RecentActions {
		require.NoError(t, c.GetWorkflow(ctx, action.StartWorkflowResult.WorkflowID, action.StartWorkflowResult.FirstExecutionRunID).Get(ctx, nil))
	}
}
