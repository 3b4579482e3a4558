package desk

import (
	"context"

	"go.temporal.io/sdk/client"

	"github.com/docket-psa/docket/ticket"
)

// Begin starts the run of a round as the relay does, however long ago it was due.
func (d *Desk) Begin(ctx context.Context, id ticket.ID, round int) (client.WorkflowRun, error) {
	at, err := d.Ticket(ctx, id)
	if err != nil {
		return nil, err
	}
	return d.temporal.ExecuteWorkflow(ctx, starting(id, at.Client, at.Subject), ticket.WorkflowType, ticket.Input{Ticket: id, Round: round})
}
