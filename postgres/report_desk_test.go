package postgres_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/ticket"
)

const euroHours = `
schema: docket.contract/v1
contract: zenith-hourly
client: zenith
name: Time and materials in euros
effective_from: "2026-01-01"
currency: EUR
time_zone: Europe/Berlin
rates:
  - {clause: "3.1", hourly: "100.00"}
lines:
  - {clause: "2.1", name: Support, charge: time}
`

// mixed is a till with a client in dollars and one in euros, both of which cost dollars: of acme's tickets the agent resolved one in 50 s,
// and tried another for 40 s before tom took an hour; of zenith's tom did one in half an hour.
func mixed(t *testing.T) *till {
	t.Helper()
	k := newTill(t, agents, monthlyHundred)
	require.NoError(t, k.PutClient(t.Context(), ticket.Client{ID: "zenith", Name: "Zenith", TimeZone: "Europe/Berlin", Currency: "EUR", Payer: "zenith"}))
	for _, apply := range []func() error{
		func() error { _, err := k.ApplyContract(t.Context(), []byte(euroHours), "olga", false); return err },
		func() error { _, err := k.ApplyCosts(t.Context(), []byte(costs), "olga"); return err }, // 40.00 an hour; 7.05 a run of this kind
	} {
		require.NoError(t, apply())
	}
	byAgent := k.ticket("email")
	k.log(byAgent, "bot", k.ran(50*time.Second, ""))
	_, err := k.Close(t.Context(), byAgent, 1, k.resolve("bot"))
	require.NoError(t, err)
	byTom := k.ticket("email")
	k.log(byTom, "bot", k.ran(40*time.Second, ""))
	k.close(byTom, 1, k.minutes("tom", 60))
	key := k.key()
	euros, err := k.Open(t.Context(), ticket.Opening{Client: "zenith", Subject: "Mail", Source: "test", ExternalID: key, EventID: key, Category: "email", OpenedAt: k.now().Add(-8 * time.Hour)})
	require.NoError(t, err)
	k.begin(euros.Ticket, 1)
	k.close(euros.Ticket, 1, k.minutes("tom", 30))
	return k
}

func margins(rows []billing.MarginRow) (lines []string) {
	for _, r := range rows {
		margin := "no rate"
		if r.Margin != nil {
			margin = r.Margin.StringFixed(2)
		}
		lines = append(lines, strings.TrimSpace(fmt.Sprintf("%s %d: %s %s, %s %s: %s", strings.TrimSpace(r.Client+" "+r.Contract), r.Tickets, r.Billed.StringFixed(2), r.Currency, r.Cost.StringFixed(2), r.CostCurrency, margin)))
	}
	return lines
}

func TestMarginByClientAndContractInTheirCurrencies(t *testing.T) {
	k := mixed(t)
	read := func(by func(f postgres.ReportFilter) ([]billing.MarginRow, error), f postgres.ReportFilter) []string {
		rows, err := by(f)
		require.NoError(t, err)
		return margins(rows)
	}
	client := func(f postgres.ReportFilter) ([]billing.MarginRow, error) { return k.ReportMargin(t.Context(), f) }
	contract := func(f postgres.ReportFilter) ([]billing.MarginRow, error) {
		return k.ReportContractMargin(t.Context(), f)
	}

	acme := "acme 2: 150.90 USD, 54.10 USD: 96.80" // 0.50 + 0.40 + 150.00; 7.05 + 7.05 + 40.00
	zenith := "zenith 1: 50.00 EUR, 20.00 USD: no rate"
	require.Equal(t, []string{acme, zenith}, read(client, postgres.ReportFilter{}), "cost in another currency is no margin")
	require.Equal(t, []string{acme, zenith}, read(client, postgres.ReportFilter{From: day(t, "2026-03-18"), To: day(t, "2026-03-19")}))
	require.Empty(t, read(client, postgres.ReportFilter{From: day(t, "2026-03-19")}))
	require.Empty(t, read(client, postgres.ReportFilter{To: day(t, "2026-03-18")}))
	require.Equal(t, []string{zenith}, read(client, postgres.ReportFilter{Currency: "EUR"}))
	require.Equal(t, []string{acme}, read(client, postgres.ReportFilter{Client: "acme"}))

	// A part in pounds: its cost is beside the ticket's, on a row of its own, and there is no margin any more.
	_, err := k.admin.Exec(t.Context(), `
insert into ticket_items (ticket, client_id, round, operation_key, kind, text, quantity, unit_cost, currency, service_date, logged_by, logged_at, via)
select ticket, client_id, 1, 'pounds', 'part', 'A cable', 2, 3.50, 'GBP', '2026-03-20', 'tom', now(), 'cli' from work_entries where actor = 'tom' and client_id = 'acme'`)
	require.NoError(t, err)
	require.Equal(t, []string{"acme 2: 150.90 USD, 54.10 USD: no rate", "acme 0: 0.00 USD, 7.00 GBP: no rate"}, read(client, postgres.ReportFilter{Client: "acme"}))

	// By contract: work costs the contract that bills it, wherever its ticket was routed since; what no charge stands for, the one of its ticket.
	other := k.ticket("email")
	k.log(other, "tom", k.minutes("tom", 15))
	_, err = k.admin.Exec(t.Context(), "update tickets set contract_id = 'acme-fee' where client_id = 'acme'")
	require.NoError(t, err)
	require.Equal(t, []string{
		"acme acme-fee 1: 0.00 USD, 10.00 USD: -10.00", "acme acme-hourly 2: 150.90 USD, 54.10 USD: 96.80", "zenith zenith-hourly 1: 50.00 EUR, 20.00 USD: no rate",
	}, read(contract, postgres.ReportFilter{To: day(t, "2026-03-20")}))
	require.Equal(t, "acme 3: 150.90 USD, 64.10 USD: 86.80", read(client, postgres.ReportFilter{To: day(t, "2026-03-20")})[0], "the contracts come to the client")
}

