package postgres_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/ticket"
)

// deferredOn tells what of the blocks is not earned at the end of a date, one a line: "60.00 of 2 h"; date "" is now.
func (k *till) deferredOn(date string) []string {
	k.t.Helper()
	b := postgres.Balance{}
	if date != "" {
		b.AsOf = day(k.t, date)
	}
	rows, err := k.ReportDeferred(k.t.Context(), b)
	require.NoError(k.t, err)
	lines := []string{}
	for _, r := range rows {
		lines = append(lines, r.Deferred.StringFixed(2)+" of "+decimal.NewFromInt(r.Left).Div(decimal.NewFromInt(3_600_000)).String()+" h")
	}
	return lines
}

// sweepsBlocks puts the end of every block on record that has expired by now, and says how many.
func (k *till) sweepsBlocks() int {
	k.t.Helper()
	ended, err := k.EndBlocks(k.t.Context(), "", k.now())
	require.NoError(k.t, err)
	return len(ended)
}

// sellsUntil grants acme three hours for 90.00, from the day before the clock's until an instant.
func (k *till) sellsUntil(until string) postgres.Block {
	k.t.Helper()
	expires, err := time.Parse(time.RFC3339, until)
	require.NoError(k.t, err)
	block, err := k.GrantBlock(k.t.Context(), postgres.BlockGrant{
		OperationKey: k.key(), Contract: "acme-block", Hours: decimal.NewFromInt(3), GrantedAt: k.now().AddDate(0, 0, -1), ExpiresAt: expires,
		Price: decimal.NewFromInt(90), Currency: "USD",
	})
	require.NoError(k.t, err)
	return block
}

// What expired in March is March's revenue, though its end is swept in June, and deferred no longer from its last day on.
func TestEdge33HoursExpireOnTheirLastDayHoweverLateTheyAreSwept(t *testing.T) {
	k := newTill(t, blocks)
	k.sellsUntil("2026-04-01T04:00:00Z") // midnight in New York: March 31 is its last day
	k.worked("2026-03-18", 60)
	k.on("2026-06-10")
	require.Equal(t, 1, k.sweepsBlocks())
	require.Equal(t, []string{"2026-03 USD 60.00 30.00 0.00 90.00"}, k.revenue(postgres.ReportFilter{}), "nothing of it is June's")
	require.Equal(t, []string{"60.00 of 2 h"}, k.deferredOn("2026-03-30"))
	require.Empty(t, k.deferredOn("2026-03-31"), "the end of its last day")
	require.Empty(t, k.deferredOn(""))
	k.proved()

	// Work of March that is logged in June takes its hours out of what expired, in March.
	late, _ := k.worked("2026-03-20", 60)
	require.Equal(t, []string{"2026-03 USD 30.00 60.00 0.00 90.00"}, k.revenue(postgres.ReportFilter{}))
	require.Equal(t, []string{"60.00 of 2 h"}, k.deferredOn("2026-03-19"))
	require.Equal(t, []string{"30.00 of 1 h"}, k.deferredOn("2026-03-30"))
	require.Empty(t, k.deferredOn("2026-03-31"))
	k.proved()

	k.reopen(late)
	require.Equal(t, []string{"2026-03 USD 60.00 30.00 0.00 90.00"}, k.revenue(postgres.ReportFilter{}), "and gives them back there")
	k.proved()
}

// Noon is before midnight: hours that end within a day expire on it; at midnight, on the day before.
func TestTheLastDayOfABlock(t *testing.T) {
	for until, last := range map[string]string{
		"2026-03-25T16:00:00Z": "2026-03-25", "2026-03-25T04:00:00Z": "2026-03-24", "2026-03-25T03:59:59.999999Z": "2026-03-24", "2026-03-25T04:00:00.000001Z": "2026-03-25",
	} {
		k := newTill(t, blocks)
		k.sellsUntil(until)
		k.on("2026-05-10")
		require.Equal(t, 1, k.sweepsBlocks())
		lastDay := day(t, last)
		require.Equal(t, []string{"90.00 of 3 h"}, k.deferredOn(lastDay.AddDays(-1).String()), until)
		require.Empty(t, k.deferredOn(last), until)
		k.proved()
	}
}

// A block that waits for nobody to sweep it is as ended as one that was swept.
func TestAnExpiredBlockIsNotTakenBack(t *testing.T) {
	k := newTill(t, blocks)
	block := k.sellsUntil("2026-04-01T04:00:00Z")
	k.on("2026-04-10")
	for range 2 {
		_, err := k.CancelBlock(t.Context(), block.ID, "olga", "sold by mistake")
		require.ErrorContains(t, err, "has ended: 3 h of it expired: credit the client by a line of its own")
		k.sweepsBlocks()
	}
}

// A block that was entered late, for days that are over: what it pays back of hours used ahead of it is booked while it was valid.
func TestABlockOfThePastIsBookedInIt(t *testing.T) {
	k := newTill(t, replaced(blocks, "charge: block", "charge: block, block: {overdraw: 2h}"))
	k.worked("2026-03-18", 60) // an hour ahead of the next block
	k.on("2026-05-20")
	_, err := k.GrantBlock(t.Context(), postgres.BlockGrant{
		OperationKey: "late", Contract: "acme-block", Hours: decimal.NewFromInt(3), GrantedAt: noon.AddDate(0, 0, -3), ExpiresAt: noon.AddDate(0, 0, 20),
		Price: decimal.NewFromInt(90), Currency: "USD", Billed: true,
	})
	require.NoError(t, err)
	k.sweepsBlocks()
	require.Empty(t, k.deferredOn("2026-05-19"), "it was over long ago")
	require.Equal(t, []string{"2026-04 USD 60.00 30.00 0.00 90.00"}, k.revenue(postgres.ReportFilter{}))
	k.proved()
}

