package billing

import (
	"github.com/shopspring/decimal"
)

// TicketProject is the project that a ticket belongs to, as its closing finds it: its work bills to the
// project's budget.
type TicketProject struct {
	ID       string           `json:"id"`
	Currency string           `json:"currency"`
	Budget   *decimal.Decimal `json:"budget,omitempty"`    // money; nil: none was set
	BudgetMS int64            `json:"budget_ms,omitempty"` // of work; 0: none was set
	Hourly   *decimal.Decimal `json:"hourly,omitempty"`    // of people's work that a contract would have covered; nil: by the rate card
	Closed   bool             `json:"closed,omitempty"`    // nothing more was agreed
}

// ProjectCounters names what bills to a project over its life: money in a currency, and worked milliseconds.
func ProjectCounters(project, currency string) (money, hours string) {
	return countsProject + "/" + project + "/" + currency, countsHours + "/" + project
}

// projectKeys names the counters of the project that the charge bills to; empty without one.
func (c Charge) projectKeys() (money, hours string) {
	if c.Project == "" {
		return "", ""
	}
	return ProjectCounters(c.Project, c.Currency)
}

// BudgetKeys names the counters that the charge takes a budget from: the purchase order's and the project's.
// Undoing or settling the charge may move them although the charge has not counted yet.
func (c Charge) BudgetKeys() []string {
	var keys []string
	if key := c.OrderKey(); key != "" {
		keys = append(keys, key)
	}
	if money, hours := c.projectKeys(); money != "" {
		keys = append(keys, money, hours)
	}
	return keys
}

// worked is the work that the charge takes from a project's hours: what was measured, whatever it bills. What
// bears nobody's budget takes none.
func (c Charge) worked() int64 {
	if c.Kind == NotBillable || c.Kind == WrittenOff {
		return 0
	}
	var ms int64
	for _, s := range c.Spans {
		ms += s.To - s.From
	}
	return ms
}

// budget is what a ticket's round takes of its project, and how far the project reaches.
type budget struct {
	*TicketProject
	money, hours  string // counters
	before        decimal.Decimal
	beforeMS      int64
	needs         decimal.Decimal
	needsMS       int64
	foreign       string // a currency that the budget says nothing about
	bills, others []*slot
}

// countProject bills the round to the ticket's project: what posts and what waits counts against its
// budget. Where the budget does not reach, all that counts waits for a dispatcher, together or not at
// all, and takes nothing from it until somebody rules.
func (d *decider) countProject() {
	project := d.facts.Ticket.Project
	if project == nil {
		return
	}
	b := &budget{TicketProject: project}
	b.money, b.hours = ProjectCounters(project.ID, project.Currency)
	b.before, b.beforeMS = d.counter(b.money), d.counter(b.hours).IntPart()
	for _, s := range d.slots {
		s.charge.Project = project.ID
		b.weigh(s)
	}
	if by := b.beyond(); by != "" {
		args := b.args(by)
		for _, s := range b.bills {
			s.waits(ProjectBudget, "")
			s.step(ruleBudget, args...)
		}
		b.bills = nil
	}
	for _, s := range append(b.bills, b.others...) {
		d.bill(s, b)
	}
}

// weigh says whether the charge needs room in the budget, and how much.
func (b *budget) weigh(s *slot) {
	ms := s.charge.worked()
	if s.reason != "" || s.kind == Credit || (s.charge.Amount.IsZero() && ms == 0) {
		b.others = append(b.others, s)
		if s.kind == Credit && s.charge.Currency == b.Currency {
			b.needs = b.needs.Add(s.charge.Amount)
		}
		return
	}
	b.bills = append(b.bills, s)
	b.needsMS += ms
	switch {
	case s.charge.Currency == b.Currency:
		b.needs = b.needs.Add(s.charge.Amount)
	case !s.charge.Amount.IsZero():
		b.foreign = s.charge.Currency
	}
}

// What a round can be beyond of a project.
const (
	byClosed   = "closed"
	byCurrency = "currency"
	byMoney    = "money"
	byHours    = "hours"
)

// beyond says by what the round goes beyond the project; empty where it fits.
func (b *budget) beyond() string {
	switch {
	case len(b.bills) == 0:
		return ""
	case b.Closed:
		return byClosed
	case b.foreign != "":
		return byCurrency
	case b.Budget != nil && b.needs.IsPositive() && b.before.Add(b.needs).GreaterThan(*b.Budget):
		return byMoney
	case b.BudgetMS > 0 && b.needsMS > 0 && b.beforeMS+b.needsMS > b.BudgetMS:
		return byHours
	}
	return ""
}

func (b *budget) args(by string) []Arg {
	args := []Arg{{"project", b.ID}, {"by", by}}
	switch by {
	case byCurrency:
		args = append(args, Arg{"currency", b.Currency}, Arg{"bills", b.foreign})
	case byMoney:
		args = append(args, Arg{"limit", b.Budget.String()}, Arg{"before", b.before.String()}, Arg{"needs", b.needs.String()})
	case byHours:
		args = append(args, msArg("limit_ms", b.BudgetMS), msArg("before_ms", b.beforeMS), msArg("needs_ms", b.needsMS))
	}
	return args
}

