package billing_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
)

// guarded is a contract with a block, covered monitoring and time, and what it is asked to guard.
func guarded(guards string) string {
	return contract("TM-1", `
rates: [{hourly: 60}, {actor: ai, hourly: 36}, {work_role: architect, hourly: 200}]
lines:
  - {clause: A1, name: Monitoring, match: {work_types: [monitoring]}, charge: covered}
  - {clause: X1, name: Projects, match: {work_types: [project]}, charge: out-of-scope}
  - {clause: T1, name: Support, charge: time}
`+guards)
}

func TestEdge80HourlyRateAboveTheThreshold(t *testing.T) {
	doc := guarded("approval: {clause: A9, hourly_over: 150, approvers: [P-1]}")
	require.Empty(t, decide(t, under(t, doc, work(1, noon, 20*hour))).Holds, "however much")
	dear := work(1, noon, minute)
	dear.WorkRole = "architect"
	d := decide(t, under(t, doc, dear))
	require.Equal(t, "sign-off over-threshold A9: time T1 0.016666667 h × 200 = 3.33", holds(d), "however little")
	require.Equal(t, "200.00 EUR an hour is more than the 150.00 EUR an hour that TM-1 A9 lets pass without sign-off.", d.Holds[0].Says)
	require.Contains(t, billing.Explain(d.Holds[0].Charges[0]), "The client had to agree: an hour of it costs 200.00 EUR, above the limit of 150.00 EUR. At that rate nobody would have been asked.")

	f := under(t, doc, work(1, noon, hour))
	f.Items = []billing.Item{item(7, "1", "999")}
	price := dec("999")
	f.Items[0].Price = &price
	require.Empty(t, decide(t, f).Holds, "a part is no hour")
}

func TestSignOffByCategoryAndActor(t *testing.T) {
	f := under(t, guarded("approval: {clause: A9, categories: [email], approvers: [P-1]}"), work(1, noon, minute))
	d := decide(t, f)
	require.Equal(t, "sign-off over-threshold A9: time T1 0.016666667 h × 60 = 1", holds(d))
	require.Equal(t, "TM-1 A9 lets no Email ticket that costs something pass without sign-off.", d.Holds[0].Says)
	require.Contains(t, billing.Explain(d.Holds[0].Charges[0]), "The client had to agree: he does so to every Email ticket that costs something. In another category nobody would have been asked.")
	f.Ticket.Category = "Printer"
	require.Empty(t, decide(t, f).Holds)

	doc := guarded("approval: {clause: A9, actors: [ai], approvers: [P-1]}")
	require.Empty(t, decide(t, under(t, doc, work(1, noon, hour), typed(aiWork(2, noon, hour), "monitoring"))).Holds, "covered work of an agent costs nothing")
	d = decide(t, under(t, doc, work(1, noon, hour), aiWork(2, noon, 100*second)))
	require.Equal(t, "sign-off over-threshold A9: time T1 1 h × 60 = 60\ntime T1 100 s × 36 = 1", holds(d))
	require.Equal(t, "TM-1 A9 lets no work of an AI agent that costs something pass without sign-off.", d.Holds[0].Says)
	require.Contains(t, billing.Explain(d.Holds[0].Charges[0]), "The client had to agree: he does so to all work of an AI agent that costs something.")

	t.Run("what was approved before the work is not asked again", func(t *testing.T) {
		f := under(t, doc, aiWork(2, noon, 100*second))
		f.Ticket.Approved, f.Ticket.ApprovedCurrency = dec("1"), "EUR"
		require.Empty(t, decide(t, f).Holds)
	})
}

