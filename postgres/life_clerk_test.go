package postgres_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// clerk keeps acme's books by hand, in whole cents and with no look at Docket's: what every invoice owes, what the client has in credit, what
// the open invoices come to, and what blocks of hours are worth. It knows the rules as people say them:
//
// A line is billed on the invoice of the month of its service, or of the first month after it whose invoice is still open. What undoes a line, bills
// it again or carries it forward is a line, too. Nothing on a finalised invoice changes. Whatever gives money back of it (payments that were too
// large, credit notes beyond what is owed) is credit, of which the oldest is used first, on the oldest invoice.
type clerk struct {
	byLine bool  // tax is rounded for each line; else once for all
	rate   int64 // percent
	notes  bool  // an invoice of less than zero becomes a credit note; else it is carried forward

	bills  map[int]*bill // by month, counted from the year 0
	order  []*bill       // that are finalised, the oldest first
	credit []*part       // the oldest first
	paid   []*payment
	doubts []*doubt
	blocks []*hours
	series map[string]int // of numbers
	years  func() int
}

type bill struct {
	month     int
	id        int64 // Docket's
	lines     []*entry
	number    string // once it is finalised
	due       time.Time
	day       time.Time // of its finalisation
	net       int64
	gross     int64
	paid      int64
	credited  int64
	reduced   int64
	uses      []use
	negative  bool
	void      bool
	reviewed  bool
	sent      bool
	reminded  int
	hasNotes  bool
	finalised bool
}

// entry is a line.
type entry struct {
	line  int64 // Docket's; 0: no deed names it
	what  string
	net   int64
	tax   int64 // once its invoice is finalised
	month int   // of its service
	of    string
	base  *entry // what it is about: itself, what it writes down, or what it bills again
	from  *entry // of which it is the copy, where an invoice was void
	undid *entry // what it reverses
	on    *bill

	undone           *entry // on a base: the line that reverses it
	note             bool   // a credit note has given it back whole
	backNet, backAll int64  // what credit notes of an amount gave back of it, without and with tax
}

type part struct {
	amount, left int64
	of           *payment
	returned     int64
}

type use struct {
	part   *part
	amount int64
}

type payment struct {
	id     int64
	on     *bill
	amount int64 // on the invoice
	whole  int64
	back   bool
}

type doubt struct {
	id      int64
	line    *entry
	lines   []*entry
	amount  int64
	settled bool
	given   int64 // by credit notes since
}

type hours struct {
	id                   int64
	price, granted, left int64 // cents, minutes
	since, expires       time.Time
	ended, cancelled     bool
	sale                 *entry
}

// post puts a line where it is billed.
func (c *clerk) post(e *entry) *entry {
	if e.base == nil {
		e.base = e
	}
	month := e.month
	for c.bills[month] != nil && c.bills[month].finalised {
		month++
	}
	if c.bills[month] == nil {
		c.bills[month] = &bill{month: month}
	}
	e.on = c.bills[month]
	e.on.lines = append(e.on.lines, e)
	return e
}

// halfUp divides, and rounds a half away from zero.
func halfUp(num, den int64) int64 {
	if num < 0 {
		return -halfUp(-num, den)
	}
	return (2*num + den) / (2 * den)
}

// taxes reckons the tax of every line: where it is rounded once for all, each has what it adds to the rounded sum.
func (c *clerk) taxes(b *bill) {
	b.net, b.gross = 0, 0
	tax := int64(0)
	for _, l := range b.lines {
		if c.byLine {
			l.tax = halfUp(l.net*c.rate, 100)
		} else {
			l.tax = halfUp((b.net+l.net)*c.rate, 100) - tax
		}
		b.net, tax = b.net+l.net, tax+l.tax
	}
	b.gross = b.net + tax
}

func (c *clerk) next(series string) string {
	series = fmt.Sprintf("%s-%d", series, c.years())
	c.series[series]++
	return fmt.Sprintf("%s-%05d", series, c.series[series])
}

