package postgres

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/ticket"
)

func (k *kit) priority3() ticket.ID {
	k.t.Helper()
	o := k.opening("northwind")
	o.Impact, o.Urgency = 2, 2
	return k.openAs(o)
}

func TestEdge57OverAWeekendOnlyBusinessMinutesCount(t *testing.T) {
	k := newKit(t)
	id := k.priority3() // Friday 11:00 in Berlin; eight hours end on Monday at 10:00
	k.at(friday.Add(4 * time.Hour))
	wait, err := k.Wait(k.ctx, id, ticket.Wait{Header: k.by("ada"), Reason: "customer"})
	require.NoError(t, err)
	require.True(t, wait.Effect)
	require.Equal(t, ticket.Waiting, wait.Stage)
	require.Zero(t, wait.Deadlines, "the clock stands still")
	require.Equal(t, wait.Stage, k.brief(id).Stage)
	require.Equal(t, ticket.Triaged{}.Deadlines, k.brief(id).Deadlines)
	twice, err := k.Wait(k.ctx, id, ticket.Wait{Header: k.by("ada"), Reason: "vendor"})
	require.NoError(t, err)
	require.False(t, twice.Effect)

	// From Friday 15:00 to Monday 09:00 in Berlin: two hours and one hour of business time.
	k.at(time.Date(2026, 3, 9, 8, 0, 0, 0, time.UTC))
	resume, err := k.Resume(k.ctx, id, ticket.Resume{Header: k.by("ada")})
	require.NoError(t, err)
	require.True(t, resume.Effect)
	require.Equal(t, ticket.Resolution, resume.Stage)
	require.Equal(t, time.Date(2026, 3, 9, 12, 0, 0, 0, time.UTC), resume.Deadlines.Resolution)
	require.Equal(t, resume.Deadlines, k.brief(id).Deadlines)
}

func TestTheCustomersReplyEndsTheWait(t *testing.T) {
	k := newKit(t)
	id := k.priority3()
	_, err := k.Wait(k.ctx, id, ticket.Wait{Header: k.by("ada"), Reason: "customer"})
	require.NoError(t, err)
	k.at(friday.Add(time.Hour))
	comment, err := k.AddComment(k.ctx, id, "words", "nina", "It is the second floor.", false, k.time())
	require.NoError(t, err)
	again, err := k.AddComment(k.ctx, id, "words", "nina", "It is the second floor.", false, k.time())
	require.NoError(t, err)
	require.Equal(t, comment, again)
	require.True(t, value[bool](k, "select public from comments"), "a client sees its own words")
	_, err = k.AddComment(k.ctx, id, "words", "nina", "The third.", false, k.time())
	require.Equal(t, "operation_key", problem(t, err).Field)
	_, err = k.AddComment(k.ctx, id, "other", "carl", "Hello", false, k.time())
	require.Equal(t, "author", problem(t, err).Field)
	_, err = k.AddComment(k.ctx, id, "other", "nina", "a\x00b", false, k.time())
	require.Equal(t, "body", problem(t, err).Field)

	_, err = k.Reply(k.ctx, id, ticket.Reply{Header: k.by("nina"), Comment: comment + 1})
	require.Equal(t, "comment", problem(t, err).Field)
	answer, err := k.Reply(k.ctx, id, ticket.Reply{Header: k.by("nina"), Comment: comment})
	require.NoError(t, err)
	require.True(t, answer.Effect)
	require.Equal(t, ticket.Resolution, answer.Stage)
	answer, err = k.Reply(k.ctx, id, ticket.Reply{Header: k.by("nina")})
	require.NoError(t, err)
	require.False(t, answer.Effect)
	require.Contains(t, answer.Says, "was not waiting")
}