func TestCallersWhoMayOrder(t *testing.T) {
	doc := guarded("callers: {clause: C1, people: [P-1, P-2]}\napproval: {amount_over: 10, approvers: [P-1]}")
	f := under(t, doc, work(1, noon, hour), typed(work(2, noon.Add(2*time.Hour), hour), "monitoring"), typed(work(3, noon.Add(4*time.Hour), hour), "project"))
	f.Ticket.Contact = "P-7"
	d := decide(t, f)
	require.Equal(t, "covered A1 1 h × 0 = 0", posts(d), "what costs nothing needs no order")
	require.Equal(t, "exception not-ordered C1: time T1 1 h × 60 = 60\nexception out-of-scope X1: time X1 1 h × 60 = 60", holds(d), "one reason each, and no sign-off of what nobody ordered")
	require.Equal(t, "TM-1 C1 names who may order work that costs something, and P-7, who asked for it, is not among them: 60.00 EUR if it is billed.", d.Holds[0].Says)
	require.Contains(t, billing.Explain(d.Holds[0].Charges[0]), "The contract (C1) names who may order work that costs something, and P-7 is not among them, so a dispatcher had to be asked.")
	f.Ticket.Contact = ""
	require.Contains(t, decide(t, f).Holds[0].Says, "nobody is noted as having asked for it")
	f.Ticket.Contact = "P-2"
	require.Equal(t, billing.OverThreshold, decide(t, f).Holds[1].Reason, "who may order still signs off")

	f = under(t, guarded("callers: {people: [P-1], others: bill}"), work(1, noon, hour))
	require.Empty(t, decide(t, f).Holds)

	t.Run("minutes of a block are worth asking about", func(t *testing.T) {
		f := under(t, contract("HB-1", "lines: [{clause: B1, name: Block, charge: block}]\ncallers: {people: [P-1]}"), work(1, noon, hour))
		f.Blocks = []billing.Block{block(7, 10*hour)}
		require.Equal(t, "exception not-ordered: block B1 1 h × 0 = 0 [block 7: 60 min]", holds(decide(t, f)))
	})
	t.Run("what lowers a charge waits with it", func(t *testing.T) {
		f := under(t, contract("TM-1", "rates: [{hourly: 60}]\nlines: [{clause: T1, name: Support, charge: time, cap: 100}]\ncallers: {people: [P-1]}"), work(1, noon, hour))
		d := decide(t, f)
		require.Empty(t, d.Charges)
		require.Equal(t, "exception not-ordered: time T1 1 h × 60 = 60\ndiscount T1 1 piece × 0 = 0 hidden", holds(d), "its count too, so that waiving gives both back")
		charges, err := billing.Settle(d.Holds[0], billing.Ruling{Action: billing.Cover, By: "D-1"})
		require.NoError(t, err)
		require.Equal(t, "covered T1 1 h × 0 = 0\ncovered T1 1 piece × 0 = 0 hidden", render(charges), "with nothing to lower, nothing shows")
	})
}

func TestEdge52ProjectInDisguise(t *testing.T) {
	for name, c := range map[string]struct{ project, says, step string }{
		"by its amount": {
			"amount_over: 100", "This looks like a project: 180.00 EUR are more than the 100.00 EUR of TM-1 P1. Quote it as one, or rule on it: 180.00 EUR if it is billed.",
			"The ticket is a project by the contract (P1): it comes to 180.00 EUR, and the limit is 100.00 EUR. 80.00 EUR less, and it would have been a ticket like any other.",
		},
		"by its hours": {
			"time_over: 2h", "This looks like a project: 3 h are more than the 2 h of TM-1 P1. Quote it as one, or rule on it: 180.00 EUR if it is billed.",
			"The ticket is a project by the contract (P1): it took 3 h, and the limit is 2 h. 1 h less, and it would have been a ticket like any other.",
		},
		"by its category": {
			"categories: [email]", "This looks like a project: TM-1 P1 says so of every Email ticket. Quote it as one, or rule on it: 180.00 EUR if it is billed.",
			"The ticket is a project by the contract (P1): every Email ticket is. In another category, it would have been a ticket like any other.",
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := decide(t, under(t, guarded("project: {clause: P1, "+c.project+"}\napproval: {amount_over: 1, approvers: [P-1]}"), work(1, noon, 3*hour)))
			require.Equal(t, "exception project P1: time T1 3 h × 60 = 180", holds(d), "before any sign-off")
			require.Equal(t, c.says, d.Holds[0].Says)
			require.Contains(t, billing.Explain(d.Holds[0].Charges[0]), c.step)
		})
	}
	require.Empty(t, decide(t, under(t, guarded("project: {time_over: 3h}"), work(1, noon, 3*hour))).Holds, "exactly the limit is a ticket")

	t.Run("work that the contract covers waits without a price", func(t *testing.T) {
		d := decide(t, under(t, guarded("project: {clause: P1, time_over: 8h}"), typed(work(1, noon, 9*hour), "monitoring")))
		require.Empty(t, d.Charges)
		require.Equal(t, "exception project P1 unrated: time A1 9 h × 0 = 0", holds(d))
		covered, err := billing.Settle(d.Holds[0], billing.Ruling{Action: billing.Cover, By: "D-1"})
		require.NoError(t, err)
		require.Equal(t, "covered A1 9 h × 0 = 0", render(covered))
		rate := dec("90")
		billed, err := billing.Settle(d.Holds[0], billing.Ruling{Action: billing.Bill, By: "D-1", Hourly: &rate})
		require.NoError(t, err)
		require.Equal(t, "time A1 9 h × 90 = 810", render(billed))
	})
}

