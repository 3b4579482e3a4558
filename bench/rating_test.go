package bench

import (
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestRatingMeasuresEverySide(t *testing.T) {
	r, err := Rating(t.Context(), RatingOptions{Now: time.Now, Phase: 20 * time.Millisecond, Rounds: 2, Progress: io.Discard})
	require.NoError(t, err)
	require.LessOrEqual(t, r.Allocations, 400.0)
	for _, side := range [][]float64{r.Plain, r.Decide, r.Audit, r.WhatIf, r.AuditAll, r.WhatIfAll} {
		require.Len(t, side, 2)
		require.Positive(t, side[0])
	}
	require.Positive(t, r.AuditPlain)
}