func (c *clerk) finalise(b *bill, day time.Time) {
	c.taxes(b)
	b.finalised, b.day, b.due = true, day, day
	if slices.ContainsFunc(b.lines, func(l *entry) bool { return l.base.what != "carried" }) {
		b.due = day.AddDate(0, 0, 14)
	}
	switch {
	case b.gross >= 0:
		b.number = c.next("INV")
		c.apply(b)
	case c.notes:
		b.number, b.negative = c.next("CN"), true
		c.credit = append(c.credit, &part{amount: -b.gross, left: -b.gross})
	default:
		sums := []int64{0}
		for _, l := range b.lines {
			if c.byLine { // or the tax of both sides would not come to nothing
				sums = append(sums, l.net)
			} else {
				sums[0] += l.net
			}
		}
		of := fmt.Sprintf("carry %p", b)
		for _, sum := range sums {
			if sum == 0 {
				continue
			}
			out := &entry{what: "carried", net: -sum, month: b.month, of: of, on: b}
			out.base = out
			b.lines = append(b.lines, out)
			c.post(&entry{what: "carried", net: sum, month: b.month + 1, of: of})
		}
		c.taxes(b)
		b.number = c.next("INV")
	}
	c.order = append(c.order, b)
}

// apply pays what is owed on an invoice from the client's credit.
func (c *clerk) apply(b *bill) (applied int64) {
	for _, p := range c.credit {
		if amount := min(p.left, b.owed()); amount > 0 {
			p.left -= amount
			b.uses = append(b.uses, use{p, amount})
			applied += amount
		}
	}
	return applied
}

func (b *bill) applied() (sum int64) {
	for _, u := range b.uses {
		sum += u.amount
	}
	return sum
}

func (b *bill) owed() int64 {
	if b.void || b.negative {
		return 0
	}
	return b.gross - b.paid - b.reduced - b.applied()
}

func (c *clerk) disputed(b *bill) (sum int64) {
	for _, d := range c.doubts {
		if d.line.on == b && d.open() {
			sum += d.amount - d.given
		}
	}
	return min(sum, b.owed())
}

func (d *doubt) open() bool { return !d.settled && !d.line.on.void && d.given < d.amount }

func (b *bill) state() string {
	switch {
	case !b.finalised && b.reviewed:
		return "review"
	case !b.finalised:
		return "open"
	case b.void:
		return "void"
	case b.negative:
		return "credit-note"
	case b.credited > 0 && b.credited == b.gross && b.owed() == 0:
		return "credited"
	case b.owed() == 0:
		return "paid"
	case b.paid+b.applied() > 0:
		return "partly-paid"
	case b.sent:
		return "sent"
	}
	return "finalised"
}

func (c *clerk) pays(b *bill, amount int64) *payment {
	p := &payment{on: b, amount: min(amount, b.owed()), whole: amount}
	b.paid += p.amount
	if rest := amount - p.amount; rest > 0 {
		c.credit = append(c.credit, &part{amount: rest, left: rest, of: p})
	}
	c.paid = append(c.paid, p)
	return p
}

// bounces takes a payment back, and what invoices have used of the credit that it left.
func (c *clerk) bounces(p *payment) {
	p.back = true
	p.on.paid -= p.amount
	for _, of := range c.credit {
		if of.of != p {
			continue
		}
		for _, b := range c.order {
			b.uses = slices.DeleteFunc(b.uses, func(u use) bool { return u.part == of })
		}
		of.left, of.returned = 0, of.amount
	}
}

// voidable says whether an invoice can be voided.
func (c *clerk) voidable(b *bill) bool {
	for _, h := range c.blocks {
		if h.sale.on == b && h.left < h.granted {
			return false
		}
	}
	return !b.void && !b.negative && b.paid == 0 && !b.hasNotes
}

// voids bills every line of an invoice again; ids are Docket's of those.
func (c *clerk) voids(b *bill, ids []int64) {
	b.void = true
	for _, u := range b.uses {
		u.part.left += u.amount
	}
	b.uses = nil
	for i, l := range b.lines[:len(b.lines):len(b.lines)] {
		again := c.post(&entry{line: ids[i], what: "rebilled", net: l.net, month: l.month, of: l.of, base: l.base, from: l})
		for _, h := range c.blocks {
			if h.sale == l {
				h.sale = again
			}
		}
	}
}

// undoes reverses lines of a ticket, and bills what credit notes gave back of them.
func (c *clerk) undoes(lines []*entry) {
	for _, l := range lines {
		reversal := &entry{what: "reversal", net: -l.net, month: l.month, of: l.of, undid: l}
		if reversal.base = reversal; l.net != 0 { // what cost nothing is undone without a line
			c.post(reversal)
		}
		if l.undone = reversal; l.base != l {
			l.undone = nil // what writes a line down is undone with it
		}
	}
	for _, l := range lines {
		given := int64(0)
		for _, b := range c.bills {
			for _, copied := range b.lines {
				if copied == l || copied.original() == l {
					given += copied.backNet
				}
			}
		}
		if given != 0 {
			c.post(&entry{what: "credited", net: given, month: l.month, of: l.of, base: l.base})
		}
	}
}

