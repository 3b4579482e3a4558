package billing

import (
	"time"

	"github.com/shopspring/decimal"
)

// MonthLook is what the closing of a month would do by what is known now. Its report is the one that the closing would give,
// but for the numbers, which are drawn when an invoice is finalised, and for files and mails.
type MonthLook struct {
	MonthReport
	Early    bool             `json:"early,omitempty"` // the month is not over: what comes until then is not in it
	Runs     []PeriodReceipt  `json:"runs"`            // of billing periods, of all contracts
	Ending   []EndingBlock    `json:"ending"`
	Invoices []InvoiceAhead   `json:"invoices"`          // that are over, and those that runs post to; of the payer that was asked for
	Done     []FinalisedMonth `json:"finalised_already"` // of the report's sums
}

// EndingBlock is a block of hours whose end would be put on record.
type EndingBlock struct {
	Block     int64     `json:"block"`
	Contract  string    `json:"contract"`
	Client    string    `json:"client"`
	Clause    string    `json:"clause,omitempty"` // of the line that granted it; empty: bought
	ExpiredAt time.Time `json:"expired_at"`
	LeftMS    int64     `json:"left_ms"`
	RollsMS   int64     `json:"rolls_ms"`   // of them, into the next period
	ExpiresMS int64     `json:"expires_ms"` // the rest
}

// What would become of an invoice at the closing of a month.
const (
	AheadFinalised  = "finalised"
	AheadCreditNote = "credit-note"     // it comes to less than zero
	AheadCarried    = "carried-forward" // it comes to less than zero: finalised at nothing, and the next one takes over what it came to
	AheadRefused    = "refused"
	AheadOpen       = "stays-open" // it is not over: a run posts to it
)

// InvoiceAhead is an open invoice as the closing of a month would find it, with what the runs before post to it.
type InvoiceAhead struct {
	OverInvoice                 // Invoice is 0 where a run opens it; Net is after the runs
	Now         decimal.Decimal `json:"net_now"`
	Lines       int             `json:"lines"`
	Total       decimal.Decimal `json:"total"` // with tax; of what is carried forward or refused: nothing
	Becomes     string          `json:"becomes"`
	Refused     string          `json:"refused,omitempty"`
}
