package billing

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/shopspring/decimal"
)

// OverdrawnKey names the counter of the milliseconds that a contract has used ahead of its next block, which pays them
// back. It prices nothing.
func OverdrawnKey(contract string) string { return countsOverdrawn + "/" + contract }

// lend lets up to need be used ahead of the next block, as far as the line lets it, and says how much.
func (d *decider) lend(p *piece, need int64, posts *drawing) int64 {
	l := p.line
	if need == 0 || l.Charge != chargeBlock || l.blocks.overdraw == 0 {
		return 0
	}
	key := OverdrawnKey(d.facts.Contracts[p.version].Contract)
	lent := d.counter(key)
	if d.asked != nil {
		return 0 // more may be lent by then: what the rest would ask for must be heard too
	}
	ms := min(need, l.blocks.overdraw-lent.IntPart())
	if ms <= 0 {
		return 0
	}
	count := Count{Key: key, Quantity: decimal.NewFromInt(ms)}
	d.move(count)
	posts.ms += ms
	posts.counts = append(posts.counts, count)
	posts.steps = append(posts.steps, Step{Rule: ruleOverdraw, Args: []Arg{
		msArg("lent_ms", ms), {"all_ms", lent.Add(count.Quantity).String()}, msArg("most_ms", l.blocks.overdraw), {"clause", l.Clause},
	}})
	return ms
}

// renew buys the next block where the last one is used up and the line says so, draws up to need from it, and says how
// much. It buys once for each block that was used up, and one a closing: one mistyped entry must not buy ten. Work that
// waits for a person anyway buys nothing.
func (d *decider) renew(key slotKey, p *piece, need int64, posts, waits *drawing) int64 {
	l := p.line
	if l.Charge != chargeBlock || l.blocks.renewal == nil {
		return 0
	}
	v := &d.facts.Contracts[p.version]
	d.counter(OverdrawnKey(v.Contract)) // two closings must not both find the block used up
	if order := v.Terms.contract.PurchaseOrder; order != nil {
		d.counter(orderCounter(v.Contract, order.Number))
	}
	last := d.lastBought(v.Contract)
	if need == 0 || key.reason != "" || last == nil || !last.usedUp() || p.at.Before(last.GrantedAt) {
		return 0
	}
	for i := range d.grants {
		if d.grants[i].Contract == v.Contract {
			return 0
		}
	}
	r := l.blocks.renewal
	if d.beyondOrder(v, r.price) {
		return 0 // nobody has ordered it: the rest is overage, which the order holds too
	}
	g := Grant{
		Block: -int64(d.facts.Rerating.bought() + len(d.grants) + 1), Key: "renew/" + blockName(last.ID), Contract: v.Contract, Revision: v.Revision, Clause: l.Clause,
		MS: r.ms, Priority: last.Priority, GrantedAt: p.at, Price: r.price, Currency: v.Terms.contract.Currency,
	}
	if r.life > 0 {
		g.ExpiresAt = p.at.Add(r.life)
	}
	d.grants = append(d.grants, g)
	d.sell(p, &g, last.ID)
	b := Block{
		ID: g.Block, Contract: g.Contract, Priority: g.Priority, GrantedAt: g.GrantedAt, ExpiresAt: g.ExpiresAt,
		LeftMS: g.MS, GrantedMS: g.MS, Unpaid: !r.price.IsZero(),
	}
	ms := d.drawFrom(&b, p, need, posts, waits)
	d.facts.Blocks = append(d.facts.Blocks, b) // the last in any order: the others that pay for this work are empty
	return ms
}

// usedUp says whether all of the block's hours were used: not whether it ended before.
func (b *Block) usedUp() bool { return b.LeftMS == 0 && b.ForfeitedMS == 0 }

// lastBought finds the block that the contract bought last.
func (d *decider) lastBought(contract string) *Block {
	var last *Block
	for i := range d.facts.Blocks {
		b := &d.facts.Blocks[i]
		if b.Contract != contract || b.Clause != "" || b.ID < 0 {
			continue
		}
		if last == nil || cmp.Or(b.GrantedAt.Compare(last.GrantedAt), cmp.Compare(b.ID, last.ID)) > 0 {
			last = b
		}
	}
	return last
}

// BuysBlock says whether the charge is the price of a block that the contract bought by itself. The block stays bought
// when the ticket is reopened, and so does its price.
func (c Charge) BuysBlock() bool { return c.Kind == Recurring && strings.Contains(c.Key, "/renew/") }

// sell charges the price of a block that the contract buys by itself. Nobody is asked about it and no limit of the
// ticket holds it: it was agreed in the contract, and the hours are there whatever becomes of the ticket.
func (d *decider) sell(p *piece, g *Grant, usedUp int64) {
	key := slotKey{kind: Recurring, version: p.version, clause: p.line, month: d.periodKey(p.version, p.date), work: -1, of: g.Key}
	s := d.open(key, p)
	d.slots = d.slots[:len(d.slots)-1]
	d.sales = append(d.sales, s)
	t, c := d.facts.Contracts[p.version].Terms, &s.charge
	c.Unit, c.Quantity, c.Rate, c.Exact = UnitPiece, decimal.NewFromInt(1), g.Price, g.Price
	c.Amount = t.rounding.round(c.Exact, c.Quantity, t.places)
	c.Hidden = c.Amount.IsZero()
	c.Text = p.line.Name + " · " + d.facts.Ticket.ID + textSep + "the next " + span(g.MS)
	s.step(ruleRenewal, Arg{"used_up", blockName(usedUp)}, msArg("ms", g.MS), Arg{"price", g.Price.String()}, Arg{"clause", c.Clause},
		Arg{"days", strconv.Itoa(p.line.Block.Renewal.ExpiresDays)})
	if order := d.facts.Contracts[p.version].Terms.contract.PurchaseOrder; order != nil && d.facts.Rules >= rulesSoldOnOrder {
		c.PurchaseOrder = order.Number
		d.charged(s, c.OrderKey(), order)
	}
}
