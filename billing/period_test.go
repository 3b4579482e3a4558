package billing_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/docket-psa/docket/billing"
)

// march is the period of most of these tests.
var march = billing.Period{Start: "2026-03-01", End: "2026-04-01"}

// dated is a contract in force from a date until another; "" is without end.
func dated(t require.TestingT, revision int, from, until, body string) billing.DatedVersion {
	c, err := billing.ParseContract([]byte(contract("A-1", body)))
	require.NoError(t, err)
	compiled, err := c.Compile()
	require.NoError(t, err)
	return billing.DatedVersion{Revision: revision, Digest: compiled.Digest(), From: from, Until: until, Terms: compiled}
}

func run(kind billing.PeriodRun, period billing.Period, versions ...billing.DatedVersion) billing.PeriodFacts {
	return billing.PeriodFacts{
		Rules: billing.Rules, Run: kind, N: 1, Contract: "A-1", Client: "C-1", Period: period, Versions: versions,
	}
}

func reckon(t require.TestingT, f billing.PeriodFacts) billing.PeriodDecision {
	d, err := billing.DecidePeriod(f)
	require.NoError(t, err)
	keys := map[string]bool{}
	for _, c := range d.Charges {
		require.False(t, keys[c.Key], "key %s is there twice", c.Key)
		keys[c.Key] = true
		require.GreaterOrEqual(t, c.Date, f.Period.Start)
		require.Less(t, c.Date, f.Period.End)
		require.Equal(t, c.Amount.IsZero(), c.Hidden)
		for _, sentence := range billing.Explain(c) {
			require.True(t, strings.HasSuffix(sentence, "."), sentence)
		}
	}
	return d
}

// bills renders what a run posts, one line a charge: "recurring F 31 days = 100".
func bills(d billing.PeriodDecision) string {
	var lines []string
	for _, c := range d.Charges {
		lines = append(lines, fmt.Sprintf("%s %s %s %s × %s = %s on %s", c.Kind, c.Clause, c.Quantity, c.Unit, c.Rate, c.Amount, c.Date))
	}
	return strings.Join(lines, "\n")
}

func sum(d billing.PeriodDecision) string {
	total := decimal.Zero
	for _, c := range d.Charges {
		total = total.Add(c.Amount)
	}
	return total.StringFixed(2)
}

const flat100 = `
lines:
  - {clause: F, name: Managed service, charge: flat, price: "100.00"}
`

const flatArrears = `
lines:
  - {clause: F, name: Managed service, charge: flat, price: "100.00", when: arrears}
`

func TestPeriodBillsAdvanceAtItsStartAndArrearsAtItsEnd(t *testing.T) {
	advance, arrears := dated(t, 1, "2026-01-01", "", flat100), dated(t, 1, "2026-01-01", "", flatArrears)
	require.Equal(t, "recurring F 1 period × 100 = 100 on 2026-03-01", bills(reckon(t, run(billing.Opening, march, advance))))
	require.Empty(t, bills(reckon(t, run(billing.Opening, march, arrears))))
	require.Equal(t, "recurring F 1 period × 100 = 100 on 2026-03-01", bills(reckon(t, run(billing.Closing, march, arrears))))

	closing := run(billing.Closing, march, advance)
	closing.Posted = []billing.PeriodSum{posted(billing.Recurring, "F", "100")}
	require.Empty(t, bills(reckon(t, closing)), "what was billed in advance is not billed again")
	closing.Posted = nil
	require.Equal(t, "recurring F 1 period × 100 = 100 on 2026-03-01", bills(reckon(t, closing)), "an opening that never ran is made good")
}

func posted(kind billing.ChargeKind, clause, amount string) billing.PeriodSum {
	return billing.PeriodSum{Kind: kind, Clause: clause, CurrencySum: billing.CurrencySum{Currency: "EUR", Amount: dec(amount)}, Exact: dec(amount)}
}

func billed(amount string) []billing.CurrencySum {
	return []billing.CurrencySum{{Currency: "EUR", Amount: dec(amount)}}
}

