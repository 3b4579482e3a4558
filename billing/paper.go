package billing

import "time"

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

// Paper is what a finalised invoice is printed from.
type Paper struct {
	Invoice  Invoice `json:"invoice"` // with its lines and its taxes
	Seller   Party   `json:"seller"`
	Buyer    Party   `json:"buyer"`
	IssuedOn string  `json:"issued_on"` // local date of the payer
	DueOn    string  `json:"due_on"`    // local date
}

// Rendered is an invoice as a file.
type Rendered struct {
	Kind      string // pdf, ubl, json
	MediaType string
	Content   []byte
}

// KeptDocument is a file that was rendered once, and is kept.
type KeptDocument struct {
	Invoice    string    `json:"invoice"` // its number
	Kind       string    `json:"kind"`
	MediaType  string    `json:"media_type"`
	SHA256     string    `json:"sha256"` // hexadecimal
	Bytes      int       `json:"bytes"`
	RenderedAt time.Time `json:"rendered_at"`
	Content    []byte    `json:"-"`
}
