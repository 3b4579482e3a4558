package sla_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/docket-psa/docket/sla"
)

func TestADayStartsAtItsFirstInstant(t *testing.T) {
	for _, c := range []struct{ name, zone, date, want string }{
		{"ordinary day", "America/New_York", "2026-07-01", "2026-07-01T04:00:00Z"},
		{"midnight is in a gap", "America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00Z"},
		{"midnight is shown twice", "America/Havana", "2026-11-01", "2026-11-01T04:00:00Z"},
		{"the hour before midnight is shown twice", "America/Sao_Paulo", "2018-02-18", "2018-02-18T03:00:00Z"},
		{"the first minute is shown twice", "America/St_Johns", "2010-11-07", "2010-11-07T02:30:00Z"},
		{"the day never was, so it starts with the next", "Pacific/Apia", "2011-12-30", "2011-12-30T10:00:00Z"},
		{"local mean time, with seconds", "Europe/Berlin", "1850-01-01", "1849-12-31T23:06:32Z"},
		{"the last day of a leap year beyond the listed changes", "Europe/Berlin", "2040-12-31", "2040-12-30T23:00:00Z"},
		{"the first day after it", "Europe/Berlin", "2041-01-01", "2040-12-31T23:00:00Z"},
		{"the same west of Greenwich", "America/New_York", "2040-12-31", "2040-12-31T05:00:00Z"},
		{"the last day that has a text form", "UTC", "9999-12-31", "9999-12-31T00:00:00Z"},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.Equal(t, at(t, c.want), date(t, c.date).StartIn(zone(t, c.zone)))
		})
	}
}

func TestDateInTheRepeatedMinutesAfterMidnightIsTheLaterDay(t *testing.T) {
	stJohns := zone(t, "America/St_Johns")
	repeated := at(t, "2010-11-07T02:31:30Z") // the wall went from Sunday 00:01 back to Saturday 23:01
	require.Equal(t, 6, repeated.In(stJohns).Day())
	require.Equal(t, date(t, "2010-11-07"), sla.DateAt(repeated, stJohns))
}

func TestDatesAreReadStrictly(t *testing.T) {
	for _, bad := range []string{"", "2026-02-30", "2026-2-3", "31.03.2026", "0000-01-01", "2026-03-31T00:00:00Z"} {
		var d sla.LocalDate
		require.Error(t, d.UnmarshalText([]byte(bad)), "%q", bad)
	}
	_, err := json.Marshal(sla.LocalDate{Year: 2026, Month: 2, Day: 30})
	require.ErrorContains(t, err, "no such day")
	_, err = json.Marshal(sla.LocalDate{Year: 10000, Month: 1, Day: 1})
	require.ErrorContains(t, err, "years 1 and 9999")
}

func TestDateArithmetic(t *testing.T) {
	leap := date(t, "2028-02-28")
	require.Equal(t, date(t, "2028-02-29"), leap.AddDays(1))
	require.Equal(t, date(t, "2028-03-01"), leap.AddDays(2))
	require.Equal(t, 366, date(t, "2028-01-01").DaysUntil(date(t, "2029-01-01")))
	require.Equal(t, time.Tuesday, date(t, "2028-02-29").Weekday())
}

func TestDatePropertiesInEveryZone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		loc := zone(t, rapid.SampledFrom(zoneNames).Draw(t, "zone"))
		instant := drawInstant(t, "instant")
		d := sla.DateAt(instant, loc)
		require.False(t, d.StartIn(loc).After(instant), "a day does not start after an instant in it")
		require.True(t, d.AddDays(1).StartIn(loc).After(instant), "nor does the next day start before")

		n := rapid.IntRange(-5000, 5000).Draw(t, "days")
		require.Equal(t, n, d.DaysUntil(d.AddDays(n)))
		text, err := d.MarshalText()
		require.NoError(t, err)
		require.Equal(t, d, date(t, string(text)))
	})
}
