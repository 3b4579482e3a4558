package postgres_test

import (
	"cmp"
	"slices"
)

// What the clerk knows of credit notes: how much of an invoice, and of a line, can still be given back, and what of an amount each line gives.

// elsewhere says whether the money of a line went back by a line of another invoice.
func (e *entry) elsewhere() bool {
	return e.base.undone != nil && !e.note && !e.corrects() && !e.pair()
}

// pair says whether the line and what undoes it are on one invoice.
func (e *entry) pair() bool {
	reversal := e.base.undone
	if u := e.base.undid; u != nil { // it undoes a line itself
		return slices.ContainsFunc(e.on.lines, func(l *entry) bool { return l.base == u.base })
	}
	return reversal != nil && slices.ContainsFunc(e.on.lines, func(l *entry) bool { return l.base == reversal })
}

func (e *entry) corrects() bool {
	return slices.Contains([]string{"reversal", "credited", "carried"}, e.original().what)
}

func (e *entry) leftNet() int64 { return e.net - e.backNet }
func (e *entry) leftAll() int64 { return e.net + e.tax - e.backAll }

// family is a line of an invoice with what writes it down there.
func (e *entry) family() (all []*entry) {
	for _, l := range e.on.lines {
		if l.base == e.base && !l.note {
			all = append(all, l)
		}
	}
	return all
}

// creditable is what an invoice can still give back.
func (b *bill) creditable() int64 {
	if b.void || b.negative {
		return 0
	}
	left := b.gross - b.credited
	for _, l := range b.lines {
		if l.elsewhere() {
			left -= l.leftAll()
		}
	}
	return left
}

// lineCreditable is what a line can still give back, with what writes it down; 0: nothing.
func (e *entry) lineCreditable() (amount int64) {
	if e.note || e.corrects() || e.base.undone != nil {
		return 0
	}
	for _, l := range e.family() {
		amount += l.leftAll()
	}
	return amount
}

// notes a credit note: what it gives back of what is owed, and the rest as credit.
func (c *clerk) gives(b *bill, amount int64) {
	c.next("CN")
	on := min(amount, b.owed())
	b.credited, b.reduced, b.hasNotes = b.credited+amount, b.reduced+on, true
	if rest := amount - on; rest > 0 {
		c.credit = append(c.credit, &part{amount: rest, left: rest})
	}
}

func (c *clerk) givesLine(e *entry) int64 {
	amount := e.lineCreditable()
	c.gives(e.on, amount)
	for _, l := range e.family() {
		c.answers(l, l.leftAll())
		l.backNet, l.backAll, l.note = l.net, l.net+l.tax, true
	}
	return amount
}

// answers tells the lines in question what a credit note gave back of a line.
func (c *clerk) answers(l *entry, amount int64) {
	for _, d := range c.doubts {
		if slices.Contains(d.lines, l) {
			d.given += amount
		}
	}
}

// givesAmount parts an amount over the lines that still cost something, first over what is undone together.
func (c *clerk) givesAmount(b *bill, amount int64, only *entry) {
	c.gives(b, amount)
	type heap struct {
		first *entry
		net   int64
		all   int64
	}
	var (
		heaps  []*heap
		groups []string
	)
	of := map[*entry]*heap{}
	for _, l := range b.lines {
		switch at := of[l.base]; {
		case only != nil && l.base != only.base, l.elsewhere(), l.pair(), l.note:
		case at == nil || l.corrects():
			of[l.base] = &heap{l, l.leftNet(), l.leftAll()}
			heaps = append(heaps, of[l.base])
			if !slices.Contains(groups, l.of) {
				groups = append(groups, l.of)
			}
		default:
			at.net, at.all = at.net+l.leftNet(), at.all+l.leftAll()
		}
	}
	weights := make([]int64, len(groups))
	for i, g := range groups {
		for _, h := range heaps {
			if h.first.of == g {
				weights[i] += h.all
			}
		}
		weights[i] = max(weights[i], 0)
	}
	for i, sum := range parted(amount, weights) {
		var lines []*heap
		var costs []int64
		for _, h := range heaps {
			if h.first.of == groups[i] && h.all > 0 {
				lines, costs = append(lines, h), append(costs, h.all)
			}
		}
		for j, all := range parted(sum, costs) {
			net := lines[j].net
			if all != lines[j].all {
				net = halfUp(all*net, lines[j].all)
			}
			l := lines[j].first
			l.backNet, l.backAll = l.backNet+net, l.backAll+all
			c.answers(l, all)
		}
	}
}

// parted shares cents by weight: whole cents first, the rest to the largest remainders, the earlier on a tie.
func parted(total int64, weights []int64) []int64 {
	shares, sum, left := make([]int64, len(weights)), int64(0), total
	for _, w := range weights {
		sum += w
	}
	if total == 0 {
		return shares
	}
	order := make([]int, len(weights))
	for i, w := range weights {
		shares[i], order[i] = total*w/sum, i
		left -= shares[i]
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(total*weights[j]%sum, total*weights[i]%sum) })
	for _, i := range order[:left] {
		shares[i]++
	}
	return shares
}
