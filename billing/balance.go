package billing

import "github.com/shopspring/decimal"

// Balance is money of a client that waits for documents to pay: the rest of a credit note, an
// overpayment, a deposit.
type Balance struct {
	ID   int64
	Left decimal.Decimal
}

// Application is a part of a balance put against what a document asks to be paid.
type Application struct {
	ID       int64           `json:"id,omitempty"` // once it is stored
	Balance  int64           `json:"balance"`
	Amount   decimal.Decimal `json:"amount"`             // negative where it is taken back
	Reverses int64           `json:"reverses,omitempty"` // application id
}

// ApplyCredits pays what is payable from the balances in their order, as far as they go and
// never more: what is left of a balance stays the client's credit. Balances come after tax:
// they are money that was taxed when it was earned.
func ApplyCredits(balances []Balance, payable decimal.Decimal) []Application {
	var applied []Application
	for _, b := range balances {
		if amount := decimal.Min(b.Left, payable); amount.IsPositive() {
			applied = append(applied, Application{Balance: b.ID, Amount: amount})
			payable = payable.Sub(amount)
		}
	}
	return applied
}

// TakeBack gives the rows that undo what was applied to a document, so that it can be finalised
// again: one for each application that none of the rows has undone yet.
func TakeBack(applied []Application) []Application {
	undone := make(map[int64]bool, len(applied))
	for _, a := range applied {
		undone[a.Reverses] = true
	}
	var back []Application
	for _, a := range applied {
		if a.Reverses == 0 && !undone[a.ID] {
			back = append(back, Application{Balance: a.Balance, Amount: a.Amount.Neg(), Reverses: a.ID})
		}
	}
	return back
}
