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
