package billing_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
)

const timeAndMaterials = `
time: {minimum: 30m, increment: 15m}
rates:
  - {hourly: 150.00}
  - {actor: ai, hourly: 150.00}
lines:
  - {clause: T1, name: Support, charge: time}
`

func TestTimeAndMaterials(t *testing.T) {
	for name, c := range map[string]struct {
		ms   int64
		want string
	}{
		"seventy minutes, minimum 30, increment 15": {70 * minute, "time T1 1.25 h × 150 = 187.5"},
		"below the minimum":                         {5 * minute, "time T1 0.5 h × 150 = 75"},
		"exactly the minimum":                       {30 * minute, "time T1 0.5 h × 150 = 75"},
		"one millisecond over an increment":         {45*minute + 1, "time T1 1 h × 150 = 150"},
	} {
		t.Run(name, func(t *testing.T) {
			d := decide(t, under(t, contract("TM-1", timeAndMaterials), work(1, noon, c.ms)))
			require.Equal(t, c.want, posts(d))
			require.Empty(t, d.Holds)
		})
	}
}

func TestAITimeAddsUpOverTheMonth(t *testing.T) {
	f := under(t, contract("TM-1", timeAndMaterials), aiWork(1, noon, 2*second))
	f.Ticket.ResolvedKind = "ai"
	sum := dec("0")
	key := billing.Want(f).Counters[0]
	f.Counters = []billing.Counter{{Key: key}}
	for i := range 840 {
		d := decide(t, f)
		require.Len(t, d.Charges, 1)
		if i == 0 {
			require.Equal(t, "time T1 2 s × 150 = 0.08", posts(d), "2 seconds at 150 an hour")
		}
		sum = sum.Add(d.Charges[0].Amount)
		f.Counters[0].Value = f.Counters[0].Value.Add(d.Charges[0].Counts[0].Quantity)
	}
	require.Equal(t, "70", sum.String(), "840 × 2 s are 28 minutes; each rounded alone they would be 67.20")
}
