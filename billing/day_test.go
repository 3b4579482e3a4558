package billing_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
)

// travel bills an hour a day at least, by role, with ten per cent off of one line of two.
const travel = `
time: {minimum: 1h, scope: day}
rates: [{hourly: 100}, {work_role: architect, hourly: 200}]
lines:
  - {clause: T1, name: Travel, match: {work_types: [remote]}, charge: time}
  - {clause: T2, name: Other travel, match: {work_types: [onsite]}, charge: time, discount: {percent: 10}}
`

func TestADayOfSeveralRatesBillsAtTheirAverage(t *testing.T) {
	f := under(t, contract("TR-1", travel), work(1, noon, 20*minute))
	l := ledger{terms: f.Contracts[0].Terms}
	close := func(role, workType string, ms int64) billing.Charge {
		f.Work[0] = typed(work(1, noon, ms), workType)
		f.Work[0].WorkRole = role
		f.Counters = l.counters
		c := decide(t, f).Charges[0]
		l.post(c)
		return c
	}
	first := close("engineer", "remote", 20*minute)
	require.Equal(t, "time T1 1 h × 100 = 100", render([]billing.Charge{first}), "the minimum")
	second := close("architect", "remote", 20*minute)
	require.Equal(t, "50", second.Amount.String(), "an hour at the average of 100 and 200")
	require.Equal(t, "Travel · T-1 · remote — 20 min within the day's minimum", second.Text)
	require.Contains(t, billing.Explain(second), "The day's time (2026-03-10) goes from 20 min to 40 min, with a minimum of 1 h a day: this adds nothing. "+
		"Its work has several rates, so the day bills at their average, 150 an hour: the amount is what the whole day costs more. 20 min more of that day are in the minimum already.")
	third := close("engineer", "onsite", 20*minute)
	require.Equal(t, "-20", third.Amount.String(), "an hour at the average of 100, 200 and 90")

	l.reverse(t, 0)
	require.Equal(t, "145", l.total().String(), "the others alone: an hour at the average of 200 and 90")
	l.reverse(t, 2)
	require.Equal(t, "200", l.total().String())
	l.reverse(t, 1)
	require.True(t, l.total().IsZero(), "all reversed leaves zero, whatever the rates and the order")
}

func TestACappedLineHasDaysOfItsOwn(t *testing.T) {
	doc := "time: {minimum: 1h, scope: day}\nrates: [{hourly: 100}]\nlines:\n  - {clause: T1, name: Travel, match: {work_types: [remote]}, charge: time, cap: 150}\n  - {clause: T2, name: Rest, charge: time}\n"
	f := under(t, contract("TR-1", doc), work(1, noon, 20*minute), typed(work(2, noon.Add(2*time.Hour), 20*minute), "onsite"))
	require.Equal(t, "time T1 1 h × 100 = 100\ntime T2 1 h × 100 = 100\ndiscount T1 1 piece × 0 = 0 hidden", posts(decide(t, f)))
}
