package billing

import (
	"slices"
	"strconv"
	"time"
)

// The settings of periods and terms.
const (
	periodMonthly    = "monthly"
	periodQuarterly  = "quarterly"
	periodSemiannual = "semiannual"
	periodYearly     = "yearly"
	negativeCarry    = "carry"
	negativeCredit   = "credit-note"
	advanceOwn       = "own-invoice"
	advancePrevious  = "previous-invoice"
	renewsAuto       = "auto"
	renewsAsk        = "ask"
	renewsNo         = "no"
	pauseFeeWaive    = "waive"
	pauseFeeBill     = "bill"
	pauseWorkHold    = "hold"
	pauseWorkTime    = "time"
	roundingOfLine   = "line"
	roundingOfTicket = "ticket"
	reopenReverse    = "reverse"
	reopenKeep       = "keep"
)

const (
	maxTermMonths = 600
	maxAnchor     = 28 // a day that every month has
)

func (ck checker) billing(c *Contract) {
	b := c.Billing
	if b == nil {
		return
	}
	ck.oneOf("billing.period", b.Period, "", periodMonthly, periodQuarterly, periodSemiannual, periodYearly)
	ck.whole("billing.anchor", b.Anchor, 1, maxAnchor)
	ck.whole("billing.first_month", b.FirstMonth, 1, 12)
	if b.FirstMonth != 0 && (b.Period == "" || b.Period == periodMonthly) && !ck.reported("billing") {
		ck.add("billing.first_month", strconv.Itoa(b.FirstMonth), "means nothing with monthly periods", "choose a longer period, or leave first_month out")
	}
	ck.whole("billing.payment_days", b.PaymentDays, 0, 366)
	ck.oneOf("billing.negative", b.Negative, "", negativeCarry, negativeCredit)
	ck.oneOf("billing.advance_on", b.AdvanceOn, "", advanceOwn, advancePrevious)
	inAdvance := slices.ContainsFunc(c.Lines, func(l Line) bool { return l.recurring() && l.inAdvance() })
	if b.AdvanceOn != "" && !inAdvance && !ck.reported("billing") && !ck.reported("lines") {
		ck.add("billing.advance_on", b.AdvanceOn, "means nothing without a fee that bills in advance", "leave it out, or let a line bill a price each period with when: advance")
	}
}

func (ck checker) term(c *Contract) {
	t := c.Term
	if t == nil {
		return
	}
	ck.whole("term.months", t.Months, 1, maxTermMonths)
	ck.oneOf("term.renews", t.Renews, "", renewsAuto, renewsAsk, renewsNo)
	ck.whole("term.renewal_months", t.RenewalMonths, 1, maxTermMonths)
	ck.whole("term.notice_days", t.NoticeDays, 0, 3660)
	ck.percent("term.uplift_percent", t.UpliftPercent, 100)
	ck.optionalPrice("term.termination_fee", t.TerminationFee)
	if t.Since != "" {
		if since := ck.date("term.since", t.Since); !since.IsZero() && t.Since > c.EffectiveFrom {
			ck.add("term.since", t.Since, "is after effective_from", "give the first day of the first term, or leave it out: a term begins with effective_from")
		}
	}
	ck.renewal(t)
	ck.cancelled(c)
}

// renewal checks what only a term that ends, or one that renews, gives a meaning.
func (ck checker) renewal(t *Term) {
	for _, f := range []struct {
		name    string
		is      bool
		renewal bool
	}{
		{"since", t.Since != "", false},
		{"renews", t.Renews != "", false},
		{"renewal_months", t.RenewalMonths != 0, true},
		{"uplift_percent", t.UpliftPercent != nil, true},
		{"termination_fee", t.TerminationFee != nil, false},
	} {
		switch {
		case !f.is:
		case t.Months == 0 && !ck.reported("term.months"):
			ck.add("term."+f.name, "", "means nothing without months", "say how long the term is, or leave it out")
		case f.renewal && t.Renews == renewsNo:
			ck.add("term."+f.name, "", "means nothing with renews: no", "remove it: there is no further term")
		}
	}
}

// cancelled checks that a notice and the end that it brings agree.
func (ck checker) cancelled(c *Contract) {
	t := c.Term
	if t.CancelledOn == "" {
		return
	}
	on := ck.date("term.cancelled_on", t.CancelledOn)
	end, err := time.Parse(time.DateOnly, c.EffectiveTo)
	switch {
	case on.IsZero():
	case c.EffectiveTo == "" && !ck.reported("effective_to"):
		ck.add("term.cancelled_on", t.CancelledOn, "ends nothing without effective_to", "give effective_to, the first day that the contract no longer covers")
	case err != nil:
	case on.After(end):
		ck.add("term.cancelled_on", t.CancelledOn, "is after the contract's end", "give the day of the notice, no later than effective_to")
	case t.NoticeDays > 0 && t.NoticeDays <= 3660 && on.AddDate(0, 0, t.NoticeDays).After(end):
		ck.add("term.cancelled_on", t.CancelledOn, "is less than "+strconv.Itoa(t.NoticeDays)+" days before the contract's end",
			"end it on "+on.AddDate(0, 0, t.NoticeDays).Format(time.DateOnly)+" or later, or write the notice_days that were agreed")
	}
}

// pauses checks that they are in order, apart, and within the contract.
func (ck checker) pauses(c *Contract) {
	if len(c.Pauses) > maxPauses {
		ck.add("pauses", strconv.Itoa(len(c.Pauses)), "are too many", "a contract has at most 100 pauses")
		return
	}
	before := ""
	for i, p := range c.Pauses {
		field := nth("pauses", i)
		from, to := ck.date(field+".from", p.From), ck.date(field+".to", p.To)
		ck.oneOf(field+".fee", p.Fee, "", pauseFeeWaive, pauseFeeBill)
		ck.oneOf(field+".work", p.Work, "", pauseWorkHold, pauseWorkTime)
		if from.IsZero() || to.IsZero() {
			continue
		}
		switch {
		case !to.After(from):
			ck.add(field+".to", p.To, "is not after from", "give the first day on which the contract runs again")
		case p.From < c.EffectiveFrom && !ck.reported("effective_from"):
			ck.add(field+".from", p.From, "is before effective_from", "pause a contract only while it is in force")
		case c.EffectiveTo != "" && p.To > c.EffectiveTo && !ck.reported("effective_to"):
			ck.add(field+".to", p.To, "is after effective_to", "pause a contract only while it is in force")
		case p.From < before:
			ck.add(field+".from", p.From, "is before the end of "+nth("pauses", i-1), "list the pauses by date, none within another")
		}
		before = max(before, p.To)
	}
}

func (ck checker) commitment(c *Contract) {
	m := c.Commitment
	if m == nil {
		return
	}
	if c.Fallback {
		ck.add("commitment", "", "has no place in a fallback contract", fallbackFeesFix)
	}
	ck.clause("commitment.clause", m.Clause)
	ck.mustHave("commitment.name", m.Name != "", "say what the invoice line shall be called")
	ck.above("commitment.amount", m.Amount, "give the least that a period bills, like 1000.00")
	ck.oneOf("commitment.prorate", m.Prorate, "", prorateDays, prorateNo)
}

func (ck checker) warranty(w *Warranty) {
	if w == nil {
		return
	}
	ck.optionalClause("warranty.clause", w.Clause)
	if w.Days == 0 && !ck.given("warranty.days") {
		ck.need("warranty.days", "", "", "give the days after a ticket's resolution in which rework of it is free")
	}
	ck.whole("warranty.days", w.Days, 1, 3650)
}
