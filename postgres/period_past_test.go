package postgres_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/postgres"
)

// past tells what nobody bills of a contract; empty: nothing.
func (k *till) past(contract string) string {
	k.t.Helper()
	past, err := k.LookAtPast(k.t.Context(), contract)
	require.NoError(k.t, err)
	if past == nil {
		return ""
	}
	require.Equal(k.t, contract, past.Contract)
	require.Equal(k.t, "docket period run --contract "+contract+" --from "+past.Start, past.Command())
	return past.String()
}

// doctorOn gives what the doctor finds about something.
func (k *till) doctorOn(what string) (found []postgres.Finding) {
	k.t.Helper()
	all, err := k.Doctor(k.t.Context(), postgres.Patience{})
	require.NoError(k.t, err)
	for _, f := range all {
		if f.What == what {
			found = append(found, f)
		}
	}
	return found
}

func (k *till) pastOfMonth(until string) (said []string) {
	k.t.Helper()
	report, err := k.MonthStands(k.t.Context(), billing.MonthClose{Until: until})
	require.NoError(k.t, err)
	for _, p := range report.Past {
		said = append(said, p.String())
	}
	return said
}

var sinceJanuary = strings.Replace(monthlyHundred, "2026-03-01", "2026-01-15", 1)

// Edge case 26: a contract that comes late changes nothing in silence. What was over is not billed, and said; who means it bills it.
func TestEdge26PeriodsThatWereOverBeforeTheContractCame(t *testing.T) {
	k := newTill(t)
	applied, past, err := k.TryContract(t.Context(), []byte(sinceJanuary), "olga", false)
	require.NoError(t, err)
	require.True(t, applied.Changed)
	require.Equal(t, "1 January to 28 February 2026 (2 periods) were over when acme-fee was applied, and are not billed here: they come to 154.84 USD", past.String())
	require.Zero(t, k.count("select count(*) from contracts"), "and nothing of it is stored")
	require.Empty(t, k.past("acme-fee"))

	k.apply(sinceJanuary)
	require.Equal(t, past.String(), k.past("acme-fee"))
	_, again, err := k.TryContract(t.Context(), []byte(sinceJanuary), "olga", false)
	require.NoError(t, err)
	require.Equal(t, past, again, "also where it says nothing new")

	require.Equal(t, "opening 2026-03-01: F 100.00", k.sweep(), "no sweep bills them")
	require.Equal(t, past.String(), k.past("acme-fee"))
	require.Equal(t, []string{"February 2026 was over when acme-fee was applied, and is not billed here"}, k.pastOfMonth("2026-03-01"), "each month tells of its own")
	require.Empty(t, k.pastOfMonth("2026-04-01"))
	found := k.doctorOn("contracts applied late")
	require.Len(t, found, 1)
	require.Equal(t, postgres.Notice, found[0].Severity)
	require.Contains(t, found[0].Why, "2026 (2 periods) were over when acme-fee was applied, and are not billed here")
	require.Contains(t, found[0].Do, "docket period run --contract acme-fee --from 2026-01-01")

	due, err := k.PeriodsDue(t.Context(), billing.DueFilter{Contract: "acme-fee", From: "2026-01-01"})
	require.NoError(t, err)
	for _, run := range due {
		_, err := k.RunPeriod(t.Context(), run, "olga")
		require.NoError(t, err)
	}
	require.Equal(t, "254.84", k.owed())
	require.Empty(t, k.past("acme-fee"))
	require.Empty(t, k.pastOfMonth("2026-03-01"))
	require.Empty(t, k.doctorOn("contracts applied late"))
	k.proved()
}

// The doctor tells until a month was closed since; `docket period list --state past` for ever.
func TestTheDoctorTellsOfLateContractsForAMonth(t *testing.T) {
	k := newTill(t)
	k.apply(sinceJanuary, strings.NewReplacer("acme-fee", "acme-fee-2", "2026-01-15", "2025-12-01").Replace(sinceJanuary))
	found := k.doctorOn("contracts applied late")
	require.Len(t, found, 1, "one row, however many")
	require.Equal(t, "2 contracts had periods that were over when they were applied, and are not billed here", found[0].Why)
	k.pass(36 * 24 * time.Hour)
	require.Empty(t, k.doctorOn("contracts applied late"))
	runs, err := k.PastPeriods(t.Context(), billing.DueFilter{})
	require.NoError(t, err)
	require.Len(t, runs, 10, "the openings and closings of two periods, and of three")
}

// What cannot be priced yet is told apart, and what costs nothing by itself is no loss.
func TestPastPeriodsThatWaitOrCostNothing(t *testing.T) {
	k := newTill(t)
	k.apply(managed, bucket)
	require.Equal(t, "1 January to 28 February 2026 (2 periods) were over when acme-managed was applied, and are not billed here: they come to 1000.00 USD; 2 of their runs cannot be priced yet", k.past("acme-managed"))
	require.Empty(t, k.past("acme-bucket"), "hours that nobody could use")
	require.Empty(t, k.past("acme-fee"), "a contract that is not there has no past")
	k.devices("workstation", "2026-01-01", 20)
	require.Equal(t, "1 January to 28 February 2026 (2 periods) were over when acme-managed was applied, and are not billed here: they come to 4000.00 USD", k.past("acme-managed"), "the minimum")
}
