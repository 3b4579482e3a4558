package billing_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
)

func TestEdge16MinimumPerDay(t *testing.T) {
	const daily = `
time: {minimum: 2h, increment: 15m, scope: day, increment_scope: entry}
rates: [{hourly: 60}]
lines: [{clause: T1, name: On site, charge: time}]
`
	l := ledger{terms: terms(t, contract("TM-1", daily))}
	close := func(id int64, start time.Time, ms int64) billing.Decision {
		f := under(t, contract("TM-1", daily), work(id, start, ms))
		f.Counters = l.counters
		d := decide(t, f)
		l.post(d.Charges...)
		return d
	}
	require.Equal(t, "time T1 2 h × 60 = 120", posts(close(1, noon, 40*minute)), "the day's first visit bills the minimum")
	require.Equal(t, "time T1 0 h × 60 = 0", posts(close(2, noon.Add(2*time.Hour), 50*minute)), "the second is in it: 45 + 60 minutes")
	require.Equal(t, "time T1 0.25 h × 60 = 15", posts(close(3, noon.Add(4*time.Hour), 25*minute)), "the third goes beyond: 135 minutes")
	require.Equal(t, "time T1 2 h × 60 = 120", posts(close(4, noon.AddDate(0, 0, 1), 10*minute)), "another day")
	require.Equal(t, "255", l.total().String())
	l.reverse(t, 0)
	require.Equal(t, "240", l.total().String(), "without the first, the day is 60 + 30 minutes, in the minimum")
	for i := 1; i < 4; i++ {
		l.reverse(t, i)
	}
	require.True(t, l.total().IsZero())
}

func TestEdge17GraceAndRounding(t *testing.T) {
	for name, c := range map[string]struct {
		time string
		ms   int64
		want string
	}{
		"exactly one increment stays one":             {"increment: 15m", 15 * minute, "0.25 h × 60 = 15"},
		"a millisecond more is two":                   {"increment: 15m", 15*minute + 1, "0.5 h × 60 = 30"},
		"within the grace it is one":                  {"increment: 15m, grace: 3m", 18 * minute, "0.25 h × 60 = 15"},
		"beyond the grace it is two":                  {"increment: 15m, grace: 3m", 18*minute + 1, "0.5 h × 60 = 30"},
		"the grace never rounds work to nothing":      {"increment: 15m, grace: 3m", 2 * minute, "0.25 h × 60 = 15"},
		"nearest, below half":                         {"increment: 15m, round: nearest", 22 * minute, "0.25 h × 60 = 15"},
		"nearest, half of it":                         {"increment: 15m, round: nearest", 22*minute + 30*second, "0.5 h × 60 = 30"},
		"down":                                        {"increment: 15m, round: down", 29 * minute, "0.25 h × 60 = 15"},
		"the minimum holds whatever the rounding":     {"minimum: 15m, increment: 15m, round: down", 4 * minute, "0.25 h × 60 = 15"},
		"a minimum that is no whole number goes up":   {"minimum: 20m, increment: 15m", 4 * minute, "0.5 h × 60 = 30"},
		"minimum by the ticket, increment by entries": {"minimum: 1h, scope: ticket, increment: 15m, increment_scope: entry", 16 * minute, "1 h × 60 = 60"},
	} {
		t.Run(name, func(t *testing.T) {
			d := decide(t, under(t, contract("TM-1", "time: {"+c.time+"}\nrates: [{hourly: 60}]\nlines: [{clause: T1, name: Support, charge: time}]"), work(1, noon, c.ms)))
			require.Equal(t, "time T1 "+c.want, posts(d))
		})
	}
}

const fallback = `
fallback: true
rates: [{hourly: 180}]
unmatched: time
lines: [{clause: D1, name: Anything, charge: time}]
`

