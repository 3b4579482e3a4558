package billing_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
)

func TestParseContractRefusesWhatWouldBeIgnored(t *testing.T) {
	requireProblems(t, []wrongContract{
		{"time", `
time: {increment: 15m, increment_scope: day}
bands: [{name: night, days: [weekdays], multiplier: 2}]
premium: {several: add}
lines:
  - {clause: T1, name: a, match: {actors: [ai]}, charge: time, time: {minimum: 15m, increment: 6m, ai_minimum: 1m}}
  - {clause: T2, name: b, match: {actors: [human], types: [b]}, charge: time, time: {ai_minimum: 1m, ai_increment: 1m, ai_accumulate: closure}}
  - {clause: B1, name: c, match: {types: [c]}, charge: block}
  - {clause: K1, name: d, match: {types: [d]}, charge: bucket, bucket: {included: 1h}, time: {minimum: 1h, scope: day, increment_scope: entry}}
`, `
line 10: premium.several "add" means nothing without two bands that have a multiplier: leave several out
line 12: lines[0].time.minimum "15m" means nothing on a line for AI work alone: set ai_minimum, or let match.actors name the other too
line 12: lines[0].time.increment "6m" means nothing on a line for AI work alone: set ai_increment, or let match.actors name the other too
line 13: lines[1].time.ai_minimum "1m" means nothing on a line for people's work alone: set minimum, or let match.actors name the other too
line 13: lines[1].time.ai_increment "1m" means nothing on a line for people's work alone: set increment, or let match.actors name the other too
line 13: lines[1].time.ai_accumulate "closure" means nothing on a line for people's work alone: remove it, or let match.actors name the other too
line 8: time.increment_scope "day" means nothing for lines[2], which charges block: give the line's own time the increment_scope entry or ticket: only time that is billed adds up by day
line 15: lines[3].time.scope "day" means nothing for lines[3], which charges bucket: give the line's own time the scope entry or ticket: only time that is billed adds up by day
`},
		{"a scope of nothing", `
lines: [{clause: T1, name: a, charge: time, time: {scope: ticket}}]
`, `
line 8: lines[0].time.scope "ticket" means nothing without a minimum or an increment: set minimum or increment, or leave scope out
`},
		{"an amount off time that adds up", `
rates: [{actor: ai, hourly: 40}]
lines:
  - {clause: T1, name: a, match: {types: [a]}, charge: time, discount: {amount: 5}}
  - {clause: T2, name: b, match: {types: [b]}, charge: retainer, retainer: 100, except: {actors: [ai], types: [x]}, discount: {amount: 5}}
  - {clause: T3, name: c, match: {types: [c], actors: [human]}, charge: time, discount: {amount: 5}}
  - {clause: T4, name: d, match: {types: [d]}, charge: time, time: {ai_accumulate: closure}, discount: {amount: 5}}
  - {clause: T5, name: e, match: {types: [e]}, except: {actors: [ai]}, charge: time, discount: {amount: 5}}
`, `
line 10: lines[0].discount.amount "5" means nothing for agents' time, which adds up over the period: use percent, match actors: [human], or set time.ai_accumulate: closure
line 11: lines[1].discount.amount "5" means nothing for agents' time, which adds up over the period: use percent, match actors: [human], or set time.ai_accumulate: closure
`},
		{"tiers and counts", `
lines:
  - {clause: U1, name: a, charge: usage, usage: {event: x, model: graduated, zero_flat: true, tiers: [{up_to: 5, percent: 2, size: 10}, {percent: 1}]}}
  - {clause: F1, name: b, charge: per-seat, price: 5, count: {fixed: 5, included: 5}}
`, `
line 9: lines[0].usage.zero_flat bills nothing: the first tier has no flat fee: give the first tier its flat fee, or leave zero_flat out
line 9: lines[0].usage.tiers[0].size means nothing beside percent: keep one of the two: packages are of units, and a percentage is of money
line 10: lines[1].count.included "5" leaves nothing of fixed to bill: include fewer, or charge covered work by another line
`},
		{"credits of nothing", `
lines: [{clause: F1, name: Fee, charge: flat, price: 0}]
sla:
  calendar: 24x7
  targets: {1: {response: 1h, resolution: 4h}}
  credits: {clause: S1, response_percent: 5, cap_percent: 10}
`, `
line 12: sla.credits.base is measured by a fee of nothing: write base: ticket, or give a line a price of a period that depends on no count
`},
		{"weights", `
rates: [{hourly: 100, weight: 100.5}, {work_role: architect, hourly: 100, weight: -1}]
lines: [{clause: T1, name: a, charge: time}]
`, `
line 8: rates[0].weight "100.5" is not such a weight: use 0 to 100; 1.5 takes an hour and a half of a block for an hour of the work
line 8: rates[0].weight means nothing without a line that draws hours: add a line with charge block or bucket, or leave weight out
line 8: rates[1].weight "-1" is not such a weight: use 0 to 100; 1.5 takes an hour and a half of a block for an hour of the work
line 8: rates[1].weight means nothing without a line that draws hours: add a line with charge block or bucket, or leave weight out
`},
	})
}

// TestStoredContractsKeepWhatIsRefusedToday: what was applied once compiles for good.
func TestStoredContractsKeepWhatIsRefusedToday(t *testing.T) {
	stored, err := billing.ReadContract([]byte(`{"schema": "docket.contract/v1", "contract": "C-1", "client": "C-1", "name": "n", "effective_from": "2026-01-01",
		"currency": "EUR", "time_zone": "UTC", "time": {"minimum": "1h", "scope": "day"}, "lines": [{"clause": "B1", "name": "Hours", "charge": "block"}]}`))
	require.NoError(t, err)
	_, err = stored.Compile()
	require.NoError(t, err)
}
