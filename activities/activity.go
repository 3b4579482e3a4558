package activities

import (
	"context"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

// Activities are the deeds by the names under which Temporal knows them: each method is
// one activity type.
type Activities struct {
	desk   Desk
	ledger Ledger
}

// New gives the activities over the two sides of the store.
func New(desk Desk, ledger Ledger) *Activities {
	return &Activities{desk: desk, ledger: ledger}
}

// prove lets the header say no more than what is proved. Where a message came from, and so who sent it, is the sender's
// word alone unless the desk vouches for it.
func (a *Activities) prove(ctx context.Context, name ticket.Name, m ticket.Message, h *ticket.Header) error {
	proven, err := a.ledger.Proven(ctx, name, m)
	if err == nil && !proven {
		*h = h.Typed()
	}
	return translate(err)
}

// Begin says 'round n begun' and tells where the ticket stands.
func (a *Activities) Begin(ctx context.Context, id ticket.ID, round int) (ticket.Brief, error) {
	brief, err := a.desk.Begin(ctx, id, round)
	return brief, translate(err)
}

// Triage classifies, sets priority, contract and SLA deadlines.
func (a *Activities) Triage(ctx context.Context, id ticket.ID, round int) (ticket.Triaged, error) {
	found, err := a.desk.Triage(ctx, id, round)
	return found, translate(err)
}

// Route finds a board and an assignee.
func (a *Activities) Route(ctx context.Context, id ticket.ID, round int, exclude []string) (ticket.Assignment, error) {
	to, err := a.desk.Route(ctx, id, round, exclude)
	return to, translate(err)
}

// Claim makes the sender the assignee.
func (a *Activities) Claim(ctx context.Context, id ticket.ID, m ticket.Claim) (ticket.Answer, error) {
	answer, err := a.desk.Claim(ctx, id, m)
	return answer, translate(err)
}

// Log writes one work entry.
func (a *Activities) Log(ctx context.Context, id ticket.ID, m ticket.Work) (ticket.Answer, error) {
	if m.SetsRate() {
		if err := a.prove(ctx, ticket.MsgWork, m, &m.Header); err != nil {
			return ticket.Answer{}, err
		}
	}
	answer, err := a.desk.Log(ctx, id, m)
	return answer, translate(err)
}

// Wait pauses the SLA clock.
func (a *Activities) Wait(ctx context.Context, id ticket.ID, m ticket.Wait) (ticket.Answer, error) {
	answer, err := a.desk.Wait(ctx, id, m)
	return answer, translate(err)
}

// Resume lets the SLA clock run again.
func (a *Activities) Resume(ctx context.Context, id ticket.ID, m ticket.Resume) (ticket.Answer, error) {
	answer, err := a.desk.Resume(ctx, id, m)
	return answer, translate(err)
}

// Reply records that the customer answered.
func (a *Activities) Reply(ctx context.Context, id ticket.ID, m ticket.Reply) (ticket.Answer, error) {
	answer, err := a.desk.Reply(ctx, id, m)
	return answer, translate(err)
}

// Escalate takes the ticket from its assignee.
func (a *Activities) Escalate(ctx context.Context, id ticket.ID, m ticket.Escalate) (ticket.Answer, error) {
	answer, err := a.desk.Escalate(ctx, id, m)
	return answer, translate(err)
}

// Breach records that a deadline passed unmet.
func (a *Activities) Breach(ctx context.Context, id ticket.ID, round int, target string) (ticket.Answer, error) {
	answer, err := a.desk.Breach(ctx, id, round, target)
	return answer, translate(err)
}

// Warn records that a target is about to be missed.
func (a *Activities) Warn(ctx context.Context, id ticket.ID, round int, target string) (ticket.Answer, error) {
	answer, err := a.desk.Warn(ctx, id, round, target)
	return answer, translate(err)
}

// StepUp tells the next in the chain of a missed target.
func (a *Activities) StepUp(ctx context.Context, id ticket.ID, round, step int) (ticket.Answer, error) {
	answer, err := a.desk.StepUp(ctx, id, round, step)
	return answer, translate(err)
}

// Prioritise gives the ticket another priority.
func (a *Activities) Prioritise(ctx context.Context, id ticket.ID, m ticket.Prioritise) (ticket.Answer, error) {
	answer, err := a.desk.Prioritise(ctx, id, m)
	return answer, translate(err)
}

// Merge moves what is unbilled to the ticket that carries on.
func (a *Activities) Merge(ctx context.Context, id ticket.ID, m ticket.Merge) (ticket.Answer, error) {
	answer, err := a.desk.Merge(ctx, id, m)
	return answer, translate(err)
}

// Cancel ends the ticket without a closure.
func (a *Activities) Cancel(ctx context.Context, id ticket.ID, m ticket.Cancel) (ticket.Answer, error) {
	answer, err := a.desk.Cancel(ctx, id, m)
	return answer, translate(err)
}

// Late records a message that the ticket can no longer act on.
func (a *Activities) Late(ctx context.Context, id ticket.ID, name ticket.Name, h ticket.Header, why string) (ticket.Answer, error) {
	answer, err := a.desk.Late(ctx, id, name, h, why)
	return answer, translate(err)
}

// Close closes, rates and posts or holds the round.
func (a *Activities) Close(ctx context.Context, id ticket.ID, round int, m ticket.Resolve) (billing.Receipt, error) {
	if m.SetsRate() {
		if err := a.prove(ctx, ticket.MsgResolve, m, &m.Header); err != nil {
			return billing.Receipt{}, err
		}
	}
	receipt, err := a.ledger.Close(ctx, id, round, m)
	return receipt, translate(err)
}

// Held lists what waits for a person.
func (a *Activities) Held(ctx context.Context, id ticket.ID) ([]billing.HeldQuote, error) {
	held, err := a.ledger.Held(ctx, id)
	return held, translate(err)
}

// SignOff settles a hold by the client's word.
func (a *Activities) SignOff(ctx context.Context, id ticket.ID, m ticket.SignOff) (billing.Settlement, error) {
	if err := a.prove(ctx, ticket.MsgSignOff, m, &m.Header); err != nil {
		return billing.Settlement{}, err
	}
	settlement, err := a.ledger.SignOff(ctx, id, m)
	return settlement, translate(err)
}

// Rule settles a hold by the dispatcher's word.
func (a *Activities) Rule(ctx context.Context, id ticket.ID, m ticket.Rule) (billing.Settlement, error) {
	if err := a.prove(ctx, ticket.MsgRule, m, &m.Header); err != nil {
		return billing.Settlement{}, err
	}
	settlement, err := a.ledger.Rule(ctx, id, m)
	return settlement, translate(err)
}

// Confirm takes a second person's word about a ruling.
func (a *Activities) Confirm(ctx context.Context, id ticket.ID, m ticket.Confirm) (billing.Settlement, error) {
	if err := a.prove(ctx, ticket.MsgConfirm, m, &m.Header); err != nil {
		return billing.Settlement{}, err
	}
	settlement, err := a.ledger.Confirm(ctx, id, m)
	return settlement, translate(err)
}

// RequestApproval asks the client before an action.
func (a *Activities) RequestApproval(ctx context.Context, id ticket.ID, m ticket.RequestApproval) (billing.HeldQuote, error) {
	quote, err := a.ledger.RequestApproval(ctx, id, m)
	return quote, translate(err)
}

// Overdue voids a quote whose time has run out and quotes afresh, one step up the chain.
func (a *Activities) Overdue(ctx context.Context, id ticket.ID, hold int64, step int) (billing.HeldQuote, error) {
	quote, err := a.ledger.Overdue(ctx, id, hold, step)
	return quote, translate(err)
}

// Remind reminds whom a quote asks.
func (a *Activities) Remind(ctx context.Context, id ticket.ID, hold int64, step, n int) (billing.HeldQuote, error) {
	quote, err := a.ledger.Remind(ctx, id, hold, step, n)
	return quote, translate(err)
}

// Reopen starts the ticket's next round.
func (a *Activities) Reopen(ctx context.Context, id ticket.ID, m ticket.Reopen) (ticket.Answer, error) {
	answer, err := a.ledger.Reopen(ctx, id, m)
	return answer, translate(err)
}
