package billing

import (
	"time"

	"github.com/shopspring/decimal"
)

// MonthClose asks for the closing of all that is over by a date.
type MonthClose struct {
	Until string `json:"until,omitempty"` // the first local date after the month; empty: of the month that ended last
	Payer string `json:"payer,omitempty"` // only of this client; empty: of all
	By    string `json:"by"`              // person id
	Send  bool   `json:"send,omitempty"`  // and mail the month's invoices to their payers

	WithoutFiles bool `json:"without_files,omitempty"` // finalise, and leave the files to the next closing, or to who asks for one

	Each  bool   `json:"each,omitempty"`  // asked for once, for each month that ends: Until is none of what was asked
	Proof string `json:"proof,omitempty"` // the desk's, of who asked
}

// OverInvoice names an open invoice whose period is over.
type OverInvoice struct {
	Invoice  int64  `json:"invoice"`
	Payer    string `json:"payer"`
	Currency string `json:"currency"`
	Start    string `json:"start"` // local dates
	End      string `json:"end"`

	Net decimal.Decimal `json:"net"` // as it stands: it is live until it is finalised
}

// Finalised is what became of one invoice at the closing of a month.
type Finalised struct {
	OverInvoice
	Number  string          `json:"number,omitempty"`
	Total   decimal.Decimal `json:"total"` // with tax
	Refused string          `json:"refused,omitempty"`
}

// MonthReport is what the closing of a month came to. It is read from what stands, so it is the same however often, and
// with however many crashes, the month was closed.
type MonthReport struct {
	Until     string           `json:"until"`
	Posted    int              `json:"posted"`             // runs of billing periods
	Drafts    int              `json:"drafts,omitempty"`   // of them, those that a person must approve
	Expired   int              `json:"expired,omitempty"`  // blocks of hours that ended
	Finalised []FinalisedMonth `json:"finalised"`          // by currency
	Older     int              `json:"older,omitempty"`    // invoices of earlier months that were still open, and are finalised now
	Held      []HeldMonth      `json:"held,omitempty"`     // what still waits for a person, by payer and reason: it posts to a later invoice
	Refused   []Finalised      `json:"refused,omitempty"`  // invoices that could not be finalised, and why
	Waiting   []string         `json:"waiting,omitempty"`  // periods that cannot be billed yet, and why
	Past      []PastPeriods    `json:"past,omitempty"`     // what ended in the month before its contract was applied, and is not billed here
	Failed    []string         `json:"failed,omitempty"`   // what failed, and is tried again by the next closing
	Rendered  int              `json:"rendered,omitempty"` // invoices and credit notes whose files are kept
	Untold    int              `json:"untold,omitempty"`   // of the lists above: what is beyond the MostTold of each
	// Where the month's invoices and credit notes are mailed: how many of them were, by this closing or before, and what goes nowhere.
	Sent      int       `json:"sent,omitempty"`
	SentNotes int       `json:"sent_notes,omitempty"`
	Homeless  []string  `json:"homeless,omitempty"` // payers without a mail address
	At        time.Time `json:"at,omitzero"`
}

// Begins gives the first date of the month that ends with Until.
func (m MonthClose) Begins() string {
	until, err := time.Parse(time.DateOnly, m.Until)
	if err != nil {
		return ""
	}
	return until.AddDate(0, -1, 0).Format(time.DateOnly)
}

// MostTold is how many of each kind a report lists: it is one message, and a month of a large house may refuse thousands.
const MostTold = 200

// Tell adds what was refused, waits or failed to its list in the report, and counts what is beyond the list's end.
func Tell[T any](list *[]T, untold *int, more ...T) {
	fits := max(0, min(MostTold-len(*list), len(more)))
	*list = append(*list, more[:fits]...)
	*untold += len(more) - fits
}

// FinalisedMonth sums the invoices of the month in one currency.
type FinalisedMonth struct {
	Currency string          `json:"currency"`
	Invoices int             `json:"invoices"`
	First    string          `json:"first"` // numbers
	Last     string          `json:"last"`
	Total    decimal.Decimal `json:"total"`          // with tax; without those that are void
	Void     int             `json:"void,omitempty"` // of them: their lines are billed again elsewhere
}

// HeldMonth is work of the month that waits for a person.
type HeldMonth struct {
	Payer    string          `json:"payer"`
	Kind     HoldKind        `json:"kind"`
	Reason   HoldReason      `json:"reason"`
	Holds    int             `json:"holds"`
	Currency string          `json:"currency"`
	Amount   decimal.Decimal `json:"amount"`
}
