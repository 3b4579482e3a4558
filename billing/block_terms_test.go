package billing_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
)

func TestEdge36EarlierWork(t *testing.T) {
	b := block(7, 10*hour)
	b.GrantedAt, b.EarliestAt = noon.Add(30*time.Minute), noon.Add(-9*24*time.Hour) // bought on the 10th, its period began on the 1st
	require.Equal(t, "overage B1 0.5 h × 150 = 75\nblock B1 0.5 h × 0 = 0 [block 7: 30 min]",
		posts(decide(t, withBlocks(t, "", []billing.Block{b}, work(1, noon, hour)))), "by default it pays for nothing done before it was bought")
	earlier := ", block: {earlier_work: true}"
	require.Equal(t, "block B1 1 h × 0 = 0 [block 7: 60 min]", posts(decide(t, withBlocks(t, earlier, []billing.Block{b}, work(1, noon, hour)))))
	require.Equal(t, "overage B1 1 h × 150 = 150", posts(decide(t, withBlocks(t, earlier, []billing.Block{b}, work(1, noon.AddDate(0, 0, -15), hour)))),
		"work of the period before is not its period's")

	t.Run("since the period began in the contract's zone", func(t *testing.T) {
		doc := contract("HB-1", "billing: {anchor: 5}\nlines: [{clause: B1, name: Block hours, charge: block"+earlier+"}]")
		at, err := terms(t, doc).EarliestOf(noon)
		require.NoError(t, err)
		require.Equal(t, "2026-03-05T00:00:00Z", at.Format(time.RFC3339))
		at, err = terms(t, contract("HB-1", "lines: [{clause: B1, name: Block hours, charge: block}]")).EarliestOf(noon)
		require.NoError(t, err)
		require.Equal(t, noon, at)
	})
}

func TestEdge38UnpaidBlock(t *testing.T) {
	paid, unpaid := block(7, hour), block(8, hour)
	unpaid.Unpaid, unpaid.Priority = true, 2
	f := withBlocks(t, "", []billing.Block{paid, unpaid}, work(1, noon, 150*minute))
	require.Equal(t, "block B1 2 h × 0 = 0 [block 7: 60 min] [block 8: 60 min]\noverage B1 0.5 h × 150 = 75", posts(decide(t, f)), "usable by default")

	f = withBlocks(t, ", block: {unpaid: hold}", f.Blocks, work(1, noon, 150*minute))
	d := decide(t, f)
	require.Equal(t, "block B1 1 h × 0 = 0 [block 7: 60 min]\noverage B1 0.5 h × 150 = 75", posts(d))
	require.Equal(t, "exception block-unpaid B1: block B1 1 h × 0 = 0 [block 8: 60 min]", holds(d), "what it would pay waits, and is reserved")
	require.Equal(t, "Block 8 of HB-1 B1 is not paid: 1 h that it would pay for wait. Bill them once it is, or rule otherwise.", d.Holds[0].Says)
	require.Contains(t, explainedLines(d.Holds[0].Charges[0]), "Block 8 is not paid, and what it would pay for waits until it is.")

	charges, err := billing.Settle(d.Holds[0], billing.Ruling{Action: billing.Bill, By: "dora", Reason: "paid today"})
	require.NoError(t, err)
	require.Equal(t, "block B1 1 h × 0 = 0 [block 8: 60 min]", render(charges))
}

