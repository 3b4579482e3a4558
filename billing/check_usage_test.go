package billing_test

import "testing"

func TestParseContractChecksUsageAndCounts(t *testing.T) {
	requireProblems(t, []wrongContract{
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
	})
}
