package postgres_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

// ordered bills against a purchase order of two hours.
const ordered = `
schema: docket.contract/v1
contract: acme-ordered
client: acme
name: By order
effective_from: "2026-01-01"
currency: USD
time_zone: America/New_York
purchase_order: {number: PO-77, limit: "300.00", used_up: hold}
rates:
  - {clause: "3.1", work_role: engineer, hourly: "150.00"}
lines:
  - {clause: "2.1", name: Support, charge: time}
`

func (k *till) onOrder() string {
	k.t.Helper()
	var value string
	require.NoError(k.t, k.admin.QueryRow(k.t.Context(), "select trim_scale(value)::text from counters where key = 'po/acme-ordered/PO-77'").Scan(&value))
	return value
}

func TestEdge61PurchaseOrderInTheBooks(t *testing.T) {
	k := newTill(t, ordered)
	first := k.ticket("email")
	require.Empty(t, k.close(first, 1, k.minutes("tom", 90)).Held)
	require.Equal(t, "225", k.onOrder())

	id := k.ticket("email")
	r := k.close(id, 1, k.minutes("tom", 60))
	require.Empty(t, r.Posted)
	require.Equal(t, billing.OrderUsedUp, r.Held[0].Reason)
	require.Equal(t, "Order PO-77 of 300.00 USD has 75.00 USD left, and this comes to 150.00 USD: get a new order, or rule on it; 150.00 USD if it is billed.", r.Held[0].Says)
	require.Equal(t, "225", k.onOrder(), "what does not fit takes nothing from it")

	other := k.ticket("email")
	require.Len(t, k.close(other, 1, k.minutes("tom", 30)).Posted, 1, "so that what fits still posts")
	require.Equal(t, "300", k.onOrder())

	_, err := k.Rule(t.Context(), id, ticket.Rule{Header: k.by("dora"), Hold: r.Held[0].Hold, Action: ticket.Bill, Reason: "the new order is on its way"})
	require.NoError(t, err)
	require.Equal(t, "450", k.onOrder(), "billed after all")
	require.Equal(t, "450.00", k.owed())
	k.proved()

	_, err = k.Reopen(t.Context(), id, ticket.Reopen{Header: k.by("tom"), Reason: "still broken"})
	require.NoError(t, err)
	require.Equal(t, "300", k.onOrder())
	require.Equal(t, "300.00", k.owed())
	k.proved()
}

// standing lets a reopened round stand, counts closings, and credits a late answer.
const standing = `
schema: docket.contract/v1
contract: acme-standing
client: acme
name: Rounds stand
effective_from: "2026-01-01"
currency: USD
time_zone: America/New_York
reopen: keep
rates:
  - {clause: "3.1", work_role: engineer, hourly: "150.00"}
lines:
  - {clause: "2.1", name: Support, charge: time}
  - {clause: "2.2", name: Closings, charge: usage, usage: {event: closure, model: unit, price: "4.00"}}
  - {clause: "2.3", name: Fee, charge: flat, price: "500.00"}
sla:
  calendar: 24x7
  targets: {1: {response: 1h, resolution: 72h}, 2: {response: 1h, resolution: 72h}, 3: {response: 1h, resolution: 72h}, 4: {response: 1h, resolution: 72h}}
  credits: {clause: "7", response_percent: "5", cap_percent: "20"}
`

func TestEdge69And67WhereAReopenedRoundStands(t *testing.T) {
	k := newTill(t, standing)
	id := k.ticket("email")
	k.close(id, 1, k.minutes("tom", 60))
	require.Equal(t, "129.00", k.owed(), "150 for the time, 4 for the closing, less 25 for the late answer")

	_, err := k.Reopen(t.Context(), id, ticket.Reopen{Header: k.by("tom"), Reason: "one thing more"})
	require.NoError(t, err)
	require.Equal(t, "154.00", k.owed(), "the round stands, but for its credit")
	k.proved()

	k.begin(id, 2)
	k.close(id, 2, k.minutes("tom", 30))
	require.Equal(t, "204.00", k.owed(), "75 for the new work and the credit again; the closing is counted already")
	k.proved()
}
