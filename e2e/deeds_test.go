package e2e_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/workflowservice/v1"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/ticket"
)

// found says under which clients Temporal finds the ticket's run.
func (h *house) found(ctx context.Context, id ticket.ID, client string) bool {
	n, err := h.temporal.CountWorkflow(ctx, &workflowservice.CountWorkflowExecutionsRequest{
		Query: "WorkflowId = '" + id.WorkflowID() + "' and " + ticket.AttrClient + " = '" + client + "'",
	})
	return err == nil && n.GetCount() == 1
}

func TestE2EEdge53AMovedTicketIsFoundUnderItsNewClient(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.work()
	require.NoError(t, h.PutClient(t.Context(), ticket.Client{ID: "zenith", Name: "Zenith", TimeZone: "America/New_York", Currency: "USD"}))
	told, relayed := h.inResolution("email"), h.inResolution("email")
	h.until("the run shown under acme", func(ctx context.Context) bool { return h.found(ctx, told, "acme") && h.found(ctx, relayed, "acme") })

	move := func(who string) ticket.Move {
		return ticket.Move{Header: h.by(who), Client: "zenith", Reason: "It is Zenith's printer"}
	}
	moved, err := h.desk.Move(t.Context(), told, move("dora"))
	require.NoError(t, err)
	require.True(t, moved.Effect)
	h.until("the run shown under zenith", func(ctx context.Context) bool { return h.found(ctx, told, "zenith") })

	// Whoever moved it died before he could tell the run: the relay does.
	_, err = h.Move(t.Context(), relayed, move("dora"))
	require.NoError(t, err)
	h.relay()
	h.until("the run told by the relay", func(ctx context.Context) bool { return h.found(ctx, relayed, "zenith") })
	h.until("nothing left to tell", func(ctx context.Context) bool {
		pending, err := h.Pending(ctx, time.Now().Add(time.Hour), 10)
		return err == nil && len(pending) == 0
	})
	for _, id := range []ticket.ID{told, relayed} {
		h.replays(id)
	}
}

const prepaid = `
schema: docket.contract/v1
contract: acme-block
client: acme
name: Block of hours
effective_from: "2020-01-01"
priority: 5
currency: USD
time_zone: America/New_York
rates:
  - {clause: "3.1", work_role: engineer, hourly: "120.00"}
lines:
  - {clause: "4.1", name: Block hours, charge: block, block: {unpaid: hold}, match: {categories: [email]}}
`

func TestE2EEdge38WhatWaitedForABlockGoesOnOnceItsInvoiceIsPaid(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.work()
	ctx := t.Context()
	require.NoError(t, h.PutPerson(ctx, postgres.Staffing{Person: ticket.Person{ID: "fay", Name: "Fay", Kind: ticket.Human, Roles: []string{"finance"}}}))
	_, err := h.ApplyContract(ctx, []byte(prepaid), "dora", true)
	require.NoError(t, err)
	now := time.Now()
	_, err = h.GrantBlock(ctx, postgres.BlockGrant{
		OperationKey: "order-7", Contract: "acme-block", Hours: decimal.NewFromInt(5), GrantedAt: now.Add(-72 * time.Hour), Price: decimal.NewFromInt(500), Currency: "USD", By: "fay",
	})
	require.NoError(t, err)
	id := h.inResolution("email")
	receipt, err := h.desk.Resolve(ctx, id, h.resolve("tom", h.minutes(60)))
	require.NoError(t, err)
	require.Len(t, receipt.Held, 1)
	require.Equal(t, billing.BlockUnpaid, receipt.Held[0].Reason)

	var invoice int64
	var period string
	require.NoError(t, h.admin.QueryRow(ctx, "select i.id, i.period_start::text from invoices i join invoice_lines l on l.invoice_id = i.id where l.amount = 500").Scan(&invoice, &period))
	_, err = h.Finalise(ctx, postgres.Finalisation{Payer: "acme", Currency: "USD", Period: period, By: "fay", Early: true})
	require.NoError(t, err)
	paid, err := h.Pay(ctx, postgres.InvoicePayment{InvoiceDeed: postgres.InvoiceDeed{Invoice: invoice, By: "fay", OperationKey: h.key()}, Amount: "500.00"})
	require.NoError(t, err)
	require.True(t, strings.HasSuffix(paid.Says, "block 1 (5 h) is paid with it"), paid.Says)

	h.relay()
	require.Equal(t, ticket.Posted, h.ends(id).Stage, "nobody had to rule on it")
	rulings := h.told(id, string(ticket.MsgRule))
	require.Len(t, rulings, 1)
	require.Equal(t, "fay", rulings[0].Actor)
	require.Contains(t, rulings[0].Says, "bill by Fay")
	h.proved(1)
}
