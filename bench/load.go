package bench

import (
	"context"
	"fmt"
	"time"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

// The covered ticket: northwind's contract covers managed support, and the scripted agent's
// policy takes passwords.
const (
	coveredClient  = "northwind"
	coveredContact = "alice.grant"
	agent          = "scripted-agent"
)

// ticket carries one ticket from opening to its posted line: open, claim, resolve with its work.
func (b *ticketBench) ticket(ctx context.Context) (string, error) {
	b.tickets.Add(1)
	id, err := CoveredTicket(ctx, b.desk, b.o.Now, fmt.Sprintf("bench-%d", b.made.Add(1)))
	return id.WorkflowID(), err
}

// empty carries one empty workflow through the same messages.
func (b *ticketBench) empty(ctx context.Context) (string, error) {
	id := fmt.Sprintf("empty/%d", b.made.Add(1))
	return id, runEmpty(ctx, b.on.client, id)
}

// Desk is what a covered ticket needs of the desk.
type Desk interface {
	Open(ctx context.Context, o ticket.Opening) (ticket.Opened, error)
	Claim(ctx context.Context, id ticket.ID, m ticket.Claim) (ticket.Answer, error)
	Resolve(ctx context.Context, id ticket.ID, m ticket.Resolve) (billing.Receipt, error)
}

// CoveredTicket lets the demo's scripted agent resolve a ticket that the demo's contract covers.
// It fails when the ticket did not end as one posted line of zero.
func CoveredTicket(ctx context.Context, d Desk, now func() time.Time, key string) (ticket.ID, error) {
	opened, err := d.Open(ctx, ticket.Opening{
		Client: coveredClient, Contact: coveredContact, Channel: "portal", Source: "bench", ExternalID: key,
		Subject:     "Password reset for the dispatch screen",
		Description: "I forgot my password after the weekend and cannot get into the dispatch screen.",
	})
	if err != nil {
		return "", err
	}
	began := now()
	head := func(step string) ticket.Header {
		return ticket.Header{OperationKey: key + "/" + step, Who: agent, Via: ticket.ViaAgent}
	}
	if _, err := d.Claim(ctx, opened.Ticket, ticket.Claim{Header: head("claim")}); err != nil {
		return opened.Ticket, err
	}
	receipt, err := d.Resolve(ctx, opened.Ticket, ticket.Resolve{
		Header: head("resolve"), Resolution: "Identity checked by text message, password reset, sign-in confirmed",
		Work: []ticket.WorkEntry{{
			WorkType: "ai-resolution", StartedAt: began.UTC(), MS: max(1, now().Sub(began).Milliseconds()), TokensIn: 1680, TokensOut: 420,
		}},
	})
	if err != nil {
		return opened.Ticket, err
	}
	if len(receipt.Held) > 0 || len(receipt.Posted) != 1 || receipt.Posted[0].Kind != billing.Covered || !receipt.Posted[0].Amount.IsZero() {
		return opened.Ticket, fmt.Errorf("%s did not end as one covered line: %s", opened.Ticket, receipt.Says)
	}
	return opened.Ticket, nil
}
