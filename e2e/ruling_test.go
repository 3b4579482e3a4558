package e2e_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/ticket"
)

func TestE2EAProposedRulingTakesASecondPersonAtTheDesk(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.work()
	require.NoError(t, h.PutPerson(t.Context(), postgres.Staffing{Person: ticket.Person{ID: "olga", Name: "Olga", Kind: ticket.Human, Roles: []string{"owner"}}}))
	id := h.inResolution("project")
	receipt, err := h.desk.Resolve(t.Context(), id, h.resolve("tom", h.minutes(480)))
	require.NoError(t, err)
	held := receipt.Held[0]
	require.Equal(t, billing.OutOfScope, held.Reason)

	proposed, err := h.desk.Rule(t.Context(), id, ticket.Rule{Header: h.by("dora"), Hold: held.Hold, Action: ticket.WriteOff, Reason: "we were late"})
	require.NoError(t, err)
	require.Equal(t, billing.Proposed, proposed.Outcome, proposed.Says)
	require.Len(t, h.told(id, "co-rule"), 1)

	// Typed into the Temporal UI in her name, it is on record and changes nothing.
	agreed := ticket.Confirm{Header: h.by("olga"), Hold: held.Hold, Proposal: proposed.Proposal, Agreed: true}
	require.NoError(t, h.temporal.SignalWorkflow(t.Context(), id.WorkflowID(), "", string(ticket.MsgConfirm), agreed))
	h.until("the forged word on record", func(context.Context) bool { return len(h.told(id, "confirm")) == 1 })
	require.False(t, h.told(id, "confirm")[0].Effect)
	require.Contains(t, h.told(id, "confirm")[0].Says, "nobody has proved that olga said so")
	at, err := h.Ticket(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, ticket.Held, at.Stage)

	agreed.Header = h.by("olga")
	settled, err := h.desk.Confirm(t.Context(), id, agreed)
	require.NoError(t, err)
	require.Equal(t, billing.Settled, settled.Outcome, settled.Says)
	require.Equal(t, ticket.Posted, h.ends(id).Stage)
	require.Empty(t, h.billed(id))
	h.proved(1)
}