func TestProration(t *testing.T) {
	flat := func(price, more string) string {
		return fmt.Sprintf("\nlines:\n  - {clause: F, name: Managed service, charge: flat, price: %q%s}\n", price, more)
	}
	april := billing.Period{Start: "2026-04-01", End: "2026-05-01"}
	for name, c := range map[string]struct {
		period   billing.Period
		versions []billing.DatedVersion
		want     string
	}{
		"9.95, 5 to 15 April of 15 March to 15 April": {
			billing.Period{Start: "2026-03-15", End: "2026-04-15"},
			[]billing.DatedVersion{dated(t, 1, "2026-04-05", "2026-04-15", flat("9.95", "")+"billing: {anchor: 15}\n")},
			"recurring F 0.322580645 period × 9.95 = 3.21 on 2026-04-05",
		},
		"three times 10 of 30 days of 100": {
			april,
			[]billing.DatedVersion{
				dated(t, 1, "2026-01-01", "2026-04-11", flat100), dated(t, 2, "2026-04-11", "2026-04-21", flat100), dated(t, 3, "2026-04-21", "", flat100),
			},
			"recurring F 0.333333333 period × 100 = 33.33 on 2026-04-01\n" +
				"recurring F 0.333333333 period × 100 = 33.33 on 2026-04-11\n" +
				"recurring F 0.333333333 period × 100 = 33.34 on 2026-04-21",
		},
		"each price for its days": {
			april,
			[]billing.DatedVersion{dated(t, 1, "2026-01-01", "2026-04-11", flat100), dated(t, 2, "2026-04-11", "", flat("200.00", ""))},
			"recurring F 0.333333333 period × 100 = 33.33 on 2026-04-01\nrecurring F 0.666666667 period × 200 = 133.33 on 2026-04-11",
		},
		"without proration a split period bills once, by its first day": {
			april,
			[]billing.DatedVersion{dated(t, 1, "2026-04-06", "2026-04-11", flat("100.00", ", prorate: no")), dated(t, 2, "2026-04-11", "", flat("200.00", ", prorate: no"))},
			"recurring F 1 period × 100 = 100 on 2026-04-06",
		},
		"a pause waives its days": {
			april,
			[]billing.DatedVersion{dated(t, 1, "2026-01-01", "", flat100+"pauses: [{from: 2026-04-11, to: 2026-04-21}]\n")},
			"recurring F 0.666666667 period × 100 = 66.67 on 2026-04-01",
		},
		"a pause may go on billing": {
			april,
			[]billing.DatedVersion{dated(t, 1, "2026-01-01", "", flat100+"pauses: [{from: 2026-04-11, to: 2026-04-21, fee: bill}]\n")},
			"recurring F 1 period × 100 = 100 on 2026-04-01",
		},
		"a discount ends in mid-period": {
			april,
			[]billing.DatedVersion{dated(t, 1, "2026-01-01", "", flat("100.00", ", discount: {percent: 50, until: 2026-04-11}"))},
			"recurring F 0.333333333 period × 50 = 16.67 on 2026-04-01\nrecurring F 0.666666667 period × 100 = 66.67 on 2026-04-11",
		},
		"a fixed discount comes off the whole period's price": {
			april,
			[]billing.DatedVersion{dated(t, 1, "2026-04-16", "", flat("100.00", ", discount: {percent: 10, amount: 30.00}"))},
			"recurring F 0.5 period × 60 = 30 on 2026-04-16",
		},
		"the fee of a bucket and a retainer": {
			april,
			[]billing.DatedVersion{dated(t, 1, "2026-04-16", "", `
rates: [{hourly: 100}]
lines:
  - {clause: B, name: Ten hours, charge: bucket, bucket: {included: 10h}, price: 900.00, match: {categories: [a]}}
  - {clause: R, name: Retainer, charge: retainer, retainer: 500.00, price: 450.00, match: {categories: [b]}}
`)},
			"recurring B 0.5 period × 900 = 450 on 2026-04-16\nrecurring R 0.5 period × 450 = 225 on 2026-04-16",
		},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.want, bills(reckon(t, run(billing.Opening, c.period, c.versions...))))
		})
	}
}

