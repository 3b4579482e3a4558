package billing

import (
	"fmt"

	"github.com/shopspring/decimal"
)

// SaleFacts are all that DecideSale may know about a block of hours that a client bought. They are stored with the sale as
// canonical JSON.
type SaleFacts struct {
	Rules    int             `json:"rules"`
	Key      string          `json:"key"` // of the grant: one sale for each
	Client   string          `json:"client"`
	Contract string          `json:"contract"`
	Version  *Version        `json:"version,omitempty"` // in force when it was sold; nil: none
	MS       int64           `json:"ms"`
	Price    decimal.Decimal `json:"price"`
	Currency string          `json:"currency"`
	Date     string          `json:"date"`               // of the sale, local
	Counters []Counter       `json:"counters,omitempty"` // that of the contract's purchase order
}

// SaleDecision is what a sale does to money.
type SaleDecision struct {
	Rules   int      `json:"rules"`
	Charges []Charge `json:"charges"`
}

// DecideSale charges the price of a block that a client bought. The document and the books read it as what the contract
// says of its block line; hours that a block pays for later cost nothing.
func DecideSale(f SaleFacts) (SaleDecision, error) {
	places, known := MinorUnits(f.Currency)
	switch {
	case f.Rules < rulesFirst || f.Rules > Rules:
		return SaleDecision{}, fmt.Errorf("facts of sale %s: rules %d are not known, this program speaks %d to %d", f.Key, f.Rules, rulesFirst, Rules)
	case !known:
		return SaleDecision{}, fmt.Errorf("facts of sale %s: %q is not a currency of ISO 4217", f.Key, f.Currency)
	case !isMonth(f.Date):
		return SaleDecision{}, fmt.Errorf("facts of sale %s: %q is not a date", f.Key, f.Date)
	case f.Version != nil && (f.Version.Terms == nil || f.Version.Terms.digest != f.Version.Digest):
		return SaleDecision{}, fmt.Errorf("facts of sale %s: contract %s revision %d comes without its terms", f.Key, f.Version.Contract, f.Version.Revision)
	}
	one := decimal.NewFromInt(1)
	c := Charge{
		Key: "sale/" + f.Key, Kind: Recurring, Contract: f.Contract, Text: "Block hours" + textSep + span(f.MS), Currency: f.Currency,
		Quantity: one, Unit: UnitPiece, Rate: f.Price, Exact: f.Price, Date: f.Date,
	}
	rounding := HalfUp
	if f.Version != nil {
		t := f.Version.Terms
		l := t.blockLine()
		c.Revision, rounding = f.Version.Revision, t.rounding
		t.document(&c, l)
		if l != nil {
			c.Clause, c.Text = l.Clause, l.Name+textSep+span(f.MS)
		}
	}
	c.Amount = rounding.round(c.Exact, one, places)
	c.Hidden = c.Amount.IsZero()
	c.Steps = []Step{{Rule: ruleSale, Args: []Arg{msArg("ms", f.MS), {"price", f.Price.String()}, {"date", f.Date}}}}
	if order := f.order(); order != nil {
		c.PurchaseOrder = order.Number
		if !c.Amount.IsZero() {
			c.countOn(order, valueOf(f.Counters, c.OrderKey()))
		}
	}
	return SaleDecision{Rules: f.Rules, Charges: []Charge{c}}, nil
}

func (f *SaleFacts) order() *PurchaseOrder {
	if f.Version == nil || f.Version.Terms == nil || f.Rules < rulesSoldOnOrder {
		return nil
	}
	return f.Version.Terms.contract.PurchaseOrder
}

// OrderCounter names the counter of the purchase order that the sale bills against; empty without one.
func (f *SaleFacts) OrderCounter() string {
	if order := f.order(); order != nil {
		return orderCounter(f.Contract, order.Number)
	}
	return ""
}

// BeyondOrder says why nobody may sell the block yet: the purchase order holds, and does not reach. Empty where it may be sold.
func (f *SaleFacts) BeyondOrder() string {
	order := f.order()
	if order == nil || order.UsedUp != usedUpHold {
		return ""
	}
	billed := valueOf(f.Counters, f.OrderCounter())
	if !billed.Add(f.Price).GreaterThan(order.Limit) {
		return ""
	}
	return "goes beyond purchase order " + order.Number + ", which reaches to " + money(order.Limit, f.Currency) + ", of which " + money(billed, f.Currency) + " are billed"
}

// blockLine is the first line as written whose work bought blocks pay for.
func (t *Terms) blockLine() *line {
	for i := range t.contract.Lines {
		if l := &t.contract.Lines[i]; l.Charge == chargeBlock {
			return t.line(l.Clause)
		}
	}
	return nil
}

// ReturnFacts are all that DecideReturn may know about a sale that is taken back.
type ReturnFacts struct {
	Rules  int    `json:"rules"`
	Block  int64  `json:"block"`
	Charge int64  `json:"charge"` // that sold it
	Sold   Charge `json:"sold"`
	Why    string `json:"why"`
}

// DecideReturn gives back the price of a block of which nothing was used.
func DecideReturn(f ReturnFacts) (SaleDecision, error) {
	if f.Rules < rulesFirst || f.Rules > Rules {
		return SaleDecision{}, fmt.Errorf("facts of the return of block %d: rules %d are not known, this program speaks %d to %d", f.Block, f.Rules, rulesFirst, Rules)
	}
	r, err := Reverse(f.Charge, f.Sold, nil, nil)
	if err != nil {
		return SaleDecision{}, fmt.Errorf("take block %d back: %w", f.Block, err)
	}
	r.Steps = append(r.Steps, Step{Rule: ruleReturn, Args: []Arg{{"block", blockName(f.Block)}, {"why", f.Why}}})
	return SaleDecision{Rules: f.Rules, Charges: []Charge{r}}, nil
}
