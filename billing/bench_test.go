package billing_test

import (
	"fmt"
	"strings"
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