func TestUpliftOfEachRenewal(t *testing.T) {
	body := func(more string) string {
		return flat100 + "term: {months: 12, since: 2024-03-16, uplift_percent: 3" + more + "}\n"
	}
	once := run(billing.Opening, billing.Period{Start: "2025-06-01", End: "2025-07-01"}, dated(t, 1, "2024-03-16", "", body("")))
	require.Equal(t, "recurring F 1 period × 103 = 103 on 2025-06-01", bills(reckon(t, once)))
	mid := run(billing.Opening, march, dated(t, 1, "2024-03-16", "", body("")))
	require.Equal(t, "recurring F 0.483870968 period × 103 = 49.84 on 2026-03-01\n"+
		"recurring F 0.516129032 period × 106.09 = 54.76 on 2026-03-16", bills(reckon(t, mid)), "the term renews in mid-period")
	require.Contains(t, strings.Join(billing.Explain(reckon(t, mid).Charges[1]), " "), "The term has renewed 2 times, and each renewal adds 3% to the price.")
	longer := run(billing.Opening, march, dated(t, 1, "2024-03-16", "", body(", renewal_months: 24")))
	require.Equal(t, "recurring F 1 period × 103 = 103 on 2026-03-01", bills(reckon(t, longer)))
}

// seats is a line of seats at 20.00, counted as the test says.
func seats(more string) string {
	return "\nlines:\n  - {clause: S, name: Seats, charge: per-seat, price: 20.00" + more + "}\n"
}

func counts(of ...string) []billing.DeviceCount {
	var out []billing.DeviceCount
	for _, c := range of {
		var d billing.DeviceCount
		if _, err := fmt.Sscanf(c, "%s %s %d", &d.Kind, &d.Date, &d.Count); err != nil {
			panic(err)
		}
		out = append(out, d)
	}
	return out
}

// The count changes during the period: the contract says which number bills, and every line of the run reads the same
// counts.
func TestEdge63CountsOfAPeriod(t *testing.T) {
	for name, c := range map[string]struct {
		body   string
		counts []billing.DeviceCount
		want   string
	}{
		"snapshot at the start carries the last count forward": {seats(", when: arrears"), counts("seat 2026-02-10 8", "seat 2026-03-20 12"), "recurring S 8 piece × 20 = 160 on 2026-03-01"},
		"snapshot where nobody counted before":                 {seats(", when: arrears"), counts("seat 2026-03-05 9"), "recurring S 9 piece × 20 = 180 on 2026-03-01"},
		"peak":                                                 {seats(", when: arrears, count: {take: peak}"), counts("seat 2026-02-10 8", "seat 2026-03-20 12", "seat 2026-03-25 3"), "recurring S 12 piece × 20 = 240 on 2026-03-01"},
		"average, an exact fraction of days":                   {seats(", when: arrears, count: {take: average}"), counts("seat 2026-02-10 8", "seat 2026-03-21 11"), "recurring S 9.064516129 piece × 20 = 181.29 on 2026-03-01"},
		"floor":                                                {seats(", when: arrears, count: {floor: 10}"), counts("seat 2026-02-10 8"), "recurring S 10 piece × 20 = 200 on 2026-03-01"},
		"fixed needs no count":                                 {seats(", when: arrears, count: {fixed: 7}"), nil, "recurring S 7 piece × 20 = 140 on 2026-03-01"},
		"included":                                             {seats(", when: arrears, count: {included: 5}"), counts("seat 2026-02-10 8"), "recurring S 3 piece × 20 = 60 on 2026-03-01"},
		"all included bills nothing, and says so":              {seats(", when: arrears, count: {included: 9}"), counts("seat 2026-02-10 8"), "recurring S 0 piece × 20 = 0 on 2026-03-01"},
		"another kind": {
			"\nlines:\n  - {clause: W, name: Workstations, charge: per-device, price: 5.00, when: arrears, count: {of: workstation}}\n",
			counts("server 2026-02-10 2", "workstation 2026-02-10 40"), "recurring W 40 piece × 5 = 200 on 2026-03-01",
		},
		"graduated tiers": {
			"\nlines:\n  - {clause: S, name: Seats, charge: per-seat, when: arrears, count: {tiers: [{up_to: 10, unit: 10, flat: 2}, {up_to: 20, unit: 5, flat: 3}, {unit: 5, flat: 3}]}}\n",
			counts("seat 2026-02-10 21"), "recurring S 1 period × 163 = 163 on 2026-03-01",
		},
		"volume tiers": {
			"\nlines:\n  - {clause: S, name: Seats, charge: per-seat, when: arrears, count: {model: volume, tiers: [{up_to: 15, unit: 10}, {unit: 5}]}}\n",
			counts("seat 2026-02-10 16"), "recurring S 1 period × 80 = 80 on 2026-03-01",
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := run(billing.Closing, march, dated(t, 1, "2026-01-01", "", c.body))
			f.Devices = c.counts
			require.Equal(t, c.want, bills(reckon(t, f)))
		})
	}
	t.Run("a new price in mid-period does not count anew", func(t *testing.T) {
		f := run(billing.Opening, march, dated(t, 1, "2026-01-01", "2026-03-11", seats("")), dated(t, 2, "2026-03-11", "", strings.ReplaceAll(seats(""), "20.00", "31.00")))
		f.Devices = counts("seat 2026-03-01 31", "seat 2026-03-09 62")
		require.Equal(t, "recurring S 10 piece × 20 = 200 on 2026-03-01\nrecurring S 21 piece × 31 = 651 on 2026-03-11", bills(reckon(t, f)))
	})
	t.Run("nobody has counted: nothing posts, and it says what to do", func(t *testing.T) {
		f := run(billing.Opening, march, dated(t, 1, "2026-01-01", "", seats("")+"  - {clause: F, name: Fee, charge: flat, price: 1}\n"))
		d := reckon(t, f)
		require.Empty(t, d.Charges)
		require.Contains(t, d.Waits(), "docket client count --client C-1 --kind seat --on 2026-03-01")
	})
}