// Hours that pay for work of before they were bought are earned when they are: deferred revenue is never below zero.
func TestEarlierWorkIsEarnedFromTheFirstDay(t *testing.T) {
	k := newTill(t, replaced(blocks, "charge: block", "charge: block, block: {earlier_work: true}"))
	k.sellsUntil("2026-04-01T04:00:00Z") // from March 17
	k.worked("2026-03-10", 60)
	require.Empty(t, k.deferredOn("2026-03-16"))
	require.Equal(t, []string{"60.00 of 2 h"}, k.deferredOn("2026-03-17"))
	k.proved()
}

// An allowance is there from its period's first day, and what is left of it goes on the last, though nobody worked for months.
func TestEdge34AllowancesAreBookedByTheirPeriods(t *testing.T) {
	k := newTill(t, bucket)
	k.worked("2026-03-18", 180)
	k.on("2026-06-10")
	k.worked("2026-06-09", 60)
	require.Equal(t, 2, k.sweepsBlocks(), "March's, and what rolled over into April; June's work has ended May's")
	for date, want := range map[string]string{
		"2026-02-28": "0 granted, 0 used, 0 expired, 0 rolled, 0 left",
		"2026-03-01": "10 granted, 0 used, 0 expired, 0 rolled, 10 left",
		"2026-03-30": "10 granted, 3 used, 0 expired, 0 rolled, 7 left",
		"2026-03-31": "10 granted, 3 used, 3 expired, 0 rolled, 4 left",
		"2026-04-29": "10 granted, 3 used, 3 expired, 0 rolled, 4 left",
		"2026-04-30": "10 granted, 3 used, 7 expired, 0 rolled, 0 left",
		"2026-05-01": "20 granted, 3 used, 7 expired, 0 rolled, 10 left",
		"2026-05-31": "20 granted, 3 used, 13 expired, 0 rolled, 4 left",
		"2026-06-10": "30 granted, 4 used, 13 expired, 0 rolled, 13 left",
	} {
		var granted, used, expired, rolled, left int64
		require.NoError(t, k.admin.QueryRow(t.Context(), `
select -coalesce(sum(ms) filter (where account = 'minutes-granted'), 0), coalesce(sum(ms) filter (where account = 'minutes-used'), 0),
  coalesce(sum(ms) filter (where account = 'minutes-expired'), 0), coalesce(sum(ms) filter (where account = 'minutes-rolled'), 0),
  coalesce(sum(ms) filter (where account = 'block-minutes'), 0)
from (select account, (amount / 3600000)::bigint as ms from journal where unit = 'ms' and booked_on <= $1::text::date) j`, date).Scan(&granted, &used, &expired, &rolled, &left))
		require.Equal(t, want, fmt.Sprintf("%d granted, %d used, %d expired, %d rolled, %d left", granted, used, expired, rolled, left), date)
	}
	k.proved()
}

// A period ends at midnight where the contract is, which is already April where the client is.
func TestTheLastDayIsTheContracts(t *testing.T) {
	k := newTill(t)
	require.NoError(t, k.PutClient(t.Context(), ticket.Client{ID: "acme", Name: "Acme", TimeZone: "Asia/Tokyo", Currency: "USD", Payer: "acme"}))
	k.apply(bucket)
	k.worked("2026-03-18", 180)
	k.on("2026-05-10")
	k.sweepsBlocks()
	require.EqualValues(t, 2, k.count("select count(*) from journal where account in ('minutes-expired', 'minutes-rolled') and booked_on = '2026-03-31' and kind = 'move'"))
	require.EqualValues(t, 1, k.count("select count(*) from journal where account = 'minutes-granted' and booked_on = '2026-03-01'"))
	k.proved()
}

func TestTheAuditNamesAnEndOnAnotherDay(t *testing.T) {
	k := newTill(t, blocks)
	block := k.sellsUntil("2026-04-01T04:00:00Z")
	k.on("2026-06-10")
	k.sweepsBlocks()
	k.proved()
	move := k.count("select id from block_moves where kind = 'forfeit'")
	for _, c := range []struct{ does, undoes, finds string }{
		{
			"update journal set booked_on = '2026-06-10' where account = 'breakage'", "update journal set booked_on = '2026-03-31' where account = 'breakage'",
			fmt.Sprintf("move/%d: the journal books it on 2026-06-10, and its day is 2026-03-31", move),
		},
		{
			"update blocks set last_day = '2026-06-10'", "update blocks set last_day = '2026-03-31'",
			fmt.Sprintf("block %d of acme-block is valid from", block.ID),
		},
	} {
		k.tamper(c.does)
		found, err := k.Audit(t.Context(), nil)
		require.NoError(t, err)
		require.Contains(t, strings.Join(found.Journal, "\n"), c.finds)
		k.tamper(c.undoes)
		k.proved()
	}
}
