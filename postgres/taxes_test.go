package postgres_test

import (
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/ticket"
)

const newYork = `
schema: docket.tax/v1
tax: NY
name: New York
standard: standard
categories:
  - category: standard
    code: S
    rates: [{parts: [{name: State, percent: 4}, {name: City, percent: "4.875"}]}]
  - {category: reduced, code: S, rates: [{percent: 5}]}
  - {category: exempt, code: E, reason: Not taxable}
`

const certified = newYork + "exemption: {certificate: ST-119, valid_from: 2026-01-01, valid_to: 2026-04-10, reason: Exempt organisation}\n"

func (k *till) tax(document string) {
	k.t.Helper()
	v, err := k.ApplyTax(k.t.Context(), []byte(document), "olga")
	require.NoError(k.t, err)
	require.True(k.t, v.Changed)
}

// finaliseOf finalises acme's invoice of a period, as the owner.
func (k *till) finaliseOf(period string, early bool) billing.Invoice {
	k.t.Helper()
	i, err := k.Finalise(k.t.Context(), postgres.Finalisation{Payer: "acme", Currency: "USD", Period: period, By: "olga", Early: early})
	require.NoError(k.t, err)
	return i
}

// taxLive is an invoice's tax as whoever opens it now sees it.
func (k *till) taxLive(id int64) *billing.DocumentTotals {
	k.t.Helper()
	totals, err := k.InvoiceTaxes(k.t.Context(), id, k.now())
	require.NoError(k.t, err)
	return totals
}

func TestEdge41ACertificateRunsOutBetweenTwoFinalisations(t *testing.T) {
	k := newTill(t, hourly)
	k.tax(certified)
	require.NoError(t, k.TaxClient(t.Context(), "acme", "NY", "olga"))
	k.close(k.ticket("email"), 1, k.minutes("tom", 60))
	k.clock.Store(time.Date(2026, 4, 2, 12, 0, 0, 0, time.UTC).UnixNano())
	k.close(k.ticket("email"), 1, k.minutes("tom", 60))

	march := k.finaliseOf("2026-03-01", false)
	require.Equal(t, "150.00", march.Taxes.TaxInclusive.StringFixed(2))
	require.Equal(t, "ST-119", march.Taxes.Taxes[0].Certificate)
	require.Equal(t, "150.00", march.Receivable.Owed.StringFixed(2))

	// Still 9 April in New York, and then the 10th: the payer's date counts.
	april, err := k.Invoice(t.Context(), "acme")
	require.NoError(t, err)
	k.clock.Store(time.Date(2026, 4, 10, 3, 59, 0, 0, time.UTC).UnixNano())
	require.True(t, k.taxLive(april.ID).Tax.IsZero())
	k.clock.Store(time.Date(2026, 4, 10, 4, 1, 0, 0, time.UTC).UnixNano())
	require.Equal(t, "13.31", k.taxLive(april.ID).Tax.StringFixed(2))

	second := k.finaliseOf("2026-04-01", true)
	require.Equal(t, "2026-04-10", second.Taxes.TaxDate)
	require.Equal(t, "150.00", second.Total.StringFixed(2), "the total stays net")
	require.Equal(t, "163.31", second.Receivable.Owed.StringFixed(2), "8.875 % of 150.00")
	require.Len(t, second.Taxes.Taxes[0].Parts, 2)
	require.Contains(t, second.Taxes.Says[0], "ST-119 holds no longer")

	// A revision of the profile changes no invoice that was finalised, however often one asks.
	k.tax(newYork + "prices: inclusive\n")
	require.JSONEq(t, written(t, march.Taxes), written(t, k.taxLive(march.ID)))
	require.JSONEq(t, written(t, second.Taxes), written(t, k.taxLive(second.ID)))
	require.JSONEq(t, written(t, march), written(t, k.finaliseOf("2026-03-01", false)))
	k.proved()
}

func TestMixedTaxCategoriesAddUp(t *testing.T) {
	reduced := `
schema: docket.contract/v1
contract: acme-mixed
client: acme
name: Mixed
effective_from: "2026-01-01"
currency: USD
time_zone: America/New_York
tax: NY
rates:
  - {clause: "3.1", work_role: engineer, hourly: "33.33"}
lines:
  - {clause: "2.1", name: Support, charge: time, match: {categories: [email]}}
  - {clause: "2.2", name: Courses, charge: time, tax_category: reduced, match: {categories: [network]}}
  - {clause: "2.3", name: Insurance, charge: time, tax_category: exempt, match: {categories: [onboarding]}}
`
	k := newTill(t)
	k.tax(newYork)
	_, err := k.ApplyContract(t.Context(), []byte(reduced), "olga", false)
	require.NoError(t, err)
	for _, category := range []string{"email", "network", "onboarding", "network"} {
		k.close(k.ticket(category), 1, k.minutes("tom", 50))
	}

	invoice := k.finaliseOf("2026-03-01", true)
	require.Equal(t, "111.12", invoice.Total.StringFixed(2), "4 × 27.78")
	require.Equal(t, "5.25", invoice.Taxes.Tax.StringFixed(2), "8.875 % of 27.78 is 2.47, 5 % of 55.56 is 2.78")
	require.Equal(t, "116.37", invoice.Receivable.Owed.StringFixed(2))
	k.proved()

	// A credit note gives a line back with its tax, and all of them no more than the invoice came to.
	deed := postgres.InvoiceDeed{Invoice: invoice.ID, By: "olga", OperationKey: k.key()}
	lines, err := k.InvoiceLines(t.Context(), invoice.ID, 0, 10)
	require.NoError(t, err)
	note, err := k.Credit(t.Context(), postgres.CreditNoteDraft{InvoiceDeed: deed, Lines: []int64{lines[0].Line}, Reason: "goodwill"})
	require.NoError(t, err)
	require.Equal(t, "30.25", note.Amount.StringFixed(2))
	k.proved()
}

