package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/docket-psa/docket/billing"
)

// contractText prints a contract as people read it: what is not said is not shown.
func (a *app) contractText(c *billing.Contract, stored ...string) {
	t := contractText{app: a, c: c}
	_, _ = fmt.Fprintf(a.stdout, "%s  %s\n", c.ID, c.Name)
	t.section("", append(append([]string{"client", c.Client}, stored...),
		"currency", c.Currency, "time zone", c.TimeZone, "priority", number0(c.Priority), "fallback", yes(c.Fallback, "governs only while no other contract of the client is in force"),
		"rounding", words(c.Rounding, prefixed("of each ", c.RoundingOf)), "payer", c.Payer, "billed", t.billed(), "tax profile", c.Tax,
		"accounting", t.accounting(c.Accounting), "purchase order", t.order(), "term", t.term(), "cancelled on", t.cancelled(), "reopened", c.Reopen,
		"warranty", t.warranty(), "commitment", t.commitment())...)
	t.pauses()
	t.section("TIME", t.time(&c.Time)...)
	t.bands()
	t.lines()
	t.rates()
	t.materials()
	t.guards()
	t.sla()
}

// contractText is one contract on its way to the terminal.
type contractText struct {
	*app
	c *billing.Contract
}

// section prints names and values below a heading; nothing where there is no value.
func (t contractText) section(heading string, pairs ...string) {
	said := false
	for i := 1; i < len(pairs); i += 2 {
		said = said || pairs[i] != ""
	}
	if !said {
		return
	}
	_, _ = fmt.Fprintln(t.stdout)
	if heading != "" {
		_, _ = fmt.Fprintln(t.stdout, heading)
	}
	fields(t.stdout, pairs...)
}

// table prints rows below their heads, leaving out the columns in which no row says anything.
func (t contractText) table(heads []string, rows [][]string) {
	if len(rows) == 0 {
		return
	}
	_, _ = fmt.Fprintln(t.stdout)
	t.tableTo(t.stdout, heads, rows)
}

func (t contractText) tableTo(w io.Writer, heads []string, rows [][]string) {
	all := append([][]string{heads}, rows...)
	shown := make([][]string, len(all))
	var right []bool
	for column := range heads {
		said := false
		for _, row := range rows {
			said = said || row[column] != ""
		}
		if !said {
			continue
		}
		for i, row := range all {
			shown[i] = append(shown[i], row[column])
		}
		right = append(right, heads[column] == "PRICE" || heads[column] == "HOURLY")
	}
	align(w, shown, right)
}

func (t contractText) money(d *decimal.Decimal) string {
	if d == nil {
		return ""
	}
	return money(*d, t.c.Currency)
}

func (t contractText) billed() string {
	b := t.c.Billing
	if b == nil {
		return ""
	}
	from := ""
	if b.Anchor > 1 {
		from = "from day " + strconv.Itoa(b.Anchor)
	}
	if b.FirstMonth > 1 {
		from = words(from, "years from month "+strconv.Itoa(b.FirstMonth))
	}
	due := ""
	if b.PaymentDays > 0 {
		due = "due in " + count(b.PaymentDays, "day")
	}
	return words(or(b.Period, "monthly"), from, due, prefixed("below zero: ", b.Negative))
}

func (t contractText) accounting(a *billing.Accounting) string {
	if a == nil {
		return ""
	}
	return words(prefixed("account ", a.Account), prefixed("item ", a.Item), prefixed("deferred ", a.Defer))
}

func (t contractText) order() string {
	p := t.c.PurchaseOrder
	if p == nil {
		return ""
	}
	return words(p.Number, "up to "+money(p.Limit, t.c.Currency), "used up: "+or(p.UsedUp, "warn"))
}

