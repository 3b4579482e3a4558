package desk_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

func TestFromATicketToALine(t *testing.T) {
	o := openOffice(t)
	o.work()
	id := o.opened("Printer jams")
	o.eventually(id, ticket.Resolution)
	answer, err := o.Claim(t.Context(), id, ticket.Claim{Header: by("ines.duarte")})
	require.NoError(t, err)
	assert.Equal(t, "ines.duarte", answer.Assignee)
	receipt, err := o.Resolve(t.Context(), id, ticket.Resolve{
		Header: by("ines.duarte"), Resolution: "Roller replaced", Work: []ticket.WorkEntry{worked(20 * time.Minute)},
	})
	require.NoError(t, err)
	require.Len(t, receipt.Posted, 1)
	assert.Equal(t, billing.Covered, receipt.Posted[0].Kind)
	o.eventually(id, ticket.Posted)

	shown, err := o.Show(t.Context(), id)
	require.NoError(t, err)
	kinds := map[string]bool{}
	for _, m := range shown.Timeline {
		kinds[m.Kind] = true
	}
	for _, kind := range []string{"opened", "triaged", "routed", "claim", "work", "closed", "line"} {
		assert.True(t, kinds[kind], "the timeline tells of %s", kind)
	}
	require.NotNil(t, shown.Live)
	assert.Equal(t, ticket.Posted, shown.Live.Stage)
}

func TestProblemsTravelTyped(t *testing.T) {
	o := openOffice(t)
	o.work()
	id := o.opened("typed problems")
	o.eventually(id, ticket.Resolution)
	ctx := t.Context()

	_, err := o.Claim(ctx, id, ticket.Claim{Header: by("nobody")})
	assert.Equal(t, "who", fieldsOf(err), "found in the database, behind the workflow")
	_, err = o.Work(ctx, id, ticket.Work{Header: by("tom.reyes"), Entry: worked(-time.Minute)})
	assert.Contains(t, fieldsOf(err), "work.ms")
	future := worked(time.Minute)
	future.StartedAt = time.Now().Add(time.Hour)
	_, err = o.Resolve(ctx, id, ticket.Resolve{Header: by("tom.reyes"), Resolution: "x", Work: []ticket.WorkEntry{future}})
	assert.Equal(t, "work.started_at", fieldsOf(err))
	_, err = o.Reply(ctx, id, by("alice.grant"), "a\x00b")
	assert.Equal(t, "body", fieldsOf(err))
	_, err = o.Claim(ctx, "T-99999", ticket.Claim{Header: by("tom.reyes")})
	assert.Equal(t, "ticket", fieldsOf(err))
	late := by("tom.reyes")
	late.At = time.Now().Add(time.Hour)
	_, err = o.Wait(ctx, id, ticket.Wait{Header: late, Reason: "customer"})
	assert.Equal(t, "at", fieldsOf(err))
}

func TestMessagesFollowAMerge(t *testing.T) {
	o := openOffice(t)
	o.work()
	one, other := o.opened("the same fault"), o.opened("the same fault again")
	o.eventually(one, ticket.Resolution)
	o.eventually(other, ticket.Resolution)
	answer, err := o.Merge(t.Context(), other, ticket.Merge{Header: by("mara.lindqvist"), Into: one})
	require.NoError(t, err)
	require.True(t, answer.Effect, answer.Says)
	claimed, err := o.Claim(t.Context(), other, ticket.Claim{Header: by("tom.reyes")})
	require.NoError(t, err)
	assert.Equal(t, one, claimed.Ticket)
	sent, err := o.Reply(t.Context(), other, by("alice.grant"), "still broken")
	require.NoError(t, err)
	assert.Equal(t, one, sent.Ticket)
}

func TestHeldUntilTheClientSigns(t *testing.T) {
	o := openOffice(t)
	o.work()
	over := opening("rendering workstation shuts down")
	over.Client = "redwood"
	opened, err := o.Open(t.Context(), over)
	require.NoError(t, err)
	o.eventually(opened.Ticket, ticket.Resolution)
	receipt, err := o.Resolve(t.Context(), opened.Ticket, ticket.Resolve{
		Header: by("pavel.novak"), Resolution: "Firmware reflashed", Work: []ticket.WorkEntry{worked(5 * time.Hour)},
	})
	require.NoError(t, err)
	require.Len(t, receipt.Held, 1)
	quote := receipt.Held[0]
	signed, err := o.SignOff(t.Context(), opened.Ticket, ticket.SignOff{
		Header: by(quote.Approvers[0]), Hold: quote.Hold, Digest: "another quote", Approved: true,
	})
	require.NoError(t, err)
	assert.Equal(t, billing.Stale, signed.Outcome)
	signed, err = o.SignOff(t.Context(), opened.Ticket, ticket.SignOff{
		Header: by(quote.Approvers[0]), Hold: quote.Hold, Digest: quote.Digest, Approved: true,
	})
	require.NoError(t, err)
	assert.Equal(t, billing.Settled, signed.Outcome)
	o.eventually(opened.Ticket, ticket.Posted)

	answer, err := o.Reopen(t.Context(), opened.Ticket, ticket.Reopen{Header: by("neil.foster"), Reason: "It shuts down again"})
	require.NoError(t, err)
	assert.Equal(t, 2, answer.Round)
}
