package workflows_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

func TestCancelledByMessage(t *testing.T) {
	d := newDesk(t)
	d.after(time.Minute, ticket.MsgCancel, ticket.Cancel{Header: head("x1"), Reason: "opened by mistake"})
	require.Equal(t, ticket.Cancelled, d.run().Stage)
	require.Equal(t, []string{"cancel x1"}, d.store.asked()[3:])
}

func TestOperatorCancelsAnUntouchedTicket(t *testing.T) {
	d := newDesk(t)
	d.at(time.Minute, d.CancelWorkflow)
	d.ExecuteWorkflow(ticket.WorkflowType, ticket.Input{Ticket: id, Round: 1})
	var canceled *temporal.CanceledError
	require.ErrorAs(t, d.GetWorkflowError(), &canceled, "Temporal shows the run as canceled")
	require.Equal(t, ticket.Cancelled, d.store.stage)
	require.Equal(t, ticket.ViaTemporal, d.store.headers["cancel-workflow-"+string(id)+"-round-1"].Via)
}

func TestOperatorCannotCancelMoneyAway(t *testing.T) {
	d := newDesk(t)
	d.store.holds = []billing.HeldQuote{quote(7, "d7")}
	d.after(1*time.Minute, ticket.MsgWork, work("w1"))
	d.after(2*time.Minute, ticket.MsgResolve, resolve("r1"))
	d.at(time.Hour, d.CancelWorkflow)
	signed := d.ask(30*time.Hour, ticket.MsgSignOff, "s1", approve("s1", 7, "d7-1"))
	require.Equal(t, ticket.Posted, d.run().Stage, "the run goes on after the request")
	require.Equal(t, billing.Settled, answerOf[billing.Settlement](signed).Outcome)
	require.Contains(t, d.store.asked(), "overdue H-7 step 0", "its timers too")
	require.Contains(t, d.store.asked(), "cancel cancel-workflow-"+string(id)+"-round-1", "and the request is on record")
}

func TestRefusedClosingStaysWithItsResolver(t *testing.T) {
	d := newDesk(t)
	d.store.fail = func(call string) error {
		if call == "close 1 r1" {
			return ticket.Invalid("work.started_at", "2031", "lies in the future", "check the clock")
		}
		return nil
	}
	refused := d.ask(time.Minute, ticket.MsgResolve, "r1", resolve("r1"))
	d.at(time.Hour, func() {
		s := d.status()
		require.Equal(t, ticket.Resolution, s.Stage)
		require.Contains(t, s.Refused, "lies in the future")
	})
	d.after(2*time.Hour, ticket.MsgResolve, resolve("r2"))
	require.Equal(t, ticket.Posted, d.run().Stage)
	var refusal *temporal.ApplicationError
	require.ErrorAs(t, refused.err, &refusal)
	var problems []*ticket.Problem
	require.NoError(t, refusal.Details(&problems))
	require.Equal(t, "work.started_at", problems[0].Field)
}

func TestTicketThatDoesNotExistFailsItsRunAndTellsWhoAsked(t *testing.T) {
	d := newDesk(t)
	d.store.fail = func(string) error {
		return ticket.Invalid("ticket", id, "does not exist", "`docket ticket list` shows those that do")
	}
	asked := d.ask(0, ticket.MsgClaim, "c1", ticket.Claim{Header: head("c1")})
	d.ExecuteWorkflow(ticket.WorkflowType, ticket.Input{Ticket: id, Round: 1})
	require.ErrorContains(t, d.GetWorkflowError(), "does not exist")
	require.ErrorContains(t, asked.err, "does not exist")
}

func TestDatabaseAwayLosesNothing(t *testing.T) {
	d := newDesk(t)
	back := monday.Add(3 * time.Minute) // the test environment gives up after ten attempts, a server does not
	attempts := 0
	d.store.fail = func(string) error {
		if attempts++; d.Now().Before(back) {
			return errors.New("connection refused")
		}
		return nil
	}
	d.after(time.Minute, ticket.MsgWork, work("w1"))
	d.after(2*time.Minute, ticket.MsgResolve, resolve("r1"))
	require.Equal(t, ticket.Posted, d.run().Stage)
	require.Equal(t, []string{"begin 1", "triage", "route without []", "log w1", "close 1 r1"}, d.store.asked())
	require.Greater(t, attempts, 12)
}

