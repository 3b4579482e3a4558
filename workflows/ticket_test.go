package workflows_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

func TestCoveredTicketGoesFromIntakeToPosted(t *testing.T) {
	d := newDesk(t)
	claimed := d.ask(time.Minute, ticket.MsgClaim, "c1", ticket.Claim{Header: head("c1")})
	resolved := d.ask(2*time.Minute, ticket.MsgResolve, "r1", resolve("r1"))
	end := d.run()
	require.Equal(t, ticket.Posted, end.Stage)
	require.Equal(t, "alice", answerOf[ticket.Answer](claimed).Assignee)
	require.Equal(t, int64(101), answerOf[billing.Receipt](resolved).Closure)
	require.Equal(t, []string{"begin 1", "triage", "route without []", "claim c1", "close 1 r1"}, d.store.asked())
}

func TestSignOffAfterThirtyHoursAndAReminder(t *testing.T) {
	d := newDesk(t)
	d.store.holds = []billing.HeldQuote{quote(7, "d7")}
	d.after(time.Minute, ticket.MsgResolve, resolve("r1"))
	d.at(29*time.Hour, func() {
		s := d.status()
		require.Equal(t, ticket.Held, s.Stage)
		require.Equal(t, "nora", s.Awaited)
		require.Equal(t, "client sign-off of H-7, 500.00 USD", s.DueWhat)
		require.Len(t, s.Holds, 1)
	})
	stale := d.ask(30*time.Hour, ticket.MsgSignOff, "s0", approve("s0", 7, "d7"))
	signed := d.ask(30*time.Hour+time.Minute, ticket.MsgSignOff, "s1", approve("s1", 7, "d7-1"))
	end := d.run()
	require.Equal(t, ticket.Posted, end.Stage)
	require.Equal(t, billing.Stale, answerOf[billing.Settlement](stale).Outcome, "a quote that ran out is quoted afresh; its old digest has no effect")
	require.Equal(t, billing.Settled, answerOf[billing.Settlement](signed).Outcome)
	require.Contains(t, d.store.asked(), "overdue H-7 step 0")
}

func TestRemindersBackOffAndDecideNothing(t *testing.T) {
	d := newDesk(t)
	d.store.holds, d.store.reminders = []billing.HeldQuote{quote(7, "d7")}, []time.Duration{3 * time.Hour, 6 * time.Hour, 12 * time.Hour}
	d.after(time.Minute, ticket.MsgResolve, resolve("r1"))
	d.at(4*time.Hour, func() {
		require.Equal(t, "remind: client sign-off of H-7, 500.00 USD", d.status().DueWhat)
		require.Contains(t, d.store.asked(), "remind H-7 step 0 the 1. time")
		require.NotContains(t, d.store.asked(), "remind H-7 step 0 the 2. time")
	})
	signed := d.ask(22*time.Hour, ticket.MsgSignOff, "s1", approve("s1", 7, "d7"))
	require.Equal(t, ticket.Posted, d.run().Stage)
	require.Equal(t, billing.Settled, answerOf[billing.Settlement](signed).Outcome, "the quote is the same after every reminder")
	require.Subset(t, d.store.asked(), []string{"remind H-7 step 0 the 2. time", "remind H-7 step 0 the 3. time"})
	require.NotContains(t, d.store.asked(), "overdue H-7 step 0")
}

func TestNoTimeoutDecides(t *testing.T) {
	d := newDesk(t)
	d.store.holds = []billing.HeldQuote{quote(7, "d7")}
	d.after(time.Minute, ticket.MsgResolve, resolve("r1"))
	d.after(40*24*time.Hour, ticket.MsgReopen, ticket.Reopen{Header: head("o1"), Reason: "still jams"})
	d.after(40*24*time.Hour+time.Hour, ticket.MsgResolve, resolve("r2"))
	d.run()
	reminders := 0
	for _, call := range d.store.asked() {
		require.NotContains(t, call, "sign-off")
		if len(call) > 7 && call[:7] == "overdue" {
			reminders++
		}
	}
	require.Equal(t, 39, reminders, "one for each day that nobody decided")
	require.Empty(t, d.store.decided)
}

func TestSignOffThatCameBeforeTheTimerWins(t *testing.T) {
	d := newDesk(t)
	d.store.holds = []billing.HeldQuote{quote(7, "d7")}
	d.after(time.Minute, ticket.MsgResolve, resolve("r1"))
	// It arrives a minute before the quote runs out, and no worker is there until the timer has fired too.
	d.at(24*time.Hour, func() { d.SignalWorkflowSkippingWorkflowTask(string(ticket.MsgSignOff), approve("s1", 7, "d7")) })
	require.Equal(t, ticket.Posted, d.run().Stage)
	require.Equal(t, billing.Settled, d.store.decided[7])
	require.NotContains(t, d.store.asked(), "overdue H-7 step 0")
}

