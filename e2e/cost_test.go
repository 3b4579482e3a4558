package e2e_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"

	"github.com/docket-psa/docket/ticket"
)

// What a covered ticket of an AI agent costs in history, from its opening to its posted line.
func TestE2ECoveredTicketOfAnAgentHasAShortHistory(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.work()
	id := h.inResolution("password-reset")
	_, err := h.desk.Claim(t.Context(), id, ticket.Claim{Header: h.by("bot")})
	require.NoError(t, err)
	measured := h.minutes(1)
	measured.MS = 41_500
	receipt, err := h.desk.Resolve(t.Context(), id, h.resolve("bot", measured))
	require.NoError(t, err)
	require.Len(t, receipt.Posted, 1)
	require.Equal(t, "2.2", receipt.Posted[0].Clause)
	require.True(t, receipt.Posted[0].Amount.IsZero())
	require.Equal(t, ticket.Posted, h.ends(id).Stage)
	require.Equal(t, []string{"0.00"}, h.billed(id))

	events := map[enumspb.EventType]int{}
	all := h.history(id).Events
	for _, e := range all {
		events[e.EventType]++
	}
	require.LessOrEqual(t, len(all), 40)
	require.Equal(t, 1, events[enumspb.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED], "the closing alone is a regular activity")
	require.Zero(t, events[enumspb.EVENT_TYPE_TIMER_STARTED], "nothing was promised, so nothing falls due")
	for _, expected := range []enumspb.EventType{
		enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED, enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
		enumspb.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED, enumspb.EVENT_TYPE_WORKFLOW_TASK_STARTED, enumspb.EVENT_TYPE_WORKFLOW_TASK_COMPLETED,
		enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED, enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED,
		enumspb.EVENT_TYPE_MARKER_RECORDED, enumspb.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES,
		enumspb.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED, enumspb.EVENT_TYPE_ACTIVITY_TASK_STARTED, enumspb.EVENT_TYPE_ACTIVITY_TASK_COMPLETED,
	} {
		delete(events, expected)
	}
	require.Empty(t, events, "events of kinds that such a ticket does not need")
	h.proved(1)
}
