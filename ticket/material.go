package ticket

import (
	"errors"
	"time"
)

// Material is a part, a licence or an expense that a ticket took. It is a row, like a comment: no
// workflow waits for it.
type Material struct {
	Header
	Kind     string `json:"kind"`               // one of Part, Licence, Expense
	Text     string `json:"text"`               // what the invoice line says: "SSD 1 TB"
	Quantity string `json:"quantity,omitempty"` // decimal, more than 0; empty: 1
	Cost     string `json:"cost"`               // decimal: what one cost us
	Price    string `json:"price,omitempty"`    // decimal: of one, instead of cost and the contract's markup; it takes a right
	Currency string `json:"currency,omitempty"` // ISO 4217, of both; empty: the client's
	On       string `json:"on,omitempty"`       // service date, local, YYYY-MM-DD; empty: the message's
}

// The kinds of material.
const (
	Part    = "part"
	Licence = "licence"
	Expense = "expense"
)

// Validate checks the shape; the store checks the date and the currency.
func (m Material) Validate() error {
	errs := []error{m.Header.Validate(), text("text", m.Text, 1, MaxSubject), decimalText("cost", m.Cost, "give what one cost us, such as 80.00")}
	switch m.Kind {
	case Part, Licence, Expense:
	default:
		errs = append(errs, Invalid("kind", m.Kind, "is not a kind of item", "part, licence or expense"))
	}
	if m.Quantity != "" {
		errs = append(errs, decimalText("quantity", m.Quantity, "write it like 1 or 2.5"))
	}
	if m.Price != "" {
		errs = append(errs, decimalText("price", m.Price, "give the price of one, such as 99.00"))
	}
	if m.Currency != "" {
		errs = append(errs, text("currency", m.Currency, 3, 3))
	}
	if m.On != "" {
		if _, err := time.Parse(time.DateOnly, m.On); err != nil {
			errs = append(errs, Invalid("on", m.On, "is not a date", "write it like 2026-03-01"))
		}
	}
	return errors.Join(errs...)
}