func TestAIAgainstTechnicians(t *testing.T) {
	k := mixed(t)
	read := func(f postgres.ReportFilter) (lines []string) {
		rows, err := k.ReportAIvsTech(t.Context(), f)
		require.NoError(t, err)
		for _, r := range rows {
			lines = append(lines, fmt.Sprintf("%s %d (%d free), AI %d s, people %d min: %s %s less %s, cost %s %s", r.Kind, r.Tickets, r.Covered, r.AIMS/1000, r.HumanMS/60_000,
				r.Billed.StringFixed(2), r.Currency, r.Credits.StringFixed(2), r.Cost.StringFixed(2), r.CostCurrency))
		}
		return lines
	}
	ai := "ai 1 (0 free), AI 50 s, people 0 min: 0.50 USD less 0.00, cost 7.05 USD"
	euros := "human 1 (0 free), AI 0 s, people 30 min: 50.00 EUR less 0.00, cost 20.00 USD"
	people := "human 1 (0 free), AI 40 s, people 60 min: 150.40 USD less 0.00, cost 47.05 USD"
	require.Equal(t, []string{ai, euros, people}, read(postgres.ReportFilter{}))
	require.Equal(t, []string{euros}, read(postgres.ReportFilter{Currency: "EUR"}))
	require.Equal(t, []string{ai, people}, read(postgres.ReportFilter{Client: "acme"}))
	require.Equal(t, []string{ai, euros, people}, read(postgres.ReportFilter{From: day(t, "2026-03-18"), To: day(t, "2026-03-19")}))
	require.Empty(t, read(postgres.ReportFilter{From: day(t, "2026-03-19")}))

	march := k.month("2026-03")
	require.Equal(t, "acme", march.Payer)
	k.credit(march, "15.09") // a tenth, spread over the lines
	require.Equal(t, []string{
		"ai 1 (0 free), AI 50 s, people 0 min: 0.45 USD less 0.05, cost 7.05 USD", euros,
		"human 1 (0 free), AI 40 s, people 60 min: 135.36 USD less 15.04, cost 47.05 USD",
	}, read(postgres.ReportFilter{}))
}

