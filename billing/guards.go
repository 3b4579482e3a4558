package billing

import (
	"slices"
	"strconv"

	"github.com/shopspring/decimal"
)

// size is what a ticket's round comes to under one contract, credits apart.
type size struct {
	amount decimal.Decimal
	time   int64 // ms: billable, and elapsed where a clause covers the work
}

func (d *decider) size(contract string) size {
	var z size
	for _, s := range d.under(contract) {
		if s.reason != "" || s.kind == Credit {
			continue
		}
		z.amount = z.amount.Add(s.charge.Amount)
		if z.time += s.bill; s.covers() {
			z.time += s.elapsed
		}
	}
	return z
}

// covers says whether the charge is work that a clause covers; not what the price of a ticket pays for.
func (s *slot) covers() bool {
	return s.kind == Covered && s.item == nil && s.clause.Charge == chargeCovered
}

// costs says whether the charge costs the client money or minutes. A charge that lowers another
// one goes with it.
func (s *slot) costs() bool {
	if s.with != nil {
		return s.with.costs()
	}
	lent := s.kind == BlockDraw && len(s.charge.Counts) > 0
	return s.kind != Credit && (!s.charge.Amount.IsZero() || len(s.charge.Draws) > 0 || lent)
}

// waits keeps the charge for a dispatcher, by the clause of what keeps it.
func (s *slot) waits(reason HoldReason, clause string) { s.reason, s.guard = reason, clause }

// guard keeps for a dispatcher what nobody was allowed to order, what is a project in disguise, and
// what breaks the pattern of such tickets. Each looks at what posts or would be signed off, so what
// is an exception already is asked about once.
func (d *decider) guard() {
	for _, version := range d.contracts() {
		v := &d.facts.Contracts[version]
		d.guardCallers(v)
		d.guardProject(v)
		d.guardPattern(version)
	}
}

// hold makes all that costs something under the contract wait.
func (d *decider) hold(contract string, reason HoldReason, clause, rule string, args []Arg) {
	for _, s := range d.under(contract) {
		if s.reason == "" && s.costs() {
			s.waits(reason, clause)
			s.step(rule, args...)
		}
	}
}

func (d *decider) guardCallers(v *Version) {
	callers := v.Terms.contract.Callers
	if callers == nil || callers.Others == othersBill || slices.Contains(callers.People, d.facts.Ticket.Contact) {
		return
	}
	d.hold(v.Contract, NotOrdered, callers.Clause, ruleNotOrdered, []Arg{{"clause", callers.Clause}, {"contact", d.facts.Ticket.Contact}})
}

// limits are the bounds of a ticket's size; a trigger tells which of them it is over.
type limits struct {
	amountOver *decimal.Decimal
	timeOver   int64 // ms; 0: none
	categories []string
}

// What a round can be over.
const (
	byAmount   = "amount_over"
	byTime     = "time_over"
	byHourly   = "hourly_over"
	byCategory = "category"
	byActor    = "actor"
	byTickets  = "tickets"
	byAttempts = "attempts"
	byApproved = "approved"
)

// trigger is why a round needs a person: a limit's name, the limit, and what the round came to.
type trigger struct {
	limit string // what it is over; empty: nothing
	value string
	came  string
}

// over says which limit a round of this size is over.
func (l limits) over(z size, category string) trigger {
	switch {
	case l.amountOver != nil && z.amount.GreaterThan(*l.amountOver):
		return trigger{byAmount, l.amountOver.String(), z.amount.String()}
	case l.timeOver > 0 && z.time > l.timeOver:
		return trigger{byTime, strconv.FormatInt(l.timeOver, 10), strconv.FormatInt(z.time, 10)}
	case len(l.categories) > 0 && among(l.categories, category):
		return trigger{byCategory, category, category}
	}
	return trigger{}
}

func (t trigger) args(clause string) []Arg {
	return []Arg{{"clause", clause}, {"by", t.limit}, {"limit", t.value}, {"came_to", t.came}}
}

