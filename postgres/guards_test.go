package postgres_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

const watchful = `
schema: docket.contract/v1
contract: acme-watchful
client: acme
name: Time and materials
effective_from: "2026-01-01"
currency: USD
time_zone: America/New_York
time: {elsewhere: hold}
rates:
  - {hourly: "60.00"}
lines:
  - {clause: "1", name: Support, charge: time}
expected: {clause: "9", history: {times: 3, tickets: 3, days: 30}}
`

// began is an entry of a person that began so long ago.
func (k *till) began(who string, ago, length time.Duration) ticket.WorkEntry {
	w := k.minutes(who, 1)
	w.StartedAt, w.MS = k.now().Add(-ago), length.Milliseconds()
	return w
}

func TestEdge11OnePersonOnTwoTicketsAtATime(t *testing.T) {
	k := newTill(t, watchful)
	first, second, third := k.ticket("email"), k.ticket("email"), k.ticket("email")
	require.Empty(t, k.close(first, 1, k.began("tom", 3*time.Hour, time.Hour)).Held)

	receipt := k.close(second, 1, k.began("tom", 150*time.Minute, time.Hour), k.began("tom", time.Hour, 10*time.Minute))
	require.Len(t, receipt.Posted, 1, "what did not overlap posts")
	require.Len(t, receipt.Held, 1)
	require.Equal(t, billing.Implausible, receipt.Held[0].Reason)
	require.Contains(t, receipt.Held[0].Says, "tom was on "+string(first)+" too, for 30 min of its time")

	receipt = k.close(third, 1, k.began("dora", 3*time.Hour, time.Hour), k.began("tom", 2*time.Hour-30*time.Minute, 30*time.Minute))
	require.Empty(t, receipt.Held, "somebody else was there, and tom was just done")
	k.proved()
}

func TestPatternOfTheClientsOwnTickets(t *testing.T) {
	k := newTill(t, watchful)
	var closed []ticket.ID
	usual := func(minutes int) billing.Receipt {
		k.pass(50 * time.Hour)
		id := k.ticket("email")
		closed = append(closed, id)
		return k.close(id, 1, k.began("tom", 4*time.Hour, time.Duration(minutes)*time.Minute))
	}
	require.Empty(t, usual(200).Held, "nothing to compare with")
	require.Empty(t, usual(20).Held)
	require.Empty(t, usual(30).Held)
	require.Empty(t, usual(90).Held, "three times the 30 minutes in the middle")
	receipt := usual(91) // of 20, 30, 90 and 200, the lower middle is 30
	require.Len(t, receipt.Held, 1)
	require.Equal(t, billing.PatternBroken, receipt.Held[0].Reason)
	require.Contains(t, receipt.Held[0].Says, "people worked 1 h 31 min, more than 3 times the 30 min that the client's last 4 tickets of email (30 days) took in the middle (acme-watchful 9)")

	k.pass(31 * 24 * time.Hour)
	require.Empty(t, usual(200).Held, "those before are long ago")
	k.proved()
}
