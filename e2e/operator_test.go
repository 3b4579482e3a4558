package e2e_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

func TestE2ETerminatedRunIsFollowedByOneThatGoesOnFromItsStage(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.work()
	id := h.inResolution("email")
	_, err := h.desk.Work(t.Context(), id, ticket.Work{Header: h.by("tom"), Entry: h.minutes(180)})
	require.NoError(t, err)
	h.until("the work written", func(context.Context) bool { return len(h.logging(id)) == 1 })
	require.NoError(t, h.temporal.TerminateWorkflow(t.Context(), id.WorkflowID(), "", "by an operator"))

	last := h.minutes(60)
	last.Actor = "dora"
	receipt, err := h.desk.Resolve(t.Context(), id, h.resolve("tom", last))
	require.NoError(t, err)
	require.Len(t, receipt.Held, 1, "four hours are above the threshold: what was logged before counts")
	h.until("the next run waits", func(context.Context) bool { return h.happened(id, enumspb.EVENT_TYPE_TIMER_STARTED) > 0 })
	require.NoError(t, h.temporal.TerminateWorkflow(t.Context(), id.WorkflowID(), "", "by an operator"))

	settlement, err := h.desk.SignOff(t.Context(), id, h.approve(receipt.Held[0]))
	require.NoError(t, err)
	require.Equal(t, billing.Settled, settlement.Outcome, settlement.Says)
	require.Equal(t, ticket.Posted, h.ends(id).Stage)
	require.Len(t, h.told(id, "triaged"), 1, "what was done is not done again")
	require.Len(t, h.told(id, "routed"), 1)
	require.Equal(t, []string{"450.00", "150.00"}, h.billed(id))
	h.proved(1)
}

func TestE2ECancellingARunInTemporal(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.work()

	fresh := h.inResolution("email")
	require.NoError(t, h.temporal.CancelWorkflow(t.Context(), fresh.WorkflowID(), ""))
	h.reaches(fresh, ticket.Cancelled)
	var canceled *temporal.CanceledError
	require.ErrorAs(t, h.temporal.GetWorkflow(t.Context(), fresh.WorkflowID(), "").Get(t.Context(), nil), &canceled)
	h.replays(fresh)

	worked := h.inResolution("email")
	_, err := h.desk.Work(t.Context(), worked, ticket.Work{Header: h.by("tom"), Entry: h.minutes(30)})
	require.NoError(t, err)
	h.until("the work written", func(context.Context) bool { return len(h.logging(worked)) == 1 })
	require.NoError(t, h.temporal.CancelWorkflow(t.Context(), worked.WorkflowID(), ""))
	h.until("the request on record", func(context.Context) bool { return len(h.told(worked, string(ticket.MsgCancel))) == 1 })
	request := h.told(worked, string(ticket.MsgCancel))[0]
	require.False(t, request.Effect, "work that was logged is billed or ruled on, not dropped by a button")
	require.Equal(t, "operator", request.Actor)
	require.Equal(t, ticket.ViaTemporal, request.Via)
	_, err = h.desk.Resolve(t.Context(), worked, h.resolve("tom"))
	require.NoError(t, err)
	require.Equal(t, ticket.Posted, h.ends(worked).Stage)
	require.Equal(t, []string{"75.00"}, h.billed(worked))
	h.proved(1)
}

func TestE2EForgedSignOffIsRecordedAndChangesNothing(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.work()
	id := h.inResolution("email")
	receipt, err := h.desk.Resolve(t.Context(), id, h.resolve("tom", h.minutes(240)))
	require.NoError(t, err)
	held := receipt.Held[0]

	// Typed into the Temporal UI: by who did the work, by a contact who approves nothing, by nobody known, and in the name
	// of her who may.
	for _, who := range []string{"tom", "carl", "mallory", "ann"} {
		forged := h.approve(held)
		forged.Who = who
		if who != "ann" {
			forged.Via = ""
		}
		require.NoError(t, h.temporal.SignalWorkflow(t.Context(), id.WorkflowID(), "", string(ticket.MsgSignOff), forged))
		h.until("the sign-off of "+who+" on record", func(context.Context) bool {
			for _, m := range h.timeline(id) {
				if m.Actor == who && !m.Effect {
					require.Equal(t, ticket.ViaTemporal, m.Via)
					return true
				}
			}
			return false
		})
	}
	require.Empty(t, h.billed(id))
	at, err := h.Ticket(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, ticket.Held, at.Stage)

	settlement, err := h.desk.SignOff(t.Context(), id, h.approve(held))
	require.NoError(t, err)
	require.Equal(t, billing.Settled, settlement.Outcome, settlement.Says)
	h.ends(id)
	require.Equal(t, []string{"600.00"}, h.billed(id))
	h.proved(1)
}

func TestE2EMalformedSignalsDoNotStopATicket(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.work()
	id := h.inResolution("email")
	for name, payload := range map[ticket.Name]any{
		ticket.MsgClaim:   "not an object",
		ticket.MsgWork:    map[string]any{"operation_key": "w", "who": "tom", "entry": map[string]any{"ms": -5}},
		ticket.MsgSignOff: []int{1, 2, 3},
		ticket.MsgResolve: nil,
		ticket.MsgRule:    map[string]any{"hold": "seven"},
	} {
		require.NoError(t, h.temporal.SignalWorkflow(t.Context(), id.WorkflowID(), "", string(name), payload))
	}
	require.NoError(t, h.temporal.SignalWorkflow(t.Context(), id.WorkflowID(), "", "no-such-message", "anything"))
	h.until("each on record", func(context.Context) bool { return len(h.told(id, "late")) == 5 })
	for _, m := range h.told(id, "late") {
		require.False(t, m.Effect)
		require.Equal(t, ticket.ViaTemporal, m.Via)
	}

	receipt, err := h.desk.Resolve(t.Context(), id, h.resolve("tom", h.minutes(30)))
	require.NoError(t, err)
	require.Len(t, receipt.Posted, 1)
	require.Equal(t, ticket.Posted, h.ends(id).Stage)
	require.Equal(t, []string{"75.00"}, h.billed(id))
	h.proved(1)
}
