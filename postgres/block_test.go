package postgres_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/ticket"
)

const bucket = `
schema: docket.contract/v1
contract: acme-bucket
client: acme
name: Ten hours a month
effective_from: "2026-01-01"
currency: USD
time_zone: America/New_York
rates:
  - {clause: "3.1", work_role: engineer, hourly: "120.00"}
lines:
  - {clause: "6.1", name: Monthly hours, charge: bucket, bucket: {included: 10h, rollover: 4h}, match: {categories: [email, network]}}
approval: {clause: "5.1", time_over: 9h, approvers: [ann], expires: 72h}
`

// on moves the clock to noon in New York of a date.
func (k *till) on(date string) {
	day, err := time.Parse(time.DateOnly, date)
	require.NoError(k.t, err)
	k.clock.Store(day.Add(17 * time.Hour).UnixNano())
}

// worked closes a new ticket of acme's with work that began at noon of a date.
func (k *till) worked(date string, minutes int) (ticket.ID, billing.Receipt) {
	k.t.Helper()
	id := k.ticket("email")
	entry := k.minutes("tom", minutes)
	day, err := time.Parse(time.DateOnly, date)
	require.NoError(k.t, err)
	entry.StartedAt = day.Add(17 * time.Hour)
	if end := entry.StartedAt.Add(time.Duration(entry.MS) * time.Millisecond); end.After(k.now()) {
		entry.StartedAt = k.now().Add(-time.Duration(entry.MS) * time.Millisecond)
	}
	return id, k.close(id, 1, entry)
}

func (k *till) reopen(id ticket.ID) {
	k.t.Helper()
	_, err := k.Reopen(k.t.Context(), id, ticket.Reopen{Header: k.by("tom"), Reason: "again"})
	require.NoError(k.t, err)
}

// stood tells acme's blocks in hours, one a line: "2026-03-01 10 left 7, forfeited 0, rolled 0".
func (k *till) stood() []string {
	k.t.Helper()
	found, err := k.Blocks(k.t.Context(), "")
	require.NoError(k.t, err)
	hours := func(ms int64) string { return decimal.NewFromInt(ms).Div(decimal.NewFromInt(3_600_000)).String() }
	lines := []string{}
	for _, b := range found {
		name := "bought"
		if b.Period != "" {
			name = b.Period
		}
		if b.RolledFrom != 0 {
			name += " rolled"
		}
		lines = append(lines, fmt.Sprintf("%s %s: %s left, %s forfeited, %s rolled over", name, hours(b.GrantedMS), hours(b.RemainingMS), hours(b.ForfeitedMS), hours(b.RolledMS)))
	}
	return lines
}

func (k *till) moves(kind string) int64 {
	k.t.Helper()
	return k.count("select count(*) from block_moves where kind = $1", kind)
}

func TestEdge34RolloverAboveItsLimitExpiresOnRecord(t *testing.T) {
	k := newTill(t, bucket)
	k.worked("2026-03-18", 180)
	require.Equal(t, []string{"2026-03-01 10: 7 left, 0 forfeited, 0 rolled over"}, k.stood(), "nothing before the contract was on the books")
	k.proved()

	k.on("2026-04-10")
	_, receipt := k.worked("2026-04-09", 60)
	require.Equal(t, "1 h of remote work from the allowance (acme-bucket 6.1), 13.0 h left", receipt.Says)
	require.Equal(t, []string{
		"2026-03-01 10: 0 left, 3 forfeited, 4 rolled over",
		"2026-04-01 10: 9 left, 0 forfeited, 0 rolled over",
		"2026-04-01 rolled 4: 4 left, 0 forfeited, 0 rolled over",
	}, k.stood())
	require.EqualValues(t, 1, k.count("select count(*) from block_moves where operation_key like 'forfeit/%' and ms = 3 * 3600000"))
	require.EqualValues(t, 1, k.count("select count(*) from block_grants g join block_moves m on m.into_block = g.block_id and m.ms = g.ms where g.operation_key like 'rolled/%'"), "a linked pair")
	k.proved()

	// Hours that rolled over roll no further, and a period without work still grants and ends.
	k.on("2026-06-10")
	k.worked("2026-06-09", 60)
	ended, err := k.EndBlocks(t.Context(), "", k.now())
	require.NoError(t, err)
	require.Len(t, ended, 3, "April's two, and what rolled over into May, which nobody touched, is June's")
	require.Equal(t, "0.00", k.owed())
	k.proved()
}

