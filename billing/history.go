package billing

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/shopspring/decimal"
)

// What a ticket is compared by with those that came before.
const (
	pastTime      = "time"
	pastAmount    = "amount"
	pastFrequency = "frequency"
)

// What History means where it does not say.
const (
	defaultPastDays    = 180
	defaultPastTickets = 10
)

// MaxPast is the most tickets that Past is made of, the latest.
const MaxPast = 200

// LooksBack says how many days of the client's tickets of a category the terms compare a ticket with; 0: none.
func (t *Terms) LooksBack() int {
	if e := t.contract.Expected; e != nil && e.History != nil {
		return cmp.Or(e.History.Days, defaultPastDays)
	}
	return 0
}

// guardHistory tells how a ticket breaks the pattern of those that the client had in its category before: it took, or
// costs, more than so many times what they did in the middle, or so many times more of them came in the last seven days
// than in a week on average. Too few of them make no pattern. Nil where it keeps to the pattern.
func (d *decider) guardHistory(v *Version) []Arg {
	h, past := v.Terms.contract.Expected.History, d.facts.Past
	if h == nil || past == nil || past.Tickets < cmp.Or(h.Tickets, defaultPastTickets) {
		return nil
	}
	looks := func(at string) bool { return len(h.Of) == 0 || slices.Contains(h.Of, at) }
	breaks := func(of string, usual, came decimal.Decimal) []Arg {
		if !usual.IsPositive() || !came.GreaterThan(usual.Mul(h.Times)) {
			return nil
		}
		return []Arg{
			{"clause", v.Terms.contract.Expected.Clause},
			{"of", of},
			{"usual", usual.String()},
			{"times", h.Times.String()},
			{"came_to", came.String()},
			{"tickets", strconv.Itoa(past.Tickets)},
			{"days", strconv.Itoa(past.Days)},
			{"category", d.facts.Ticket.Category},
		}
	}
	z := d.size(v.Contract)
	if looks(pastTime) {
		if args := breaks(pastTime, decimal.NewFromInt(past.MS), decimal.NewFromInt(d.peoplesTime())); args != nil {
			return args
		}
	}
	if looks(pastAmount) {
		if args := breaks(pastAmount, past.amount(v.Terms.contract.Currency), z.amount); args != nil {
			return args
		}
	}
	if looks(pastFrequency) && d.facts.Ticket.Round == 1 {
		weekly := decimal.NewFromInt(int64(past.Tickets*daysOfWeek)).DivRound(decimal.NewFromInt(int64(max(past.Span, daysOfWeek))), 2)
		return breaks(pastFrequency, weekly, decimal.NewFromInt(int64(past.Week+1)))
	}
	return nil
}

const daysOfWeek = 7

// peoplesTime is what people worked on the ticket's round, in milliseconds, whatever bills of it.
func (d *decider) peoplesTime() int64 {
	var ms int64
	for i := range d.facts.Work {
		if w := &d.facts.Work[i]; w.Kind == kindHuman && !d.entries[i].free {
			ms += w.MS
		}
	}
	return ms
}

func (p *Past) amount(currency string) decimal.Decimal {
	for _, a := range p.Amounts {
		if a.Currency == currency {
			return a.Amount
		}
	}
	return decimal.Zero
}

// usually tells, for a sentence, what the client's tickets of the category come to.
func (s Step) usually(currency string) string {
	return s.past(s.get("usual"), currency)
}

func (s Step) past(figure, currency string) string {
	switch s.get("of") {
	case pastTime:
		return span(msOf(figure))
	case pastAmount:
		return money(decimalOf(figure), currency)
	}
	return figure
}

// broken tells which pattern the ticket breaks, with the numbers.
func (s Step) broken(currency string) string {
	usual, came := s.usually(currency), s.past(s.get("came_to"), currency)
	category, tickets, days, times := s.get("category"), s.get("tickets"), s.get("days"), s.get("times")
	switch s.get("of") {
	case pastTime:
		return "people worked " + came + ", more than " + times + " times the " + usual + " that the client's last " + tickets + " tickets of " + category + " (" + days + " days) took in the middle"
	case pastAmount:
		return "it comes to " + came + ", more than " + times + " times the " + usual + " that the client's last " + tickets + " tickets of " + category + " (" + days + " days) billed in the middle"
	}
	return "it is number " + came + " of " + category + " in 7 days, more than " + times + " times the " + usual + " that came in a week on average (" + tickets + " tickets in " + days + " days)"
}
