package document

import (
	"errors"
	"fmt"

	"github.com/shopspring/decimal"
)

// Check holds the document to the rules of EN 16931 about its sums: BR-CO-10 and 13 to 17, and that each row of the tax
// breakdown is the sum of the lines that are taxed so (BR-S-08 and its like). They hold for every document that billing
// made: an error is a defect, and the document is not printed.
func (d *Document) Check() error {
	var errs []error
	rule := func(name, says string, left, right decimal.Decimal) {
		if !left.Equal(right) {
			errs = append(errs, fmt.Errorf("%s of %s: %s is %s, and must be %s", name, d.Number, says, left, right))
		}
	}
	type taxed struct{ code, percent string }
	var lines, tax, base decimal.Decimal
	sums := map[taxed]decimal.Decimal{}
	for _, l := range d.Lines {
		lines = lines.Add(l.Net)
		k := taxed{l.TaxCode, l.Percent.String()}
		sums[k] = sums[k].Add(l.Net)
		if l.Price.IsNegative() {
			errs = append(errs, fmt.Errorf("BR-27 of %s: the price of line %s is %s", d.Number, l.ID, l.Price))
		}
	}
	for _, t := range d.Taxes {
		tax, base = tax.Add(t.Tax), base.Add(t.Base)
		k := taxed{orO(t.Code), t.Percent.String()}
		sums[k] = sums[k].Sub(t.Base)
		// Rounded by category this is exact; rounded by line it may be off by what the lines round, which the norm bears below one unit.
		off := t.Base.Mul(t.Percent).Shift(-2).Sub(t.Tax).Abs()
		if !off.LessThan(decimal.NewFromInt(1)) {
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
	return errors.Join(errs...)
}

// orO names the category of what no profile taxes: not subject to tax.
func orO(code string) string {
	if code == "" {
		return "O"
	}
	return code
}