func TestEdge33LateWorkOfAnEndedPeriod(t *testing.T) {
	k := newTill(t, bucket)
	k.worked("2026-03-18", 180)
	k.on("2026-04-10")
	k.worked("2026-04-09", 60)

	// Five hours of March, logged in April: three had been forfeited, two rolled over.
	late, receipt := k.worked("2026-03-19", 300)
	require.Equal(t, "0.00", k.owed())
	require.Len(t, receipt.Posted, 1)
	require.Equal(t, []string{
		"2026-03-01 10: 0 left, 0 forfeited, 2 rolled over",
		"2026-04-01 10: 9 left, 0 forfeited, 0 rolled over",
		"2026-04-01 rolled 2: 2 left, 0 forfeited, 0 rolled over",
	}, k.stood())
	require.EqualValues(t, 2, k.count("select count(*) from block_moves m join block_moves u on u.id = m.undoes and u.block_id = m.block_id where m.kind in ('restore', 'unroll')"),
		"linked to what they undo")
	why, err := k.Why(t.Context(), receipt.Posted[0].Line)
	require.NoError(t, err)
	require.Contains(t, fmt.Sprint(why), "3 h had been forfeited, and came back; 2 h had rolled over, and came back from block")
	k.proved()

	// Undone, they roll over and expire again.
	k.reopen(late)
	require.Equal(t, []string{
		"2026-03-01 10: 0 left, 3 forfeited, 4 rolled over",
		"2026-04-01 10: 9 left, 0 forfeited, 0 rolled over",
		"2026-04-01 rolled 4: 4 left, 0 forfeited, 0 rolled over",
	}, k.stood())
	k.proved()

	// April uses eleven of its fourteen hours: its own, and one of those that rolled over.
	k.worked("2026-04-10", 600)
	k.worked("2026-03-20", 540)
	require.Equal(t, "360.00", k.owed(), "three hours were forfeited and three of the four that rolled over are left; the rest of the nine is billed")
	k.proved()
}

func TestEdge33ABoughtBlockExpiresWithABalance(t *testing.T) {
	k := newTill(t, blocks)
	_, err := k.GrantBlock(t.Context(), postgres.BlockGrant{
		OperationKey: "march", Contract: "acme-block", Hours: decimal.NewFromInt(5), GrantedAt: noon.AddDate(0, -1, 0), ExpiresAt: noon.AddDate(0, 0, 10), Currency: "USD",
	})
	require.NoError(t, err)
	k.worked("2026-03-18", 60)
	none, err := k.EndBlocks(t.Context(), "acme-block", k.now())
	require.NoError(t, err)
	require.Empty(t, none, "not yet")

	k.on("2026-04-10")
	for _, want := range []int{1, 0} {
		ended, err := k.EndBlocks(t.Context(), "acme-block", k.now())
		require.NoError(t, err)
		require.Len(t, ended, want, "once")
	}
	require.Equal(t, []string{"bought 5: 0 left, 4 forfeited, 0 rolled over"}, k.stood())
	require.EqualValues(t, 1, k.count("select count(*) from block_moves where operation_key = 'forfeit/' || block_id"))
	k.proved()

	late, _ := k.worked("2026-03-19", 90)
	require.Equal(t, []string{"bought 5: 0 left, 2.5 forfeited, 0 rolled over"}, k.stood())
	k.worked("2026-04-09", 60)
	require.Equal(t, "120.00", k.owed(), "work after the expiry is not paid by it")
	k.reopen(late)
	require.Equal(t, []string{"bought 5: 0 left, 4 forfeited, 0 rolled over"}, k.stood(), "what comes back to an expired block expires again")
	k.proved()
}

func TestFirstClosingsOfAPeriodFromFiftySides(t *testing.T) {
	k := newTill(t, bucket)
	k.worked("2026-03-18", 60)
	k.on("2026-04-10")
	tickets := make([]ticket.ID, 50)
	for i := range tickets {
		tickets[i] = k.ticket("email")
	}
	many(len(tickets), func(i int) {
		_, err := k.Close(context.WithoutCancel(t.Context()), tickets[i], 1, k.resolve("tom", k.minutes("tom", 20)))
		require.NoError(t, err)
	})
	// 50 × 20 minutes: fourteen hours are granted, 160 minutes are overage at 120.00.
	require.Equal(t, "320.00", k.owed())
	require.EqualValues(t, 1, k.count("select count(*) from blocks where operation_key = 'bucket/acme-bucket/6.1/2026-04-01'"))
	require.Equal(t, []string{
		"2026-03-01 10: 0 left, 5 forfeited, 4 rolled over",
		"2026-04-01 10: 0 left, 0 forfeited, 0 rolled over",
		"2026-04-01 rolled 4: 0 left, 0 forfeited, 0 rolled over",
	}, k.stood())
	k.proved()
}

