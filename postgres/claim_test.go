package postgres

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/ticket"
)

func TestTriageFindsContractAndDeadlinesOnce(t *testing.T) {
	k := newKit(t)
	o := k.opening("northwind")
	o.Impact, o.Urgency = 2, 2
	opened, err := k.Open(k.ctx, o)
	require.NoError(t, err)
	found, err := k.Triage(k.ctx, opened.Ticket, 1)
	require.NoError(t, err)
	require.Equal(t, "printer", found.Category)
	require.Equal(t, 3, found.Priority)
	require.Equal(t, "northwind-all", found.Contract)
	require.Equal(t, friday.Add(time.Hour), found.Deadlines.Response)
	// 11:00 to 17:00 in Berlin on Friday is six hours; the other two are Monday's.
	require.Equal(t, time.Date(2026, 3, 9, 9, 0, 0, 0, time.UTC), found.Deadlines.Resolution)
	require.Contains(t, found.Says, "contract northwind-all")

	again, err := k.Triage(k.ctx, opened.Ticket, 1)
	require.NoError(t, err)
	require.Equal(t, found, again)
	require.Equal(t, 1, value[int](k, "select count(*) from ticket_events where kind = 'triaged'"))
}

func TestTriageKeepsWhatTheSourceKnewAndSaysWhenNoContractIsInForce(t *testing.T) {
	k := newKit(t)
	o := k.opening("contoso")
	o.Category, o.Impact, o.Urgency = "Category 42", 1, 1
	opened, err := k.Open(k.ctx, o)
	require.NoError(t, err)
	found, err := k.Triage(k.ctx, opened.Ticket, 1)
	require.NoError(t, err)
	require.Equal(t, "Category 42", found.Category)
	require.Equal(t, 1, found.Priority)
	require.Empty(t, found.Contract)
	require.Zero(t, found.Deadlines)
	require.Contains(t, found.Says, "no contract is in force")
}

func TestRoutingIsDoneOnceInARoundUntilSomebodyEscalates(t *testing.T) {
	k := newKit(t)
	opened, err := k.Open(k.ctx, k.opening("northwind"))
	require.NoError(t, err)
	_, err = k.Triage(k.ctx, opened.Ticket, 1)
	require.NoError(t, err)
	to, err := k.Route(k.ctx, opened.Ticket, 1, nil)
	require.NoError(t, err)
	require.Equal(t, "ada", to.Assignee)
	require.Equal(t, ticket.Human, to.Kind)
	again, err := k.Route(k.ctx, opened.Ticket, 1, []string{"ada"})
	require.NoError(t, err)
	require.Equal(t, to, again)

	answer, err := k.Escalate(k.ctx, opened.Ticket, ticket.Escalate{Header: k.by("ada"), Reason: "needs a specialist"})
	require.NoError(t, err)
	require.True(t, answer.Effect)
	require.Equal(t, ticket.Routing, answer.Stage)
	require.Empty(t, answer.Assignee)
	require.Nil(t, k.brief(opened.Ticket).Assigned)
	to, err = k.Route(k.ctx, opened.Ticket, 1, []string{"ada"})
	require.NoError(t, err)
	require.Equal(t, "bob", to.Assignee)

	answer, err = k.Escalate(k.ctx, opened.Ticket, ticket.Escalate{Header: k.by("bob"), To: "dora", Reason: "the target is near"})
	require.NoError(t, err)
	require.Equal(t, "dora", answer.Assignee)
	require.Equal(t, ticket.Resolution, answer.Stage)
	_, err = k.Escalate(k.ctx, opened.Ticket, ticket.Escalate{Header: k.by("dora"), To: "nina", Reason: "you do it"})
	require.Equal(t, "to", problem(t, err).Field)
}

func TestAReplayedPastIsNeverGivenToAnAgent(t *testing.T) {
	k := newKit(t)
	_, err := k.pool.Exec(k.ctx, `
update people set policy = '{"categories": ["printer"], "max_priority": 1, "min_confidence": 0, "clients": []}' where id = 'sam'`)
	require.NoError(t, err)
	live := k.opening("northwind")
	require.Equal(t, "sam", k.brief(k.openAs(live)).Assigned.Assignee)
	past := k.opening("northwind")
	past.EventTime, past.OpenedAt = true, friday.AddDate(-3, 0, 0)
	require.Equal(t, "ada", k.brief(k.openAs(past)).Assigned.Assignee)
}

