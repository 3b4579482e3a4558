package billing

import (
	"time"

	"github.com/shopspring/decimal"
)

// Decision is what a closure does to money: charges that post with it, holds that wait
// for a person. Every millisecond of work is in exactly one of them.
type Decision struct {
	Rules   int      `json:"rules"`
	Charges []Charge `json:"charges"`
	Holds   []Hold   `json:"holds"`
	Grants  []Grant  `json:"grants,omitempty"`
}

// Grant is a block of hours that the contract buys by itself. Its price is one of the decision's charges.
type Grant struct {
	Block     int64           `json:"block"` // negative: draws of this decision call it so until the store has given it an id
	Key       string          `json:"key"`   // one block for each key, whoever asks
	Contract  string          `json:"contract"`
	Revision  int             `json:"revision"`
	Clause    string          `json:"clause"` // of the line that buys it
	MS        int64           `json:"ms"`
	Priority  int             `json:"priority"`
	GrantedAt time.Time       `json:"granted_at"`
	ExpiresAt time.Time       `json:"expires_at,omitzero"`
	Price     decimal.Decimal `json:"price"`
	Currency  string          `json:"currency"`
}

// ChargeKind says what a charge is.
type ChargeKind string

// The kinds of charge.
const (
	Covered      ChargeKind = "covered"      // in the contract: 0.00 with its clause
	Time         ChargeKind = "time"         // time and materials
	BlockDraw    ChargeKind = "block"        // drawn from a block of hours: 0.00, minutes are the payment
	Overage      ChargeKind = "overage"      // time beyond a block
	PerTicket    ChargeKind = "per-ticket"   // a usage charge for the closure itself
	NotBillable  ChargeKind = "not-billable" // costs us, bills nothing, shows on no invoice
	WrittenOff   ChargeKind = "written-off"  // a dispatcher's ruling: we bear it
	Reversal     ChargeKind = "reversal"     // undoes an earlier charge, linked to it
	BucketDraw   ChargeKind = "bucket"       // drawn from the period's allowance: 0.00
	Material     ChargeKind = "material"     // a part, a licence or an expense
	Usage        ChargeKind = "usage"        // events priced by a usage line
	CallOut      ChargeKind = "call-out"     // a fee for coming at all, in a band
	Discount     ChargeKind = "discount"     // negative: a cap, a limit, the rounding of a whole ticket
	FromRetainer ChargeKind = "retainer"     // negative: paid from the period's retainer
	Credit       ChargeKind = "credit"       // negative: promised for a missed or a beaten target
	Recurring    ChargeKind = "recurring"    // a period's fee
	TrueUp       ChargeKind = "true-up"      // what a period lacks to its minimum, and the correction of it
	Correction   ChargeKind = "correction"   // of what was charged after a quote that nobody is billed for
	Rebilled     ChargeKind = "rebilled"     // a void invoice's line, billed again as it was
	Credited     ChargeKind = "credited"     // beside a reversal: a credit note had given it back already
	Carried      ChargeKind = "carried"      // one of the pair that moves a negative invoice into the next
)

// The units of a charge.
const (
	UnitHour   = "h"
	UnitSecond = "s"
	UnitTicket = "ticket"
	UnitPiece  = "piece"  // of devices, seats, parts, units of usage
	UnitPeriod = "period" // of fees
)

// Charge is one rated effect. It becomes at most one invoice line.
type Charge struct {
	Key      string          `json:"key"` // unique within the closure, the same on every retry
	Kind     ChargeKind      `json:"kind"`
	Contract string          `json:"contract,omitempty"`
	Revision int             `json:"revision,omitempty"`
	Clause   string          `json:"clause,omitempty"`
	Text     string          `json:"text"` // what the invoice line says
	Currency string          `json:"currency"`
	Quantity decimal.Decimal `json:"quantity"`          // hours to 9 places, so that milliseconds can be had back from it
	Unit     string          `json:"unit"`              // h, s, ticket
	Rate     decimal.Decimal `json:"rate"`              // per hour with h and s, per ticket with ticket
	Exact    decimal.Decimal `json:"exact"`             // before rounding, to 16 places
	Amount   decimal.Decimal `json:"amount"`            // Exact, rounded once to the currency's minor unit
	Date     string          `json:"date"`              // service date, local, YYYY-MM-DD
	Hidden   bool            `json:"hidden,omitempty"`  // rated, but no line on the invoice
	Unrated  bool            `json:"unrated,omitempty"` // no price could be found: the amount says nothing
	Spans    []Span          `json:"spans,omitempty"`
	Draws    []Draw          `json:"draws,omitempty"`
	Counts   []Count         `json:"counts,omitempty"`
	Steps    []Step          `json:"steps,omitempty"`
	Reverses int64           `json:"reverses,omitempty"` // charge id, with Kind Reversal
	Adjusts  int64           `json:"adjusts,omitempty"`  // charge id, of an adjustment

	// What the document needs to know; empty where the client's own applies.
	Item          string      `json:"item,omitempty"`           // the material or the event it stands for, "item-7"
	Payer         string      `json:"payer,omitempty"`          // client id
	Bills         *Period     `json:"bills,omitempty"`          // the invoice's period, where it is not the calendar month of Date
	PurchaseOrder string      `json:"purchase_order,omitempty"` // number
	Project       string      `json:"project,omitempty"`        // id of the project that it bills to
	Tax           string      `json:"tax,omitempty"`            // profile
	TaxCategory   string      `json:"tax_category,omitempty"`
	Accounting    *Accounting `json:"accounting,omitempty"`
}

