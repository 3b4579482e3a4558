package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"github.com/docket-psa/docket/postgres"
)

// monthsFailingOf scrapes what tells whether months close by themselves; -1: nothing tells it.
func monthsFailingOf(t *testing.T, s *session) float64 {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	require.NoError(t, registry.Register(newDeskMetrics(s, time.Now)))
	families, err := registry.Gather()
	require.NoError(t, err)
	for _, f := range families {
		if f.GetName() == "docket_month_schedule_failing" {
			return f.GetMetric()[0].GetGauge().GetValue()
		}
	}
	return -1
}

// Whoever scheduled the months leaves: doctor and metrics tell it before the next month's end, and which command helps.
func TestMonthsScheduledByWhoHasLeft(t *testing.T) {
	s := openShop(t)
	ctx := t.Context()
	store, err := postgres.Open(ctx, s.env["DATABASE_URL"], postgres.Options{Now: time.Now})
	require.NoError(t, err)
	t.Cleanup(store.Disconnect)
	c, err := client.Dial(client.Options{HostPort: os.Getenv("TEMPORAL_ADDRESS"), Namespace: os.Getenv("TEMPORAL_NAMESPACE")})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	temporal := &session{store: store, temporal: c}
	doctor := func() finding {
		t.Helper()
		var findings []finding
		require.NoError(t, json.Unmarshal([]byte(s.docket("-o", "json", "doctor").out), &findings)) // fsync is off in tests: it always finds something
		for _, f := range findings {
			if f.Check == "closing of months" {
				return f
			}
		}
		require.Fail(t, "the doctor says nothing of it")
		return finding{}
	}

	require.Equal(t, finding{Check: "closing of months", OK: true, Says: "by hand"}, doctor())
	require.InDelta(t, -1, monthsFailingOf(t, temporal), 0)
	s.ok("month", "schedule", "--day", "3", "--send", "--as", "felix.moreau")
	require.Equal(t, "on day 3 of the next one, in the name of felix.moreau", doctor().Says)
	require.InDelta(t, 0, monthsFailingOf(t, temporal), 0)

	const again = "as an owner, or finance: docket month schedule --off --as PERSON, then docket month schedule --day 3 --send --as PERSON"
	require.Contains(t, s.ok("person", "left", "felix.moreau", "--as", "nadia.osei").err, "Months are closed in the name of felix.moreau, and will not be; "+again)
	require.Equal(t, finding{
		Check: "closing of months", Says: `its schedule closes nothing: by "felix.moreau" is no longer active: name somebody who is`, Fix: again, Severity: "warning", Owner: "finance",
	}, doctor())
	require.Contains(t, s.ok("month", "schedule").out, "It closes nothing until it is scheduled again: "+again)
	require.InDelta(t, 1, monthsFailingOf(t, temporal), 0)

	// The run that he no longer may: what it left open is told even when he is back, until somebody closes it.
	month := time.Now().UTC()
	month = month.AddDate(0, 0, 1-month.Day())
	file := filepath.Join(t.TempDir(), "late.yaml")
	require.NoError(t, os.WriteFile(file, fmt.Appendf(nil, lateFee, month.AddDate(0, -1, 0).Format(time.DateOnly)), 0o600))
	s.ok("contract", "apply", file, "--as", "nadia.osei")
	s.ok("period", "run", "--contract", "redwood-late", "--from", month.AddDate(0, -1, 0).Format(time.DateOnly), "--as", "nadia.osei")
	require.NoError(t, c.ScheduleClient().GetHandle(ctx, monthSchedule).Trigger(ctx, client.ScheduleTriggerOptions{}))
	require.Eventually(t, func() bool { return read[scheduledMonths](s, "month", "schedule").Failed != "" }, 30*time.Second, 100*time.Millisecond)
	s.ok("person", "back", "felix.moreau", "--as", "nadia.osei")
	left := doctor()
	assert.Contains(t, left.Says, `its schedule failed last, and invoices of that month are open: by "felix.moreau" is no longer active`)
	assert.Contains(t, left.Fix, "docket month close")
	assert.InDelta(t, 1, monthsFailingOf(t, temporal), 0)
	s.ok("month", "close", month.AddDate(0, -1, 0).Format("2006-01"), "--without-files", "--as", "nadia.osei")
	assert.True(t, doctor().OK)
	assert.InDelta(t, 0, monthsFailingOf(t, temporal), 0)

	// In another name, as the doctor says.
	s.ok("month", "schedule", "--off", "--as", "nadia.osei")
	s.ok("month", "schedule", "--day", "3", "--send", "--as", "nadia.osei")
	assert.Equal(t, "on day 3 of the next one, in the name of nadia.osei", doctor().Says)
	require.NoError(t, c.ScheduleClient().GetHandle(ctx, monthSchedule).Pause(ctx, client.SchedulePauseOptions{}))
	assert.Contains(t, doctor().Says, "paused in Temporal")
}

// A Temporal that is down hides nothing else that is scraped.
func TestMetricsWithoutTemporal(t *testing.T) {
	store, err := postgres.Open(t.Context(), shopDatabase(t), postgres.Options{Now: time.Now})
	require.NoError(t, err)
	t.Cleanup(store.Disconnect)
	c, err := client.NewLazyClient(client.Options{HostPort: "127.0.0.1:1"})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	require.InDelta(t, -1, monthsFailingOf(t, &session{store: store, temporal: c}), 0)
}
