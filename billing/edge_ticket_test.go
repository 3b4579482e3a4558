package billing_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
)

// item is a part of the ticket's day.
func item(id int64, quantity, cost string) billing.Item {
	return billing.Item{ID: id, Kind: "part", Text: "SSD 1 TB", Quantity: dec(quantity), UnitCost: dec(cost), Currency: "EUR", Date: noon.Format(time.DateOnly)}
}

func event(id int64, name, quantity string) billing.Event {
	return billing.Event{ID: id, Name: name, Quantity: dec(quantity), Date: noon.Format(time.DateOnly)}
}

const withMaterials = `
rates: [{hourly: 60}]
lines: [{clause: T1, name: Support, charge: time}]
materials:
  - {clause: M1, name: Expenses, kinds: [expense], covered: true}
  - {clause: M2, name: Hardware, kinds: [part], markup_percent: 15, tax_category: goods}
`

func TestEdge70Materials(t *testing.T) {
	f := under(t, contract("TM-1", withMaterials), work(1, noon, hour))
	f.Items = []billing.Item{item(8, "2", "33.33"), item(7, "1", "80")}
	f.Items[0].Kind = "expense"
	d := decide(t, f)
	require.Equal(t, "time T1 1 h × 60 = 60\nmaterial M2 1 piece × 92 = 92\nmaterial M1 2 piece × 0 = 0", posts(d), "by id, each by itself")
	part := d.Charges[1]
	require.Equal(t, "SSD 1 TB · T-1 — 1 × 92.00 EUR", part.Text)
	require.Equal(t, "item-7", part.Item)
	require.Equal(t, "goods", part.TaxCategory)
	require.Equal(t, []string{
		"1 of it, a part, cost us 80.00 EUR each; TM-1 M2 adds 15 %, so it is sold at 92.00 EUR each.",
		"So it costs 92.00 EUR.",
	}, billing.Explain(part))
	require.Equal(t, "SSD 1 TB · T-1 — 2, covered", d.Charges[2].Text)
	require.Contains(t, billing.Explain(d.Charges[2])[0], "TM-1 M1 covers it.")

	t.Run("a price set by hand wins over cost and markup", func(t *testing.T) {
		price := dec("99.95")
		f.Items = []billing.Item{item(7, "3", "80")}
		f.Items[0].Price = &price
		d := decide(t, f)
		require.Equal(t, "material M2 3 piece × 99.95 = 299.85", render(d.Charges[1:]))
	})
	t.Run("rounded once, from the exact product", func(t *testing.T) {
		f.Items = []billing.Item{item(7, "3", "0.145")}
		d := decide(t, f)
		require.Equal(t, "material M2 3 piece × 0.16675 = 0.5", render(d.Charges[1:]), "0.50025, not 3 × 0.17")
		require.Equal(t, "0.50025", d.Charges[1].Exact.String())
	})
	t.Run("they count towards the threshold", func(t *testing.T) {
		f := under(t, contract("TM-1", withMaterials+"approval: {amount_over: 150, approvers: [P-1]}\n"), work(1, noon, hour))
		f.Items = []billing.Item{item(7, "1", "80")}
		d := decide(t, f)
		require.Equal(t, "sign-off over-threshold: time T1 1 h × 60 = 60\nmaterial M2 1 piece × 92 = 92", holds(d))
	})
	t.Run("no row and no price is an exception, one for each", func(t *testing.T) {
		f.Items = []billing.Item{item(7, "2", "80"), item(8, "1", "10")}
		f.Items[0].Kind, f.Items[1].Kind = "licence", "licence"
		d := decide(t, f)
		require.Equal(t, "exception no-rate unrated: material 2 piece × 0 = 0\nexception no-rate unrated: material 1 piece × 0 = 0", holds(d))
		require.Equal(t, `The materials of TM-1 have no row for a licence, and nobody set a price: 2 × "SSD 1 TB" (cost 80.00 EUR each) wait for one.`, d.Holds[0].Says)
		rate := dec("95.5")
		charges, err := billing.Settle(d.Holds[0], billing.Ruling{Action: billing.Bill, By: "D-1", Hourly: &rate})
		require.NoError(t, err)
		require.Equal(t, "material 2 piece × 95.5 = 191", render(charges), "the ruling says what one costs")
		_, err = billing.Settle(d.Holds[0], billing.Ruling{Action: billing.Bill, By: "D-1"})
		require.ErrorContains(t, err, "give the price of one of them")
	})
	t.Run("a contract with a row for it comes before one without", func(t *testing.T) {
		other := version(t, contract("TM-0", "rates: [{hourly: 60}]\nlines: [{clause: T1, name: All, charge: time}]"))
		f := facts([]billing.Version{other, version(t, contract("TM-1", withMaterials))}, work(1, noon, hour))
		f.Items = []billing.Item{item(7, "1", "80")}
		d := decide(t, f)
		require.Equal(t, "material M2 1 piece × 92 = 92", posts(d), "although the work itself is a tie")
		require.Equal(t, "exception tie unrated: time 1 h × 0 = 0", holds(d))

		f.Contracts[0] = version(t, contract("TM-0", withMaterials))
		d = decide(t, f)
		require.Equal(t, "exception tie unrated: time 1 h × 0 = 0\nexception tie unrated: material 1 piece × 0 = 0", holds(d))
		require.Equal(t, `TM-0 and TM-1 claim this ticket equally: 1 × "SSD 1 TB" waits until one of them is chosen.`, d.Holds[1].Says)
	})
	t.Run("without a contract it waits, at its price if it has one", func(t *testing.T) {
		price := dec("99")
		f := facts(nil)
		f.Ticket.Currency, f.Ticket.Code = "EUR", "silent"
		f.Items = []billing.Item{item(7, "1", "80"), item(8, "2", "80")}
		f.Items[1].Price = &price
		d := decide(t, f)
		require.Equal(t, "exception no-contract unrated: material 1 piece × 0 = 0\nexception no-contract: material 2 piece × 99 = 198", holds(d))
		require.Equal(t, `No contract of C-1 was in force when the ticket was resolved: 2 × "SSD 1 TB" wait for a ruling, 198.00 EUR if it is billed.`, d.Holds[1].Says)
	})
	t.Run("a duplicate bills nothing", func(t *testing.T) {
		f := under(t, contract("TM-1", withMaterials), work(1, noon, hour))
		f.Ticket.Code = "duplicate"
		f.Items = []billing.Item{item(7, "1", "80")}
		require.Equal(t, "not-billable 1 h × 0 = 0 hidden\nnot-billable 1 piece × 0 = 0 hidden", posts(decide(t, f)))
	})
}