func TestLeakageTellsWhatItCompared(t *testing.T) {
	k := newTill(t, hourly)
	free := k.minutes("tom", 5)
	free.NonBillable = true
	k.close(k.ticket("email"), 1, k.minutes("tom", 20), free)
	k.close(k.ticket("password-reset"), 1, k.minutes("tom", 10))
	k.close(k.ticket("email"), 1, k.minutes("tom", 600)) // waits for ann
	k.log(k.ticket("email"), "tom", k.minutes("tom", 7)) // open: nothing is due yet
	minutes := func(f postgres.ReportFilter) string {
		rows, err := k.ReportLeakage(t.Context(), f)
		require.NoError(t, err)
		if len(rows) == 0 {
			return ""
		}
		require.Len(t, rows, 1)
		r := rows[0]
		return fmt.Sprintf("%s: %d tickets, %d entries, %d min = %d + %d + %d + %d + %d, %d leak", r.Client, r.Tickets, r.Entries,
			r.WorkMS/60_000, r.BilledMS/60_000, r.CoveredMS/60_000, r.UnbillableMS/60_000, r.WaitingMS/60_000, r.LeakedMS/60_000, r.Leaked)
	}
	sound := "acme: 3 tickets, 4 entries, 635 min = 20 + 10 + 5 + 600 + 0, 0 leak"
	require.Equal(t, sound, minutes(postgres.ReportFilter{}))
	require.Equal(t, sound, minutes(postgres.ReportFilter{From: day(t, "2026-03-17"), To: day(t, "2026-03-19"), Client: "acme"}))
	require.Equal(t, "acme: 1 tickets, 1 entries, 600 min = 0 + 0 + 0 + 600 + 0, 0 leak", minutes(postgres.ReportFilter{To: day(t, "2026-03-18")}), "ten hours began the evening before")

	k.tamper("update tickets set stage = 'cancelled' where stage = 'resolution'")
	require.Equal(t, "acme: 4 tickets, 5 entries, 642 min = 20 + 10 + 5 + 600 + 7, 1 leak", minutes(postgres.ReportFilter{}))
}

func TestBlocksThatRunLow(t *testing.T) {
	k := newTill(t, blocks)
	k.grant(10) // a month ago: 28 days
	low := func() []billing.LowBlockRow {
		rows, err := k.ReportLowBlocks(t.Context(), "acme")
		require.NoError(t, err)
		return rows
	}
	require.Empty(t, low())
	k.close(k.ticket("email"), 1, k.minutes("tom", 560))
	rows := low()
	require.Len(t, rows, 1)
	r := rows[0]
	require.Equal(t, "acme acme-block 1: 40 of 600 min, 560 in 28 days", fmt.Sprintf("%s %s %d: %d of %d min, %d in %d days", r.Client, r.Contract, r.Blocks, r.LeftMS/60_000, r.GrantedMS/60_000, r.UsedMS/60_000, r.Days))
	require.Equal(t, "2026-03-20", r.RunsOut.Format(time.DateOnly), "40 of 20 a day")
	require.Nil(t, r.Expires)
	none, err := k.ReportLowBlocks(t.Context(), "zenith")
	require.NoError(t, err)
	require.Empty(t, none)

	k.pass(31 * 24 * time.Hour)
	r = low()[0]
	require.Equal(t, 30, r.Days)
	require.Nil(t, r.RunsOut, "nobody has used any of it for a month")

	_, err = k.GrantBlock(t.Context(), postgres.BlockGrant{OperationKey: "more", Contract: "acme-block", Hours: decimal.NewFromInt(100), GrantedAt: k.now(), Currency: "USD"})
	require.NoError(t, err)
	require.Empty(t, low())
}

func TestLeaksAreSeenWithoutReadingThePast(t *testing.T) {
	k := newTill(t, hourly)
	first := k.ticket("email")
	k.close(first, 1, k.minutes("tom", 20))
	for range 4 {
		k.close(k.ticket("email"), 1, k.minutes("tom", 20))
	}
	held := k.ticket("email")
	k.close(held, 1, k.minutes("tom", 600))
	watch := k.WatchLeaks(2)
	leaked := func() int {
		stands, err := watch.Standing(t.Context())
		require.NoError(t, err)
		whole, err := k.Standing(t.Context())
		require.NoError(t, err)
		whole.Leaked = stands.Leaked
		require.Equal(t, whole, stands, "all but the leaks is counted whole")
		return stands.Leaked
	}
	for range 4 { // every page has had its turn
		require.Zero(t, leaked())
	}
	k.tamper("update work_entries set ms = ms + 1 where ticket = $1", first.Number())
	seen := 0
	for range 4 {
		seen = max(seen, leaked())
	}
	require.Equal(t, 1, seen, "behind Docket's back: when its page has its turn")
	require.Equal(t, 1, leaked(), "and it stays")
	k.tamper("update work_entries set ms = ms - 1 where ticket = $1", first.Number())
	require.Zero(t, leaked(), "until it is set right")

	last := k.ticket("email")
	k.close(last, 1, k.minutes("tom", 20))
	k.tamper("delete from charge_work where charge_id in (select id from charges where ticket = $1)", last.Number())
	require.Equal(t, 1, leaked(), "what happened since is looked at at once")
}