func TestEdge65AHeldAllowanceOutlivesItsPeriod(t *testing.T) {
	k := newTill(t, bucket)
	id, receipt := k.worked("2026-03-18", 570)
	require.Len(t, receipt.Held, 1, "nine and a half hours need a word from the client")
	require.Equal(t, []string{"2026-03-01 10: 0.5 left, 0 forfeited, 0 rolled over"}, k.stood(), "reserved")

	k.on("2026-04-10")
	k.worked("2026-04-09", 60)
	require.Equal(t, []string{
		"2026-03-01 10: 0 left, 0 forfeited, 0.5 rolled over",
		"2026-04-01 10: 9 left, 0 forfeited, 0 rolled over",
		"2026-04-01 rolled 0.5: 0.5 left, 0 forfeited, 0 rolled over",
	}, k.stood(), "what is reserved does not expire")
	k.proved()

	t.Run("waived, it rolls over and expires", func(t *testing.T) {
		_, err := k.Rule(t.Context(), id, ticket.Rule{Header: k.by("dora"), Hold: receipt.Held[0].Hold, Action: ticket.WriteOff, Reason: "our mistake"})
		require.NoError(t, err)
		require.Equal(t, []string{
			"2026-03-01 10: 0 left, 6 forfeited, 4 rolled over",
			"2026-04-01 10: 9 left, 0 forfeited, 0 rolled over",
			"2026-04-01 rolled 4: 4 left, 0 forfeited, 0 rolled over",
		}, k.stood())
		k.proved()
	})
}

func TestAnAllowanceGrowsWithItsContract(t *testing.T) {
	k := newTill(t, bucket)
	k.worked("2026-03-18", 60)
	k.on("2026-03-20")
	more := `
schema: docket.contract/v1
contract: acme-bucket
client: acme
name: Twenty hours a month
effective_from: "2026-03-22"
currency: USD
time_zone: America/New_York
rates:
  - {clause: "3.1", work_role: engineer, hourly: "120.00"}
lines:
  - {clause: "6.1", name: Monthly hours, charge: bucket, bucket: {included: 41h, rollover: 4h}, match: {categories: [email, network]}}
`
	_, err := k.ApplyContract(t.Context(), []byte(more), "olga", false)
	require.NoError(t, err)
	k.worked("2026-03-20", 60)
	require.Equal(t, []string{"2026-03-01 20: 18 left, 0 forfeited, 0 rolled over"}, k.stood(), "31 h more for 10 of 31 days")
	k.worked("2026-03-20", 60)
	require.EqualValues(t, 2, k.count("select count(*) from block_grants"), "added once")
	k.proved()
}

func TestGrantAllowancesAsThePeriodRunDoes(t *testing.T) {
	k := newTill(t, bucket)
	for range 2 {
		granted, err := k.GrantAllowances(t.Context(), "acme-bucket", "2026-03-18", k.now())
		require.NoError(t, err)
		require.Len(t, granted, 1)
	}
	k.on("2026-04-01")
	granted, err := k.GrantAllowances(t.Context(), "acme-bucket", "2026-04-01", k.now())
	require.NoError(t, err)
	require.Len(t, granted, 2, "its own hours, and what rolled over")
	require.Equal(t, []string{
		"2026-03-01 10: 0 left, 6 forfeited, 4 rolled over",
		"2026-04-01 10: 10 left, 0 forfeited, 0 rolled over",
		"2026-04-01 rolled 4: 4 left, 0 forfeited, 0 rolled over",
	}, k.stood())
	k.proved()
}

