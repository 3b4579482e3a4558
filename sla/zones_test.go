package sla_test

import (
	"slices"
	"time"
	_ "time/tzdata"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/docket-psa/docket/sla"
)

// zoneNames have what goes wrong elsewhere: a half-hour shift (Lord Howe), shifts at and around midnight (Sao Paulo,
// Havana, St John's), a day that never was (Apia), offsets of a quarter hour (Kathmandu), none at all (UTC).
var zoneNames = []string{
	"America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "America/Sao_Paulo", "America/Havana", "America/St_Johns",
	"Pacific/Apia", "Asia/Kathmandu", "UTC",
}

func zone(t require.TestingT, name string) *time.Location {
	loc, err := time.LoadLocation(name)
	require.NoError(t, err)
	return loc
}

func at(t require.TestingT, s string) time.Time {
	parsed, err := time.Parse(time.RFC3339, s)
	require.NoError(t, err)
	return parsed.UTC()
}

func date(t require.TestingT, s string) sla.LocalDate {
	d, err := sla.ParseDate(s)
	require.NoError(t, err)
	return d
}

func window(t require.TestingT, s string) sla.Window {
	var w sla.Window
	require.NoError(t, w.UnmarshalText([]byte(s)))
	return w
}

// office is Monday to Friday, 09:00 to 17:00.
func office(t require.TestingT, zone string, holidays ...string) sla.Calendar {
	c := sla.Calendar{Zone: zone, Hours: sla.Weekdays(window(t, "09:00-17:00"))}
	for _, h := range holidays {
		c.Holidays = append(c.Holidays, sla.Holiday{Date: date(t, h)})
	}
	return c
}

func drawInstant(t *rapid.T, label string) time.Time {
	from, to := time.Date(2006, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli(), time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()
	return time.UnixMilli(rapid.Int64Range(from, to).Draw(t, label)).UTC()
}

func drawDate(t *rapid.T, label string) sla.LocalDate {
	return sla.DateAt(drawInstant(t, label), time.UTC)
}

// drawWindows are zero to three windows of a day, in any order, that do not overlap.
func drawWindows(t *rapid.T, label string) []sla.Window {
	edges := rapid.SliceOfNDistinct(rapid.IntRange(0, 24*60), 6, 6, rapid.ID[int]).Draw(t, label)
	slices.Sort(edges)
	windows := []sla.Window{{From: edges[4], To: edges[5]}, {From: edges[0], To: edges[1]}, {From: edges[2], To: edges[3]}}
	return windows[:rapid.IntRange(0, 3).Draw(t, label+" count")]
}

func drawWeek(t *rapid.T, label string) sla.Week {
	week := sla.Weekdays(drawWindows(t, label+" weekday")...)
	week.Wednesday = drawWindows(t, label+" Wednesday")
	week.Sunday = drawWindows(t, label+" Sunday")
	return week
}

func drawHolidays(t *rapid.T, label string) []sla.Holiday {
	return rapid.SliceOfNDistinct(rapid.Custom(func(t *rapid.T) sla.Holiday {
		return sla.Holiday{Date: drawDate(t, "date"), Windows: drawWindows(t, "part")}
	}), 0, 5, func(h sla.Holiday) sla.LocalDate { return h.Date }).Draw(t, label)
}

func drawCalendar(t *rapid.T) sla.Calendar {
	week := drawWeek(t, "hours")
	if week.Empty() {
		week.Saturday = []sla.Window{{From: 600, To: 601}}
	}
	return sla.Calendar{Zone: rapid.SampledFrom(zoneNames).Draw(t, "zone"), Hours: week, Holidays: drawHolidays(t, "holidays")}
}
