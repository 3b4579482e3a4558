package workflows

import (
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/docket-psa/docket/activities"
	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

// lifecycle is what one run knows of its ticket. PostgreSQL knows all of it too: each answer
// of an activity says what is true there, and the run adopts it.
type lifecycle struct {
	id         ticket.ID
	round      int
	stage      ticket.Stage
	brief      ticket.Brief // as the round began
	priority   int
	assigned   ticket.Assignment
	excluded   []string // who has handed this round on
	waitingFor string   // why the SLA clock stands still
	deadlines  ticket.Deadlines
	notBefore  time.Time // see snooze
	closing    *letter   // the resolution that closes the round
	held       []billing.HeldQuote
	answer     ticket.Answer

	mail    *mailbox
	alarm   alarm
	shown   attributes
	refused string // the last message that could not be acted on, and why

	operator   workflow.Context // done when the workflow's cancellation is requested
	cancelSeen bool
}

// open registers everything the run understands. The context it returns outlives a request to
// cancel the workflow, see cancelRequested.
func open(root workflow.Context, in ticket.Input) (workflow.Context, *lifecycle, error) {
	ctx, _ := workflow.NewDisconnectedContext(root)
	t := &lifecycle{id: in.Ticket, round: in.Round, operator: root}
	var err error
	if t.mail, err = openMailbox(ctx, in.Mail); err != nil {
		return ctx, t, err
	}
	return ctx, t, workflow.SetQueryHandlerWithOptions(ctx, ticket.QueryStatus,
		func() (ticket.Status, error) { return t.status(), nil },
		workflow.QueryHandlerOptions{Description: "Where the ticket stands, who is awaited and until when."})
}

// begin says 'round n begun' and goes on from where PostgreSQL stands. A run that was started
// for a round gone by begins the current one.
func (t *lifecycle) begin(ctx workflow.Context, round int) error {
	for {
		brief, err := write[ticket.Brief](ctx, "round begins", acts.Begin, t.id, round)
		if err != nil {
			return err
		}
		if brief.Round > round {
			round = brief.Round
			continue
		}
		t.adopt(brief)
		break
	}
	switch t.stage {
	case ticket.Resolution, ticket.Waiting, ticket.Held:
		return t.recallHolds(ctx)
	case ticket.New, ticket.Triage, ticket.Routing, ticket.Closing, ticket.Posted, ticket.Merged, ticket.Cancelled:
	}
	return nil
}

// adopt takes over what PostgreSQL says. Stages that it does not tell apart are told by what
// has been done: a round whose triage is done goes to routing, one that is routed to resolution.
func (t *lifecycle) adopt(b ticket.Brief) {
	t.brief, t.round, t.stage = b, b.Round, b.Stage
	t.deadlines, t.held, t.closing, t.excluded, t.waitingFor = b.Deadlines, nil, nil, nil, ""
	t.assigned = ticket.Assignment{}
	if b.Triaged != nil {
		t.priority = b.Triaged.Priority
	}
	if b.Assigned != nil {
		t.assigned = *b.Assigned
	}
	switch t.stage {
	case ticket.New, ticket.Triage, ticket.Routing, ticket.Closing:
		switch {
		case b.Triaged == nil:
			t.stage = ticket.Triage
		case b.Assigned == nil:
			t.stage = ticket.Routing
		default:
			t.stage = ticket.Resolution
		}
	case ticket.Resolution, ticket.Waiting, ticket.Held, ticket.Posted, ticket.Merged, ticket.Cancelled:
	}
	t.answer = ticket.Answer{
		Effect: true, Ticket: t.id, Round: t.round, Stage: t.stage,
		Assignee: t.assigned.Assignee, Into: b.MergedInto, Deadlines: t.deadlines,
		Says: string(t.id) + " is " + string(t.stage) + ".",
	}
}

// believe adopts what an answer says is true now. Where it tells of another round, or of a
// closing that this run has not seen (an operator reset it to before that), the run begins
// again from PostgreSQL.
func (t *lifecycle) believe(ctx workflow.Context, a ticket.Answer) error {
	if a.Stage == "" {
		return nil
	}
	if a.Round != t.round || (a.Stage == ticket.Held) != (t.stage == ticket.Held) {
		return t.begin(ctx, a.Round)
	}
	t.deadlines = a.Deadlines
	if t.assigned.Assignee != a.Assignee {
		t.assigned.Assignee, t.assigned.Kind = a.Assignee, ""
	}
	t.stage = a.Stage
	switch t.stage {
	case ticket.New, ticket.Triage, ticket.Closing:
		t.stage = ticket.Resolution // this run is beyond them
	case ticket.Resolution:
		t.waitingFor = ""
	case ticket.Routing, ticket.Waiting, ticket.Held, ticket.Posted, ticket.Merged, ticket.Cancelled:
	}
	t.answer.Says, t.answer.Into = a.Says, a.Into
	return nil
}

// triage reads and classifies the ticket.
func (t *lifecycle) triage(ctx workflow.Context) error {
	found, err := write[ticket.Triaged](ctx, "read and classify", acts.Triage, t.id, t.round)
	if err != nil {
		return err
	}
	t.priority, t.deadlines = found.Priority, found.Deadlines
	t.stage = ticket.Routing
	return nil
}

// route finds who resolves the ticket; nobody yet means that it waits on a board.
func (t *lifecycle) route(ctx workflow.Context) error {
	to, err := write[ticket.Assignment](ctx, "find who resolves it", acts.Route, t.id, t.round, t.excluded)
	if err != nil {
		return err
	}
	t.assigned = to
	t.stage = ticket.Resolution
	if t.waitingFor != "" { // escalated while the customer was asked: he still is
		t.stage = ticket.Waiting
	}
	return nil
}

// attend acts on mail and on what falls due, until the ticket is in another stage.
func (t *lifecycle) attend(ctx workflow.Context) error {
	for stage := t.stage; t.stage == stage; {
		l, err := t.await(ctx)
		switch {
		case err != nil:
		case l == nil:
			err = t.overdue(ctx)
		default:
			err = t.act(ctx, l)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// close closes the round. All work that came before has been written: the mailbox reads work
// first, and nothing has been waited for since it gave the resolution.
func (t *lifecycle) close(ctx workflow.Context) error {
	resolution := t.closing
	m := resolution.message.(ticket.Resolve)
	t.closing = nil
	t.alarm.cancel()
	t.describe(ctx)
	receipt, err := deed[billing.Receipt](ctx, "close and rate round "+itoa(t.round), acts.Close, t.id, t.round, m)
	if refusal := activities.Refusal(err); refusal != nil {
		// What the resolver sent is wrong: he is told, and the ticket stays with him.
		t.stage = ticket.Resolution
		return t.refuse(ctx, resolution, refusal)
	}
	resolution.reply(receipt, err)
	if err != nil {
		return err
	}
	if receipt.Round != t.round { // it had closed an earlier round, and came again after the reopening
		return t.begin(ctx, t.round)
	}
	t.deadlines = ticket.Deadlines{}
	t.answer.Says = receipt.Says
	t.held, t.stage = receipt.Held, ticket.Held
	if len(t.held) > 0 {
		// A receipt says what was held when the round was closed. After a reset of the run that
		// may be long ago, and decided since.
		return t.recallHolds(ctx)
	}
	t.settled()
	return nil
}

// settled ends the held stage when nobody is waited for any more.
func (t *lifecycle) settled() {
	if t.stage == ticket.Held && len(t.held) == 0 {
		t.stage = ticket.Posted
	}
}

// recallHolds asks PostgreSQL what waits for a person.
func (t *lifecycle) recallHolds(ctx workflow.Context) (err error) {
	t.held, err = write[[]billing.HeldQuote](ctx, "what waits for a person", acts.Held, t.id)
	t.settled()
	return err
}

// over says whether the ticket has come to an end that only a reopening undoes.
func (t *lifecycle) over() bool { return t.stage != ticket.Held && !t.stage.Open() }

// end answers what mail there is and says whether the run may return. It may not while an
// update waits for its answer, or when the mail led to another round.
func (t *lifecycle) end(ctx workflow.Context) (ended bool, err error) {
	t.alarm.cancel()
	for {
		if l := t.take(ctx); l != nil {
			if err := t.act(ctx, l); err != nil {
				return false, err
			}
			if !t.over() {
				return false, nil
			}
			continue
		}
		t.show(ctx)
		if err := workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) }); err != nil {
			return false, err
		}
		if !t.mail.waiting() {
			t.answer.Ticket, t.answer.Round, t.answer.Stage = t.id, t.round, t.stage
			t.answer.Assignee = t.assigned.Assignee
			return true, nil
		}
	}
}

// leave ends the run with an error, or as the next one: whoever waits is told first.
func (t *lifecycle) leave(ctx workflow.Context, cause error) error {
	if !workflow.IsContinueAsNewError(cause) {
		t.mail.refuse(cause)
	}
	if err := workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) }); err != nil {
		return err
	}
	return cause
}

