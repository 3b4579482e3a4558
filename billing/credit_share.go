package billing

import (
	"slices"
	"strings"

	"github.com/shopspring/decimal"
)

// CreditPart is a line of an invoice as a credit note of an amount finds it: with what was written off it, and less what
// other notes gave back.
type CreditPart struct {
	Line  int64
	Of    string          // what is undone together: the closure, or the posting, that it comes of
	Net   decimal.Decimal // what it still charges; negative where it takes something off the others
	Gross decimal.Decimal // with its tax
}

// CreditShare is what a credit note gives back of one line.
type CreditShare struct {
	Line       int64
	Net, Gross decimal.Decimal
}

// ShareCredit says what of each line a credit note of an amount, with tax, gives back: in proportion to what still costs
// something, first over what is undone together, then over its lines, each in minor units and so that they sum to the amount. So
// a later reversal knows what went back already. The amount is no more than the parts come to.
func ShareCredit(amount decimal.Decimal, places int32, parts []CreditPart) []CreditShare {
	var groups []string
	for _, p := range parts {
		if !slices.Contains(groups, p.Of) {
			groups = append(groups, p.Of)
		}
	}
	weights := make([]decimal.Decimal, len(groups))
	for i, g := range groups {
		for _, p := range parts {
			if p.Of == g {
				weights[i] = weights[i].Add(p.Gross)
			}
		}
		weights[i] = decimal.Max(weights[i], decimal.Zero)
	}
	var shares []CreditShare
	for i, of := range spread(amount, places, weights) {
		if of.IsZero() {
			continue
		}
		var lines []CreditPart
		var costs []decimal.Decimal
		for _, p := range parts {
			if p.Of == groups[i] && p.Gross.IsPositive() {
				lines, costs = append(lines, p), append(costs, p.Gross)
			}
		}
		for j, gross := range spread(of, places, costs) {
			if gross.IsZero() {
				continue
			}
			net := lines[j].Net // all of it, without a cent of rounding
			if !gross.Equal(lines[j].Gross) {
				net = gross.Mul(lines[j].Net).DivRound(lines[j].Gross, places)
			}
			shares = append(shares, CreditShare{Line: lines[j].Line, Net: net, Gross: gross})
		}
	}
	return shares
}

// GivenBack is what a credit note gives back of one line of its invoice.
type GivenBack struct {
	Nth        int // which line of the invoice, from 1
	Gross, Tax decimal.Decimal
}

// CreditTotals are the sums of a credit note: what it gives back of each line, taxed as its invoice t taxed the line. Rows of the
// breakdown that share a code and a rate are one. The tax of a row is what its lines give back, so that it may be off its rate by what
// earlier notes have rounded; several taxes in it share it as they did on the invoice.
func (t *DocumentTotals) CreditTotals(given []GivenBack) DocumentTotals {
	places, _ := MinorUnits(t.Currency) // the invoice was taxed in it
	c := DocumentTotals{Currency: t.Currency, TaxDate: t.TaxDate, Lines: make([]LineTax, 0, len(given))}
	for _, g := range given {
		of := t.Lines[g.Nth-1]
		l := LineTax{Net: g.Gross.Sub(g.Tax), Tax: g.Tax, Code: of.Code, Percent: of.Percent}
		c.Lines = append(c.Lines, l)
		i := slices.IndexFunc(c.Taxes, func(r CategoryTax) bool { return r.Code == l.Code && r.Percent.Equal(l.Percent) })
		if i < 0 {
			i, c.Taxes = len(c.Taxes), append(c.Taxes, t.taxRow(l.Code, l.Percent))
		}
		c.Taxes[i].Base, c.Taxes[i].Tax = c.Taxes[i].Base.Add(l.Net), c.Taxes[i].Tax.Add(l.Tax)
		c.TaxExclusive, c.Tax = c.TaxExclusive.Add(l.Net), c.Tax.Add(l.Tax)
	}
	for _, row := range c.Taxes {
		weights := make([]decimal.Decimal, len(row.Parts))
		for i, part := range row.Parts {
			weights[i] = part.Percent
		}
		for i, tax := range spread(row.Tax, places, weights) {
			row.Parts[i].Tax = tax
		}
	}
	slices.SortStableFunc(c.Taxes, compareTaxes)
	c.LineTotal, c.TaxInclusive = c.TaxExclusive, c.TaxExclusive.Add(c.Tax)
	c.Payable = c.TaxInclusive
	return c
}

// taxRow is the row of the breakdown with that code and rate, at nothing; where rows differ in their reasons it has all of them.
func (t *DocumentTotals) taxRow(code string, rate decimal.Decimal) CategoryTax {
	row := CategoryTax{Code: code, Percent: rate}
	var reasons, certificates []string
	for _, r := range t.Taxes {
		if r.Code != code || !r.Percent.Equal(rate) {
			continue
		}
		if row.Parts == nil {
			row.Parts = slices.Clone(r.Parts)
		}
		reasons, certificates = append(reasons, r.Reason), append(certificates, r.Certificate)
	}
	row.Reason, row.Certificate = eachOnce(reasons), eachOnce(certificates)
	return row
}

// eachOnce joins what is not empty, each once.
func eachOnce(words []string) string {
	var said []string
	for _, w := range words {
		if w != "" && !slices.Contains(said, w) {
			said = append(said, w)
		}
	}
	return strings.Join(said, "; ")
}
