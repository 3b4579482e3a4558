package workflows_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

func TestMalformedUpdateIsRefusedWithoutATrace(t *testing.T) {
	d := newDesk(t)
	m := resolve("r0")
	m.Work = []ticket.WorkEntry{{OperationKey: "w1", WorkType: "remote", StartedAt: monday, MS: -5}}
	bad := d.ask(time.Minute, ticket.MsgResolve, "r0", m)
	d.after(time.Hour, ticket.MsgResolve, resolve("r1"))
	d.run()
	var refusal *temporal.ApplicationError
	require.ErrorAs(t, bad.rejected, &refusal)
	require.Equal(t, ticket.InvalidError, refusal.Type())
	var problems []*ticket.Problem
	require.NoError(t, refusal.Details(&problems))
	require.Equal(t, "work.ms", problems[0].Field)
	require.NotContains(t, d.store.asked(), "close 1 r0")
}

func TestMalformedSignalIsOnRecordAndStopsNothing(t *testing.T) {
	d := newDesk(t)
	d.after(1*time.Minute, ticket.MsgWork, "not an object")
	d.after(2*time.Minute, ticket.MsgWork, map[string]any{"operation_key": "w0", "who": "alice", "entry": map[string]any{"ms": -1}})
	d.after(3*time.Minute, ticket.MsgClaim, nil)
	d.at(4*time.Minute, func() { require.Contains(t, d.status().Refused, "claim from unknown") })
	d.after(5*time.Minute, ticket.MsgResolve, resolve("r1"))
	require.Equal(t, ticket.Posted, d.run().Stage)
	calls := d.store.asked()[3:]
	require.Len(t, calls, 4)
	require.Regexp(t, `^late work malformed-[0-9a-f]{16}$`, calls[0])
	require.Equal(t, "late work w0", calls[1])
	require.Regexp(t, `^late claim malformed-[0-9a-f]{16}$`, calls[2])
}

func TestSignalTypedByHandCountsAsTemporalAndNow(t *testing.T) {
	d := newDesk(t)
	d.after(time.Minute, ticket.MsgClaim, map[string]any{"operation_key": "c1", "who": "alice"})
	d.after(time.Hour, ticket.MsgResolve, resolve("r1"))
	d.run()
	h := d.store.headers["c1"]
	require.Equal(t, ticket.ViaTemporal, h.Via)
	require.Equal(t, monday.Add(time.Minute), h.At)
}

func TestLateMailAfterTheEnd(t *testing.T) {
	d := newDesk(t)
	d.store.holds = []billing.HeldQuote{quote(7, "d7")}
	d.after(time.Minute, ticket.MsgResolve, resolve("r1"))
	d.after(time.Hour, ticket.MsgSignOff, approve("s1", 7, "d7"))
	d.run()

	next := d.again()
	again := next.ask(0, ticket.MsgSignOff, "s2", approve("s2", 7, "d7"))
	late := next.ask(0, ticket.MsgClaim, "c1", ticket.Claim{Header: head("c1")})
	unknown := next.ask(0, ticket.MsgSignOff, "s3", approve("s3", 999, "x"))
	next.after(0, ticket.MsgWork, work("w1"))
	before := len(next.store.asked())
	require.Equal(t, ticket.Posted, next.run().Stage)
	require.Equal(t, billing.Already, answerOf[billing.Settlement](again).Outcome)
	require.False(t, answerOf[ticket.Answer](late).Effect)
	require.True(t, unknown.done)
	require.ErrorContains(t, unknown.err, "is not a hold of this ticket")
	require.ElementsMatch(t,
		[]string{"begin 1", "log w1", "claim c1", "sign-off H-7 s2", "sign-off H-999 s3", "late sign-off s3"},
		next.store.asked()[before:])
}

