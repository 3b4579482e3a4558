package billing

import "github.com/shopspring/decimal"

// RevenueRow is one row of `docket report revenue`: a month of service in one currency, less what credit notes gave back.
type RevenueRow struct {
	Month     string          `json:"month"` // 2026-03
	Currency  string          `json:"currency"`
	Finalised decimal.Decimal `json:"finalised"`
	Open      decimal.Decimal `json:"open"` // on live invoices
	Revenue   decimal.Decimal `json:"revenue"`
	// RunRate is what the running month comes to if it goes on as it has: what recurs counts as it is, work on tickets by the
	// days that are over. Nil for any other month.
	RunRate *decimal.Decimal `json:"run_rate,omitempty"`
}

// AgedRow is one row of `docket report aged`: what one payer owes in one currency, by days since it was due.
type AgedRow struct {
	Payer    string          `json:"payer"`
	Currency string          `json:"currency"`
	NotDue   decimal.Decimal `json:"not_due"`
	To30     decimal.Decimal `json:"days_0_30"`
	To60     decimal.Decimal `json:"days_31_60"`
	To90     decimal.Decimal `json:"days_61_90"`
	Older    decimal.Decimal `json:"days_over_90"`
	Owed     decimal.Decimal `json:"owed"`
	Disputed decimal.Decimal `json:"disputed"` // of it
	Credit   decimal.Decimal `json:"credit"`   // that the payer has and no invoice has used
}

// ContractMarginRow is one row of `docket report margin --by-contract`. Work costs the contract that its ticket was routed to.
type ContractMarginRow struct {
	Client   string          `json:"client"`
	Contract string          `json:"contract"` // empty: of none, as by the default rate card
	Currency string          `json:"currency"`
	Tickets  int             `json:"tickets"`
	Billed   decimal.Decimal `json:"billed"`
	Cost     decimal.Decimal `json:"cost"`
	Margin   decimal.Decimal `json:"margin"`
}
