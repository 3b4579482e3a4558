package desk

import (
	"context"
	"log/slog"

	"github.com/docket-psa/docket/ticket"
)

// Open takes a ticket in. It is safe in PostgreSQL when this returns without an error; where
// Temporal does not answer, Started is false and the relay starts the workflow later.
// Returns ticket Problems for what is malformed, and nothing is stored then.
func (d *Desk) Open(ctx context.Context, o ticket.Opening) (ticket.Opened, error) {
	opened, err := d.Accept(ctx, o)
	if err != nil || opened.Duplicate {
		// The outbox knows whether a repeated ticket's workflow has begun.
		opened.Started = opened.Duplicate
		return opened, err
	}
	within, cancel := context.WithTimeout(ctx, startWithin)
	defer cancel()
	if err := d.begin(within, opened.Ticket, 1, o.Client, o.Subject); err != nil {
		d.log.LogAttrs(ctx, slog.LevelWarn, "ticket is stored, its workflow starts later",
			slog.String("ticket", string(opened.Ticket)), slog.Any("error", err))
		d.Hint()
		return opened, nil
	}
	opened.Started = true
	return opened, nil
}

// begin starts the ticket's run, or finds that it runs.
func (d *Desk) begin(ctx context.Context, id ticket.ID, round int, client, subject string) error {
	options := starting(id, client, subject)
	options.EnableEagerStart = true // a worker in this process takes the first task at once
	_, err := d.temporal.ExecuteWorkflow(ctx, options, ticket.WorkflowType, ticket.Input{Ticket: id, Round: round})
	return err
}

// Accept takes a ticket in as Open does and leaves the start of its workflow to the first message,
// for senders that have one at hand: Post, Resolve. Where none comes, the relay starts it.
func (d *Desk) Accept(ctx context.Context, o ticket.Opening) (ticket.Opened, error) {
	if o.EventID == "" {
		o.EventID = o.ExternalID // a source that delivers once
	}
	if o.OpenedAt.IsZero() {
		o.OpenedAt = d.now().UTC()
	}
	if err := o.Validate(d.now()); err != nil {
		return ticket.Opened{}, err
	}
	return d.store.Open(ctx, o)
}
