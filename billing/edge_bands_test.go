package billing_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
)

const afterHours = `
bands:
  - {clause: H1, name: evening, days: [weekdays], hours: [17:00-24:00], multiplier: 2}
  - {clause: H2, name: weekend, days: [weekend], multiplier: 1.5}
  - {clause: H3, name: holiday, dates: [2026-12-25], multiplier: 3}
%s
rates: [{clause: R1, hourly: 100}]
lines: [{clause: T1, name: Support, charge: time}]
`

// inBands is an entry cut where its bands change: lengths in minutes and the bands of each part.
func inBands(w billing.Work, parts ...any) billing.Work {
	w.Segments = nil
	from := int64(0)
	for i := 0; i < len(parts); i += 2 {
		to := from + int64(parts[i].(int))*minute
		s := billing.Segment{From: from, To: to, Date: w.StartedAt.Format(time.DateOnly)}
		if bands := parts[i+1].([]string); len(bands) > 0 {
			s.Bands = bands
		}
		w.Segments = append(w.Segments, s)
		from = to
	}
	w.MS = from
	return w
}

func bands(names ...string) []string {
	full := make([]string, len(names))
	for i, name := range names {
		full[i] = "TM-1/" + name
	}
	return full
}

func TestEdge19AcrossTheAfterHoursEdge(t *testing.T) {
	// 16:00–18:00 with twice the rate after 17:00: 120 minutes weigh 180.
	across := inBands(work(1, noon.Add(4*time.Hour), 0), 60, bands(), 60, bands("evening"))
	t.Run("on the rate", func(t *testing.T) {
		d := decide(t, under(t, contract("TM-1", fmt.Sprintf(afterHours, "")), across))
		require.Equal(t, "time T1 1 h × 100 = 100\ntime T1 1 h × 200 = 200", posts(d))
		require.Contains(t, billing.Explain(d.Charges[1]), "It was done in evening (H1): the rate counts 2 times. In standard hours it would not.")
	})
	t.Run("on the minutes", func(t *testing.T) {
		d := decide(t, under(t, contract("TM-1", fmt.Sprintf(afterHours, "premium: {on: minutes}")), across))
		require.Equal(t, "time T1 1 h × 100 = 100\ntime T1 2 h × 100 = 200", posts(d))
		require.Contains(t, billing.Explain(d.Charges[1]), "It was done in evening (H1): each minute counts 2. In standard hours it would not.")
	})
	t.Run("rounded whole, then shared by elapsed time", func(t *testing.T) {
		// 16:58–17:12 in increments of 15 is 15 minutes, not 30.
		short := inBands(work(1, noon.Add(4*time.Hour+58*time.Minute), 0), 2, bands(), 12, bands("evening"))
		d := decide(t, under(t, contract("TM-1", fmt.Sprintf(afterHours, "time: {increment: 15m}")), short))
		require.Equal(t, "time T1 0.035714167 h × 100 = 3.57\ntime T1 0.214285833 h × 200 = 42.86", posts(d))
	})
	t.Run("covered in the day, billed in the evening", func(t *testing.T) {
		d := decide(t, under(t, contract("TM-1", `
bands: [{clause: H1, name: evening, days: [weekdays], hours: [17:00-24:00], multiplier: 1.5}]
rates: [{clause: R1, hourly: 100}]
lines:
  - {clause: A1, name: Office hours, match: {bands: [standard]}, charge: covered}
  - {clause: T1, name: After hours, match: {bands: [evening]}, charge: time}
`), across))
		require.Equal(t, "covered A1 1 h × 0 = 0\ntime T1 1 h × 150 = 150", posts(d))
	})
	t.Run("a row of the rate card for the band is its price, without a premium on top", func(t *testing.T) {
		d := decide(t, under(t, contract("TM-1", `
bands: [{clause: H1, name: evening, days: [weekdays], hours: [17:00-24:00], multiplier: 2}]
rates: [{clause: R1, hourly: 100}, {clause: R2, band: evening, hourly: 170}]
lines: [{clause: T1, name: Support, charge: time}]
`), across))
		require.Equal(t, "time T1 1 h × 100 = 100\ntime T1 1 h × 170 = 170", posts(d))
	})
	t.Run("an agent has no premium, unless the contract says so", func(t *testing.T) {
		night := inBands(aiWork(1, noon.Add(6*time.Hour), 0), 60, bands("evening"))
		for ai, want := range map[bool]string{false: "time T1 3600 s × 40 = 40", true: "time T1 3600 s × 80 = 80"} {
			d := decide(t, under(t, contract("TM-1", fmt.Sprintf(`
bands: [{clause: H1, name: evening, days: [weekdays], hours: [17:00-24:00], multiplier: 2}]
premium: {ai: %t}
rates: [{actor: ai, hourly: 40}]
lines: [{clause: T1, name: Support, charge: time}]
`, ai)), night))
			require.Equal(t, want, posts(d))
		}
	})
}

