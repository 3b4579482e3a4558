// Package activities owns what workflows do to the world: the small interfaces they
// need, and the translation of errors into ones Temporal retries or does not.
// It does not own the doing: postgres satisfies these interfaces without knowing them.
package activities

import (
	"context"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

// Desk is what the workflow writes about a ticket. Each call is one short transaction
// that a business key makes single, so each may run as a local activity.
// A message that comes too late is recorded, has no effect, and the answer says so;
// an error is a *ticket.Problem (what was sent is wrong) or something that may heal.
type Desk interface {
	// Begin says 'round n begun', clears the round's outbox row, and tells where the ticket stands.
	Begin(ctx context.Context, id ticket.ID, round int) (ticket.Brief, error)
	// Triage classifies, sets priority, contract and SLA deadlines.
	Triage(ctx context.Context, id ticket.ID, round int) (ticket.Triaged, error)
	// Route finds a board and an assignee, leaving out who is excluded.
	Route(ctx context.Context, id ticket.ID, round int, exclude []string) (ticket.Assignment, error)
	Claim(ctx context.Context, id ticket.ID, m ticket.Claim) (ticket.Answer, error)
	Log(ctx context.Context, id ticket.ID, m ticket.Work) (ticket.Answer, error)
	Wait(ctx context.Context, id ticket.ID, m ticket.Wait) (ticket.Answer, error)
	Resume(ctx context.Context, id ticket.ID, m ticket.Resume) (ticket.Answer, error)
	Reply(ctx context.Context, id ticket.ID, m ticket.Reply) (ticket.Answer, error)
	// Escalate takes the ticket from its assignee; routing follows.
	Escalate(ctx context.Context, id ticket.ID, m ticket.Escalate) (ticket.Answer, error)
	// Breach records that a deadline ("response" or "resolution") passed unmet, once.
	Breach(ctx context.Context, id ticket.ID, round int, target string) (ticket.Answer, error)
	// Warn records that the contract's share of a target is used up, once.
	Warn(ctx context.Context, id ticket.ID, round int, target string) (ticket.Answer, error)
	// StepUp tells the next in the chain that a missed target is still not met; routing follows where it takes the ticket
	// from its assignee.
	StepUp(ctx context.Context, id ticket.ID, round, step int) (ticket.Answer, error)
	Prioritise(ctx context.Context, id ticket.ID, m ticket.Prioritise) (ticket.Answer, error)
	Merge(ctx context.Context, id ticket.ID, m ticket.Merge) (ticket.Answer, error)
	Cancel(ctx context.Context, id ticket.ID, m ticket.Cancel) (ticket.Answer, error)
	// Late records a message that the ticket can no longer act on, and says what is true now.
	Late(ctx context.Context, id ticket.ID, name ticket.Name, h ticket.Header, why string) (ticket.Answer, error)
}

// Ledger is where tickets become money. Each call is one transaction.
type Ledger interface {
	// Close closes the round, rates it and posts or holds every part of it.
	Close(ctx context.Context, id ticket.ID, round int, m ticket.Resolve) (billing.Receipt, error)
	// Held lists what still waits for a person on this ticket, closed rounds and asked approvals alike.
	Held(ctx context.Context, id ticket.ID) ([]billing.HeldQuote, error)
	// Proven says whether the desk took the message from who it names.
	Proven(ctx context.Context, name ticket.Name, m ticket.Message) (bool, error)
	SignOff(ctx context.Context, id ticket.ID, m ticket.SignOff) (billing.Settlement, error)
	Rule(ctx context.Context, id ticket.ID, m ticket.Rule) (billing.Settlement, error)
	// Confirm is a second person's word about a ruling above its sender's limit.
	Confirm(ctx context.Context, id ticket.ID, m ticket.Confirm) (billing.Settlement, error)
	// RequestApproval asks the client before an action; the quote waits like any other hold.
	RequestApproval(ctx context.Context, id ticket.ID, m ticket.RequestApproval) (billing.HeldQuote, error)
	// Overdue voids the quote whose step has run out, quotes afresh one step up the chain,
	// and returns it; a hold that is decided meanwhile returns with Hold 0.
	Overdue(ctx context.Context, id ticket.ID, hold int64, step int) (billing.HeldQuote, error)
	// Remind reminds whom the quote of the step asks, for the nth time, and returns the quote as it stands then; a hold
	// that is decided meanwhile returns with Hold 0.
	Remind(ctx context.Context, id ticket.ID, hold int64, step, n int) (billing.HeldQuote, error)
	Reopen(ctx context.Context, id ticket.ID, m ticket.Reopen) (ticket.Answer, error)
}
