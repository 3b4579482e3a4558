package desk

import (
	"context"
	"errors"
	"fmt"

	"github.com/docket-psa/docket/ticket"
)

// Post sends messages to one ticket in their order and waits for no answer: the ticket's record
// tells what became of each. Their times order them, too: mail that is read together is read by
// when it happened. Nothing is sent where one is malformed; after an error some may have been.
func (d *Desk) Post(ctx context.Context, id ticket.ID, messages ...ticket.Message) error {
	names := make([]ticket.Name, len(messages))
	for i, m := range messages {
		var ok bool
		if names[i], ok = nameOf(m); !ok {
			return fmt.Errorf("post to %s: %T asks for an answer, and is sent by itself", id, m)
		}
		err := d.check(m)
		if work, ok := m.(ticket.Work); ok {
			err = errors.Join(err, d.checkWork(work.Entry))
		}
		if err != nil {
			return err
		}
	}
	at, err := d.store.Where(ctx, id)
	if err != nil {
		return err
	}
	within, cancel := context.WithTimeout(ctx, signalWithin)
	defer cancel()
	for i, m := range messages {
		_, err := d.temporal.SignalWithStartWorkflow(within, at.Ticket.WorkflowID(), string(names[i]), m, starting(at.Ticket, at.Client, at.Subject),
			ticket.WorkflowType, ticket.Input{Ticket: at.Ticket, Round: at.Round})
		if err != nil {
			return answered(err, names[i], at.Ticket, m.Head().OperationKey)
		}
	}
	return nil
}

// nameOf names the messages that may be posted: those that ask for no answer of their own.
func nameOf(m ticket.Message) (ticket.Name, bool) {
	switch m.(type) {
	case ticket.Claim:
		return ticket.MsgClaim, true
	case ticket.Work:
		return ticket.MsgWork, true
	case ticket.Wait:
		return ticket.MsgWait, true
	case ticket.Resume:
		return ticket.MsgResume, true
	case ticket.Escalate:
		return ticket.MsgEscalate, true
	}
	return "", false
}
