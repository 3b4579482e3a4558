package billing_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
)

func TestEdge11OneTechnicianOverlaps(t *testing.T) {
	f := under(t, contract("TM-1", timeAndMaterials), work(1, noon, hour), work(2, noon.Add(59*time.Minute), hour), work(3, noon.Add(3*time.Hour), hour))
	d := decide(t, f)
	require.Equal(t, "time T1 1 h × 150 = 150", posts(d), "what does not overlap posts")
	require.Equal(t, "exception implausible: time T1 1 h × 150 = 150\ntime T1 1 h × 150 = 150", holds(d))
	require.Contains(t, d.Holds[0].Says, "work entries 1, 2: entries of one person overlap")

	t.Run("touching is not overlapping", func(t *testing.T) {
		d := decide(t, under(t, contract("TM-1", timeAndMaterials), work(1, noon, hour), work(2, noon.Add(time.Hour), hour)))
		require.Empty(t, d.Holds)
	})
	t.Run("longer than a month", func(t *testing.T) {
		d := decide(t, under(t, contract("TM-1", timeAndMaterials), work(1, noon, 32*24*hour)))
		require.Equal(t, billing.Implausible, d.Holds[0].Reason)
	})
	t.Run("a long entry overlaps later ones, not only the next", func(t *testing.T) {
		d := decide(t, under(t, contract("TM-1", timeAndMaterials), work(1, noon, 3*hour), work(2, noon.Add(time.Hour), minute), work(3, noon.Add(2*time.Hour), minute)))
		require.Empty(t, d.Charges)
		require.Len(t, d.Holds[0].Charges, 3)
	})
}

func TestEdge10TwoTechniciansOverlap(t *testing.T) {
	other := work(2, noon, hour)
	other.Actor = "ben"
	d := decide(t, under(t, contract("TM-1", timeAndMaterials), work(1, noon, hour), other))
	require.Equal(t, "time T1 1 h × 150 = 150\ntime T1 1 h × 150 = 150", posts(d), "both bill")
	require.Contains(t, billing.Explain(d.Charges[0]), "ben worked on it too, 1 h at the same time; both bill.", "and the overlap is shown")
}

func TestEdge12AIFirstThenHuman(t *testing.T) {
	d := decide(t, under(t, contract("TM-1", `
time: {minimum: 30m, increment: 15m}
rates:
  - {hourly: 150.00}
  - {actor: ai, hourly: 36.00}
lines:
  - {clause: T1, name: Support, charge: time}
`), aiWork(1, noon, 100*second), work(2, noon.Add(time.Hour), 20*minute)))
	require.Equal(t, "time T1 100 s × 36 = 1\ntime T1 0.5 h × 150 = 75", posts(d), "two actors, two rates")
}

func TestEdge13AIFixOfTwoSeconds(t *testing.T) {
	const rated = `
rates: [{actor: ai, hourly: 150.00}]
lines: [{clause: T1, name: Support, charge: time}]
`
	for name, c := range map[string]struct{ time, want string }{
		"exact milliseconds by default":       {"time: {minimum: 1h, increment: 15m}", "time T1 2 s × 150 = 0.08"},
		"an increment only where it says so":  {"time: {ai_increment: 15m}", "time T1 900 s × 150 = 37.5"},
		"a minimum only where it says so":     {"time: {ai_minimum: 1m}", "time T1 60 s × 150 = 2.5"},
		"each closure alone where it says so": {"time: {ai_accumulate: closure}", "time T1 2 s × 150 = 0.08"},
	} {
		t.Run(name, func(t *testing.T) {
			d := decide(t, under(t, contract("TM-1", c.time+rated), aiWork(1, noon, 2*second)))
			require.Equal(t, c.want, posts(d))
		})
	}
}

func TestEdge14FailedAttemptsDoNotBill(t *testing.T) {
	failed := aiWork(1, noon, 30*second)
	failed.Failed = true
	marked := work(3, noon.Add(time.Hour), 10*minute)
	marked.NoBill = true
	d := decide(t, under(t, contract("TM-1", timeAndMaterials), failed, aiWork(2, noon.Add(time.Minute), 24*second), marked))
	require.Equal(t, "not-billable 30 s × 0 = 0 hidden\ntime T1 24 s × 150 = 1\nnot-billable 0.166666667 h × 0 = 0 hidden", posts(d))
}

func TestEdge16MinimumPerEntryOrPerTicket(t *testing.T) {
	day := []billing.Work{
		work(1, noon, 45*minute), work(2, noon.Add(time.Hour), 45*minute), work(3, noon.Add(2*time.Hour), 5*minute),
	}
	for scope, want := range map[string]string{
		"ticket": "time T1 0.916666667 h × 60 = 55\ntime T1 0.75 h × 60 = 45\ntime T1 0.083333333 h × 60 = 5", // 105 minutes; the shortfall is the longest, earliest entry's
		"entry":  "time T1 1 h × 60 = 60\ntime T1 1 h × 60 = 60\ntime T1 1 h × 60 = 60",                       // 180 minutes
	} {
		t.Run(scope, func(t *testing.T) {
			d := decide(t, under(t, contract("TM-1", `
time: {minimum: 1h, increment: 15m, scope: `+scope+`}
rates: [{hourly: 60}]
lines: [{clause: T1, name: Support, charge: time}]
`), day...))
			require.Equal(t, want, posts(d))
		})
	}
}

