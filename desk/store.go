package desk

import (
	"context"
	"time"

	"github.com/docket-psa/docket/ticket"
)

// Store is what the desk needs of the database.
type Store interface {
	Intake
	Outbox
	Books
	Links
}

// Intake writes what comes in without a workflow.
type Intake interface {
	// Open inserts the ticket with its outbox row, or finds the one that this delivery or this
	// external id opened before. Started is false in its answer.
	Open(ctx context.Context, o ticket.Opening) (ticket.Opened, error)
	// AddComment adds a row to the conversation and gives its id; the same operation key twice is one row.
	AddComment(ctx context.Context, id ticket.ID, operationKey, author, body string, public bool, at time.Time) (int64, error)
	// AddItem adds a part, a licence or an expense; the same operation key twice is one item. It answers what became
	// of it: none is added to a ticket that is closed.
	AddItem(ctx context.Context, id ticket.ID, m ticket.Material) (ticket.Answer, error)
	// Move gives the ticket to another client; it answers what became of it.
	Move(ctx context.Context, id ticket.ID, m ticket.Move) (ticket.Answer, error)
	// Split moves unbilled work and items to a new ticket, which its answer names.
	Split(ctx context.Context, id ticket.ID, m ticket.SplitOff) (ticket.Answer, error)
	// Unmerge takes a merge back; it answers what became of it.
	Unmerge(ctx context.Context, id ticket.ID, m ticket.Unmerge) (ticket.Answer, error)
	// Prove gives the proof that the desk took the message from who it names.
	Prove(ctx context.Context, name ticket.Name, m ticket.Message) (string, error)
	// Where gives the ticket that carries on for id, which is id itself unless it was merged.
	Where(ctx context.Context, id ticket.ID) (ticket.Summary, error)
}

// Outbox holds what must still be started or heard of in Temporal.
type Outbox interface {
	// Pending lists starts that wait since before, oldest first.
	Pending(ctx context.Context, before time.Time, limit int) ([]ticket.Pending, error)
	// Tried notes an attempt at a start and how it failed, empty where Temporal took it.
	Tried(ctx context.Context, id ticket.ID, round int, failure string) error
	// Released lists holds that waited for a block to be paid, which it is.
	Released(ctx context.Context, limit int) ([]ticket.Release, error)
}

// Books is what the desk reads of tickets.
type Books interface {
	Ticket(ctx context.Context, id ticket.ID) (ticket.Summary, error)
	ListTickets(ctx context.Context, f ticket.Filter) ([]ticket.Summary, error)
	Timeline(ctx context.Context, id ticket.ID) ([]ticket.Moment, error)
	// Clocks tells how the ticket stands against each of its SLA targets now.
	Clocks(ctx context.Context, id ticket.ID) ([]ticket.Clock, error)
}