func TestClaimIsTheResponseAndARepetitionAnswersTheSame(t *testing.T) {
	k := newKit(t)
	id := k.open("northwind")
	m := ticket.Claim{Header: k.by("bob")}
	answer, err := k.Claim(k.ctx, id, m)
	require.NoError(t, err)
	require.True(t, answer.Effect)
	require.Equal(t, "bob", answer.Assignee)
	require.Equal(t, "Bob claimed T-1001, which was routed to Ada.", answer.Says)
	require.Zero(t, answer.Deadlines.Response, "the response is given")
	require.NotZero(t, answer.Deadlines.Resolution)

	over, err := k.Claim(k.ctx, id, ticket.Claim{Header: k.by("ada")})
	require.NoError(t, err)
	require.Equal(t, "Ada took T-1001 over from Bob.", over.Says)

	m.At = m.At.Add(time.Second) // delivered again, stamped anew
	again, err := k.Claim(k.ctx, id, m)
	require.NoError(t, err)
	require.Equal(t, answer, again)
	require.Equal(t, "ada", k.brief(id).Assigned.Assignee)

	m.Who = "dora"
	_, err = k.Claim(k.ctx, id, m)
	require.Equal(t, "operation_key", problem(t, err).Field)
	other := k.open("northwind")
	m.Who = "bob"
	_, err = k.Claim(k.ctx, other, m)
	require.Equal(t, "operation_key", problem(t, err).Field)
}

func TestALateClaimMissesTheResponseTargetByItsOwnTime(t *testing.T) {
	k := newKit(t)
	past := k.opening("northwind")
	past.EventTime, past.OpenedAt, past.Impact, past.Urgency = true, friday.AddDate(0, 0, -7), 2, 2
	id := k.openAs(past)
	m := ticket.Claim{Header: k.by("ada")}
	m.At = past.OpenedAt.Add(61 * time.Minute)
	answer, err := k.Claim(k.ctx, id, m)
	require.NoError(t, err)
	require.Contains(t, answer.Says, "1m0s late")
	require.Equal(t, past.OpenedAt.Add(time.Hour), value[time.Time](k, "select response_breached_at from tickets").UTC())
	require.Equal(t, m.At, value[time.Time](k, "select responded_at from tickets").UTC())
}

func TestTwentyClaimsAtOnceLeaveOneAssigneeAndARowEach(t *testing.T) {
	k := newKit(t)
	id := k.open("northwind")
	errs := make([]error, 20)
	same := k.by("dora")
	together(20, func(i int) {
		h := same
		if i%2 == 0 {
			h = k.by([]string{"ada", "bob"}[i/2%2])
		}
		_, errs[i] = k.Claim(k.ctx, id, ticket.Claim{Header: h})
	})
	require.NoError(t, errors.Join(errs...))
	require.Equal(t, 11, value[int](k, "select count(*) from ticket_events where kind = 'claim'"))
}

func TestWhoMayNot(t *testing.T) {
	k := newKit(t)
	id := k.open("northwind")
	for who, field := range map[string]string{"nina": "who", "nobody": "who", "docket": "who"} {
		_, err := k.Claim(k.ctx, id, ticket.Claim{Header: k.by(who)})
		require.Equal(t, field, problem(t, err).Field, who)
	}
	_, err := k.Reply(k.ctx, id, ticket.Reply{Header: k.by("carl")})
	require.Contains(t, problem(t, err).Problem, "another client")
	_, err = k.pool.Exec(k.ctx, "update people set active = false where id = 'bob'")
	require.NoError(t, err)
	_, err = k.Claim(k.ctx, id, ticket.Claim{Header: k.by("bob")})
	require.Contains(t, problem(t, err).Problem, "no longer active")
	h := k.by("ada")
	h.At = friday.Add(time.Hour)
	_, err = k.Claim(k.ctx, id, ticket.Claim{Header: h})
	require.Equal(t, "at", problem(t, err).Field)
	_, err = k.Claim(k.ctx, "T-7", ticket.Claim{Header: k.by("ada")})
	require.Equal(t, "ticket", problem(t, err).Field)
	require.Zero(t, value[int](k, "select count(*) from ticket_events where kind = 'claim'"))
}

func TestABreachIsReportedOnceAndDatedByItsDeadline(t *testing.T) {
	k := newKit(t)
	o := k.opening("northwind")
	o.Impact, o.Urgency = 2, 2
	id := k.openAs(o)
	answer, err := k.Breach(k.ctx, id, 1, "response")
	require.NoError(t, err)
	require.False(t, answer.Effect, "it is not due yet")
	k.at(friday.Add(61 * time.Minute))
	answer, err = k.Breach(k.ctx, id, 1, "response")
	require.NoError(t, err)
	require.True(t, answer.Effect)
	require.Zero(t, answer.Deadlines.Response)
	require.NotZero(t, answer.Deadlines.Resolution)
	answer, err = k.Breach(k.ctx, id, 1, "response")
	require.NoError(t, err)
	require.False(t, answer.Effect)
	require.Equal(t, 1, value[int](k, "select count(*) from ticket_events where kind = 'breach'"))
	require.Equal(t, friday.Add(time.Hour), value[time.Time](k, "select response_breached_at from tickets").UTC())
}
