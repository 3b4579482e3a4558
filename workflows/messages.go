package workflows

import (
	"fmt"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/workflow"

	"github.com/docket-psa/docket/activities"
	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

// drainOrder is the one list of what a ticket understands, and the order in which mail is
// read when several letters lie in the box: the SDK keeps no order between differently named
// signals. Row by row; within a row by when it happened. So work that came with its
// resolution is written before anything is rated, and a reopening finds its closure.
var drainOrder = [][]kind{
	{signal[ticket.Moved](ticket.MsgMoved, "Read again whose ticket it is: somebody has moved it to another client.")},
	{signal[ticket.Work](ticket.MsgWork, "Log one entry of measured work.")},
	{signal[ticket.Reply](ticket.MsgReply, "The customer answered.")},
	{
		signal[ticket.Wait](ticket.MsgWait, "Ask the customer, a vendor or for a part; the SLA clock pauses."),
		signal[ticket.Resume](ticket.MsgResume, "End the wait; the SLA clock runs again."),
		update[ticket.Claim](ticket.MsgClaim, "Take the ticket.", asAnswer),
		signal[ticket.Escalate](ticket.MsgEscalate, "Hand the ticket on."),
		// Among them by when it happened: what a wait kept of the clock, it keeps.
		update[ticket.Prioritise](ticket.MsgPrioritise, "Give the ticket another priority; its SLA targets are reckoned anew.", asAnswer),
	},
	{signal[ticket.RequestApproval](ticket.MsgRequestApproval, "Ask the client before an action that will cost.")},
	{update[ticket.Resolve](ticket.MsgResolve, "The work is done: close, rate and post or hold this round.", asReceipt)},
	{
		update[ticket.SignOff](ticket.MsgSignOff, "The client approves or declines the quote of one hold.", asSettlement),
		update[ticket.Rule](ticket.MsgRule, "The dispatcher decides one hold.", asSettlement),
		update[ticket.Confirm](ticket.MsgConfirm, "A second person confirms or rejects a ruling above its sender's limit.", asSettlement),
	},
	{update[ticket.Merge](ticket.MsgMerge, "End this ticket; another carries on with its work.", asAnswer)},
	{signal[ticket.Cancel](ticket.MsgCancel, "End the ticket without a closure.")},
	{update[ticket.Reopen](ticket.MsgReopen, "Start the ticket's next round.", asAnswer)},
}

// kind is one message a ticket understands.
type kind struct {
	name        ticket.Name
	description string
	rank        int // its row in drainOrder
	decode      func(raw []byte, arrived time.Time) (ticket.Message, error)
	register    func(workflow.Context, *mailbox, *kind) error // as an update; nil for a signal alone
}

// stamped is a pointer to a message, which all embed their Header.
type stamped[M any] interface {
	*M
	Stamp(arrived time.Time)
}

// signal describes a message whose sender needs no answer.
func signal[M ticket.Message, P stamped[M]](name ticket.Name, description string) kind {
	return kind{
		name:        name,
		description: description,
		decode: func(raw []byte, arrived time.Time) (ticket.Message, error) {
			var m M
			if err := fromJSON(raw, &m); err != nil {
				return nil, fmt.Errorf("read signal %s: %w", name, err)
			}
			if err := m.Validate(); err != nil {
				return nil, err
			}
			P(&m).Stamp(arrived)
			return m, nil
		},
	}
}

// update describes a message that may come either way: as a signal, or as an update that is
// answered by the main loop with what the activity returned. told puts into the update's own
// answer what became of a message that could not be acted on.
func update[M ticket.Message, R any, P stamped[M]](name ticket.Name, description string, told func(ticket.Answer) R) kind {
	k := signal[M, P](name, description)
	k.register = func(ctx workflow.Context, box *mailbox, k *kind) error {
		handle := func(ctx workflow.Context, m M) (R, error) {
			// A request to cancel the workflow must not take the answer from whoever waits.
			ctx, _ = workflow.NewDisconnectedContext(ctx)
			P(&m).Stamp(workflow.Now(ctx))
			l := &letter{kind: k, message: m, update: true}
			box.keep(l)
			var none R
			if err := workflow.Await(ctx, func() bool { return l.answered }); err != nil {
				return none, err
			}
			if l.err != nil {
				return none, l.err
			}
			if own, ok := l.answer.(R); ok {
				return own, nil
			}
			answer, _ := l.answer.(ticket.Answer)
			return told(answer), nil
		}
		return workflow.SetUpdateHandlerWithOptions(ctx, string(name), handle, workflow.UpdateHandlerOptions{
			Description: description,
			// A refusal here leaves no trace in history.
			Validator: func(m M) error {
				if err := m.Validate(); err != nil {
					return activities.Invalid(err)
				}
				return nil
			},
		})
	}
	return k
}

func asAnswer(a ticket.Answer) ticket.Answer { return a }

func asReceipt(a ticket.Answer) billing.Receipt {
	return billing.Receipt{Ticket: string(a.Ticket), Round: a.Round, Says: a.Says}
}

func asSettlement(a ticket.Answer) billing.Settlement {
	return billing.Settlement{Outcome: billing.Stale, Says: a.Says}
}

// JSON by Temporal's own converter, which the starters of workflows use too.
var payloads = converter.GetDefaultDataConverter()

func fromJSON(raw []byte, into any) error {
	return payloads.FromPayload(&commonpb.Payload{
		Metadata: map[string][]byte{converter.MetadataEncoding: []byte(converter.MetadataEncodingJSON)},
		Data:     raw,
	}, into)
}

func toJSON(v any) ([]byte, error) {
	p, err := payloads.ToPayload(v)
	return p.GetData(), err
}
