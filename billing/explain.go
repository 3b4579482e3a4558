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
		return "Two contracts claim the work equally, so neither was chosen."
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
		return "Time beyond " + beyond + " costs " + s.get("hourly") + " an hour by clause " + s.get("clause") + "."
	case ruleRate:
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
		return s.ruling()
	case ruleReverse:
		return "It undoes charge " + s.get("charge") + " of " + money(s.amount("amount"), c.Currency) + "."
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
		return "No clause of " + by + revision + " speaks of this work; the contract charges the rest as " + s.get("charge") + "."
	}
	fields := "as it speaks of any work"
	if n := int(s.ms("fields")); n > 0 {
		fields = "on " + strconv.Itoa(n) + " of the ticket's and the work's properties"
	}
	said := by + revision + ", " + strconv.Quote(s.get("line")) + ", governs this work: it matched " + fields + ", and no clause in force was more specific."
	if s.get("charge") == chargePerTicket && s.get("code") == codeSilent {
		said += " The customer fell silent, so the ticket itself costs nothing."
	}
	return said
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

func (s Step) time(c Charge) string {
	entry, whole := s.ms("entry_ms"), s.ms("billable_ms")
	said := span(entry) + " were measured"
	minimum, increment := s.ms("minimum_ms"), s.ms("increment_ms")
	each := ""
	if s.get("scope") == scopeTicket {
		each = " for the whole ticket"
	}
	switch {
	case whole == entry:
		said += ", and the same is billable"
	case entry < minimum && whole == minimum:
		said += "; the minimum" + each + " is " + span(minimum)
	default:
		said += "; " + span(whole) + " are billable" + each
	}
	if increment > 0 && whole != minimum {
		said += " in increments of " + span(increment) + s.rounding()
	}
	if share := s.ms("share_ms"); share != whole {
		said += ". " + span(share) + " of them fall to this charge, for " + span(s.ms("part_ms")) + " of the time"
	}
	if increment > 0 && whole >= increment && whole > entry && entry >= minimum && s.get("scope") == scopeEntry && c.Kind != BlockDraw && c.Kind != BucketDraw {
		if over := entry - (whole - increment) - s.ms("grace_ms"); over > 0 && s.get("round") == "" {
			said += ". " + span(over) + " less, and one increment less would have been billed"
		}
	}
	return said + "."
}

func (s Step) block() string {
	left := s.ms("left_ms")
	said := span(s.ms("drawn_ms")) + " were drawn from block " + s.get("block")
	if left == 0 {
		return said + ", which is empty now."
	}
	return said + "; " + span(left) + " more, and the block would have been empty."
}

func (s Step) rate() string {
	var by []string
	for _, of := range []string{"work_role", "work_type", "actor"} {
		if v := s.get(of); v != "" {
			by = append(by, strings.ReplaceAll(of, "_", " ")+" "+v)
		}
	}
	said := "The rate card asks " + s.get("hourly") + " an hour"
	if len(by) > 0 {
		said += " for " + strings.Join(by, ", ")
	}
	if clause := s.get("clause"); clause != "" {
		said += " (" + clause + ")"
	}
	return said + "."
}

func (s Step) included(c Charge) string {
	n := s.amount("before").Add(decimal.NewFromInt(1))
	said := "It is ticket " + n.String() + " of the month; " + s.get("included") + " are included"
	if left := s.amount("included").Sub(n); !left.IsNegative() {
		return said + ", so it costs nothing. " + left.String() + " more are free, then each costs " + money(s.amount("price"), c.Currency) + "."
	}
	return said + ", each one more costs " + money(s.amount("price"), c.Currency) + "."
}

