package sla_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
	"pgregory.net/rapid"

	"github.com/docket-psa/docket/sla"
)

func TestDeadlines(t *testing.T) {
	const ny = "America/New_York"
	for _, c := range []struct {
		name     string
		calendar sla.Calendar
		start    string
		business time.Duration
		want     string
	}{
		{"within a day", office(t, ny), "2026-07-01T14:00:00Z", 2 * time.Hour, "2026-07-01T16:00:00Z"},
		{"before opening counts from opening", office(t, ny), "2026-07-01T10:00:00Z", time.Hour, "2026-07-01T14:00:00Z"},
		{"what fills the day is due when it closes", office(t, ny), "2026-07-03T13:00:00Z", 8 * time.Hour, "2026-07-03T21:00:00Z"},
		{"one millisecond more is due on Monday", office(t, ny), "2026-07-03T13:00:00Z", 8*time.Hour + time.Millisecond, "2026-07-06T13:00:00.001Z"},
		{"over a weekend and a holiday", office(t, ny, "2026-09-07"), "2026-09-04T20:00:00Z", 2 * time.Hour, "2026-09-08T14:00:00Z"},
		{"over the spring change, opening by the wall", office(t, ny), "2026-03-06T21:00:00Z", 2 * time.Hour, "2026-03-09T14:00:00Z"},
		{"around the clock through the gap", sla.AlwaysOpen(ny), "2026-03-08T05:00:00Z", 24 * time.Hour, "2026-03-09T05:00:00Z"},
		{"29 February", office(t, "Europe/Berlin"), "2028-02-28T15:30:00Z", time.Hour, "2028-02-29T08:30:00Z"},
		{"nothing at all is due at once, even on a Sunday", office(t, ny), "2026-07-05T12:00:00Z", 0, "2026-07-05T12:00:00Z"},
	} {
		t.Run(c.name, func(t *testing.T) {
			due, err := c.calendar.Add(at(t, c.start), c.business)
			require.NoError(t, err)
			require.Equal(t, at(t, c.want), due)
			between, err := c.calendar.Between(at(t, c.start), due)
			require.NoError(t, err)
			require.Equal(t, c.business, between)
		})
	}
}

func TestPartialHolidayClosesOnlyItsWindows(t *testing.T) {
	c := office(t, "Europe/Berlin")
	c.Holidays = []sla.Holiday{{Date: date(t, "2026-12-24"), Name: "Christmas Eve", Windows: []sla.Window{window(t, "12:00-24:00")}}}
	open, err := c.Between(at(t, "2026-12-23T23:00:00Z"), at(t, "2026-12-24T23:00:00Z"))
	require.NoError(t, err)
	require.Equal(t, 3*time.Hour, open)
}

func TestEdge21ElapsedTimeComesFromInstantsWindowsFromTheWallClock(t *testing.T) {
	for _, c := range []struct {
		name, zone, window, date string
		minutes                  int
	}{
		{"New York falls back", "America/New_York", "00:30-03:00", "2026-11-01", 210},
		{"New York springs forward", "America/New_York", "00:30-03:00", "2026-03-08", 90},
		{"an edge in the gap is the first instant after", "America/New_York", "02:30-04:00", "2026-03-08", 60},
		{"a window inside the gap never opens", "America/New_York", "02:15-02:45", "2026-03-08", 0},
		{"an edge in the repeated hour is its first occurrence", "America/New_York", "01:30-03:00", "2026-11-01", 150},
		{"a window that ends in the repeated hour ends there once", "America/New_York", "00:00-01:30", "2026-11-01", 90},
		{"a whole long day", "Europe/Berlin", "00:00-24:00", "2026-10-25", 1500},
		{"a whole short day", "Europe/Berlin", "00:00-24:00", "2026-03-29", 1380},
		{"a shift of half an hour", "Australia/Lord_Howe", "00:00-24:00", "2026-04-05", 1470},
		{"a day that never was", "Pacific/Apia", "00:00-24:00", "2011-12-30", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			calendar := sla.Calendar{Zone: c.zone, Hours: sla.EveryDay(window(t, c.window))}
			day, loc := date(t, c.date), zone(t, c.zone)
			open, err := calendar.Between(day.StartIn(loc), day.AddDays(1).StartIn(loc))
			require.NoError(t, err)
			require.Equal(t, time.Duration(c.minutes)*time.Minute, open)
		})
	}
}

func TestACalendarThatCannotWorkIsRefusedWithEveryReason(t *testing.T) {
	bad := sla.Calendar{
		Zone: "Mars/Olympus",
		Hours: sla.Week{
			Monday:  []sla.Window{{From: 600, To: 720}, {From: 660, To: 780}},
			Tuesday: []sla.Window{{From: 600, To: 600}, {From: 1080, To: 480}, {From: -5, To: 2000}},
		},
		Holidays: []sla.Holiday{{Date: sla.LocalDate{Year: 2026, Month: 2, Day: 30}}, {Date: date(t, "2026-05-01")}, {Date: date(t, "2026-05-01")}},
	}
	err := bad.Validate()
	for _, reason := range []string{
		`zone "Mars/Olympus"`, "10:00-12:00 and 11:00-13:00 overlap", "10:00-10:00: it is empty", "write 00:00-08:00, and 18:00-24:00 on the day before",
		"stay between 00:00 and 24:00", "2026-02-30: no such day", "2026-05-01 is there twice",
	} {
		require.ErrorContains(t, err, reason)
	}
	require.ErrorContains(t, sla.Calendar{Zone: "UTC"}.Validate(), "the calendar has none, so nothing would ever be due")
	require.ErrorContains(t, sla.AlwaysOpen("").Validate(), "name an IANA time zone")
	require.ErrorContains(t, sla.AlwaysOpen("Local").Validate(), "name an IANA time zone")

	_, err = bad.Add(at(t, "2026-01-01T00:00:00Z"), time.Hour)
	require.Error(t, err)
	_, err = bad.Between(at(t, "2026-01-01T00:00:00Z"), at(t, "2026-01-02T00:00:00Z"))
	require.Error(t, err)
}

