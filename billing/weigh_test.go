package billing_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
)

const weighed = `
bands: [{clause: H1, name: evening, days: [weekdays], hours: ["17:00-24:00"], multiplier: 1.5}]
rates:
  - {clause: R1, hourly: 100}
  - {clause: R2, work_role: architect, hourly: 180, weight: 2}
  - {clause: R3, work_role: junior, hourly: 80, weight: 0.5}
lines: [{clause: B1, name: Block hours, charge: block%s}]
`

// weighedHour is an hour of a role, in the evening or not, under the contract with a block of so many minutes.
func weighedHour(t *testing.T, document, role string, evening bool, minutes int64) billing.Decision {
	t.Helper()
	w := work(1, noon, hour)
	w.WorkRole = role
	if evening {
		w.Segments[0].Bands = []string{"HB-1/evening"}
	}
	f := under(t, contract("HB-1", document), w)
	f.Blocks = []billing.Block{block(7, minutes*minute)}
	return decide(t, f)
}

func TestWeightOfARole(t *testing.T) {
	onRate := strings.Replace(weighed, "%s", ", overage: \"140\"", 1)
	onMinutes := "premium: {on: minutes}\n" + onRate
	atCard := strings.Replace(weighed, "%s", "", 1)
	for name, c := range map[string]struct {
		document, role string
		evening        bool
		minutes        int64
		want           string
	}{
		"no weight":                             {onRate, "engineer", false, 600, "block B1 1 h × 0 = 0 [block 7: 60 min]"},
		"a senior draws twice":                  {onRate, "architect", false, 600, "block B1 2 h × 0 = 0 [block 7: 120 min]"},
		"a junior draws half":                   {onRate, "junior", false, 600, "block B1 0.5 h × 0 = 0 [block 7: 30 min]"},
		"the price of a block's hour, weighed":  {onRate, "architect", false, 90, "block B1 1.5 h × 0 = 0 [block 7: 90 min]\noverage B1 0.5 h × 140 = 70"},
		"the rate card has its own price":       {atCard, "architect", false, 90, "block B1 1.5 h × 0 = 0 [block 7: 90 min]\noverage B1 0.25 h × 180 = 45"},
		"a premium on the rate leaves the draw": {onRate, "architect", true, 600, "block B1 2 h × 0 = 0 [block 7: 120 min]"},
		"of both on overage the higher":         {onRate, "junior", true, 0, "overage B1 1 h × 210 = 210"},
		"the role weighs more than the evening": {onMinutes, "architect", true, 600, "block B1 2 h × 0 = 0 [block 7: 120 min]"},
		"the evening weighs more than the role": {onMinutes, "junior", true, 600, "block B1 1.5 h × 0 = 0 [block 7: 90 min]"},
		"the card's hours weigh as the evening": {"premium: {on: minutes}\n" + atCard, "architect", true, 0, "overage B1 1.5 h × 180 = 270"},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.want, posts(weighedHour(t, c.document, c.role, c.evening, c.minutes)))
		})
	}
	d := weighedHour(t, onRate, "architect", false, 90)
	require.Contains(t, billing.Explain(d.Charges[0]), `45 min of it were done as "architect" (R2), where each minute counts 2: that takes 1 h 30 min of the hours. With a weight of 1 it would have taken 45 min.`)
	d = weighedHour(t, onMinutes, "engineer", true, 600)
	require.Contains(t, billing.Explain(d.Charges[0]), `1 h of it were done in evening (H1), where each minute counts 1.5: that takes 1 h 30 min of the hours. In standard hours it would have taken 1 h.`)
}

// TestARateForABandTakesNoPremiumOnMinutes: the row's price is for the band, on minutes as on the rate.
func TestARateForABandTakesNoPremiumOnMinutes(t *testing.T) {
	for _, on := range []string{"rate", "minutes"} {
		w := work(1, noon, hour)
		w.Segments[0].Bands = []string{"TM-1/evening"}
		f := under(t, contract("TM-1", `
bands: [{name: evening, days: [weekdays], hours: ["17:00-24:00"], multiplier: 1.5}]
premium: {on: `+on+`}
rates: [{hourly: 100}, {band: evening, hourly: 120}]
lines: [{clause: T1, name: Support, charge: time}]
`), w)
		require.Equal(t, "time T1 1 h × 120 = 120", posts(decide(t, f)), on)
	}
}