// original is what was billed at first.
func (e *entry) original() *entry {
	for e.from != nil {
		e = e.from
	}
	return e
}

// now is what a line costs on its invoice.
func (e *entry) now() (sum int64) {
	for _, l := range e.on.lines {
		if l.base == e.base {
			sum += l.net
		}
	}
	return sum
}

// draws takes the minutes of a piece of work from blocks, each from the block of its time that is not used up and ends first.
func (c *clerk) draws(minutes int64, at time.Time) (took []drawn) {
	blocks := slices.Clone(c.blocks)
	slices.SortStableFunc(blocks, func(a, b *hours) int { return cmp.Or(a.expires.Compare(b.expires), a.since.Compare(b.since)) })
	for range minutes {
		i := slices.IndexFunc(blocks, func(h *hours) bool { return h.left > 0 && !h.ended && !h.cancelled && h.reaches(at) })
		if i >= 0 {
			blocks[i].left--
			took = append(took, drawn{blocks[i], 1})
		}
		at = at.Add(time.Minute)
	}
	return took
}

// reaches says whether the block pays for work of that time: one that was bought later does not absorb it.
func (h *hours) reaches(at time.Time) bool { return !at.Before(h.since) && at.Before(h.expires) }

type drawn struct {
	from    *hours
	minutes int64
}

// deferred is what hours that are left are worth.
func (c *clerk) deferred() (sum int64) {
	for _, h := range c.blocks {
		if !h.cancelled && !h.ended {
			sum += h.price - halfUp(h.price*(h.granted-h.left), h.granted)
		}
	}
	return sum
}

// expired is what hours were worth that nobody had used when they ended, by the month of their last moment.
func (c *clerk) expired(zone *time.Location) map[string]string {
	sums := map[string]int64{}
	for _, h := range c.blocks {
		if h.ended && h.left > 0 {
			sums[h.expires.Add(-time.Microsecond).In(zone).Format("2006-01")] += h.price - halfUp(h.price*(h.granted-h.left), h.granted)
		}
	}
	months := map[string]string{}
	for month, sum := range sums {
		if sum != 0 {
			months[month] = dollars(sum)
		}
	}
	return months
}

// aged tells what is owed by the days since it was due.
func (c *clerk) aged(today time.Time) string {
	var buckets [5]int64
	for _, b := range c.order {
		owed := b.owed()
		switch days := int(today.Sub(b.due).Hours() / 24); {
		case days <= 0: // what is due today is not late
			buckets[0] += owed
		case days <= 30:
			buckets[1] += owed
		case days <= 60:
			buckets[2] += owed
		case days <= 90:
			buckets[3] += owed
		default:
			buckets[4] += owed
		}
	}
	told := make([]string, len(buckets))
	for i, cents := range buckets {
		told[i] = dollars(cents)
	}
	return strings.Join(told, " ")
}

func (c *clerk) inCredit() (sum int64) {
	for _, p := range c.credit {
		sum += p.left
	}
	return sum
}

// tells where every invoice stands, as people read it.
func (c *clerk) tells() string {
	var all []*bill
	for _, b := range c.bills {
		if len(b.lines) > 0 {
			all = append(all, b)
		}
	}
	slices.SortFunc(all, func(a, b *bill) int { return cmp.Compare(a.month, b.month) })
	var told strings.Builder
	for _, b := range all {
		if !b.finalised {
			net := int64(0)
			for _, l := range b.lines {
				net += l.net
			}
			fmt.Fprintf(&told, "%s %s %s, %d lines\n", monthName(b.month), b.state(), dollars(net), len(b.lines))
			continue
		}
		fmt.Fprintf(&told, "%s %s %s: %s of %s owed, %s paid, %s applied, %s credited, %s in question, %d lines\n", monthName(b.month), b.number, b.state(),
			dollars(b.owed()), dollars(b.gross), dollars(b.paid), dollars(b.applied()), dollars(b.credited), dollars(c.disputed(b)), len(b.lines))
	}
	fmt.Fprintf(&told, "credit %s\n", dollars(c.inCredit()))
	return told.String()
}

func monthName(month int) string { return fmt.Sprintf("%d-%02d", month/12, month%12+1) }

func monthOf(t time.Time) int { return t.Year()*12 + int(t.Month()) - 1 }
