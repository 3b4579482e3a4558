package sla_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/docket-psa/docket/sla"
)

func TestEdge22PeriodsAreHalfOpenLocalDates(t *testing.T) {
	anchored := func(every, anchor string) sla.Cycle { return sla.Cycle{Every: every, Anchor: date(t, anchor)} }
	for _, c := range []struct {
		name       string
		cycle      sla.Cycle
		on         string
		start, end string
		days       int
	}{
		{"month", sla.Monthly(1), "2026-03-31", "2026-03-01", "2026-04-01", 31},
		{"its end is the next one's start", sla.Monthly(1), "2026-04-01", "2026-04-01", "2026-05-01", 30},
		{"from the 15th", sla.Monthly(15), "2026-04-05", "2026-03-15", "2026-04-15", 31},
		{"from the 31st, in a short month", sla.Monthly(31), "2026-02-28", "2026-02-28", "2026-03-31", 31},
		{"from the 31st, before a short month", sla.Monthly(31), "2026-02-27", "2026-01-31", "2026-02-28", 28},
		{"from the 30th, in a leap year", sla.Monthly(30), "2028-02-29", "2028-02-29", "2028-03-30", 30},
		{"quarter", sla.Cycle{Every: "quarterly"}, "2026-06-30", "2026-04-01", "2026-07-01", 91},
		{"quarter from February, before its anchor", anchored("quarterly", "2026-02-10"), "2025-11-09", "2025-08-10", "2025-11-10", 92},
		{"half a year", sla.Cycle{Every: "semiannual"}, "2026-07-01", "2026-07-01", "2027-01-01", 184},
		{"year from 29 February", anchored("yearly", "2024-02-29"), "2026-02-28", "2026-02-28", "2027-02-28", 365},
		{"week from Monday", sla.Cycle{Every: "weekly"}, "2026-07-05", "2026-06-29", "2026-07-06", 7},
		{"week from Wednesday, before its anchor", anchored("weekly", "2026-07-01"), "2026-06-30", "2026-06-24", "2026-07-01", 7},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := c.cycle.Period(date(t, c.on))
			require.NoError(t, err)
			require.Equal(t, sla.Period{Start: date(t, c.start), End: date(t, c.end)}, got)
			require.Equal(t, c.days, got.Days())
		})
	}
	march := sla.Period{Start: date(t, "2026-03-01"), End: date(t, "2026-04-01")}
	from, to := march.In(zone(t, "America/New_York"))
	require.Equal(t, at(t, "2026-03-01T05:00:00Z"), from)
	require.Equal(t, at(t, "2026-04-01T04:00:00Z"), to)
}

func TestPeriodsThatCannotBeAreRefused(t *testing.T) {
	_, err := sla.Cycle{Every: "fortnightly"}.Period(date(t, "2026-01-01"))
	require.ErrorContains(t, err, "write weekly, monthly")
	_, err = sla.Monthly(32).Period(date(t, "2026-01-01"))
	require.ErrorContains(t, err, "no such day")
	_, err = sla.Monthly(1).Period(sla.LocalDate{Year: 2026, Month: 2, Day: 30})
	require.ErrorContains(t, err, "no such day")
	_, err = sla.Monthly(1).Period(date(t, "9999-12-31"))
	require.ErrorContains(t, err, "years 1 and 9999")
}

func TestPeriodsFollowEachOther(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := sla.Cycle{
			Every:  rapid.SampledFrom([]string{"weekly", "monthly", "quarterly", "semiannual", "yearly"}).Draw(t, "every"),
			Anchor: drawDate(t, "anchor"),
		}
		on := drawDate(t, "on")
		p, err := c.Period(on)
		require.NoError(t, err)
		require.True(t, p.Contains(on))
		for _, inside := range []sla.LocalDate{p.Start, p.End.AddDays(-1)} {
			same, err := c.Period(inside)
			require.NoError(t, err)
			require.Equal(t, p, same)
		}
		next, err := c.Period(p.End)
		require.NoError(t, err)
		require.Equal(t, p.End, next.Start)
		anchored, err := c.Period(c.Anchor)
		require.NoError(t, err)
		require.Equal(t, c.Anchor, anchored.Start)
	})
}