func TestEdge38AnUnpaidBlockHoldsWhatItPays(t *testing.T) {
	k := newTill(t, replaced(blocks, "charge: block,", "charge: block, block: {unpaid: hold},"))
	sold := postgres.BlockGrant{OperationKey: "b", Contract: "acme-block", Hours: decimal.NewFromInt(5), GrantedAt: noon.AddDate(0, -1, 0), Price: decimal.NewFromInt(500), Currency: "USD", Unpaid: true}
	block, err := k.GrantBlock(t.Context(), sold)
	require.NoError(t, err)
	require.True(t, block.Unpaid)
	id, receipt := k.worked("2026-03-18", 60)
	require.Len(t, receipt.Held, 1)
	require.Equal(t, billing.BlockUnpaid, receipt.Held[0].Reason)
	require.Equal(t, "4", k.hoursLeft(), "it is reserved")

	_, err = k.PayBlock(t.Context(), block.ID, "tom")
	require.ErrorContains(t, err, "it takes the role owner or finance")
	for range 2 {
		block, err = k.PayBlock(t.Context(), block.ID, "olga")
		require.NoError(t, err)
		require.False(t, block.Unpaid)
	}
	_, err = k.Rule(t.Context(), id, ticket.Rule{Header: k.by("dora"), Hold: receipt.Held[0].Hold, Action: ticket.Bill, Reason: "paid"})
	require.NoError(t, err)
	_, receipt = k.worked("2026-03-18", 60)
	require.Empty(t, receipt.Held)
	require.Equal(t, "3", k.hoursLeft())
	k.proved()
}

func TestEdge39APartlyUsedBlockCannotBeCancelled(t *testing.T) {
	k := newTill(t, blocks)
	k.grant(5)
	listed, err := k.Blocks(t.Context(), "acme-block")
	require.NoError(t, err)
	id := listed[0].ID
	used, _ := k.worked("2026-03-18", 90)

	_, err = k.CancelBlock(t.Context(), id, "olga", "sold by mistake")
	require.ErrorContains(t, err, "is partly used: 1.5 h of its 5 h are drawn or reserved")
	_, err = k.CancelBlock(t.Context(), id, "tom", "sold by mistake")
	require.ErrorContains(t, err, "may not cancel it")
	k.reopen(used)
	for range 2 {
		block, err := k.CancelBlock(t.Context(), id, "olga", "sold by mistake")
		require.NoError(t, err)
		require.Zero(t, block.RemainingMS)
		require.NotNil(t, block.CancelledAt)
	}
	k.begin(used, 2)
	k.pass(3 * time.Hour)
	k.close(used, 2, k.minutes("tom", 30))
	require.Equal(t, "240.00", k.owed(), "a cancelled block pays for nothing")
	k.proved()
}

func TestEdge39VoidingTheInvoiceThatSoldAPartlyUsedBlock(t *testing.T) {
	k := newTill(t, blocks)
	_, err := k.GrantBlock(t.Context(), postgres.BlockGrant{
		OperationKey: "order-7", Contract: "acme-block", Hours: decimal.NewFromInt(5), GrantedAt: noon.AddDate(0, 0, -1), Price: decimal.NewFromInt(550), Currency: "USD",
	})
	require.NoError(t, err)
	id, _ := k.worked("2026-03-18", 90)
	invoice, err := k.Finalise(t.Context(), postgres.Finalisation{Payer: "acme", Currency: "USD", Period: "2026-03-01", By: "olga", Early: true})
	require.NoError(t, err)

	void := postgres.InvoiceVoid{InvoiceDeed: postgres.InvoiceDeed{Invoice: invoice.ID, By: "olga", OperationKey: k.key()}, Reason: "wrong address"}
	_, err = k.Void(t.Context(), void)
	require.ErrorContains(t, err, "of whose 5 h 1.5 h are drawn or reserved")
	k.reopen(id)
	void.OperationKey = k.key()
	_, err = k.Void(t.Context(), void)
	require.NoError(t, err, "nothing of it is used any more")
	k.proved()
}