// Period is a half-open range of local dates, YYYY-MM-DD.
type Period struct {
	Start string `json:"start"`
	End   string `json:"end"`
}

// Span is a part of a work entry, in milliseconds from its start, half-open.
type Span struct {
	Work int64 `json:"work"`
	From int64 `json:"from"`
	To   int64 `json:"to"`
}

// Draw takes minutes from a block. Negative gives back.
type Draw struct {
	Block int64 `json:"block"`
	MS    int64 `json:"ms"`
	// Of a block that has ended, how much of MS had been forfeited, and how much had rolled over into another block: it
	// comes back before it is drawn.
	Restores int64 `json:"restores,omitempty"`
	Unrolls  int64 `json:"unrolls,omitempty"`
}

// Count moves a counter. Negative gives back.
type Count struct {
	Key      string          `json:"key"`
	Quantity decimal.Decimal `json:"quantity"`
}

// Step is one step of the explanation, structured; Render in explain.go tells it in a sentence.
type Step struct {
	Rule string `json:"rule"` // which rule ran: match, minimum, increment, block, rate, round, …
	Args []Arg  `json:"args,omitempty"`
}

// Arg is a named value of a step. A list, not a map: the order is part of the digest.
type Arg struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// HoldKind says who decides a hold.
type HoldKind string

// The kinds of hold.
const (
	SignOff   HoldKind = "sign-off"  // the client's approver
	Exception HoldKind = "exception" // a dispatcher of ours
)

// HoldReason says why a person must decide. It is the search attribute HoldReason.
type HoldReason string

// The reasons.
const (
	OverThreshold HoldReason = "over-threshold"
	OutOfScope    HoldReason = "out-of-scope"
	NoRate        HoldReason = "no-rate"
	NoContract    HoldReason = "no-contract"
	Tie           HoldReason = "tie"     // two contracts claim the work equally
	NoTime        HoldReason = "no-time" // a person closed without any time
	Declined      HoldReason = "declined"
	BlockEmpty    HoldReason = "block-empty"    // the contract holds overage
	BeforeAction  HoldReason = "before-action"  // an agent asks before it acts
	Implausible   HoldReason = "implausible"    // overlapping or impossible time
	NoStart       HoldReason = "no-start"       // nobody knows when it was done, and bands matter
	Paused        HoldReason = "paused"         // the contract was paused
	Unlisted      HoldReason = "unlisted"       // a device or user that the contract does not list
	NotOrdered    HoldReason = "not-ordered"    // asked for by nobody who may order it
	OverLimit     HoldReason = "not-to-exceed"  // beyond what the ticket may cost
	ProjectSize   HoldReason = "project"        // a project in disguise
	PatternBroken HoldReason = "pattern"        // not what such a ticket usually comes to
	OrderUsedUp   HoldReason = "order-used-up"  // the purchase order does not reach
	BlockUnpaid   HoldReason = "block-unpaid"   // the block's invoice is not paid
	ProjectBudget HoldReason = "project-budget" // the project's budget does not reach
	WrongCurrency HoldReason = "wrong-currency" // a cost in another currency than the contract's
)

// Hold is what waits: the charges as they would post, already reserving their block
// minutes and counters. Digest binds a sign-off to exactly this quote.
type Hold struct {
	Key       string          `json:"key"` // unique within the closure
	Kind      HoldKind        `json:"kind"`
	Reason    HoldReason      `json:"reason"`
	Contract  string          `json:"contract,omitempty"`
	Clause    string          `json:"clause,omitempty"`
	Says      string          `json:"says"` // one sentence: why it waits
	Currency  string          `json:"currency"`
	Amount    decimal.Decimal `json:"amount"`
	Unrated   bool            `json:"unrated,omitempty"` // no amount could be found; Charges carry the time
	Charges   []Charge        `json:"charges"`
	Approvers []string        `json:"approvers,omitempty"` // person ids that may sign off
	Patience  int64           `json:"patience_ms"`         // until the first escalation
	Digest    string          `json:"digest"`
}

// Receipt is what a closing answers, and what its retry answers again.
type Receipt struct {
	Ticket   string       `json:"ticket"`
	Round    int          `json:"round"`
	Closure  int64        `json:"closure"`
	Client   string       `json:"client"`
	ClosedAt time.Time    `json:"closed_at"`
	Digest   string       `json:"digest"` // of the decision
	Posted   []PostedLine `json:"posted"`
	Held     []HeldQuote  `json:"held"`
	Says     string       `json:"says"` // one sentence for people
}

// PostedLine is a charge that posted.
type PostedLine struct {
	Line     int64           `json:"line,omitempty"` // 0: hidden, no invoice line
	Invoice  int64           `json:"invoice,omitempty"`
	Kind     ChargeKind      `json:"kind"`
	Clause   string          `json:"clause,omitempty"`
	Text     string          `json:"text"`
	Amount   decimal.Decimal `json:"amount"`
	Currency string          `json:"currency"`
}

// HeldQuote is a hold that waits.
type HeldQuote struct {
	Hold      int64           `json:"hold"`
	Kind      HoldKind        `json:"kind"`
	Reason    HoldReason      `json:"reason"`
	Says      string          `json:"says"`
	Amount    decimal.Decimal `json:"amount"`
	Currency  string          `json:"currency"`
	Digest    string          `json:"digest"`
	Approvers []string        `json:"approvers,omitempty"`
	ExpiresAt time.Time       `json:"expires_at"`
	Reminded  int             `json:"reminded,omitempty"` // how often this quote has reminded whom it asks
	RemindAt  time.Time       `json:"remind_at,omitzero"` // when it does next; zero: it does not
	Step      int             `json:"step"`               // how often it has been escalated
}
