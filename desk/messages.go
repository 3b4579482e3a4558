package desk

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"unicode/utf8"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

// Sent confirms a message that needs no answer: the workflow has it and acts on it.
type Sent struct {
	Ticket       ticket.ID   `json:"ticket"` // where it went; after a merge another than it was sent to
	Message      ticket.Name `json:"message"`
	OperationKey string      `json:"operation_key"` // send the same message again under it, and nothing happens twice
}

// Every deed below validates its message, fills in key and time where they are empty, follows a
// merge to the ticket that carries on, and starts the ticket's run where none is.
// Each returns ticket Problems for what is malformed, and ErrUnavailable for want of an answer.

// Claim makes the sender the assignee.
func (d *Desk) Claim(ctx context.Context, id ticket.ID, m ticket.Claim) (ticket.Answer, error) {
	m.Header = d.head(m.Header)
	return update[ticket.Answer](ctx, d, id, ticket.MsgClaim, m)
}

// Work logs one entry.
func (d *Desk) Work(ctx context.Context, id ticket.ID, m ticket.Work) (Sent, error) {
	m.Header = d.head(m.Header)
	if m.Entry.OperationKey == "" {
		m.Entry.OperationKey = m.OperationKey
	}
	if err := errors.Join(d.check(m), d.checkWork(m.Entry)); err != nil {
		return Sent{}, err
	}
	if m.SetsRate() {
		if err := d.prove(ctx, ticket.MsgWork, m, &m.Header); err != nil {
			return Sent{}, err
		}
	}
	return d.signal(ctx, id, ticket.MsgWork, m)
}

// Wait asks the customer; the SLA clock pauses.
func (d *Desk) Wait(ctx context.Context, id ticket.ID, m ticket.Wait) (Sent, error) {
	m.Header = d.head(m.Header)
	return d.signal(ctx, id, ticket.MsgWait, m)
}

// Resume ends a Wait.
func (d *Desk) Resume(ctx context.Context, id ticket.ID, m ticket.Resume) (Sent, error) {
	m.Header = d.head(m.Header)
	return d.signal(ctx, id, ticket.MsgResume, m)
}

// Escalate hands the ticket on.
func (d *Desk) Escalate(ctx context.Context, id ticket.ID, m ticket.Escalate) (Sent, error) {
	m.Header = d.head(m.Header)
	return d.signal(ctx, id, ticket.MsgEscalate, m)
}

// Prioritise gives the ticket another priority; its targets are reckoned anew.
func (d *Desk) Prioritise(ctx context.Context, id ticket.ID, m ticket.Prioritise) (ticket.Answer, error) {
	m.Header = d.head(m.Header)
	return update[ticket.Answer](ctx, d, id, ticket.MsgPrioritise, m)
}

// Resolve closes the round and gives the closing's receipt.
func (d *Desk) Resolve(ctx context.Context, id ticket.ID, m ticket.Resolve) (billing.Receipt, error) {
	m.Header = d.head(m.Header)
	for i := range m.Work {
		if m.Work[i].OperationKey == "" {
			m.Work[i].OperationKey = m.OperationKey
		}
	}
	if err := errors.Join(d.check(m), d.checkWork(m.Work...)); err != nil {
		return billing.Receipt{}, err
	}
	if m.SetsRate() {
		if err := d.prove(ctx, ticket.MsgResolve, m, &m.Header); err != nil {
			return billing.Receipt{}, err
		}
	}
	return update[billing.Receipt](ctx, d, id, ticket.MsgResolve, m)
}

// RequestApproval asks the client's approver before an action that will cost.
func (d *Desk) RequestApproval(ctx context.Context, id ticket.ID, m ticket.RequestApproval) (Sent, error) {
	m.Header = d.head(m.Header)
	return d.signal(ctx, id, ticket.MsgRequestApproval, m)
}

// SignOff approves or declines the quote of a hold.
func (d *Desk) SignOff(ctx context.Context, id ticket.ID, m ticket.SignOff) (billing.Settlement, error) {
	m.Header = d.head(m.Header)
	if err := d.prove(ctx, ticket.MsgSignOff, m, &m.Header); err != nil {
		return billing.Settlement{}, err
	}
	return update[billing.Settlement](ctx, d, id, ticket.MsgSignOff, m)
}

// Rule decides an exception.
func (d *Desk) Rule(ctx context.Context, id ticket.ID, m ticket.Rule) (billing.Settlement, error) {
	m.Header = d.head(m.Header)
	if err := d.prove(ctx, ticket.MsgRule, m, &m.Header); err != nil {
		return billing.Settlement{}, err
	}
	return update[billing.Settlement](ctx, d, id, ticket.MsgRule, m)
}

// Confirm is a second person's word about a ruling above its sender's limit.
func (d *Desk) Confirm(ctx context.Context, id ticket.ID, m ticket.Confirm) (billing.Settlement, error) {
	m.Header = d.head(m.Header)
	if err := d.prove(ctx, ticket.MsgConfirm, m, &m.Header); err != nil {
		return billing.Settlement{}, err
	}
	return update[billing.Settlement](ctx, d, id, ticket.MsgConfirm, m)
}