func TestDeadlinesEscalateOnceAndStandStillWhileTheCustomerIsAsked(t *testing.T) {
	d := newDesk(t)
	d.store.targets = ticket.Deadlines{Response: monday.Add(time.Hour), Resolution: monday.Add(8 * time.Hour)}
	d.after(2*time.Hour, ticket.MsgWait, ticket.Wait{Header: head("p1"), Reason: "customer"})
	d.at(20*time.Hour, func() {
		require.Equal(t, ticket.Waiting, d.status().Stage)
		require.NotContains(t, d.store.asked(), "breach resolution", "the clock stands still")
		d.store.targets = ticket.Deadlines{Resolution: monday.Add(27 * time.Hour)}
	})
	d.after(21*time.Hour, ticket.MsgResume, ticket.Resume{Header: head("u1")})
	d.after(30*time.Hour, ticket.MsgResolve, resolve("r1"))
	d.run()
	require.Equal(t, []string{"breach response", "wait p1", "resume u1", "breach resolution", "close 1 r1"}, d.store.asked()[3:])
}

func TestEscalatedTicketIsRoutedPastWhoHandedItOn(t *testing.T) {
	d := newDesk(t)
	d.store.routes = []string{"scripted-ai", "tess"}
	d.after(time.Minute, ticket.MsgEscalate, ticket.Escalate{Header: head("e1"), Reason: "needs hands"})
	d.at(time.Hour, func() { require.Equal(t, "tess to resolve it", d.status().Awaited) })
	d.after(2*time.Hour, ticket.MsgResolve, resolve("r1"))
	d.run()
	require.Contains(t, d.store.asked(), "route without [scripted-ai]")
}

func TestApprovalBeforeAnActionWaitsBesideTheWork(t *testing.T) {
	d := newDesk(t)
	d.store.targets.Resolution = monday.Add(100 * time.Hour)
	d.after(time.Minute, ticket.MsgRequestApproval, ticket.RequestApproval{
		Header: head("q1"), Action: "Replace the fuser", Amount: "240.00", Currency: "USD",
	})
	d.at(time.Hour, func() {
		s := d.status()
		require.Equal(t, ticket.Resolution, s.Stage)
		require.Equal(t, "client sign-off of H-50, 240.00 USD", s.DueWhat)
	})
	approved := d.ask(2*time.Hour, ticket.MsgSignOff, "s1", approve("s1", 50, "ask-1"))
	d.at(3*time.Hour, func() { require.Equal(t, "resolution due", d.status().DueWhat) })
	d.after(4*time.Hour, ticket.MsgResolve, resolve("r1"))
	require.Equal(t, ticket.Posted, d.run().Stage)
	require.Equal(t, billing.Settled, answerOf[billing.Settlement](approved).Outcome)
}

// A run that an operator terminated is followed by another, which goes on from PostgreSQL.
func TestNextRunGoesOnFromEveryStage(t *testing.T) {
	triaged := &ticket.Triaged{Category: "hardware", Priority: 2}
	assigned := &ticket.Assignment{Board: "service-desk", Assignee: "tess"}
	for _, stage := range []struct {
		name  string
		store func(*memory)
		asks  string
	}{
		{"new", func(*memory) {}, "begin 1, triage, route without [], close 1 r1"},
		{"triage", func(s *memory) { s.stage = ticket.Triage }, "begin 1, triage, route without [], close 1 r1"},
		{"triaged", func(s *memory) { s.stage, s.triaged = ticket.Triage, triaged }, "begin 1, route without [], close 1 r1"},
		{"routing", func(s *memory) { s.stage, s.triaged = ticket.Routing, triaged }, "begin 1, route without [], close 1 r1"},
		{"resolution", func(s *memory) { s.stage, s.triaged, s.assigned = ticket.Resolution, triaged, assigned }, "begin 1, held, close 1 r1"},
		{"waiting", func(s *memory) { s.stage, s.triaged, s.assigned = ticket.Waiting, triaged, assigned }, "begin 1, held, close 1 r1"},
		{"held", func(s *memory) {
			s.stage, s.triaged, s.assigned = ticket.Held, triaged, assigned
			s.held, s.receipts[1] = []billing.HeldQuote{quote(7, "d7")}, billing.Receipt{Round: 1}
		}, "begin 1, held, close 1 r1, sign-off H-7 s1"},
	} {
		t.Run(stage.name, func(t *testing.T) {
			d := newDesk(t)
			stage.store(d.store)
			d.after(time.Minute, ticket.MsgResolve, resolve("r1"))
			if stage.name == "held" {
				d.after(time.Hour, ticket.MsgSignOff, approve("s1", 7, "d7"))
			}
			require.Equal(t, ticket.Posted, d.run().Stage)
			require.Equal(t, stage.asks, strings.Join(d.store.asked(), ", "))
		})
	}
}