func compileProject(p *Project) limits {
	if p == nil {
		return limits{}
	}
	return limits{p.AmountOver, length(p.TimeOver).Milliseconds(), p.Categories}
}

func compileExpected(e *Expected) limits {
	if e == nil {
		return limits{}
	}
	return limits{e.AmountOver, length(e.TimeOver).Milliseconds(), nil}
}

// guardProject keeps a project in disguise. Work that the contract covers waits with it, without a
// price: whether the contract covers a project is what the dispatcher is asked.
func (d *decider) guardProject(v *Version) {
	project := v.Terms.contract.Project
	if project == nil || d.facts.Ticket.Project != nil {
		return
	}
	by := v.Terms.project.over(d.size(v.Contract), d.facts.Ticket.Category)
	if by.limit == "" {
		return
	}
	args := by.args(project.Clause)
	d.hold(v.Contract, ProjectSize, project.Clause, ruleProject, args)
	for _, s := range d.under(v.Contract) {
		if s.reason == "" && s.covers() {
			s.waits(ProjectSize, project.Clause)
			s.kind, s.charge.Kind, s.charge.Unrated, s.charge.Hidden = Time, Time, true, false
			s.bill = s.elapsed
			s.step(ruleProject, args...)
		}
	}
}

// patternCounter names the counter of a period's tickets of one category.
func patternCounter(contract, category, period string) string {
	return countsPattern + "/" + contract + "/" + category + "/" + period
}

// guardPattern keeps a ticket that comes to more than such tickets usually do, or one too many of
// its category in the period.
func (d *decider) guardPattern(version int) {
	v := &d.facts.Contracts[version]
	expected := v.Terms.contract.Expected
	if expected == nil {
		return
	}
	by := v.Terms.expected.over(d.size(v.Contract), d.facts.Ticket.Category)
	if n := d.countTicket(version, expected); by.limit == "" && n.GreaterThan(decimal.NewFromInt(int64(expected.Tickets))) {
		by = trigger{byTickets, strconv.Itoa(expected.Tickets), n.String()}
	}
	if n := d.failedAttempts(); by.limit == "" && expected.Attempts > 0 && n > expected.Attempts {
		by = trigger{byAttempts, strconv.Itoa(expected.Attempts), strconv.Itoa(n)}
	}
	if by.limit != "" {
		args := append(by.args(expected.Clause), Arg{"category", d.facts.Ticket.Category})
		d.hold(v.Contract, PatternBroken, expected.Clause, rulePattern, args)
		return
	}
	if args := d.guardHistory(v); args != nil {
		d.hold(v.Contract, PatternBroken, expected.Clause, ruleHistory, args)
	}
}

// failedAttempts counts what AI agents tried in vain.
func (d *decider) failedAttempts() int {
	n := 0
	for i := range d.facts.Work {
		if w := &d.facts.Work[i]; w.Failed && w.Kind == kindAI {
			n++
		}
	}
	return n
}

// countTicket counts the ticket in its category's period, once, on the first of its charges, and
// gives which one it is; 0 where the contract does not count.
func (d *decider) countTicket(version int, expected *Expected) decimal.Decimal {
	v, t := &d.facts.Contracts[version], &d.facts.Ticket
	slots := d.under(v.Contract)
	if expected.Tickets == 0 || len(slots) == 0 || d.undone() {
		return decimal.Zero
	}
	key := patternCounter(v.Contract, t.Category, v.Terms.periodKey(t.ResolvedOn))
	before := d.counter(key)
	if t.Round > 1 && v.Terms.contract.Reopen == reopenKeep {
		return before // an earlier round, which stands, has counted it
	}
	i := slices.IndexFunc(slots, func(s *slot) bool { return s.reason == "" })
	d.count(slots[max(i, 0)], key, one)
	return before.Add(one)
}
