package billing_test

import "testing"

func TestParseContractChecksCredits(t *testing.T) {
	requireProblems(t, []wrongContract{
		{"SLA clocks", `
lines: [{clause: T1, name: Support, charge: time}]
sla:
  calendar: 24x7
  targets:
    1: {response: 1h, resolution: 4h, calendar: "around the clock"}
    2: {response: 1h, resolution: 4h, calendar: office}
  warn_percent: 0
  pauses_on: [customer, weather, customer]
  escalation: {after: 1s, reroute: false}
`, `
line 14: sla.warn_percent "0" is out of bounds: use 1 to 100
line 15: sla.pauses_on[2] "customer" is there twice: keep one of them
line 15: sla.pauses_on[1] "weather" is not known: use customer, vendor, part, approval
line 16: sla.escalation.after "1s" is out of bounds: use 1 min to 8760 h
line 12: sla.targets.1.calendar "around the clock" is not a calendar: use 24x7 or the id of a calendar, or leave it out for the SLA's own
`},
		{"SLA", `
lines: [{clause: T1, name: Support, charge: time}]
sla:
  calendar: 24x7
  targets:
    1: {response: 1h, resolution: 4h, allotment: 5h}
    2: {response: 1h, resolution: 4h, allotment: x}
  credits: {response_percent: 101, both: some, base: profit, cap_percent: -1, floor: none}
`, `
line 12: sla.targets.1.allotment "5h" is longer than the resolution target: make it no longer: who misses a target earns nobody a credit for speed
line 12: sla.targets.1.allotment "5h" earns nothing without sla.credits.fast_hourly: say what an hour less is worth, or leave allotment out
line 13: sla.targets.2.allotment "x" is not a length of time: write it like 15m, 1h30m or 72h
line 13: sla.targets.2.allotment "x" earns nothing without sla.credits.fast_hourly: say what an hour less is worth, or leave allotment out
line 14: sla.credits.clause is missing: number it as the paper contract does, like A1 or §4.2, without spaces and slashes
line 14: sla.credits.response_percent "101" is not such a percentage: use 0 to 100, without a percent sign
line 14: sla.credits.both "some" is not known: use higher, both
line 14: sla.credits.base "profit" is not known: use fee, ticket
line 14: sla.credits.cap_percent "-1" is not such a percentage: use 0 to 100, without a percent sign
line 14: sla.credits.floor "none" is not known: use fee, ticket
line 14: sla.credits.cap_percent is measured by a fee that no line has: leave cap_percent out, or add a line whose price of a period depends on no count
`},
		{"credits", `
lines: [{clause: T1, name: Support, charge: time}]
sla:
  calendar: 24x7
  targets: {1: {response: 1h, resolution: 4h}}
  credits: {clause: S1, fast_hourly: 20, both: both, base: fee, cap_percent: 20}
`, `
line 12: sla.credits.both "both" means nothing without both percentages: set response_percent and resolution_percent, or leave both out
line 12: sla.credits.fast_hourly means nothing without an allotment: give a target its allotment, or leave fast_hourly out
line 12: sla.credits.cap_percent is measured by a fee that no line has: leave cap_percent out, or add a line whose price of a period depends on no count
`},
		{"credits that promise nothing", `
lines: [{clause: F1, name: Fee, charge: flat, price: 5}]
sla:
  calendar: 24x7
  targets: {1: {response: 1h, resolution: 4h, allotment: 2h}}
  credits: {clause: S1}
`, `
line 11: sla.targets.1.allotment "2h" earns nothing without sla.credits.fast_hourly: say what an hour less is worth, or leave allotment out
line 12: sla.credits promise nothing: set response_percent, resolution_percent or fast_hourly, or leave credits out
`},
	})
}