// prove puts the desk's word for who sent the message, and how, on it: without it, what decides about money has no effect.
func (d *Desk) prove(ctx context.Context, name ticket.Name, m ticket.Message, h *ticket.Header) (err error) {
	h.Proof, err = d.store.Prove(ctx, name, m)
	return err
}

// Reply adds the customer's words to the conversation and tells the workflow that he answered.
func (d *Desk) Reply(ctx context.Context, id ticket.ID, h ticket.Header, body string) (Sent, error) {
	h = d.head(h)
	row, err := d.comment(ctx, id, h, body, true)
	if err != nil {
		return Sent{}, err
	}
	return d.signal(ctx, id, ticket.MsgReply, ticket.Reply{Header: h, Comment: row})
}

// Note adds words of ours to the conversation; public ones the customer sees. No message goes out.
func (d *Desk) Note(ctx context.Context, id ticket.ID, h ticket.Header, body string, public bool) (int64, error) {
	return d.comment(ctx, id, d.head(h), body, public)
}

func (d *Desk) comment(ctx context.Context, id ticket.ID, h ticket.Header, body string, public bool) (int64, error) {
	if err := d.check(spoken{Header: h, body: body}); err != nil {
		return 0, err
	}
	return d.store.AddComment(ctx, id, h.OperationKey, h.Who, body, public, h.At)
}

// AddItem adds a part, a licence or an expense to the ticket. It is a row, as a comment is: no message goes out.
func (d *Desk) AddItem(ctx context.Context, id ticket.ID, m ticket.Material) (ticket.Answer, error) {
	m.Header = d.head(m.Header)
	if err := d.check(m); err != nil {
		return ticket.Answer{}, err
	}
	at, err := d.store.Where(ctx, id)
	if err != nil {
		return ticket.Answer{}, err
	}
	return d.store.AddItem(ctx, at.Ticket, m)
}

// Move gives the ticket to another client, with its work that nobody has billed. It is a row, as an item is; the run is told,
// here or by the relay, and reads it.
func (d *Desk) Move(ctx context.Context, id ticket.ID, m ticket.Move) (ticket.Answer, error) {
	m.Header = d.head(m.Header)
	if err := d.check(m); err != nil {
		return ticket.Answer{}, err
	}
	at, err := d.store.Where(ctx, id)
	if err != nil {
		return ticket.Answer{}, err
	}
	answer, err := d.store.Move(ctx, at.Ticket, m)
	if err == nil && answer.Effect {
		if err := d.moved(ctx, at.Ticket); err != nil {
			d.log.LogAttrs(ctx, slog.LevelWarn, "the run was not told that its ticket moved, the relay will", slog.String("ticket", string(at.Ticket)), slog.Any("error", err))
		}
	}
	return answer, err
}

// moved tells the ticket's run that it is another client's.
func (d *Desk) moved(ctx context.Context, id ticket.ID) error {
	m := ticket.Moved{Header: d.head(ticket.Header{Who: itself, Via: ticket.ViaRelay})}
	_, err := d.signal(ctx, id, ticket.MsgMoved, m)
	return err
}

// itself is who sends what follows from a deed by a rule.
const itself = "docket"

// spoken checks a comment as any message is checked.
type spoken struct {
	ticket.Header
	body string
}

func (s spoken) Validate() error {
	var err error
	switch {
	case strings.TrimSpace(s.body) == "":
		err = ticket.Invalid("body", s.body, "is empty", "write something")
	case len(s.body) > ticket.MaxDescription:
		err = ticket.Invalid("body", s.body, fmt.Sprintf("is %d bytes long", len(s.body)), "at most 1 MiB fits; attach the rest as a file elsewhere and link it")
	case strings.IndexByte(s.body, 0) >= 0 || !utf8.ValidString(s.body):
		err = ticket.Invalid("body", strings.ReplaceAll(s.body, "\x00", "␀"), "is not plain text", "send UTF-8 without NUL bytes")
	}
	return errors.Join(s.Header.Validate(), err)
}

// Reopen starts the next round.
func (d *Desk) Reopen(ctx context.Context, id ticket.ID, m ticket.Reopen) (ticket.Answer, error) {
	m.Header = d.head(m.Header)
	return update[ticket.Answer](ctx, d, id, ticket.MsgReopen, m)
}

// Merge ends this ticket; m.Into carries on.
func (d *Desk) Merge(ctx context.Context, id ticket.ID, m ticket.Merge) (ticket.Answer, error) {
	m.Header = d.head(m.Header)
	return update[ticket.Answer](ctx, d, id, ticket.MsgMerge, m)
}

// Cancel ends the ticket without a closure.
func (d *Desk) Cancel(ctx context.Context, id ticket.ID, m ticket.Cancel) (Sent, error) {
	m.Header = d.head(m.Header)
	return d.signal(ctx, id, ticket.MsgCancel, m)
}
