package e2e_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/workflowservice/v1"

	"github.com/docket-psa/docket/ticket"
)

const acmeSLA = `
schema: docket.contract/v1
contract: acme-sla
client: acme
name: Promises
priority: 10
effective_from: "2020-01-01"
currency: USD
time_zone: America/New_York
lines: [{clause: "2.1", name: Support, charge: covered}]
sla:
  calendar: 24x7
  pauses_on: [customer, approval]
  targets: {1: {response: 12h, resolution: 40h}, 2: {response: 12h, resolution: 60h}, 3: {response: 12h, resolution: 60h}, 4: {response: 12h, resolution: 60h}, 5: {response: 12h, resolution: 60h}}
`

// What a dispatcher finds by `temporal workflow list --query` after each turn of a ticket's clocks.
func TestSearchesInTemporalFindDeadlinesAsTheyStand(t *testing.T) {
	h := open(t)
	h.work()
	_, err := h.ApplyContract(t.Context(), []byte(acmeSLA), "dora", true)
	require.NoError(t, err)
	id := h.inResolution("email") // opened eight hours ago
	opened := h.opening("email").OpenedAt
	finds := func(what, query string, args ...any) {
		t.Helper()
		query = fmt.Sprintf("WorkflowId = '%s' AND ExecutionStatus = 'Running' AND ", id.WorkflowID()) + fmt.Sprintf(query, args...)
		h.until(what+": "+query, func(ctx context.Context) bool {
			n, err := h.temporal.CountWorkflow(ctx, &workflowservice.CountWorkflowExecutionsRequest{Query: query})
			return err == nil && n.GetCount() == 1
		})
	}
	around := func(at time.Time) []any {
		return []any{at.Add(-15 * time.Minute).UTC().Format(time.RFC3339), at.Add(15 * time.Minute).UTC().Format(time.RFC3339)}
	}
	finds("opened", "SLAResponseDue BETWEEN '%s' AND '%s'", around(opened.Add(12*time.Hour))...)
	finds("opened", "SLADue BETWEEN '%s' AND '%s'", around(opened.Add(60*time.Hour))...)

	_, err = h.desk.Claim(t.Context(), id, ticket.Claim{Header: h.by("tom")})
	require.NoError(t, err)
	finds("claimed", "SLAResponseDue IS NULL")

	_, err = h.desk.Prioritise(t.Context(), id, ticket.Prioritise{Header: h.by("dora"), Priority: 1, Reason: "the whole floor is down"})
	require.NoError(t, err)
	finds("another priority", "Priority = 1 AND SLADue BETWEEN '%s' AND '%s'", around(opened.Add(40*time.Hour))...)

	_, err = h.desk.Wait(t.Context(), id, ticket.Wait{Header: h.by("tom"), Reason: "customer"})
	require.NoError(t, err)
	finds("it waits", "TicketStage = 'waiting' AND SLADue IS NULL")
	_, err = h.desk.Resume(t.Context(), id, ticket.Resume{Header: h.by("tom")})
	require.NoError(t, err)
	finds("it is resumed", "SLADue BETWEEN '%s' AND '%s'", around(opened.Add(40*time.Hour))...)

	_, err = h.desk.RequestApproval(t.Context(), id, ticket.RequestApproval{Header: h.by("tom"), Action: "Replace the fuser", Amount: "240.00", Currency: "USD"})
	require.NoError(t, err)
	finds("the client is asked", "SLADue IS NULL")
	held, err := h.Held(t.Context(), id)
	require.NoError(t, err)
	_, err = h.desk.SignOff(t.Context(), id, ticket.SignOff{Header: h.by("ann"), Hold: held[0].Hold, Digest: held[0].Digest, Approved: true})
	require.NoError(t, err)
	finds("he has answered", "SLADue BETWEEN '%s' AND '%s'", around(opened.Add(40*time.Hour))...)
	h.replays(id)

	_, err = h.desk.Resolve(t.Context(), id, h.resolve("tom", h.minutes(20)))
	require.NoError(t, err)
	h.ends(id)
	_, err = h.desk.Reopen(t.Context(), id, ticket.Reopen{Header: h.by("carl"), Reason: "still broken"})
	require.NoError(t, err)
	finds("it is reopened", "SLAResponseDue IS NULL AND SLADue BETWEEN '%s' AND '%s'", around(opened.Add(40*time.Hour))...)
}