func TestSignOffBetweenCommitAndWaitIsKept(t *testing.T) {
	d := newDesk(t)
	d.store.holds = []billing.HeldQuote{quote(7, "d7")}
	d.store.atClose = func() { // committed, and the workflow does not know yet
		d.SignalWorkflowSkippingWorkflowTask(string(ticket.MsgSignOff), approve("s1", 7, "d7"))
	}
	d.after(time.Minute, ticket.MsgResolve, resolve("r1"))
	require.Equal(t, ticket.Posted, d.run().Stage)
	require.Equal(t, billing.Settled, d.store.decided[7])
	require.Empty(t, d.timers, "nobody had to be waited for")
}

func TestWorkIsWrittenBeforeTheResolutionItCameWith(t *testing.T) {
	d := newDesk(t)
	d.together(time.Minute,
		sent{ticket.MsgResolve, resolve("r1")},
		sent{ticket.MsgWork, work("w1")},
		sent{ticket.MsgWork, work("w2")},
	)
	d.run()
	require.Equal(t, []string{"log w1", "log w2", "close 1 r1"}, d.store.asked()[3:])
}

func TestWorkSignalledBesideAResolutionThatWaitsForItsReceipt(t *testing.T) {
	d := newDesk(t)
	r := &reply{t: t}
	d.at(time.Minute, func() {
		d.SignalWorkflowSkippingWorkflowTask(string(ticket.MsgWork), work("w1"))
		d.UpdateWorkflow(string(ticket.MsgResolve), "r1", r, resolve("r1"))
	})
	d.run()
	require.Equal(t, []string{"log w1", "close 1 r1"}, d.store.asked()[3:])
	require.Equal(t, "closed by r1", answerOf[billing.Receipt](r).Says)
}

func TestWaitsAndResumesAreReadInTheOrderTheyHappened(t *testing.T) {
	d := newDesk(t)
	at := func(key string, minute int) ticket.Header {
		h := head(key)
		h.At = monday.Add(time.Duration(minute) * time.Minute)
		return h
	}
	d.together(time.Hour,
		sent{ticket.MsgResolve, resolve("r1")},
		sent{ticket.MsgResume, ticket.Resume{Header: at("u1", 2)}},
		sent{ticket.MsgResume, ticket.Resume{Header: at("u2", 4)}},
		sent{ticket.MsgWait, ticket.Wait{Header: at("p2", 3), Reason: "vendor"}},
		sent{ticket.MsgWait, ticket.Wait{Header: at("p1", 1), Reason: "customer"}},
		sent{ticket.MsgReply, ticket.Reply{Header: at("y1", 5), Comment: 1}},
	)
	d.run()
	require.Equal(t, []string{"reply y1", "wait p1", "resume u1", "wait p2", "resume u2", "close 1 r1"}, d.store.asked()[3:])
}

func TestEdge04SecondResolverGetsTheFirstReceipt(t *testing.T) {
	d := newDesk(t)
	first := d.ask(time.Minute, ticket.MsgResolve, "r1", resolve("r1"))
	second := d.ask(time.Minute, ticket.MsgResolve, "r2", resolve("r2"))
	d.run()
	require.Equal(t, "closed by r1", answerOf[billing.Receipt](first).Says)
	require.Equal(t, "closed by r1", answerOf[billing.Receipt](second).Says)
}

func TestResolutionAfterTheEndGetsTheReceiptAndItsWorkIsKept(t *testing.T) {
	d := newDesk(t)
	d.after(time.Minute, ticket.MsgResolve, resolve("r1"))
	d.run()
	next := d.again()
	m := resolve("r2")
	m.Work = []ticket.WorkEntry{work("w9").Entry}
	second := next.ask(0, ticket.MsgResolve, "r2", m)
	require.Equal(t, ticket.Posted, next.run().Stage)
	require.Equal(t, "closed by r1", answerOf[billing.Receipt](second).Says)
	require.Contains(t, next.store.asked(), "log r2/w9")
}

func TestEdge01ReopenedWhileHeld(t *testing.T) {
	d := newDesk(t)
	d.store.holds = []billing.HeldQuote{quote(7, "d7"), quote(8, "d8")}
	d.after(time.Minute, ticket.MsgResolve, resolve("r1"))
	reopened := d.ask(time.Hour, ticket.MsgReopen, "o1", ticket.Reopen{Header: head("o1"), Reason: "still jams"})
	d.at(2*time.Hour, func() {
		s := d.status()
		require.Equal(t, ticket.Resolution, s.Stage)
		require.Equal(t, 2, s.Round)
		require.Empty(t, s.Holds)
	})
	d.after(3*time.Hour, ticket.MsgResolve, resolve("r2"))
	end := d.run()
	require.Equal(t, 2, answerOf[ticket.Answer](reopened).Round)
	require.Equal(t, ticket.Posted, end.Stage)
	require.Equal(t, 2, end.Round)
	require.Contains(t, d.store.asked(), "begin 2")
	require.NotContains(t, d.store.asked(), "overdue H-7 step 0", "the timer of a void hold is stopped")
}

