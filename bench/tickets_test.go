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

// The yardstick stays one: whoever changes what a ticket's workflow does sees here that the empty
// workflow must follow, before anybody reads a ratio that compares two different things.
func TestEmptyWorkflowHasTheHistoryOfACoveredTicket(t *testing.T) {
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	r, err := Tickets(t.Context(), TicketOptions{
		Stack: Stack{Now: time.Now, SearchAttributes: testenv.SearchAttributes, Logger: sdklog.NewStructuredLogger(log)},
		Log:   log, Concurrent: 2, Phase: time.Second, Rounds: 1, Conns: 4, Progress: io.Discard,
	})
	require.NoError(t, err)
	require.LessOrEqual(t, r.Events, 40, "%v", r.History)
	require.Positive(t, r.Ticket.Done)
	require.Positive(t, r.Empty.Done)
	require.Positive(t, r.CPURatio)
	require.Positive(t, r.Ticket.Commits)
	require.Positive(t, r.Ticket.WALBytes)
	require.Zero(t, r.Leaked)
}
