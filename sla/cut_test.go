package sla_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/docket-psa/docket/sla"
)

// told writes segments as '2026-07-01 20:58Z 2m0s [evening]', one a line.
func told(segments []sla.Segment) []string {
	var lines []string
	for _, s := range segments {
		lines = append(lines, fmt.Sprintf("%s %s %s %v", s.Date, s.From.Format("15:04Z"), s.Duration(), s.Bands))
	}
	return lines
}

func TestEdge19AnEntryCrossesTheAfterHoursEdge(t *testing.T) {
	const ny = "America/New_York"
	evening := office(t, ny, "2026-12-25").AfterHours("after-hours")
	for _, c := range []struct {
		name, from, to string
		want           []string
	}{
		{"16:58 to 17:12", "2026-07-01T20:58:00Z", "2026-07-01T21:12:00Z", []string{"2026-07-01 20:58Z 2m0s []", "2026-07-01 21:00Z 12m0s [after-hours]"}},
		{"the edge follows the wall in winter", "2026-12-01T21:58:00Z", "2026-12-01T22:12:00Z", []string{"2026-12-01 21:58Z 2m0s []", "2026-12-01 22:00Z 12m0s [after-hours]"}},
		{"until the edge, which is not in it", "2026-07-01T20:58:00Z", "2026-07-01T21:00:00Z", []string{"2026-07-01 20:58Z 2m0s []"}},
		{"through the night, a date each", "2026-07-02T03:00:00Z", "2026-07-02T13:30:00Z", []string{"2026-07-01 03:00Z 1h0m0s [after-hours]", "2026-07-02 04:00Z 9h0m0s [after-hours]", "2026-07-02 13:00Z 30m0s []"}},
		{"a holiday at noon", "2026-12-25T17:00:00Z", "2026-12-25T18:00:00Z", []string{"2026-12-25 17:00Z 1h0m0s [after-hours]"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := sla.Cut(at(t, c.from), at(t, c.to), zone(t, ny), []sla.Band{evening}, nil)
			require.NoError(t, err)
			require.Equal(t, c.want, told(got))
		})
	}
}

// A calendar of Berlin, 9 to 17 on weekdays, that closes every year on Good Friday (3 April in 2026, 26 March in
// 2027), on Christmas Eve from noon and on 29 February: what is outside it is worked out by hand.
func TestAHolidayOfEveryYearIsAfterHours(t *testing.T) {
	c := office(t, "Europe/Berlin", "2026-05-01")
	c.Recurring = []sla.Recurring{{Every: "easter-2"}, {Every: "12-24", Windows: []sla.Window{window(t, "12:00-24:00")}}, {Every: "02-29"}}
	after := c.AfterHours("after-hours")
	for _, day := range []struct {
		name, from, to string
		want           []string
	}{
		{"Good Friday 2026, in summer time", "2026-04-03T07:00:00Z", "2026-04-03T08:00:00Z", []string{"2026-04-03 07:00Z 1h0m0s [after-hours]"}},
		{"the Thursday before it", "2026-04-02T07:00:00Z", "2026-04-02T08:00:00Z", []string{"2026-04-02 07:00Z 1h0m0s []"}},
		{"Good Friday 2027, in winter time", "2027-03-26T08:00:00Z", "2027-03-26T09:00:00Z", []string{"2027-03-26 08:00Z 1h0m0s [after-hours]"}},
		{"that date a year earlier", "2026-03-26T08:00:00Z", "2026-03-26T09:00:00Z", []string{"2026-03-26 08:00Z 1h0m0s []"}},
		{"noon of Christmas Eve, which is cut there", "2026-12-24T10:30:00Z", "2026-12-24T11:30:00Z", []string{"2026-12-24 10:30Z 30m0s []", "2026-12-24 11:00Z 30m0s [after-hours]"}},
		{"a holiday of that year alone", "2026-05-01T07:00:00Z", "2026-05-01T08:00:00Z", []string{"2026-05-01 07:00Z 1h0m0s [after-hours]"}},
		{"the same day of the next one, a Saturday, after hours anyway", "2027-05-01T07:00:00Z", "2027-05-01T08:00:00Z", []string{"2027-05-01 07:00Z 1h0m0s [after-hours]"}},
		{"29 February, a Tuesday", "2028-02-29T08:00:00Z", "2028-02-29T09:00:00Z", []string{"2028-02-29 08:00Z 1h0m0s [after-hours]"}},
	} {
		t.Run(day.name, func(t *testing.T) {
			got, err := sla.Cut(at(t, day.from), at(t, day.to), time.UTC, []sla.Band{after}, nil)
			require.NoError(t, err)
			require.Equal(t, day.want, told(got))
			open, err := c.Between(at(t, day.from), at(t, day.to))
			require.NoError(t, err)
			for _, s := range got {
				if len(s.Bands) == 0 {
					open -= s.Duration()
				}
			}
			require.Zero(t, open, "what is not after hours is what the calendar counts")
		})
	}
	_, err := sla.Cut(at(t, "2026-04-03T07:00:00Z"), at(t, "2026-04-03T08:00:00Z"), time.UTC, []sla.Band{{Name: "b", Recurring: []sla.Recurring{{Every: "02-30"}}}}, nil)
	require.ErrorContains(t, err, "no year has that day")
}

