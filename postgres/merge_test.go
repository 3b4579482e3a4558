package postgres

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/ticket"
)

func TestEdge07MergeMovesUnratedWorkAndTheConversationOnce(t *testing.T) {
	k := newKit(t)
	child, into := k.open("northwind"), k.open("northwind")
	_, err := k.Log(k.ctx, child, ticket.Work{Header: k.by("ada"), Entry: k.work()})
	require.NoError(t, err)
	_, err = k.AddComment(k.ctx, child, "words", "nina", "Any news?", true, k.time())
	require.NoError(t, err)

	m := ticket.Merge{Header: k.by("dora"), Into: into}
	answer, err := k.Merge(k.ctx, child, m)
	require.NoError(t, err)
	require.True(t, answer.Effect)
	require.Equal(t, ticket.Merged, answer.Stage)
	require.Equal(t, into, answer.Into)
	again, err := k.Merge(k.ctx, child, m)
	require.NoError(t, err)
	require.Equal(t, answer, again)
	require.Equal(t, into.Number(), value[int64](k, "select ticket from work_entries"))
	require.Equal(t, into.Number(), value[int64](k, "select ticket from comments"))
	require.Equal(t, 1, value[int](k, "select count(*) from ticket_events where kind = 'merged-in' and ticket = $1", into.Number()))

	brief := k.brief(child)
	require.Equal(t, ticket.Merged, brief.Stage)
	require.Equal(t, into, brief.MergedInto)
}

func TestAMessageToAMergedTicketIsSentOnUnderItsOwnKey(t *testing.T) {
	k := newKit(t)
	first, second, third := k.open("northwind"), k.open("northwind"), k.open("northwind")
	_, err := k.Merge(k.ctx, first, ticket.Merge{Header: k.by("dora"), Into: second})
	require.NoError(t, err)
	_, err = k.Merge(k.ctx, second, ticket.Merge{Header: k.by("dora"), Into: third})
	require.NoError(t, err)
	at, err := k.Where(k.ctx, first)
	require.NoError(t, err)
	require.Equal(t, third, at.Ticket)
	require.Equal(t, "ada", at.Assignee)
	_, err = k.Where(k.ctx, "T-1")
	require.Equal(t, "ticket", problem(t, err).Field)

	m := ticket.Work{Header: k.by("ada"), Entry: k.work()}
	for range 2 {
		answer, err := k.Log(k.ctx, first, m)
		require.NoError(t, err)
		require.False(t, answer.Effect)
		require.Equal(t, third, answer.Into)
	}
	answer, err := k.Log(k.ctx, at.Ticket, m)
	require.NoError(t, err)
	require.True(t, answer.Effect)

	comment, err := k.AddComment(k.ctx, first, "words", "nina", "And now?", true, k.time())
	require.NoError(t, err)
	require.Equal(t, third.Number(), value[int64](k, "select ticket from comments where id = $1", comment))
}

func TestWhatCannotBeMergedIsOnRecordAndAnswered(t *testing.T) {
	k := newKit(t)
	id, open, other := k.open("northwind"), k.open("northwind"), k.open("contoso")
	posted, merged := k.open("northwind"), k.open("northwind")
	_, err := k.pool.Exec(k.ctx, "update tickets set stage = 'posted' where number = $1", posted.Number())
	require.NoError(t, err)
	_, err = k.Merge(k.ctx, merged, ticket.Merge{Header: k.by("dora"), Into: open})
	require.NoError(t, err)
	asked := k.open("northwind")
	_, err = k.RequestApproval(k.ctx, asked, ticket.RequestApproval{Header: k.by("ada"), Action: "Replace the switch", Amount: "900", Currency: "EUR"})
	require.NoError(t, err)

	for into, says := range map[ticket.ID]string{
		id:     "into itself",
		other:  "tickets of different clients are never merged",
		posted: "cannot take T-1001 over",
		merged: "was merged into T-1002; merge T-1001 into that",
		asked:  "waits for a person's approval",
	} {
		answer, err := k.Merge(k.ctx, id, ticket.Merge{Header: k.by("dora"), Into: into})
		require.NoError(t, err)
		require.False(t, answer.Effect)
		require.Contains(t, answer.Says, says)
	}
	_, err = k.Merge(k.ctx, id, ticket.Merge{Header: k.by("dora"), Into: "T-5"})
	require.Equal(t, "into", problem(t, err).Field)
	require.Equal(t, 5, value[int](k, "select count(*) from ticket_events where kind = 'merge' and not effect"))
}

func TestTwoTicketsMergedIntoEachOtherAtOnceDoNotDeadlock(t *testing.T) {
	k := newKit(t)
	for range 10 {
		a, b := k.open("northwind"), k.open("northwind")
		answers, errs := make([]ticket.Answer, 2), make([]error, 2)
		together(2, func(i int) {
			from, into := a, b
			if i == 1 {
				from, into = b, a
			}
			answers[i], errs[i] = k.Merge(k.ctx, from, ticket.Merge{Header: k.by("dora"), Into: into})
		})
		require.NoError(t, errors.Join(errs...))
		require.NotEqual(t, answers[0].Effect, answers[1].Effect, "one of them lives on")
	}
}
