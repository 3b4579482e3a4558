package document

import (
	"strings"

	"github.com/shopspring/decimal"

	"github.com/docket-psa/docket/billing"
)

// noneBelowZero gives the lines for a program that imports none below zero (a discount, a reversal): what is taxed alike as such a line
// becomes one line with it, which names them all. A row that comes to less than zero by itself stays as it is.
func (d *Document) noneBelowZero() []Line {
	type taxed struct{ code, percent string }
	of := func(l Line) taxed { return taxed{l.TaxCode, l.Percent.String()} }
	below := map[taxed]bool{}
	for _, l := range d.Lines {
		below[of(l)] = below[of(l)] || l.Net.IsNegative()
	}
	var lines []Line
	at := map[taxed]int{}
	for _, l := range d.Lines {
		i, begun := at[of(l)]
		switch {
		case !below[of(l)]:
			lines = append(lines, l)
		case !begun:
			at[of(l)] = len(lines)
			lines = append(lines, l)
		default:
			lines[i].add(l)
		}
	}
	return lines
}

// mostText is how long the text of a row may grow: QuickBooks takes 4,000 characters.
const mostText = 2000

// add makes one line of two.
func (l *Line) add(more Line) {
	l.Net, l.Tax = l.Net.Add(more.Net), l.Tax.Add(more.Tax)
	l.Quantity, l.Unit, l.Price = decimal.NewFromInt(int64(l.Net.Sign())), billing.UnitPiece, l.Net.Abs()
	if l.Net.IsZero() {
		l.Quantity = decimal.NewFromInt(1)
	}
	if text := l.Text + "; " + more.ID + " " + more.Text; len(text) <= mostText {
		l.Text = text
	} else if !strings.HasSuffix(l.Text, "; …") {
		l.Text += "; …"
	}
}
