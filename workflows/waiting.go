package workflows

import (
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

// take gives the next letter without waiting; nil when there is none.
func (t *lifecycle) take(ctx workflow.Context) *letter {
	if t.cancelRequested() {
		t.takeCancelRequest(workflow.Now(ctx))
	}
	return t.mail.next(ctx)
}

// await gives the next letter, or nil when something has fallen due. Every wait of the
// lifecycle is this one. It looks at the mail first and only then at the timer: Temporal
// delivers a message and a timer that fires in one task, in no order that means anything, and
// a sign-off that came in time must win although the worker was down.
func (t *lifecycle) await(ctx workflow.Context) (*letter, error) {
	for {
		if err := t.continueAsNew(ctx); err != nil {
			return nil, err
		}
		if l := t.take(ctx); l != nil {
			return l, nil
		}
		t.alarm.set(ctx, t.due())
		if t.alarm.rings() {
			return nil, nil
		}
		t.show(ctx)
		if err := workflow.Await(ctx, func() bool {
			return t.mail.waiting() || t.alarm.rings() || t.cancelRequested()
		}); err != nil {
			return nil, err
		}
	}
}

// continueAsNew starts a fresh history when Temporal suggests it, carrying unread mail; where
// the ticket stands is in PostgreSQL. While somebody waits for an answer, the mail is read on.
func (t *lifecycle) continueAsNew(ctx workflow.Context) error {
	if !workflow.GetInfo(ctx).GetContinueAsNewSuggested() {
		return nil
	}
	mail, ok := t.mail.carry(ctx)
	if !ok {
		return nil
	}
	return workflow.NewContinueAsNewError(ctx, Ticket, ticket.Input{Ticket: t.id, Round: t.round, Mail: mail})
}

// The deadlines of holds, beside those of the SLA in ticket.Deadlines.
const (
	reminder ticket.Due = "reminder"
	expiry   ticket.Due = "hold"
)

// due is something that happens unless a message comes first.
type due struct {
	at   time.Time // zero: nothing is due
	what ticket.Due
	step int // of an escalation
	hold billing.HeldQuote
	says string // the timer's summary in the Temporal UI
}

// due gives what falls due next. A ticket that tells the past again has no deadlines of the
// wall clock: only mail moves it.
func (t *lifecycle) due() due {
	if t.brief.EventTime {
		return due{}
	}
	var first due
	if t.stage == ticket.Resolution || t.stage == ticket.Waiting {
		if what, at := t.deadlines.Next(); !at.IsZero() {
			first = due{at: at, what: what, step: t.deadlines.Step, says: comes(what, t.deadlines)}
		}
	}
	for _, q := range t.held {
		if !q.ExpiresAt.IsZero() && (first.at.IsZero() || q.ExpiresAt.Before(first.at)) {
			first = due{at: q.ExpiresAt, what: expiry, hold: q, says: asked(q)}
		}
		if !q.RemindAt.IsZero() && q.RemindAt.Before(first.at) {
			first = due{at: q.RemindAt, what: reminder, hold: q, says: "remind: " + asked(q)}
		}
	}
	if !first.at.IsZero() && first.at.Before(t.notBefore) {
		first.at = t.notBefore
	}
	return first
}

// overdue does what follows when time has run out: an SLA target is reported as breached, a
// quote is asked for again, one step up the chain. Neither decides anything.
func (t *lifecycle) overdue(ctx workflow.Context) error {
	d := t.alarm.due
	t.alarm.cancel()
	if d.hold.Hold == 0 {
		return t.fallsDue(ctx, d)
	}

	fresh, err := t.askAgain(ctx, d)
	if err != nil {
		return err
	}
	if fresh.Hold == 0 { // decided meanwhile
		return t.recallHolds(ctx)
	}
	if now := workflow.Now(ctx); !fresh.ExpiresAt.After(now) || (!fresh.RemindAt.IsZero() && !fresh.RemindAt.After(now)) {
		t.snooze(ctx)
	}
	for i, q := range t.held {
		if q.Hold == d.hold.Hold {
			t.held[i] = fresh
		}
	}
	return nil
}

// fallsDue has a deadline of the SLA acted on: a warning, a miss, a step up the chain.
func (t *lifecycle) fallsDue(ctx workflow.Context, d due) error {
	from := t.assigned.Assignee
	answer, err := t.report(ctx, d)
	if err != nil {
		return err
	}
	if what, at := answer.Deadlines.Next(); what == d.what && at.Equal(d.at) {
		t.snooze(ctx)
	}
	if answer.Stage == ticket.Routing && from != "" { // taken from whoever missed the target
		t.excluded = append(t.excluded, from)
	}
	return t.believe(ctx, answer)
}

func (t *lifecycle) report(ctx workflow.Context, d due) (ticket.Answer, error) {
	switch d.what {
	case ticket.WarnResponse:
		return write[ticket.Answer](ctx, string(d.what), acts.Warn, t.id, t.round, string(ticket.ResponseDue))
	case ticket.WarnResolution:
		return write[ticket.Answer](ctx, string(d.what), acts.Warn, t.id, t.round, string(ticket.ResolutionDue))
	case ticket.EscalationDue:
		return write[ticket.Answer](ctx, "still late: step "+itoa(d.step)+" up", acts.StepUp, t.id, t.round, d.step)
	case ticket.ResponseDue, ticket.ResolutionDue, reminder, expiry:
	}
	return write[ticket.Answer](ctx, string(d.what)+" target missed", acts.Breach, t.id, t.round, string(d.what))
}

// comes is the summary of a deadline's timer: what happens when it rings.
func comes(what ticket.Due, d ticket.Deadlines) string {
	const wall = "2 Jan 15:04 MST"
	switch what {
	case ticket.WarnResponse:
		return "warn: response due " + d.Response.UTC().Format(wall)
	case ticket.WarnResolution:
		return "warn: resolution due " + d.Resolution.UTC().Format(wall)
	case ticket.EscalationDue:
		return "still late: step " + itoa(d.Step) + " up the chain"
	case ticket.ResponseDue, ticket.ResolutionDue, reminder, expiry:
	}
	return string(what) + " due"
}

// askAgain reminds whom a quote asks, or has it quoted afresh.
func (t *lifecycle) askAgain(ctx workflow.Context, d due) (billing.HeldQuote, error) {
	if d.what == reminder {
		return write[billing.HeldQuote](ctx, "remind: "+asked(d.hold), acts.Remind, t.id, d.hold.Hold, d.hold.Step, d.hold.Reminded+1)
	}
	return deed[billing.HeldQuote](ctx, "time is up: "+asked(d.hold), acts.Overdue, t.id, d.hold.Hold, d.hold.Step)
}

// snooze puts off the next alarm. Temporal's clock and PostgreSQL's may differ: what has fallen
// due for one may not have for the other, and the run must not spin until they agree.
func (t *lifecycle) snooze(ctx workflow.Context) { t.notBefore = workflow.Now(ctx).Add(time.Minute) }

// alarm is the one timer that may be running.
type alarm struct {
	due   due
	timer workflow.Future
	stop  workflow.CancelFunc
}

// set lets the alarm ring for d, and leaves it as it is when it runs for that already.
func (a *alarm) set(ctx workflow.Context, d due) {
	if a.timer != nil && a.due.at.Equal(d.at) && a.due.says == d.says {
		a.due = d
		return
	}
	a.cancel()
	if d.at.IsZero() {
		return
	}
	ctx, a.stop = workflow.WithCancel(ctx)
	a.due = d
	a.timer = workflow.NewTimerWithOptions(ctx, d.at.Sub(workflow.Now(ctx)), workflow.TimerOptions{Summary: d.says})
}

func (a *alarm) rings() bool { return a.timer != nil && a.timer.IsReady() }

func (a *alarm) cancel() {
	if a.timer != nil {
		a.stop()
	}
	*a = alarm{}
}
