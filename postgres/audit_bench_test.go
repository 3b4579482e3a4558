package postgres_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// BenchmarkAudit audits whole databases.
func BenchmarkAudit(b *testing.B) {
	for _, n := range []int{2_000, 20_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			k := newTill(b, twentyLines())
			k.grant(100_000)
			k.history(n)
			for b.Loop() {
				a, err := k.Audit(b.Context(), nil)
				require.NoError(b, err)
				require.True(b, a.Clean(), "%+v", a.Mismatched)
			}
			b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "closures/s")
		})
	}
}
