package billing_test

import "testing"

func TestParseContractChecksGuards(t *testing.T) {
	requireProblems(t, []wrongContract{
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
	})
}
