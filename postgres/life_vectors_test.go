package postgres_test

import (
	"cmp"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/ticket"
)

// sharedVectors is where the repository's neighbour keeps them.
var sharedVectors = filepath.Join("..", "..", "shared", "vectors", "rating.json")

var vectorsFile = flag.String("vectors", sharedVectors, "file of published input/expected pairs for TestPublishedInvoicesAreFinalised")

// publishedAmount is a line, an allowance or a charge of a published invoice.
type publishedAmount struct {
	Net    decimal.Decimal `json:"net"`
	Amount decimal.Decimal `json:"amount"`
	Minor  decimal.Decimal `json:"amount_minor"`
	Cat    string          `json:"cat"`
	Pct    decimal.Decimal `json:"pct"`
	TaxPct decimal.Decimal `json:"tax_pct"`
}

type publishedInvoice struct {
	ID     string `json:"id"`
	Model  string `json:"model"`
	Params struct {
		Currency string            `json:"currency"`
		Coupon   decimal.Decimal   `json:"coupon_minor"`
		Net      decimal.Decimal   `json:"net_minor"`
		Percents []decimal.Decimal `json:"tax_pcts"`
	} `json:"params"`
	Input struct {
		Lines      []publishedAmount `json:"lines"`
		Allowances []publishedAmount `json:"document_allowances"`
		Charges    []publishedAmount `json:"document_charges"`
		Prepaid    decimal.Decimal   `json:"prepaid"`
	} `json:"input"`
	Expected map[string]any `json:"expected"`
}

// billedPart is a line that the test brings on an invoice. What takes something off does so as it does in life: it was billed on an
// earlier invoice, and its ticket reopened.
type billedPart struct {
	net      decimal.Decimal
	category string // of the tax profile
}

// parts says the invoice as lines, and its rates as the categories of a tax profile.
func (v *publishedInvoice) parts() (parts []billedPart, categories []string) {
	seen := map[string]bool{}
	add := func(net decimal.Decimal, code string, percents ...decimal.Decimal) {
		name := strings.ToLower(code)
		rates := make([]string, len(percents))
		for i, p := range percents {
			name += "-" + strings.ReplaceAll(p.String(), ".", "-")
			rates[i] = fmt.Sprintf("{name: tax %d, percent: %s}", i+1, p)
		}
		if !seen[name] {
			seen[name] = true
			how := "rates: [{parts: [" + strings.Join(rates, ", ") + "]}]"
			if code != "S" {
				how = "reason: Not taxed"
			}
			if len(percents) == 1 && code == "S" {
				how = fmt.Sprintf("rates: [{percent: %s}]", percents[0])
			}
			categories = append(categories, fmt.Sprintf("{category: %s, code: %s, %s}", name, code, how))
		}
		if !net.IsZero() {
			parts = append(parts, billedPart{net, name})
		}
	}
	cents := func(minor decimal.Decimal) decimal.Decimal { return minor.Shift(-2) }
	code := func(p decimal.Decimal) string {
		if p.IsZero() {
			return "E"
		}
		return "S"
	}
	switch v.Model {
	case "tax_total":
		add(cents(v.Params.Net), "S", v.Params.Percents...)
		add(cents(v.Params.Coupon).Neg(), "S", v.Params.Percents...)
	case "tax_lines": // the coupon goes off the lines by their amounts, which parts here without a rest
		sum := decimal.Zero
		for _, l := range v.Input.Lines {
			sum = sum.Add(l.Minor)
		}
		for _, l := range v.Input.Lines {
			add(cents(l.Minor), code(l.TaxPct), l.TaxPct)
			add(cents(v.Params.Coupon.Mul(l.Minor).Div(sum)).Neg(), code(l.TaxPct), l.TaxPct)
		}
	default:
		for _, l := range v.Input.Lines {
			add(l.Net, l.Cat, l.Pct)
		}
		for _, c := range v.Input.Charges {
			add(c.Amount, c.Cat, c.Pct)
		}
		for _, a := range v.Input.Allowances {
			add(a.Amount.Neg(), a.Cat, a.Pct)
		}
	}
	return parts, categories
}

