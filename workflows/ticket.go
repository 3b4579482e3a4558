// Package workflows owns the order of things: a ticket's life from intake to its posted
// invoice lines, what it waits for and in which order it reads its mail.
// It does not own what a deed does (postgres, by way of activities) or what it costs (billing).
package workflows

import (
	"go.temporal.io/sdk/workflow"

	"github.com/docket-psa/docket/ticket"
)

// Ticket carries one ticket from intake to its posted invoice lines, and through every
// reopening that comes before it ends. A worker may die on any line below and another goes
// on from there. An operator may even terminate the run: PostgreSQL knows the stage, and the
// next run, started by any message or by the relay, begins at it.
//
// It fails only when the database says that the ticket cannot be (ticket.InvalidError).
func Ticket(ctx workflow.Context, in ticket.Input) (ticket.Answer, error) {
	ctx, t, err := open(ctx, in)
	if err != nil {
		return ticket.Answer{}, err
	}

	// Says 'round n begun' and asks PostgreSQL where the ticket stands.
	err = t.begin(ctx, in.Round)

	for err == nil {
		switch t.stage {
		case ticket.New, ticket.Triage:
			// Read and classified: category, priority, contract, SLA deadlines.
			err = t.triage(ctx)

		case ticket.Routing:
			// A board, and who resolves it: a person, or an AI agent whose policy allows it.
			err = t.route(ctx)

		case ticket.Resolution, ticket.Waiting:
			// Somebody claims, works, asks the customer, asks the client for approval, resolves.
			// SLA deadlines escalate; while the customer is asked they stand still.
			err = t.attend(ctx)

		case ticket.Closing:
			// Closed, rated, and posted or held part by part, in one transaction.
			err = t.close(ctx)

		case ticket.Held:
			// Any number of lines wait for the client's sign-off or the dispatcher's ruling.
			// Time running out asks again, further up; it never decides.
			err = t.attend(ctx)

		case ticket.Posted, ticket.Merged, ticket.Cancelled:
			// Everything is decided. What mail there is gets its answer; a reopening
			// leads back to the top.
			var ended bool
			if ended, err = t.end(ctx); ended {
				return t.answer, t.cancelled()
			}
		}
	}
	return ticket.Answer{}, t.leave(ctx, err)
}
