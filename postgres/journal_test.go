package postgres_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/ticket"
)

// booked tells the entries about something, one posting a line: "payment cash 200.00".
func (k *till) booked(ref string) []string {
	k.t.Helper()
	rows, err := k.JournalOf(k.t.Context(), ref)
	require.NoError(k.t, err)
	lines := []string{}
	for _, r := range rows {
		amount := r.Amount.StringFixed(2)
		if r.Unit == "ms" {
			amount = r.Amount.Div(decimal.NewFromInt(3_600_000)).String() + " h"
		}
		lines = append(lines, r.Kind+" "+r.Account+" "+amount)
	}
	return lines
}

// earned tells what is booked as revenue, one account a line.
func (k *till) earned() []string {
	k.t.Helper()
	rows, err := k.ReportAccounts(k.t.Context(), postgres.ReportFilter{})
	require.NoError(k.t, err)
	lines := []string{}
	for _, r := range rows {
		require.NotEmpty(k.t, r.Name)
		lines = append(lines, r.Account+" "+r.Amount.StringFixed(2))
	}
	return lines
}

func TestTheLifeOfAnInvoiceInTheJournal(t *testing.T) {
	k := newTill(t, replaced(hourly, "currency: USD", "currency: USD\naccounting: {account: \"4400\"}"))
	k.tax(newYork)
	require.NoError(t, k.TaxClient(t.Context(), "acme", "NY", "olga"))
	id := k.ticket("email")
	line := k.close(id, 1, k.minutes("tom", 80)).Posted[0].Line
	require.Equal(t, []string{"line wip 225.00", "line revenue/4400 -225.00"}, k.booked(ticket.LineID(line)))
	down, err := k.writeDown("olga", line, "200.00")
	require.NoError(t, err)
	require.Equal(t, []string{"line write-downs 25.00", "line wip -25.00"}, k.booked(ticket.LineID(down.By)))

	march := k.month("2026-03")
	require.Equal(t, []string{"invoice receivable 217.75", "invoice tax -17.75", "invoice wip -200.00"}, k.booked(march.Number))
	k.void(march)
	require.Equal(t, []string{"void tax 17.75", "void wip 200.00", "void receivable -217.75"}, k.booked(march.Number)[3:], "it is work in progress again")
	again := k.count("select id from charges where kind = 'rebilled' and adjusts = $1", line)
	require.Empty(t, k.booked(ticket.LineID(again)), "and the lines that bill it again book nothing")

	k.nextMonth()
	april := k.month("2026-04")
	k.pay(april, "100.00")
	k.credit(april, "150.00")
	require.Equal(t, []string{
		"invoice receivable 217.75", "invoice tax -17.75", "invoice wip -200.00",
		"note credit-notes 137.77", "note tax 12.23", "note client-credit -32.25", "note receivable -117.75",
		"payment cash 100.00", "payment receivable -100.00",
	}, k.booked(april.Number))
	k.pay(april, "10.00")
	require.Equal(t, []string{"payment cash 10.00", "payment client-credit -10.00"}, k.booked(april.Number)[9:])
	require.Equal(t, []string{"revenue/4400 225.00", "write-downs -25.00", "credit-notes -137.77"}, k.earned())

	k.close(k.ticket("email"), 1, k.minutes("tom", 60))
	k.nextMonth()
	k.proved()
}

