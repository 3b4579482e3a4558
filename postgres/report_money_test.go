package postgres_test

import (
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/sla"
	"github.com/docket-psa/docket/ticket"
)

const monthlyHundred = `
schema: docket.contract/v1
contract: acme-fee
client: acme
name: Monthly fee
effective_from: "2026-03-01"
currency: USD
time_zone: America/New_York
lines:
  - {clause: F, name: Managed service, charge: flat, price: "100.00"}
`

// revenue tells the rows of the report, each as its month and currency, fixed, usage, credits, revenue and run-rate.
func (k *till) revenue(f postgres.ReportFilter) []string {
	k.t.Helper()
	rows, err := k.ReportRevenue(k.t.Context(), f)
	require.NoError(k.t, err)
	lines := []string{}
	for _, r := range rows {
		require.True(k.t, r.Fixed.Add(r.Usage).Add(r.Credits).Add(r.TaxInPrices).Equal(r.Revenue), "its parts come to it")
		line := r.Month + " " + r.Currency + " " + sums(r.Fixed, r.Usage, r.Credits, r.Revenue)
		if r.RunRate != nil {
			line += " at " + r.RunRate.StringFixed(2)
		}
		lines = append(lines, line)
	}
	return lines
}

func sums(amounts ...decimal.Decimal) string {
	said := make([]string, len(amounts))
	for i, d := range amounts {
		said[i] = d.StringFixed(2)
	}
	return strings.Join(said, " ")
}

func TestRevenueByMonthAndAtThisRate(t *testing.T) {
	k := newTill(t, hourly, monthlyHundred)
	k.sweep()                                           // 100.00 for March, in advance
	k.close(k.ticket("email"), 1, k.minutes("tom", 72)) // 187.50 of work on tickets by March 18
	require.Equal(t, []string{"2026-03 USD 100.00 187.50 0.00 287.50 at 422.92"}, k.revenue(postgres.ReportFilter{}), "100.00 + 187.50 / 18 × 31")

	invoice := k.month("2026-03")
	k.credit(invoice, "87.50")
	require.Equal(t, []string{"2026-03 USD 100.00 187.50 -87.50 200.00 at 335.42"}, k.revenue(postgres.ReportFilter{}), "a credit note is given once")
	k.nextMonth()
	require.Equal(t, []string{"2026-03 USD 100.00 187.50 -87.50 200.00"}, k.revenue(postgres.ReportFilter{}), "March is over")

	// The same from the books by account, and from the lines that the margins are made of.
	require.Equal(t, []string{"revenue 287.50", "credit-notes -87.50"}, k.earned())
	client, err := k.ReportMargin(t.Context(), postgres.ReportFilter{})
	require.NoError(t, err)
	require.Equal(t, "200.00", client[0].Billed.StringFixed(2))

	for _, f := range []postgres.ReportFilter{
		{From: day(t, "2026-04-01")}, {To: day(t, "2026-03-01")}, {Client: "zenith"}, {Currency: "EUR"},
	} {
		require.Empty(t, k.revenue(f), "%+v", f)
	}
	require.Len(t, k.revenue(postgres.ReportFilter{From: day(t, "2026-03-01"), To: day(t, "2026-04-01"), Client: "acme", Currency: "USD"}), 1)
	k.proved()
}