func TestAnInvoiceWithoutAProfileSaysSo(t *testing.T) {
	k := newTill(t, hourly)
	k.close(k.ticket("email"), 1, k.minutes("tom", 60))
	invoice := k.finaliseOf("2026-03-01", true)
	require.True(t, invoice.Taxes.Tax.IsZero())
	require.Empty(t, invoice.Taxes.Taxes[0].Code)
	require.NotEmpty(t, invoice.Taxes.Says)
	require.NoError(t, k.AsClient(t.Context(), "acme", func(r postgres.Reads) error {
		seen, err := r.InvoiceTaxes(t.Context(), invoice.ID, k.now())
		require.JSONEq(t, written(t, invoice.Taxes), written(t, seen))
		return err
	}))
}

func TestANegativeInvoiceIsCarriedAsItIsTaxed(t *testing.T) {
	k := newTill(t, hourly)
	k.tax(newYork)
	require.NoError(t, k.TaxClient(t.Context(), "acme", "NY", "olga"))
	id := k.ticket("email")
	k.close(id, 1, k.minutes("tom", 60))
	k.finaliseOf("2026-03-01", true)
	_, err := k.Reopen(t.Context(), id, ticket.Reopen{Header: k.by("ann"), Reason: "still broken"})
	require.NoError(t, err)

	april, err := k.Invoice(t.Context(), "acme")
	require.NoError(t, err)
	require.NoError(t, k.AsClient(t.Context(), "acme", func(r postgres.Reads) error {
		live, err := r.InvoiceTaxes(t.Context(), april.ID, k.now())
		require.Equal(t, "-163.31", live.TaxInclusive.StringFixed(2))
		return err
	}))
	carried := k.finaliseOf(april.PeriodStart, true)
	require.True(t, carried.Taxes.TaxInclusive.IsZero())
	k.proved()
}

func TestOnlyThoseWhoKeepTheBooksTax(t *testing.T) {
	k := newTill(t)
	_, err := k.ApplyTax(t.Context(), []byte(newYork), "tom")
	require.NotEmpty(t, ticket.Problems(err))
	k.tax(newYork)
	again, err := k.ApplyTax(t.Context(), []byte(newYork), "olga")
	require.NoError(t, err)
	require.Equal(t, 1, again.Revision)
	require.False(t, again.Changed)
	require.NotEmpty(t, ticket.Problems(k.TaxClient(t.Context(), "acme", "NY", "tom")))
	require.NotEmpty(t, ticket.Problems(k.TaxClient(t.Context(), "acme", "XX", "olga")))
}

func TestEdge78ASoldBlockIsTaxedAtItsSaleAndItsHoursAreNot(t *testing.T) {
	k := newTill(t)
	k.tax(newYork)
	k.apply(replaced(blocks, "currency: USD", "currency: USD\ntax: NY"))
	_, err := k.GrantBlock(t.Context(), postgres.BlockGrant{
		OperationKey: "order-7", Contract: "acme-block", Hours: decimal.NewFromInt(1), GrantedAt: noon.AddDate(0, 0, -1), Price: decimal.NewFromInt(100), Currency: "USD",
	})
	require.NoError(t, err)
	k.worked("2026-03-18", 90)
	march := k.month("2026-03")
	require.Equal(t, "160.00", march.Total.StringFixed(2), "the block, an hour of it at 0.00, half an hour beyond")
	var taxes []string
	for _, l := range march.Taxes.Lines {
		taxes = append(taxes, l.Net.StringFixed(2)+" "+l.Tax.StringFixed(2))
	}
	require.Equal(t, []string{"100.00 8.88", "0.00 0.00", "60.00 5.32"}, taxes)

	// A credit note of an amount has its tax in it: what is undone later gives back the rest, net.
	require.Equal(t, "174.20", march.Receivable.Owed.StringFixed(2))
	k.credit(march, "87.10")
	require.EqualValues(t, 1, k.count("select count(*) from credit_note_shares where amount = 32.66 and net = 30.00"), "half of the overage, with its tax")
	k.proved()
}