func TestEdge73Overdraw(t *testing.T) {
	const lent = ", overage: hold, block: {overdraw: 2h}"
	f := withBlocks(t, lent, []billing.Block{block(7, hour)}, work(1, noon, 90*minute))
	require.Equal(t, []string{"overdrawn/HB-1"}, billing.Want(f).Counters)
	d := decide(t, f)
	require.Equal(t, "block B1 1.5 h × 0 = 0 [block 7: 60 min]", posts(d), "an hour of the block, half an hour ahead of the next one")
	require.Equal(t, []billing.Count{{Key: "overdrawn/HB-1", Quantity: dec("1800000")}}, d.Charges[0].Counts)
	require.Contains(t, explainedLines(d.Charges[0]),
		"30 min were used ahead of the next block, which pays them back (clause B1): 30 min of at most 2 h are lent now; 1 h 30 min more, and time would have been billed.")

	f.Blocks = nil
	f.Counters = []billing.Counter{{Key: "overdrawn/HB-1", Value: dec("5400000")}}
	d = decide(t, f)
	require.Equal(t, "block B1 0.5 h × 0 = 0", posts(d), "up to two hours in all")
	require.Equal(t, "exception block-empty B1: overage B1 1 h × 150 = 150", holds(d))

	t.Run("hours ahead need the client's word too", func(t *testing.T) {
		f := under(t, contract("HB-1", "lines: [{clause: B1, name: Block hours, charge: block, block: {overdraw: 2h}}]\napproval: {time_over: 30m, approvers: [P-1]}"), work(1, noon, hour))
		require.Equal(t, "sign-off over-threshold: block B1 1 h × 0 = 0", holds(decide(t, f)))
	})

	r, err := billing.Reverse(3, d.Charges[0], f.Contracts[0].Terms, nil)
	require.NoError(t, err)
	require.Equal(t, "-1800000", r.Counts[0].Quantity.String(), "undone, it is lent no longer")
	require.True(t, r.Amount.IsZero())
}

func TestEdge73OneRenewalForEachBlockUsedUp(t *testing.T) {
	const renews = ", block: {renewal: {hours: 10h, price: 1200.00, expires_days: 365}}"
	used := block(7, 0)
	used.GrantedMS = 10 * hour
	f := withBlocks(t, renews, []billing.Block{used}, work(1, noon, hour), work(2, noon.Add(2*time.Hour), hour))
	require.Contains(t, billing.Want(f).Counters, "overdrawn/HB-1", "its lock keeps two closings from buying at once")
	d := decide(t, f)
	require.Equal(t, "block B1 1 h × 0 = 0 [block -1: 60 min]\nblock B1 1 h × 0 = 0 [block -1: 60 min]\nrecurring B1 1 piece × 1200 = 1200", posts(d))
	require.Equal(t, []billing.Grant{{
		Block: -1, Key: "renew/7", Contract: "HB-1", Revision: 1, Clause: "B1", MS: 10 * hour, Priority: 1,
		GrantedAt: noon, ExpiresAt: noon.AddDate(1, 0, 0), Price: dec("1200.00"), Currency: "EUR",
	}}, d.Grants)
	sale := d.Charges[2]
	require.True(t, sale.BuysBlock())
	require.Equal(t, "Block hours · T-1 — the next 10 h", sale.Text)
	require.Equal(t, "Block 7 was used up, and clause B1 buys the next one by itself: 10 h for 1200.00 EUR, for 365 days.\nSo it costs 1200.00 EUR.", explainedLines(sale))
	require.Equal(t, "2 h of remote work drawn from block hours, 8.0 h left; a block of 10 h bought for 1200.00 EUR, as the last one is used up", billing.Say(f, d))

	t.Run("in mid-entry", func(t *testing.T) {
		f := withBlocks(t, renews, []billing.Block{block(7, 30*minute)}, work(1, noon, hour))
		require.Equal(t, "block B1 1 h × 0 = 0 [block 7: 30 min] [block -1: 30 min]\nrecurring B1 1 piece × 1200 = 1200", posts(decide(t, f)))
	})
	t.Run("one a closing, whatever somebody typed", func(t *testing.T) {
		f := withBlocks(t, renews, []billing.Block{used}, work(1, noon, 12*hour))
		require.Equal(t, "block B1 10 h × 0 = 0 [block -1: 600 min]\noverage B1 2 h × 150 = 300\nrecurring B1 1 piece × 1200 = 1200", posts(decide(t, f)))
	})
	t.Run("not for a block that expired, nor where none was ever bought, nor while one is left", func(t *testing.T) {
		expired, later := block(7, 0), block(8, hour)
		expired.ForfeitedMS, expired.ExpiresAt = hour, noon
		later.GrantedAt = noon.Add(3 * time.Hour)
		for _, blocks := range [][]billing.Block{{expired}, nil, {used, later}} {
			d := decide(t, withBlocks(t, renews, blocks, work(1, noon, hour)))
			require.Equal(t, "overage B1 1 h × 150 = 150", posts(d))
			require.Empty(t, d.Grants)
		}
	})
	t.Run("not for time that waits for a person", func(t *testing.T) {
		f := withBlocks(t, renews, []billing.Block{used}, work(1, noon, hour), work(2, noon, hour))
		d := decide(t, f)
		require.Empty(t, d.Charges)
		require.Empty(t, d.Grants)
	})
	t.Run("an unpaid one holds what it pays for, where the contract says so", func(t *testing.T) {
		d := decide(t, withBlocks(t, ", block: {unpaid: hold, renewal: {hours: 10h, price: 1200.00}}", []billing.Block{used}, work(1, noon, hour)))
		require.Equal(t, "recurring B1 1 piece × 1200 = 1200", posts(d))
		require.Equal(t, "exception block-unpaid B1: block B1 1 h × 0 = 0 [block -1: 60 min]", holds(d))
	})
	t.Run("no sign-off is asked for its price", func(t *testing.T) {
		f := under(t, contract("HB-1", "rates: [{hourly: 150}]\nlines: [{clause: B1, name: Block hours, charge: block"+renews+"}]\napproval: {amount_over: 500, approvers: [P-1]}"), work(1, noon, hour))
		f.Blocks = []billing.Block{used}
		require.Empty(t, decide(t, f).Holds, "the contract agreed to it")
	})
}