func TestEdge20ASegmentCarriesEveryBandThatMatches(t *testing.T) {
	bands := []sla.Band{
		{Name: "weekend", Hours: sla.Week{Saturday: []sla.Window{sla.WholeDay}}},
		{Name: "evening", Hours: sla.EveryDay(window(t, "18:00-24:00"))},
		{Name: "holiday", Also: []sla.Holiday{{Date: date(t, "2026-12-26"), Windows: []sla.Window{window(t, "17:00-19:00")}}}},
		{Name: "call-out", Hours: sla.EveryDay(sla.WholeDay), Except: []sla.Holiday{{Date: date(t, "2026-12-26"), Windows: []sla.Window{window(t, "00:00-18:30")}}}},
	}
	got, err := sla.Cut(at(t, "2026-12-26T16:00:00Z"), at(t, "2026-12-26T20:00:00Z"), time.UTC, bands, nil)
	require.NoError(t, err)
	require.Equal(t, []string{
		"2026-12-26 16:00Z 1h0m0s [weekend]", "2026-12-26 17:00Z 1h0m0s [holiday weekend]", "2026-12-26 18:00Z 30m0s [evening holiday weekend]",
		"2026-12-26 18:30Z 30m0s [call-out evening holiday weekend]", "2026-12-26 19:00Z 1h0m0s [call-out evening weekend]",
	}, told(got))
}

func TestEdge21TheRepeatedHourIsCutOnceAndCountsTwice(t *testing.T) {
	ny := zone(t, "America/New_York")
	night := []sla.Band{{Name: "night", Hours: sla.Week{Sunday: []sla.Window{window(t, "00:30-03:00")}}}}
	got, err := sla.Cut(at(t, "2026-11-01T04:00:00Z"), at(t, "2026-11-01T09:00:00Z"), ny, night, nil)
	require.NoError(t, err)
	require.Equal(t, []string{"2026-11-01 04:00Z 30m0s []", "2026-11-01 04:30Z 3h30m0s [night]", "2026-11-01 08:00Z 1h0m0s []"}, told(got))
}

func TestEdge22WorkIsCutAtLocalMidnightWherePeriodsMeet(t *testing.T) {
	got, err := sla.Cut(at(t, "2026-03-31T21:30:00Z"), at(t, "2026-03-31T22:30:00Z"), zone(t, "Europe/Berlin"), nil, nil)
	require.NoError(t, err)
	require.Equal(t, []string{"2026-03-31 21:30Z 30m0s []", "2026-04-01 22:00Z 30m0s []"}, told(got))
	month := sla.Monthly(1)
	for i, want := range []string{"2026-03-01", "2026-04-01"} {
		p, err := month.Period(got[i].Date)
		require.NoError(t, err)
		require.Equal(t, date(t, want), p.Start)
	}
}

func TestEdge72WorkIsCutWhereAContractVersionEnds(t *testing.T) {
	version := at(t, "2026-07-01T12:30:00Z")
	got, err := sla.Cut(at(t, "2026-07-01T12:00:00Z"), at(t, "2026-07-01T13:00:00Z"), time.UTC, nil, []time.Time{version, version, at(t, "2026-07-01T13:00:00Z")})
	require.NoError(t, err)
	require.Equal(t, []string{"2026-07-01 12:00Z 30m0s []", "2026-07-01 12:30Z 30m0s []"}, told(got))
}

func TestABandInAnotherZoneFollowsItsOwnWall(t *testing.T) {
	bands := []sla.Band{{Name: "late", Zone: "Europe/Berlin", Hours: sla.EveryDay(window(t, "18:00-24:00"))}}
	got, err := sla.Cut(at(t, "2026-07-01T15:30:00Z"), at(t, "2026-07-01T16:30:00Z"), zone(t, "America/New_York"), bands, nil)
	require.NoError(t, err)
	require.Equal(t, []string{"2026-07-01 15:30Z 30m0s []", "2026-07-01 16:00Z 30m0s [late]"}, told(got))
}