func TestRevenueOfBlockHoursAndPricesWithTax(t *testing.T) {
	k := newTill(t, blocks)
	sold := postgres.BlockGrant{OperationKey: "a", Contract: "acme-block", Hours: decimal.NewFromInt(2), GrantedAt: noon.AddDate(0, 0, -1), ExpiresAt: noon.AddDate(0, 0, 5), Price: decimal.NewFromInt(200), Currency: "USD"}
	_, err := k.GrantBlock(t.Context(), sold)
	require.NoError(t, err)
	require.Empty(t, k.revenue(postgres.ReportFilter{}), "a sale is not earned")
	k.worked("2026-03-18", 30)
	require.Equal(t, []string{"2026-03 USD 0.00 50.00 0.00 50.00 at 86.11"}, k.revenue(postgres.ReportFilter{}), "50.00 / 18 × 31")
	k.pass(8 * 24 * time.Hour)
	_, err = k.EndBlocks(t.Context(), "", k.now())
	require.NoError(t, err)
	require.Equal(t, []string{"2026-03 USD 150.00 50.00 0.00 200.00 at 209.62"}, k.revenue(postgres.ReportFilter{}), "what expired is earned without work: 150.00 + 50.00 / 26 × 31")

	k = newTill(t, hourly)
	k.tax(newYork + "prices: inclusive\n")
	require.NoError(t, k.TaxClient(t.Context(), "acme", "NY", "olga"))
	k.billed(80)
	rows, err := k.ReportRevenue(t.Context(), postgres.ReportFilter{})
	require.NoError(t, err)
	require.Equal(t, "0.00 225.00 0.00 -18.34 206.66", sums(rows[0].Fixed, rows[0].Usage, rows[0].Credits, rows[0].TaxInPrices, rows[0].Revenue))
}

// receivables tells acme's row: by age, what is owed, in question and in credit; asOf "" is now.
func (k *till) receivables(asOf string) string {
	k.t.Helper()
	b := postgres.Balance{Client: "acme", Currency: "USD"}
	if asOf != "" {
		b.AsOf = day(k.t, asOf)
	}
	rows, err := k.ReportReceivables(k.t.Context(), b)
	require.NoError(k.t, err)
	if len(rows) == 0 {
		return ""
	}
	require.Len(k.t, rows, 1)
	r := rows[0]
	return strings.ReplaceAll(sums(r.NotDue, r.To30, r.To60, r.To90, r.Over90, r.Owed, r.Disputed, r.Credit), ".00", "")
}

func TestReceivablesByAge(t *testing.T) {
	k := newTill(t, replaced(hourly, "currency: USD", "currency: USD\nbilling: {payment_days: 10}"))
	require.Empty(t, k.receivables(""))
	_, march := k.billed(60) // due on March 28
	require.Equal(t, "150 0 0 0 0 150 0 0", k.receivables(""))
	const day = 24 * time.Hour
	k.pass(10 * day)
	require.Equal(t, "150 0 0 0 0 150 0 0", k.receivables(""), "due on that day is not late")
	k.pass(day)
	require.Equal(t, "0 150 0 0 0 150 0 0", k.receivables(""))
	k.pass(29 * day)
	require.Equal(t, "0 150 0 0 0 150 0 0", k.receivables(""))
	k.pass(day)
	require.Equal(t, "0 0 150 0 0 150 0 0", k.receivables(""))
	k.pass(30 * day)
	require.Equal(t, "0 0 0 150 0 150 0 0", k.receivables(""))
	k.pass(30 * day) // June 27
	line := k.linesOn(march)[0]
	k.question(march, line, "ann")
	require.Equal(t, "0 0 0 0 150 150 150 0", k.receivables(""))
	require.Equal(t, "0 0 0 150 0 150 0 0", k.receivables("2026-06-26"), "nobody had questioned it by then")
	k.pass(day)
	k.credit(march, "50.00")
	k.pay(march, "40.00")
	require.Equal(t, "0 0 0 0 60 60 60 0", k.receivables(""), "no more is in question than is owed")
	require.Equal(t, "0 0 0 0 150 150 150 0", k.receivables("2026-06-27"), "as it was the day before")
	k.pay(march, "85.00")
	require.Equal(t, "0 0 0 0 0 0 0 25", k.receivables(""), "credit that nobody has used")
	require.Empty(t, k.receivables("2026-03-17"))
	k.proved()
}

