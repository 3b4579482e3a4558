package billing_test

import "testing"

func TestParseContractChecksTime(t *testing.T) {
	requireProblems(t, []wrongContract{
		{"time", `
time: {round: sideways, increment: 15m, grace: 15m, increment_scope: week, unstarted: night, failed: maybe}
lines:
  - {clause: T1, name: Support, charge: time, time: {round: nearest, grace: 2m}}
  - {clause: T2, name: Support, match: {types: [a]}, charge: time, time: {increment: 25h}}
`, `
line 8: time.round "sideways" is not known: use up, nearest, down
line 8: time.increment_scope "week" is not known: use entry, ticket, day
line 8: time.unstarted "night" is not a band of this contract: describe it under bands first
line 8: time.failed "maybe" is not known: use cost, bill
line 8: time.grace "15m" is not shorter than the increment: no second increment would ever begin; make grace shorter
line 10: lines[0].time.grace "2m" means nothing with round nearest: leave grace out: only what is rounded up is spared by it
line 11: lines[1].time.increment "25h" is out of bounds: use 0 ms to 24 h
`},
		{"time without an increment", `
time: {round: up, grace: 2m, increment_scope: ticket}
lines: [{clause: T1, name: Support, charge: time}]
`, `
line 8: time.round "up" means nothing without an increment: set increment, or leave round out
line 8: time.increment_scope "ticket" means nothing without an increment: set increment, or leave increment_scope out
line 8: time.grace "2m" means nothing without an increment: set increment, or leave grace out
`},
		{"bands", `
bands:
  - {name: standard, days: [weekdays], multiplier: 1}
  - name: evening
    zone: Europe/Atlantis
    days: [weekdays, monday, someday]
    hours: ["17:00-24:00", "23:00-24:00", "18:00-8:00", "22:00-06:00", "09:00-09:00", "23:00-24:30"]
    dates: [2026-02-30, 2026-12-25, 2026-12-25]
    except: [2026-12-25]
    multiplier: 100.01
    call_out: -5
    clause: A 1
  - {name: Evening, days: [], hours: []}
  - {name: "a b", hours: ["08:00-09:00"], multiplier: -1}
  - {name: night, dates: [], multiplier: 2}
  - {name: unused, days: [weekend]}
  - {name: holiday, dates: [2026-12-26], hours: ["08:00-09:00"], multiplier: 2}
premium: {several: most, on: both}
rates:
  - {band: nigth, hourly: 100}
  - {band: standard, hourly: 100}
  - {band: night, hourly: 100}
  - {actor: human, band: night, hourly: 120}
lines: [{clause: T1, name: Support, charge: time, match: {bands: [standard, dawn]}, time: {unstarted: night}}]
`, `
line 9: bands[0].name "standard" is the name of all time outside bands: choose another name
line 18: bands[1].clause "A 1" is not a clause: number it as the paper contract does, like A1 or §4.2, without spaces and slashes
line 11: bands[1].zone "Europe/Atlantis" is not a time zone: use the client's IANA zone, like Europe/Amsterdam
line 12: bands[1].days[1] "monday" is there twice: name every day once
line 12: bands[1].days[2] "someday" is not known: use monday, tuesday, wednesday, thursday, friday, saturday, sunday, weekdays, weekend
line 13: bands[1].hours[1] "23:00-24:00" overlaps with other hours of the band: join them
line 13: bands[1].hours[2] "18:00-8:00" is not a part of a day: write it like 17:00-24:00, by the wall clock; the end is the first minute that is no longer meant
line 13: bands[1].hours[3] "22:00-06:00" ends before it begins: for a night write 22:00-24:00 and 00:00-06:00 as two
line 13: bands[1].hours[4] "09:00-09:00" is empty: all of the day is 00:00-24:00
line 13: bands[1].hours[5] "23:00-24:30" is not a part of a day: write it like 17:00-24:00, by the wall clock; the end is the first minute that is no longer meant
line 14: bands[1].dates[0] "2026-02-30" is not a date: write it like 2026-01-31
line 14: bands[1].dates[2] "2026-12-25" is there twice: keep one of them
line 15: bands[1].except[0] "2026-12-25" is one of dates too: keep it in one of the two
line 16: bands[1].multiplier "100.01" is not such a multiplier: use 0 to 100; 1.5 is half as much again
line 17: bands[1].call_out "-5" is negative: credits are not written as negative prices
line 19: bands[2].name "Evening" is the name of bands[1] too: give every band a name of its own
line 19: bands[2].days is an empty list: name days, or leave the list out and give dates
line 19: bands[2].hours is an empty list: give hours like 17:00-24:00, or leave the list out for all of the day
line 20: bands[3].name "a b" is not a name of a band: use 1 to 64 letters, digits, dots, dashes and underscores, like SH-1
line 20: bands[3].days is missing: say on which days the band applies (weekdays, weekend, monday …), or give dates
line 20: bands[3].multiplier "-1" is not such a multiplier: use 0 to 100; 1.5 is half as much again
line 21: bands[4].dates is an empty list: give dates like 2026-12-25, or leave the list out
line 22: bands[5] changes nothing: give it a multiplier or a call_out, or name it in the rate card or in a line's match
line 23: bands[6].hours "08:00-09:00" are of no day: name the days; dates are meant all day long
line 24: premium.several "most" is not known: use highest, add
line 24: premium.on "both" is not known: use rate, minutes
line 26: rates[0].band "nigth" is not a band of this contract: use standard, evening, Evening, night, unused or holiday, or describe it under bands
line 27: rates[1].band "standard" is no band: leave it out: a row without a band is the rate outside all of them
line 29: rates[3] speaks of the same work as rates[2]: keep one of the two rows
line 30: lines[0].match.bands[1] "dawn" is not a band of this contract: use standard, evening, Evening, night, unused, holiday or standard, or describe it under bands
line 30: lines[0].time.unstarted "night" means nothing on a line: set it under time of the contract: its band is known before its line
`},
		{"premium without a multiplier", `
bands: [{name: night, days: [weekdays], call_out: 50}]
premium: {on: rate}
lines: [{clause: T1, name: Support, charge: time}]
`, `
line 9: premium means nothing without a band that has a multiplier: give a band a multiplier, or leave premium out
`},
	})
}
