package workflows_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/client"
	sdkworker "go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/docket-psa/docket/ticket"
	"github.com/docket-psa/docket/workflows"
)

// update records the histories anew, on a real server: go test ./workflows -run Replay -update.
// Add a history when the lifecycle learns something; keep the old ones for as long as a run of
// their kind may be open.
var update = flag.Bool("update", false, "record testdata/histories on a real Temporal server")

const histories = "testdata/histories"

func TestReplayOfSavedHistories(t *testing.T) {
	if *update {
		record(t)
	}
	saved, err := filepath.Glob(filepath.Join(histories, "*.json"))
	require.NoError(t, err)
	require.NotEmpty(t, saved)
	for _, path := range saved {
		t.Run(filepath.Base(path), func(t *testing.T) {
			replayer, err := sdkworker.NewWorkflowReplayerWithOptions(sdkworker.WorkflowReplayerOptions{})
			require.NoError(t, err)
			replayer.RegisterWorkflowWithOptions(workflows.Ticket, workflow.RegisterOptions{Name: ticket.WorkflowType})
			replayer.RegisterWorkflowWithOptions(workflows.Periods, workflow.RegisterOptions{Name: workflows.PeriodsType})
			require.NoError(t, replayer.ReplayWorkflowHistory(nil, read(t, path)))
		})
	}
}

// A covered ticket of an AI agent, with claim, work and resolution apart, stays within 40 events.
func TestCoveredTicketIsCheap(t *testing.T) {
	h := read(t, filepath.Join(histories, "covered.json"))
	kinds := map[enumspb.EventType]int{}
	for _, e := range h.Events {
		kinds[e.EventType]++
	}
	require.LessOrEqual(t, len(h.Events), 40)
	require.Equal(t, 1, kinds[enumspb.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED], "only the closing is a regular activity")
	require.LessOrEqual(t, kinds[enumspb.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES], 2)
}

func read(t *testing.T, path string) *historypb.History {
	t.Helper()
	f, err := os.Open(path)
	require.NoError(t, err)
	defer func() { require.NoError(t, f.Close()) }()
	h, err := client.HistoryFromJSON(f, client.HistoryJSONOptions{})
	require.NoError(t, err)
	return h
}
