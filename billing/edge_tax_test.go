package billing_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/docket-psa/docket/billing"
)

const dutch = `
schema: docket.tax/v1
tax: NL
name: Netherlands
standard: standard
categories:
  - {category: standard, code: S, rates: [{percent: 19}, {valid_from: 2012-10-01, percent: 21}]}
  - {category: reduced, code: S, rates: [{percent: 9}]}
  - {category: zero, code: Z, rates: [{percent: 0}]}
  - {category: insurance, code: E, reason: Insurance is exempt}
`

func taxProfile(t testing.TB, document string) *billing.TaxProfile {
	t.Helper()
	p, err := billing.ParseTaxProfile([]byte(document))
	require.NoError(t, err)
	return p
}

func totals(t testing.TB, d billing.Document) billing.DocumentTotals {
	t.Helper()
	sums, err := d.Totals()
	require.NoError(t, err)
	requireAddsUp(t, d, sums)
	return sums
}

// requireAddsUp requires what EN 16931 does of a document's sums (BR-CO-10 to 16), and that
// they are the sums of what is printed.
func requireAddsUp(t require.TestingT, d billing.Document, sums billing.DocumentTotals) {
	equal := func(want, got decimal.Decimal, what string) {
		require.True(t, want.Equal(got), "%s: %s is not %s", what, got, want)
	}
	var net, lineTax, base, tax decimal.Decimal
	for _, l := range sums.Lines {
		net, lineTax = net.Add(l.Net), lineTax.Add(l.Tax)
	}
	for _, c := range sums.Taxes {
		base, tax = base.Add(c.Base), tax.Add(c.Tax)
		if len(c.Parts) > 0 {
			parts := decimal.Zero
			for _, part := range c.Parts {
				parts = parts.Add(part.Tax)
			}
			equal(c.Tax, parts, "parts of a tax")
		}
	}
	equal(net, sums.LineTotal, "line total")
	equal(sums.LineTotal.Sub(sums.Allowances).Add(sums.Charges), sums.TaxExclusive, "tax exclusive")
	equal(base, sums.TaxExclusive, "bases")
	equal(tax, sums.Tax, "tax")
	equal(sums.TaxExclusive.Add(sums.Tax), sums.TaxInclusive, "tax inclusive")
	equal(sums.TaxInclusive.Sub(d.Prepaid), sums.Payable, "payable")
	if len(d.Allowances) == 0 && len(d.Charges) == 0 {
		equal(lineTax, sums.Tax, "tax of the lines")
	}
}

func lines(p *billing.TaxProfile, amounts ...string) []billing.TaxableLine {
	all := make([]billing.TaxableLine, len(amounts))
	for i, amount := range amounts {
		all[i] = billing.TaxableLine{Amount: dec(amount), Profile: p}
	}
	return all
}

func TestEdge41TaxExemptByTaxDate(t *testing.T) {
	p := taxProfile(t, dutch+"exemption: {certificate: C-77, valid_from: 2026-01-01, valid_to: 2026-07-01, reason: Charity under article 11}\n")
	document := func(on string) billing.Document {
		return billing.Document{Currency: "EUR", TaxDate: on, Lines: lines(p, "100.00")}
	}

	valid := totals(t, document("2026-06-30"))
	require.Equal(t, []string{"E 0 100 0"}, told(valid))
	require.Equal(t, "Charity under article 11", valid.Taxes[0].Reason)
	require.Equal(t, "C-77", valid.Taxes[0].Certificate)
	require.Empty(t, valid.Says)

	over := totals(t, document("2026-07-01"))
	require.Equal(t, "21", over.Tax.String())
	require.Equal(t, []string{"Certificate C-77 holds no longer from 2026-07-01 on, and the tax date is 2026-07-01: taxed at the usual rates."}, over.Says)
	early := totals(t, document("2025-12-31"))
	require.Equal(t, "21", early.Tax.String())
	require.Equal(t, []string{"Certificate C-77 holds from 2026-01-01 on, after the tax date 2025-12-31: taxed at the usual rates."}, early.Says)

	// What was made of it is a snapshot: a certificate that is renewed changes no document.
	kept, err := json.Marshal(valid)
	require.NoError(t, err)
	p.Exemption = nil
	again, err := json.Marshal(valid)
	require.NoError(t, err)
	require.JSONEq(t, string(kept), string(again))
	require.Contains(t, string(kept), `"certificate":"C-77"`)
}