func TestEdge29TheDefaultRateCard(t *testing.T) {
	rateCard := version(t, contract("DEFAULT", fallback))
	d := decide(t, facts([]billing.Version{rateCard}, work(1, noon, hour)))
	require.Equal(t, "time D1 1 h × 180 = 180", posts(d))
	// Beside a real contract it does not speak, whatever its priority or the order of versions.
	for _, versions := range [][]billing.Version{
		{rateCard, version(t, contract("AYCE-1", allCare))}, {version(t, contract("AYCE-1", allCare)), rateCard},
	} {
		require.Equal(t, "covered A1 1 h × 0 = 0", posts(decide(t, facts(versions, work(1, noon, hour)))))
	}
	require.Equal(t, "exception no-contract unrated: time 1 h × 0 = 0", holds(decide(t, facts(nil, work(1, noon, hour)))), "without one a dispatcher is asked")
}

func TestEdge24NotStartedYet(t *testing.T) {
	starts := between(t, contract("AYCE-1", allCare), 1, noon.Add(30*time.Minute), time.Time{})
	d := decide(t, facts([]billing.Version{starts}, work(1, noon, hour)))
	require.Equal(t, "covered A1 0.5 h × 0 = 0", posts(d))
	require.Equal(t, "exception no-contract unrated: time 0.5 h × 0 = 0", holds(d), "before it starts it covers nothing: an exception")
	d = decide(t, facts([]billing.Version{starts, version(t, contract("DEFAULT", fallback))}, work(1, noon, hour)))
	require.Equal(t, "time D1 0.5 h × 180 = 90\ncovered A1 0.5 h × 0 = 0", posts(d), "or the rate card")
}

func TestEdge35WorkDuringAPause(t *testing.T) {
	hold := decide(t, under(t, contract("AYCE-1", `
pauses: [{from: 2026-03-01, to: 2026-04-01}]
rates: [{hourly: 100}]
lines: [{clause: A1, name: Support, charge: covered}]
`), work(1, noon, hour)))
	require.Equal(t, "exception paused A1: time A1 1 h × 100 = 100", holds(hold))
	require.Contains(t, hold.Holds[0].Says, "AYCE-1 was paused")
	billed := contract("AYCE-1", `
pauses: [{from: 2026-03-01, to: 2026-04-01, work: time}]
rates: [{hourly: 100}]
lines: [{clause: A1, name: Support, charge: covered}]
`)
	d := decide(t, under(t, billed, work(1, noon, hour)))
	require.Equal(t, "time A1 1 h × 100 = 100", posts(d))
	require.Contains(t, billing.Explain(d.Charges[0]), "The contract was paused on 2026-03-10, so the clause grants nothing. On a day without a pause it would have.")
	after := work(1, noon.AddDate(0, 1, 0), hour)
	require.Equal(t, "covered A1 1 h × 0 = 0", posts(decide(t, under(t, billed, after))), "the end of a pause is not in it")
}

func TestEdge40Travel(t *testing.T) {
	const trips = `
rates: [{hourly: 100}, {work_type: travel, hourly: 60}]
lines:
  - {clause: V1, name: Travel in town, match: {work_types: [travel]}, charge: time, time: {minimum: 30m, scope: day}}
  - {clause: V2, name: Travel to the harbour, match: {work_types: [travel], sites: [harbour]}, charge: time, time: {minimum: 1h, scope: day}}
  - {clause: T1, name: Support, charge: time}
`
	travel := func(id int64, start time.Time, ms int64) billing.Work { return typed(work(id, start, ms), "travel") }
	f := under(t, contract("TM-1", trips), travel(1, noon, 20*minute), work(2, noon.Add(time.Hour), hour))
	require.Equal(t, "time V1 0.5 h × 60 = 30\ntime T1 1 h × 100 = 100", posts(decide(t, f)), "its own work type and minimum")
	f.Ticket.Site = "harbour"
	require.Equal(t, "time V2 1 h × 60 = 60\ntime T1 1 h × 100 = 100", posts(decide(t, f)), "and zone")

	// One trip of 40 minutes for three tickets is logged in parts that sum to it; the minimum is the trip's.
	l := ledger{terms: terms(t, contract("TM-1", trips))}
	parts := billing.SplitTime(20*minute+1, 3)
	require.Equal(t, []int64{400_001, 400_000, 400_000}, parts)
	at := noon
	for i, ms := range parts {
		f := under(t, contract("TM-1", trips), travel(int64(i+1), at, ms))
		f.Counters = l.counters
		l.post(decide(t, f).Charges...)
		at = at.Add(time.Duration(ms) * time.Millisecond)
	}
	require.Equal(t, "30", l.total().String())
}

