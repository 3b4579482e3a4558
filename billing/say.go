package billing

import (
	"slices"
	"strings"

	"github.com/shopspring/decimal"
)

// Say tells in one sentence what a closure did to money, for people who watch it: "42
// min of remote work drawn from block hours, 18.3 h left; 120.00 EUR waits for the
// client's sign-off".
func Say(f Facts, d Decision) string {
	var said []string
	for _, kind := range []ChargeKind{
		Covered, BucketDraw, BlockDraw, Time, Overage, PerTicket, Usage, Material, CallOut, Recurring, FromRetainer, Discount, Credit, NotBillable,
	} {
		of := Decision{Charges: slices.Clone(d.Charges)}
		of.Charges = slices.DeleteFunc(of.Charges, func(c Charge) bool {
			// A companion that lowers nothing yet says nothing, and a block that was bought is told with its hours.
			return c.Kind != kind || (c.Hidden && c.Unit == UnitPiece) || c.BuysBlock()
		})
		if len(of.Charges) > 0 {
			said = append(said, of.sentence(f, kind, d))
		}
	}
	for _, g := range d.Grants {
		said = append(said, "a block of "+span(g.MS)+" bought for "+money(g.Price, g.Currency)+", as the last one is used up")
	}
	for _, h := range d.Holds {
		said = append(said, saysHeld(h))
	}
	said = append(said, d.saysOrders()...)
	said = append(said, saysLow(f, d)...)
	if len(said) == 0 {
		return "nothing to bill"
	}
	return strings.Join(said, "; ")
}

// sentence tells of the charges of one kind; whole is the decision they are part of.
func (d Decision) sentence(f Facts, kind ChargeKind, whole Decision) string {
	amount := tell(d.Totals())
	switch kind {
	case Covered:
		return d.work(f) + " covered by " + d.clauses()
	case BlockDraw:
		return d.work(f) + " drawn from block hours, " + tenths(left(f, whole, bought)) + " h left"
	case BucketDraw:
		return d.work(f) + " from the allowance (" + d.clauses() + "), " + tenths(left(f, whole, d.allowance)) + " h left"
	case Time:
		return d.work(f) + " billed: " + amount
	case Overage:
		return d.work(f) + " beyond " + d.beyond() + ": " + amount
	case PerTicket:
		if d.Charges[0].Amount.IsZero() {
			return "the ticket is included (" + d.clauses() + ")"
		}
		return amount + " for the ticket"
	case Usage:
		return amount + " for usage"
	case Material:
		return amount + " for materials"
	case CallOut:
		return amount + " for the call-out"
	case Recurring:
		return amount + " for what was added"
	case FromRetainer:
		return amount + " from the retainer"
	case Discount:
		return amount + " taken off"
	case Credit:
		return amount + " credited"
	case NotBillable:
		return d.work(f) + " not billable"
	default:
	}
	return d.work(f)
}

// work tells the charges' time by type of work: "2 s of ai-resolution and 30 min of
// remote work". It is billable time; measured time where nothing bills it.
func (d Decision) work(f Facts) string {
	var types []string
	var lengths []int64
	add := func(id, ms int64) {
		i := slices.IndexFunc(f.Work, func(w Work) bool { return w.ID == id })
		if i < 0 {
			return
		}
		j := slices.Index(types, f.Work[i].WorkType)
		if j < 0 {
			j = len(types)
			types, lengths = append(types, f.Work[i].WorkType), append(lengths, 0)
		}
		lengths[j] += ms
	}
	for _, c := range d.Charges {
		if len(c.Spans) == 0 {
			continue
		}
		if c.Kind != Covered {
			add(c.Spans[0].Work, c.timeOf())
			continue
		}
		for _, s := range c.Spans {
			add(s.Work, s.To-s.From)
		}
	}
	said := make([]string, len(types))
	for i := range types {
		said[i] = span(lengths[i]) + " of " + types[i]
	}
	return strings.Join(said, " and ") + " work"
}

