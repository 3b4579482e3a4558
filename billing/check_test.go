package billing_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestParseContractChecksEveryConcept provokes every check of the document once, those of a
// concept together: each is reported with its line and its fix, all at once.
func TestParseContractChecksEveryConcept(t *testing.T) {
	for _, c := range []struct{ name, body, want string }{
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
		{"lines", `
lines:
  - {clause: A1, name: a, charge: time, when: advance, prorate: days, block: {}, bucket: {included: 1h}, retainer: 5, usage: {event: closure, model: unit, price: 1}, count: {of: x}}
  - {clause: A2, name: b, charge: covered, match: {types: [a]}, cap: 5, discount: {percent: 5}, time: {increment: 6m}}
  - {clause: A3, name: c, charge: not-billable, match: {types: [b]}, tax_category: "a b", accounting: {}}
  - {clause: A4, name: d, charge: flat, match: {types: [c]}, except: {types: [d]}, when: never, prorate: weeks}
  - {clause: A5, name: e, charge: time, match: {types: [c]}, except: {}, discount: {until: 2026-01-01}, cap: -1}
  - {clause: A6, name: f, charge: time, match: {types: [d]}, discount: {percent: 101, amount: -1, until: soon}}
  - {clause: A7, name: g, charge: per-ticket, price: 5, match: {types: [e], bands: [standard]}, except: {bands: [standard]}}
  - {clause: A8, name: h, charge: retainer, retainer: 0, when: advance, match: {types: [f]}, accounting: {defer: later}}
  - {clause: A9, name: i, charge: bucket, prorate: no, match: {types: [g]}}
  - {clause: A10, name: j, charge: retainer, match: {types: [h]}}
  - {clause: A11, name: k, charge: usage}
  - {clause: A12, name: l, charge: per-ticket, price: 5, match: {types: [i]}, discount: {amount: 1}}
  - {clause: A13, name: m, charge: usage, usage: {event: x, model: unit, price: 5}, discount: {amount: 1}}
  - {clause: A14, name: n, charge: time, match: {types: [j]}, time: {scope: day}, discount: {amount: 1}}
`, `
line 9: lines[0].block means nothing with charge time: remove it, or charge block
line 9: lines[0].bucket means nothing with charge time: remove it, or charge bucket
line 9: lines[0].retainer means nothing with charge time: remove it, or charge retainer
line 9: lines[0].usage means nothing with charge time: remove it, or charge usage
line 9: lines[0].count means nothing with charge time: remove it, or charge per-device or per-seat
line 9: lines[0].when "advance" means nothing with charge time: remove it, or charge flat, per-device, per-seat, bucket or retainer
line 9: lines[0].prorate "days" means nothing with charge time: remove it, or charge flat, per-device, per-seat, bucket or retainer
line 10: lines[1].cap means nothing with charge covered: remove it
line 10: lines[1].discount means nothing with charge covered: remove it
line 10: lines[1].time means nothing with charge covered: remove it: this charge does not bill time
line 11: lines[2].tax_category means nothing with charge not-billable: remove it
line 11: lines[2].accounting means nothing with charge not-billable: remove it
line 11: lines[2].tax_category "a b" is not an id: use 1 to 64 letters, digits, dots, dashes and underscores, like SH-1
line 12: lines[3].match means nothing with charge flat: remove it
line 12: lines[3].except means nothing with charge flat: remove it
line 12: lines[3].when "never" is not known: use advance, arrears
line 12: lines[3].prorate "weeks" is not known: use days, no
line 12: lines[3].price is missing: give the price of a period, like 500.00
line 13: lines[4].except is empty, so that it excepts all work: name what the line does not speak of, or leave except out
line 13: lines[4].discount lowers nothing: set percent or amount, or leave discount out
line 13: lines[4].discount.until "2026-01-01" is not after effective_from: the discount would never apply; give the first day without it
line 13: lines[4].cap "-1" is negative: credits are not written as negative prices
line 14: lines[5].discount.percent "101" is not such a percentage: use 0 to 100, without a percent sign
line 14: lines[5].discount.amount "-1" is negative: credits are not written as negative prices
line 14: lines[5].discount.until "soon" is not a date: write it like 2026-01-31
line 15: lines[6].match.bands "standard" mean nothing with charge per-ticket: remove them: only work has bands
line 15: lines[6].except.bands "standard" mean nothing with charge per-ticket: remove them: only work has bands
line 16: lines[7].when "advance" means nothing without a price: give the price of a period, or remove it
line 16: lines[7].retainer "0" is nothing: give the money of a period that pays for work, like 1000.00
line 16: lines[7].accounting.defer "later" is not known: use no, straight-line, as-used
line 17: lines[8].prorate "no" means nothing without a price: give the price of a period, or remove it
line 17: lines[8].bucket is missing: say what a period grants, like {included: 10h}
line 18: lines[9].retainer is missing: give the money of a period that pays for work, like 1000.00
line 19: lines[10].usage is missing: say which event is priced and how, like {event: closure, model: unit, price: 4.00}
line 20: lines[11].discount.amount means nothing where tickets have a price: use percent: only a charge that stands for itself can be lowered by an amount
line 21: lines[12].discount.amount means nothing where a period's use adds up: use percent: only a charge that stands for itself can be lowered by an amount
line 22: lines[13].discount.amount means nothing where a day's time adds up: use percent: only a charge that stands for itself can be lowered by an amount
`},
		{"lines that can never apply", `
lines:
  - {clause: A1, name: a, charge: covered, match: {categories: [Email, Printer], actors: [ai]}}
  - {clause: A2, name: b, charge: time, match: {categories: [email]}}
  - {clause: A3, name: c, charge: time, match: {categories: [printer], actors: [ai]}}
  - {clause: A4, name: d, charge: time}
  - {clause: A5, name: e, charge: covered}
  - {clause: F1, name: f, charge: flat, price: 5}
  - {clause: F2, name: g, charge: flat, price: 5}
`, `
line 11: lines[2] can never apply: lines[0] speaks of the same work first: remove it, or let its match say more
line 13: lines[4] can never apply: lines[3] speaks of the same work first: remove it, or let its match say more
`},
		{"blocks and buckets", `
lines:
  - {clause: B1, name: a, charge: block, match: {types: [a]}, block: {unpaid: never, grace_days: -1, overdraw: 20000h, reorder_at: 1s, renewal: {expires_days: 4000}}}
  - {clause: B2, name: b, charge: bucket, match: {types: [b]}, bucket: {first: last, rollover: x}, overage: lots}
  - {clause: B3, name: c, charge: bucket, match: {types: [c]}, bucket: {included: 0s, first: base}}
`, `
line 9: lines[0].block.unpaid "never" is not known: use usable, hold
line 9: lines[0].block.grace_days "-1" is out of bounds: use 0 to 366
line 9: lines[0].block.overdraw "20000h" is out of bounds: use 1 min to 10000 h
line 9: lines[0].block.reorder_at "1s" is out of bounds: use 1 min to 10000 h
line 9: lines[0].block.overdraw "20000h" means nothing beside renewal: keep one of the two: a block that is renewed is never overdrawn
line 9: lines[0].block.renewal.hours is missing: give the hours of the block that is bought, like 10h
line 9: lines[0].block.renewal.price is missing: give the price of the block that is bought, like 1200.00
line 9: lines[0].block.renewal.expires_days "4000" is out of bounds: use 0 to 3660
line 10: lines[1].overage "lots" is not a way to charge overage: use rate-card, hold, or the price of an hour like 140.00
line 10: lines[1].bucket.included is missing: give the hours of a period, like 10h
line 10: lines[1].bucket.rollover "x" is not a length of time: write it like 15m, 1h30m or 72h
line 10: lines[1].bucket.first "last" is not known: use base, rolled
line 11: lines[2].bucket.included "0s" is out of bounds: use 1 min to 10000 h
`},
		{"usage", `
lines:
  - {clause: U1, name: a, charge: usage, usage: {event: a b, model: cheap}}
  - {clause: U2, name: b, charge: usage, usage: {model: unit, tiers: [{unit: 1}], zero_flat: true, round: often}}
  - {clause: U3, name: c, charge: usage, usage: {event: x, model: package, size: 0, round: up, free: -1, included: -1, minimum: -1, divide_by: 0}}
  - {clause: U4, name: d, charge: usage, usage: {event: closure, model: percentage, percentage: {percent: 101, fixed: -1, min: 5, max: 2, free_events: -1, free_value: -1}, free: 5}}
  - {clause: U5, name: e, charge: usage, usage: {event: x, model: percentage, percentage: {fixed: 1}}}
  - {clause: U6, name: f, charge: usage, usage: {event: x, model: percentage}}
  - {clause: U7, name: g, charge: usage, usage: {event: x, model: graduated}}
  - clause: U8
    name: h
    charge: usage
    usage: {event: x, model: volume, tiers: [{up_to: 10, unit: -1}, {unit: 1, percent: 5}, {up_to: 5, flat: -1}]}
  - {clause: U9, name: i, charge: usage, usage: {event: x, model: graduated, tiers: [{up_to: 10, unit: 1}, {percent: 5, unit: 2}]}}
  - {clause: U10, name: j, charge: usage, usage: {event: closure, model: graduated, tiers: [{up_to: 10, percent: 1}, {up_to: 10, percent: 101}, {}]}}
  - {clause: U11, name: k, charge: usage, usage: {event: x, model: graduated, tiers: []}}
`, `
line 9: lines[0].usage.event "a b" is not the name of an event: use closure, or the name under which the event is recorded, like device-added
line 9: lines[0].usage.model "cheap" is not known: use unit, graduated, volume, package, percentage
line 10: lines[1].usage.event is missing: use closure, or the name under which the event is recorded, like device-added
line 10: lines[1].usage.round "often" is not known: use no, up, nearest, down
line 10: lines[1].usage.price is missing: give the price of one, like 4.00
line 10: lines[1].usage.tiers means nothing with model unit: remove it, or choose the model graduated or volume
line 10: lines[1].usage.zero_flat means nothing with model unit: remove it, or choose the model graduated or volume
line 11: lines[2].usage.free "-1" is negative: give how many units it is
line 11: lines[2].usage.divide_by "0" is none: give how many units it is
line 11: lines[2].usage.included "-1" is negative: give how many units it is
line 11: lines[2].usage.minimum "-1" is negative: give how many units it is
line 11: lines[2].usage.size "0" is none: give how many units it is
line 11: lines[2].usage.price is missing: give the price of one, like 4.00
line 11: lines[2].usage.round means nothing with model package: remove it, or choose the model unit, graduated or volume
line 12: lines[3].usage.percentage.percent "101" is not such a percentage: use 0 to 100, without a percent sign
line 12: lines[3].usage.percentage.fixed "-1" is negative: credits are not written as negative prices
line 12: lines[3].usage.percentage.min "5" is more than max: make min no more than max
line 12: lines[3].usage.percentage.free_events "-1" is out of bounds: use 0 to 1000000
line 12: lines[3].usage.percentage.free_value "-1" is negative: give how many units it is
line 12: lines[3].usage.free means nothing with model percentage: remove it, or choose the model unit, graduated, volume or package
line 12: lines[3].usage.event "closure" has no value to take a percentage of: price an event that is recorded with its value, or choose another model
line 13: lines[4].usage.percentage.percent is missing: give the percentage of the value, like 2.5 (0 for none)
line 14: lines[5].usage.percentage is missing: give the percentage of each event's value, like {percent: 2.5}
line 15: lines[6].usage.tiers is missing: give the steps, like [{up_to: 100, unit: 2.00}, {unit: 1.50}]
line 19: lines[7].usage.tiers[0].unit "-1" is negative: credits are not written as negative prices
line 19: lines[7].usage.tiers[1].up_to is missing: say to which unit the tier reaches; only the last one is without end
line 19: lines[7].usage.tiers[1].percent "5" means nothing here: give unit or flat; percentages go with usage and the model graduated
line 19: lines[7].usage.tiers[2].up_to "5" ends the last tier: add one without up_to, which says what is beyond
line 19: lines[7].usage.tiers[2].flat "-1" is negative: credits are not written as negative prices
line 20: lines[8].usage.tiers[1].unit "2" means nothing beside percent: keep one of the two
line 20: lines[8].usage.tiers[1] is not of the same kind as lines[8].usage.tiers[0]: price every tier by unit, or every one by percent
line 21: lines[9].usage.tiers[1].up_to "10" is not more than that of the tier before: list the tiers from the first unit on
line 21: lines[9].usage.tiers[1].percent "101" is not such a percentage: use 0 to 100, without a percent sign
line 21: lines[9].usage.event "closure" has no value to take a percentage of: price an event that is recorded with its value, or choose another model
line 22: lines[10].usage.tiers is an empty list: give the steps, like [{up_to: 100, unit: 2.00}, {unit: 1.50}]
`},
		{"devices and seats", `
lines:
  - {clause: D1, name: a, charge: per-device, price: 5}
  - {clause: D2, name: b, charge: per-device, price: 5, count: {}}
  - {clause: D3, name: c, charge: per-device, count: {of: a b, take: all, floor: -1, included: 1000001, fewer: some, model: package}}
  - {clause: D4, name: d, charge: per-seat, price: 5, count: {tiers: [{percent: 5}], fewer: at-renewal}}
  - {clause: D5, name: e, charge: per-seat, price: 5, when: arrears, count: {fewer: credit}}
  - {clause: D6, name: f, charge: per-seat, price: 5, count: {fixed: 5, of: seat, take: peak, floor: 2, fewer: no}}
  - {clause: D7, name: g, charge: per-seat, price: 5, count: {fixed: 0}}
  - {clause: D8, name: h, charge: per-seat}
  - {clause: D9, name: i, charge: flat}
`, `
line 9: lines[0].count is missing: say which kind of device is counted, like {of: workstation}
line 10: lines[1].count.of is missing: say which kind of device is counted, like workstation, or how many are billed by fixed
line 11: lines[2].price is missing: give the price of one for a period, like 9.50, or count.tiers
line 11: lines[2].count.of "a b" is not an id: use 1 to 64 letters, digits, dots, dashes and underscores, like SH-1
line 11: lines[2].count.take "all" is not known: use snapshot, peak, average
line 11: lines[2].count.floor "-1" is out of bounds: use 0 to 1000000
line 11: lines[2].count.included "1000001" is out of bounds: use 0 to 1000000
line 11: lines[2].count.fewer "some" is not known: use no, credit, at-renewal
line 11: lines[2].count.model "package" is not known: use graduated, volume
line 12: lines[3].price "5" means nothing beside count.tiers: keep one of the two
line 12: lines[3].count.tiers[0].percent "5" means nothing here: give unit or flat; percentages go with usage and the model graduated
line 12: lines[3].count.fewer "at-renewal" means nothing without a term: set term.months, or choose no or credit
line 13: lines[4].count.fewer "credit" means nothing with when: arrears: remove it: what is billed afterwards needs no correction
line 14: lines[5].count.of means nothing beside fixed: keep one of the two: a fixed number is not counted
line 14: lines[5].count.take means nothing beside fixed: keep one of the two: a fixed number is not counted
line 14: lines[5].count.floor means nothing beside fixed: keep one of the two: a fixed number is not counted
line 14: lines[5].count.fewer means nothing beside fixed: keep one of the two: a fixed number is not counted
line 15: lines[6].count.fixed "0" is out of bounds: use 1 to 1000000
line 16: lines[7].price is missing: give the price of one for a period, like 9.50, or count.tiers
line 17: lines[8].price is missing: give the price of a period, like 500.00
`},
		{"a fallback contract", `
fallback: true
lines:
  - {clause: T1, name: Support, charge: time}
  - {clause: F1, name: Fee, charge: flat, price: 5}
commitment: {clause: C1, name: Minimum, amount: 5}
`, `
line 11: lines[1].charge "flat" has no place in a fallback contract: put what is billed every period into a contract of its own: a fallback contract governs only while no other is in force
line 12: commitment has no place in a fallback contract: put what is billed every period into a contract of its own: a fallback contract governs only while no other is in force
`},
		{"term", `
billing: {period: weekly, anchor: 29, first_month: 13, payment_days: 400, negative: ignore}
term: {months: 601, since: 2026-01-02, renews: never, renewal_months: 0, notice_days: -1, uplift_percent: 101, cancelled_on: 2026-06-01, termination_fee: -5}
payer: a b
tax: a b
reopen: never
rounding_of: month
pauses:
  - {from: 2025-12-01, to: 2026-02-01, fee: half, work: none}
  - {from: 2026-03-01, to: 2026-03-01}
  - {from: 2026-02-15, to: 2026-04-01}
  - {from: soon}
commitment: {amount: 0, prorate: weeks}
warranty: {days: 3651}
lines: [{clause: T1, name: Support, charge: time}]
`, `
line 13: rounding_of "month" is not known: use line, ticket
line 12: reopen "never" is not known: use reverse, keep
line 10: payer "a b" is not an id: use 1 to 64 letters, digits, dots, dashes and underscores, like SH-1
line 11: tax "a b" is not an id: use 1 to 64 letters, digits, dots, dashes and underscores, like SH-1
line 8: billing.period "weekly" is not known: use monthly, quarterly, semiannual, yearly
line 8: billing.anchor "29" is out of bounds: use 1 to 28
line 8: billing.first_month "13" is out of bounds: use 1 to 12
line 8: billing.payment_days "400" is out of bounds: use 0 to 366
line 8: billing.negative "ignore" is not known: use carry, credit-note
line 9: term.months "601" is out of bounds: use 1 to 600
line 9: term.renews "never" is not known: use auto, ask, no
line 9: term.renewal_months "0" is out of bounds: use 1 to 600
line 9: term.notice_days "-1" is out of bounds: use 0 to 3660
line 9: term.uplift_percent "101" is not such a percentage: use 0 to 100, without a percent sign
line 9: term.termination_fee "-5" is negative: credits are not written as negative prices
line 9: term.since "2026-01-02" is after effective_from: give the first day of the first term, or leave it out: a term begins with effective_from
line 9: term.cancelled_on "2026-06-01" ends nothing without effective_to: give effective_to, the first day that the contract no longer covers
line 15: pauses[0].fee "half" is not known: use waive, bill
line 15: pauses[0].work "none" is not known: use hold, time
line 15: pauses[0].from "2025-12-01" is before effective_from: pause a contract only while it is in force
line 16: pauses[1].to "2026-03-01" is not after from: give the first day on which the contract runs again
line 17: pauses[2].from "2026-02-15" is before the end of pauses[1]: list the pauses by date, none within another
line 18: pauses[3].from "soon" is not a date: write it like 2026-01-31
line 18: pauses[3].to is missing: write it like 2026-01-31
line 19: commitment.clause is missing: number it as the paper contract does, like A1 or §4.2, without spaces and slashes
line 19: commitment.name is missing: say what the invoice line shall be called
line 19: commitment.amount "0" is nothing: give the least that a period bills, like 1000.00
line 19: commitment.prorate "weeks" is not known: use days, no
line 20: warranty.days "3651" is out of bounds: use 1 to 3650
`},
		{"a term that ends", `
effective_to: 2026-07-01
billing: {first_month: 4}
term: {months: 12, renews: no, renewal_months: 12, uplift_percent: 3, notice_days: 60, cancelled_on: 2026-06-01}
pauses: [{from: 2026-06-01, to: 2026-08-01}]
warranty: {}
lines: [{clause: T1, name: Support, charge: time}]
`, `
line 9: billing.first_month "4" means nothing with monthly periods: choose a longer period, or leave first_month out
line 10: term.renewal_months means nothing with renews: no: remove it: there is no further term
line 10: term.uplift_percent means nothing with renews: no: remove it: there is no further term
line 10: term.cancelled_on "2026-06-01" is less than 60 days before the contract's end: end it on 2026-07-31 or later, or write the notice_days that were agreed
line 11: pauses[0].to "2026-08-01" is after effective_to: pause a contract only while it is in force
line 12: warranty.days is missing: give the days after a ticket's resolution in which rework of it is free
`},
		{"a term without an end", `
effective_to: 2026-07-01
term: {since: 2025-01-01, renews: auto, renewal_months: 12, uplift_percent: 3, termination_fee: 5, cancelled_on: 2026-07-02}
lines: [{clause: T1, name: Support, charge: time}]
`, `
line 9: term.since means nothing without months: say how long the term is, or leave it out
line 9: term.renews means nothing without months: say how long the term is, or leave it out
line 9: term.renewal_months means nothing without months: say how long the term is, or leave it out
line 9: term.uplift_percent means nothing without months: say how long the term is, or leave it out
line 9: term.termination_fee means nothing without months: say how long the term is, or leave it out
line 9: term.cancelled_on "2026-07-02" is after the contract's end: give the day of the notice, no later than effective_to
`},
		{"guards", `
purchase_order: {used_up: ignore}
listed: {devices: [a, A], users: ["a b", x, x], unlisted: add, add: T1}
callers: {people: [], others: ignore}
approval: {hourly_over: -1, categories: [], actors: [robot], approvers: [P-1]}
not_to_exceed: {amount: 0, rest: forget, clause: a b}
project: {amount_over: -1, time_over: 1s, categories: [a, a]}
expected: {amount_over: -1, time_over: x, tickets: 0}
lines: [{clause: T1, name: Support, charge: time}]
`, `
line 8: purchase_order.number is missing: give the number of the client's order
line 8: purchase_order.limit is missing: give what the order is good for, net, like 5000.00
line 8: purchase_order.used_up "ignore" is not known: use warn, hold
line 9: listed.devices[1] "A" is there twice: keep one of them
line 9: listed.users[0] "a b" is not a person's id: use 1 to 64 letters, digits, dots, dashes and underscores, like SH-1
line 9: listed.users[2] "x" is there twice: keep one of them
line 9: listed.add "T1" is not the clause of a per-device or per-seat line with a price: give that of one, or add the line
line 10: callers.people is missing: name at least one person of the client who may order work
line 10: callers.others "ignore" is not known: use hold, bill
line 11: approval.hourly_over "-1" is negative: credits are not written as negative prices
line 11: approval.categories is an empty list: name categories of tickets, or leave the list out
line 11: approval.actors[0] "robot" is not known: use human, ai
line 12: not_to_exceed.clause "a b" is not a clause: number it as the paper contract does, like A1 or §4.2, without spaces and slashes
line 12: not_to_exceed.amount "0" is nothing: give the most that a ticket may cost, like 500.00
line 12: not_to_exceed.rest "forget" is not known: use hold, write-off
line 13: project.amount_over "-1" is negative: credits are not written as negative prices
line 13: project.time_over "1s" is out of bounds: use 1 min to 1000 h
line 13: project.categories[1] "a" is there twice: keep one of them
line 14: expected.amount_over "-1" is negative: credits are not written as negative prices
line 14: expected.time_over "x" is not a length of time: write it like 15m, 1h30m or 72h
line 14: expected.tickets "0" is out of bounds: use 1 to 1000000
`},
		{"guards that guard nothing", `
purchase_order: {number: PO-1, limit: 0}
listed: {add: T1}
callers: {}
approval: {approvers: [P-1]}
not_to_exceed: {}
project: {}
expected: {}
lines: [{clause: T1, name: Support, charge: time}]
`, `
line 8: purchase_order.limit "0" is nothing: give what the order is good for, net, like 5000.00
line 9: listed lists nothing: name devices or users, or leave listed out
line 9: listed.add "T1" means nothing without unlisted: add: write unlisted: add, or leave add out
line 10: callers.people is missing: name at least one person of the client who may order work
line 11: approval has no threshold: set amount_over, time_over, hourly_over, categories or actors, or leave approval out
line 12: not_to_exceed.amount is missing: give the most that a ticket may cost, like 500.00
line 13: project has no limit: set amount_over, time_over or categories, or leave project out
line 14: expected has no limit: set amount_over, time_over, tickets, attempts or history, or leave expected out
`},
		{"listed without add", `
listed: {users: [x], unlisted: add}
lines: [{clause: T1, name: Support, charge: time}]
`, `
line 8: listed.add is missing: give the clause of the per-device or per-seat line that counts one more
`},
		{"materials", `
materials:
  - {clause: M1, name: Parts, kinds: [part, screw, part], markup_percent: 1000.1, tax_category: "a b", accounting: {}}
  - {clause: M1, kinds: [], covered: true, markup_percent: 5}
  - {name: Parts, kinds: [part]}
lines: [{clause: T1, name: Support, charge: time}]
`, `
line 9: materials[0].kinds[2] "part" is there twice: keep one of them
line 9: materials[0].kinds[1] "screw" is not known: use part, licence, expense
line 9: materials[0].markup_percent "1000.1" is not such a percentage: use 0 to 1000, without a percent sign
line 9: materials[0].tax_category "a b" is not an id: use 1 to 64 letters, digits, dots, dashes and underscores, like SH-1
line 9: materials[0].accounting says nothing: set account, item or defer, or leave accounting out
line 10: materials[1].clause "M1" is the clause of materials[0] too: give every row a clause of its own
line 10: materials[1].name is missing: say what the invoice line shall be called
line 10: materials[1].kinds is an empty list: name kinds, or leave the list out for all
line 10: materials[1].markup_percent means nothing with covered: keep one of the two: what is covered costs nothing
line 11: materials[2].clause is missing: number it as the paper contract does, like A1 or §4.2, without spaces and slashes
line 11: materials[2] can never count: materials[0] speaks of the same first: remove it, or move it up
`},
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
		{"names of fields", `
effectiveTo: 2026-07-01
minimum: 15m
tiers: []
colour: red
time: {minimun: 15m}
billing: {perod: yearly}
lines:
  - {clause: T1, name: Support, charge: time, tiers: [], rollover: 5h, currency: EUR, macth: {}}
`, `
line 8: effectiveTo is not a field of a contract: remove it, or write effective_to
line 9: minimum is not a field of a contract: write it below time, where it belongs
line 10: tiers is not a field of a contract: remove it; docs/contracts.md lists the fields
line 11: colour is not a field of a contract: remove it; docs/contracts.md lists the fields
line 12: time.minimun is not a field of a contract: remove it, or write minimum
line 13: billing.perod is not a field of a contract: remove it, or use one of period, anchor, first_month, payment_days, negative
line 15: lines[0].tiers is not a field of a contract: write it below usage or count, where it belongs
line 15: lines[0].rollover is not a field of a contract: write it below bucket, where it belongs
line 15: lines[0].currency is not a field of a contract: write it without indentation: it is a field of the contract itself
line 15: lines[0].macth is not a field of a contract: remove it, or write match
`},
	} {
		t.Run(c.name, func(t *testing.T) {
			document := strings.TrimSpace(contract("C-1", "")) + c.body
			require.Equal(t, strings.Split(strings.Trim(c.want, "\n"), "\n"), problems(t, document))
		})
	}
}
