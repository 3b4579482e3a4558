package billing

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"github.com/shopspring/decimal"
)

// drawOrder is the order in which blocks are drawn from: by priority (1 before 2), the
// one that expires first, the older grant, the lower id.
func drawOrder(a, b Block) int {
	return cmp.Or(
		cmp.Compare(a.Priority, b.Priority),
		byExpiry(a.ExpiresAt, b.ExpiresAt),
		a.GrantedAt.Compare(b.GrantedAt),
		cmp.Compare(a.ID, b.ID),
	)
}

// byExpiry orders instants of which zero means never.
func byExpiry(a, b time.Time) int {
	if a.IsZero() || b.IsZero() {
		return set(a.IsZero()) - set(b.IsZero())
	}
	return a.Compare(b)
}

// usable says whether the block could pay for work at this instant: granted before it or
// at it, and not expired. Expiry is exclusive.
func (b *Block) usable(contract string, at time.Time) bool {
	return b.Contract == contract && b.LeftMS > 0 && !at.Before(b.GrantedAt) && (b.ExpiresAt.IsZero() || at.Before(b.ExpiresAt))
}

// fromBlocks draws the piece's billable time from the contract's blocks; what they do not
// hold is overage. The piece's elapsed time is parted as its billable time is.
func (d *decider) fromBlocks(key slotKey, p *piece) {
	var draws []Draw
	var steps []Step
	need := p.bill
	contract := d.facts.Contracts[p.version].Contract
	for i := range d.facts.Blocks {
		b := &d.facts.Blocks[i]
		if need == 0 {
			break
		}
		if !b.usable(contract, p.at) {
			continue
		}
		ms := min(need, b.LeftMS)
		b.LeftMS -= ms
		need -= ms
		draws = append(draws, Draw{Block: b.ID, MS: ms})
		steps = append(steps, Step{Rule: ruleBlock, Args: []Arg{
			{"block", strconv.FormatInt(b.ID, 10)}, {"drawn_ms", strconv.FormatInt(ms, 10)}, {"left_ms", strconv.FormatInt(b.LeftMS, 10)},
		}})
	}

	drawn := p.bill - need
	edge := p.from + allocate(p.elapsed(), []int64{drawn, need})[0]
	if drawn > 0 || need == 0 {
		key.kind = BlockDraw
		s := d.open(key, p)
		for _, draw := range draws {
			s.draw(draw)
		}
		s.charge.Steps = append(s.charge.Steps, steps...)
		d.add(s, p, p.from, edge, drawn)
	}
	if need > 0 {
		key.kind = Overage
		d.overage(key, p, edge, need)
	}
}

// draw adds to what the charge takes from a block; one charge names each block once.
func (s *slot) draw(draw Draw) {
	i := slices.IndexFunc(s.charge.Draws, func(have Draw) bool { return have.Block == draw.Block })
	if i >= 0 {
		s.charge.Draws[i].MS += draw.MS
		return
	}
	s.charge.Draws = append(s.charge.Draws, draw)
}

// overage charges what the blocks did not hold, as the line says: at its own hourly
// price, at the rate card, or after a dispatcher's word. The line's price is for people,
// unless the line speaks of AI work by name.
func (d *decider) overage(key slotKey, p *piece, from, bill int64) {
	l := p.line
	if p.by != "" {
		key.bands = p.by
	}
	if l.overage.Valid && (d.facts.Work[p.work].Kind == kindHuman || slices.Contains(l.Match.Actors, kindAI)) {
		s := d.open(key, p)
		s.hourly = decimal.NewNullDecimal(l.overage.Decimal)
		s.weight, s.by = p.weight, p.by
		d.add(s, p, from, p.to, bill)
		return
	}
	if l.Overage == overageHold {
		key.reason = orElse(key.reason, BlockEmpty)
	}
	d.timed(key, p, from, p.to, bill)
}
