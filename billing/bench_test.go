package billing_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
)

// busyFacts are three entries, of two kinds of work and an agent, under a compiled contract of
// twenty lines.
func busyFacts(tb testing.TB) billing.Facts {
	tb.Helper()
	var body strings.Builder
	body.WriteString("time: {minimum: 15m, increment: 15m}\nrates: [{hourly: 150}, {work_role: architect, hourly: 200}, {actor: ai, hourly: 36}]\nlines:\n")
	for i := range 18 {
		fmt.Fprintf(&body, "  - {clause: A%d, name: Service %d, match: {categories: [Category %d], work_types: [remote, onsite]}, charge: covered}\n", i, i, i)
	}
	body.WriteString("  - {clause: B1, name: Block hours, match: {work_types: [remote]}, charge: block}\n  - {clause: T1, name: Support, charge: time}\n")
	f := under(tb, contract("HB-1", body.String()), work(1, noon, 42*minute), typed(work(2, noon.Add(time.Hour), 20*minute), "onsite"), aiWork(3, noon, 2*second))
	f.Blocks = []billing.Block{block(7, 30*minute)}
	return f
}

func BenchmarkDecide(b *testing.B) {
	f := busyFacts(b)
	d, err := billing.Decide(f)
	require.NoError(b, err)
	require.Len(b, d.Charges, 4)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := billing.Decide(f); err != nil {
			b.Fatal(err)
		}
	}
}

// TestDecideStaysWithinItsAllocations holds the number that BenchmarkDecide only shows: allocations
// do not depend on the machine.
func TestDecideStaysWithinItsAllocations(t *testing.T) {
	f := busyFacts(t)
	var err error
	allocations := testing.AllocsPerRun(100, func() { _, err = billing.Decide(f) })
	require.NoError(t, err)
	require.LessOrEqual(t, allocations, 400.0)
}

// stored is a closure as the database keeps it.
type stored struct {
	facts, decision, digest string
	terms                   []*billing.Terms
}

func storedOf(tb testing.TB, f billing.Facts) stored {
	tb.Helper()
	facts, err := billing.Canonical(f)
	require.NoError(tb, err)
	d, err := billing.Decide(f)
	require.NoError(tb, err)
	decision, err := billing.Canonical(d)
	require.NoError(tb, err)
	s := stored{facts: string(facts), decision: string(decision), digest: billing.DigestOf(decision)}
	for _, v := range f.Contracts {
		s.terms = append(s.terms, v.Terms)
	}
	return s
}

// rerate is what an audit does with each closure: read the facts, decide, write, compare.
func (s *stored) rerate(b *testing.B, scratch []byte) []byte {
	f, err := billing.ParseFacts(s.facts)
	if err != nil {
		b.Fatal(err)
	}
	for i := range f.Contracts {
		f.Contracts[i].Terms = s.terms[i]
	}
	d, err := billing.Decide(f)
	if err != nil {
		b.Fatal(err)
	}
	if scratch, err = billing.AppendCanonical(scratch[:0], d); err != nil {
		b.Fatal(err)
	}
	if billing.DigestOf(scratch) != s.digest {
		b.Fatal("another digest")
	}
	return scratch
}

// BenchmarkRerate re-rates stored closures: the busy ones of three entries under a contract of
// twenty lines, and the covered ones of an agent that the demo is full of. `all` uses every
// processor. `ratio` takes turns with a yardstick, encoding/json reading and writing the same
// facts, so that it means the same on any machine.
func BenchmarkRerate(b *testing.B) {
	for _, of := range []struct {
		name  string
		facts billing.Facts
	}{{"busy", busyFacts(b)}, {"covered", under(b, contract("AYCE-1", allCare), aiWork(1, noon, 2*second))}} {
		s := storedOf(b, of.facts)
		b.Run(of.name+"/all", func(b *testing.B) {
			b.ReportAllocs()
			cpu := processorTime(b)
			b.RunParallel(func(pb *testing.PB) {
				var scratch []byte
				for pb.Next() {
					scratch = s.rerate(b, scratch)
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "closures/s")
			b.ReportMetric(float64(b.N)/(processorTime(b)-cpu).Seconds(), "closures/core·s")
		})
		b.Run(of.name+"/ratio", func(b *testing.B) {
			const turn = 100 // closures
			var ours, yardstick time.Duration
			var scratch []byte
			for b.Loop() {
				began := time.Now()
				for range turn {
					scratch = s.rerate(b, scratch)
				}
				ours += time.Since(began)
				began = time.Now()
				for range turn {
					s.plain(b)
				}
				yardstick += time.Since(began)
			}
			b.ReportMetric(float64(ours)/float64(yardstick), "×encoding/json")
		})
	}
}

// plain reads and writes the facts by encoding/json, and decides nothing.
func (s *stored) plain(b *testing.B) {
	var f billing.Facts
	if err := json.Unmarshal([]byte(s.facts), &f); err != nil {
		b.Fatal(err)
	}
	if _, err := json.Marshal(f); err != nil {
		b.Fatal(err)
	}
}

// processorTime is what this process has used of all processors. On a busy machine it says what
// the clock does not.
func processorTime(b *testing.B) time.Duration {
	var used syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &used))
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
