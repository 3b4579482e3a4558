package billing

import (
	"time"

	"github.com/shopspring/decimal"
)

// InvoiceReview is what an open invoice came to when somebody reviewed it.
type InvoiceReview struct {
	Invoice   string          `json:"invoice"`
	By        string          `json:"by,omitempty"` // empty in a client's session
	At        time.Time       `json:"at"`
	Currency  string          `json:"currency"`
	Total     decimal.Decimal `json:"total"` // the sum of its lines
	LineCount int             `json:"line_count"`
	Says      string          `json:"says,omitempty"`
}

// Moved says whether lines have come since.
func (r InvoiceReview) Moved(total decimal.Decimal, lines int) bool {
	return lines != r.LineCount || !total.Equal(r.Total)
}

// InvoiceSending says where a kept file of an invoice went, or of a credit note.
type InvoiceSending struct {
	Invoice    string    `json:"invoice"`
	CreditNote string    `json:"credit_note,omitempty"` // about that invoice; empty: the file is the invoice's own
	Recipient  string    `json:"recipient"`
	SHA256     string    `json:"sha256"`
	At         time.Time `json:"at"`
	Says       string    `json:"says"`
}

// PaymentReturned answers what became of a payment that came back.
type PaymentReturned struct {
	Payment    string          `json:"payment"` // P-12
	Invoice    string          `json:"invoice"`
	Payer      string          `json:"payer"`
	Currency   string          `json:"currency"`
	Received   decimal.Decimal `json:"received"`             // what had come, and went back
	OwedAgain  []OwedAgain     `json:"owed_again,omitempty"` // its own invoice first, then those that its credit had paid
	Uncredited decimal.Decimal `json:"uncredited"`           // taken out of the payer's credit
	Blocks     []int64         `json:"blocks,omitempty"`     // of hours, that nobody has paid any more
	Says       string          `json:"says"`
}

// OwedAgain is an invoice on which a returned payment is owed again.
type OwedAgain struct {
	Invoice string          `json:"invoice"`
	Amount  decimal.Decimal `json:"amount"`
}

// Dispute is a line in question.
type Dispute struct {
	ID        int64           `json:"id"` // D-n
	Line      int64           `json:"line"`
	Invoice   string          `json:"invoice"`
	Payer     string          `json:"payer"`
	Client    string          `json:"client"`
	Currency  string          `json:"currency"`
	Amount    decimal.Decimal `json:"amount"` // of the line when it was questioned, with tax
	Left      decimal.Decimal `json:"left"`   // of that, what no credit note has given back
	State     string          `json:"state"`  // open, stands, credited, void
	OpenedBy  string          `json:"opened_by,omitempty"`
	OpenedAt  time.Time       `json:"opened_at"`
	Reason    string          `json:"reason"`
	SettledBy string          `json:"settled_by,omitempty"`
	SettledAt *time.Time      `json:"settled_at,omitempty"`
	Answer    string          `json:"answer,omitempty"`
	Says      string          `json:"says,omitempty"`
}

// DisputeStates lists them. A dispute is void with its invoice, and credited also where a credit note that was issued
// meanwhile gave the whole line back.
var DisputeStates = []string{"open", "stands", "credited", "void"}

// DisputeSettled answers how a dispute ended.
type DisputeSettled struct {
	Dispute string      `json:"dispute"`
	Line    string      `json:"line"`
	Invoice string      `json:"invoice"`
	Outcome string      `json:"outcome"` // stands, credited
	Note    *CreditNote `json:"note,omitempty"`
	Says    string      `json:"says"`
}

// InvoiceRules is how the house treats its invoices.
type InvoiceRules struct {
	ReviewFirst bool    `json:"review_first"` // nothing is finalised that nobody has reviewed as it is
	RemindAfter []int32 `json:"remind_after"` // days after the due date, ascending; empty: never
	// RemindInHouse keeps reminders to our own finance; else the payer gets a mail with the invoice, too.
	RemindInHouse bool   `json:"remind_in_house,omitempty"`
	SetBy         string `json:"set_by,omitempty"`
}

// Overdue is an invoice whose payer is to be reminded.
type Overdue struct {
	Invoice  int64           `json:"-"`
	Number   string          `json:"number"`
	Payer    string          `json:"payer"`
	Currency string          `json:"currency"`
	DueOn    string          `json:"due_on"`
	Days     int             `json:"days"` // overdue, where the payer is
	Step     int             `json:"step"` // the last of the house's steps that is reached
	Asked    decimal.Decimal `json:"asked"`
	Disputed decimal.Decimal `json:"disputed"`
	Says     string          `json:"says,omitempty"`
}

// RemindersSwept is what a sweep of reminders came to.
type RemindersSwept struct {
	Reminded []Overdue `json:"reminded"`
	More     bool      `json:"more,omitempty"` // a batch is full: there may be others
}
