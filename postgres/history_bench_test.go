package postgres_test

import (
	"fmt"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/sla"
)

// allOfHistory goes through every closure of a database: an audit, or a what-if of the contract in force. seen hears how
// many are done.
var allOfHistory = map[string]func(tb testing.TB, k *till, seen func(done int)){
	"audit": func(tb testing.TB, k *till, seen func(int)) {
		found, err := k.Audit(tb.Context(), func(done, _ int) { seen(done) })
		require.NoError(tb, err)
		require.True(tb, found.Clean(), "%+v", found)
	},
	"whatif": func(tb testing.TB, k *till, seen func(int)) {
		done := 0
		q := postgres.WhatIfQuestion{Document: []byte(twentyLines()), From: sla.LocalDate{Year: 2024, Month: 1, Day: 1}}
		found, err := k.WhatIf(tb.Context(), q, func(billing.WhatIfTicket) error {
			done++
			seen(done)
			return nil
		})
		require.NoError(tb, err)
		require.Zero(tb, found.Changed)
	},
}

// BenchmarkHistory goes through a history and through one of ten times as many closures, with PostgreSQL on the same
// processors. closures/s is by the clock; closures/own-core·s by the processor time of this process alone, which a busy
// machine changes less. live-MB is the most that was reachable at a time.
func BenchmarkHistory(b *testing.B) {
	for _, n := range []int{4_000, 40_000} {
		k := newTill(b, twentyLines())
		k.grant(100_000)
		k.history(n)
		for what, through := range allOfHistory {
			b.Run(fmt.Sprintf("%s/%d", what, n), func(b *testing.B) {
				began := processorTime(b)
				for b.Loop() {
					through(b, k, func(int) {})
				}
				elapsed, used := b.Elapsed(), processorTime(b)-began
				b.ReportMetric(float64(n*b.N)/elapsed.Seconds(), "closures/s")
				b.ReportMetric(float64(n*b.N)/used.Seconds(), "closures/own-core·s")
				b.ReportMetric(float64(mostReachable(b, k, n, through))/(1<<20), "live-MB")
			})
		}
	}
}

// inFlight is the most memory that the pages under way may differ by, in bytes: a page for each worker and the
// next, a few megabytes each. A history that was kept would be several times as much.
const inFlight = 16 << 20

// TestHistoryStaysOutOfMemory: what is reachable after a tenth of a history is no less than after all of it, but for
// the pages under way.
func TestHistoryStaysOutOfMemory(t *testing.T) {
	const n = 12_000
	k := newTill(t, twentyLines())
	k.grant(100_000)
	k.history(n)
	for what, through := range allOfHistory {
		t.Run(what, func(t *testing.T) {
			var early, late uint64
			through(t, k, func(done int) {
				switch {
				case early == 0 && done >= n/10:
					early = reachable()
				case late == 0 && done >= n-1_000:
					late = reachable()
				}
			})
			require.NotZero(t, late)
			require.Less(t, late, early+inFlight, "it grew")
		})
	}
}

// mostReachable is the most memory that is reachable at four points of one run, in bytes.
func mostReachable(tb testing.TB, k *till, n int, through func(testing.TB, *till, func(int))) uint64 {
	var most uint64
	next := n / 4
	through(tb, k, func(done int) {
		if done >= next {
			most = max(most, reachable())
			next += n / 4
		}
	})
	return most
}

func reachable() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// processorTime is what this process has used of all processors.
func processorTime(tb testing.TB) time.Duration {
	tb.Helper()
	var used syscall.Rusage
	require.NoError(tb, syscall.Getrusage(syscall.RUSAGE_SELF, &used))
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