// Seats are fewer after they were billed in advance: the contract gives a credit, nothing, or keeps them until the
// term renews.
func TestEdge77FewerSeatsAfterBillingInAdvance(t *testing.T) {
	april := billing.Period{Start: "2026-04-01", End: "2026-05-01"}
	term := "term: {months: 12, since: 2025-04-16}\n"
	for name, c := range map[string]struct {
		fewer   string
		counts  []billing.DeviceCount
		posted  string
		counted string
		want    string
	}{
		"credit for the days that were left":    {"credit", counts("seat 2026-03-01 10", "seat 2026-04-16 8"), "200", "10", "recurring S 1 period × -20 = -20 on 2026-04-30"},
		"credit, and they came back":            {"credit", counts("seat 2026-03-01 10", "seat 2026-04-11 8", "seat 2026-04-21 15"), "200", "10", "recurring S 1 period × -13.333333333333 = -13.33 on 2026-04-30"},
		"more are counted with the next period": {"credit", counts("seat 2026-03-01 10", "seat 2026-04-11 15"), "200", "10", ""},
		"no credit":                             {"no", counts("seat 2026-03-01 10", "seat 2026-04-01 6"), "200", "10", ""},
		"a count that was noted late bills":     {"no", counts("seat 2026-03-01 10", "seat 2026-04-01 12"), "200", "10", "recurring S 1 period × 40 = 40 on 2026-04-30"},
	} {
		t.Run(name, func(t *testing.T) {
			f := run(billing.Closing, april, dated(t, 1, "2026-01-01", "", seats(", count: {fewer: "+c.fewer+"}")))
			f.Devices, f.Posted = c.counts, []billing.PeriodSum{posted(billing.Recurring, "S", c.posted)}
			f.Counted = []billing.Counted{{Clause: "S", Kind: "seat", Number: dec(c.counted)}}
			require.Equal(t, c.want, bills(reckon(t, f)))
		})
	}
	t.Run("at renewal", func(t *testing.T) {
		f := run(billing.Opening, march, dated(t, 1, "2026-01-01", "", seats(", count: {fewer: at-renewal}")+term))
		f.Devices, f.Highest = counts("seat 2026-02-20 6"), []billing.Counted{{Clause: "S", Kind: "seat", Term: "2025-04-16", Number: dec("10")}}
		d := reckon(t, f)
		require.Equal(t, "recurring S 10 piece × 20 = 200 on 2026-03-01", bills(d))
		require.Contains(t, strings.Join(billing.Explain(d.Charges[0]), " "), "The count of seat is 6; 10 stay billed until the term renews.")
		f.Period = april
		require.Equal(t, "recurring S 5 piece × 20 = 100 on 2026-04-01\nrecurring S 3 piece × 20 = 60 on 2026-04-16", bills(reckon(t, f)))
	})
}

const committed = `
rates: [{hourly: 100}]
lines:
  - {clause: T, name: Work, charge: time}
commitment: {clause: M, name: Minimum, amount: 1000.00}
`