// A third of 100.00 is 33.33: what is used is worth the difference of what all that was used is worth, so that nothing is lost.
func TestBlockHoursAreEarnedAsTheyAreUsed(t *testing.T) {
	k := newTill(t, blocks)
	sold := postgres.BlockGrant{
		OperationKey: "order-7", Contract: "acme-block", Hours: decimal.NewFromInt(3), GrantedAt: noon.AddDate(0, 0, -1), ExpiresAt: noon.AddDate(0, 1, 0),
		Price: decimal.NewFromInt(100), Currency: "USD",
	}
	block, err := k.GrantBlock(t.Context(), sold)
	require.NoError(t, err)
	name := fmt.Sprintf("block/%d", block.ID)
	require.Equal(t, []string{"block block-sales 100.00", "block deferred -100.00", "block block-minutes 3 h", "block minutes-granted -3 h"}, k.booked(name))
	require.Equal(t, []string{"line wip 100.00", "line block-sales -100.00"}, k.booked(ticket.LineID(k.count("select charge_id from invoice_lines"))))
	require.Empty(t, k.earned(), "it is sold, and nothing of it is earned")

	used := []ticket.ID{}
	for range 2 {
		id, _ := k.worked("2026-03-18", 60)
		used = append(used, id)
	}
	require.Equal(t, []string{
		"move deferred 33.33", "move block-revenue -33.33", "move minutes-used 1 h", "move block-minutes -1 h",
		"move deferred 33.34", "move block-revenue -33.34", "move minutes-used 1 h", "move block-minutes -1 h",
	}, k.booked(name)[4:])
	k.reopen(used[0])
	require.Equal(t, []string{"block-revenue 33.33"}, k.earned())
	deferred, err := k.ReportDeferred(t.Context(), postgres.Balance{})
	require.NoError(t, err)
	require.Len(t, deferred, 1)
	require.Equal(t, "66.67 7200000", deferred[0].Deferred.StringFixed(2)+fmt.Sprintf(" %d", deferred[0].Left))

	k.pass(40 * 24 * time.Hour)
	_, err = k.EndBlocks(t.Context(), "", k.now())
	require.NoError(t, err)
	require.Equal(t, []string{"block-revenue 33.33", "breakage 66.67"}, k.earned())
	deferred, err = k.ReportDeferred(t.Context(), postgres.Balance{})
	require.NoError(t, err)
	require.Empty(t, deferred)
	before, err := k.ReportDeferred(t.Context(), postgres.Balance{AsOf: day(t, "2026-03-18")})
	require.NoError(t, err)
	require.Len(t, before, 1, "and at the end of that day it was not")
	k.proved()
}

func TestRacingDrawsEarnABlockWhole(t *testing.T) {
	k := newTill(t, blocks)
	_, err := k.GrantBlock(t.Context(), postgres.BlockGrant{
		OperationKey: "order-7", Contract: "acme-block", Hours: decimal.NewFromInt(8), GrantedAt: noon.AddDate(0, 0, -1), Price: decimal.RequireFromString("100.01"), Currency: "USD",
	})
	require.NoError(t, err)
	const each = 24 // twenty minutes: a block of eight hours
	ids := make([]ticket.ID, each)
	closings := make([]ticket.Resolve, each)
	for i := range ids {
		ids[i], closings[i] = k.ticket("email"), k.resolve("tom", k.minutes("tom", 20))
	}
	many(each, func(i int) {
		_, err := k.Close(context.WithoutCancel(t.Context()), ids[i], 1, closings[i])
		require.NoError(t, err)
	})
	require.Equal(t, []string{"block-revenue 100.01"}, k.earned())
	k.proved()
}

func TestABlockOfAnotherHouseAndOneThatIsTakenBack(t *testing.T) {
	k := newTill(t, blocks)
	sold := postgres.BlockGrant{OperationKey: "a", Contract: "acme-block", Hours: decimal.NewFromInt(2), GrantedAt: noon.AddDate(0, 0, -1), Price: decimal.NewFromInt(200), Currency: "USD", Billed: true}
	_, err := k.GrantBlock(t.Context(), sold)
	require.NoError(t, err)
	k.worked("2026-03-18", 60)
	require.Equal(t, []string{"block-revenue 100.00"}, k.earned(), "whoever billed it, its hours are worked here")
	require.EqualValues(t, 200, k.count("select sum(amount)::bigint from journal where account = 'block-sales'"), "what was billed elsewhere")

	sold.OperationKey, sold.Billed = "b", false
	block, err := k.GrantBlock(t.Context(), sold)
	require.NoError(t, err)
	_, err = k.CancelBlock(t.Context(), block.ID, "olga", "sold by mistake")
	require.NoError(t, err)
	require.Equal(t, []string{"move deferred 200.00", "move block-sales -200.00", "move minutes-granted 2 h", "move block-minutes -2 h"}, k.booked(fmt.Sprintf("block/%d", block.ID))[4:])
	require.EqualValues(t, 200, k.count("select sum(amount)::bigint from journal where account = 'block-sales'"))
	wip, err := k.ReportWIP(t.Context(), postgres.Balance{})
	require.NoError(t, err)
	require.Empty(t, wip)
	k.proved()
}

