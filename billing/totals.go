package billing

import (
	"cmp"
	"slices"

	"github.com/shopspring/decimal"
)

// Total is what a decision comes to in one currency.
type Total struct {
	Currency string          `json:"currency"`
	Posted   decimal.Decimal `json:"posted"`
	Held     decimal.Decimal `json:"held"` // waits for a person
}

// Totals sums posted and held amounts by currency, in the order of the codes.
func (d Decision) Totals() []Total {
	totals := []Total{}
	at := func(currency string) *Total {
		i := slices.IndexFunc(totals, func(t Total) bool { return t.Currency == currency })
		if i < 0 {
			i = len(totals)
			totals = append(totals, Total{Currency: currency})
		}
		return &totals[i]
	}
	for _, c := range d.Charges {
		t := at(c.Currency)
		t.Posted = t.Posted.Add(c.Amount)
	}
	for _, h := range d.Holds {
		t := at(h.Currency)
		t.Held = t.Held.Add(h.Amount)
	}
	slices.SortFunc(totals, func(a, b Total) int { return cmp.Compare(a.Currency, b.Currency) })
	return totals
}