func (s Step) period() string {
	if s.get("before_s") == "" {
		return "The month's count goes from " + s.get("before") + " to " + s.get("after") + "; the amount is the difference that this makes."
	}
	return "The month's AI time at this rate goes from " + s.get("before_s") + " s to " + s.get("after_s") + " s; the amount is the difference of the two sums, each rounded."
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
		return "The client had to agree: the round came to " + money(s.amount("amount"), c.Currency) + ", above the limit of " + amount + " " + c.Currency + "."
	}
	if hours, ok := strings.CutPrefix(limit, "hourly_over "); ok {
		most, asked, _ := strings.Cut(hours, ": ")
		return "The client had to agree: an hour of it costs " + moneyExactly(decimalOf(asked), c.Currency) + ", above the limit of " + moneyExactly(decimalOf(most), c.Currency) + "."
	}
	if agreed, ok := strings.CutPrefix(limit, "approved "); ok {
		most, came, _ := strings.Cut(agreed, ": ")
		return "The client had to agree again: the ticket came to " + money(decimalOf(came), c.Currency) + ", and he had agreed to " + money(decimalOf(most), c.Currency) + " before the work."
	}
	if category, ok := strings.CutPrefix(limit, "category "); ok {
		return "The client had to agree: he does so to every " + category + " ticket that costs something."
	}
	if kind, ok := strings.CutPrefix(limit, "actor "); ok {
		return "The client had to agree: he does so to all work of " + who(kind) + " that costs something."
	}
	limit = strings.TrimSuffix(strings.TrimPrefix(limit, "time_over "), " ms")
	ms, err := strconv.ParseInt(limit, 10, 64)
	if err != nil {
		return "The client had to agree."
	}
	return "The client had to agree: the round came to " + span(s.ms("billable_ms")) + ", above the limit of " + span(ms) + "."
}

func (s Step) ruling() string {
	by := s.get("by")
	because := "."
	if reason := s.get("reason"); reason != "" {
		because = ": " + reason
		if !strings.HasSuffix(reason, ".") {
			because += "."
		}
	}
	switch Action(s.get("action")) {
	case Approve:
		return by + " approved it for the client" + because
	case Bill:
		if hourly := s.get("hourly"); hourly != "" {
			return by + " ruled to bill it at " + hourly + because
		}
		return by + " ruled to bill it" + because
	case Cover:
		return by + " ruled that the contract covers it" + because
	case WriteOff:
		return by + " wrote it off" + because
	}
	return ""
}

// outcome tells what the charge came to.
func (c Charge) outcome() string {
	if said := c.periodOutcome(); said != "" {
		return said
	}
	quantity := span(c.timeOf())
	switch c.Unit {
	case UnitTicket:
		quantity = "1 ticket"
	case UnitPiece:
		quantity = c.Quantity.String() + " of it"
	}
	switch c.Kind {
	case Covered:
		return "So " + quantity + " are covered and cost " + money(c.Amount, c.Currency) + "."
	case BlockDraw:
		return "So " + quantity + " are paid with block hours and cost " + money(c.Amount, c.Currency) + "."
	case NotBillable:
		return "So " + quantity + " bill nothing and show on no invoice."
	case WrittenOff:
		return "So we bear " + quantity + " ourselves."
	case Reversal, Credited, Carried:
		return "So the invoice moves by " + money(c.Amount, c.Currency) + "."
	case FromRetainer, Discount, Credit:
		if c.Amount.IsZero() {
			return "So nothing is taken off."
		}
		return "So the invoice moves by " + money(c.Amount, c.Currency) + "."
	case BucketDraw:
		return "So " + quantity + " are paid with the period's allowance and cost " + money(c.Amount, c.Currency) + "."
	case CallOut, Material, Usage, Recurring, TrueUp, Time, Overage, PerTicket, Rebilled:
	}
	switch {
	case c.Unrated:
		return "So no amount could be found."
	case c.Unit == UnitPiece || c.Unit == UnitPeriod:
		return "So it costs " + money(c.Amount, c.Currency) + "."
	}
	return "So " + quantity + " at " + c.Rate.String() + " are " + money(c.Amount, c.Currency) + "."
}
