package postgres_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

const cappedTickets = `
schema: docket.contract/v1
contract: capped-tickets
client: acme
name: Tickets up to a cap
effective_from: 2026-01-01
currency: USD
time_zone: America/New_York
rates: [{hourly: 100}, {work_type: onsite, hourly: 200}]
lines:
  - {clause: U1, name: Ticket, match: {work_types: [remote]}, charge: per-ticket, price: 12, included: 1, cap: 20}
  - {clause: T1, name: Travel, charge: time, time: {minimum: 1h, scope: day}}
`

// TestReopeningAFreeTicketUnderACap: of four tickets three cost 12.00, and the cap leaves 20.00. Without the first, which
// was free, two of them cost, and the cap leaves 20.00 still; without one more it takes nothing off.
func TestReopeningAFreeTicketUnderACap(t *testing.T) {
	k := newTill(t, cappedTickets)
	first := k.ticket("email")
	k.close(first, 1, k.minutes("tom", 5))
	second := k.ticket("email")
	k.close(second, 1, k.minutes("tom", 5))
	for range 2 {
		k.close(k.ticket("email"), 1, k.minutes("tom", 5))
	}
	require.Equal(t, "20.00", k.owed())
	k.proved()
	k.reopen(first)
	require.Equal(t, "20.00", k.owed())
	k.proved()
	k.reopen(second)
	require.Equal(t, "12.00", k.owed())
	k.proved()
}

// TestReopeningADayOfTwoRates: each ticket of the day can be undone first.
func TestReopeningADayOfTwoRates(t *testing.T) {
	k := newTill(t, cappedTickets)
	cheap, dear := k.ticket("email"), k.ticket("email")
	work := k.minutes("tom", 20)
	work.WorkType = "travel"
	k.close(cheap, 1, work)
	require.Equal(t, "100.00", k.owed())
	work = k.minutes("dora", 20)
	work.WorkType = "onsite"
	k.close(dear, 1, work)
	require.Equal(t, "150.00", k.owed(), "an hour at the average")
	k.reopen(cheap)
	require.Equal(t, "200.00", k.owed(), "an hour of the other alone")
	k.reopen(dear)
	require.Equal(t, "0.00", k.owed())
	k.proved()
}