// Hours of a period that roll over have no price, and are in the books all the same.
func TestAllowancesAreHoursInTheJournal(t *testing.T) {
	k := newTill(t, bucket)
	k.on("2026-04-20")
	k.worked("2026-04-20", 120)
	k.on("2026-05-20")
	k.worked("2026-05-20", 60)
	require.EqualValues(t, 0, k.count("select coalesce(sum(amount), 0)::bigint from journal where account = 'minutes-rolled'"), "what left a period has come into the next one")
	require.EqualValues(t, 3, k.count("select sum(amount)::bigint / 3600000 from journal where account = 'minutes-used'"))
	require.Zero(t, k.count("select count(*) from journal where unit <> 'ms'"))
	k.proved()
}

func TestPricesThatIncludeTaxInTheJournal(t *testing.T) {
	k := newTill(t, hourly)
	k.tax(newYork + "prices: inclusive\n")
	require.NoError(t, k.TaxClient(t.Context(), "acme", "NY", "olga"))
	_, march := k.billed(80)
	require.Equal(t, []string{"invoice receivable 225.00", "invoice tax-in-prices 18.34", "invoice tax -18.34", "invoice wip -225.00"}, k.booked(march.Number))
	k.credit(march, "100.00")
	k.credit(march, "125.00")
	require.EqualValues(t, 0, k.count("select sum(amount * 100)::bigint from journal where account = 'tax'"), "all of the tax went back with the price")
	require.Equal(t, []string{"revenue 225.00", "credit-notes -206.66", "tax-in-prices -18.34"}, k.earned())
	k.proved()
}

func TestWhatLowersRevenueHasAccountsOfItsOwn(t *testing.T) {
	k := newTill(t, crediting)
	id := k.ticket("email")
	k.missed(id)
	k.close(id, 1, k.minutes("tom", 30))
	require.Equal(t, []string{"sla-credits -35.00"}, k.earned())
	k.reopen(id)
	require.Empty(t, k.earned(), "and its reversal goes where it was")
	k.proved()
}

func TestMinorUnitsOfTheJournal(t *testing.T) {
	k := newTill(t)
	var codes []string
	for i := range 26 * 26 * 26 {
		codes = append(codes, string([]byte{byte('A' + i/676), byte('A' + i/26%26), byte('A' + i%26)}))
	}
	rows, err := k.admin.Query(t.Context(), "select c, minor_units(c) from unnest($1::text[]) c", codes)
	require.NoError(t, err)
	known := 0
	var (
		code   string
		places int32
	)
	_, err = pgx.ForEachRow(rows, []any{&code, &places}, func() error {
		if want, ok := billing.MinorUnits(code); ok {
			require.Equal(t, want, places, code)
			known++
		}
		return nil
	})
	require.NoError(t, err)
	require.Greater(t, known, 150)
}

// What the migration books of a database that had no journal is what the deeds would have booked; so is what an operator books who restored one
// without it.
func TestTheJournalOfWhatHappenedBeforeIt(t *testing.T) {
	k := newTill(t, blocks)
	_, err := k.GrantBlock(t.Context(), postgres.BlockGrant{OperationKey: "order-7", Contract: "acme-block", Hours: decimal.NewFromInt(1), GrantedAt: noon.AddDate(0, 0, -1), Price: decimal.NewFromInt(100), Currency: "USD"})
	require.NoError(t, err)
	used, _ := k.worked("2026-03-18", 80)
	march := k.month("2026-03")
	k.credit(march, "30.00")
	k.reopen(used)
	k.pay(march, "500.00")
	was := k.count("select count(*) from journal")
	k.tamper("delete from journal")
	_, err = k.admin.Exec(t.Context(), "insert into journal select * from journal_due on conflict do nothing")
	require.NoError(t, err)
	require.Equal(t, was, k.count("select count(*) from journal"))
	k.proved()
}

