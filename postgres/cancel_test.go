package postgres

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/ticket"
)

func TestCancelEndsATicketWithoutWorkAndItsStart(t *testing.T) {
	k := newKit(t)
	opened, err := k.Open(k.ctx, k.opening("northwind"))
	require.NoError(t, err)
	answer, err := k.Cancel(k.ctx, opened.Ticket, ticket.Cancel{Header: k.by("nina"), Reason: "it works again"})
	require.NoError(t, err)
	require.True(t, answer.Effect)
	require.Equal(t, ticket.Cancelled, answer.Stage)
	pending, err := k.Pending(k.ctx, friday.Add(time.Hour), 10)
	require.NoError(t, err)
	require.Empty(t, pending)

	claim, err := k.Claim(k.ctx, opened.Ticket, ticket.Claim{Header: k.by("ada")})
	require.NoError(t, err)
	require.False(t, claim.Effect)
	require.Equal(t, "T-1001 was cancelled; reopen it to claim it.", claim.Says)
}

func TestCancelVoidsWhatTheClientWasAsked(t *testing.T) {
	k := newKit(t)
	id := k.open("northwind")
	quote, err := k.RequestApproval(k.ctx, id, ticket.RequestApproval{Header: k.by("ada"), Action: "Replace the switch", Amount: "900", Currency: "EUR"})
	require.NoError(t, err)
	request := ticket.Cancel{Header: k.by("operator"), Reason: "the workflow was cancelled"}
	_, err = k.Cancel(k.ctx, id, request)
	require.Equal(t, "who", problem(t, err).Field, "the operator is who cancels in Temporal, and nobody else")
	request.Via = ticket.ViaTemporal
	_, err = k.Cancel(k.ctx, id, request)
	require.NoError(t, err)
	require.Equal(t, "void", value[string](k, "select state from holds where id = $1", quote.Hold))
	held, err := k.Held(k.ctx, id)
	require.NoError(t, err)
	require.Empty(t, held)
}

func TestATicketWithWorkIsNotCancelled(t *testing.T) {
	k := newKit(t)
	id := k.open("northwind")
	_, err := k.Log(k.ctx, id, ticket.Work{Header: k.by("ada"), Entry: k.work()})
	require.NoError(t, err)
	answer, err := k.Cancel(k.ctx, id, ticket.Cancel{Header: k.by("dora"), Reason: "spam"})
	require.NoError(t, err)
	require.False(t, answer.Effect)
	require.Equal(t, ticket.Resolution, answer.Stage)
	require.Contains(t, answer.Says, "resolve it with the code spam, duplicate or silent")
}

func TestALateMessageIsOnRecordAndItsKeyStaysFree(t *testing.T) {
	k := newKit(t)
	id := k.open("northwind")
	_, err := k.pool.Exec(k.ctx, "update tickets set stage = 'posted' where number = $1", id.Number())
	require.NoError(t, err)
	h := k.by("somebody the desk does not know")
	answer, err := k.Late(k.ctx, id, ticket.MsgWait, h, "")
	require.NoError(t, err)
	require.False(t, answer.Effect)
	require.Equal(t, ticket.Posted, answer.Stage)
	require.Contains(t, answer.Says, "came too late: T-1001 is closed; reopen it")
	again, err := k.Late(k.ctx, id, ticket.MsgWait, h, "")
	require.NoError(t, err)
	require.Equal(t, answer, again)
	require.Equal(t, 1, value[int](k, "select count(*) from ticket_events where kind = 'late' and not effect"))

	refused, err := k.Late(k.ctx, id, ticket.MsgWait, k.by("mallory"), `who "mallory" is not known`)
	require.NoError(t, err)
	require.False(t, refused.Effect)
	require.Equal(t, `Nothing came of what mallory sent: who "mallory" is not known; T-1001 is posted.`, refused.Says, "what is wrong, and what is true now")

	_, err = k.pool.Exec(k.ctx, "update tickets set stage = 'resolution', round = 2 where number = $1", id.Number())
	require.NoError(t, err)
	h.Who = "ada"
	answer, err = k.Wait(k.ctx, id, ticket.Wait{Header: h, Reason: "customer"})
	require.NoError(t, err)
	require.True(t, answer.Effect)
}