func TestBalancesOfOneClientAndCurrency(t *testing.T) {
	k := newTill(t, blocks)
	_, err := k.GrantBlock(t.Context(), postgres.BlockGrant{OperationKey: "a", Contract: "acme-block", Hours: decimal.NewFromInt(2), GrantedAt: noon.AddDate(0, 0, -1), Price: decimal.NewFromInt(200), Currency: "USD"})
	require.NoError(t, err)
	k.worked("2026-03-18", 30)
	for b, n := range map[postgres.Balance]int{{}: 1, {Client: "acme", Currency: "USD"}: 1, {Client: "zenith"}: 0, {Currency: "EUR"}: 0, {AsOf: day(t, "2026-03-16")}: 0} {
		deferred, err := k.ReportDeferred(t.Context(), b)
		require.NoError(t, err)
		require.Len(t, deferred, n, "%+v", b)
		wip, err := k.ReportWIP(t.Context(), b)
		require.NoError(t, err)
		require.Len(t, wip, n, "%+v", b)
		if n > 0 {
			require.Equal(t, "150.00", deferred[0].Deferred.StringFixed(2))
			require.Equal(t, "200.00", wip[0].Amount.StringFixed(2), "the sale, on the open invoice")
		}
	}
}

func TestReportsRefuseWhatMakesNoSense(t *testing.T) {
	k := newTill(t, hourly)
	ctx := t.Context()
	require.NoError(t, k.PutClient(ctx, ticket.Client{ID: "branch", Name: "Branch", TimeZone: "America/New_York", Currency: "USD", Payer: "acme"}))
	over := map[string]func(postgres.ReportFilter) error{
		"revenue":            func(f postgres.ReportFilter) error { _, err := k.ReportRevenue(ctx, f); return err },
		"revenue by account": func(f postgres.ReportFilter) error { _, err := k.ReportAccounts(ctx, f); return err },
		"margin":             func(f postgres.ReportFilter) error { _, err := k.ReportMargin(ctx, f); return err },
		"margin by contract": func(f postgres.ReportFilter) error { _, err := k.ReportContractMargin(ctx, f); return err },
		"AI against people":  func(f postgres.ReportFilter) error { _, err := k.ReportAIvsTech(ctx, f); return err },
		"SLA":                func(f postgres.ReportFilter) error { _, err := k.ReportSLA(ctx, f); return err },
		"leakage":            func(f postgres.ReportFilter) error { _, err := k.ReportLeakage(ctx, f); return err },
		"deferred": func(f postgres.ReportFilter) error {
			_, err := k.ReportDeferred(ctx, postgres.Balance{Client: f.Client, Currency: f.Currency})
			return err
		},
		"work in progress": func(f postgres.ReportFilter) error {
			_, err := k.ReportWIP(ctx, postgres.Balance{Client: f.Client, Currency: f.Currency})
			return err
		},
		"receivables": func(f postgres.ReportFilter) error {
			_, err := k.ReportReceivables(ctx, postgres.Balance{Client: f.Client, Currency: f.Currency})
			return err
		},
	}
	backwards := postgres.ReportFilter{From: sla.LocalDate{Year: 2026, Month: 4, Day: 1}, To: sla.LocalDate{Year: 2026, Month: 4, Day: 1}}
	for name, report := range over {
		require.ErrorContains(t, report(postgres.ReportFilter{Client: "nobody"}), `client "nobody" is not known: `+"`docket client list`", name)
		require.ErrorContains(t, report(postgres.ReportFilter{Currency: "usd"}), `currency "usd" is not an ISO 4217 currency: give a code such as USD`, name)
		all := ticket.Problems(report(postgres.ReportFilter{Client: "nobody", Currency: "usd"}))
		require.Len(t, all, 2, "%s tells all that is wrong at once", name)
		switch name {
		case "deferred", "work in progress", "receivables":
		default:
			require.ErrorContains(t, report(backwards), `to "2026-04-01" is not after from: give the first date after the period, later than 2026-04-01`, name)
		}
		switch name {
		case "revenue", "revenue by account", "work in progress", "receivables":
			require.ErrorContains(t, report(postgres.ReportFilter{Client: "branch"}), "ask for --client acme", name)
		default:
			require.NoError(t, report(postgres.ReportFilter{Client: "branch"}), name)
		}
	}
	_, err := k.ReportLowBlocks(ctx, "nobody")
	require.ErrorContains(t, err, "is not known")
}