func (t contractText) term() string {
	m := t.c.Term
	if m == nil {
		return ""
	}
	months, renews, notice := "", "", ""
	if m.Months > 0 {
		months, renews = count(m.Months, "month"), "renews: "+or(m.Renews, "auto")
	}
	if m.RenewalMonths > 0 {
		renews += ", by " + count(m.RenewalMonths, "month")
	}
	if m.NoticeDays > 0 {
		notice = count(m.NoticeDays, "day") + "' notice"
	}
	uplift := ""
	if m.UpliftPercent != nil {
		uplift = "uplift " + m.UpliftPercent.String() + " %"
	}
	return words(months, prefixed("since ", m.Since), renews, notice, uplift, prefixed("termination fee ", t.money(m.TerminationFee)))
}

func (t contractText) cancelled() string {
	if t.c.Term == nil {
		return ""
	}
	return t.c.Term.CancelledOn
}

func (t contractText) warranty() string {
	w := t.c.Warranty
	if w == nil {
		return ""
	}
	return words(count(w.Days, "day"), w.Clause)
}

func (t contractText) commitment() string {
	m := t.c.Commitment
	if m == nil {
		return ""
	}
	return words("at least "+money(m.Amount, t.c.Currency)+" a period", m.Clause+" "+m.Name, prefixed("prorated: ", m.Prorate))
}

func (t contractText) pauses() {
	rows := make([][]string, 0, len(t.c.Pauses))
	for _, p := range t.c.Pauses {
		rows = append(rows, []string{p.From, p.To, or(p.Fee, "waive"), or(p.Work, "hold")})
	}
	t.table([]string{"PAUSED FROM", "UNTIL", "FEE", "WORK"}, rows)
}

func (t contractText) bands() {
	rows := make([][]string, 0, len(t.c.Bands))
	for _, b := range t.c.Bands {
		times := ""
		if b.Multiplier != nil {
			times = "× " + b.Multiplier.String()
		}
		when := words(strings.Join(b.Days, ", "), strings.Join(b.Hours, ", "))
		if when != "" && b.Zone != "" {
			when += " " + b.Zone
		}
		dates := words(strings.Join(b.Dates, ", "), prefixed("except ", strings.Join(b.Except, ", ")))
		rows = append(rows, []string{b.Clause, b.Name, when, dates, times, t.money(b.CallOut)})
	}
	t.table([]string{"CLAUSE", "BAND", "WHEN", "DATES", "PREMIUM", "CALL-OUT"}, rows)
	if p := t.c.Premium; p != nil {
		fields(t.stdout, "premiums", words(prefixed("several: ", p.Several), prefixed("on ", p.On), yes(p.AI, "for AI work too")))
	}
}

func (t contractText) rates() {
	rows := make([][]string, 0, len(t.c.Rates))
	for _, r := range t.c.Rates {
		draws := ""
		if r.Weight != nil {
			draws = "×" + r.Weight.String()
		}
		rows = append(rows, []string{r.Clause, or(r.WorkRole, "any"), or(r.WorkType, "any"), or(r.Actor, "human"), r.Band, money(r.Hourly, t.c.Currency), draws})
	}
	t.table([]string{"CLAUSE", "ROLE", "WORK TYPE", "ACTOR", "BAND", "HOURLY", "DRAWS"}, rows)
}

func (t contractText) materials() {
	rows := make([][]string, 0, len(t.c.Materials))
	for _, m := range t.c.Materials {
		price := "at cost"
		switch {
		case m.Covered:
			price = "covered"
		case !m.MarkupPercent.IsZero():
			price = "cost + " + m.MarkupPercent.String() + " %"
		}
		rows = append(rows, []string{m.Clause, m.Name, or(joined(m.Kinds), "all"), price, words(prefixed("tax ", m.TaxCategory), t.accounting(m.Accounting))})
	}
	t.table([]string{"CLAUSE", "WHAT", "MATERIALS", "PRICE", "TERMS"}, rows)
}

