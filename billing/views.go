package billing

import (
	"time"

	"github.com/shopspring/decimal"
)

// Invoice is an invoice as people see it, live while it is open.
type Invoice struct {
	ID          int64           `json:"id"`
	Number      string          `json:"number,omitempty"` // INV-2026-00017; empty while open
	Payer       string          `json:"payer"`
	Currency    string          `json:"currency"`
	PeriodStart string          `json:"period_start"` // local date
	PeriodEnd   string          `json:"period_end"`   // exclusive
	State       string          `json:"state"`        // one of InvoiceStates
	Total       decimal.Decimal `json:"total"`        // the sum of its lines: net, unless a tax profile says that prices include tax
	LineCount   int             `json:"line_count"`
	FinalisedAt *time.Time      `json:"finalised_at,omitempty"`
	Receivable  *Receivable     `json:"receivable,omitempty"` // nil while open
	DueOn       string          `json:"due_on,omitempty"`     // local date; empty while open
	Review      *InvoiceReview  `json:"review,omitempty"`     // the last one, while open
	Taxes       *DocumentTotals `json:"taxes,omitempty"`      // with tax; live while open, then as it was finalised
	Lines       []InvoiceLine   `json:"lines,omitempty"`
	Events      []InvoiceEvent  `json:"events,omitempty"`
}

// InvoiceLine is one line; L-n is charge n.
type InvoiceLine struct {
	Line     int64           `json:"line"`
	Ticket   string          `json:"ticket"` // empty: it comes of no ticket
	Client   string          `json:"client"`
	Kind     ChargeKind      `json:"kind"`
	Clause   string          `json:"clause,omitempty"`
	Text     string          `json:"text"`
	Quantity decimal.Decimal `json:"quantity"`
	Unit     string          `json:"unit"`
	Rate     decimal.Decimal `json:"rate"`
	Amount   decimal.Decimal `json:"amount"`
	Currency string          `json:"currency"`
	Date     string          `json:"date"` // of service
	PostedAt time.Time       `json:"posted_at"`
	Reverses int64           `json:"reverses,omitempty"`
	Adjusts  int64           `json:"adjusts,omitempty"`
	Project  string          `json:"project,omitempty"` // id of the project that it bills to

	// What the books take from it; each is empty where the contract says nothing.
	Payer         string      `json:"payer"`
	Tax           string      `json:"tax,omitempty"` // profile; empty: the payer's
	TaxCategory   string      `json:"tax_category,omitempty"`
	PurchaseOrder string      `json:"purchase_order,omitempty"`
	Accounting    *Accounting `json:"accounting,omitempty"`
}

// HoldView is a hold as the approver's and the dispatcher's lists show it.
type HoldView struct {
	HeldQuote
	Ticket   string     `json:"ticket"`
	Client   string     `json:"client"`
	Subject  string     `json:"subject"`
	State    string     `json:"state"`
	OpenedAt time.Time  `json:"opened_at"`
	Decided  *time.Time `json:"decided_at,omitempty"`
	By       string     `json:"decided_by,omitempty"`
	Charges  []Charge   `json:"charges"`
	// Of an exception: where it waits, whose that is, and what may be decided about it, beside sending the ticket back.
	Queue   Queue    `json:"queue,omitempty"`
	Owner   string   `json:"owner,omitempty"` // role
	Rulings []Action `json:"rulings,omitempty"`
	AgeMS   int64    `json:"age_ms,omitempty"` // of one that waits, as the list was made
	// What waits for a second person's word, and its digest, which that word names.
	Proposed string `json:"proposed,omitempty"`
	Proposal string `json:"proposal,omitempty"`
}

// Why is what `docket why` tells about one line.
type Why struct {
	Line      InvoiceLine `json:"line"`
	Invoice   Invoice     `json:"invoice"` // without its lines
	Charge    Charge      `json:"charge"`
	Digest    string      `json:"digest"` // of the decision it comes from
	ClosedAt  time.Time   `json:"closed_at"`
	Reversed  int64       `json:"reversed_by,omitempty"` // n of the line that undoes it
	Sentences []string    `json:"sentences"`
}

// Standing is the standing count of the desk. Leaked counts closed tickets whose work is not
// wholly billed, covered, not billable or waiting for a person: it is always 0.
type Standing struct {
	Open       int `json:"open"`
	Closed     int `json:"closed"`
	Posted     int `json:"posted"`
	Waiting    int `json:"waiting"`    // holds for a client's sign-off
	Exceptions int `json:"exceptions"` // holds for a dispatcher
	Leaked     int `json:"leaked"`
}

// Audit is what `docket audit` found; every slice is empty when all is well.
type Audit struct {
	Closures   int      `json:"closures"`   // re-rated
	Postings   int      `json:"postings"`   // those without a ticket, re-rated
	Mismatched []string `json:"mismatched"` // decisions whose digest differs from the stored one
	Leaks      []string `json:"leaks"`      // work that is not accounted for
	Caches     []string `json:"caches"`     // blocks, counters and credit that differ from their moves
	Invoices   []string `json:"invoices"`   // totals, lines, number series, payments, credit notes or applied credit that do not add up
	Lines      []string `json:"lines"`      // charges that should have a line and do not, or differ from it
	Journal    []string `json:"journal"`    // entries that are not what they come of, or do not balance
	ElapsedMS  int64    `json:"elapsed_ms"`
}

// Clean says whether nothing was found.
func (a Audit) Clean() bool {
	return len(a.Mismatched)+len(a.Leaks)+len(a.Caches)+len(a.Invoices)+len(a.Lines)+len(a.Journal) == 0
}