func TestTrueUpToAMinimum(t *testing.T) {
	half := dated(t, 1, "2026-03-17", "", committed)
	f := run(billing.Closing, march, half)
	f.Billed = billed("200")
	d := reckon(t, f)
	require.Equal(t, "true-up M 1 period × 283.87 = 283.87 on 2026-03-31", bills(d), "1,000 × 15/31 − 200")
	said := strings.Join(billing.Explain(d.Charges[0]), " ")
	require.Contains(t, said, "for 15 of 31 days that is 483.87 EUR. 200.00 EUR were billed before credits and tax, so 283.87 EUR lack.")

	// A held line settles after it.
	f.Run, f.N, f.Because = billing.Adjusting, 2, "T-7"
	f.Posted, f.Billed = []billing.PeriodSum{posted(billing.TrueUp, "M", "283.87")}, billed("400")
	d = reckon(t, f)
	require.Equal(t, "-200", d.Charges[0].Amount.String())
	require.Contains(t, strings.Join(billing.Explain(d.Charges[0]), " "), "T-7 posted into the period after it was closed")
	// More than the minimum: all of it goes back, and no more.
	f.Posted, f.Billed = []billing.PeriodSum{posted(billing.TrueUp, "M", "83.87")}, billed("1400")
	require.Equal(t, "-83.87", reckon(t, f).Charges[0].Amount.String())
	f.Posted = []billing.PeriodSum{posted(billing.TrueUp, "M", "0")}
	require.Empty(t, reckon(t, f).Charges)
	// And it is undone again.
	f.Billed = billed("200")
	require.Equal(t, "283.87", reckon(t, f).Charges[0].Amount.String())
}

func TestMinimumCountsTheFeesOfTheSameRun(t *testing.T) {
	f := run(billing.Closing, march, dated(t, 1, "2026-01-01", "", strings.Replace(committed, "commitment:", "  - {clause: F, name: Fee, charge: flat, price: 300, when: arrears}\ncommitment:", 1)))
	f.Billed = billed("200")
	require.Equal(t, "recurring F 1 period × 300 = 300 on 2026-03-01\ntrue-up M 1 period × 500 = 500 on 2026-03-31", bills(reckon(t, f)))
}

func TestMinimumOfTwoVersions(t *testing.T) {
	f := run(billing.Closing, march, dated(t, 1, "2026-01-01", "2026-03-11", committed), dated(t, 2, "2026-03-11", "", strings.Replace(committed, "1000.00", "3100.00", 1)))
	require.Equal(t, "true-up M 1 period × 2422.58 = 2422.58 on 2026-03-31", bills(reckon(t, f)), "1,000 × 10/31 + 3,100 × 21/31")
	whole := strings.Replace(committed, "1000.00", "1000.00, prorate: no", 1)
	require.Equal(t, "true-up M 1 period × 1000 = 1000 on 2026-03-31", bills(reckon(t, run(billing.Closing, march, dated(t, 1, "2026-03-30", "", whole)))))
}

func TestAPeriodWithoutUseBillsTheFirstTiersFlatFee(t *testing.T) {
	f := run(billing.Closing, march, dated(t, 1, "2026-01-01", "", `
lines:
  - {clause: U, name: Alerts, charge: usage, usage: {event: alert, model: graduated, zero_flat: true, tiers: [{up_to: 10, unit: 1, flat: 2}, {unit: 0.5}]}}
`))
	require.Equal(t, "usage U 1 period × 2 = 2 on 2026-03-31", bills(reckon(t, f)))
	require.Equal(t, []string{"commitment/A-1/2026-03-01/2026-04-01", "usage/A-1/U/2026-03"}, billing.WantPeriod(f))
	f.Run, f.Posted = billing.Adjusting, []billing.PeriodSum{posted(billing.Usage, "U", "2")}
	require.Empty(t, bills(reckon(t, f)))
	f.Counters = []billing.Counter{{Key: "usage/A-1/U/2026-03", Value: dec("3")}}
	require.Equal(t, "usage U 1 period × -2 = -2 on 2026-03-31", bills(reckon(t, f)), "something used it after all")
}