// The database refuses what does not balance, and what changes an entry.
func TestTheJournalRefuses(t *testing.T) {
	k := newTill(t, hourly)
	k.close(k.ticket("email"), 1, k.minutes("tom", 60))
	const posting = "insert into journal (kind, source, account, unit, amount, booked_on, payer_id, at) values ('line', 7777, %s, '2026-03-18', 'acme', now())"
	for statement, code := range map[string]string{
		fmt.Sprintf(posting, "'cash', 'USD', 5"): "DK004",
		"update journal set amount = 5":          "DK002",
		"delete from journal":                    "DK002",
		"truncate journal":                       "DK002",
	} {
		_, err := k.admin.Exec(t.Context(), statement)
		var pg *pgconn.PgError
		require.ErrorAs(t, err, &pg, statement)
		require.Equal(t, code, pg.Code, statement)
	}
	err := pgx.BeginFunc(t.Context(), k.admin, func(tx pgx.Tx) error {
		_, err := tx.Exec(t.Context(), fmt.Sprintf(posting, "'cash', 'USD', 5"))
		require.NoError(t, err)
		_, err = tx.Exec(t.Context(), fmt.Sprintf(posting, "'block-minutes', 'ms', -5"))
		return err
	})
	require.ErrorContains(t, err, "entry line/7777 does not balance", "hours do not balance money")
	_, err = k.JournalPostings(t.Context(), postgres.JournalFilter{Account: "petty-cash"})
	require.ErrorContains(t, err, "is not an account")
	_, err = k.JournalOf(t.Context(), "payment/x")
	require.ErrorContains(t, err, "is not an entry of the journal")
	k.proved()
}

func TestTheAuditNamesATamperedEntry(t *testing.T) {
	k := newTill(t, blocks)
	sold := postgres.BlockGrant{OperationKey: "order-7", Contract: "acme-block", Hours: decimal.NewFromInt(3), GrantedAt: noon.AddDate(0, 0, -1), Price: decimal.NewFromInt(100), Currency: "USD"}
	_, err := k.GrantBlock(t.Context(), sold)
	require.NoError(t, err)
	k.worked("2026-03-18", 60)
	march := k.month("2026-03")
	k.pay(march, "120.00")
	k.proved()
	for _, c := range []struct{ name, does, undoes, finds string }{
		{
			"an amount", "update journal set amount = amount + 1 where kind = 'payment' and account = 'cash'",
			"update journal set amount = amount - 1 where kind = 'payment' and account = 'cash'", "the journal books 121 USD to cash, and it is 120",
		},
		{
			"a balanced pair", "update journal set amount = amount * 2 where kind = 'move' and unit = 'USD'",
			"update journal set amount = amount / 2 where kind = 'move' and unit = 'USD'", "the journal defers 33.34 USD, its hours that are left are worth 66.67",
		},
		{
			"another account", "update journal set account = 'revenue/9999' where account = 'block-revenue'",
			"update journal set account = 'block-revenue' where account = 'revenue/9999'", "-33.33 USD to block-revenue is not in the journal",
		},
		{
			"a posting alone", "update journal set source = source + 1000 where account = 'wip' and kind = 'invoice'",
			"update journal set source = source - 1000 where account = 'wip' and kind = 'invoice'", "its USD do not balance",
		},
		{
			"a payment's row", "update payments set amount = 90, received = 110",
			"update payments set amount = 100, received = 120", march.Number + ": the journal says that 0 USD are owed on it, and it is 10",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			k.tamper(c.does)
			found, err := k.Audit(t.Context(), nil)
			require.NoError(t, err)
			require.False(t, found.Clean())
			require.Contains(t, strings.Join(found.Journal, "\n"), c.finds)
			k.tamper(c.undoes)
			k.proved()
		})
	}
}

// A client's session has no business in the books.
func TestAClientDoesNotSeeTheJournal(t *testing.T) {
	k := newTill(t, hourly)
	k.close(k.ticket("email"), 1, k.minutes("tom", 60))
	for _, table := range []string{"journal", "journal_due"} {
		err := pgx.BeginFunc(t.Context(), k.admin, func(tx pgx.Tx) error {
			_, err := tx.Exec(t.Context(), "set local role docket_client")
			require.NoError(t, err)
			_, err = tx.Exec(t.Context(), "select from "+table)
			return err
		})
		require.ErrorContains(t, err, "permission denied")
	}
}