func TestRunOfARoundGoneByBeginsTheCurrentOne(t *testing.T) {
	d := newDesk(t)
	d.store.round, d.store.stage = 3, ticket.Posted
	d.ExecuteWorkflow(ticket.WorkflowType, ticket.Input{Ticket: id, Round: 1})
	require.NoError(t, d.GetWorkflowError())
	require.Equal(t, []string{"begin 1", "begin 3"}, d.store.asked())
}

// An operator may reset a run to before a closing that PostgreSQL keeps.
func TestRunThatWasResetBeforeItsClosingCatchesUp(t *testing.T) {
	d := newDesk(t)
	d.at(time.Minute, func() {
		d.store.stage, d.store.held = ticket.Held, []billing.HeldQuote{quote(7, "d7")}
		d.store.held[0].ExpiresAt = monday.Add(24 * time.Hour)
		d.store.receipts[1] = billing.Receipt{Round: 1, Held: []billing.HeldQuote{quote(6, "d6"), quote(7, "d7")}}
	})
	claimed := d.ask(time.Hour, ticket.MsgClaim, "c1", ticket.Claim{Header: head("c1")})
	d.at(2*time.Hour, func() {
		s := d.status()
		require.Equal(t, ticket.Held, s.Stage)
		require.Len(t, s.Holds, 1)
	})
	d.after(3*time.Hour, ticket.MsgSignOff, approve("s1", 7, "d7"))
	require.Equal(t, ticket.Posted, d.run().Stage)
	require.False(t, answerOf[ticket.Answer](claimed).Effect)
}

func TestOldReceiptDoesNotBringBackWhatIsDecided(t *testing.T) {
	d := newDesk(t)
	d.at(time.Minute, func() {
		d.store.stage = ticket.Posted
		d.store.receipts[1] = billing.Receipt{Round: 1, Held: []billing.HeldQuote{quote(7, "d7")}}
	})
	d.after(time.Hour, ticket.MsgResolve, resolve("r1"))
	require.Equal(t, ticket.Posted, d.run().Stage)
	require.Empty(t, d.timers)
}

func TestEscalatedWhileTheCustomerIsAskedStillWaits(t *testing.T) {
	d := newDesk(t)
	d.store.routes = []string{"scripted-ai", "tess"}
	d.after(1*time.Minute, ticket.MsgWait, ticket.Wait{Header: head("p1"), Reason: "customer"})
	d.after(2*time.Minute, ticket.MsgEscalate, ticket.Escalate{Header: head("e1"), Reason: "needs hands"})
	d.at(time.Hour, func() {
		s := d.status()
		require.Equal(t, ticket.Waiting, s.Stage)
		require.Equal(t, "tess", s.Assignee)
	})
	d.after(2*time.Hour, ticket.MsgResume, ticket.Resume{Header: head("v1")})
	d.at(3*time.Hour, func() { require.Equal(t, ticket.Resolution, d.status().Stage) })
	d.after(4*time.Hour, ticket.MsgResolve, resolve("r1"))
	require.Equal(t, ticket.Posted, d.run().Stage)
}

func TestDatabaseWhoseClockIsBehindIsAskedAgainLater(t *testing.T) {
	d := newDesk(t)
	d.store.targets.Resolution = monday.Add(time.Hour)
	early := true
	d.store.fail = func(call string) error {
		if call == "breach resolution" && early {
			early = false
			d.store.keepDeadline = true
		} else {
			d.store.keepDeadline = false
		}
		return nil
	}
	d.after(2*time.Hour, ticket.MsgResolve, resolve("r1"))
	d.run()
	require.Equal(t, []string{"breach resolution", "breach resolution", "close 1 r1"}, d.store.asked()[3:])
}