func TestASoldBlockIsALineOfItsOwn(t *testing.T) {
	k := newTill(t, blocks)
	sold := postgres.BlockGrant{OperationKey: "order-7", Contract: "acme-block", Hours: decimal.NewFromInt(5), GrantedAt: noon, Price: decimal.NewFromInt(550), Currency: "USD", By: "olga"}
	var block postgres.Block
	many(5, func(int) {
		made, err := k.GrantBlock(context.WithoutCancel(t.Context()), sold)
		require.NoError(t, err)
		block = made
	})
	require.Equal(t, "550.00", k.owed(), "one block, one line")
	line := k.count("select charge_id from invoice_lines")
	why, err := k.Why(t.Context(), line)
	require.NoError(t, err)
	require.Contains(t, fmt.Sprint(why), "The client bought a block of 5 h on 2026-03-18 for 550.00 USD.")
	elsewhere := sold
	elsewhere.OperationKey, elsewhere.Billed = "before us", true
	_, err = k.GrantBlock(t.Context(), elsewhere)
	require.NoError(t, err)
	require.Equal(t, "550.00", k.owed())
	k.proved()

	for range 2 {
		_, err = k.CancelBlock(t.Context(), block.ID, "olga", "sold by mistake")
		require.NoError(t, err)
		require.Equal(t, "0.00", k.owed(), "its price goes back with it, once")
	}
	k.proved()
}

func TestEdge73HoursAheadOfTheNextBlock(t *testing.T) {
	k := newTill(t, replaced(blocks, "charge: block,", "charge: block, block: {overdraw: 3h},"))
	first, _ := k.worked("2026-03-18", 120)
	require.Equal(t, "0.00", k.owed())
	require.EqualValues(t, 7_200_000, k.count("select value::bigint from counters where key = 'overdrawn/acme-block'"))
	k.grant(5)
	require.Equal(t, "3", k.hoursLeft(), "two hours are paid back")
	require.Zero(t, k.count("select value::bigint from counters where key = 'overdrawn/acme-block'"))
	k.proved()

	k.reopen(first)
	require.Equal(t, "5", k.hoursLeft(), "what was paid back for it comes back to the block")
	require.Zero(t, k.count("select value::bigint from counters where key = 'overdrawn/acme-block'"))
	k.proved()

	k.worked("2026-03-18", 540)
	require.Equal(t, "120.00", k.owed(), "five hours, three ahead, one beyond")
	k.grant(1)
	require.Equal(t, "0", k.hoursLeft(), "the next block pays back what it can")
	require.EqualValues(t, 7_200_000, k.count("select value::bigint from counters where key = 'overdrawn/acme-block'"))
	k.proved()
}

func TestEdge73OneRenewalWhoeverNeedsIt(t *testing.T) {
	k := newTill(t, replaced(replaced(blocks, "charge: block,", `charge: block, block: {renewal: {hours: 10h, price: "1000.00", expires_days: 365}},`), `amount_over: "500.00"`, "time_over: 90m"))
	k.grant(1)
	tickets := make([]ticket.ID, 50)
	for i := range tickets {
		tickets[i] = k.ticket("email")
	}
	many(len(tickets), func(i int) {
		_, err := k.Close(context.WithoutCancel(t.Context()), tickets[i], 1, k.resolve("tom", k.minutes("tom", 12)))
		require.NoError(t, err)
	})
	// Ten hours: one was there, nine of the ten that were bought.
	require.Equal(t, "1000.00", k.owed(), "one block was bought, once")
	require.Equal(t, []string{"bought 10: 1 left, 0 forfeited, 0 rolled over", "bought 1: 0 left, 0 forfeited, 0 rolled over"}, k.stood())
	k.proved()

	k.reopen(tickets[0])
	require.Equal(t, "1000.00", k.owed(), "a block stays bought, whatever becomes of the ticket")
	k.proved()

	t.Run("what was bought and not used goes back with its price", func(t *testing.T) {
		listed, err := k.Blocks(t.Context(), "")
		require.NoError(t, err)
		_, err = k.CancelBlock(t.Context(), listed[0].ID, "olga", "too early")
		require.ErrorContains(t, err, "is partly used")
		for _, id := range tickets[1:] {
			k.reopen(id)
		}
		_, err = k.CancelBlock(t.Context(), listed[0].ID, "olga", "too early")
		require.NoError(t, err)
		require.Equal(t, "0.00", k.owed())
		k.proved()
	})
}

func TestEdge73HeldDrawsOfABlockThatWasJustBought(t *testing.T) {
	k := newTill(t, replaced(replaced(blocks, "charge: block,", `charge: block, block: {renewal: {hours: 10h, price: "1000.00", expires_days: 365}},`), `amount_over: "500.00"`, "time_over: 90m"))
	k.grant(1)
	id, receipt := k.worked("2026-03-18", 120)
	require.Len(t, receipt.Held, 1, "two hours need a word from the client")
	require.Equal(t, "1000.00", k.owed(), "the block is bought all the same: the contract agreed to it")
	require.Equal(t, "9", k.hoursLeft(), "an hour of it is reserved")
	k.proved()
	_, err := k.SignOff(t.Context(), id, ticket.SignOff{Header: k.by("ann"), Hold: receipt.Held[0].Hold, Digest: receipt.Held[0].Digest, Approved: true})
	require.NoError(t, err)
	require.Equal(t, "9", k.hoursLeft())
	k.proved()
	k.reopen(id)
	require.Equal(t, "11", k.hoursLeft())
	require.Equal(t, "1000.00", k.owed())
	k.proved()
}

