package billing_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
)

const (
	perTicket = "time: {minimum: 30m}\nlines: [{clause: U1, name: Ticket, charge: per-ticket, price: 12.00}]"
	allCare   = "lines: [{clause: A1, name: Support, charge: covered}]"
)

// between is a version in force from one instant to another; a zero one never ends.
func between(t *testing.T, document string, revision int, from, until time.Time) billing.Version {
	t.Helper()
	v := version(t, document)
	v.Revision, v.From, v.Until = revision, from, until
	return v
}

func TestEdge25ExpiredInMidTicket(t *testing.T) {
	// Covered until 13:00; the entry of 12:30–13:30 is cut there although its segment is not.
	f := facts([]billing.Version{between(t, contract("AYCE-1", allCare), 1, noon.Add(-time.Hour), noon.Add(time.Hour))}, work(1, noon.Add(30*time.Minute), hour))
	d := decide(t, f)
	require.Equal(t, "covered A1 0.5 h × 0 = 0", posts(d))
	require.Equal(t, "exception no-contract unrated: time 0.5 h × 0 = 0", holds(d))
	require.Equal(t, []billing.Span{{Work: 1, From: 30 * minute, To: hour}}, d.Holds[0].Charges[0].Spans)
}

func TestCoveredWorkShownOrHidden(t *testing.T) {
	require.Equal(t, "covered A1 1 h × 0 = 0", posts(decide(t, under(t, contract("C-A", allCare), work(1, noon, hour)))))
	hidden := "lines: [{clause: A1, name: Support, charge: covered, hidden: true}]"
	require.Equal(t, "covered A1 1 h × 0 = 0 hidden", posts(decide(t, under(t, contract("C-A", hidden), work(1, noon, hour)))))
}

func TestEdge28MoreSpecificThenPriorityThenTie(t *testing.T) {
	broad := contract("C-A", allCare)
	narrow := contract("C-B", "rates: [{hourly: 60}]\nlines: [{clause: B1, name: Mail, match: {categories: [email]}, charge: time}]")
	high := contract("C-B", "priority: 5\nrates: [{hourly: 60}]\nlines: [{clause: B1, name: All, charge: time}]")
	equal := contract("C-B", "rates: [{hourly: 60}]\nlines: [{clause: B1, name: All, charge: time}]")
	for name, c := range map[string]struct{ other, posts, holds string }{
		"more specific, whatever the case": {narrow, "time B1 1 h × 60 = 60", ""},
		"higher priority":                  {high, "time B1 1 h × 60 = 60", ""},
		"a tie is an exception":            {equal, "", "exception tie unrated: time 1 h × 0 = 0"},
	} {
		t.Run(name, func(t *testing.T) {
			a, b := version(t, broad), version(t, c.other)
			for _, order := range [][]billing.Version{{a, b}, {b, a}} {
				d := decide(t, facts(order, work(1, noon, hour)))
				require.Equal(t, c.posts, posts(d))
				require.Equal(t, c.holds, holds(d))
			}
		})
	}
	d := decide(t, facts([]billing.Version{version(t, broad), version(t, equal)}, work(1, noon, hour)))
	require.Equal(t, "C-A and C-B claim this work equally: 1 h of it waits until one of them is chosen.", d.Holds[0].Says)
}

func TestEdge28WithinAContractTheFirstLine(t *testing.T) {
	d := decide(t, under(t, contract("C-A", `
lines:
  - {clause: A1, name: Mail, match: {categories: [Email]}, charge: covered}
  - {clause: A2, name: Remote, match: {work_types: [remote]}, charge: not-billable}
  - {clause: A3, name: Mail of people, match: {categories: [Email], actors: [ai]}, charge: covered}
`), work(1, noon, hour)))
	require.Equal(t, "covered A1 1 h × 0 = 0", posts(d), "equally specific, so the first as written")
}