func TestEdge43CurrencyOfRateAndContractDiffer(t *testing.T) {
	const body = withMaterials + "  - {clause: M3, name: Licences, kinds: [licence], covered: true}\n"
	f := under(t, contract("HB-1", strings.Replace(body, "charge: time", "charge: block", 1)), work(1, noon, hour))
	f.Blocks = []billing.Block{block(7, 10*hour)}
	f.Items = []billing.Item{item(7, "2", "80"), item(8, "1", "80")}
	f.Items[0].Currency, f.Items[1].Currency, f.Items[1].Kind = "USD", "USD", "licence"
	d := decide(t, f)
	require.Equal(t, "block T1 1 h × 0 = 0 [block 7: 60 min]\nmaterial M3 1 piece × 0 = 0", posts(d), "a block of hours still draws down, and what is covered needs no price")
	require.Equal(t, "exception wrong-currency M2 unrated: material M2 2 piece × 0 = 0", holds(d))
	require.Equal(t, `2 × "SSD 1 TB" cost 80.00 USD each, and HB-1 bills in EUR: rule what one costs in EUR.`, d.Holds[0].Says)
	require.Equal(t, "EUR", d.Holds[0].Currency)
}

const withUsage = `
rates: [{hourly: 60}]
lines:
  - {clause: A1, name: Support, charge: covered}
  - clause: U1
    name: Actions
    charge: usage
    usage: {event: action, model: volume, tiers: [{up_to: 15, unit: 10}, {unit: 5}]}
  - {clause: U2, name: Devices, charge: usage, usage: {event: device-added, model: package, price: 100, size: 10, free: 5}}
  - {clause: U3, name: Payments, charge: usage, usage: {event: payment, model: percentage, percentage: {percent: 2.99, min: 1.75, max: 12, free_events: 1}}}
  - {clause: U4, name: Closings, charge: usage, usage: {event: closure, model: unit, price: 4}}
`

