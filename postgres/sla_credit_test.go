package postgres_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/ticket"
)

// crediting promises every priority the same, and gives something back for what is missed and for what is fast.
const crediting = `
schema: docket.contract/v1
contract: acme-credits
client: acme
name: Credits
effective_from: "2026-01-01"
currency: USD
time_zone: America/New_York
lines:
  - {clause: "2.1", name: Support, charge: covered}
  - {clause: "2.2", name: Fee, charge: flat, price: "500.00"}
sla:
  calendar: 24x7
  targets:
    1: {response: 9h, resolution: 12h, allotment: 10h}
    2: {response: 9h, resolution: 12h, allotment: 10h}
    3: {response: 9h, resolution: 12h, allotment: 10h}
    4: {response: 9h, resolution: 12h, allotment: 10h}
    5: {response: 9h, resolution: 12h, allotment: 10h}
  credits: {clause: "7", response_percent: "2", resolution_percent: "5", both: both, fast_hourly: "20.00"}
`

// missed lets both deadlines of a ticket that was opened eight hours ago pass, as their timers find them.
func (k *till) missed(id ticket.ID) {
	k.t.Helper()
	k.pass(5 * time.Hour)
	for _, target := range []string{"response", "resolution"} {
		a, err := k.Breach(k.t.Context(), id, 1, target)
		require.NoError(k.t, err)
		require.True(k.t, a.Effect)
	}
}

func TestEdge68MissesThatTimersFoundAreCredited(t *testing.T) {
	for _, c := range []struct{ both, owed string }{{"both", "-35.00"}, {"higher", "-25.00"}} {
		t.Run(c.both, func(t *testing.T) {
			k := newTill(t, strings.Replace(crediting, "both: both", "both: "+c.both, 1))
			id := k.ticket("email")
			k.missed(id)
			_, err := k.Prioritise(t.Context(), id, ticket.Prioritise{Header: k.by("dora"), Priority: 5, Reason: "it was not that urgent"})
			require.NoError(t, err)
			k.close(id, 1, k.minutes("tom", 30))
			require.Equal(t, c.owed, k.owed(), "7 % or 5 % of 500.00")
			k.proved()
		})
	}
}

func TestEdge67AFastResolutionIsCreditedWithoutItsPausesAndReversedWhenItReopens(t *testing.T) {
	k := newTill(t, crediting)
	id := k.ticket("email") // eight hours ago
	_, err := k.Wait(t.Context(), id, ticket.Wait{Header: k.by("tom"), Reason: "customer"})
	require.NoError(t, err)
	k.pass(3 * time.Hour)
	_, err = k.Resume(t.Context(), id, ticket.Resume{Header: k.by("tom")})
	require.NoError(t, err)
	k.pass(30 * time.Minute)
	k.close(id, 1, k.minutes("tom", 30))
	require.Equal(t, "-30.00", k.owed(), "8.5 of 10 hours: the three that it waited are not its own")
	k.proved()

	k.pass(24 * time.Hour)
	_, err = k.Reopen(t.Context(), id, ticket.Reopen{Header: k.by("ann"), Reason: "still broken"})
	require.NoError(t, err)
	require.Equal(t, "0.00", k.owed(), "the credit is reversed")
	k.proved()

	k.begin(id, 2)
	k.pass(time.Hour)
	k.close(id, 2, k.minutes("tom", 30))
	require.Equal(t, "-10.00", k.owed(), "9.5 hours in both rounds; the day in between was nobody's")
	k.proved()
}
