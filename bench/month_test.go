package bench

import (
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	sdklog "go.temporal.io/sdk/log"

	"github.com/docket-psa/docket/internal/testenv"
)

// A small month is closed, rendered and proved as a large one is.
func TestMonthIsMeasured(t *testing.T) {
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	r, err := Month(t.Context(), MonthOptions{
		Stack:   Stack{Now: time.Now, SearchAttributes: testenv.SearchAttributes, Logger: sdklog.NewStructuredLogger(log)},
		Clients: 12, Lines: 15, Papers: 3, Connections: 2, Phase: time.Second, Scale: 1, Conns: 4, Progress: io.Discard,
	})
	require.NoError(t, err)
	require.Len(t, r.TPCB, 3)
	require.Equal(t, 6, r.Quarter.Deeds, "a run and an invoice of each of three clients")
	require.Equal(t, 24, r.Whole.Deeds)
	require.GreaterOrEqual(t, r.Whole.Commits, int64(24))
	require.Positive(t, r.Whole.Temporals)
	require.Positive(t, r.Whole.DeedsTPCB)
	require.Positive(t, r.Memory)
	require.Positive(t, r.Documents)
	require.Equal(t, (3+3+12)*2, r.Audited, "of each client, two tickets of the eleven lines that are work")
	require.Equal(t, 3+3+12, r.Postings)
}