func TestEdge29NoContractAndNoRate(t *testing.T) {
	t.Run("no contract waits, with the client's currency", func(t *testing.T) {
		f := facts(nil, work(1, noon, 42*minute))
		f.Ticket.Currency = "EUR"
		d := decide(t, f)
		require.Equal(t, "exception no-contract unrated: time 0.7 h × 0 = 0", holds(d))
		require.Equal(t, "EUR", d.Holds[0].Currency)
		require.Equal(t, "No contract of C-1 was in force when this was done: 42 min wait for a ruling.", d.Holds[0].Says)
	})
	t.Run("no rate is an exception, never zero", func(t *testing.T) {
		d := decide(t, under(t, contract("TM-1", "rates: [{work_role: architect, hourly: 200}]\nlines: [{clause: T1, name: Support, charge: time}]"), work(1, noon, hour)))
		require.Empty(t, d.Charges)
		require.Equal(t, "exception no-rate T1 unrated: time T1 1 h × 0 = 0", holds(d))
		require.Equal(t, `TM-1 T1 has no hourly rate for a person doing remote as "engineer": 1 h wait for one.`, d.Holds[0].Says)
	})
	t.Run("AI never has a person's rate", func(t *testing.T) {
		d := decide(t, under(t, contract("TM-1", "rates: [{hourly: 150}]\nlines: [{clause: T1, name: Support, charge: time}]"), aiWork(1, noon, minute)))
		require.Empty(t, d.Charges)
		require.Equal(t, "exception no-rate T1 unrated: time T1 60 s × 0 = 0", holds(d))
	})
}

func TestOutOfScopeQuotesAtTheRateCard(t *testing.T) {
	const body = "rates: [{hourly: 150}]\nlines: [{clause: A1, name: Printers, match: {categories: [Printer]}, charge: covered}]"
	d := decide(t, under(t, contract("AYCE-1", body), work(1, noon, hour)))
	require.Empty(t, d.Charges)
	require.Equal(t, "exception out-of-scope: time 1 h × 150 = 150", holds(d))
	require.Equal(t, "No clause of AYCE-1 speaks of this work (Email, remote), 1 h: 150.00 EUR if it is billed.", d.Holds[0].Says)

	t.Run("by a clause of its own", func(t *testing.T) {
		d := decide(t, under(t, contract("AYCE-1", "lines: [{clause: X1, name: Projects, charge: out-of-scope}]"), work(1, noon, hour)))
		require.Equal(t, "exception out-of-scope X1 unrated: time X1 1 h × 0 = 0", holds(d))
	})
	t.Run("unless the contract bills the rest as time", func(t *testing.T) {
		d := decide(t, under(t, contract("AYCE-1", "unmatched: time\n"+body), work(1, noon, hour)))
		require.Equal(t, "time 1 h × 150 = 150", posts(d))
	})
}

func block(id, left int64) billing.Block {
	return billing.Block{ID: id, Contract: "HB-1", Priority: 1, GrantedAt: noon.Add(-24 * time.Hour), LeftMS: left}
}

func withBlocks(t *testing.T, overage string, blocksOf []billing.Block, entries ...billing.Work) billing.Facts {
	t.Helper()
	body := "time: {minimum: 15m, increment: 15m}\nrates: [{hourly: 150}]\nlines: [{clause: B1, name: Block hours, charge: block" + overage + "}]"
	f := under(t, contract("HB-1", body), entries...)
	f.Blocks = blocksOf
	return f
}

func TestEdge30BlockUsedUpInMidEntry(t *testing.T) {
	for name, c := range map[string]struct{ overage, posts, holds string }{
		"the rate card by default": {"", "block B1 1 h × 0 = 0 [block 7: 60 min]\noverage B1 0.5 h × 150 = 75", ""},
		"the line's own price":     {`, overage: "140.00"`, "block B1 1 h × 0 = 0 [block 7: 60 min]\noverage B1 0.5 h × 140 = 70", ""},
		"hold":                     {", overage: hold", "block B1 1 h × 0 = 0 [block 7: 60 min]", "exception block-empty B1: overage B1 0.5 h × 150 = 75"},
	} {
		t.Run(name, func(t *testing.T) {
			d := decide(t, withBlocks(t, c.overage, []billing.Block{block(7, hour)}, work(1, noon, 84*minute)))
			require.Equal(t, c.posts, posts(d))
			require.Equal(t, c.holds, holds(d))
			// 84 measured minutes bill 90; 60 of those are two thirds, so two thirds of the entry.
			require.Equal(t, []billing.Span{{Work: 1, From: 0, To: 56 * minute}}, d.Charges[0].Spans)
		})
	}
	t.Run("AI overage is never at a person's price", func(t *testing.T) {
		d := decide(t, withBlocks(t, ", overage: 140", []billing.Block{block(7, second)}, aiWork(1, noon, 2*second)))
		require.Equal(t, "block B1 1 s × 0 = 0 [block 7: 0 min]", posts(d))
		require.Equal(t, "exception no-rate B1 unrated: overage B1 1 s × 0 = 0", holds(d))
	})
}

