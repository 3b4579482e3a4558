package billing_test

import (
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/docket-psa/docket/billing"
)

// TestPropertyRunsOfAPeriodBillItOnce: however a period of a whole contract is opened, closed and adjusted, with counts
// and closings that come in between, no run bills what another has billed, and what has posted reaches the minimum and
// goes no further because of it.
func TestPropertyRunsOfAPeriodBillItOnce(t *testing.T) {
	docs := wholeContracts(t)
	rapid.Check(t, func(t *rapid.T) {
		terms := rapid.SampledFrom(docs).Draw(t, "contract").Terms
		f := run(billing.Opening, terms.PeriodOf("2026-03-15"), billing.DatedVersion{Revision: 1, Digest: terms.Digest(), From: "2026-01-01", Terms: terms})
		f.Contract, f.Because = "ALL-1", "T-9"
		for _, kind := range []string{"seat", "workstation"} {
			f.Devices = append(f.Devices, billing.DeviceCount{Kind: kind, Date: "2026-01-05", Count: rapid.IntRange(0, 20).Draw(t, kind)})
			if rapid.Bool().Draw(t, kind+" change") {
				f.Devices = append(f.Devices, billing.DeviceCount{Kind: kind, Date: "2026-03-21", Count: rapid.IntRange(0, 20).Draw(t, kind+" then")})
			}
		}
		tickets := decimal.Zero // what closings have billed
		var posted []billing.Charge
		post := func(d billing.PeriodDecision) {
			for _, c := range d.Charges {
				f.Posted, posted = add(f.Posted, c), append(posted, c)
			}
		}
		run := func(kind billing.PeriodRun) {
			fees := decimal.Zero // of earlier runs, which count towards the minimum as tickets do
			for _, c := range posted {
				if c.Kind != billing.TrueUp {
					fees = fees.Add(c.Amount)
				}
			}
			f.Run, f.Billed = kind, []billing.CurrencySum{{Currency: "EUR", Amount: tickets.Add(fees)}}
			d, err := billing.DecidePeriod(f)
			require.NoError(t, err)
			if d.Draft() != "" || d.Waits() != "" {
				t.Skip("a person must approve it")
			}
			same, err := billing.DecidePeriod(f)
			require.NoError(t, err)
			require.Equal(t, d.Digest(), same.Digest())
			post(d)
			f.Counted = append(f.Counted, d.Counted...)
		}
		if rapid.Bool().Draw(t, "opened") {
			run(billing.Opening)
		}
		tickets = decimal.New(rapid.Int64Range(0, 200_000).Draw(t, "tickets"), -2)
		run(billing.Closing)
		closed := len(posted)
		for range rapid.IntRange(0, 3).Draw(t, "late") {
			tickets = tickets.Add(decimal.New(rapid.Int64Range(-20_000, 60_000).Draw(t, "late ticket"), -2))
			run(billing.Adjusting)
		}
		for _, c := range posted[closed:] {
			require.NotEqual(t, billing.Recurring, c.Kind, "fees bill once")
		}
		run(billing.Adjusting)
		before := len(posted)
		run(billing.Adjusting)
		require.Len(t, posted, before, "a run that finds nothing new posts nothing")

		sums := map[billing.ChargeKind]decimal.Decimal{}
		for _, c := range posted {
			sums[c.Kind] = sums[c.Kind].Add(c.Amount)
		}
		billed := tickets.Add(sums[billing.Recurring]).Add(sums[billing.Usage])
		minimum := minimumOf(t, terms)
		require.True(t, sums[billing.TrueUp].Equal(decimal.Max(minimum.Sub(billed), decimal.Zero)),
			"%s billed, a minimum of %s, and a true-up of %s", billed, minimum, sums[billing.TrueUp])
	})
}

// minimumOf is the minimum of the period that holds the middle of March, for the days on which fees bill.
func minimumOf(t require.TestingT, terms *billing.Terms) decimal.Decimal {
	p := terms.PeriodOf("2026-03-15")
	days := daysBetween(t, p.Start, p.End)
	paused := int64(2)
	return terms.Contract().Commitment.Amount.Mul(decimal.NewFromInt(days-paused)).DivRound(decimal.NewFromInt(days), 2)
}

func daysBetween(t require.TestingT, from, to string) int64 {
	a, err := time.Parse(time.DateOnly, from)
	require.NoError(t, err)
	b, err := time.Parse(time.DateOnly, to)
	require.NoError(t, err)
	return int64(b.Sub(a) / (24 * time.Hour))
}