func TestEdge20SeveralPremiums(t *testing.T) {
	all := inBands(work(1, noon, 0), 60, bands("evening", "holiday", "weekend"))
	for several, want := range map[string]string{
		"premium: {several: highest}": "time T1 1 h × 300 = 300",
		"premium: {several: add}":     "time T1 1 h × 450 = 450", // 1 + 1 + 2 + 0.5: they add, and never compound
	} {
		require.Equal(t, want, posts(decide(t, under(t, contract("TM-1", fmt.Sprintf(afterHours, several)), all))))
	}
	t.Run("a call-out fee adds, the highest one, once a round", func(t *testing.T) {
		d := decide(t, under(t, contract("TM-1", `
bands:
  - {clause: H1, name: evening, days: [weekdays], hours: [17:00-24:00], multiplier: 2, call_out: 50}
  - {clause: H2, name: weekend, days: [weekend], multiplier: 1.5, call_out: 75}
rates: [{hourly: 100}]
lines: [{clause: T1, name: Support, charge: time}]
`), inBands(work(1, noon, 0), 30, bands("evening", "weekend")), inBands(work(2, noon.Add(time.Hour), 0), 30, bands("weekend"))))
		require.Equal(t, "time T1 0.5 h × 200 = 100\ntime T1 0.5 h × 150 = 75\ncall-out H2 1 piece × 75 = 75", posts(d))
		require.Contains(t, billing.Explain(d.Charges[2]), "Call-out weekend (H2) costs 75.00 EUR once a ticket, for work in its hours. In other hours there would have been none.")
	})
}

func TestEdge23EntryWithoutAStart(t *testing.T) {
	unknown := work(1, noon, hour)
	unknown.Unstarted = true
	t.Run("the declared default band", func(t *testing.T) {
		for band, want := range map[string]string{"standard": "time T1 1 h × 100 = 100", "evening": "time T1 1 h × 200 = 200"} {
			require.Equal(t, want, posts(decide(t, under(t, contract("TM-1", fmt.Sprintf(afterHours, "time: {unstarted: "+band+"}")), unknown))))
		}
	})
	t.Run("none: a dispatcher is asked", func(t *testing.T) {
		d := decide(t, under(t, contract("TM-1", fmt.Sprintf(afterHours, "")), unknown))
		require.Equal(t, "exception no-start T1: time T1 1 h × 100 = 100", holds(d))
		require.Contains(t, d.Holds[0].Says, "log it with its start")
	})
	t.Run("where no hours are priced apart, it does not matter", func(t *testing.T) {
		require.Equal(t, "time T1 1 h × 150 = 150", posts(decide(t, under(t, contract("TM-1", timeAndMaterials), unknown))))
	})
}

func TestEdge23EntriesWithoutAStartDoNotOverlap(t *testing.T) {
	first, second := work(1, noon, hour), work(2, noon, hour)
	first.Unstarted, second.Unstarted = true, true
	d := decide(t, under(t, contract("TM-1", timeAndMaterials), first, second))
	require.Empty(t, d.Holds, "nobody knows when either was done")
	require.Equal(t, "time T1 1 h × 150 = 150\ntime T1 1 h × 150 = 150", posts(d))
}