func TestOverageAnchors(t *testing.T) {
	d := decide(t, withBlocks(t, "", nil, work(1, noon, 121*minute)))
	require.Equal(t, "overage B1 2.25 h × 150 = 337.5", posts(d), "by increments of 15 minutes")
	body := "rates: [{hourly: 150}]\nlines: [{clause: B1, name: Block hours, charge: block}]"
	require.Equal(t, "overage B1 2.016666667 h × 150 = 302.5", posts(decide(t, under(t, contract("HB-1", body), work(1, noon, 121*minute)))))
}

func TestEdge32SeveralBlocks(t *testing.T) {
	expiring, late := block(1, 240*minute), block(2, 600*minute)
	expiring.ExpiresAt, late.ExpiresAt = noon.Add(30*24*time.Hour), noon.Add(60*24*time.Hour)
	first := block(3, 10*minute)
	first.Priority = 0
	for name, c := range map[string]struct {
		blocks []billing.Block
		want   string
	}{
		"540 minutes over 240 and 600": {[]billing.Block{late, expiring}, "block B1 9 h × 0 = 0 [block 1: 240 min] [block 2: 300 min]"},
		"priority before expiry":       {[]billing.Block{late, expiring, first}, "block B1 9 h × 0 = 0 [block 3: 10 min] [block 1: 240 min] [block 2: 290 min]"},
		"no expiry comes last":         {[]billing.Block{block(4, 600*minute), expiring}, "block B1 9 h × 0 = 0 [block 1: 240 min] [block 4: 300 min]"},
		"an older grant first":         {[]billing.Block{{ID: 9, Contract: "HB-1", Priority: 1, GrantedAt: noon.Add(-48 * time.Hour), LeftMS: 5 * minute}, block(4, 600*minute)}, "block B1 9 h × 0 = 0 [block 9: 5 min] [block 4: 535 min]"},
		"another contract's never":     {[]billing.Block{{ID: 9, Contract: "HB-2", GrantedAt: noon.Add(-48 * time.Hour), LeftMS: 500 * minute}}, "overage B1 9 h × 150 = 1350"},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.want, posts(decide(t, withBlocks(t, "", c.blocks, work(1, noon, 540*minute)))))
		})
	}
}

func TestEdge33And36OnlyBlocksOfTheWorksTime(t *testing.T) {
	t.Run("a block bought later does not absorb earlier work", func(t *testing.T) {
		b := block(7, 10*hour)
		b.GrantedAt = noon.Add(30 * time.Minute)
		require.Equal(t, "overage B1 0.5 h × 150 = 75\nblock B1 0.5 h × 0 = 0 [block 7: 30 min]", posts(decide(t, withBlocks(t, "", []billing.Block{b}, work(1, noon, hour)))))
	})
	t.Run("expiry is exclusive, by the time of the work", func(t *testing.T) {
		b := block(7, 10*hour)
		b.ExpiresAt = noon.Add(30 * time.Minute)
		require.Equal(t, "block B1 0.5 h × 0 = 0 [block 7: 30 min]\noverage B1 0.5 h × 150 = 75", posts(decide(t, withBlocks(t, "", []billing.Block{b}, work(1, noon, hour)))))
		b.ExpiresAt = noon
		require.Equal(t, "overage B1 1 h × 150 = 150", posts(decide(t, withBlocks(t, "", []billing.Block{b}, work(1, noon, hour)))))
	})
}

