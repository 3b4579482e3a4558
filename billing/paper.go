package billing

import (
	"cmp"
	"time"

	"github.com/shopspring/decimal"
)

// Party is who sells or who pays, as law and post want to know them.
type Party struct {
	Name     string `json:"name,omitempty"`
	Street   string `json:"street,omitempty"`
	City     string `json:"city,omitempty"`
	Postcode string `json:"postcode,omitempty"`
	Region   string `json:"region,omitempty"`
	Country  string `json:"country,omitempty"`                  // ISO 3166-1, two letters
	TaxID    string `json:"tax_id,omitempty" yaml:"tax_id"`     // VAT number, with its country
	LegalID  string `json:"legal_id,omitempty" yaml:"legal_id"` // of the company's register
	Email    string `json:"email,omitempty"`
	IBAN     string `json:"iban,omitempty"` // of the seller: where to pay
	BIC      string `json:"bic,omitempty"`
}

// Paper is what a finalised invoice, or a credit note about one, is printed from.
type Paper struct {
	Note     *IssuedNote `json:"credit_note,omitempty"` // nil: the paper is the invoice's own
	Invoice  Invoice     `json:"invoice"`               // with its lines and its taxes, unless the paper is a credit note's
	Seller   Party       `json:"seller"`
	Buyer    Party       `json:"buyer"`
	IssuedOn string      `json:"issued_on"` // local date of the payer; of the invoice, as is the next one
	DueOn    string      `json:"due_on"`    // local date
}

// IssuedNote is a credit note as it was issued.
type IssuedNote struct {
	ID        int64           `json:"-"`
	InvoiceID int64           `json:"-"`
	Number    string          `json:"number"`
	Invoice   string          `json:"invoice"` // that it corrects; empty: an invoice that came to less than zero, and is a credit note itself
	Payer     string          `json:"payer"`
	Currency  string          `json:"currency"`
	IssuedOn  string          `json:"issued_on"` // local date of the payer
	IssuedAt  time.Time       `json:"issued_at"`
	Net       decimal.Decimal `json:"net"`
	Tax       decimal.Decimal `json:"tax"`
	Amount    decimal.Decimal `json:"amount"`    // with tax
	Reduces   decimal.Decimal `json:"reduces"`   // of what was owed on the invoice
	ToCredit  decimal.Decimal `json:"to_credit"` // the rest: the payer's credit
	Reason    string          `json:"reason,omitempty"`
	Lines     []InvoiceLine   `json:"lines,omitempty"` // that it gives back from, as the invoice has them
	Parts     []int64         `json:"parts,omitempty"` // those of them of which it gives back a part
	Taxes     *DocumentTotals `json:"taxes,omitempty"` // what it gives back of each, and the sums
}

// ListedNote is a credit note in a list.
type ListedNote struct {
	IssuedNote
	Files  int        `json:"files"` // that are kept of it
	SentAt *time.Time `json:"sent_at,omitempty"`
}

// Rendered is an invoice or a credit note as a file.
type Rendered struct {
	Kind      string // pdf, ubl, json
	MediaType string
	Content   []byte
}

// KeptDocument is a file that was rendered once, and is kept.
type KeptDocument struct {
	CreditNote string    `json:"credit_note,omitempty"` // number; empty: it is the invoice's own
	Invoice    string    `json:"invoice"`               // number
	Kind       string    `json:"kind"`
	MediaType  string    `json:"media_type"`
	SHA256     string    `json:"sha256"` // hexadecimal
	Bytes      int       `json:"bytes"`
	RenderedAt time.Time `json:"rendered_at"`
	Content    []byte    `json:"-"`
}

// Of is the number of the document that the file is of.
func (d KeptDocument) Of() string { return cmp.Or(d.CreditNote, d.Invoice) }
