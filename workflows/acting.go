package workflows

import (
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/docket-psa/docket/activities"
	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

// act does what a letter asks and answers its sender. A letter that can never succeed is
// refused and put on record; the ticket goes on as if it had not come.
func (t *lifecycle) act(ctx workflow.Context, l *letter) error {
	if l.message == nil {
		return t.refuse(ctx, l, activities.Refusal(activities.Invalid(l.fault)))
	}
	if t.stage == ticket.Merged && redirected(l.message) {
		return t.redirect(ctx, l)
	}
	if _, resolves := l.message.(ticket.Resolve); resolves && t.stage.Open() {
		t.closing, t.stage = l, ticket.Closing // answered when the round is closed
		return nil
	}
	answer, err := t.deliver(ctx, l)
	if refusal := activities.Refusal(err); refusal != nil {
		return t.refuse(ctx, l, refusal)
	}
	l.reply(answer, err)
	return err
}

// deliver hands a message to PostgreSQL, which alone decides what becomes of it, and adopts
// what is true afterwards. Nothing is refused here for its lateness: a message that comes too
// late is recorded there, and one that is repeated gets its first answer.
func (t *lifecycle) deliver(ctx workflow.Context, l *letter) (any, error) {
	switch m := l.message.(type) {
	case ticket.Moved:
		return t.reread(ctx)
	case ticket.Work:
		return t.tell(ctx, "log work", acts.Log, m)
	case ticket.Reply:
		return t.tell(ctx, "the customer replied", acts.Reply, m)
	case ticket.Wait:
		answer, err := t.tell(ctx, "wait: the SLA clock pauses", acts.Wait, m)
		if answer.Effect {
			t.waitingFor = m.Reason
		}
		return answer, err
	case ticket.Resume:
		return t.tell(ctx, "resume: the SLA clock runs", acts.Resume, m)
	case ticket.Claim:
		return t.tell(ctx, "claim", acts.Claim, m)
	case ticket.Escalate:
		return t.escalate(ctx, m)
	case ticket.Prioritise:
		answer, err := t.tell(ctx, "priority "+itoa(m.Priority), acts.Prioritise, m)
		if answer.Effect {
			t.priority = m.Priority
		}
		return answer, err
	case ticket.RequestApproval:
		return t.requestApproval(ctx, m)
	case ticket.Resolve:
		return t.closedAlready(ctx, m)
	case ticket.SignOff:
		return t.settle(ctx, "sign-off of "+ticket.HoldID(m.Hold), acts.SignOff, m)
	case ticket.Rule:
		return t.settle(ctx, "ruling on "+ticket.HoldID(m.Hold), acts.Rule, m)
	case ticket.Confirm:
		return t.settle(ctx, "second word on "+ticket.HoldID(m.Hold), acts.Confirm, m)
	case ticket.Merge:
		return t.tell(ctx, "merge into "+string(m.Into), acts.Merge, m)
	case ticket.Cancel:
		return t.tell(ctx, "cancel", acts.Cancel, m)
	case ticket.Reopen:
		return t.reopen(ctx, m)
	}
	return t.tooLate(ctx, l)
}

// tell writes one message down and adopts the answer.
func (t *lifecycle) tell(ctx workflow.Context, summary string, activity any, m ticket.Message) (ticket.Answer, error) {
	answer, err := write[ticket.Answer](ctx, summary, activity, t.id, m)
	if err != nil {
		return answer, err
	}
	return answer, t.believe(ctx, answer)
}

// reread adopts whose ticket it is now, and by when it is due.
func (t *lifecycle) reread(ctx workflow.Context) (ticket.Answer, error) {
	brief, err := write[ticket.Brief](ctx, "read the ticket again: it was moved", acts.Begin, t.id, t.round)
	if err != nil {
		return t.answer, err
	}
	if brief.Round != t.round { // reopened meanwhile, and this run has not heard of it
		return t.answer, t.begin(ctx, brief.Round)
	}
	if t.brief.Client != brief.Client {
		t.shown.stage = "" // the next upsert is due, although the stage stays
	}
	t.brief.Client, t.brief.Subject, t.deadlines = brief.Client, brief.Subject, brief.Deadlines
	return t.answer, nil
}

// escalate takes the ticket from its assignee; routing finds another where none is named.
func (t *lifecycle) escalate(ctx workflow.Context, m ticket.Escalate) (ticket.Answer, error) {
	from := t.assigned.Assignee
	answer, err := t.tell(ctx, "escalate", acts.Escalate, m)
	if err != nil || !answer.Effect {
		return answer, err
	}
	if from != "" {
		t.excluded = append(t.excluded, from)
	}
	return answer, nil
}

// requestApproval asks the client before an action; its quote waits like any other hold.
func (t *lifecycle) requestApproval(ctx workflow.Context, m ticket.RequestApproval) (ticket.Answer, error) {
	quote, err := deed[billing.HeldQuote](ctx, "ask the client for approval", acts.RequestApproval, t.id, m)
	if err != nil {
		return ticket.Answer{}, err
	}
	known := quote.Hold == 0 // nothing to ask for
	for i, q := range t.held {
		if q.Hold == quote.Hold {
			t.held[i], known = quote, true
		}
	}
	if !known {
		t.held = append(t.held, quote)
	}
	return t.answer, t.lookAtClock(ctx)
}

// lookAtClock reads what is due after the client was asked something, or has answered, where the contract stops the
// clock of the resolution meanwhile.
func (t *lifecycle) lookAtClock(ctx workflow.Context) error {
	if !t.deadlines.OnAsk || !t.stage.Open() {
		return nil
	}
	brief, err := write[ticket.Brief](ctx, "what is due", acts.Begin, t.id, t.round)
	if err != nil || brief.Round != t.round {
		return err
	}
	t.deadlines = brief.Deadlines
	return nil
}

// settle hands a person's word on a hold to the ledger.
func (t *lifecycle) settle(ctx workflow.Context, summary string, activity any, m ticket.Message) (billing.Settlement, error) {
	settlement, err := deed[billing.Settlement](ctx, summary, activity, t.id, m)
	if err != nil {
		return settlement, err
	}
	t.answer.Says = settlement.Says
	switch settlement.Outcome {
	case billing.Settled, billing.Passed:
		t.held = settlement.Held
		t.settled()
		return settlement, t.lookAtClock(ctx)
	case billing.SentBack: // voided; the ticket is in resolution again, in its next round
		return settlement, t.begin(ctx, t.round+1)
	case billing.Superseded: // the round was reopened meanwhile
		return settlement, t.begin(ctx, t.round)
	case billing.Proposed, billing.Rejected: // it waits as before
	case billing.Already, billing.Stale, billing.Refused: // no effect; what waits may have changed without us
		if !t.over() {
			return settlement, t.recallHolds(ctx)
		}
	}
	return settlement, nil
}

// reopen voids what is held, reverses what was charged, and begins the next round.
func (t *lifecycle) reopen(ctx workflow.Context, m ticket.Reopen) (ticket.Answer, error) {
	answer, err := deed[ticket.Answer](ctx, "reopen", acts.Reopen, t.id, m)
	if err != nil {
		return answer, err
	}
	return answer, t.believe(ctx, answer)
}

// closedAlready answers a resolution that comes after the round was closed with the receipt
// of that closing. Its own work goes the way of late work: measured minutes are never dropped.
func (t *lifecycle) closedAlready(ctx workflow.Context, m ticket.Resolve) (any, error) {
	receipt, err := deed[billing.Receipt](ctx, "the receipt of round "+itoa(t.round), acts.Close, t.id, t.round, m)
	if err != nil {
		return receipt, err
	}
	for _, entry := range m.Work {
		late := ticket.Work{Header: m.Header, Entry: entry}
		late.OperationKey += "/" + entry.OperationKey
		_, err := t.tell(ctx, "log late work", acts.Log, late)
		if refusal := activities.Refusal(err); refusal != nil {
			t.refused = "work in resolve from " + m.Who + ": " + refusal.Message()
		} else if err != nil {
			return receipt, err
		}
	}
	return receipt, nil
}

// tooLate puts a message on record that the ticket can no longer act on.
func (t *lifecycle) tooLate(ctx workflow.Context, l *letter) (ticket.Answer, error) {
	return write[ticket.Answer](ctx, "a late "+string(l.kind.name), acts.Late, t.id, l.kind.name, l.message.Head(), "")
}

// refuse tells the sender what is wrong with his message and puts it on record.
func (t *lifecycle) refuse(ctx workflow.Context, l *letter, refusal *temporal.ApplicationError) error {
	l.reply(nil, refusal)
	h := l.header(workflow.Now(ctx))
	t.refused = string(l.kind.name) + " from " + h.Who + ": " + refusal.Message()
	workflow.GetLogger(ctx).Warn("message refused", "message", l.kind.name, "operation_key", h.OperationKey, "error", refusal)
	_, err := write[ticket.Answer](ctx, "a refused "+string(l.kind.name), acts.Late, t.id, l.kind.name, h, refusal.Message())
	if activities.Refusal(err) != nil {
		return nil // not even its header can be kept; the log has it
	}
	return err
}

// redirected says whether a message to a merged ticket belongs to the ticket it lives on in.
// A hold is named by its number, so a word on one stays here; so do a repeated merge, and news of this ticket.
func redirected(m ticket.Message) bool {
	switch m.(type) {
	case ticket.SignOff, ticket.Rule, ticket.Confirm, ticket.Merge, ticket.Moved:
		return false
	}
	return true
}

// redirect passes a letter on to the ticket that this one was merged into, and says so.
func (t *lifecycle) redirect(ctx workflow.Context, l *letter) error {
	into := t.answer.Into
	err := workflow.SignalExternalWorkflow(ctx, into.WorkflowID(), "", string(l.kind.name), l.message).Get(ctx, nil)
	answer := ticket.Answer{Ticket: t.id, Round: t.round, Stage: t.stage, Into: into}
	if err == nil {
		answer.Effect = true
		answer.Says = string(t.id) + " was merged into " + string(into) + "; your " + string(l.kind.name) + " was passed on there."
		l.reply(answer, nil)
		return nil
	}
	// It has ended, and a workflow cannot start it again. On record here, for a person to send there.
	workflow.GetLogger(ctx).Warn("message not passed on", "message", l.kind.name, "into", into, "error", err)
	if _, err := t.tooLate(ctx, l); err != nil && activities.Refusal(err) == nil {
		l.reply(nil, err)
		return err
	}
	answer.Says = string(t.id) + " was merged into " + string(into) + ", which has ended; send your " + string(l.kind.name) + " to " + string(into) + "."
	t.refused = answer.Says
	l.reply(answer, nil)
	return nil
}