func TestEdge16ShortfallBillsAtTheLongestEntrysRate(t *testing.T) {
	onsite := work(2, noon.Add(time.Hour), 20*minute)
	onsite.WorkType = "onsite"
	d := decide(t, under(t, contract("TM-1", `
time: {minimum: 1h, scope: ticket}
rates: [{hourly: 60}, {work_type: onsite, hourly: 120}]
lines: [{clause: T1, name: Support, charge: time}]
`), work(1, noon, 10*minute), onsite))
	require.Equal(t, "time T1 0.166666667 h × 60 = 10\ntime T1 0.833333333 h × 120 = 100", posts(d), "10 min as they are; 20 + 30 min short of the hour onsite")
}

func TestEdge17ExactlyOneIncrement(t *testing.T) {
	d := decide(t, under(t, contract("TM-1", "time: {increment: 15m}\nrates: [{hourly: 60}]\nlines: [{clause: T1, name: Support, charge: time}]"), work(1, noon, 15*minute)))
	require.Equal(t, "time T1 0.25 h × 60 = 15", posts(d))
}

// segmented is an entry that is cut at the given milliseconds, each part on its own date.
func segmented(w billing.Work, cuts []int64, dates ...string) billing.Work {
	w.Segments = nil
	from := int64(0)
	for i, date := range dates {
		to := w.MS
		if i < len(cuts) {
			to = cuts[i]
		}
		w.Segments = append(w.Segments, billing.Segment{From: from, To: to, Date: date})
		from = to
	}
	return w
}

func TestEdge19SplitAfterRoundingWhole(t *testing.T) {
	// 16:58–17:12 with an increment of 15 is 15 minutes, not 30; the month ends at 17:00 for the sake of the split.
	w := segmented(work(1, noon, 14*minute), []int64{2 * minute}, "2026-03-31", "2026-04-01")
	d := decide(t, under(t, contract("TM-1", "time: {increment: 15m}\nrates: [{hourly: 3600}]\nlines: [{clause: T1, name: Support, charge: time}]"), w))
	require.Equal(t, "time T1 0.035714167 h × 3600 = 128.57\ntime T1 0.214285833 h × 3600 = 771.43", posts(d), "128,571 + 771,429 ms are 15 minutes")
	require.Equal(t, "2026-03-31", d.Charges[0].Date)
	require.Equal(t, "2026-04-01", d.Charges[1].Date)
}

func TestEdge21LengthsAreInstants(t *testing.T) {
	// New York, 1 November 2026: from 00:30 to 03:00 on the wall clock is 210 minutes.
	zone, err := time.LoadLocation("America/New_York")
	require.NoError(t, err)
	start, end := time.Date(2026, 11, 1, 0, 30, 0, 0, zone), time.Date(2026, 11, 1, 3, 0, 0, 0, zone)
	w := work(1, start, end.Sub(start).Milliseconds())
	f := under(t, contract("TM-1", "rates: [{hourly: 60}]\nlines: [{clause: T1, name: Support, charge: time}]"), w)
	f.Ticket.ResolvedAt, f.Ticket.ResolvedOn = end, "2026-11-01"
	require.Equal(t, "time T1 3.5 h × 60 = 210", posts(decide(t, f)))
}

func TestEdge22And27WorkKeepsItsServiceDate(t *testing.T) {
	w := segmented(work(1, time.Date(2026, 2, 28, 23, 30, 0, 0, time.UTC), hour), []int64{30 * minute}, "2026-02-28", "2026-03-01")
	d := decide(t, under(t, contract("AYCE-1", "lines: [{clause: A1, name: Support, charge: covered}]"), w))
	require.Equal(t, "covered A1 0.5 h × 0 = 0\ncovered A1 0.5 h × 0 = 0", posts(d), "a line for each month")
	require.Equal(t, []string{"2026-02-28", "2026-03-01"}, []string{d.Charges[0].Date, d.Charges[1].Date})
}

func TestEdge55SpamAndDuplicatesCostNothing(t *testing.T) {
	for _, code := range []string{"spam", "duplicate"} {
		t.Run(code, func(t *testing.T) {
			f := under(t, contract("PT-1", perTicket), work(1, noon, 5*minute))
			f.Ticket.Code = code
			d := decide(t, f)
			require.Equal(t, "not-billable 0.083333333 h × 0 = 0 hidden", posts(d), "no minimum, no price of the ticket")
			require.Empty(t, d.Holds)

			f.Work = nil
			d = decide(t, f)
			require.Empty(t, d.Charges)
			require.Empty(t, d.Holds)
		})
	}
}

func TestEdge79ClosedWithoutTime(t *testing.T) {
	f := under(t, contract("TM-1", timeAndMaterials))
	d := decide(t, f)
	require.Empty(t, d.Charges)
	require.Equal(t, "exception no-time T1", holds(d))
	require.Equal(t, "T-1 was closed by anna without any time.", d.Holds[0].Says)

	t.Run("an AI agent too", func(t *testing.T) {
		f.Ticket.ResolvedKind, f.Ticket.ResolvedBy = "ai", "scripted"
		require.Equal(t, "exception no-time T1", holds(decide(t, f)))
	})
	t.Run("the price of the ticket waits with it", func(t *testing.T) {
		require.Equal(t, "exception no-time U1: per-ticket U1 1 ticket × 12 = 12", holds(decide(t, under(t, contract("PT-1", perTicket)))))
	})
	t.Run("but a silent customer may cost nothing", func(t *testing.T) {
		f.Ticket.Code = "silent"
		require.Empty(t, decide(t, f).Holds)
	})
}
