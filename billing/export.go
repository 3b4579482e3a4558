package billing

import (
	"errors"
	"time"

	"github.com/shopspring/decimal"
)

// Unexported is what an accounting program has not had yet, as of one moment, the oldest first.
type Unexported struct {
	Seller   Party
	Payers   map[string]Party // of all that is in it
	Invoices []Paper
	Credits  []DueCredit
	Payments []PaymentMove
}

// DueCredit is a credit note against an invoice, or what takes a void one back as a whole.
type DueCredit struct {
	Event int64 // the deed on the invoice that it comes of
	Paper Paper // of the credit note; of the invoice that is void
	Void  *VoidedAs
}

// VoidedAs names what takes a void invoice back: a void has no paper of its own.
type VoidedAs struct {
	Number string
	On     string // local date of the payer
}

// PaymentMove is a payment, or one that came back, whose amounts are negative.
type PaymentMove struct {
	Event    int64
	Payment  string // P-12
	Payer    string
	On       string // local date
	Invoice  string // number
	Currency string
	Received decimal.Decimal
	Applied  decimal.Decimal // of it, on the invoice; the rest is the payer's credit
	Method   string
	Returned bool
}

// ExportBatch is a batch in the making: its files, and what is in them.
type ExportBatch struct {
	Format       string
	OperationKey string
	By           string
	Files        []ExportFile
	Invoices     int
	Lines        []int64 // of the invoices
	Credits      int
	Payments     int
	Events       []int64 // of the credits and the payments
	LeftOut      []LeftOut
}

// Export is one batch of rows for an accounting program.
type Export struct {
	ID           int64        `json:"export,omitempty"` // 0: nothing was exported, for all that there is was left out
	Format       string       `json:"format"`
	OperationKey string       `json:"operation_key"`
	By           string       `json:"by"`
	At           time.Time    `json:"at"`
	Invoices     int          `json:"invoices"`
	Lines        int          `json:"lines"`   // of the invoices
	Credits      int          `json:"credits"` // credit notes, and void invoices that are taken back
	Payments     int          `json:"payments"`
	LeftOut      []LeftOut    `json:"left_out"`
	Files        []ExportFile `json:"files,omitempty"`
}

// ExportFile is one file of a batch: what the program imports at once.
type ExportFile struct {
	Name    string `json:"file"` // invoices, credits, payments
	Lines   int    `json:"lines"`
	SHA256  string `json:"sha256"`
	Content []byte `json:"-"`
}

// LeftOut is a payer who lacks something, so that nothing of it was exported: the next export has it.
type LeftOut struct {
	Payer     string     `json:"payer"`
	Documents int        `json:"documents"` // invoices, credits and payments that wait
	Lacks     []*Problem `json:"lacks"`
}

// ErrExportedMeanwhile says that some of a batch went to the program by another one since it was read: what is left is to be read again.
var ErrExportedMeanwhile = errors.New("exported by somebody else meanwhile")
