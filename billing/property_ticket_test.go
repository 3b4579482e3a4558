package billing_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/docket-psa/docket/billing"
)

// ticketTerms add to a contract what belongs to a ticket itself.
const ticketTerms = `
  - {clause: V1, name: Actions, charge: usage, usage: {event: action, model: graduated, free: 2, tiers: [{up_to: 5, unit: 0.333}, {up_to: 20, unit: 0.2, flat: 1}, {unit: 0.0125}]}, discount: {percent: 7}, cap: 12}
  - {clause: V2, name: Devices, charge: usage, usage: {event: device-added, model: volume, tiers: [{up_to: 15, unit: 10}, {unit: 5}]}}
  - {clause: V3, name: Closings, charge: usage, usage: {event: closure, model: package, price: 9.99, size: 3}}
  - {clause: V4, name: Payments, charge: usage, usage: {event: payment, model: percentage, percentage: {percent: 2.99, min: 1.75, max: 12, free_events: 2}}}
  - {clause: F1, name: Fee, charge: flat, price: 333}
materials: [{clause: M1, name: Parts, kinds: [part], markup_percent: 12.5}, {clause: M2, name: Expenses, kinds: [expense], covered: true}]
sla:
  calendar: 24x7
  targets: {3: {response: 1h, resolution: 8h, allotment: 4h}}
  credits: {clause: S1, response_percent: 3, resolution_percent: 5, both: both, fast_hourly: 17.77, cap_percent: 12%s}
`

// guards are settings that ask, limit and refuse.
var guards = []string{
	"",
	"rounding_of: ticket\nnot_to_exceed: {clause: N1, amount: 100, rest: write-off}\n",
	"not_to_exceed: {clause: N1, amount: 120}\npurchase_order: {number: PO-1, limit: 300, used_up: hold}\n",
	"purchase_order: {number: PO-1, limit: 100}\nexpected: {tickets: 2, amount_over: 400}\n",
	"project: {time_over: 4h, amount_over: 500}\napproval: {amount_over: 50, hourly_over: 150, actors: [ai], approvers: [P-1]}\n",
	"rounding: half-even\nrounding_of: ticket\ncallers: {people: [P-1]}\n",
}

func ticketContracts(t *testing.T) []billing.Version {
	versions := make([]billing.Version, 0, 2*len(guards))
	for _, guard := range guards {
		for _, floor := range []string{"", ", base: ticket, floor: ticket"} {
			body := guard + strings.TrimSuffix(fmt.Sprintf(mixed, ""), "\n") + fmt.Sprintf(ticketTerms, floor)
			versions = append(versions, version(t, contract("HB-1", body)))
		}
	}
	return versions
}

// drawnTicket gives a closure of any shape, with all that can belong to its ticket.
func drawnTicket(t *rapid.T, docs []billing.Version) billing.Facts {
	f := drawn(t, docs)
	number := rapid.Int64Range(1, 40)
	for n := range rapid.IntRange(0, 4).Draw(t, "items") {
		i := item(int64(n+1), decimal.New(number.Draw(t, "quantity"), -1).String(), decimal.New(number.Draw(t, "cost"), -2).String())
		i.Kind = rapid.SampledFrom([]string{"part", "licence", "expense"}).Draw(t, "kind")
		i.Currency = rapid.SampledFrom([]string{"EUR", "EUR", "USD"}).Draw(t, "currency")
		if rapid.Bool().Draw(t, "priced") {
			price := decimal.New(number.Draw(t, "price"), -1)
			i.Price = &price
		}
		f.Items = append(f.Items, i)
	}
	for n := range rapid.IntRange(0, 4).Draw(t, "events") {
		name := rapid.SampledFrom([]string{"action", "device-added", "payment", "reboot"}).Draw(t, "event")
		f.Events = append(f.Events, event(int64(n+1), name, decimal.New(number.Draw(t, "used"), 0).String()))
	}
	if rapid.Bool().Draw(t, "sla") {
		f.Ticket.SLA = &billing.SLAOutcome{
			ResponseMissed: rapid.Bool().Draw(t, "response"), ResolutionMissed: rapid.Bool().Draw(t, "resolution"),
			SpentMS: rapid.Int64Range(0, 9*hour).Draw(t, "spent"),
		}
	}
	f.Ticket.Contact = rapid.SampledFrom([]string{"", "P-1", "P-7"}).Draw(t, "contact")
	f.Counters = nil
	for _, key := range billing.Want(f).Counters {
		f.Counters = append(f.Counters, billing.Counter{Key: key, Value: decimal.New(rapid.Int64Range(0, 99).Draw(t, "counted"), 0)})
	}
	return f
}

