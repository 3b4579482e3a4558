package document

import (
	"github.com/shopspring/decimal"

	"github.com/docket-psa/docket/billing"
)

// OfCredit makes the document of a credit note, or what takes a void invoice back: a credit note of all its lines. Returns a
// ticket.Problem for each thing that is missing.
func OfCredit(c billing.DueCredit) (*Document, error) {
	d, err := Of(c.Paper)
	if err != nil || c.Void == nil {
		return d, err
	}
	d.Of = Reference{d.Number, d.Issued}
	d.Kind, d.Number, d.Issued, d.Due = CreditNote, c.Void.Number, c.Void.On, ""
	d.Prepaid, d.Payable, d.Reduces = decimal.Zero, d.Gross, d.Gross
	return d, d.Check()
}