func TestExpectedPattern(t *testing.T) {
	d := decide(t, under(t, guarded("expected: {clause: E1, amount_over: 100}"), work(1, noon, 2*hour)))
	require.Equal(t, "exception pattern E1: time T1 2 h × 60 = 120", holds(d))
	require.Equal(t, "This is not what such a ticket comes to: 120.00 EUR are more than the 100.00 EUR of TM-1 E1. Look at it before the client does: 120.00 EUR if it is billed.", d.Holds[0].Says)
	d = decide(t, under(t, guarded("expected: {clause: E1, time_over: 1h}"), work(1, noon, 2*hour)))
	require.Contains(t, billing.Explain(d.Holds[0].Charges[0]), "The ticket breaks the pattern of its kind (E1): it took 2 h, and the limit is 1 h. 1 h less, and nobody would have been asked.")

	t.Run("a project comes first", func(t *testing.T) {
		d := decide(t, under(t, guarded("project: {time_over: 1h}\nexpected: {amount_over: 1}"), work(1, noon, 2*hour)))
		require.Equal(t, "exception project: time T1 2 h × 60 = 120", holds(d))
	})
	t.Run("one ticket too many of its category in the period", func(t *testing.T) {
		doc := guarded("expected: {clause: E1, tickets: 2}")
		l := ledger{terms: terms(t, doc)}
		var got []string
		for i := range 4 {
			workType := "remote"
			if i == 0 {
				workType = "monitoring" // costs nothing, and is a ticket of the category all the same
			}
			f := under(t, doc, typed(work(1, noon, hour), workType))
			require.Equal(t, []string{"pattern/TM-1/Email/2026-03"}, billing.Want(f).Counters)
			f.Counters = l.counters
			d := decide(t, f)
			got = append(got, holds(d))
			l.post(every(d)...)
			if i == 3 {
				require.Equal(t, "This is not what such a ticket comes to: it is ticket 4 of Email in the period, and TM-1 E1 expects 2. Look at it before the client does: 60.00 EUR if it is billed.", d.Holds[0].Says)
			}
		}
		held := "exception pattern E1: time T1 1 h × 60 = 60"
		require.Equal(t, []string{"", "", held, held}, got)
		require.Equal(t, "4", l.counters[0].Value.String())

		f := under(t, guarded("reopen: keep\nexpected: {tickets: 2}"), work(1, noon, hour))
		f.Ticket.Round = 2
		require.Empty(t, decide(t, f).Charges[0].Counts, "a round that stands has counted the ticket")
	})
}

