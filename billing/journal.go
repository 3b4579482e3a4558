package billing

import (
	"strings"
	"time"

	"github.com/shopspring/decimal"
)

// AccountType says on which side of the books an account stands.
type AccountType string

// The types of account. The first two stand in debit, the next two in credit; a contra account lowers revenue. A clearing
// account holds what one deed has booked and another one will: it comes to nothing when both are done.
const (
	Asset     AccountType = "asset"
	Liability AccountType = "liability"
	Revenue   AccountType = "revenue"
	Contra    AccountType = "contra-revenue"
	Clearing  AccountType = "clearing"
	Hours     AccountType = "hours" // of blocks, in milliseconds: beside money, never added to it
)

// Account is one of the journal's standard accounts.
type Account struct {
	Code string      `json:"code"`
	Type AccountType `json:"type"`
	Name string      `json:"name"`
}

// Accounts is the whole chart. Revenue has a sub-account for each accounting.account of contracts: revenue/4400.
var Accounts = []Account{
	{"cash", Asset, "Payments received"},
	{"receivable", Asset, "Owed on finalised invoices"},
	{"wip", Asset, "Done and not yet billed"},
	{"client-credit", Liability, "Credit of payers"},
	{"deferred", Liability, "Block hours sold and not yet used"},
	{"tax", Liability, "Tax on finalised invoices"},
	{"revenue", Revenue, "Work, fees and materials"},
	{"block-revenue", Revenue, "Block hours used"},
	{"breakage", Revenue, "Block hours that expired unused"},
	{"discounts", Contra, "Caps, limits and rounding of contracts"},
	{"sla-credits", Contra, "Credits for missed or beaten targets"},
	{"write-downs", Contra, "Lines written down in review"},
	{"credit-notes", Contra, "Given back by credit notes"},
	{"tax-in-prices", Contra, "Tax that prices include"},
	{"block-sales", Clearing, "Prices of blocks less the lines that sell them: what is left was billed elsewhere"},
	{"block-minutes", Hours, "Hours left in blocks"},
	{"minutes-reserved", Hours, "Hours that held lines reserve"},
	{"minutes-granted", Hours, "Hours bought or granted"},
	{"minutes-used", Hours, "Hours used"},
	{"minutes-expired", Hours, "Hours expired"},
	{"minutes-rolled", Hours, "Hours on the way into the next period"},
}

// AccountOf finds the standard account of a code, also of a sub-account.
func AccountOf(code string) (Account, bool) {
	base, _, _ := strings.Cut(code, "/")
	for _, a := range Accounts {
		if a.Code == base {
			return a, true
		}
	}
	return Account{}, false
}

// JournalPosting is one side of an entry. Of each entry and unit the amounts come to zero.
type JournalPosting struct {
	Kind     string          `json:"kind"` // what was done: line, invoice, payment, …
	Source   int64           `json:"source"`
	Account  string          `json:"account"`
	Unit     string          `json:"unit"`   // currency, or ms
	Amount   decimal.Decimal `json:"amount"` // positive: debit; negative: credit
	BookedOn string          `json:"booked_on"`
	Payer    string          `json:"payer"`
	Client   string          `json:"client,omitempty"`
	Invoice  int64           `json:"invoice,omitempty"`
	Block    int64           `json:"block,omitempty"`
	At       time.Time       `json:"at"`
}