func TestASearchThatFindsNothingEnds(t *testing.T) {
	closed := office(t, "UTC")
	for day := date(t, "2026-01-01"); day.Year < 2068; day = day.AddDays(1) {
		closed.Holidays = append(closed.Holidays, sla.Holiday{Date: day})
	}
	_, err := closed.Add(at(t, "2026-01-01T00:00:00Z"), time.Minute)
	require.ErrorIs(t, err, sla.ErrTooFar)

	neverOpens := sla.Calendar{Zone: "Europe/Berlin", Hours: sla.Week{Monday: []sla.Window{window(t, "02:00-02:30")}}}
	_, err = neverOpens.Add(at(t, "2026-01-01T00:00:00Z"), 1<<62)
	require.ErrorIs(t, err, sla.ErrTooFar)
}

func TestAbsurdInstantsAreRefused(t *testing.T) {
	c := sla.AlwaysOpen("America/New_York")
	for name, instant := range map[string]time.Time{
		"year 10000": time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), "before the years": time.Date(-5, 1, 1, 0, 0, 0, 0, time.UTC),
		"the end of time": time.Unix(1<<55, 0), "the beginning": time.Unix(-1<<55, 0),
	} {
		_, err := c.Add(instant, time.Hour)
		require.ErrorIs(t, err, sla.ErrTooFar, name)
		_, err = c.Between(instant, instant)
		require.ErrorIs(t, err, sla.ErrTooFar, name)
	}
	_, err := c.Add(time.Date(9999, 12, 31, 23, 30, 0, 0, time.UTC), time.Hour)
	require.ErrorIs(t, err, sla.ErrTooFar)
	due, err := c.Add(time.Date(9999, 12, 31, 22, 0, 0, 0, time.UTC), time.Hour)
	require.NoError(t, err)
	require.Equal(t, 23, due.Hour())

	start := at(t, "2026-01-02T00:00:00Z")
	_, err = c.Add(start, -time.Second)
	require.ErrorContains(t, err, "negative")
	_, err = c.Between(start, start.Add(-1))
	require.ErrorContains(t, err, "ends before it starts")
	_, err = c.Between(start, start.AddDate(41, 0, 0))
	require.ErrorIs(t, err, sla.ErrTooFar)
}

func TestCalendarIsWrittenAsPeopleWriteIt(t *testing.T) {
	const text = `
zone: Europe/Berlin
hours:
  monday: ["08:00-12:00", 13:00-17:30]
  saturday: [00:00-24:00]
holidays:
  - {date: 2026-12-25, name: Christmas}
  - {date: 2026-12-24, windows: [12:00-24:00]}
`
	var fromYAML, fromJSON sla.Calendar
	require.NoError(t, yaml.Unmarshal([]byte(text), &fromYAML))
	require.NoError(t, fromYAML.Validate())
	require.Equal(t, []sla.Window{{From: 480, To: 720}, {From: 780, To: 1050}}, fromYAML.Hours.Monday)
	require.Equal(t, date(t, "2026-12-25"), fromYAML.Holidays[0].Date)

	data, err := json.Marshal(fromYAML)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, &fromJSON))
	require.Equal(t, fromYAML, fromJSON)

	for _, bad := range []string{"8-17", "08:00–17:00", "aa:bb-cc:dd", "08:60-09:00", "08:00-17:00 "} {
		var w sla.Window
		require.ErrorContains(t, w.UnmarshalText([]byte(bad)), "for example 08:00-17:00", bad)
	}
}

func TestBusinessTimeProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, err := drawCalendar(t).Open()
		require.NoError(t, err)
		between := func(a, b time.Time) time.Duration {
			d, err := s.Between(a, b)
			require.NoError(t, err)
			return d
		}
		start := drawInstant(t, "start")
		d := time.Duration(rapid.Int64Range(0, int64(3*time.Hour)).Draw(t, "business time"))
		due, err := s.Add(start, d)
		require.NoError(t, err)
		require.Equal(t, d, between(start, due), "Between undoes Add")
		if d > 0 {
			require.Less(t, between(start, due.Add(-1)), d, "the deadline is the first such instant")
		}

		middle := start.Add(time.Duration(rapid.Int64Range(0, int64(90*24*time.Hour)).Draw(t, "to middle")))
		end := middle.Add(time.Duration(rapid.Int64Range(0, int64(90*24*time.Hour)).Draw(t, "to end")))
		require.Equal(t, between(start, end), between(start, middle)+between(middle, end), "Between is additive")
		require.LessOrEqual(t, between(start, end), end.Sub(start))

		second := time.Duration(rapid.Int64Range(0, int64(3*time.Hour)).Draw(t, "more business time"))
		stepwise, err := s.Add(due, second)
		require.NoError(t, err)
		if at, err := s.Add(start, d+second); second > 0 {
			require.NoError(t, err)
			require.Equal(t, at, stepwise, "deadlines add up")
		}
	})
}

func TestAroundTheClockBusinessTimeIsElapsedTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, err := sla.AlwaysOpen(rapid.SampledFrom(zoneNames).Draw(t, "zone")).Open()
		require.NoError(t, err)
		start := drawInstant(t, "start")
		d := time.Duration(rapid.Int64Range(0, int64(400*24*time.Hour)).Draw(t, "d"))
		due, err := s.Add(start, d)
		require.NoError(t, err)
		require.Equal(t, start.Add(d), due)
	})
}
