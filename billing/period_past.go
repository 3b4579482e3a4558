package billing

import (
	"strconv"
	"strings"
)

// PastPeriods are the billing periods of a contract that were over when it was first applied, and that nobody has billed here:
// whoever served the client before has, or nobody. They are billed only where somebody says so.
type PastPeriods struct {
	Contract string `json:"contract"`
	Client   string `json:"client"`
	Period          // from the first of them until the last
	Periods  int    `json:"periods"`
	// Where somebody has looked: what their runs come to by the contract, and how many of those wait for what nobody knows yet.
	Sums    []CurrencySum `json:"sums,omitempty"`
	Waiting int           `json:"waiting,omitempty"`
}

// PastOf sums runs of one contract that are past, by what they would post. No run is nil.
func PastOf(runs []PeriodReceipt) *PastPeriods {
	var past *PastPeriods
	periods := map[Period]bool{}
	for _, r := range runs {
		if past == nil {
			past = &PastPeriods{Contract: r.Contract, Client: r.Client, Period: r.Period}
		}
		past.Start, past.End = min(past.Start, r.Period.Start), max(past.End, r.Period.End)
		if !periods[r.Period] {
			periods[r.Period], past.Periods = true, past.Periods+1
		}
		if r.State == PostingWaiting {
			past.Waiting++
		}
		for _, l := range r.Posted {
			past.add(CurrencySum{Currency: l.Currency, Amount: l.Amount})
		}
	}
	return past
}

func (p *PastPeriods) add(sum CurrencySum) {
	for i := range p.Sums {
		if p.Sums[i].Currency == sum.Currency {
			p.Sums[i].Amount = p.Sums[i].Amount.Add(sum.Amount)
			return
		}
	}
	p.Sums = append(p.Sums, sum)
}

// Command bills them.
func (p *PastPeriods) Command() string {
	return "docket period run --contract " + p.Contract + " --from " + p.Start
}

// String tells what is not billed: "January to March 2026 (3 periods) were over when it was applied, and are not billed here".
func (p *PastPeriods) String() string {
	said := p.Tell()
	if p.Periods == 1 {
		said += " was over when " + p.Contract + " was applied, and is not billed here"
	} else {
		said += " (" + strconv.Itoa(p.Periods) + " periods) were over when " + p.Contract + " was applied, and are not billed here"
	}
	var come []string
	for _, s := range p.Sums {
		come = append(come, money(s.Amount, s.Currency))
	}
	if len(come) > 0 {
		said += ": they come to " + strings.Join(come, " and ")
	}
	if p.Waiting > 0 {
		said += "; " + strconv.Itoa(p.Waiting) + " of their runs cannot be priced yet"
	}
	return said
}

// BillsPeriods says whether a period of the terms may cost something by itself: a fee, a minimum, a fee for no use. Hours that it
// grants cost nothing.
func (t *Terms) BillsPeriods() bool {
	if t.contract.Commitment != nil {
		return true
	}
	for i := range t.contract.Lines {
		if l := &t.contract.Lines[i]; l.recurring() || l.noUse() {
			return true
		}
	}
	return false
}
