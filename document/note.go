package document

import (
	"slices"
	"strings"

	"github.com/docket-psa/docket/billing"
)

// Reference names another document.
type Reference struct {
	Number string
	Issued string // local date
}

// corrects makes the document the credit note of the paper. Its lines are positive already: they are what is given back of
// the invoice's.
func (d *Document) corrects(p billing.Paper) {
	n := p.Note
	d.Kind, d.Issued, d.Of = CreditNote, n.IssuedOn, Reference{p.Invoice.Number, p.IssuedOn}
	d.Note = strings.Join(strings.Fields(n.Reason), " ")
	d.Reduces, d.ToCredit = n.Reduces, n.ToCredit
	for i, l := range n.Lines {
		if slices.Contains(n.Parts, l.Line) {
			d.Lines[i].Text = "Part of: " + d.Lines[i].Text
		}
	}
}

// became says what became of a credit note's amount: each part of it by its name. Of an invoice there is nothing to say.
func (d *Document) became() (parts [][2]string) {
	if d.Reduces.IsPositive() {
		parts = append(parts, [2]string{"Off what you owed on " + d.Of.Number, d.money(d.Reduces)})
	}
	if d.ToCredit.IsPositive() {
		parts = append(parts, [2]string{"To your credit", d.money(d.ToCredit)})
	}
	return parts
}

// terms say it in words: where an amount is due, EN 16931 wants a date or terms (BR-CO-25).
func (d *Document) terms() string {
	var said []string
	for _, part := range d.became() {
		said = append(said, part[0]+": "+part[1]+" "+d.Currency)
	}
	return strings.Join(said, "; ")
}
