package billing

import (
	"fmt"

	"github.com/shopspring/decimal"
)

// Document is an invoice or a credit note before its totals.
type Document struct {
	Currency   string
	TaxDate    string // local date that chooses among rates and certificates
	Lines      []TaxableLine
	Allowances []TaxableLine   // off the whole document; amounts ≥ 0
	Charges    []TaxableLine   // on the whole document
	Prepaid    decimal.Decimal // credits applied and payments made
}

// DocumentTotals are the sums of a document, as EN 16931 names and relates them (BR-CO-10 to
// BR-CO-16). Every sum adds up from the printed parts. Kept with a finalised document they
// are the snapshot of how it was taxed: the profile may change afterwards.
type DocumentTotals struct {
	Currency     string          `json:"currency"`
	TaxDate      string          `json:"tax_date"`
	Lines        []LineTax       `json:"lines"`         // in the order of the document's
	Taxes        []CategoryTax   `json:"taxes"`         // by code and rate
	LineTotal    decimal.Decimal `json:"line_total"`    // Σ net of lines
	Allowances   decimal.Decimal `json:"allowances"`    // Σ net
	Charges      decimal.Decimal `json:"charges"`       // Σ net
	TaxExclusive decimal.Decimal `json:"tax_exclusive"` // LineTotal − Allowances + Charges = Σ base of Taxes
	Tax          decimal.Decimal `json:"tax"`           // Σ tax of Taxes
	TaxInclusive decimal.Decimal `json:"tax_inclusive"` // TaxExclusive + Tax
	Prepaid      decimal.Decimal `json:"prepaid"`
	Payable      decimal.Decimal `json:"payable"`        // TaxInclusive − Prepaid
	Says         []string        `json:"says,omitempty"` // what whoever finalises should know
}

// Totals adds the document up and taxes it. The error says which line cannot be taxed, and
// what to do: there is no tax rate by default.
func (d *Document) Totals() (DocumentTotals, error) {
	places, known := MinorUnits(d.Currency)
	if !known {
		return DocumentTotals{}, fmt.Errorf("currency %s is not in ISO 4217: amounts cannot be rounded", d.Currency)
	}
	x := &taxes{on: d.TaxDate, places: places}
	t := DocumentTotals{Currency: d.Currency, TaxDate: d.TaxDate, Lines: make([]LineTax, 0, len(d.Lines)), Prepaid: d.Prepaid}
	for i, l := range d.Lines {
		line, err := x.add(l)
		if err != nil {
			return DocumentTotals{}, fmt.Errorf("line %d: %w", i+1, err)
		}
		t.Lines = append(t.Lines, line)
		t.LineTotal = t.LineTotal.Add(line.Net)
	}
	for i, l := range d.Allowances {
		l.Amount = l.Amount.Neg()
		line, err := x.add(l)
		if err != nil {
			return DocumentTotals{}, fmt.Errorf("allowance %d: %w", i+1, err)
		}
		t.Allowances = t.Allowances.Sub(line.Net)
	}
	for i, l := range d.Charges {
		line, err := x.add(l)
		if err != nil {
			return DocumentTotals{}, fmt.Errorf("charge %d: %w", i+1, err)
		}
		t.Charges = t.Charges.Add(line.Net)
	}
	t.Taxes, t.Says = x.breakdown(), x.says
	for i := range t.Taxes {
		t.Tax = t.Tax.Add(t.Taxes[i].Tax)
	}
	t.TaxExclusive = t.LineTotal.Sub(t.Allowances).Add(t.Charges)
	t.TaxInclusive = t.TaxExclusive.Add(t.Tax)
	t.Payable = t.TaxInclusive.Sub(t.Prepaid)
	return t, nil
}