func TestPropertyTicketIsWhole(t *testing.T) {
	docs := ticketContracts(t)
	rapid.Check(t, func(t *rapid.T) {
		f := drawnTicket(t, docs)
		d, err := billing.Decide(f)
		require.NoError(t, err)
		requireWhole(t, f, d)
		items := map[string]int{}
		for _, c := range every(d) {
			for _, count := range c.Counts {
				require.Contains(t, billing.Want(f).Counters, count.Key, "locked before it is read")
			}
			items[c.Item]++
			require.NotEmpty(t, billing.Explain(c))
		}
		for _, i := range f.Items {
			require.Equal(t, 1, items[fmt.Sprintf("item-%d", i.ID)], "each material is charged once")
		}
		require.NotEmpty(t, billing.Say(f, d))

		// What is settled counts against the order exactly what it posts.
		for _, h := range d.Holds {
			for _, r := range rulings(h) {
				charges, err := billing.Settle(h, r)
				require.NoError(t, err)
				require.Len(t, charges, len(h.Charges))
				for _, c := range charges {
					require.True(t, onOrder(c).IsZero() || onOrder(c).Equal(c.Amount), "%s", c.Key)
					require.False(t, c.PurchaseOrder != "" && !c.Amount.IsZero() && onOrder(c).IsZero(), "%s", c.Key)
				}
			}
		}

		// The order of materials and events is no fact.
		slices.Reverse(f.Items)
		slices.Reverse(f.Events)
		again, err := billing.Decide(f)
		require.NoError(t, err)
		require.Equal(t, d.Digest(), again.Digest())
	})
}

func rulings(h billing.Hold) []billing.Ruling {
	rate := dec("12.34")
	yes := billing.Ruling{Action: billing.Approve, By: "P-1"}
	if h.Kind == billing.Exception {
		yes = billing.Ruling{Action: billing.Bill, By: "D-1", Hourly: &rate}
	}
	return []billing.Ruling{yes, {Action: billing.Cover, By: "D-1"}, {Action: billing.WriteOff, By: "D-1"}}
}

func onOrder(c billing.Charge) decimal.Decimal {
	for _, count := range c.Counts {
		if strings.HasPrefix(count.Key, "po/") {
			return count.Quantity
		}
	}
	return decimal.Zero
}

func TestPropertyReversingTicketsInAnyOrderLeavesNothing(t *testing.T) {
	docs := ticketContracts(t)
	rapid.Check(t, func(t *rapid.T) {
		doc := docs[rapid.IntRange(0, len(docs)-1).Draw(t, "contract")]
		var l ledger
		l.terms = doc.Terms
		for range rapid.IntRange(1, 4).Draw(t, "closures") {
			f := drawnTicket(t, docs)
			f.Contracts, f.Blocks, f.Counters = []billing.Version{doc}, nil, slices.Clone(l.counters)
			d, err := billing.Decide(f)
			require.NoError(t, err)
			l.post(d.Charges...)
			for _, h := range d.Holds {
				charges, err := billing.Settle(h, rulings(h)[rapid.IntRange(0, 2).Draw(t, "ruling")])
				require.NoError(t, err)
				l.post(charges...)
			}
		}
		// What stands on the order is what has posted against it, at any time.
		requireOrder := func() {
			billed := decimal.Zero
			for _, c := range l.posted {
				if c.PurchaseOrder != "" {
					billed = billed.Add(c.Amount)
				}
			}
			for _, c := range l.counters {
				require.True(t, !strings.HasPrefix(c.Key, "po/") || c.Value.Equal(billed), "the order stands at %s, and %s were billed", c.Value, billed)
			}
		}
		posted := len(l.posted)
		for _, i := range rapid.Permutation(seq(posted)).Draw(t, "order") {
			l.reverse(t, i)
			requireOrder()
		}
		require.True(t, l.total().IsZero(), "left: %s", l.total())
		for _, c := range l.counters {
			require.True(t, c.Value.IsZero(), "counter %s stands at %s", c.Key, c.Value)
		}
	})
}

func seq(n int) []int {
	s := make([]int, n)
	for i := range s {
		s[i] = i
	}
	return s
}
