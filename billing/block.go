package billing

import (
	"cmp"
	"slices"
	"strconv"
	"time"
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

// since is the instant from which a bought block pays for work under the line.
func (b *Block) since(l *line) time.Time {
	if l.blocks.earlier && !b.EarliestAt.IsZero() && b.EarliestAt.Before(b.GrantedAt) {
		return b.EarliestAt
	}
	return b.GrantedAt
}

// pays says whether the block pays for the piece: of a bucket, the allowance of its period; else a bought block of the
// contract that had been granted when the work was done and had not expired (expiry is exclusive), unless it is logged
// after the days of grace.
func (d *decider) pays(b *Block, p *piece, period string) bool {
	if b.Contract != d.facts.Contracts[p.version].Contract {
		return false
	}
	l := p.line
	if l.Charge == chargeBucket {
		return b.Clause == l.Clause && b.Period == period
	}
	if b.Clause != "" || p.at.Before(b.since(l)) {
		return false
	}
	if b.ExpiresAt.IsZero() {
		return true
	}
	late := l.blocks.graced && !d.facts.Ticket.ResolvedAt.Before(b.ExpiresAt.Add(l.blocks.grace))
	return p.at.Before(b.ExpiresAt) && !late
}

// drawing is how the billable time of a piece is paid for.
type drawing struct {
	draws  []Draw
	counts []Count
	steps  []Step
	ms     int64
}

// fromBlocks draws the piece's billable time from the contract's blocks, or from its
// period's allowance. What they do not hold is overage, after what may be used ahead of the next block and after a
// block that buys itself. The piece's elapsed time is parted as its billable time is.
func (d *decider) fromBlocks(key slotKey, p *piece) {
	period := ""
	key.kind = BlockDraw
	if p.line.Charge == chargeBucket {
		key.kind, period = BucketDraw, d.facts.Contracts[p.version].Terms.PeriodOf(p.date).Start
	}
	var posts, waits drawing
	need := p.bill
	for i := range d.facts.Blocks {
		if need == 0 {
			break
		}
		if b := &d.facts.Blocks[i]; d.pays(b, p, period) {
			need -= d.drawFrom(b, p, need, &posts, &waits)
		}
	}
	need -= d.lend(p, need, &posts)
	need -= d.renew(key, p, need, &posts, &waits)

	parts, plain := allocate(p.elapsed(), []int64{posts.ms, waits.ms, need}), allocate(p.plain, []int64{posts.ms, waits.ms, need})
	if p.bill == 0 {
		parts, plain = []int64{p.elapsed(), 0, 0}, []int64{p.plain, 0, 0}
	}
	edge := p.from + parts[0]
	if posts.ms > 0 || p.bill == 0 {
		d.pay(key, p, p.from, edge, plain[0], &posts)
	}
	if waits.ms > 0 {
		unpaid := key
		unpaid.reason = orElse(key.reason, BlockUnpaid)
		unpaid.of = joined(key.of, ofUnpaid)
		d.pay(unpaid, p, edge, edge+parts[1], plain[1], &waits)
	}
	if need > 0 {
		key.kind = Overage
		d.overage(key, p, edge+parts[1], need, plain[2])
	}
}

// ofUnpaid marks what a block that is not paid would pay for.
const ofUnpaid = "unpaid"

// pay puts time that block hours pay for into its charge.
func (d *decider) pay(key slotKey, p *piece, from, to, plain int64, by *drawing) {
	s := d.open(key, p)
	for _, draw := range by.draws {
		s.draw(draw)
	}
	for _, count := range by.counts {
		s.tally(count)
	}
	s.charge.Steps = append(s.charge.Steps, by.steps...)
	d.add(s, p, from, to, by.ms, plain)
	d.noteWeighing(s, p, by.ms, plain)
}

// drawFrom takes up to need from the block, and says how much it gave.
func (d *decider) drawFrom(b *Block, p *piece, need int64, posts, waits *drawing) int64 {
	ms, restored, unrolled := d.take(b, need)
	if ms == 0 {
		return 0
	}
	to := posts
	if b.Unpaid && p.line.blocks.holdUnpaid {
		to = waits
	}
	to.ms += ms
	to.draws = append(to.draws, Draw{Block: b.ID, MS: ms, Restores: restored, Unrolls: unrolled})
	to.steps = append(to.steps, d.explainDraw(b, p, ms))
	if restored+unrolled > 0 {
		to.steps = append(to.steps, Step{Rule: ruleLate, Args: []Arg{
			{"block", blockName(b.ID)}, msArg("restored_ms", restored), msArg("unrolled_ms", unrolled), {"into", blockName(b.RolledInto)},
		}})
	}
	if to == waits {
		to.steps = append(to.steps, Step{Rule: ruleUnpaid, Args: []Arg{{"block", blockName(b.ID)}}})
	}
	return ms
}

// take gives up to need milliseconds of the block's hours: what is left; then, of one that has ended, what its end
// forfeited; then what rolled over from it, as far as that is still there. So work that is logged late costs what it
// would have cost in time.
func (d *decider) take(b *Block, need int64) (ms, restored, unrolled int64) {
	left := min(need, b.LeftMS)
	b.LeftMS -= left
	restored = min(need-left, b.ForfeitedMS)
	b.ForfeitedMS -= restored
	if need -= left + restored; need == 0 || b.RolledMS == 0 {
		return left + restored, restored, 0
	}
	i := slices.IndexFunc(d.facts.Blocks, func(have Block) bool { return have.ID == b.RolledInto })
	if i < 0 {
		return left + restored, restored, 0
	}
	into := &d.facts.Blocks[i]
	unrolled = min(need, b.RolledMS, into.LeftMS+into.ForfeitedMS)
	b.RolledMS -= unrolled
	there := min(unrolled, into.LeftMS)
	into.LeftMS -= there
	into.ForfeitedMS -= unrolled - there
	return left + restored + unrolled, restored, unrolled
}

// reach is what may still be taken from the block.
func (d *decider) reach(b *Block) int64 {
	ms := b.LeftMS + b.ForfeitedMS
	if i := slices.IndexFunc(d.facts.Blocks, func(have Block) bool { return b.RolledMS > 0 && have.ID == b.RolledInto }); i >= 0 {
		ms += min(b.RolledMS, d.facts.Blocks[i].LeftMS+d.facts.Blocks[i].ForfeitedMS)
	}
	return ms
}

func (d *decider) explainDraw(b *Block, p *piece, ms int64) Step {
	args := []Arg{{"block", blockName(b.ID)}, msArg("drawn_ms", ms), msArg("left_ms", d.reach(b))}
	if b.Clause == "" {
		return Step{Rule: ruleBlock, Args: args}
	}
	args = append(args, Arg{"period", d.facts.Contracts[p.version].Terms.tellPeriod(p.date)},
		msArg("granted_ms", b.GrantedMS), msArg("used_ms", b.GrantedMS-b.LeftMS-b.ForfeitedMS-b.RolledMS))
	if b.RolledFrom != 0 {
		args = append(args, Arg{"rolled_from", blockName(b.RolledFrom)})
	}
	return Step{Rule: ruleBucket, Args: args}
}

func blockName(id int64) string { return strconv.FormatInt(id, 10) }

// draw adds to what the charge takes from a block; one charge names each block once.
func (s *slot) draw(draw Draw) {
	i := slices.IndexFunc(s.charge.Draws, func(have Draw) bool { return have.Block == draw.Block })
	if i >= 0 {
		have := &s.charge.Draws[i]
		have.MS, have.Restores, have.Unrolls = have.MS+draw.MS, have.Restores+draw.Restores, have.Unrolls+draw.Unrolls
		return
	}
	s.charge.Draws = append(s.charge.Draws, draw)
}

// tally adds to what the charge counts; one charge names each counter once.
func (s *slot) tally(count Count) {
	i := slices.IndexFunc(s.charge.Counts, func(have Count) bool { return have.Key == count.Key })
	if i >= 0 {
		s.charge.Counts[i].Quantity = s.charge.Counts[i].Quantity.Add(count.Quantity)
		return
	}
	s.charge.Counts = append(s.charge.Counts, count)
}