func TestEdge45And72TermsOfTheWorksTime(t *testing.T) {
	old := between(t, contract("TM-1", "rates: [{hourly: 100}]\nlines: [{clause: T1, name: Support, charge: time}]"), 1, noon.Add(-time.Hour), noon.Add(time.Hour))
	raised := between(t, contract("TM-1", "rates: [{hourly: 200}]\nlines: [{clause: T1, name: Support, charge: time}]"), 2, noon.Add(time.Hour), time.Time{})
	d := decide(t, facts([]billing.Version{old, raised}, work(1, noon, 30*minute), work(2, noon.Add(45*time.Minute), 30*minute)))
	require.Equal(t, "time T1 0.5 h × 100 = 50\ntime T1 0.25 h × 100 = 25\ntime T1 0.25 h × 200 = 50", posts(d), "an entry across the edge is split there")
	require.Equal(t, []int{1, 1, 2}, []int{d.Charges[0].Revision, d.Charges[1].Revision, d.Charges[2].Revision})
}

func TestEdge72TicketPriceByResolution(t *testing.T) {
	old := between(t, contract("PT-1", perTicket), 1, noon.Add(-time.Hour), noon.Add(time.Hour))
	raised := between(t, contract("PT-1", "lines: [{clause: U1, name: Ticket, charge: per-ticket, price: 15.00}]"), 2, noon.Add(time.Hour), time.Time{})
	d := decide(t, facts([]billing.Version{old, raised}, work(1, noon, 30*minute)))
	require.Equal(t, "covered U1 0.5 h × 0 = 0 hidden\nper-ticket U1 1 ticket × 15 = 15", posts(d))
}

func TestEdge56SilentCustomer(t *testing.T) {
	silent := func(body string) billing.Decision {
		f := under(t, contract("C-A", body), work(1, noon, 30*minute))
		f.Ticket.Code = "silent"
		return decide(t, f)
	}
	require.Equal(t, "time T1 0.5 h × 150 = 75", posts(silent(timeAndMaterials)), "the logged work bills")
	require.Equal(t, "covered U1 0.5 h × 0 = 0 hidden", posts(silent(perTicket)), "the closure does not")
}

func TestEdge69FixedPriceOnce(t *testing.T) {
	f := under(t, contract("PT-1", perTicket), work(1, noon, 5*hour), work(2, noon.Add(5*time.Hour), hour))
	require.Equal(t, "covered U1 6 h × 0 = 0 hidden\nper-ticket U1 1 ticket × 12 = 12", posts(decide(t, f)), "time is cost only")

	f.Ticket.TicketBilled = true
	require.Equal(t, "covered U1 6 h × 0 = 0 hidden", posts(decide(t, f)), "reopened: not again")

	t.Run("per AI resolution", func(t *testing.T) {
		const body = `
rates: [{hourly: 60}]
lines:
  - {clause: U2, name: AI resolution, match: {actors: [ai]}, charge: per-ticket, price: 4.00}
  - {clause: T1, name: Support, charge: time}
`
		f := under(t, contract("PT-1", body), aiWork(1, noon, 90*second))
		f.Ticket.ResolvedKind = "ai"
		require.Equal(t, "covered U2 90 s × 0 = 0 hidden\nper-ticket U2 1 ticket × 4 = 4", posts(decide(t, f)))

		f = under(t, contract("PT-1", body), aiWork(1, noon, 90*second), work(2, noon.Add(time.Hour), 30*minute))
		require.Equal(t, "covered U2 90 s × 0 = 0 hidden\ntime T1 0.5 h × 60 = 30", posts(decide(t, f)), "a person had to finish: the AI resolved nothing")
	})
}

func TestIncludedTicketsOfTheMonth(t *testing.T) {
	f := under(t, contract("PT-1", "lines: [{clause: U1, name: Ticket, charge: per-ticket, price: 12.00, included: 2}]"), work(1, noon, minute))
	require.Equal(t, []string{"tickets/PT-1/U1/2026-03"}, billing.Want(f).Counters)
	var got []string
	for n := range 4 {
		f.Counters = []billing.Counter{{Key: "tickets/PT-1/U1/2026-03", Value: dec("0").Add(dec(string(rune('0' + n))))}}
		got = append(got, decide(t, f).Charges[1].Amount.String())
	}
	require.Equal(t, []string{"0", "0", "12", "12"}, got)
}
