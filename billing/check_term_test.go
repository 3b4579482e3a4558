package billing_test

import "testing"

func TestParseContractChecksTerms(t *testing.T) {
	requireProblems(t, []wrongContract{
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
billing: {period: weekly, anchor: 29, first_month: 13, payment_days: 400, negative: ignore, advance_on: next}
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
line 8: billing.advance_on "next" is not known: use own-invoice, previous-invoice
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
		{"advance_on without a fee in advance", `
billing: {advance_on: previous-invoice}
lines:
  - {clause: F1, name: Fee, charge: flat, price: 5, when: arrears}
  - {clause: T1, name: Support, charge: time}
`, `
line 8: billing.advance_on "previous-invoice" means nothing without a fee that bills in advance: leave it out, or let a line bill a price each period with when: advance
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
	})
}
