package postgres_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

const withParts = hourly + `
materials:
  - {clause: "6.1", name: Hardware, kinds: [part], markup_percent: 15}
`

func (k *till) part(id ticket.ID, cost string) {
	k.t.Helper()
	answer, err := k.AddItem(k.t.Context(), id, ticket.Material{Header: k.by("tom"), Kind: ticket.Part, Text: "SSD 1 TB", Cost: cost})
	require.NoError(k.t, err)
	require.True(k.t, answer.Effect, answer.Says)
}

func TestEdge70MaterialsPostWithTheirMarkup(t *testing.T) {
	k := newTill(t, withParts)
	id := k.ticket("email")
	k.part(id, "80.00")
	k.close(id, 1, k.minutes("tom", 60))
	require.Equal(t, "242.00", k.owed(), "an hour at 150.00, and 80.00 with 15 %")
	k.proved()

	// A reopening takes it back, and the next closing bills it again, once.
	_, err := k.Reopen(t.Context(), id, ticket.Reopen{Header: k.by("ann"), Reason: "still broken"})
	require.NoError(t, err)
	require.Equal(t, "0.00", k.owed())
	k.begin(id, 2)
	k.close(id, 2)
	require.Equal(t, "242.00", k.owed())
	k.proved()

	// A merge moves what is not rated yet.
	child, into := k.ticket("email"), k.ticket("email")
	k.part(child, "100.00")
	_, err = k.Merge(t.Context(), child, ticket.Merge{Header: k.by("dora"), Into: into})
	require.NoError(t, err)
	k.close(into, 1, k.minutes("tom", 60))
	require.Equal(t, "507.00", k.owed(), "150.00 and 115.00 more")
	k.proved()
}

func TestEdge70MaterialsCountTowardsTheSignOff(t *testing.T) {
	k := newTill(t, withParts)
	id := k.ticket("email")
	k.part(id, "400.00") // 460.00, and an hour: above the 500.00 that need a word
	receipt := k.close(id, 1, k.minutes("tom", 60))
	require.Equal(t, "0.00", k.owed())
	require.NotEmpty(t, receipt.Held)
	require.Equal(t, billing.OverThreshold, receipt.Held[0].Reason)
	k.proved()
}

func TestEdge23WorkOfWhichNobodyKnowsTheStart(t *testing.T) {
	k := newTill(t, hourly)
	id := k.ticket("email")
	entry := ticket.WorkEntry{OperationKey: k.key(), Actor: "tom", WorkType: "remote", MS: time.Hour.Milliseconds()}
	k.close(id, 1, entry)
	require.Equal(t, "150.00", k.owed())
	require.EqualValues(t, 1, k.count("select count(*) from work_entries where unstarted"))
	k.proved()
}

func TestEdge19AcrossTheEdgeOfABandOnTheDayOfTheClockChange(t *testing.T) {
	k := newTill(t, strings.Replace(hourly, "500.00", "5000.00", 1)+`
bands: [{clause: "7.1", name: night, days: [sunday], hours: ["00:00-04:00"], multiplier: 2}]
`)
	k.clock.Store(time.Date(2026, 3, 8, 16, 0, 0, 0, time.UTC).UnixNano())
	id := k.ticket("email")
	// New York has no 02:00 to 03:00 that day: from 01:30 the night has an hour and a half left until 04:00.
	entry := k.minutes("tom", 180)
	entry.StartedAt = time.Date(2026, 3, 8, 6, 30, 0, 0, time.UTC)
	k.close(id, 1, entry)
	require.Equal(t, "675.00", k.owed(), "1.5 h at twice 150.00, and 1.5 h at 150.00")
	k.proved()
}

func TestEdge01AReopenedRoundThatIsKeptStands(t *testing.T) {
	k := newTill(t, hourly+"reopen: keep\n")
	id := k.ticket("email")
	k.close(id, 1, k.minutes("tom", 60))
	_, err := k.Reopen(t.Context(), id, ticket.Reopen{Header: k.by("ann"), Reason: "still broken"})
	require.NoError(t, err)
	require.Equal(t, "150.00", k.owed(), "the first round stands")
	k.begin(id, 2)
	k.pass(2 * time.Hour)
	k.close(id, 2, k.minutes("tom", 30))
	require.Equal(t, "225.00", k.owed(), "only the new half hour bills")
	k.proved()
}