func TestEdge41TheRateOfTheTaxDate(t *testing.T) {
	p := taxProfile(t, dutch)
	for on, tax := range map[string]string{"2012-09-30": "19", "2012-10-01": "21", "2026-01-01": "21"} {
		require.Equal(t, tax, totals(t, billing.Document{Currency: "EUR", TaxDate: on, Lines: lines(p, "100.00")}).Tax.String(), on)
	}
	p.Categories[0].Rates[0].From = "2001-01-01"
	d := billing.Document{Currency: "EUR", TaxDate: "2000-12-31", Lines: lines(p, "1.00", "100.00")}
	_, err := d.Totals()
	require.EqualError(t, err, "line 1: category standard of tax profile NL has no rate on 2000-12-31: add the rate that was in force then")
	d = billing.Document{Currency: "EUR", TaxDate: "2026-01-01", Lines: []billing.TaxableLine{{Amount: dec("1"), Profile: p, Category: "luxury"}}}
	_, err = d.Totals()
	require.EqualError(t, err, "line 1: tax profile NL has no category luxury, only standard, reduced, zero, insurance: add it, or change the contract's tax_category")
}

func TestEdge42MixedTaxableLines(t *testing.T) {
	for name, c := range map[string]struct {
		how  string
		want string
	}{
		// 3 × 10.00 at 21 %: rating.md.
		"inclusive, per line":     {"prices: inclusive\nper: line\n", "24.78 + 5.22 = 30"},
		"inclusive, per category": {"prices: inclusive\n", "24.79 + 5.21 = 30"},
		"exclusive, per line":     {"per: line\n", "30 + 6.3 = 36.3"},
	} {
		t.Run(name, func(t *testing.T) {
			sums := totals(t, billing.Document{Currency: "EUR", TaxDate: "2026-03-31", Lines: lines(taxProfile(t, dutch+c.how), "10.00", "10.00", "10.00")})
			require.Equal(t, c.want, sums.TaxExclusive.String()+" + "+sums.Tax.String()+" = "+sums.TaxInclusive.String())
		})
	}

	// 0.33 at 21 % is 0.0693: three of them 0.21 a line, or 0.99 × 21 % = 0.2079; and lines of other categories beside them.
	mixed := func(how string) billing.DocumentTotals {
		p := taxProfile(t, dutch+how)
		all := lines(p, "0.33", "0.33", "0.33", "0.05", "50.00", "12.00")
		all[3].Category, all[4].Category, all[5].Category = "reduced", "insurance", "zero"
		return totals(t, billing.Document{Currency: "EUR", TaxDate: "2026-03-31", Lines: all})
	}
	perCategory := mixed("")
	require.Equal(t, []string{"E 0 50 0", "S 9 0.05 0", "S 21 0.99 0.21", "Z 0 12 0"}, told(perCategory))
	require.Equal(t, "0.07 0.07 0.07 0 0 0", lineTaxes(perCategory))
	half := mixed("rounding: half-even\n")
	require.Equal(t, perCategory.Tax.String(), half.Tax.String())
	require.Equal(t, []string{"E 0 50 0", "S 9 0.05 0", "S 21 0.99 0.21", "Z 0 12 0"}, told(mixed("per: line\n")))
}

func told(sums billing.DocumentTotals) []string {
	var rows []string
	for _, c := range sums.Taxes {
		rows = append(rows, c.Code+" "+c.Percent.String()+" "+c.Base.String()+" "+c.Tax.String())
	}
	return rows
}

func lineTaxes(sums billing.DocumentTotals) string {
	said := ""
	for _, l := range sums.Lines {
		said += " " + l.Tax.String()
	}
	return said[1:]
}

func TestEdge44CurrenciesWithNoneOrThreeDecimals(t *testing.T) {
	p := taxProfile(t, dutch)
	for currency, want := range map[string]string{"JPY": "1333 + 280 = 1613", "KWD": "1333 + 279.93 = 1612.93", "EUR": "1333 + 279.93 = 1612.93"} {
		sums := totals(t, billing.Document{Currency: currency, TaxDate: "2026-03-31", Lines: lines(p, "1333")})
		require.Equal(t, want, sums.TaxExclusive.String()+" + "+sums.Tax.String()+" = "+sums.TaxInclusive.String(), currency)
	}
	sums := totals(t, billing.Document{Currency: "KWD", TaxDate: "2026-03-31", Lines: lines(p, "0.005")})
	require.Equal(t, "0.001", sums.Tax.String())
	d := billing.Document{Currency: "XYZ", Lines: lines(p, "1")}
	_, err := d.Totals()
	require.EqualError(t, err, "currency XYZ is not in ISO 4217: amounts cannot be rounded")
}