func TestEdge45TomorrowsRate(t *testing.T) {
	midnight := time.Date(2026, 3, 11, 0, 0, 0, 0, time.UTC)
	versions := []billing.Version{
		between(t, contract("TM-1", timeAndMaterials), 1, noon.AddDate(0, -1, 0), midnight),
		between(t, contract("TM-1", "rates: [{hourly: 200}]\nlines: [{clause: T1, name: Support, charge: time}]"), 2, midnight, time.Time{}),
	}
	f := facts(versions, work(1, noon, hour), work(2, noon.AddDate(0, 0, 1), hour))
	f.Ticket.ResolvedAt, f.Ticket.ResolvedOn = noon.AddDate(0, 0, 2), "2026-03-12"
	require.Equal(t, "time T1 1 h × 150 = 150\ntime T1 1 h × 200 = 200", posts(decide(t, f)))
}

func TestEdge54WarrantyRework(t *testing.T) {
	const warranted = "warranty: {clause: W1, days: 30}\nrates: [{hourly: 100}]\nlines: [{clause: T1, name: Support, charge: time}]"
	f := under(t, contract("TM-1", warranted), work(1, noon, hour))
	f.Ticket.Rework = &billing.Rework{Of: "T-7", ResolvedAt: noon.AddDate(0, 0, -30)}
	d := decide(t, f)
	require.Equal(t, "not-billable T1 1 h × 0 = 0 hidden", posts(d))
	require.Contains(t, billing.Explain(d.Charges[0]), "It mends T-7, resolved on 2026-02-08, within the 30 days of warranty (W1), so it bills nothing. After 2026-03-10 it would have billed.")
	f.Ticket.Rework.ResolvedAt = noon.AddDate(0, 0, -31)
	require.Equal(t, "time T1 1 h × 100 = 100", posts(decide(t, f)), "a day later it bills")
	t.Run("its price per ticket is free too", func(t *testing.T) {
		f := under(t, contract("PT-1", "warranty: {days: 30}\n"+perTicket), work(1, noon, hour))
		f.Ticket.Rework = &billing.Rework{Of: "T-7", ResolvedAt: noon}
		require.Equal(t, "not-billable U1 1 h × 0 = 0 hidden", posts(decide(t, f)))
	})
}

func TestEdge71UnlistedDevice(t *testing.T) {
	listed := func(instead string) string {
		return contract("SEAT-1", `
listed: {clause: L1, devices: [ws-1, ws-2], users: [P-1], unlisted: `+instead+`}
rates: [{hourly: 100}]
lines:
  - {clause: A1, name: Support, charge: covered}
  - {clause: D1, name: Workstation, charge: per-device, price: 35.00, count: {of: workstation}}
`)
	}
	on := func(doc, device, user string) billing.Facts {
		f := under(t, doc, work(1, noon, hour))
		f.Ticket.Device, f.Ticket.Contact = device, user
		return f
	}
	require.Equal(t, "covered A1 1 h × 0 = 0", posts(decide(t, on(listed("ask"), "WS-1", "P-1"))))
	require.Equal(t, "covered A1 1 h × 0 = 0", posts(decide(t, on(listed("ask"), "", ""))), "a ticket that names neither is taken as it is")
	require.Equal(t, "exception unlisted A1: time A1 1 h × 100 = 100", holds(decide(t, on(listed("ask"), "ws-9", "P-1"))))
	require.Equal(t, "exception unlisted A1: time A1 1 h × 100 = 100", holds(decide(t, on(listed("ask"), "ws-1", "P-2"))))
	require.Equal(t, "time A1 1 h × 100 = 100", posts(decide(t, on(listed("bill"), "ws-9", "P-1"))))

	added := on(listed("add, add: D1"), "ws-9", "P-1")
	d := decide(t, added)
	require.Equal(t, "recurring D1 1 piece × 35 = 35\ncovered A1 1 h × 0 = 0", posts(d), "the device is added for the period")
	l := ledger{terms: added.Contracts[0].Terms}
	l.post(d.Charges...)
	added.Counters = l.counters
	d = decide(t, added)
	require.Equal(t, "recurring D1 1 piece × 35 = 0 hidden\ncovered A1 1 h × 0 = 0", posts(d), "once")
	l.post(d.Charges...)
	l.reverse(t, 0)
	require.Equal(t, "35", l.total().String(), "whichever ticket is undone, the other one still pays for it")
}

