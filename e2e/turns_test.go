package e2e_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

func TestE2EDeclinedQuoteIsRuledOnByADispatcher(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.work()
	id := h.inResolution("email")
	receipt, err := h.desk.Resolve(t.Context(), id, h.resolve("tom", h.minutes(240)))
	require.NoError(t, err)
	no := h.approve(receipt.Held[0])
	no.Approved, no.Reason = false, "Nobody told us it would take that long."
	declined, err := h.desk.SignOff(t.Context(), id, no)
	require.NoError(t, err)
	require.Equal(t, billing.Passed, declined.Outcome, declined.Says)
	require.Len(t, declined.Held, 1, "it waits for a dispatcher now")
	require.Empty(t, h.billed(id))

	ruled, err := h.desk.Rule(t.Context(), id, ticket.Rule{Header: h.by("dora"), Hold: declined.Held[0].Hold, Action: ticket.Cover, Reason: "It belongs to the last one."})
	require.NoError(t, err)
	require.Equal(t, billing.Settled, ruled.Outcome, ruled.Says)
	require.Equal(t, ticket.Posted, h.ends(id).Stage)
	require.Equal(t, []string{"0.00"}, h.billed(id))
	h.proved(1)
}

func TestE2EMergedTicketPassesLaterMessagesOn(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.work()
	from, into := h.inResolution("email"), h.inResolution("email")
	_, err := h.desk.Work(t.Context(), from, ticket.Work{Header: h.by("tom"), Entry: h.minutes(30)})
	require.NoError(t, err)
	h.until("the work written", func(context.Context) bool { return len(h.logging(from)) == 1 })
	merged, err := h.desk.Merge(t.Context(), from, ticket.Merge{Header: h.by("dora"), Into: into})
	require.NoError(t, err)
	require.True(t, merged.Effect, merged.Says)
	require.Equal(t, into, merged.Into)
	require.Equal(t, ticket.Merged, h.ends(from).Stage)

	// The desk follows the merge.
	more := ticket.Work{Header: h.by("dora"), Entry: h.minutes(30)}
	_, err = h.desk.Work(t.Context(), from, more)
	require.NoError(t, err)
	h.until("the work on the ticket that carries on", func(context.Context) bool { return len(h.logging(into)) == 1 })
	receipt, err := h.desk.Resolve(t.Context(), from, h.resolve("tom"))
	require.NoError(t, err)
	require.Equal(t, string(into), receipt.Ticket)
	require.Equal(t, ticket.Posted, h.ends(into).Stage)
	require.Equal(t, []string{"75.00", "75.00"}, h.billed(into), "the work of both tickets")
	require.Empty(t, h.billed(from))
	h.proved(1)
}