// Paused: no entitlement is granted; the contract says whether its fees go on.
func TestEdge35PausedFees(t *testing.T) {
	f := run(billing.Opening, march, dated(t, 1, "2026-01-01", "", flat100+"pauses: [{from: 2026-02-15, to: 2026-05-01}]\n"))
	d := reckon(t, f)
	require.Empty(t, d.Charges)
	require.Empty(t, d.Waits())
	require.Equal(t, "A-1 was paused: no fees bill for March 2026.", d.Notes[0].Says)
	f = run(billing.Closing, march, dated(t, 1, "2026-01-01", "", committed+"pauses: [{from: 2026-03-16, to: 2026-05-01}]\n"))
	require.Equal(t, "483.87", reckon(t, f).Charges[0].Amount.String(), "days without fees ask for no minimum")
}

// Cancelled: the last period closes out as a draft for a person, with the fee for leaving early.
func TestEdge37CancelledContractClosesOut(t *testing.T) {
	body := func(more string) string {
		return strings.Replace(flat100, "lines:", "effective_to: 2026-03-11\nlines:", 1) +
			"term: {months: 12, since: 2025-07-01, notice_days: 15, cancelled_on: 2026-02-20, termination_fee: 250.00" + more + "}\n"
	}
	f := run(billing.Closing, march, dated(t, 2, "2026-01-01", "2026-03-11", body("")))
	f.Posted = []billing.PeriodSum{posted(billing.Recurring, "F", "100")}
	d := reckon(t, f)
	require.Equal(t, "recurring F 1 period × -67.741935483871 = -67.74 on 2026-03-31\nrecurring  1 period × 250 = 250 on 2026-03-10", bills(d))
	require.Contains(t, d.Draft(), "was cancelled on 2026-02-20 and ended on 2026-03-10")

	f.Period = billing.Period{Start: "2026-02-01", End: "2026-03-01"}
	require.Empty(t, reckon(t, f).Draft(), "only its last period waits")

	f = run(billing.Closing, march, dated(t, 2, "2026-01-01", "2026-03-11", strings.Replace(body(""), "2025-07-01", "2025-03-11", 1)))
	require.Equal(t, "recurring F 0.322580645 period × 100 = 32.26 on 2026-03-01", bills(reckon(t, f)), "at the end of its term nobody leaves early")
}

func TestATermThatDoesNotRenewByItself(t *testing.T) {
	body := flat100 + "term: {months: 12, since: 2025-03-16, renews: ask}\n"
	d := reckon(t, run(billing.Opening, march, dated(t, 1, "2026-01-01", "", body)))
	require.Equal(t, "recurring F 0.483870968 period × 100 = 48.39 on 2026-03-01", bills(d))
	require.Equal(t, "The term of A-1 ended before 2026-03-16 and does not renew by itself. No fees bill from 16 March 2026 on.", d.Notes[0].Says)

	d = reckon(t, run(billing.Opening, billing.Period{Start: "2026-04-01", End: "2026-05-01"}, dated(t, 1, "2026-01-01", "", body)))
	require.Empty(t, d.Charges)
	require.Contains(t, d.Waits(), "until a new revision renews it")
}

// What was billed in advance for a version that another one replaced meanwhile is corrected at the end.
func TestClosingCorrectsWhatWasBilledInAdvance(t *testing.T) {
	dearer := strings.Replace(flat100, "100.00", "131.00", 1)
	f := run(billing.Closing, march, dated(t, 1, "2026-01-01", "2026-03-11", flat100), dated(t, 2, "2026-03-11", "", dearer))
	f.Posted = []billing.PeriodSum{posted(billing.Recurring, "F", "100")}
	d := reckon(t, f)
	require.Equal(t, "recurring F 1 period × 21 = 21 on 2026-03-31", bills(d), "100 × 10/31 + 131 × 21/31 − 100")
	said := billing.Explain(d.Charges[0])
	require.Equal(t, "In advance 100.00 EUR were billed for March 2026; by what was known at its end it comes to 121.00 EUR.", said[0])
	require.Equal(t, "10 of 31 days come to 32.26 EUR.", said[1])

	f = run(billing.Closing, march, dated(t, 2, "2026-01-01", "", committed))
	f.Posted, f.Billed = []billing.PeriodSum{posted(billing.Recurring, "F", "100")}, billed("1100")
	require.Equal(t, "recurring F 1 period × -100 = -100 on 2026-03-31", bills(reckon(t, f)), "the clause is gone")
}

