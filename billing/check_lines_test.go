package billing_test

import "testing"

func TestParseContractChecksLines(t *testing.T) {
	requireProblems(t, []wrongContract{
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
  - {clause: A14, name: n, charge: time, match: {types: [j]}, time: {minimum: 1h, scope: day}, discount: {amount: 1}}
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
line 13: billing.perod is not a field of a contract: remove it, or use one of period, anchor, first_month, payment_days, negative, advance_on
line 15: lines[0].tiers is not a field of a contract: write it below usage or count, where it belongs
line 15: lines[0].rollover is not a field of a contract: write it below bucket, where it belongs
line 15: lines[0].currency is not a field of a contract: write it without indentation: it is a field of the contract itself
line 15: lines[0].macth is not a field of a contract: remove it, or write match
`},
	})
}
