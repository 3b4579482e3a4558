package billing_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
)

func TestParseTaxProfileReportsEverythingAtOnce(t *testing.T) {
	_, err := billing.ParseTaxProfile([]byte(`
schema: docket.tax/v2
tax: N L
prices: gross
per: document
rate: 21
standard: normal
categories:
  - {category: Standard, code: S, rates: [{percent: 21, parts: [{percent: 1}]}, {valid_from: 2026-02-30, percent: 120}]}
  - {category: none, code: E, rates: [{percent: 0}]}
  - {category: none, code: Q}
  - {category: low, code: S, rates: [{percent: 0}]}
  - {category: zero, code: Z, rates: [{percent: 1}]}
  - {category: late, code: S}
exemption: {certificate: C-1, valid_from: 2026-02-01, valid_to: 2026-02-01, code: S, categories: [other]}
`))
	var found []string
	for _, p := range billing.Problems(err) {
		found = append(found, p.Error())
	}
	require.Equal(t, []string{
		`line 6: rate is not a field of a tax profile: remove it, or use one of schema, tax, name, prices, per, rounding, standard, categories, exemption`,
		`line 2: schema "docket.tax/v2" is not a schema of this version: write docket.tax/v1`,
		`line 3: tax "N L" is not an id: use 1 to 64 letters, digits, dots, dashes and underscores, like SH-1`,
		`line 2: name is missing: say what people call the profile`,
		`line 4: prices "gross" is not known: use exclusive, inclusive`,
		`line 5: per "document" is not known: use category, line`,
		`line 9: categories[0].category "Standard" is not the name of a category: use small letters, digits and dashes, like standard or managed-services`,
		`line 9: categories[0].rates[0].percent "21" stands beside parts: keep one of them: the parts add up to the rate`,
		`line 9: categories[0].rates[0].parts[0].name is missing: say which tax it is`,
		`line 9: categories[0].rates[1].valid_from "2026-02-30" is not a date: write it like 2026-01-31`,
		`line 9: categories[0].rates[1].percent "120" is no rate of a tax: give a percentage from 0 to 100, like 21 or 8.875`,
		`line 10: categories[1].rates mean nothing with code E: remove them, or use S: this code is for what is not taxed`,
		`line 10: categories[1].reason is missing: say why there is no tax, as it is printed, like 'Reverse charge'`,
		`line 11: categories[2].category "none" is there twice: keep one of them, and give it all its rates`,
		`line 11: categories[2].code "Q" is not known: use S, Z, L, M, E, AE, K, G, O`,
		`line 12: categories[3].rates[0] "0" is no rate of code S: use Z for what is taxed at zero, or E for what is exempt`,
		`line 13: categories[4].rates[0] "1" is a rate with code Z: use S: Z is taxed at zero`,
		`line 14: categories[5].rates is missing: give the rate, like [{percent: 21}], with valid_from where it changed`,
		`line 7: standard "normal" is no category of the profile: name the category of lines that name none`,
		`line 15: exemption.reason is missing: say why there is no tax, as it is printed`,
		`line 15: exemption.code "S" is not known: use E, AE, K, G`,
		`line 15: exemption.valid_to "2026-02-01" is not after valid_from: give the first day on which the certificate no longer holds, or leave it out`,
		`line 15: exemption.categories[0] "other" is no category of the profile: use Standard, none, none, low, zero, late`,
	}, found)
}

func TestTaxProfileValidate(t *testing.T) {
	require.NoError(t, taxProfile(t, dutch).Validate())
	require.Error(t, new(billing.TaxProfile).Validate())
}
