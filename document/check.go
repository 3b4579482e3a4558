package document

import (
	"errors"
	"fmt"
	"slices"

	"github.com/shopspring/decimal"

	"github.com/docket-psa/docket/billing"
)

// Check holds the document to the rules of EN 16931 about its sums: BR-CO-10 and 13 to 16, and that each row of the tax
// breakdown is the sum of the lines that are taxed so (BR-S-08 and its like). They hold for every document that billing
// made: an error is a defect, and the document is not printed. BR-CO-17, that a row's tax is its rate of its base, holds
// to what the lines round: see Normed.
func (d *Document) Check() error {
	var errs []error
	rule := func(name, says string, left, right decimal.Decimal) {
		if !left.Equal(right) {
			errs = append(errs, fmt.Errorf("%s of %s: %s is %s, and must be %s", name, d.Number, says, left, right))
		}
	}
	type taxed struct{ code, percent string }
	var lines, tax, base decimal.Decimal
	sums, rows := map[taxed]decimal.Decimal{}, map[taxed]int{}
	for _, l := range d.Lines {
		lines = lines.Add(l.Net)
		k := taxed{l.TaxCode, l.Percent.String()}
		sums[k] = sums[k].Add(l.Net)
		rows[k]++
		if l.Price.IsNegative() {
			errs = append(errs, fmt.Errorf("BR-27 of %s: the price of line %s is %s", d.Number, l.ID, l.Price))
		}
	}
	for _, t := range d.Taxes {
		tax, base = tax.Add(t.Tax), base.Add(t.Base)
		k := taxed{orO(t.Code), t.Percent.String()}
		sums[k] = sums[k].Sub(t.Base)
		rounds := decimal.NewFromInt(int64(max(rows[k], 1) * max(len(t.Parts), 1))).Shift(-d.Places) // a minor unit each
		// A credit note's tax is what its invoice's lines had, less what notes before it have rounded: that is off by as much as they say.
		if d.Of.Number == "" && off(t).GreaterThan(rounds) {
			errs = append(errs, fmt.Errorf("BR-CO-17 of %s: %s %% of %s is not %s", d.Number, t.Percent, t.Base, t.Tax))
		}
	}
	for k, left := range sums {
		if !left.IsZero() {
			errs = append(errs, fmt.Errorf("BR-S-08 of %s: lines with %s at %s %% differ by %s from their row", d.Number, k.code, k.percent, left))
		}
	}
	rule("BR-CO-10", "the sum of the lines", lines, d.Net)
	rule("BR-CO-13", "the total without tax", base, d.Net)
	rule("BR-CO-14", "the total of tax", tax, d.Tax)
	rule("BR-CO-15", "the total with tax", d.Net.Add(d.Tax), d.Gross)
	rule("BR-CO-16", "the amount due", d.Gross.Sub(d.Prepaid), d.Payable)
	if d.Kind == CreditNote {
		rule("What became", "what is off the invoice and in credit", d.Reduces.Add(d.ToCredit), d.Payable)
	}
	return errors.Join(errs...)
}

// off is how far a row's tax is from its rate of its base: nothing where tax is rounded by category, but for that rounding;
// where it is rounded by line, what the lines round.
func off(t billing.CategoryTax) decimal.Decimal {
	return t.Base.Mul(t.Percent).Shift(-2).Sub(t.Tax).Abs()
}

// Normed says whether EN 16931 can tell the document: its amounts have two decimals, and BR-CO-17 bears a row of taxes that
// is less than one off. Many small lines that are taxed line by line come to more; such an invoice is paper and data alone.
func (d *Document) Normed() bool {
	return d.Places <= 2 && !slices.ContainsFunc(d.Taxes, func(t billing.CategoryTax) bool { return !off(t).LessThan(decimal.NewFromInt(1)) })
}

// orO names the category of what no profile taxes: not subject to tax.
func orO(code string) string {
	if code == "" {
		return "O"
	}
	return code
}
