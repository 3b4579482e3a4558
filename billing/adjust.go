package billing

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/shopspring/decimal"
)

// Adjustments are charges that no rule of a contract decided: they move money that is on a line
// already, each linked to the charge of that line (Charge.Adjusts). None of them stands for work,
// draws from a block or moves a counter.

// Adjustment says by whose word a charge is adjusted, and why.
type Adjustment struct {
	Line   int64  // n of the line, which is its charge
	By     string // a person's name
	Reason string
}

// The rules of adjustments.
const (
	ruleWriteDown = "write-down"
	ruleRebill    = "rebill"
	ruleCredited  = "credited"
	ruleCarry     = "carry"
)

// WriteDown gives the charge that brings what the line costs now, earlier write-downs included,
// down to a lower amount. key is unique within the charge's closure.
func WriteDown(key string, c Charge, now, to decimal.Decimal, a Adjustment) (Charge, error) {
	switch {
	case c.Kind == Reversal:
		return Charge{}, errors.New("a reversal gives money back already")
	case to.IsNegative() || !to.LessThan(now):
		return Charge{}, fmt.Errorf("%s is not less than the %s that it costs", to, now)
	}
	w := c.adjusted(key, Discount, to.Sub(now), a)
	w.Text = "Reduced: " + c.Text
	w.Steps = []Step{{Rule: ruleWriteDown, Args: []Arg{
		{"charge", strconv.FormatInt(a.Line, 10)},
		{"was", now.String()},
		{"to", to.String()},
		{"by", a.By},
		{"reason", a.Reason},
	}}}
	return w, nil
}

// Rebill gives the charge that bills a void invoice's line again, as it was: quantity, rate and
// amount, with every step that led to it.
func Rebill(c Charge, invoice string, a Adjustment) Charge {
	again := c.adjusted("rebilled/"+strconv.FormatInt(a.Line, 10), Rebilled, c.Amount, a)
	again.Quantity, again.Unit, again.Rate, again.Exact = c.Quantity, c.Unit, c.Rate, c.Exact
	again.Text = c.Text + " (from " + invoice + ", which is void)"
	again.Steps = append(c.Steps[:len(c.Steps):len(c.Steps)], Step{Rule: ruleRebill, Args: []Arg{
		{"charge", strconv.FormatInt(a.Line, 10)},
		{"invoice", invoice},
		{"by", a.By},
		{"reason", a.Reason},
	}})
	return again
}

// CreditedAlready gives the charge that goes with the reversal of a line which a credit note has
// given back: without it the client would have the money twice. credited is net, above zero.
func CreditedAlready(c Charge, credited decimal.Decimal, line int64, note string) Charge {
	again := c.adjusted("credited/"+strconv.FormatInt(line, 10), Credited, credited, Adjustment{Line: line})
	again.Text = "Credited already by " + note + ": " + c.Text
	again.Steps = []Step{{Rule: ruleCredited, Args: []Arg{
		{"charge", strconv.FormatInt(line, 10)},
		{"note", note},
		{"amount", credited.String()},
	}}}
	return again
}

// CarryFacts is an invoice that comes to less than zero, by what is taxed alike.
type CarryFacts struct {
	Invoice  int64        `json:"invoice"`
	Payer    string       `json:"payer"`
	Currency string       `json:"currency"`
	Period   Period       `json:"period"`
	Next     Period       `json:"next"`
	Sums     []CarriedSum `json:"sums"`
}

// CarriedSum is a part of the invoice, of one tax profile and category.
type CarriedSum struct {
	Amount      decimal.Decimal `json:"amount"`
	Tax         string          `json:"tax,omitempty"` // profile; empty: the payer's
	TaxCategory string          `json:"tax_category,omitempty"`
}

// Decide gives the pairs of charges that move all of the invoice into the next: of each the first
// brings its part of this one to zero, the second has the same amount on the next one.
func (f *CarryFacts) Decide() Decision {
	var d Decision
	for i, s := range f.Sums {
		if s.Amount.IsZero() {
			continue
		}
		n := strconv.Itoa(i + 1)
		out := f.charge("carried/out/"+n, s, s.Amount.Neg(), f.Period)
		out.Text = "Carried forward to the period from " + f.Next.Start
		in := f.charge("carried/in/"+n, s, s.Amount, f.Next)
		in.Text = "Carried forward from the period " + f.Period.Start + " to " + f.Period.End
		d.Charges = append(d.Charges, out, in)
	}
	return d
}

func (f *CarryFacts) charge(key string, s CarriedSum, amount decimal.Decimal, on Period) Charge {
	return Charge{
		Key: key, Kind: Carried, Currency: f.Currency, Quantity: decimal.NewFromInt(1), Unit: UnitPiece, Rate: amount, Exact: amount, Amount: amount,
		Date: on.Start, Bills: &on, Payer: f.Payer, Tax: s.Tax, TaxCategory: s.TaxCategory,
		Steps: []Step{{Rule: ruleCarry, Args: []Arg{{"amount", s.Amount.String()}, {"from", f.Period.Start}, {"to", f.Next.Start}}}},
	}
}

// adjusted is a charge of an amount on the line's terms: whose, when, and how taxed and booked.
func (c *Charge) adjusted(key string, kind ChargeKind, amount decimal.Decimal, a Adjustment) Charge {
	return Charge{
		Key: key, Kind: kind, Contract: c.Contract, Revision: c.Revision, Clause: c.Clause, Currency: c.Currency,
		Quantity: decimal.NewFromInt(1), Unit: UnitPiece, Rate: amount, Exact: amount, Amount: amount, Date: c.Date, Adjusts: a.Line,
		Payer: c.Payer, Bills: c.Bills, PurchaseOrder: c.PurchaseOrder, Tax: c.Tax, TaxCategory: c.TaxCategory, Accounting: c.Accounting,
	}
}

func (s Step) adjustment(c Charge) string {
	line := "L-" + s.get("charge")
	because := ""
	if reason := s.get("reason"); reason != "" {
		because = ": " + reason
	}
	switch s.Rule {
	case ruleWriteDown:
		return s.get("by") + " wrote " + line + " down from " + money(s.amount("was"), c.Currency) + " to " + money(s.amount("to"), c.Currency) + because + "."
	case ruleRebill:
		return s.get("by") + " voided " + s.get("invoice") + because + ". It bills " + line + " of it again, as it was."
	case ruleCredited:
		return line + " is undone, and " + s.get("note") + " had given " + money(s.amount("amount"), c.Currency) + " of it back already."
	case ruleCarry:
		return "The invoice of the period from " + s.get("from") + " came to less than zero; the period from " + s.get("to") + " takes it over."
	}
	return ""
}