// bill counts one charge against the project, and notes where that leaves it. What has no amount yet
// counts when somebody rules on it.
func (d *decider) bill(s *slot, b *budget) {
	c := &s.charge
	if c.Unrated {
		return
	}
	money, hours := c.projectKeys()
	args := []Arg{{"project", b.ID}}
	if !c.Amount.IsZero() {
		before := d.counter(money)
		d.count(s, money, c.Amount)
		args = append(args, Arg{"before", before.String()}, Arg{"after", before.Add(c.Amount).String()})
		if b.Budget != nil && c.Currency == b.Currency {
			args = append(args, Arg{"limit", b.Budget.String()})
		}
	}
	if ms := c.worked(); ms > 0 {
		before := d.counter(hours)
		d.count(s, hours, decimal.NewFromInt(ms))
		args = append(args, msArg("after_ms", before.IntPart()+ms))
		if b.BudgetMS > 0 {
			args = append(args, msArg("limit_ms", b.BudgetMS))
		}
	}
	if len(args) > 1 {
		s.step(ruleBudget, args...)
	}
}

// saysBudget tells why the project does not take the work.
func saysBudget(h *Hold, step Step, quoted string) string {
	project := "project " + step.get("project")
	fix := ": raise its budget (docket project budget), or rule on it; " + quoted + "."
	switch step.get("by") {
	case byClosed:
		return "The ticket belongs to " + project + ", which is closed, and nothing more was agreed: bill it to another project, or rule on it; " + quoted + "."
	case byCurrency:
		return "The ticket belongs to " + project + ", whose budget is in " + step.get("currency") + ", and this bills in " + step.get("bills") +
			": bill it to another project, or rule on it; " + quoted + "."
	case byHours:
		return "The budget of " + project + ", " + span(step.ms("limit_ms")) + ", has " + span(max(0, step.ms("limit_ms")-step.ms("before_ms"))) +
			" left, and this takes " + span(step.ms("needs_ms")) + fix
	}
	left := decimal.Max(decimal.Zero, step.amount("limit").Sub(step.amount("before")))
	return "The budget of " + project + ", " + money(step.amount("limit"), h.Currency) + ", has " + money(left, h.Currency) +
		" left, and this comes to " + money(step.amount("needs"), h.Currency) + fix
}

// budget tells how the charge stands to its project.
func (s Step) budget(c Charge) string {
	project := "project " + s.get("project")
	switch s.get("by") {
	case byClosed:
		return "It belongs to " + project + ", which was closed by then, so a dispatcher had to say what becomes of it."
	case byCurrency:
		return "It belongs to " + project + ", whose budget is in " + s.get("currency") + ", so a dispatcher had to say what becomes of it."
	case byMoney:
		return "The budget of " + project + " is " + money(s.amount("limit"), c.Currency) + "; " + money(s.amount("before"), c.Currency) +
			" were used, and the round came to " + money(s.amount("needs"), c.Currency) + ", so a dispatcher had to say what becomes of it."
	case byHours:
		return "The budget of " + project + " is " + span(s.ms("limit_ms")) + "; " + span(s.ms("before_ms")) + " were used, and the round took " +
			span(s.ms("needs_ms")) + ", so a dispatcher had to say what becomes of it."
	}
	said := "It bills to " + project
	if s.get("after") != "" {
		said += ", " + money(s.amount("after"), c.Currency)
		if s.get("limit") != "" {
			said += " of " + money(s.amount("limit"), c.Currency)
		}
		said += " with it"
	}
	if s.get("after_ms") != "" {
		said += ", " + span(s.ms("after_ms"))
		if s.get("limit_ms") != "" {
			said += " of " + span(s.ms("limit_ms"))
		}
		said += " of work"
	}
	return said + "."
}

// Rerating says that the facts are those of held work which a ruling rates anew, under one contract.
type Rerating struct {
	Hold        int64  `json:"hold"` // n of H-n
	Contract    string `json:"contract"`
	By          string `json:"by"` // person id
	ConfirmedBy string `json:"confirmed_by,omitempty"`
	Reason      string `json:"reason"`
	Bought      int    `json:"bought,omitempty"` // blocks that decisions of the closure bought before
}

// prefix keeps the keys of what a rerating decides apart from those of the closing it is about.
func (r *Rerating) prefix() string {
	if r == nil {
		return ""
	}
	return heldName(r.Hold) + "/"
}

func (r *Rerating) bought() int {
	if r == nil {
		return 0
	}
	return r.Bought
}

// explainRerating notes by whose word the work is rated under this contract.
func (d *decider) explainRerating() {
	r := d.facts.Rerating
	if r == nil {
		return
	}
	args := []Arg{{"hold", heldName(r.Hold)}, {"contract", r.Contract}, {"by", r.By}, {"reason", r.Reason}}
	if r.ConfirmedBy != "" {
		args = append(args, Arg{"confirmed_by", r.ConfirmedBy})
	}
	for _, s := range d.slots {
		s.step(ruleRerated, args...)
	}
	for _, s := range d.sales {
		s.step(ruleRerated, args...)
	}
}