// finalised brings the lines on acme's March and finalises it.
func (v *publishedInvoice) finalised(t *testing.T) (*till, billing.Invoice) {
	t.Helper()
	currency := cmp.Or(v.Params.Currency, "USD")
	k := newTill(t)
	require.NoError(t, k.PutClient(t.Context(), ticket.Client{ID: "acme", Name: "Acme", TimeZone: "America/New_York", Currency: currency, Payer: "acme"}))
	parts, categories := v.parts()
	k.tax("schema: docket.tax/v1\ntax: V\nname: Published\nstandard: " + strings.TrimPrefix(strings.SplitN(categories[0], ",", 2)[0], "{category: ") +
		"\ncategories:\n  - " + strings.Join(categories, "\n  - ") + "\n")
	contract := fmt.Sprintf("schema: docket.contract/v1\ncontract: acme-v\nclient: acme\nname: Published\neffective_from: \"2026-01-01\"\ncurrency: %s\ntime_zone: America/New_York\ntax: V\nlines:\n", currency)
	for i, p := range parts {
		contract += fmt.Sprintf("  - {clause: \"%d\", name: Line %d, charge: per-ticket, price: \"%s\", tax_category: %s, match: {categories: [v%d]}}\n", i+1, i+1, p.net.Abs(), p.category, i+1)
	}
	k.apply(contract)
	k.on("2026-02-10")
	finalise := func(period string) billing.Invoice {
		i, err := k.Finalise(t.Context(), postgres.Finalisation{Payer: "acme", Currency: currency, Period: period, By: "olga", Early: true})
		require.NoError(t, err)
		return i
	}
	before := make([]ticket.ID, len(parts))
	earlier := false
	for i, p := range parts {
		if p.net.IsNegative() {
			before[i], earlier = k.ticket("v"+strconv.Itoa(i+1)), true
			k.close(before[i], 1, k.minutes("tom", 1))
		}
	}
	if earlier {
		february := finalise("2026-02-01")
		k.pay(february, february.Receivable.Owed.String())
	}
	k.on("2026-03-10")
	for i := range parts {
		if before[i] != "" {
			k.reopen(before[i])
		} else {
			k.close(k.ticket("v"+strconv.Itoa(i+1)), 1, k.minutes("tom", 1))
		}
	}
	return k, finalise("2026-03-01")
}

// What other systems published of an invoice's totals and taxes comes out of a real finalisation, too: of lines that tickets brought on it,
// taxed by a profile, and with what was prepaid as a payment.
func TestPublishedInvoicesAreFinalised(t *testing.T) {
	data, err := os.ReadFile(*vectorsFile)
	if errors.Is(err, os.ErrNotExist) && !filepath.IsAbs(*vectorsFile) {
		data, err = os.ReadFile(filepath.Join("..", *vectorsFile))
	}
	if errors.Is(err, os.ErrNotExist) && *vectorsFile == sharedVectors && os.Getenv("CI") != "true" {
		t.Skipf("no vectors at %s: name the file with -vectors", *vectorsFile)
	}
	require.NoError(t, err)
	var all []json.RawMessage // what other models say is of other shapes
	require.NoError(t, json.Unmarshal(data, &all))
	ran := map[string]int{}
	for _, raw := range all {
		var of struct{ Model string }
		require.NoError(t, json.Unmarshal(raw, &of))
		if of.Model != "invoice_totals" && of.Model != "tax_lines" && of.Model != "tax_total" {
			continue
		}
		var v publishedInvoice
		require.NoError(t, json.Unmarshal(raw, &v))
		ran[v.Model]++
		t.Run(v.Model+"/"+v.ID, func(t *testing.T) {
			k, march := v.finalised(t)
			if v.Input.Prepaid.IsPositive() {
				k.pay(march, v.Input.Prepaid.String())
			}
			x := march.Taxes
			got := map[string]string{
				"tax_exclusive": x.TaxExclusive.StringFixed(2), "tax": x.Tax.StringFixed(2), "tax_inclusive": x.TaxInclusive.StringFixed(2),
				"payable":    k.seen(march).Receivable.Owed.StringFixed(2),
				"line_total": march.Total.StringFixed(2), "tax_minor": x.Tax.Shift(2).String(), "total_minor": x.TaxInclusive.Shift(2).String(),
			}
			for name, want := range v.Expected {
				switch name {
				case "line_total": // allowances and charges of the document are lines here
					sum := decimal.RequireFromString(want.(string))
					for _, c := range v.Input.Charges {
						sum = sum.Add(c.Amount)
					}
					for _, a := range v.Input.Allowances {
						sum = sum.Sub(a.Amount)
					}
					require.Equal(t, sum.StringFixed(2), got[name], name)
				case "line_tax_minor":
					each := []any{}
					for i := 0; i < len(x.Lines); i += 2 { // a line, and its part of the coupon
						each = append(each, x.Lines[i].Tax.Add(x.Lines[i+1].Tax).Shift(2).String())
					}
					require.Equal(t, want, any(each), name)
				default:
					require.Equal(t, want, any(got[name]), name)
				}
			}
			require.Equal(t, march.Total.StringFixed(2), x.TaxExclusive.StringFixed(2))
			k.proved()
		})
	}
	t.Logf("finalised as published: %v", ran)
	require.Len(t, ran, 3)
}