func TestMergedTicketPassesItsMailOn(t *testing.T) {
	d := newDesk(t)
	var passed []ticket.Message
	d.OnSignalExternalWorkflow(mock.Anything, "ticket/T-7", "", mock.Anything, mock.Anything).
		Return(func(_, _, _, _ string, arg any) error {
			passed = append(passed, arg.(ticket.Message))
			return nil
		})
	merged := d.ask(time.Minute, ticket.MsgMerge, "m1", ticket.Merge{Header: head("m1"), Into: "T-7"})
	end := d.run()
	require.Equal(t, ticket.Merged, end.Stage)
	require.Equal(t, ticket.ID("T-7"), end.Into)
	require.True(t, answerOf[ticket.Answer](merged).Effect)

	next := d.again()
	next.OnSignalExternalWorkflow(mock.Anything, "ticket/T-7", "", mock.Anything, mock.Anything).
		Return(func(_, _, _, _ string, arg any) error {
			passed = append(passed, arg.(ticket.Message))
			return nil
		})
	next.after(0, ticket.MsgWork, work("w1"))
	resolved := next.ask(0, ticket.MsgResolve, "r1", resolve("r1"))
	require.Equal(t, ticket.Merged, next.run().Stage)
	require.Contains(t, answerOf[billing.Receipt](resolved).Says, "passed on")
	require.Len(t, passed, 2)
	require.Equal(t, "w1", passed[0].Head().OperationKey)
	require.Equal(t, "r1", passed[1].Head().OperationKey)
	require.NotContains(t, next.store.asked(), "log w1")
}

func TestMailForAMergedTicketWhoseHeirHasEndedIsOnRecord(t *testing.T) {
	d := newDesk(t)
	d.store.stage, d.store.into = ticket.Merged, "T-7"
	d.OnSignalExternalWorkflow(mock.Anything, "ticket/T-7", "", mock.Anything, mock.Anything).
		Return(errors.New("workflow execution already completed"))
	resolved := d.ask(0, ticket.MsgResolve, "r1", resolve("r1"))
	d.run()
	require.Contains(t, answerOf[billing.Receipt](resolved).Says, "send your resolve to T-7")
	require.Contains(t, d.store.asked(), "late resolve r1")
}

func TestContinueAsNewCarriesTheMail(t *testing.T) {
	d := newDesk(t)
	d.store.targets.Resolution = monday.Add(8 * time.Hour)
	d.at(time.Minute, func() {
		d.SetContinueAsNewSuggested(true)
		d.SignalWorkflowSkippingWorkflowTask(string(ticket.MsgResolve), resolve("r1"))
		d.SignalWorkflowSkippingWorkflowTask(string(ticket.MsgClaim), "nonsense")
		d.SignalWorkflow(string(ticket.MsgWork), work("w1"))
	})
	d.ExecuteWorkflow(ticket.WorkflowType, ticket.Input{Ticket: id, Round: 1})
	var continued *workflow.ContinueAsNewError
	require.ErrorAs(t, d.GetWorkflowError(), &continued)
	var in ticket.Input
	require.NoError(t, converter.GetDefaultDataConverter().FromPayloads(continued.Input, &in))
	require.Len(t, in.Mail.Items, 3)
	require.NotContains(t, d.store.asked(), "log w1")

	next := d.again()
	next.ExecuteWorkflow(ticket.WorkflowType, in)
	require.NoError(t, next.GetWorkflowError())
	calls := next.store.asked()
	require.Equal(t, []string{"begin 1", "held", "log w1"}, calls[3:6])
	require.Contains(t, calls[6], "late claim malformed-")
	require.Equal(t, "close 1 r1", calls[7])
}

func TestContinueAsNewAnswersWhoWaitsFirst(t *testing.T) {
	d := newDesk(t)
	d.at(time.Minute, func() { d.SetContinueAsNewSuggested(true) })
	claimed := d.ask(2*time.Minute, ticket.MsgClaim, "c1", ticket.Claim{Header: head("c1")})
	d.ExecuteWorkflow(ticket.WorkflowType, ticket.Input{Ticket: id, Round: 1})
	require.True(t, workflow.IsContinueAsNewError(errors.Unwrap(d.GetWorkflowError())))
	require.Equal(t, "alice", answerOf[ticket.Answer](claimed).Assignee)
}