// A block is taxed when it is sold; its draws cost nothing, so nothing is taxed twice, and
// what goes beyond it is taxed as the line says.
func TestEdge78ABlockTaxedAtItsSale(t *testing.T) {
	p := taxProfile(t, dutch)
	f := under(t, contract("HB-1", "rates:\n  - {hourly: 120.00}\nlines:\n  - {clause: B1, name: Block hours, charge: block}\n"), work(1, noon, 90*minute))
	f.Blocks = []billing.Block{{ID: 1, Contract: "HB-1", GrantedAt: noon.Add(-24 * time.Hour), LeftMS: hour}}
	d := decide(t, f)
	require.Equal(t, "block B1 1 h × 0 = 0 [block 1: 60 min]\noverage B1 0.5 h × 120 = 60", posts(d))
	sale := billing.TaxableLine{Amount: dec("1000.00"), Profile: p}
	all := []billing.TaxableLine{sale}
	for _, c := range d.Charges {
		all = append(all, billing.TaxableLine{Amount: c.Amount, Profile: p, Category: c.TaxCategory})
	}
	sums := totals(t, billing.Document{Currency: "EUR", TaxDate: "2026-03-31", Lines: all})
	require.Equal(t, "210 0 12.6", lineTaxes(sums))
}

func TestTotalsWithoutAProfileSaySo(t *testing.T) {
	sums := totals(t, billing.Document{Currency: "EUR", TaxDate: "2026-03-31", Lines: append(lines(nil, "10.00", "5.00"), lines(taxProfile(t, dutch), "1.00")...)})
	require.Equal(t, []string{" 0 15 0", "S 21 1 0.21"}, told(sums))
	require.Equal(t, []string{"Some lines have no tax profile and are not taxed."}, sums.Says)
}

func TestSeveralTaxesOnOneAmount(t *testing.T) {
	p := taxProfile(t, `
schema: docket.tax/v1
tax: US-NY
name: New York City
standard: services
categories:
  - {category: services, code: S, rates: [{parts: [{name: State, percent: 4}, {name: City, percent: 4.5}, {name: MCTD, percent: 0.375}]}]}
`)
	sums := totals(t, billing.Document{Currency: "USD", TaxDate: "2026-03-31", Lines: lines(p, "99.99")})
	require.Equal(t, "8.87", sums.Tax.String(), "8.875 % of 99.99 is 8.8741…")
	require.Len(t, sums.Taxes, 1)
	require.Equal(t, []billing.TaxAmount{
		{Name: "State", Percent: dec("4"), Tax: dec("4.00")},
		{Name: "City", Percent: dec("4.5"), Tax: dec("4.50")},
		{Name: "MCTD", Percent: dec("0.375"), Tax: dec("0.37")},
	}, fixed(sums.Taxes[0].Parts))
}

func fixed(parts []billing.TaxAmount) []billing.TaxAmount {
	for i := range parts {
		parts[i].Tax = dec(parts[i].Tax.StringFixed(2))
	}
	return parts
}

func TestPropertyDocumentAddsUp(t *testing.T) {
	profiles := []*billing.TaxProfile{nil}
	for _, prices := range []string{"", "prices: inclusive\n"} {
		for _, per := range []string{"", "per: line\n"} {
			for _, rounding := range []string{"", "rounding: half-even\n"} {
				profiles = append(profiles, taxProfile(t, dutch+prices+per+rounding))
			}
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		currency := rapid.SampledFrom([]string{"EUR", "JPY", "KWD"}).Draw(t, "currency")
		places, _ := billing.MinorUnits(currency)
		drawn := func(name string, least int64, most int) []billing.TaxableLine {
			return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) billing.TaxableLine {
				return billing.TaxableLine{
					Amount:   decimal.New(rapid.Int64Range(least, 99_999).Draw(t, "units"), -places),
					Profile:  rapid.SampledFrom(profiles).Draw(t, "profile"),
					Category: rapid.SampledFrom([]string{"", "standard", "reduced", "zero", "insurance"}).Draw(t, "category"),
				}
			}), 0, most).Draw(t, name)
		}
		d := billing.Document{
			Currency: currency, TaxDate: "2026-03-31", Lines: drawn("lines", -99_999, 30), Allowances: drawn("allowances", 0, 3), Charges: drawn("charges", 0, 3),
			Prepaid: decimal.New(rapid.Int64Range(0, 99_999).Draw(t, "prepaid"), -places),
		}
		sums, err := d.Totals()
		require.NoError(t, err)
		requireAddsUp(t, d, sums)
		for _, l := range sums.Lines {
			require.True(t, l.Net.Shift(places).IsInteger() && l.Tax.Shift(places).IsInteger(), "printed in minor units")
		}
	})
}
