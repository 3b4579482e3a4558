package sla_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/sla"
)

const berlinOffice = `schema: docket.calendar/v1
calendar: berlin-office
name: Berlin office
zone: Europe/Berlin
hours:
  weekdays: ["08:00-12:00", "13:00-17:00"]
  saturday: ["09:00-12:00"]
holidays:
  - {date: 2026-12-24, name: Heiligabend, windows: ["12:00-24:00"]}
  - {every: 12-25, name: Weihnachten}
  - {every: easter-2, name: Karfreitag}
  - {every: 02-29, name: Schalttag}
`

func TestParseCalendar(t *testing.T) {
	d, err := sla.ParseCalendar([]byte(berlinOffice))
	require.NoError(t, err)
	require.Equal(t, "berlin-office", d.ID)
	require.NoError(t, d.Calendar.Validate())
	for _, c := range []struct{ name, from, to, want string }{
		{"a Tuesday", "2026-03-10T00:00:00Z", "2026-03-10T23:00:00Z", "8h0m0s"},
		{"a Saturday", "2026-03-14T00:00:00Z", "2026-03-14T23:00:00Z", "3h0m0s"},
		{"the afternoon of Christmas Eve is off", "2026-12-23T23:00:00Z", "2026-12-24T23:00:00Z", "4h0m0s"},
		{"Christmas, every year", "2031-12-24T23:00:00Z", "2031-12-25T23:00:00Z", "0s"},
		{"Good Friday of 2026 is 3 April", "2026-04-02T22:00:00Z", "2026-04-03T22:00:00Z", "0s"},
		{"Good Friday of 2027 is 26 March", "2027-03-25T23:00:00Z", "2027-03-26T23:00:00Z", "0s"},
		{"29 February", "2028-02-28T23:00:00Z", "2028-02-29T23:00:00Z", "0s"},
		{"28 February of a year without", "2029-02-27T23:00:00Z", "2029-02-28T23:00:00Z", "8h0m0s"},
		{"1 March of a year without", "2029-02-28T23:00:00Z", "2029-03-01T23:00:00Z", "8h0m0s"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := d.Calendar.Between(at(t, c.from), at(t, c.to))
			require.NoError(t, err)
			require.Equal(t, c.want, got.String())
		})
	}
}

func TestEasterAndWeekdaysOfMonths(t *testing.T) {
	for _, c := range []struct{ every, day string }{
		{"easter", "2024-03-31"},
		{"easter", "2025-04-20"},
		{"easter+1", "2026-04-06"},
		{"easter+39", "2038-06-03"},
		{"4th thursday of november", "2026-11-26"},
		{"last monday of may", "2027-05-31"},
		{"1st monday of september", "2026-09-07"},
		{"last friday of february", "2028-02-25"},
	} {
		c := struct{ every, day string }{c.every, c.day}
		t.Run(c.every+" "+c.day, func(t *testing.T) {
			calendar := sla.AlwaysOpen("UTC")
			calendar.Recurring = []sla.Recurring{{Every: c.every}}
			start := date(t, c.day).StartIn(zone(t, "UTC"))
			closed, err := calendar.Between(start, start.AddDate(0, 0, 1))
			require.NoError(t, err)
			require.Zero(t, closed)
			around, err := calendar.Between(start.AddDate(0, 0, -1), start.AddDate(0, 0, 2))
			require.NoError(t, err)
			require.Equal(t, "48h0m0s", around.String(), "and no day beside it")
		})
	}
}

// Every mistake at once, each with its line and what to write instead.
func TestParseCalendarNamesEveryMistake(t *testing.T) {
	for _, c := range []struct{ name, doc, want string }{
		{"empty", "", "line 1: document is empty: begin with `schema: docket.calendar/v1`; docs/sla.md shows whole calendars"},
		{"no fields", "- a", "line 1: document is not a list of fields: begin with `schema: docket.calendar/v1`; docs/sla.md shows whole calendars"},
		{"all missing", "name: x", `
line 1: schema is missing: begin with ` + "`schema: docket.calendar/v1`" + `; docs/sla.md shows whole calendars
line 1: calendar is missing: give it the id by which contracts name it
line 1: zone is missing: name the IANA time zone whose wall clock the hours follow, such as Europe/Berlin
line 1: hours is missing: give at least one weekday its windows, such as ` + "`weekdays: [\"08:00-17:00\"]`"},
		{
			"without hours", "schema: docket.calendar/v1\ncalendar: a\nname: x\nzone: UTC\nhours: {}\n",
			"line 5: hours has none, so nothing would ever be due: give at least one weekday its windows",
		},
		{"everything else", `schema: docket.calendar/v2
calendar: Büro
name: x
zone: Europe/Bielefeld
hours:
  weekdays: ["08:00-12:00", "11:00-17:00"]
  monday: ["08:00-12:00"]
  saturday: ["17:00-08:00", "9-5"]
  funday: []
holidays:
  - {date: 2026-02-30, name: Nie}
  - {every: 02-30}
  - {every: 6th monday of may}
  - {date: 2026-12-25}
  - {date: 2026-12-25}
  - {date: 2026-12-26, every: 12-26}
  - {name: Irgendwann}
`, `
line 1: schema "docket.calendar/v2" is not known: write docket.calendar/v1
line 2: calendar "Büro" is not an id: use 1 to 63 lower-case letters, digits and hyphens; 24x7 is built in
line 4: zone "Europe/Bielefeld" is not a time zone: use a name of the IANA database, such as America/New_York
line 6: hours.weekdays has windows 08:00-12:00 and 11:00-17:00 overlap: join them
line 7: hours.monday gives Monday hours that line 6 gave it: say them once
line 8: hours.saturday[0] has window 17:00-08:00: it ends before it starts: for a night write 00:00-08:00, and 17:00-24:00 on the day before
line 8: hours.saturday[1] "9-5" is not a window: write it as "08:00-17:00", in quotes
line 9: hours.funday is not a field here: use every_day, friday, monday, saturday, sunday, thursday, tuesday, wednesday, weekdays, weekend
line 11: holidays[0].date "2026-02-30" is no day of the calendar: write a day that exists as YYYY-MM-DD, such as 2026-12-24
line 12: holidays[1].every "02-30" is no day of any year: write 12-25, 4th thursday of november, last monday of may, or easter-2
line 13: holidays[2].every "6th monday of may" is no day of any year: write 12-25, 4th thursday of november, last monday of may, or easter-2
line 15: holidays[4] is the day of line 14 again: keep one, with all its windows
line 16: holidays[5] has a date and a rule: keep one of date and every
line 17: holidays[6] has no day: give it a date, or say ` + "`every: 12-25`"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := sla.ParseCalendar([]byte(c.doc))
			var says []string
			for _, p := range sla.Problems(err) {
				says = append(says, p.Error())
			}
			require.Equal(t, strings.Split(strings.TrimSpace(c.want), "\n"), says)
		})
	}
}
