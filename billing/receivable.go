package billing

import (
	"time"

	"github.com/shopspring/decimal"
)

// The states of an invoice. Only open and finalised are written; the others are derived from what
// has happened to it since.
const (
	InvoiceOpen       = "open"
	InvoiceInReview   = "review" // open, and somebody has read it; lines may still come
	InvoiceFinalised  = "finalised"
	InvoiceSent       = "sent"        // finalised, and on record as sent to its payer
	InvoicePartlyPaid = "partly-paid" // by payments or applied credit
	InvoicePaid       = "paid"        // nothing is owed
	InvoiceCredited   = "credited"    // credit notes have given all of it back
	InvoiceVoid       = "void"        // its lines are billed again elsewhere
	InvoiceCreditNote = "credit-note" // it came to less than zero, and is the payer's credit
)

// InvoiceStates lists them in the order of an invoice's life.
var InvoiceStates = []string{
	InvoiceOpen, InvoiceInReview, InvoiceFinalised, InvoiceSent, InvoicePartlyPaid, InvoicePaid, InvoiceCredited, InvoiceVoid, InvoiceCreditNote,
}

// Receivable is where a finalised invoice stands. Unless it is void or a credit note itself, owed is
// payable − paid − applied − what its credit notes reduced it by.
type Receivable struct {
	Payable  decimal.Decimal `json:"payable"` // with tax
	Paid     decimal.Decimal `json:"paid"`
	Applied  decimal.Decimal `json:"applied"`  // of the payer's credit
	Credited decimal.Decimal `json:"credited"` // by credit notes
	Reduced  decimal.Decimal `json:"reduced"`  // by credit notes: the rest of them is the payer's credit
	Owed     decimal.Decimal `json:"owed"`
	Disputed decimal.Decimal `json:"disputed,omitzero"` // of what is owed: nobody collects it until it is settled
}

// Collectable is what is owed and not in question.
func (r Receivable) Collectable() decimal.Decimal { return r.Owed.Sub(r.Disputed) }

// InvoiceEvent is something that was done to an invoice. Who did it, and what he was answered, is
// the desk's own: empty in a client's session.
type InvoiceEvent struct {
	At     time.Time       `json:"at"`
	Kind   string          `json:"kind"`          // review, write-down, finalised, sent, payment, payment-returned, credit-note, credit-note-sent, credit-applied, credit-returned, question, answer, reminder, void
	Ref    string          `json:"ref,omitempty"` // what else people call it: a payment's P-12, a credit note's number
	Amount decimal.Decimal `json:"amount"`
	By     string          `json:"by,omitempty"`
	Reason string          `json:"reason,omitempty"` // of a payment: when it came, and how
	Says   string          `json:"says,omitempty"`
}

// Payment answers what was paid.
type Payment struct {
	Invoice  string          `json:"invoice"`
	Payer    string          `json:"payer"`
	Currency string          `json:"currency"`
	Received decimal.Decimal `json:"received"`
	Amount   decimal.Decimal `json:"amount"`    // of it, on the invoice
	ToCredit decimal.Decimal `json:"to_credit"` // the rest: the payer's credit
	Owed     decimal.Decimal `json:"owed"`      // on the invoice, after it
	PaidOn   string          `json:"paid_on"`   // local date
	Method   string          `json:"method,omitempty"`
	Says     string          `json:"says"`
}

// CreditNote is a document that gives back a part of an invoice, or all of it.
type CreditNote struct {
	Number   string          `json:"number"` // CN-2026-00003
	Invoice  string          `json:"invoice"`
	Payer    string          `json:"payer"`
	Currency string          `json:"currency"`
	Amount   decimal.Decimal `json:"amount"`    // with tax
	Reduces  decimal.Decimal `json:"reduces"`   // of what was owed
	ToCredit decimal.Decimal `json:"to_credit"` // the rest: the payer's credit
	Owed     decimal.Decimal `json:"owed"`      // on the invoice, after it
	Lines    []int64         `json:"lines,omitempty"`
	Reason   string          `json:"reason"`
	IssuedAt time.Time       `json:"issued_at"`
	Says     string          `json:"says"`
}

// Voiding answers what became of a void invoice's lines and of the credit it had used.
type Voiding struct {
	Invoice  string          `json:"invoice"`
	Payer    string          `json:"payer"`
	Currency string          `json:"currency"`
	Total    decimal.Decimal `json:"total"`    // of the lines that are billed again
	Lines    []PostedLine    `json:"lines"`    // which they are now
	Returned decimal.Decimal `json:"returned"` // to the payer's credit
	Says     string          `json:"says"`
}

// WrittenDown answers what a line comes to after a write-down.
type WrittenDown struct {
	Line     int64           `json:"line"` // that was written down
	By       int64           `json:"by"`   // the line that does it
	Invoice  int64           `json:"invoice"`
	Currency string          `json:"currency"`
	Was      decimal.Decimal `json:"was"`
	Now      decimal.Decimal `json:"now"`
	Says     string          `json:"says"`
}

// PayerCredit is what a payer has in credit, in one currency.
type PayerCredit struct {
	Payer    string          `json:"payer"`
	Currency string          `json:"currency"`
	Balance  decimal.Decimal `json:"balance"`
}

// PayerCredits is the credit of one payer with what it comes from, the oldest first.
type PayerCredits struct {
	PayerCredit
	Credits []CreditView `json:"credits"`
}

// CreditView is one credit of a payer with what is left of it.
type CreditView struct {
	ID       int64           `json:"id"`
	Kind     string          `json:"kind"` // credit-note, overpayment
	Of       string          `json:"of"`   // number of the credit note, or of the invoice that was overpaid
	Amount   decimal.Decimal `json:"amount"`
	Left     decimal.Decimal `json:"left"`
	Applied  []AppliedCredit `json:"applied,omitempty"`
	Returned decimal.Decimal `json:"returned,omitzero"` // of it: the payment that it was the rest of came back
	At       time.Time       `json:"at"`
}

// AppliedCredit is credit that an invoice has used; negative where its void gave it back.
type AppliedCredit struct {
	Invoice string          `json:"invoice"`
	Amount  decimal.Decimal `json:"amount"`
	At      time.Time       `json:"at"`
}

// CreditApplied answers what `docket credit apply` did.
type CreditApplied struct {
	Payer    string          `json:"payer"`
	Currency string          `json:"currency"`
	Applied  []AppliedCredit `json:"applied"` // by invoice, the oldest first
	Amount   decimal.Decimal `json:"amount"`
	Balance  decimal.Decimal `json:"balance"` // what is left
	Says     string          `json:"says"`
}
