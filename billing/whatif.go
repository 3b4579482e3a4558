package billing

import (
	"cmp"
	"slices"
	"time"

	"github.com/shopspring/decimal"
)

// WhatIf is what `docket whatif` found: what a period's closures came to, and what they would
// have come to under a draft.
type WhatIf struct {
	Client    string             `json:"client"`
	Contract  string             `json:"contract"`             // of the draft
	Revision  int                `json:"revision"`             // that it would be stored as
	InsteadOf string             `json:"instead_of,omitempty"` // the contract that it replaces; empty: none
	From      string             `json:"from"`                 // local date of the client
	To        string             `json:"to"`                   // exclusive
	Closures  int                `json:"closures"`
	Changed   int                `json:"changed"` // closures that would come to something else
	Failed    int                `json:"failed"`  // closures that could not be rated under the draft; their tickets say why
	Totals    []Difference       `json:"totals"`  // by currency
	Clauses   []ClauseDifference `json:"clauses"`
	Periods   []WhatIfPeriod     `json:"periods"` // billing periods that begin in it: fees, minimums, true-ups
	Tickets   []WhatIfTicket     `json:"tickets,omitempty"`
	Notes     []string           `json:"notes"` // what the reader must know of the comparison
}

// WhatIfTicket compares one closure: one round of a ticket.
type WhatIfTicket struct {
	Ticket   string             `json:"ticket"`
	Round    int                `json:"round"`
	ClosedAt time.Time          `json:"closed_at"`
	Subject  string             `json:"subject"`
	Reopened bool               `json:"reopened,omitempty"` // undone since, on both sides
	Failed   string             `json:"failed,omitempty"`   // why it could not be rated under the draft
	Totals   []Difference       `json:"totals"`             // by currency
	Clauses  []ClauseDifference `json:"clauses"`
	Detail   *WhatIfDetail      `json:"detail,omitempty"` // of the one ticket that was asked about
}

// WhatIfPeriod compares what one billing period comes to without tickets: recurring fees, corrections
// of them, and what lacks to a minimum.
type WhatIfPeriod struct {
	Period
	Totals  []Difference       `json:"totals"` // by currency
	Clauses []ClauseDifference `json:"clauses"`
}

// WhatIfDetail is both sides of one closure, charge by charge.
type WhatIfDetail struct {
	Was       []Charge `json:"was"`   // what posted, reversals included
	Would     []Charge `json:"would"` // what would have posted, reversals included
	Waits     []Hold   `json:"waits"` // what waits
	WouldWait []Hold   `json:"would_wait"`
}

// Difference is what was, and what would be, in one currency.
type Difference struct {
	Currency  string          `json:"currency"`
	Posted    decimal.Decimal `json:"posted"`
	Held      decimal.Decimal `json:"held"` // waits for a person
	WouldPost decimal.Decimal `json:"would_post"`
	WouldHold decimal.Decimal `json:"would_hold"`
	By        decimal.Decimal `json:"difference"` // of posted and held together
}

// ClauseDifference is a difference under one clause; both names are empty where no contract governs.
type ClauseDifference struct {
	Contract string `json:"contract"`
	Clause   string `json:"clause"`
	Difference
}

func (d *Difference) add(e Difference) {
	plus(&d.Posted, e.Posted)
	plus(&d.Held, e.Held)
	plus(&d.WouldPost, e.WouldPost)
	plus(&d.WouldHold, e.WouldHold)
	plus(&d.By, e.By)
}

// plus adds to a sum. Most of what is added is nothing: of the four sides of a charge three are.
func plus(sum *decimal.Decimal, d decimal.Decimal) {
	if !d.IsZero() {
		*sum = sum.Add(d)
	}
}

// Comparison sums differences by clause.
type Comparison []ClauseDifference

// Add adds amounts under a clause.
func (c *Comparison) Add(contract, clause string, d Difference) {
	i := slices.IndexFunc(*c, func(have ClauseDifference) bool {
		return have.Contract == contract && have.Clause == clause && have.Currency == d.Currency
	})
	if i < 0 {
		i = len(*c)
		*c = append(*c, ClauseDifference{Contract: contract, Clause: clause, Difference: Difference{Currency: d.Currency}})
	}
	(*c)[i].add(d)
}

// Was adds what a charge came to, or comes to where it waits.
func (c *Comparison) Was(ch *Charge, waits bool) {
	d := Difference{Currency: ch.Currency, Posted: ch.Amount}
	if waits {
		d.Posted, d.Held = decimal.Zero, ch.Amount
	}
	if !ch.Amount.IsZero() {
		d.By = ch.Amount.Neg()
	}
	c.Add(ch.Contract, ch.Clause, d)
}

// Would adds what a charge would come to.
func (c *Comparison) Would(ch *Charge, waits bool) {
	d := Difference{Currency: ch.Currency, WouldPost: ch.Amount, By: ch.Amount}
	if waits {
		d.WouldPost, d.WouldHold = decimal.Zero, ch.Amount
	}
	c.Add(ch.Contract, ch.Clause, d)
}

// Sorted gives the clauses in order of contract, clause and currency.
func (c Comparison) Sorted() []ClauseDifference {
	sorted := append([]ClauseDifference{}, c...)
	slices.SortFunc(sorted, func(a, b ClauseDifference) int {
		return cmp.Or(cmp.Compare(a.Contract, b.Contract), cmp.Compare(a.Clause, b.Clause), cmp.Compare(a.Currency, b.Currency))
	})
	return sorted
}

// Totals sums all clauses by currency.
func (c Comparison) Totals() []Difference {
	totals := []Difference{}
	for i := range c {
		j := slices.IndexFunc(totals, func(have Difference) bool { return have.Currency == c[i].Currency })
		if j < 0 {
			j = len(totals)
			totals = append(totals, Difference{Currency: c[i].Currency})
		}
		totals[j].add(c[i].Difference)
	}
	slices.SortFunc(totals, func(a, b Difference) int { return cmp.Compare(a.Currency, b.Currency) })
	return totals
}