func TestPeriodFactsThatCannotBe(t *testing.T) {
	good := run(billing.Opening, march, dated(t, 1, "2026-01-01", "", flat100))
	for name, spoil := range map[string]func(*billing.PeriodFacts){
		"unknown rules":     func(f *billing.PeriodFacts) { f.Rules = 99 },
		"unknown run":       func(f *billing.PeriodFacts) { f.Run = "sometimes" },
		"no period":         func(f *billing.PeriodFacts) { f.Period.End = f.Period.Start },
		"a period of years": func(f *billing.PeriodFacts) { f.Period.End = "2036-01-01" },
		"no version":        func(f *billing.PeriodFacts) { f.Versions = nil },
		"no terms":          func(f *billing.PeriodFacts) { f.Versions[0].Terms = nil },
		"other terms":       func(f *billing.PeriodFacts) { f.Versions[0].Digest = "x" },
		"not in force":      func(f *billing.PeriodFacts) { f.Versions[0].Until = "2026-02-01" },
		"overlapping":       func(f *billing.PeriodFacts) { f.Versions = append(f.Versions, f.Versions[0]) },
		"no date":           func(f *billing.PeriodFacts) { f.Versions[0].From = "soon" },
		"a negative count": func(f *billing.PeriodFacts) {
			f.Devices = []billing.DeviceCount{{Kind: "seat", Date: "2026-03-01", Count: -1}}
		},
		"unsorted counts": func(f *billing.PeriodFacts) { f.Devices = counts("seat 2026-03-02 1", "seat 2026-03-01 1") },
	} {
		t.Run(name, func(t *testing.T) {
			f := good
			f.Versions = append([]billing.DatedVersion{}, good.Versions...)
			spoil(&f)
			_, err := billing.DecidePeriod(f)
			require.Error(t, err)
		})
	}
}

// However versions split a period, at one price its lines sum to the price of the days; and a closing after an opening
// posts nothing where nothing changed.
func TestPeriodProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		price := decimal.New(rapid.Int64Range(1, 1_000_000).Draw(t, "price"), -2)
		seatsNow := rapid.IntRange(0, 500).Draw(t, "seats")
		body := fmt.Sprintf("\nlines:\n  - {clause: F, name: Fee, charge: flat, price: %s}\n  - {clause: S, name: Seats, charge: per-seat, price: %s, count: {fewer: %s}}\n",
			price, price, rapid.SampledFrom([]string{"no", "credit"}).Draw(t, "fewer"))
		cuts := rapid.SliceOfNDistinct(rapid.IntRange(2, 31), 0, 5, rapid.ID[int]).Draw(t, "cuts")
		var versions []billing.DatedVersion
		from := "2026-01-01"
		for day := 2; day <= 31; day++ {
			for _, cut := range cuts {
				if cut == day {
					on := fmt.Sprintf("2026-03-%02d", day)
					versions = append(versions, dated(t, len(versions)+1, from, on, body))
					from = on
				}
			}
		}
		versions = append(versions, dated(t, len(versions)+1, from, "", body))
		f := run(billing.Opening, march, versions...)
		f.Devices = []billing.DeviceCount{{Kind: "seat", Date: "2026-02-01", Count: seatsNow}}
		d := reckon(t, f)
		require.Equal(t, price.Mul(decimal.NewFromInt(int64(seatsNow+1))).StringFixed(2), sum(d))

		f.Run, f.Counted = billing.Closing, d.Counted
		for _, c := range d.Charges {
			f.Posted = add(f.Posted, c)
		}
		require.Empty(t, reckon(t, f).Charges)

		again, err := json.Marshal(f)
		require.NoError(t, err)
		var read billing.PeriodFacts
		require.NoError(t, json.Unmarshal(again, &read))
		for i := range read.Versions {
			read.Versions[i].Terms = f.Versions[i].Terms
		}
		require.Equal(t, reckon(t, f).Digest(), reckon(t, read).Digest(), "stored facts decide the same")
	})
}

func add(sums []billing.PeriodSum, c billing.Charge) []billing.PeriodSum {
	for i := range sums {
		if sums[i].Kind == c.Kind && sums[i].Clause == c.Clause {
			sums[i].Amount, sums[i].Exact = sums[i].Amount.Add(c.Amount), sums[i].Exact.Add(c.Exact)
			return sums
		}
	}
	return append(sums, billing.PeriodSum{Kind: c.Kind, Clause: c.Clause, CurrencySum: billing.CurrencySum{Currency: c.Currency, Amount: c.Amount}, Exact: c.Exact})
}
