package billing_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
)

// wholeTerms is a contract that has everything: the properties hold under all of it together.
// Its holes are how time is measured, how premiums weigh, and what guards a ticket.
const wholeTerms = `
%s
%s
%s
tax: NL
billing: {period: %s, anchor: 10, payment_days: 14}
bands:
  - {clause: H1, name: evening, days: [weekdays], hours: ["17:00-24:00"], multiplier: 1.5, call_out: 33.33}
  - {clause: H2, name: night, days: [weekdays], hours: ["20:00-24:00"], multiplier: 2, call_out: 50}
  - {clause: H3, name: holiday, dates: [2026-12-25]}
rates:
  - {clause: R1, hourly: 97.31}
  - {clause: R2, work_role: architect, hourly: 181.17, weight: 1.75}
  - {clause: R3, actor: ai, hourly: 41.77}
  - {clause: R4, work_type: project, band: holiday, hourly: 210.01}
lines:
  - {clause: A1, name: Monitoring, match: {work_types: [monitoring]}, charge: covered, tax_category: low}
  - {clause: B1, name: Block hours, match: {work_types: [remote]}, charge: block, overage: "133.33", block: {grace_days: 3, reorder_at: 1h, overdraw: 30m}}
  - {clause: B2, name: Hard block, match: {work_types: [onsite]}, charge: block, overage: hold, block: {unpaid: hold}}
  - {clause: K1, name: Hours of the period, match: {work_types: [migration]}, charge: bucket, price: 300, cap: 250, bucket: {included: 10h, rollover: 4h}}
  - {clause: K2, name: Hours that roll first, match: {work_types: [cloud]}, charge: bucket, overage: "88.88", bucket: {included: 2h, rollover: 4h, first: rolled}}
  - {clause: W1, name: Advice, match: {work_types: [advice]}, charge: retainer, price: 500, retainer: 400, cap: 700, discount: {percent: 5}}
  - {clause: U1, name: Requests, match: {work_types: [request]}, charge: per-ticket, price: 12.00, included: 3, cap: 40}
  - {clause: U2, name: AI resolutions, match: {actors: [ai], categories: [Password]}, charge: per-ticket, price: 1.99, discount: {percent: 12.5}}
  - {clause: T1, name: Projects, match: {work_types: [project], actors: [human]}, charge: time, time: {increment: 6m, scope: entry, increment_scope: entry, failed: bill}, discount: {percent: 10, amount: 5, until: 2026-04-01}, cap: 900}
  - {clause: T2, name: Travel, match: {work_types: [travel]}, charge: time, time: {minimum: 1h, increment: 15m, scope: day}}
  - {clause: T3, name: Agents, match: {actors: [ai], work_types: [ai-resolution]}, charge: time, cap: 9}
  - {clause: N1, name: Own, match: {work_types: [internal]}, charge: not-billable}
  - {clause: O1, name: Furniture, match: {work_types: [furniture]}, charge: out-of-scope}
  - {clause: V1, name: Actions, charge: usage, usage: {event: action, model: graduated, free: 2, tiers: [{up_to: 5, unit: 0.333}, {up_to: 20, unit: 0.2, flat: 1}, {unit: 0.0125}]}, discount: {percent: 7}, cap: 12}
  - {clause: V2, name: Devices, charge: usage, usage: {event: device-added, model: volume, tiers: [{up_to: 15, unit: 10}, {unit: 5, size: 10}]}}
  - {clause: V3, name: Closings, charge: usage, usage: {event: closure, model: package, price: 9.99, size: 3, included: 1}}
  - {clause: V4, name: Payments, charge: usage, usage: {event: payment, model: percentage, percentage: {percent: 2.99, min: 1.75, max: 12%s}}}
  - {clause: V5, name: Storage, charge: usage, usage: {event: storage, model: unit, price: 3.333, divide_by: 10, round: up, included: 0.5, minimum: 2}}
  - {clause: V6, name: Resold, charge: usage, usage: {event: resold, model: graduated, zero_flat: true, tiers: [{up_to: 50, percent: 10, flat: 2}, {percent: 8}]}}
  - {clause: F1, name: Platform, charge: flat, price: 333, discount: {percent: 3, amount: 1}}
  - {clause: F2, name: Workstations, charge: per-device, when: arrears, count: {of: workstation, take: average, included: 1, tiers: [{up_to: 5, unit: 9.5}, {unit: 40, size: 5}]}}
  - {clause: F3, name: Seats, charge: per-seat, price: 15.55, count: {floor: 3, fewer: credit}}
materials: [{clause: M1, name: Parts, kinds: [part], markup_percent: 12.5, tax_category: low}, {clause: M2, name: Expenses, kinds: [expense], covered: true}]
listed: {clause: L1, devices: [PC-1], unlisted: %s}
commitment: {clause: C1, name: Minimum, amount: 1500}
warranty: {clause: W9, days: 3}
pauses: [{from: 2026-03-17, to: 2026-03-19, work: time}]
sla:
  calendar: 24x7
  targets: {3: {response: 1h, resolution: 8h, allotment: 4h}}
  credits: {clause: S1, response_percent: 3, resolution_percent: 5, both: both, fast_hourly: 17.77, cap_percent: 12%s}
`

