package billing

import (
	"time"

	"github.com/shopspring/decimal"
)

// RevenueRow is one row of `docket report revenue`: a month in one currency, as the journal books it.
type RevenueRow struct {
	Month       string          `json:"month"` // 2026-03
	Currency    string          `json:"currency"`
	Fixed       decimal.Decimal `json:"fixed"`         // fees, minimums, block hours that expired unused
	Usage       decimal.Decimal `json:"usage"`         // work and materials on tickets, counted usage, block hours used; less their discounts
	Credits     decimal.Decimal `json:"credits"`       // negative: for targets, write-downs, credit notes
	TaxInPrices decimal.Decimal `json:"tax_in_prices"` // negative: what of prices that include tax is tax
	Revenue     decimal.Decimal `json:"revenue"`       // all of it
	// RunRate is what the running month comes to if it goes on as it has: usage by the days that are over, the rest as it is. Nil for
	// any other month.
	RunRate *decimal.Decimal `json:"run_rate"`
}

// AccountRow is one row of `docket report revenue --by-account`: what one account earned; contra accounts are negative.
type AccountRow struct {
	Account  string          `json:"account"`
	Name     string          `json:"name"`
	Currency string          `json:"currency"`
	Amount   decimal.Decimal `json:"amount"`
}

// DeferredRow is what of a block's price is not earned.
type DeferredRow struct {
	Client   string          `json:"client"`
	Contract string          `json:"contract"`
	Block    int64           `json:"block"`
	Currency string          `json:"currency"`
	Price    decimal.Decimal `json:"price"`
	Deferred decimal.Decimal `json:"deferred"`
	Granted  int64           `json:"granted_ms"`
	Left     int64           `json:"left_ms"` // with what held lines reserve
}

// WIPRow is what of a payer's work is done and not billed.
type WIPRow struct {
	Payer    string          `json:"payer"`
	Currency string          `json:"currency"`
	Amount   decimal.Decimal `json:"amount"`
}

// ReceivableRow is what a payer owes, by how many days it is overdue, and its credit beside it.
type ReceivableRow struct {
	Payer    string          `json:"payer"`
	Currency string          `json:"currency"`
	Invoices int             `json:"invoices"`
	NotDue   decimal.Decimal `json:"not_due"` // the day on which it is due included
	To30     decimal.Decimal `json:"days_1_30"`
	To60     decimal.Decimal `json:"days_31_60"`
	To90     decimal.Decimal `json:"days_61_90"`
	Over90   decimal.Decimal `json:"days_over_90"`
	Owed     decimal.Decimal `json:"owed"`
	Disputed decimal.Decimal `json:"disputed"` // of it
	Credit   decimal.Decimal `json:"credit"`   // that the payer has and no invoice has used
}

// MarginRow is one row of `docket report margin`: of a client or, with --by-contract, of a contract, what it was billed in one
// currency and what that cost in one. Where the cost is in several, each has a row, and the first one tells what was billed.
type MarginRow struct {
	Client       string          `json:"client"`
	Contract     string          `json:"contract,omitempty"` // with --by-contract; empty there: of none, as by the default rate card
	Currency     string          `json:"currency"`           // of billed and margin
	Tickets      int             `json:"tickets"`
	Billed       decimal.Decimal `json:"billed"`
	CostCurrency string          `json:"cost_currency"`
	Cost         decimal.Decimal `json:"cost"`
	// Margin is billed less cost. Nil where any of the cost is in another currency: that takes a rate of exchange, and Docket has none.
	Margin *decimal.Decimal `json:"margin"`
}

// ActorRow is one row of `docket report ai-vs-tech`. Where the cost is in several currencies, each has a row, and the first one tells
// the rest.
type ActorRow struct {
	Kind         string          `json:"kind"`     // ai or human: who resolved
	Currency     string          `json:"currency"` // of billed and credits
	Tickets      int             `json:"tickets"`
	Covered      int             `json:"covered_tickets"` // closed without anything to pay
	AIMS         int64           `json:"ai_ms"`           // measured on these tickets, whoever resolved them
	HumanMS      int64           `json:"human_ms"`        // likewise
	Billed       decimal.Decimal `json:"billed"`
	Credits      decimal.Decimal `json:"credits"` // given back by credit notes, and for missed targets: billed is less by them
	CostCurrency string          `json:"cost_currency"`
	Cost         decimal.Decimal `json:"cost"`
}

// LeakageRow is one row of `docket report leakage`: of a client's work on closed tickets, what became of it.
type LeakageRow struct {
	Client       string `json:"client"`
	Tickets      int    `json:"tickets"`
	Entries      int    `json:"entries"`
	WorkMS       int64  `json:"work_ms"`
	BilledMS     int64  `json:"billed_ms"`
	CoveredMS    int64  `json:"covered_ms"` // by the contract, a block or an allowance
	UnbillableMS int64  `json:"not_billable_ms"`
	WaitingMS    int64  `json:"waiting_ms"` // for a person
	Items        int    `json:"items"`      // each charged once, or waiting
	LeakedMS     int64  `json:"leaked_ms"`
	Leaked       int    `json:"leaked"` // tickets
}

// LowBlockRow is one row of `docket report blocks`: a contract whose bought hours run low.
type LowBlockRow struct {
	Client    string `json:"client"`
	Contract  string `json:"contract"`
	Blocks    int    `json:"blocks"` // that can be drawn from
	GrantedMS int64  `json:"granted_ms"`
	LeftMS    int64  `json:"left_ms"`
	UsedMS    int64  `json:"used_ms"` // in the last so many days
	Days      int    `json:"used_in_days"`
	// RunsOut is when nothing is left at that pace. Nil where nothing was used.
	RunsOut *time.Time `json:"runs_out"`
	Expires *time.Time `json:"expires_at"` // the first of them that has hours left
}