func TestUsageOfTheTicket(t *testing.T) {
	doc := contract("US-1", withUsage)
	l := ledger{terms: terms(t, doc)}
	closing := func(code string, events ...billing.Event) billing.Decision {
		f := under(t, doc, work(1, noon, hour))
		f.Ticket.Code, f.Counters, f.Events = code, l.counters, events
		d := decide(t, f)
		l.post(d.Charges...)
		return d
	}
	d := closing("silent", event(1, "Action", "15"), event(2, "device-added", "6"), event(3, "payment", "10"), event(4, "payment", "80"), event(5, "reboot", "3"))
	require.Equal(t, `covered A1 1 h × 0 = 0
usage U1 15 piece × 10 = 150
usage U2 6 piece × 16.666666667 = 100
usage U3 10 piece × 0 = 0
usage U3 80 piece × 0.0299 = 2.39`, posts(d), "what no line speaks of costs nothing, and silence is no closure")
	require.Equal(t, "event-2", d.Charges[2].Item)
	require.Equal(t, "Devices · T-1 — 6 device-added", d.Charges[2].Text)
	require.Contains(t, billing.Explain(d.Charges[1])[0], "the period's use goes from 0 to 15; the amount is what the whole costs more. More than 0 more, and the next tier would price them.")
	require.Contains(t, billing.Explain(d.Charges[2])[0], "9 more fit into the package that is paid for.")

	d = closing("solved", event(1, "action", "1"), event(2, "device-added", "4"))
	require.Equal(t, `covered A1 1 h × 0 = 0
usage U4 1 piece × 4 = 4
usage U1 1 piece × -70 = -70
usage U2 4 piece × 0 = 0`, posts(d), "volume is not monotone: the 16th unit posts −70")
	require.Equal(t, []string{
		"usage/US-1/U1/2026-03", "usage/US-1/U2/2026-03", "usage/US-1/U4/2026-03",
	}, billing.Want(func() billing.Facts {
		f := under(t, doc, work(1, noon, hour))
		f.Events = []billing.Event{event(1, "action", "1"), event(2, "device-added", "4")}
		return f
	}()).Counters)

	t.Run("reversed as if it had never been", func(t *testing.T) {
		before := l.total()
		r := l.reverse(t, 1) // the 15 units: one remains, at 10
		require.Equal(t, "-70", r.Amount.String())
		require.Equal(t, before.Sub(dec("70")).String(), l.total().String())
		for i := range 9 {
			if i != 1 {
				l.reverse(t, i)
			}
		}
		require.True(t, l.total().IsZero(), "left: %s", l.total())
	})
	t.Run("duplicates and spam bill nothing", func(t *testing.T) {
		f := under(t, doc, work(1, noon, hour))
		f.Ticket.Code, f.Events = "spam", []billing.Event{event(1, "action", "1")}
		require.Equal(t, "not-billable 1 h × 0 = 0 hidden", posts(decide(t, f)))
	})
	t.Run("the more specific line, then a tie", func(t *testing.T) {
		narrow := "lines:\n  - {clause: A1, name: Support, match: {categories: [Email], priorities: [1]}, charge: covered}\n" +
			"  - {clause: U9, name: Mail, match: {categories: [Email]}, charge: usage, usage: {event: closure, model: unit, price: 9}}\n"
		f := facts([]billing.Version{version(t, doc), version(t, contract("US-2", narrow))}, work(1, noon, hour))
		require.Contains(t, posts(decide(t, f)), "usage U9 1 piece × 9 = 9")
		f.Contracts[1] = version(t, contract("US-2", strings.Replace(narrow, "match: {categories: [Email]}, charge: usage", "charge: usage", 1)))
		d := decide(t, f)
		require.Equal(t, "exception tie unrated: usage 1 piece × 0 = 0", holds(d))
		require.Equal(t, "US-1 and US-2 price closure equally: 1 of it waits until one of them is chosen.", d.Holds[0].Says)
	})
}

func TestEdge69ClosureByUsageOnce(t *testing.T) {
	// Reopening reverses the first closing's charge, so the next one counts again, and the period has one.
	doc := contract("US-1", withUsage)
	l := ledger{terms: terms(t, doc)}
	for range 2 {
		f := under(t, doc, work(1, noon, hour))
		f.Counters = l.counters
		d := decide(t, f)
		require.Equal(t, "usage U4 1 piece × 4 = 4", render(d.Charges[1:]))
		for i := range l.posted {
			l.reverse(t, i)
		}
		l.post(d.Charges...)
	}
	require.Equal(t, "4", l.total().String())

	// A contract that lets the round stand does not count it again.
	f := under(t, contract("US-1", "reopen: keep"+withUsage), work(1, noon, hour))
	f.Ticket.Round, f.Ticket.TicketBilled = 2, true
	require.Equal(t, "covered A1 1 h × 0 = 0", posts(decide(t, f)))
}

func TestEdge79ClosedWithoutAnyTime(t *testing.T) {
	d := decide(t, under(t, contract("US-1", withUsage)))
	require.Empty(t, d.Charges)
	require.Equal(t, "exception no-time U4: usage U4 1 piece × 4 = 4", holds(d))
	require.Equal(t, "T-1 was closed by anna without any time; the ticket itself is 4.00 EUR if it is billed.", d.Holds[0].Says)

	d = decide(t, under(t, contract("TM-1", withMaterials)))
	require.Equal(t, "exception no-time T1", holds(d), "although nothing is charged for it")

	f := under(t, contract("TM-1", withMaterials))
	f.Ticket.Code = "silent"
	require.Empty(t, decide(t, f).Holds, "a customer who fell silent needs no time")
}