// whole is one way to fill the holes.
type whole struct {
	time, premium, guards string
	period                string
	free                  string // of percentages by event
	unlisted              string
	credits               string
}

var (
	wholeTimes = []string{
		"time: {minimum: 15m, increment: 15m}",
		"time: {minimum: 30m, increment: 7m, scope: ticket, unstarted: standard}",
		"time: {increment: 15m, grace: 50s, ai_minimum: 5s, ai_increment: 1m, ai_accumulate: closure}",
		"time: {increment: 10m, round: nearest, increment_scope: ticket}",
		"time: {minimum: 20m, increment: 15m, round: down, increment_scope: day}",
	}
	wholePremiums = []string{"", "premium: {on: minutes}", "premium: {several: add, ai: true}", "premium: {several: add, on: minutes, ai: true}"}
	// wholeGuards are settings that ask, limit and refuse.
	wholeGuards = []string{
		"unmatched: time",
		"rounding_of: ticket\nnot_to_exceed: {clause: G1, amount: 100, rest: write-off}",
		"not_to_exceed: {clause: G1, amount: 120}\npurchase_order: {number: PO-1, limit: 300, used_up: hold}",
		"unmatched: time\npurchase_order: {number: PO-1, limit: 100}\nexpected: {tickets: 2, amount_over: 400}",
		"project: {time_over: 4h, amount_over: 500}\napproval: {amount_over: 50, hourly_over: 150, actors: [ai], approvers: [P-1]}",
		"rounding: half-even\nrounding_of: ticket\nunmatched: time\ncallers: {people: [P-1]}",
	}
)

func (w whole) version(t testing.TB) billing.Version {
	t.Helper()
	return version(t, contract("ALL-1", w.document()))
}

func (w whole) document() string {
	terms := wholeTerms
	if strings.Contains(w.time, "day") { // only time that is billed adds up by day
		for _, draws := range []string{"charge: block", "charge: bucket"} {
			terms = strings.ReplaceAll(terms, draws, draws+", time: {scope: entry, increment_scope: ticket}")
		}
	}
	return fmt.Sprintf(terms, w.time, w.premium, w.guards, w.period, w.free, w.unlisted, w.credits)
}

// wholes gives contracts with everything, every way to fill a hole in some of them.
func wholes() []whole {
	var all []whole
	for i := range 2 * len(wholeTimes) * len(wholePremiums) {
		all = append(all, whole{
			time: wholeTimes[i%len(wholeTimes)], premium: wholePremiums[i%len(wholePremiums)], guards: wholeGuards[i%len(wholeGuards)],
			period:   []string{"monthly", "quarterly", "monthly"}[i%3],
			free:     []string{", free_events: 2", "", ", fixed: 0.5, free_value: 30"}[i%3],
			unlisted: []string{"bill", "ask", "add, add: F3"}[i%3],
			credits:  []string{"", ", base: ticket, floor: ticket"}[i%2],
		})
	}
	return all
}

func wholeContracts(t testing.TB) []billing.Version {
	t.Helper()
	var versions []billing.Version
	for _, w := range wholes() {
		versions = append(versions, w.version(t))
	}
	return versions
}

// orderless are contracts under which the order of closings changes no total: nothing of them is
// used up by who comes first, and no limit of one ticket looks at what others made its lines cost.
// Their documents say so by what they leave out: free events in order of arrival, credits measured by
// a ticket, limits.
func orderless(t testing.TB) []billing.Version {
	t.Helper()
	var versions []billing.Version
	for i, time := range wholeTimes {
		w := whole{
			time: time, premium: wholePremiums[i%len(wholePremiums)], guards: []string{
				"unmatched: time\napproval: {categories: [Password], approvers: [P-1]}", "unmatched: time\nrounding_of: ticket", "rounding: half-even\ncallers: {people: [P-1]}",
			}[i%3],
			period: "monthly", unlisted: "bill",
		}
		versions = append(versions, w.version(t))
	}
	return versions
}

func TestWholeContractsHaveEveryCharge(t *testing.T) {
	c, err := billing.ParseContract([]byte(contract("ALL-1", wholes()[0].document())))
	require.NoError(t, err)
	charges := map[string]bool{}
	for _, l := range c.Lines {
		charges[l.Charge] = true
	}
	require.Len(t, charges, 12)
}
