package billing

import (
	"slices"
	"strings"

	"github.com/shopspring/decimal"
)

// Say tells in one sentence what a closure did to money, for people who watch it: "42
// min of remote drawn from block hours, 18.3 h left; 120.00 EUR waits for the client's
// sign-off".
func Say(f Facts, d Decision) string {
	var said []string
	types := workTypes(f)
	for _, kind := range []ChargeKind{Covered, BlockDraw, Time, Overage, PerTicket} {
		var of Decision
		var ms int64
		var clauses []string
		for _, c := range d.Charges {
			if c.Kind != kind {
				continue
			}
			of.Charges = append(of.Charges, c)
			ms += elapsedOf(c)
			if name := clauseName(c.Contract, c.Clause); !slices.Contains(clauses, name) {
				clauses = append(clauses, name)
			}
		}
		if len(of.Charges) > 0 {
			said = append(said, sentence(f, d, kind, ms, types, strings.Join(clauses, ", "), tell(of.Totals())))
		}
	}
	for _, h := range d.Holds {
		said = append(said, saysHeld(h))
	}
	if len(said) == 0 {
		return "nothing to bill"
	}
	return strings.Join(said, "; ")
}

func sentence(f Facts, d Decision, kind ChargeKind, ms int64, types, clauses, amount string) string {
	work := span(ms) + " of " + types
	switch kind {
	case Covered:
		return work + " covered by " + clauses
	case BlockDraw:
		return work + " drawn from block hours, " + tenths(left(f, d)) + " h left"
	case Time:
		return work + " billed: " + amount
	case Overage:
		return span(ms) + " beyond the block hours: " + amount
	case PerTicket:
		return amount + " for the ticket"
	case NotBillable, WrittenOff, Reversal:
	}
	return work
}

func saysHeld(h Hold) string {
	amount := money(h.Amount, h.Currency)
	if h.Unrated {
		amount = "an amount still to be found"
	}
	if h.Kind == SignOff {
		return amount + " waits for the client's sign-off"
	}
	return amount + " waits for a dispatcher (" + string(h.Reason) + ")"
}

func tell(totals []Total) string {
	var said []string
	for _, t := range totals {
		said = append(said, money(t.Posted, t.Currency))
	}
	return strings.Join(said, " + ")
}

// elapsedOf is the billable time of a charge; the measured time of a covered one.
func elapsedOf(c Charge) int64 {
	if c.Unit == UnitTicket {
		return 0
	}
	return milliseconds(c.Quantity, c.Unit)
}

func workTypes(f Facts) string {
	var types []string
	for _, w := range f.Work {
		if !slices.Contains(types, w.WorkType) {
			types = append(types, w.WorkType)
		}
	}
	if len(types) == 0 {
		return "work"
	}
	return strings.Join(types, " and ") + " work"
}

// left is what the blocks of the facts still hold after the decision's draws.
func left(f Facts, d Decision) int64 {
	var ms int64
	for _, b := range f.Blocks {
		if b.ExpiresAt.IsZero() || f.Ticket.ResolvedAt.Before(b.ExpiresAt) {
			ms += b.LeftMS
		}
	}
	take := func(c Charge) {
		for _, draw := range c.Draws {
			ms -= draw.MS
		}
	}
	for _, c := range d.Charges {
		take(c)
	}
	for _, h := range d.Holds {
		for _, c := range h.Charges {
			take(c)
		}
	}
	return max(ms, 0)
}

// tenths tells hours to one decimal, rounded down: what is left is never overstated.
func tenths(ms int64) string {
	return decimal.New(ms/360_000, -1).StringFixed(1)
}