func TestEdge18RoundedSumOrSumOfRounded(t *testing.T) {
	const body = "rates: [{hourly: 100}]\nlines: [{clause: T1, name: Support, charge: time}]\n"
	entries := []billing.Work{work(1, noon, 5*minute), work(2, noon.Add(time.Hour), 5*minute)}
	byLine := decide(t, under(t, contract("TM-1", body), entries...))
	require.Equal(t, "16.66", byLine.Totals()[0].Posted.String(), "twice 8.33")
	byTicket := decide(t, under(t, contract("TM-1", "rounding_of: ticket\n"+body), entries...))
	require.Equal(t, "16.67", byTicket.Totals()[0].Posted.String(), "16.666…, rounded once")
	require.Equal(t, "discount 1 piece × 0.01 = 0.01", render(byTicket.Charges[2:]))
	require.Equal(t, "8.3333333333333333", byTicket.Charges[0].Exact.String(), "both are stored")
	require.Equal(t, "8.33", byTicket.Charges[0].Amount.String())
	require.Equal(t, "The contract bills the rounded sum of a ticket: its lines are 16.666666666667 EUR exactly and 16.66 EUR each rounded, so 16.67 EUR bills. By line it would have been 16.66 EUR.",
		billing.Explain(byTicket.Charges[2])[0])

	t.Run("exactly half a cent stays so, in thirds too", func(t *testing.T) {
		thirds := "rounding_of: ticket\nrates: [{hourly: 0.30}]\nlines: [{clause: T1, name: Support, charge: time}]\n"
		d := decide(t, under(t, contract("TM-1", thirds), work(1, noon, 20*second), work(2, noon.Add(time.Hour), 20*second), work(3, noon.Add(2*time.Hour), 20*second)))
		require.Equal(t, "0.01", d.Totals()[0].Posted.String(), "three times 0.001666… are 0.005")
	})
	t.Run("what a running sum of the period has rounded is left out", func(t *testing.T) {
		const ai = "rounding_of: ticket\nrates: [{actor: ai, hourly: 100}]\nlines: [{clause: T1, name: Support, charge: time}]\n"
		d := decide(t, under(t, contract("TM-1", ai), aiWork(1, noon, 5*minute), aiWork(2, noon.Add(time.Hour), 5*minute)))
		require.Equal(t, "time T1 300 s × 100 = 8.33\ntime T1 300 s × 100 = 8.34", posts(d))
	})
}

func TestEdge74NotToExceed(t *testing.T) {
	const body = "rates: [{hourly: 60}]\nlines: [{clause: T1, name: Support, charge: time}]\nmaterials: [{clause: M1, name: Parts, markup_percent: 10}]\nnot_to_exceed: {clause: N1, amount: 100"
	f := under(t, contract("TM-1", body+", rest: write-off}"), work(1, noon, hour))
	require.Equal(t, "time T1 1 h × 60 = 60", posts(decide(t, f)))
	f.Items = []billing.Item{item(7, "1", "80")}
	d := decide(t, f)
	require.Equal(t, "time T1 1 h × 60 = 60\nmaterial M1 1 piece × 88 = 88\ndiscount N1 1 piece × -48 = -48", posts(d))
	require.Empty(t, d.Holds)
	off := d.Charges[2]
	require.Equal(t, "Not to exceed 100.00 EUR · T-1 — what is beyond", off.Text)
	require.False(t, off.Hidden)
	require.Equal(t, "A ticket costs at most 100.00 EUR (N1), and this one comes to 148.00 EUR: 48.00 EUR are beyond. The contract has us bear them.", billing.Explain(off)[0])

	f.Contracts = []billing.Version{version(t, contract("TM-1", body+"}"))}
	d = decide(t, f)
	require.Equal(t, "discount N1 1 piece × -48 = -48", render(d.Charges[2:]), "the ticket itself keeps within the limit")
	require.Equal(t, "exception not-to-exceed N1: time N1 1 piece × 48 = 48", holds(d))
	require.Equal(t, "The ticket comes to 148.00 EUR, and TM-1 N1 lets a ticket cost at most 100.00 EUR: 48.00 EUR beyond it wait for a ruling; bill them only if the client agrees.", d.Holds[0].Says)
	billed, err := billing.Settle(d.Holds[0], billing.Ruling{Action: billing.Bill, By: "D-1"})
	require.NoError(t, err)
	require.Equal(t, "time N1 1 piece × 48 = 48", render(billed))
	written, err := billing.Settle(d.Holds[0], billing.Ruling{Action: billing.WriteOff, By: "D-1"})
	require.NoError(t, err)
	require.Equal(t, "written-off N1 1 piece × 0 = 0 hidden", render(written))
}