func TestEdge61PurchaseOrderUsedUp(t *testing.T) {
	order := func(usedUp string) string {
		return guarded("purchase_order: {number: PO-77, limit: 500" + usedUp + "}\n")
	}
	at := func(t *testing.T, doc, before string, entries ...billing.Work) billing.Facts {
		f := under(t, doc, entries...)
		require.Equal(t, []string{"po/TM-1/PO-77"}, billing.Want(f).Counters)
		f.Counters = []billing.Counter{{Key: "po/TM-1/PO-77", Value: dec(before)}}
		return f
	}
	t.Run("within it", func(t *testing.T) {
		d := decide(t, at(t, order(""), "400", work(1, noon, hour)))
		c := d.Charges[0]
		require.Equal(t, "PO-77", c.PurchaseOrder)
		require.Equal(t, "po/TM-1/PO-77 60", counted(c.Counts))
		require.Contains(t, billing.Explain(c), "It bills against order PO-77, of which 460.00 EUR of 500.00 EUR are used now: 40.00 EUR more, and it is used up.")
	})
	t.Run("passed, with a warning", func(t *testing.T) {
		f := at(t, order(""), "400", work(1, noon, hour), work(2, noon.Add(2*time.Hour), hour))
		d := decide(t, f)
		require.Equal(t, "time T1 1 h × 60 = 60\ntime T1 1 h × 60 = 60", posts(d))
		require.Contains(t, billing.Explain(d.Charges[1]), "Order PO-77 of 500.00 EUR is passed with it: 20.00 EUR are beyond. The contract warns and does not hold.")
		require.Contains(t, billing.Say(f, d), "order PO-77 is passed by 20.00 EUR")
	})
	t.Run("used up, and held", func(t *testing.T) {
		f := at(t, order(", used_up: hold"), "400", work(1, noon, hour), work(2, noon.Add(2*time.Hour), hour), typed(work(3, noon.Add(4*time.Hour), hour), "monitoring"))
		d := decide(t, f)
		require.Equal(t, "covered A1 1 h × 0 = 0", posts(d))
		require.Equal(t, "exception order-used-up: time T1 1 h × 60 = 60\ntime T1 1 h × 60 = 60", holds(d), "together: no part of a ticket posts by chance")
		require.Equal(t, "Order PO-77 of 500.00 EUR has 100.00 EUR left, and this comes to 120.00 EUR: get a new order, or rule on it; 120.00 EUR if it is billed.", d.Holds[0].Says)
		require.Contains(t, billing.Explain(d.Holds[0].Charges[0]), "Order PO-77 of 500.00 EUR had 100.00 EUR left, and the ticket comes to 120.00 EUR, so a dispatcher had to be asked. 20.00 EUR less, and it would have posted.")
		require.Empty(t, d.Holds[0].Charges[0].Counts, "what does not fit takes nothing from it")
		charges, err := billing.Settle(d.Holds[0], billing.Ruling{Action: billing.Bill, By: "D-1"})
		require.NoError(t, err)
		require.Equal(t, "po/TM-1/PO-77 60", counted(charges[0].Counts), "until it is billed after all")
		waived, err := billing.Settle(d.Holds[0], billing.Ruling{Action: billing.WriteOff, By: "D-1"})
		require.NoError(t, err)
		require.Empty(t, waived[0].Counts)

		require.Empty(t, decide(t, at(t, order(", used_up: hold"), "440", work(1, noon, hour))).Holds, "exactly used up is no more than it")
	})
	t.Run("what waits for another reason reserves its part", func(t *testing.T) {
		d := decide(t, at(t, order(""), "0", typed(work(3, noon, hour), "project")))
		require.Equal(t, "po/TM-1/PO-77 60", counted(d.Holds[0].Charges[0].Counts))
	})
	t.Run("what has no price counts when it gets one", func(t *testing.T) {
		f := under(t, contract("TM-1", "purchase_order: {number: PO-77, limit: 500}\nlines: [{clause: T1, name: Support, charge: time}]"), work(1, noon, hour))
		hold := decide(t, f).Holds[0]
		require.Empty(t, hold.Charges[0].Counts)
		rate := dec("70")
		charges, err := billing.Settle(hold, billing.Ruling{Action: billing.Bill, By: "D-1", Hourly: &rate})
		require.NoError(t, err)
		require.Equal(t, "po/TM-1/PO-77 70", counted(charges[0].Counts))
	})
	t.Run("what is reversed comes back, as much as posts", func(t *testing.T) {
		const ai = "purchase_order: {number: PO-77, limit: 500}\nrates: [{actor: ai, hourly: 36}]\nlines: [{clause: T1, name: Support, charge: time}]"
		doc := contract("TM-1", ai)
		l := ledger{terms: terms(t, doc)}
		for i := range int64(3) { // 0.36 and 0.004 and 0.004: 0.36, 0, 0.01
			f := under(t, doc, aiWork(i+1, noon, []int64{36 * second, 400, 400}[i]))
			f.Counters = l.counters
			l.post(decide(t, f).Charges...)
		}
		require.Equal(t, "0.37", l.total().String())
		l.reverse(t, 0)
		require.Equal(t, "0.01", l.total().String())
		for i := 1; i < 3; i++ {
			l.reverse(t, i)
		}
		for _, c := range l.counters {
			require.True(t, c.Value.IsZero(), "%s stands at %s", c.Key, c.Value)
		}
	})
}