func TestEdge02ReopenedAfterItsRunHadEnded(t *testing.T) {
	d := newDesk(t)
	d.after(time.Minute, ticket.MsgResolve, resolve("r1"))
	d.run()
	next := d.again()
	reopened := next.ask(0, ticket.MsgReopen, "o1", ticket.Reopen{Header: head("o1"), Reason: "still jams"})
	next.after(time.Hour, ticket.MsgResolve, resolve("r2"))
	require.Equal(t, 2, next.run().Round)
	require.True(t, answerOf[ticket.Answer](reopened).Effect)
	require.Contains(t, next.store.asked(), "close 2 r2")
}

func TestResolutionRepeatedAfterAReopeningLeavesTheRoundOpen(t *testing.T) {
	d := newDesk(t)
	d.after(time.Minute, ticket.MsgResolve, resolve("r1"))
	d.run()
	next := d.again()
	next.ask(0, ticket.MsgReopen, "o1", ticket.Reopen{Header: head("o1"), Reason: "still jams"})
	repeated := next.ask(time.Minute, ticket.MsgResolve, "r1", resolve("r1"))
	next.at(time.Hour, func() {
		s := next.status()
		require.Equal(t, ticket.Resolution, s.Stage)
		require.Equal(t, 2, s.Round)
	})
	next.after(2*time.Hour, ticket.MsgResolve, resolve("r2"))
	require.Equal(t, 2, next.run().Round)
	require.Equal(t, 1, answerOf[billing.Receipt](repeated).Round)
	require.Equal(t, "closed by r2", next.store.receipts[2].Says)
}

func TestReworkGoesOnInTheNextRound(t *testing.T) {
	d := newDesk(t)
	q := quote(9, "d9")
	q.Kind, q.Reason = billing.Exception, billing.OutOfScope
	d.store.holds = []billing.HeldQuote{q}
	d.after(time.Minute, ticket.MsgResolve, resolve("r1"))
	ruled := d.ask(time.Hour, ticket.MsgRule, "u1", ticket.Rule{Header: head("u1"), Hold: 9, Action: ticket.Rework, Reason: "wrong contract"})
	d.after(2*time.Hour, ticket.MsgResolve, resolve("r2"))
	require.Equal(t, 2, d.run().Round)
	require.Equal(t, billing.SentBack, answerOf[billing.Settlement](ruled).Outcome)
	require.Contains(t, d.store.asked(), "close 2 r2")
}

func TestRelayThatComesAfterTheEndDoesNothing(t *testing.T) {
	d := newDesk(t)
	d.store.stage = ticket.Posted
	d.store.triaged = &ticket.Triaged{Priority: 3}
	require.Equal(t, ticket.Posted, d.run().Stage)
	require.Equal(t, []string{"begin 1"}, d.store.asked())
	require.Empty(t, d.timers)
}

func TestEventTimeTicketStartsNoTimer(t *testing.T) {
	d := newDesk(t)
	d.store.eventTime = true
	d.store.targets = ticket.Deadlines{Response: monday.AddDate(-10, 0, 0), Resolution: monday.Add(time.Hour)}
	d.store.holds = []billing.HeldQuote{quote(7, "d7")}
	d.after(48*time.Hour, ticket.MsgResolve, resolve("r1"))
	d.after(96*time.Hour, ticket.MsgSignOff, approve("s1", 7, "d7"))
	require.Equal(t, ticket.Posted, d.run().Stage)
	require.Equal(t, []string{"close 1 r1", "held", "sign-off H-7 s1"}, d.store.asked()[3:])
	require.Empty(t, d.timers)
}

func TestAProposedRulingWaitsForASecondPerson(t *testing.T) {
	d := newDesk(t)
	q := quote(9, "d9")
	q.Kind, q.Reason = billing.Exception, billing.OutOfScope
	d.store.holds = []billing.HeldQuote{q}
	d.after(time.Minute, ticket.MsgResolve, resolve("r1"))
	proposed := d.ask(time.Hour, ticket.MsgRule, "u1", ticket.Rule{Header: head("u1"), Hold: 9, Action: ticket.WriteOff, Reason: "we were late"})
	d.at(2*time.Hour, func() { require.Equal(t, ticket.Held, d.status().Stage, "nothing has posted") })
	rejected := d.ask(3*time.Hour, ticket.MsgConfirm, "v1", ticket.Confirm{Header: head("v1"), Hold: 9, Proposal: "p9", Reason: "too much"})
	d.at(4*time.Hour, func() { require.Equal(t, ticket.Held, d.status().Stage) })
	confirmed := d.ask(5*time.Hour, ticket.MsgConfirm, "v2", ticket.Confirm{Header: head("v2"), Hold: 9, Proposal: "p9", Agreed: true})
	require.Equal(t, ticket.Posted, d.run().Stage)
	require.Equal(t, billing.Proposed, answerOf[billing.Settlement](proposed).Outcome)
	require.Equal(t, billing.Rejected, answerOf[billing.Settlement](rejected).Outcome)
	require.Equal(t, billing.Settled, answerOf[billing.Settlement](confirmed).Outcome)
}
