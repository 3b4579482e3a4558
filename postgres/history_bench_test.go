package postgres_test

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
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
// processors and memory collected as rarely as the commands let it. closures/s is by the clock; closures/core·s by the processor time
// of this process and of PostgreSQL, which a busy machine changes less; x-json is this process' own time, in units of what encoding/json
// takes to read and write the facts of a closure meanwhile. live-MB is the most that was reachable at a time.
func BenchmarkHistory(b *testing.B) {
	for _, n := range []int{4_000, 40_000} {
		k := newTill(b, twentyLines())
		k.grant(100_000)
		k.history(n)
		var facts string
		require.NoError(b, k.admin.QueryRow(b.Context(), "select facts from closures order by id limit 1").Scan(&facts))
		for what, through := range allOfHistory {
			b.Run(fmt.Sprintf("%s/%d", what, n), func(b *testing.B) {
				defer debug.SetGCPercent(debug.SetGCPercent(400)) // cmd/docket, bulk
				through(b, k, func(int) {})
				var own, theirs, yard time.Duration
				for b.Loop() {
					ours, his := processorTime(b), k.processorTime(b)
					through(b, k, func(int) {})
					own, theirs = own+processorTime(b)-ours, theirs+k.processorTime(b)-his
					b.StopTimer()
					yard += plainJSON(b, facts)
					b.StartTimer()
				}
				closures := float64(n * b.N)
				b.ReportMetric(closures/b.Elapsed().Seconds(), "closures/s")
				b.ReportMetric(closures/(own+theirs).Seconds(), "closures/core·s")
				b.ReportMetric(float64(own)/closures/(float64(yard)/float64(b.N)), "x-json")
				b.ReportMetric(float64(mostReachable(b, k, n, through))/(1<<20), "live-MB")
			})
		}
	}
}

// plainJSON is the yardstick: the processor time that encoding/json takes to read and write the facts once.
func plainJSON(tb testing.TB, facts string) time.Duration {
	const times = 5_000
	began := processorTime(tb)
	for range times {
		var f billing.Facts
		require.NoError(tb, json.Unmarshal([]byte(facts), &f))
		_, err := json.Marshal(f)
		require.NoError(tb, err)
	}
	return (processorTime(tb) - began) / times
}

// TestHistoryStaysOutOfMemory: what is reachable when the last closure is done is the same after a history and after one of
// four times as many closures, to some bytes a closure; and while they run no more pages are under way.
func TestHistoryStaysOutOfMemory(t *testing.T) {
	const (
		n        = 2_000
		atTheEnd = 128 << 10 // of 6,000 closures more: 22 bytes each
		underWay = 8 << 20   // three pages: how many there are when it is looked at is chance
	)
	type held struct{ most, end int64 }
	found := map[string][]held{}
	for _, length := range []int{n, 4 * n} {
		k := newTill(t, twentyLines())
		k.grant(100_000)
		k.history(length)
		for what, through := range allOfHistory {
			through(t, k, func(int) {}) // connections and compiled contracts stay
			before, h := reachable(), held{}
			next := length / 8
			through(t, k, func(done int) {
				if done < next {
					return
				}
				next += length / 8
				h.end = reachable() - before
				h.most = max(h.most, h.end)
			})
			found[what] = append(found[what], h)
		}
	}
	for what, h := range found {
		t.Logf("%s: %d KB at the end of %d closures and %d KB of %d, at most %d KB and %d KB", what, h[0].end>>10, n, h[1].end>>10, 4*n, h[0].most>>10, h[1].most>>10)
		require.Less(t, h[1].end-h[0].end, int64(atTheEnd), "%s keeps what it has done with", what)
		require.Less(t, h[1].most-h[0].most, int64(underWay), "%s reads ahead", what)
	}
}

// mostReachable is the most memory that is reachable at four points of one run, in bytes.
func mostReachable(tb testing.TB, k *till, n int, through func(testing.TB, *till, func(int))) int64 {
	var most int64
	next := n / 4
	through(tb, k, func(done int) {
		if done >= next {
			most = max(most, reachable())
			next += n / 4
		}
	})
	return most
}

// reachable is what is in memory and not garbage, in bytes. What pools keep is garbage the second time.
func reachable() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// processorTime is what PostgreSQL's sessions of this database have used of all processors.
func (k *till) processorTime(tb testing.TB) time.Duration {
	tb.Helper()
	rows, err := k.admin.Query(tb.Context(), "select pid from pg_stat_activity where datname = current_database() and backend_type = 'client backend'")
	require.NoError(tb, err)
	sessions, err := pgx.CollectRows(rows, pgx.RowTo[int])
	require.NoError(tb, err)
	var sum time.Duration
	for _, pid := range sessions {
		told, err := os.ReadFile(fmt.Sprintf("/proc/%d/schedstat", pid))
		require.NoError(tb, err)
		ran, _, _ := strings.Cut(string(told), " ")
		ns, err := strconv.ParseInt(ran, 10, 64)
		require.NoError(tb, err)
		sum += time.Duration(ns)
	}
	return sum
}

// processorTime is what this process has used of all processors.
func processorTime(tb testing.TB) time.Duration {
	tb.Helper()
	var used syscall.Rusage
	require.NoError(tb, syscall.Getrusage(syscall.RUSAGE_SELF, &used))
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