func TestRetainerPaysForWork(t *testing.T) {
	const doc = `
rates: [{hourly: 100}]
lines: [{clause: M1, name: Retainer hours, charge: retainer, retainer: 250.00}]
`
	l := ledger{terms: terms(t, contract("RET-1", doc))}
	close := func(ms int64) billing.Decision {
		f := under(t, contract("RET-1", doc), work(1, noon, ms))
		f.Counters = l.counters
		d := decide(t, f)
		l.post(d.Charges...)
		return d
	}
	d := close(2 * hour)
	require.Equal(t, "time M1 2 h × 100 = 200\nretainer M1 1 piece × -200 = -200", posts(d))
	require.Contains(t, billing.Explain(d.Charges[1]), "The period's retainer of 250.00 EUR (M1) pays for work: 0.00 EUR came before, 200.00 EUR now. 50.00 EUR are left; as much more work, and the retainer would be used up.")
	require.Equal(t, "200.00 EUR from the retainer", lastPart(billing.Say(under(t, contract("RET-1", doc)), d)))
	require.Equal(t, "time M1 1 h × 100 = 100\nretainer M1 1 piece × -50 = -50", posts(close(hour)))
	require.Equal(t, "time M1 1 h × 100 = 100\nretainer M1 1 piece × 0 = 0 hidden", posts(close(hour)))
	require.Equal(t, "150", l.total().String())
	l.reverse(t, 0)
	l.reverse(t, 1)
	require.Equal(t, "0", l.total().String(), "without the first two hours the retainer pays for the rest")
}

func TestCapOfALine(t *testing.T) {
	// Cap 100, 93.33 before, 66.67 more → 6.67; gross 150 then −70: 100, then −20.
	const doc = "rates: [{hourly: 100}]\nlines: [{clause: T1, name: Support, charge: time, cap: 100.00}]"
	f := under(t, contract("CAP-1", doc), work(1, noon, 40*minute))
	f.Counters = []billing.Counter{{Key: "cap/CAP-1/T1/2026-03", Value: dec("93.33")}}
	d := decide(t, f)
	require.Equal(t, "66.67", d.Charges[0].Amount.String())
	require.Equal(t, "-60", d.Charges[1].Amount.String())
	require.Equal(t, billing.Discount, d.Charges[1].Kind)
	require.Contains(t, strings.Join(billing.Explain(d.Charges[1]), " "), "93.33 EUR came before, 66.67 EUR now. What is beyond the cap is taken off.")

	l := ledger{terms: terms(t, contract("CAP-1", doc))}
	for _, ms := range []int64{42 * minute, 48 * minute} { // 70 and 80
		f := under(t, contract("CAP-1", doc), work(1, noon, ms))
		f.Counters = l.counters
		l.post(decide(t, f).Charges...)
	}
	require.Equal(t, "100", l.total().String())
	l.reverse(t, 0)
	l.reverse(t, 1)
	require.Equal(t, "80", l.total().String())
}