func TestBlockRunsLow(t *testing.T) {
	const marked = ", block: {reorder_at: 2h}"
	f := withBlocks(t, marked, []billing.Block{block(7, 3*hour)}, work(1, noon, hour))
	require.Equal(t, "1 h of remote work drawn from block hours, 2.0 h left; time to order hours for HB-1: 2 h left, and 2 h is the mark", billing.Say(f, decide(t, f)))
	f.Blocks = []billing.Block{block(7, 4*hour)}
	require.Equal(t, "1 h of remote work drawn from block hours, 3.0 h left", billing.Say(f, decide(t, f)))
}

func TestEndedBlock(t *testing.T) {
	for name, c := range map[string]struct {
		block billing.EndedBlock
		taken int64
		want  billing.EndMoves
	}{
		"its end: up to the limit rolls over, the rest expires": {billing.EndedBlock{LeftMS: 6, RolloverMS: 4}, 0, billing.EndMoves{Rolls: 4, Forfeits: 2}},
		"nothing rolls over":                         {billing.EndedBlock{LeftMS: 6}, 0, billing.EndMoves{Forfeits: 6}},
		"late work takes what expired first":         {billing.EndedBlock{ForfeitedMS: 2, RolledMS: 4, RolloverMS: 4}, 3, billing.EndMoves{Restores: 2, Unrolls: 1}},
		"what comes back rolls over up to the limit": {billing.EndedBlock{RolledMS: 3, RolloverMS: 4}, -3, billing.EndMoves{Rolls: 1, Forfeits: 2}},
		"what comes back expires again":              {billing.EndedBlock{ForfeitedMS: 1}, -3, billing.EndMoves{Forfeits: 3}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := c.block.After(c.taken)
			require.NoError(t, err)
			require.Equal(t, c.want, got)
		})
	}
	_, err := billing.EndedBlock{ForfeitedMS: 1, RolledMS: 1}.After(3)
	require.ErrorContains(t, err, "3 ms cannot be taken")
}
