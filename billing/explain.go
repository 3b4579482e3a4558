package billing

import (
	"strconv"
	"strings"

	"github.com/shopspring/decimal"
)

// Explain tells in plain sentences why a charge is what it is: the clause, the numbers,
// and what would have changed the answer.
func Explain(c Charge) []string {
	var said []string
	for _, s := range c.Steps {
		if sentence := s.render(c); sentence != "" {
			said = append(said, sentence)
		}
	}
	return append(said, c.outcome())
}

// get gives the named value of the step; empty where it has none.
func (s Step) get(name string) string {
	for _, a := range s.Args {
		if a.Name == name {
			return a.Value
		}
	}
	return ""
}

func (s Step) ms(name string) int64 {
	n, err := strconv.ParseInt(s.get(name), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

func (s Step) amount(name string) decimal.Decimal {
	d, err := decimal.NewFromString(s.get(name))
	if err != nil {
		return decimal.Zero
	}
	return d
}

func (s Step) render(c Charge) string {
	switch s.Rule {
	case ruleMatch:
		return s.match()
	case ruleFree:
		return s.free()
	case ruleNone:
		return "No contract of the client was in force when the work was done."
	case ruleTie:
		return "Two contracts claim the work equally, so neither was chosen. A higher priority of one would have decided it."
	case ruleTime:
		return s.time(c)
	case ruleBlock:
		return s.block()
	case ruleBucket:
		return s.bucket()
	case ruleLate:
		return s.late()
	case ruleUnpaid:
		return "Block " + s.get("block") + " is not paid, and what it would pay for waits until it is."
	case ruleEnded:
		return s.ended()
	case ruleOverdraw:
		return s.overdraw()
	case ruleSale:
		return "The client bought a block of " + span(s.ms("ms")) + " on " + s.get("date") + " for " + money(s.amount("price"), c.Currency) + "."
	case ruleReturn:
		return "Block " + s.get("block") + " was taken back, as nothing of it was used: " + s.get("why") + "."
	case ruleRenewal:
		return s.renewal(c)
	case ruleOverage:
		beyond := "the block"
		if period := s.get("period"); period != "" {
			beyond = "the allowance of " + period
		}
		return "Time beyond " + beyond + " costs " + s.get("hourly") + " an hour by clause " + s.get("clause") + ". " + c.hadThereBeen()
	case ruleRate:
		if c.Kind == Overage {
			return s.rate() + " " + c.hadThereBeen()
		}
		return s.rate()
	case ruleNoRate:
		return "The rate card has no row for " + who(s.get("actor")) + " doing " + s.get("work_type") + " as " + quote(s.get("work_role")) + "."
	case ruleIncluded:
		return s.included(c)
	case rulePeriod:
		return s.period()
	case ruleRound:
		return s.round(c)
	case ruleThreshold:
		return s.threshold(c)
	case ruleApproved:
		return "The client had agreed to " + money(s.amount("approved"), c.Currency) + " before the work, so nobody was asked again."
	case ruleRuling:
		return s.ruling(c)
	case ruleReleased:
		return s.released(c)
	case ruleReverse:
		return "It undoes L-" + s.get("charge") + " of " + money(s.amount("amount"), c.Currency) + "."
	case ruleWriteDown, ruleRebill, ruleCredited, ruleCarry:
		return s.adjustment(c)
	}
	if said := s.entry(c); said != "" {
		return said
	}
	if said := s.tellPeriod(c); said != "" {
		return said
	}
	return s.ofTicket(c)
}

func (s Step) match() string {
	by := clauseName(s.get("contract"), s.get("clause"))
	revision := " (revision " + s.get("revision") + ")"
	if s.get("clause") == "" {
		rest := "puts the rest out of scope"
		if s.get("charge") == chargeTime {
			rest = "bills the rest at the rate card"
		}
		return "No clause of " + by + revision + " speaks of this work; the contract " + rest + "."
	}
	fields := "it speaks of any work"
	if n := int(s.ms("fields")); n > 0 {
		fields = "it matched on " + strconv.Itoa(n) + " of the ticket's and the work's properties"
	}
	said := by + revision + ", " + strconv.Quote(s.get("line")) + ", governs this work: " + fields + ", and no clause in force was more specific."
	if s.get("charge") == chargePerTicket && s.get("code") == codeSilent {
		said += " The customer fell silent, so the ticket itself costs nothing."
	}
	return said + s.otherwise()
}

// otherwise tells what would have become of the work without its clause.
func (s Step) otherwise() string {
	charge := s.get("otherwise")
	how := ", which charges " + charge
	switch charge {
	case "":
		return ""
	case chargeCovered:
		how = ", which covers it"
	case chargeNotBillable:
		how = ", which bills nothing"
	case chargeOutOfScope:
		how = ", which puts it out of scope"
	}
	if clause := s.get("otherwise_clause"); clause != "" {
		return " Without it " + clause + " would have governed" + how + "."
	}
	if charge == chargeTime {
		return " Without it no clause would speak of the work, and it would be billed at the rate card."
	}
	return " Without it no clause would speak of the work, and a dispatcher would be asked."
}

// hadThereBeen tells what overage would have been with hours left.
func (c Charge) hadThereBeen() string {
	return "With " + span(c.timeOf()) + " more of them left it would have cost nothing."
}

func (s Step) free() string {
	switch why := s.get("why"); why {
	case "failed":
		return "The attempt failed: it costs us, and bills nothing."
	case "marked":
		return "Whoever logged the time marked it as not billable."
	default:
		return "The ticket was closed as " + why + ": its work bills nothing, not even a minimum."
	}
}

func (s Step) block() string {
	left := s.ms("left_ms")
	said := span(s.ms("drawn_ms")) + " were drawn from block " + s.get("block")
	if left == 0 {
		return said + ", which is empty now: any more would have been beyond it."
	}
	return said + "; " + span(left) + " more, and the block would have been empty."
}

func (s Step) rate() string {
	work := "people's"
	if s.get("actor") == kindAI {
		work = "AI"
	}
	if workType := s.get("work_type"); workType != "" {
		work += " " + workType
	}
	said := "The rate card asks " + s.get("hourly") + " an hour for " + work + " work"
	if role := s.get("work_role"); role != "" {
		said += " as " + quote(role)
	}
	return said + s.by() + "."
}

func (s Step) included(c Charge) string {
	n := s.amount("before").Add(decimal.NewFromInt(1))
	said := "It is ticket " + n.String() + " of the period; " + s.get("included") + " are included"
	if left := s.amount("included").Sub(n); !left.IsNegative() {
		return said + ", so it costs nothing. " + left.String() + " more are free, then each costs " + money(s.amount("price"), c.Currency) + "."
	}
	said += ", each one more costs " + money(s.amount("price"), c.Currency) + "."
	if over := n.Sub(s.amount("included")); over.Equal(one) {
		return said + " One ticket fewer before it, and it would have been free."
	} else {
		return said + " " + over.String() + " tickets fewer before it, and it would have been free."
	}
}

func (s Step) period() string {
	if s.get("before_s") == "" {
		if s.get("before") == s.get("after") {
			return ""
		}
		return "The period's count goes from " + s.get("before") + " to " + s.get("after") + "; the amount is the difference that this makes."
	}
	return "The period's AI time at this rate goes from " + s.get("before_s") + " s to " + s.get("after_s") + " s; the amount is the difference of the two sums, each rounded."
}

func (s Step) round(c Charge) string {
	exact, amount := s.amount("exact"), s.amount("amount")
	if exact.Equal(amount) {
		return ""
	}
	return exact.String() + " " + c.Currency + " exactly, " + money(amount, c.Currency) + " rounded."
}

func (s Step) threshold(c Charge) string {
	limit := s.get("limit")
	if amount, ok := strings.CutPrefix(limit, "amount_over "); ok {
		over := s.amount("amount").Sub(decimalOf(amount))
		return "The client had to agree: the round came to " + money(s.amount("amount"), c.Currency) + ", above the limit of " + money(decimalOf(amount), c.Currency) +
			". " + money(over, c.Currency) + " less, and nobody would have been asked."
	}
	if hours, ok := strings.CutPrefix(limit, "hourly_over "); ok {
		most, asked, _ := strings.Cut(hours, ": ")
		return "The client had to agree: an hour of it costs " + moneyExactly(decimalOf(asked), c.Currency) + ", above the limit of " + moneyExactly(decimalOf(most), c.Currency) +
			". At that rate nobody would have been asked."
	}
	if agreed, ok := strings.CutPrefix(limit, "approved "); ok {
		most, came, _ := strings.Cut(agreed, ": ")
		return "The client had to agree again: the ticket came to " + money(decimalOf(came), c.Currency) + ", and he had agreed to " + money(decimalOf(most), c.Currency) + " before the work."
	}
	if category, ok := strings.CutPrefix(limit, "category "); ok {
		return "The client had to agree: he does so to every " + category + " ticket that costs something. In another category nobody would have been asked."
	}
	if kind, ok := strings.CutPrefix(limit, "actor "); ok {
		return "The client had to agree: he does so to all work of " + who(kind) + " that costs something."
	}
	limit = strings.TrimSuffix(strings.TrimPrefix(limit, "time_over "), " ms")
	ms, err := strconv.ParseInt(limit, 10, 64)
	if err != nil {
		return "The client had to agree."
	}
	return "The client had to agree: the round came to " + span(s.ms("billable_ms")) + ", above the limit of " + span(ms) + ". " +
		span(s.ms("billable_ms")-ms) + " less, and nobody would have been asked."
}

// outcome tells what the charge came to.
func (c Charge) outcome() string {
	if said := c.periodOutcome(); said != "" {
		return said
	}
	cost, quantity := money(c.Amount, c.Currency), span(c.timeOf())
	switch c.Unit {
	case UnitTicket:
		quantity = "1 ticket"
	case UnitPiece:
		quantity = c.Quantity.String() + " of it"
	}
	are, costs, bills, shows := " are ", " cost ", " bill ", " show "
	if single(quantity) {
		are, costs, bills, shows = " is ", " costs ", " bills ", " shows "
	}
	switch c.Kind {
	case Covered:
		return "So " + quantity + are + "covered and" + costs + cost + "."
	case BlockDraw:
		return "So " + quantity + are + "paid with block hours and" + costs + cost + "."
	case BucketDraw:
		return "So " + quantity + are + "paid with the period's allowance and" + costs + cost + "."
	case NotBillable:
		return "So " + quantity + bills + "nothing and" + shows + "on no invoice."
	case WrittenOff:
		return "So we bear " + quantity + " ourselves."
	case FromRetainer, Discount, Credit:
		if c.Amount.IsZero() {
			return "So nothing is taken off."
		}
		return "So the invoice moves by " + cost + "."
	case Reversal, Correction, Credited, Carried:
		if c.Amount.IsZero() {
			return "So the invoice does not move."
		}
		return "So the invoice moves by " + cost + "."
	case CallOut, Material, Usage, Recurring, TrueUp, Time, Overage, PerTicket, Rebilled:
	}
	switch {
	case c.Unrated:
		return "So no amount could be found."
	case c.Unit == UnitPiece || c.Unit == UnitPeriod || c.Rate.IsZero() || !c.multiplies():
		return "So it costs " + cost + "."
	}
	return "So " + quantity + " at " + c.Rate.String() + are + cost + "."
}

// single says whether a quantity is one of a thing: "1 h", "1 ticket"; not "1 h 15 min".
func single(quantity string) bool {
	n, of, _ := strings.Cut(quantity, " ")
	return n == "1" && (!strings.Contains(of, " ") || of == "of it")
}

// multiplies says whether the amount is quantity × rate, to a minor unit: not where a discount lowers it, or a day or a
// period makes it.
func (c Charge) multiplies() bool {
	places, _ := MinorUnits(c.Currency)
	return c.gross().Sub(c.Amount).Abs().LessThanOrEqual(decimal.New(1, -places))
}

// gross is quantity × rate.
func (c Charge) gross() decimal.Decimal {
	if c.Unit == UnitHour || c.Unit == UnitSecond {
		return decimal.NewFromInt(c.timeOf()).Mul(c.Rate).DivRound(msPerHour, exactPlaces)
	}
	return c.Quantity.Mul(c.Rate)
}