func TestDiscountPercentThenFixed(t *testing.T) {
	// 200 less 50 %, then 10 more.
	d := decide(t, under(t, contract("TM-1", "rates: [{hourly: 200}]\nlines: [{clause: T1, name: Support, charge: time, discount: {percent: 50, amount: 10, until: 2026-03-11}}]"),
		work(1, noon, hour), work(2, noon.AddDate(0, 0, 1), hour)))
	require.Equal(t, "time T1 1 h × 200 = 90\ntime T1 1 h × 200 = 200", posts(d), "on the last day, and no longer")
	require.Contains(t, billing.Explain(d.Charges[0]), "1 h at 200 would be 200.00 EUR, and the clause takes 50 %, then 10.00 EUR off, for work before 2026-03-11.")
	t.Run("then the cap", func(t *testing.T) {
		// 200 less 50 % with 35 billed before and a cap of 100 bills 65.
		f := under(t, contract("TM-1", "rates: [{hourly: 200}]\nlines: [{clause: T1, name: Support, charge: time, discount: {percent: 50}, cap: 100}]"), work(1, noon, hour))
		f.Counters = []billing.Counter{{Key: "cap/TM-1/T1/2026-03", Value: dec("35")}}
		require.Equal(t, "65", decide(t, f).Totals()[0].Posted.String())
	})
	t.Run("never below zero", func(t *testing.T) {
		d := decide(t, under(t, contract("TM-1", "rates: [{hourly: 6}]\nlines: [{clause: T1, name: Support, charge: time, discount: {amount: 10}}]"), work(1, noon, hour)))
		require.Equal(t, "time T1 1 h × 6 = 0", posts(d))
	})
}

func TestOwnRateOfAnEntry(t *testing.T) {
	w := work(1, noon, 2*hour)
	own := dec("200")
	w.Hourly = &own
	d := decide(t, under(t, contract("TM-1", timeAndMaterials), w, work(2, noon.Add(3*time.Hour), hour)))
	require.Equal(t, "time T1 2 h × 200 = 400\ntime T1 1 h × 150 = 150", posts(d))
	require.Contains(t, billing.Explain(d.Charges[0]), "The entry has a rate of its own, 200 an hour, set by somebody who may; the rate card was not asked.")
}

func TestExceptedWork(t *testing.T) {
	f := under(t, contract("AYCE-1", `
rates: [{hourly: 100}]
lines:
  - {clause: A1, name: Support, match: {categories: [Email, Printer]}, except: {devices: [legacy-1], work_types: [remote]}, charge: covered}
  - {clause: T1, name: Everything else, charge: time}
`), work(1, noon, hour))
	require.Equal(t, "covered A1 1 h × 0 = 0", posts(decide(t, f)))
	f.Ticket.Device = "legacy-1"
	require.Equal(t, "time T1 1 h × 100 = 100", posts(decide(t, f)), "an exclusion takes it out of the clause")
}

func TestBillingPeriods(t *testing.T) {
	doc := contract("QT-1", "billing: {period: quarterly, anchor: 15, first_month: 2}\nlines: [{clause: U1, name: Ticket, charge: per-ticket, price: 12, included: 3}]")
	compiled := terms(t, doc)
	for date, want := range map[string]billing.Period{
		"2026-02-14": {Start: "2025-11-15", End: "2026-02-15"},
		"2026-02-15": {Start: "2026-02-15", End: "2026-05-15"},
		"2026-12-31": {Start: "2026-11-15", End: "2027-02-15"},
	} {
		require.Equal(t, want, compiled.PeriodOf(date), date)
	}
	d := decide(t, under(t, doc, work(1, noon, hour)))
	require.Equal(t, "tickets/QT-1/U1/2026-02-15", d.Charges[1].Counts[0].Key)
	require.Equal(t, &billing.Period{Start: "2026-02-15", End: "2026-05-15"}, d.Charges[1].Bills)
	require.Equal(t, 89, d.Charges[1].Bills.Days())
}

func lastPart(said string) string { return said[strings.LastIndex(said, "-")+1:] }