func TestWaitAndResumeInTheWrongOrderAreOnRecord(t *testing.T) {
	k := newKit(t)
	id := k.priority3()
	k.at(friday.Add(3 * time.Hour))
	answer, err := k.Resume(k.ctx, id, ticket.Resume{Header: k.by("ada")})
	require.NoError(t, err)
	require.False(t, answer.Effect, "nothing waits")

	wait := ticket.Wait{Header: k.by("ada"), Reason: "part"}
	wait.At = friday.Add(2 * time.Hour)
	_, err = k.Wait(k.ctx, id, wait)
	require.NoError(t, err)
	resume := ticket.Resume{Header: k.by("ada")}
	resume.At = friday.Add(time.Hour)
	answer, err = k.Resume(k.ctx, id, resume)
	require.NoError(t, err)
	require.False(t, answer.Effect, "it tells of a time before the wait")
	require.Equal(t, ticket.Waiting, answer.Stage)
	require.Equal(t, 2, value[int](k, "select count(*) from ticket_events where kind = 'resume' and not effect"))
}

func TestAskingTheCustomerIsAResponse(t *testing.T) {
	k := newKit(t)
	id := k.priority3()
	_, err := k.Wait(k.ctx, id, ticket.Wait{Header: k.by("ada"), Reason: "customer"})
	require.NoError(t, err)
	resume, err := k.Resume(k.ctx, id, ticket.Resume{Header: k.by("ada")})
	require.NoError(t, err)
	require.Zero(t, resume.Deadlines.Response)
	require.NotZero(t, resume.Deadlines.Resolution)
}

func TestAnEscalatedTicketStillWaitsWhenItIsRouted(t *testing.T) {
	k := newKit(t)
	id := k.priority3()
	_, err := k.Wait(k.ctx, id, ticket.Wait{Header: k.by("ada"), Reason: "vendor"})
	require.NoError(t, err)
	_, err = k.Escalate(k.ctx, id, ticket.Escalate{Header: k.by("ada"), Reason: "holidays"})
	require.NoError(t, err)
	require.Zero(t, k.brief(id).Deadlines)
	to, err := k.Route(k.ctx, id, 1, []string{"ada"})
	require.NoError(t, err)
	require.Equal(t, "bob", to.Assignee)
	require.Equal(t, ticket.Waiting, k.brief(id).Stage)
}

func TestAReopenedTicketOwesNothingForTheTimeItWasClosed(t *testing.T) {
	k := newKit(t)
	id := k.priority3() // eight hours from Friday 11:00 in Berlin
	k.at(friday.Add(2 * time.Hour))
	_, err := k.Close(k.ctx, id, 1, ticket.Resolve{Header: k.by("ada"), Resolution: "cleared", Work: []ticket.WorkEntry{k.work()}})
	require.NoError(t, err)
	k.at(time.Date(2026, 3, 10, 7, 0, 0, 0, time.UTC)) // Tuesday 08:00 in Berlin: six hours are left
	_, err = k.Reopen(k.ctx, id, ticket.Reopen{Header: k.by("nina"), Reason: "it jams again"})
	require.NoError(t, err)
	require.Equal(t, time.Date(2026, 3, 10, 13, 0, 0, 0, time.UTC), k.brief(id).Deadlines.Resolution)
}

func TestAResolutionMissesItsTargetByItsOwnTime(t *testing.T) {
	k := newKit(t)
	past := k.opening("northwind")
	past.EventTime, past.OpenedAt, past.Impact, past.Urgency = true, friday.AddDate(0, 0, -28), 2, 2
	id := k.openAs(past)
	m := ticket.Resolve{Header: k.by("ada"), Resolution: "cleared"}
	m.At = past.OpenedAt.AddDate(0, 0, 7)
	_, err := k.Close(k.ctx, id, 1, m)
	require.NoError(t, err)
	require.Equal(t, past.OpenedAt.Add(time.Hour), value[time.Time](k, "select response_breached_at from tickets").UTC())
	require.Equal(t, m.At, value[time.Time](k, "select responded_at from tickets").UTC())
	require.Equal(t, past.OpenedAt.AddDate(0, 0, 2).Add(23*time.Hour), value[time.Time](k, "select resolution_breached_at from tickets").UTC())
}