func TestSpansAndBandsThatMakeNoSenseAreRefused(t *testing.T) {
	noon := at(t, "2026-07-01T12:00:00Z")
	none, err := sla.Cut(noon, noon, time.UTC, nil, nil)
	require.NoError(t, err)
	require.Empty(t, none, "an empty span has no segments")

	_, err = sla.Cut(noon, noon.Add(-1), time.UTC, nil, nil)
	require.ErrorContains(t, err, "ends before it starts")
	_, err = sla.Cut(noon, noon.AddDate(50, 0, 0), time.UTC, nil, nil)
	require.ErrorIs(t, err, sla.ErrTooFar)
	_, err = sla.Cut(noon, noon.Add(1), nil, nil, nil)
	require.ErrorContains(t, err, "zone: it is missing")
	_, err = sla.Cut(noon, noon.Add(1), time.UTC, []sla.Band{{}, {Name: "x", Zone: "Nowhere"}, {Name: "x"}, {Name: "y", Hours: sla.EveryDay(sla.Window{From: 5, To: 5})}}, nil)
	for _, reason := range []string{"give the band one", `zone "Nowhere"`, "the name is there twice", "it is empty"} {
		require.ErrorContains(t, err, reason)
	}
	last := time.Date(9999, 12, 31, 23, 0, 0, 0, time.UTC)
	got, err := sla.Cut(last, last.Add(30*time.Minute), time.UTC, nil, nil)
	require.NoError(t, err)
	require.Equal(t, "9999-12-31", got[0].Date.String())
}

func TestSegmentsTileTheSpan(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		loc := zone(t, rapid.SampledFrom(zoneNames).Draw(t, "zone"))
		from := drawInstant(t, "from")
		to := from.Add(time.Duration(rapid.Int64Range(0, int64(20*24*time.Hour)).Draw(t, "length")))
		var bands []sla.Band
		for _, name := range []string{"c", "a", "b"}[:rapid.IntRange(0, 3).Draw(t, "bands")] {
			bands = append(bands, sla.Band{
				Name: name, Zone: rapid.SampledFrom(append(zoneNames, "")).Draw(t, "band zone"), Hours: drawWeek(t, name),
				Also: drawHolidays(t, "also"), Except: drawHolidays(t, "except"),
			})
		}
		var edges []time.Time
		for range rapid.IntRange(0, 3).Draw(t, "edges") {
			edges = append(edges, from.Add(time.Duration(rapid.Int64Range(-int64(time.Hour), int64(20*24*time.Hour)).Draw(t, "edge"))))
		}
		got, err := sla.Cut(from, to, loc, bands, edges)
		require.NoError(t, err)

		reached := from
		for i, s := range got {
			require.Equal(t, reached, s.From, "no gap and no overlap")
			require.True(t, s.From.Before(s.To), "no empty segment")
			reached = s.To
			require.Equal(t, s.Date, sla.DateAt(s.From, loc))
			require.Equal(t, s.Date, sla.DateAt(s.To.Add(-1), loc), "one date from first to last instant")
			require.True(t, slices.IsSorted(s.Bands))
			for _, edge := range edges {
				require.False(t, s.From.Before(edge) && edge.Before(s.To), "an extra edge always cuts")
			}
			if i > 0 && got[i-1].Date == s.Date && slices.Equal(got[i-1].Bands, s.Bands) {
				require.True(t, slices.ContainsFunc(edges, s.From.Equal), "alike neighbours are one, unless an edge parts them")
			}
		}
		require.Equal(t, to, reached)
	})
}

func TestABandLastsAsLongAsACalendarWithItsHours(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawCalendar(t)
		from := drawInstant(t, "from")
		to := from.Add(time.Duration(rapid.Int64Range(0, int64(20*24*time.Hour)).Draw(t, "length")))
		open := sla.Band{Name: "open", Zone: c.Zone, Hours: c.Hours, Except: c.Holidays}
		segments, err := sla.Cut(from, to, time.UTC, []sla.Band{open, c.AfterHours("after")}, nil)
		require.NoError(t, err)
		var inHours time.Duration
		for _, s := range segments {
			require.Len(t, s.Bands, 1, "every instant is either in hours or after hours")
			if s.Bands[0] == "open" {
				inHours += s.Duration()
			}
		}
		business, err := c.Between(from, to)
		require.NoError(t, err)
		require.Equal(t, business, inHours)
	})
}