func (d Decision) clauses() string {
	var names []string
	for _, c := range d.Charges {
		if name := clauseName(c.Contract, c.Clause); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}

func saysHeld(h Hold) string {
	amount := money(h.Amount, h.Currency)
	switch {
	case h.Unrated:
		amount = "an amount still to be found"
	case len(h.Charges) == 0:
		amount = "the ticket"
	}
	if h.Kind == SignOff {
		return amount + " waits for the client's sign-off"
	}
	return amount + " waits for a dispatcher (" + string(h.Reason) + ")"
}

func tell(totals []Total) string {
	said := make([]string, len(totals))
	for i, t := range totals {
		said[i] = money(t.Posted, t.Currency)
	}
	return strings.Join(said, " + ")
}

// timeOf is the billable time of a charge in milliseconds; the measured time of one that
// bills none; 0 for a charge of the ticket itself.
func (c Charge) timeOf() int64 {
	if c.Unit != UnitHour && c.Unit != UnitSecond {
		return 0
	}
	return milliseconds(c.Quantity, c.Unit)
}

// left is what those blocks of the facts that count, and that have not expired, still hold after the decision's draws.
// What the decision bought itself counts with what was bought.
func left(f Facts, d Decision, counts func(Block) bool) int64 {
	var ms int64
	blocks := slices.Clone(f.Blocks)
	for _, g := range d.Grants {
		blocks = append(blocks, Block{ID: g.Block, Contract: g.Contract, ExpiresAt: g.ExpiresAt, LeftMS: g.MS})
	}
	for _, b := range blocks {
		if !counts(b) || (!b.ExpiresAt.IsZero() && !f.Ticket.ResolvedAt.Before(b.ExpiresAt)) {
			continue
		}
		ms += b.LeftMS
		d.each(func(c *Charge) {
			for _, draw := range c.Draws {
				if draw.Block == b.ID {
					ms -= draw.MS
				}
			}
		})
	}
	return max(ms, 0)
}

// each visits the charges that post and those that wait.
func (d *Decision) each(visit func(*Charge)) {
	for i := range d.Charges {
		visit(&d.Charges[i])
	}
	for i := range d.Holds {
		for j := range d.Holds[i].Charges {
			visit(&d.Holds[i].Charges[j])
		}
	}
}

// beyond names what the overage is beyond.
func (d Decision) beyond() string {
	blocks, buckets := false, false
	for _, c := range d.Charges {
		of := len(c.Steps) > 0 && c.Steps[0].get("charge") == chargeBucket
		blocks, buckets = blocks || !of, buckets || of
	}
	switch {
	case !buckets:
		return "the block hours"
	case !blocks:
		return "the allowance"
	}
	return "the block hours and the allowance"
}

func bought(b Block) bool { return b.Clause == "" }

// allowance says whether the block is one of the clauses and periods that the decision's charges draw from.
func (d Decision) allowance(b Block) bool {
	return b.Clause != "" && slices.ContainsFunc(d.Charges, func(c Charge) bool {
		return c.Contract == b.Contract && c.Clause == b.Clause
	})
}

// saysLow tells of contracts whose bought hours have come down to where the next block should be ordered.
func saysLow(f Facts, d Decision) []string {
	var said, seen []string
	d.each(func(c *Charge) {
		if c.Kind != BlockDraw || slices.Contains(seen, c.Contract) {
			return
		}
		seen = append(seen, c.Contract)
		i := slices.IndexFunc(f.Contracts, func(v Version) bool { return v.Contract == c.Contract && v.Revision == c.Revision })
		if i < 0 || f.Contracts[i].Terms == nil {
			return
		}
		at := f.Contracts[i].Terms.ReorderAt()
		hours := left(f, d, func(b Block) bool { return bought(b) && b.Contract == c.Contract })
		if at > 0 && hours <= at {
			said = append(said, "time to order hours for "+c.Contract+": "+span(hours)+" left, and "+span(at)+" is the mark")
		}
	})
	return said
}

// tenths tells hours to one decimal, rounded down: what is left is never overstated.
func tenths(ms int64) string {
	return decimal.New(ms/360_000, -1).StringFixed(1)
}
