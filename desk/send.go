package desk

import (
	"context"
	"crypto/rand"
	"errors"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	sdk "go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/docket-psa/docket/ticket"
)

const (
	answerWithin = 30 * time.Second // an update: a closing may wait for locks, a worker may be restarting
	signalWithin = 10 * time.Second
	startWithin  = 3 * time.Second // opening does not depend on it: the relay starts what did not start

	// A run that ends while a message is on its way is followed by another, which takes the message.
	sendings = 5
)

// NewKey gives a fresh operation key.
func NewKey() string { return "op-" + rand.Text()[:16] }

// head fills what a face may leave out of a header.
func (d *Desk) head(h ticket.Header) ticket.Header {
	if h.OperationKey == "" {
		h.OperationKey = NewKey()
	}
	if h.At.IsZero() {
		h.At = d.now().UTC()
	}
	if h.Via == "" {
		h.Via = ticket.ViaAPI
	}
	return h
}

// check joins what is wrong with a message's shape and its time.
func (d *Desk) check(m ticket.Message) error {
	errs := []error{m.Validate()}
	if at := m.Head().At; at.After(d.now().Add(ticket.ClockSkew)) {
		errs = append(errs, ticket.Invalid("at", at.UTC().Format(time.RFC3339), "lies in the future",
			"it is "+d.now().UTC().Format(time.RFC3339)+" now; check the sender's clock"))
	}
	return errors.Join(errs...)
}

// checkWork refuses work that is not over yet, or began in the future.
func (d *Desk) checkWork(entries ...ticket.WorkEntry) error {
	var errs []error
	latest := d.now().Add(ticket.ClockSkew)
	for _, w := range entries {
		if w.StartedAt.IsZero() { // nobody knows when: the store takes the date of the message
			continue
		}
		if end := w.StartedAt.Add(time.Duration(w.MS) * time.Millisecond); end.After(latest) {
			errs = append(errs, ticket.Invalid("work.started_at", w.StartedAt.UTC().Format(time.RFC3339), "lies in the future, or the work ends there",
				"log work when it is done; it is "+d.now().UTC().Format(time.RFC3339)+" now"))
		}
	}
	return errors.Join(errs...)
}

// starting gives the options under which every run of the ticket starts, whoever starts it.
func starting(id ticket.ID, client, subject string) sdk.StartWorkflowOptions {
	return sdk.StartWorkflowOptions{
		ID:                       id.WorkflowID(),
		TaskQueue:                ticket.TaskQueue,
		WorkflowIDReusePolicy:    enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		StaticSummary:            summary(client, subject),
		TypedSearchAttributes: temporal.NewSearchAttributes(
			temporal.NewSearchAttributeKeyKeyword(ticket.AttrClient).ValueSet(client),
		),
	}
}

// summary is the line by which the Temporal UI shows the ticket: "northwind · Printer jams".
func summary(client, subject string) string {
	const longest = 120 // runes; Temporal takes 400 bytes
	runes := []rune(subject)
	if len(runes) > longest {
		subject = string(runes[:longest-1]) + "…"
	}
	return client + " · " + subject
}

// signal sends a message that needs no answer. It starts the ticket's run where none is.
func (d *Desk) signal(ctx context.Context, id ticket.ID, name ticket.Name, m ticket.Message) (Sent, error) {
	if err := d.check(m); err != nil {
		return Sent{}, err
	}
	at, err := d.store.Where(ctx, id)
	if err != nil {
		return Sent{}, err
	}
	key := m.Head().OperationKey
	within, cancel := context.WithTimeout(ctx, signalWithin)
	defer cancel()
	_, err = d.temporal.SignalWithStartWorkflow(within, at.Ticket.WorkflowID(), string(name), m, starting(at.Ticket, at.Client, at.Subject),
		ticket.WorkflowType, ticket.Input{Ticket: at.Ticket, Round: at.Round})
	if err != nil {
		return Sent{}, answered(err, name, at.Ticket, key)
	}
	return Sent{Ticket: at.Ticket, Message: name, OperationKey: key}, nil
}

// update sends a message and waits for its answer. It starts the ticket's run where none is. The
// update's id is the operation key: sent again, it gives the same answer.
func update[A any](ctx context.Context, d *Desk, id ticket.ID, name ticket.Name, m ticket.Message) (answer A, err error) {
	if err := d.check(m); err != nil {
		return answer, err
	}
	at, err := d.store.Where(ctx, id)
	if err != nil {
		return answer, err
	}
	key := m.Head().OperationKey
	within, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	for range sendings {
		var handle sdk.WorkflowUpdateHandle
		handle, err = d.temporal.UpdateWithStartWorkflow(within, sdk.UpdateWithStartWorkflowOptions{
			StartWorkflowOperation: d.temporal.NewWithStartWorkflowOperation(starting(at.Ticket, at.Client, at.Subject), ticket.WorkflowType,
				ticket.Input{Ticket: at.Ticket, Round: at.Round}),
			UpdateOptions: sdk.UpdateWorkflowOptions{
				UpdateID:     key,
				WorkflowID:   at.Ticket.WorkflowID(),
				UpdateName:   string(name),
				Args:         []any{m},
				WaitForStage: sdk.WorkflowUpdateStageCompleted,
			},
		})
		if err == nil {
			err = handle.Get(within, &answer)
		}
		if !closing(err) {
			break
		}
	}
	return answer, answered(err, name, at.Ticket, key)
}