// cancelled makes Temporal say 'canceled' of a run that ended because an operator cancelled
// it there. A ticket that was cancelled by a message has simply completed.
func (t *lifecycle) cancelled() error {
	if t.cancelSeen && t.stage == ticket.Cancelled {
		return temporal.NewCanceledError(t.answer.Says)
	}
	return nil
}

// cancelRequested turns an operator's request to cancel the workflow, in the Temporal UI or
// with its command line, into a cancel message like any other, once. The rule: PostgreSQL
// decides. Where nothing has been logged or closed the ticket is cancelled and the run ends as
// canceled. Otherwise the request is on record, changes nothing, and the run goes on: money
// that waits for a person is not dropped by a button. Temporal takes one such request in a
// run's life; to stop a run without ending its ticket, terminate it.
func (t *lifecycle) cancelRequested() bool { return t.operator.Err() != nil && !t.cancelSeen }

func (t *lifecycle) takeCancelRequest(now time.Time) {
	t.cancelSeen = true
	t.mail.keep(&letter{kind: t.mail.kindOf(ticket.MsgCancel), message: ticket.Cancel{
		Header: ticket.Header{
			OperationKey: "cancel-workflow-" + string(t.id) + "-round-" + itoa(t.round), Who: "operator", Via: ticket.ViaTemporal, At: now,
		},
		Reason: "the workflow's cancellation was requested in Temporal",
	}})
}