// guards prints what asks, limits and refuses.
func (t contractText) guards() {
	var pairs []string
	if p := t.c.Approval; p != nil {
		pairs = append(pairs, "sign-off "+p.Clause, words(prefixed("over ", t.money(p.AmountOver)), prefixed("over ", p.TimeOver), prefixed("an hour over ", t.money(p.HourlyOver)),
			prefixed("categories ", joined(p.Categories)), prefixed("work by ", joined(p.Actors)), "signed by "+joined(p.Approvers), prefixed("expires after ", p.Expires)))
	}
	if p := t.c.Callers; p != nil {
		pairs = append(pairs, "callers "+p.Clause, words(joined(p.People), "others: "+or(p.Others, "hold")))
	}
	if l := t.c.Listed; l != nil {
		pairs = append(pairs, "listed "+l.Clause, words(prefixed("devices ", joined(l.Devices)), prefixed("users ", joined(l.Users)),
			"others: "+or(l.Unlisted, "ask"), prefixed("by ", l.Add)))
	}
	if n := t.c.NotToExceed; n != nil {
		pairs = append(pairs, "not to exceed "+n.Clause, words(money(n.Amount, t.c.Currency), "rest: "+or(n.Rest, "hold")))
	}
	if p := t.c.Project; p != nil {
		pairs = append(pairs, "project "+p.Clause, words(prefixed("over ", t.money(p.AmountOver)), prefixed("over ", p.TimeOver), prefixed("categories ", joined(p.Categories))))
	}
	if e := t.c.Expected; e != nil {
		tickets := ""
		if e.Tickets > 0 {
			tickets = "over " + count(e.Tickets, "ticket") + " of a category in a period"
		}
		pairs = append(pairs, "unexpected "+e.Clause, words(prefixed("over ", t.money(e.AmountOver)), prefixed("over ", e.TimeOver), tickets))
	}
	pairs = append(pairs, "unmatched work", t.c.Unmatched, "patience", t.c.Patience)
	for i := 0; i < len(pairs); i += 2 {
		pairs[i] = strings.TrimSpace(pairs[i])
	}
	t.section("GUARDS", pairs...)
}

func (t contractText) sla() {
	s := t.c.SLA
	if s == nil {
		return
	}
	var rows [][]string
	for p := 1; p <= 5; p++ {
		if target, ok := s.Targets[p]; ok {
			rows = append(rows, []string{priority(p), target.Response, target.Resolution, target.Calendar, target.Allotment})
		}
	}
	t.table([]string{"SLA " + s.Calendar, "RESPONSE", "RESOLUTION", "CALENDAR", "ALLOTMENT"}, rows)
	t.clocks(s)
	c := s.Credits
	if c == nil {
		return
	}
	percent := func(what string, d *decimal.Decimal) string {
		if d == nil {
			return ""
		}
		return what + d.String() + " %"
	}
	fast := ""
	if c.Fast != nil {
		fast = money(*c.Fast, t.c.Currency) + " an hour faster"
	}
	t.section("CREDITS "+c.Clause, "missed", words(percent("response ", c.Response), percent("resolution ", c.Resolution), prefixed("both: ", c.Both)),
		"faster", fast, "reckoned from", "the "+or(c.Base, "fee"), "at most for a ticket", "the "+or(c.Floor, "fee"), "at most for a period", percent("of the fee ", c.Cap))
}

// clocks tells what warns, what pauses, and who hears of a missed target, where the contract says so.
func (t contractText) clocks(s *billing.SLA) {
	warn, escalates := "", ""
	if s.Warn != nil {
		warn = fmt.Sprintf("at %d %% of a target", *s.Warn)
	}
	if e := s.Escalation; e != nil {
		escalates = prefixed("after ", e.After)
		if e.Reroute {
			escalates = words(escalates, "away from its assignee")
		}
	}
	if warn+escalates != "" || s.PausesOn != nil {
		t.section("CLOCKS", "warning", warn, "pauses", strings.Join(s.PausesOn, ", "), "escalates", escalates)
	}
}

// words joins what is said with commas.
func words(parts ...string) string {
	var said []string
	for _, p := range parts {
		if p != "" {
			said = append(said, p)
		}
	}
	return strings.Join(said, ", ")
}

// prefixed says nothing of nothing.
func prefixed(prefix, s string) string {
	if s == "" {
		return ""
	}
	return prefix + s
}

func yes(is bool, s string) string {
	if is {
		return s
	}
	return ""
}

// number0 says a number; nothing for 0.
func number0(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}