// TestAuditFindsWrongLivesOfBlocks tampers with each cache and link that the audit proves.
func TestAuditFindsWrongLivesOfBlocks(t *testing.T) {
	k := newTill(t, bucket)
	k.worked("2026-03-18", 180)
	k.on("2026-04-10")
	k.worked("2026-04-09", 60)
	k.proved()
	for tamper, says := range map[string]string{
		"update blocks set forfeited_ms = forfeited_ms + 1 where period = '2026-03-01'": "expired",
		"update blocks set granted_ms = granted_ms + 1 where rolled_from is not null":   "its grants come to",
		"update blocks set rolled_ms = rolled_ms - 1 where period = '2026-03-01'":       "rolled over",
	} {
		_, err := k.admin.Exec(t.Context(), tamper)
		require.NoError(t, err)
		found, err := k.Audit(t.Context(), nil)
		require.NoError(t, err)
		require.Contains(t, fmt.Sprint(found.Caches), says)
	}
}

// TestBlocksInAnyOrder plays a hundred deeds in a random order on one allowance and some bought blocks: the books hold
// after each.
func TestBlocksInAnyOrder(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, seed))
	network := replaced(replaced(blocks, "categories: [email, network]", "categories: [network]"), "charge: block,", "charge: block, block: {overdraw: 2h},")
	k := newTill(t, replaced(bucket, "[email, network]", "[email]"), network)
	var closed []ticket.ID
	open := map[ticket.ID][]billing.HeldQuote{}
	for range 100 {
		switch r.IntN(10) {
		case 0:
			k.pass(time.Duration(5+r.IntN(25)) * 24 * time.Hour)
		case 1:
			k.pass(time.Hour)
			g := postgres.BlockGrant{OperationKey: k.key(), Contract: "acme-block", Hours: decimal.NewFromInt(int64(1 + r.IntN(6))), GrantedAt: k.now().AddDate(0, 0, -r.IntN(20)), Currency: "USD"}
			g.ExpiresAt = k.now().AddDate(0, 0, 1+r.IntN(40))
			_, err := k.GrantBlock(t.Context(), g)
			require.NoError(t, err)
		case 2:
			_, err := k.EndBlocks(t.Context(), "", k.now())
			require.NoError(t, err)
		case 3:
			if len(closed) > 0 {
				i := r.IntN(len(closed))
				k.reopen(closed[i])
				delete(open, closed[i])
				closed = append(closed[:i], closed[i+1:]...)
			}
		case 4:
			for id, held := range open {
				action := []ticket.Ruling{ticket.Cover, ticket.WriteOff}[r.IntN(2)]
				if r.IntN(2) == 0 {
					_, err := k.SignOff(t.Context(), id, ticket.SignOff{Header: k.by("ann"), Hold: held[0].Hold, Digest: held[0].Digest, Approved: true})
					require.NoError(t, err)
				} else {
					_, err := k.Rule(t.Context(), id, ticket.Rule{Header: k.by("dora"), Hold: held[0].Hold, Action: action, Reason: "so be it"})
					require.NoError(t, err)
				}
				delete(open, id)
				break
			}
		default:
			id := k.ticket([]string{"email", "network"}[r.IntN(2)])
			entry := k.minutes("tom", 10+r.IntN(700))
			entry.StartedAt = entry.StartedAt.AddDate(0, 0, -r.IntN(45))
			receipt := k.close(id, 1, entry)
			closed = append(closed, id)
			if len(receipt.Held) == 1 && receipt.Held[0].Kind == billing.SignOff {
				open[id] = receipt.Held
			}
		}
		k.proved()
	}
}

// replaced is a contract with one of its parts said otherwise.
func replaced(document, part, by string) string {
	if !strings.Contains(document, part) {
		panic("no " + part)
	}
	return strings.Replace(document, part, by, 1)
}
