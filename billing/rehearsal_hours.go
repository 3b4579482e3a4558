package billing

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"
)

// HeldHours is a block of hours as it really stood when a rehearsal begins.
type HeldHours struct {
	Block            // of LeftMS, ForfeitedMS and RolledMS nothing is read: they follow from the rest
	TakenMS    int64 // drawn, reserved and paid back
	RepaidMS   int64 // of those, what was paid back for hours used ahead of it
	RolloverMS int64 // of an allowance: most that rolls over at its end
	Ended      bool  // its end was on record
	SoldUnpaid bool  // it was sold on an invoice that has to be paid
	PaidAt     time.Time
	EnteredAt  time.Time // when it came on the books, whenever it counts from: closings before it knew nothing of it
	Buys       bool      // it was bought after the rehearsal begins, and first pays back what was used ahead of it
}

// Allowances are what a clause's bucket granted until a rehearsal begins.
type Allowances struct {
	Versions []Version // all of the contract, as they would be
	Since    time.Time // when the contract came on the books: what was left of periods before is not known
	Hours    []HeldHours
}

// stock is a block of a rehearsal. What is left, forfeited or rolled over follows from what was
// granted and taken, and from whether it has ended, as it does on the books (EndedBlock.After).
type stock struct {
	HeldHours
	into *stock // what rolled over from it
}

func (h *stock) unused() int64 { return max(h.GrantedMS-h.TakenMS, 0) }

// rolled is how much of an ended block has gone into the next period's allowance.
func (h *stock) rolled() int64 {
	if !h.Ended || h.into == nil {
		return 0
	}
	return min(h.unused(), h.RolloverMS)
}

// stand gives the block as it stands at a closing.
func (h *stock) stand(at time.Time) Block {
	b := h.Block
	b.LeftMS, b.ForfeitedMS, b.RolledMS, b.RolledInto = h.unused(), 0, 0, 0
	if h.Ended {
		b.RolledMS = h.rolled()
		b.ForfeitedMS, b.LeftMS = b.LeftMS-b.RolledMS, 0
	}
	if b.RolledMS > 0 {
		b.RolledInto = h.into.ID
	}
	b.Unpaid = h.SoldUnpaid && (h.PaidAt.IsZero() || h.PaidAt.After(at))
	return b
}

// rehearsedShelf holds the blocks of a rehearsal.
type rehearsedShelf struct {
	byID    map[int64]*stock
	bought  map[string][]*stock   // by contract
	buckets map[bucket]*allotment // by contract and clause
	made    int64                 // blocks that the rehearsal has made
}

type bucket struct{ contract, clause string }

type allotment struct {
	Allowances
	clause string
	blocks []*stock
	known  map[string]allowed // by the first day of the period
}

// allowed is what a period grants, and which one comes before it.
type allowed struct {
	Allowance
	grants bool
	before Period
}

// of finds what the versions grant for a period. It is looked up once: the versions stay.
func (t *allotment) of(p Period) allowed {
	a, ok := t.known[p.Start]
	if !ok {
		a.before = PeriodBefore(t.Versions, p)
		a.Allowance, a.grants = Allow(t.Versions, t.clause, p)
		t.known[p.Start] = a
	}
	return a
}

// ownBlocks are the ids of blocks that a rehearsal makes, beyond any of the books.
const ownBlocks = int64(1) << 50

func (s *rehearsedShelf) put(h *stock) *stock {
	if h.ID == 0 {
		s.made++
		h.ID = ownBlocks + s.made
	}
	s.byID[h.ID] = h
	return h
}

// Bought tells of the blocks that a contract has bought, those of later too.
func (r *Rehearsal) Bought(contract string, blocks []HeldHours) {
	for _, b := range blocks {
		r.shelf.bought[contract] = append(r.shelf.bought[contract], r.shelf.put(&stock{HeldHours: b}))
	}
}

// Bucket tells of the allowances of a clause.
func (r *Rehearsal) Bucket(contract, clause string, a Allowances) {
	t := &allotment{Allowances: a, clause: clause, known: map[string]allowed{}}
	for _, b := range a.Hours {
		t.blocks = append(t.blocks, r.shelf.put(&stock{HeldHours: b}))
	}
	for _, h := range t.blocks {
		if from := r.shelf.byID[h.RolledFrom]; from != nil {
			from.into = h
		}
	}
	r.shelf.buckets[bucket{contract, clause}] = t
}

// base finds the hours that were granted for a period.
func (t *allotment) base(period string) *stock {
	for _, h := range t.blocks {
		if h.Period == period && h.RolledFrom == 0 {
			return h
		}
	}
	return nil
}

// allot grants what a period's allowance lacks, and ends the one before, as the period's first
// closing does on the books.
func (r *Rehearsal) allot(w BucketWant) *allotment {
	t := r.shelf.buckets[bucket{w.Contract, w.Clause}]
	if t == nil {
		return nil
	}
	now := t.of(w.Period)
	if base := t.base(w.Period.Start); now.grants && base == nil {
		r.grant(t, w.Contract, now.Allowance)
	} else if now.grants && !base.Ended {
		base.GrantedMS = max(base.GrantedMS, now.MS)
	}
	if last := t.of(now.before); last.grants && t.base(now.before.Start) == nil && t.Since.Before(last.Until) {
		r.grant(t, w.Contract, last.Allowance)
	}
	for _, h := range slices.Clone(t.blocks) {
		if h.Period != now.before.Start || h.Ended {
			continue
		}
		h.Ended = true
		if h.RolloverMS > 0 && now.grants && h.into == nil {
			h.into = r.shelf.put(&stock{HeldHours: HeldHours{Block: Block{
				Contract: w.Contract, Clause: w.Clause, Priority: now.Rolled, GrantedAt: now.From, ExpiresAt: now.Until, Period: w.Period.Start, RolledFrom: h.ID,
			}}})
			t.blocks = append(t.blocks, h.into)
		}
	}
	return t
}

func (r *Rehearsal) grant(t *allotment, contract string, a Allowance) {
	t.blocks = append(t.blocks, r.shelf.put(&stock{HeldHours: HeldHours{
		Block: Block{
			Contract: contract, Clause: a.Clause, Priority: a.Base, GrantedAt: a.From, ExpiresAt: a.Until, Period: a.Period.Start, GrantedMS: a.MS,
		},
		RolloverMS: a.RolloverMS,
	}}))
}

// blocks gives what a decision may draw from: the bought blocks, the allowances of the periods, and
// what has rolled over from those, as they stand at the closing.
func (r *Rehearsal) blocks(f *Facts, w Wants, at time.Time) []Block {
	var found []Block
	for _, contract := range w.Blocks {
		for _, h := range r.shelf.bought[contract] {
			if h.EnteredAt.After(at) {
				continue
			}
			r.payBack(h)
			b := h.stand(at)
			b.EarliestAt = f.earliest(&b)
			found = append(found, b)
		}
	}
	for _, want := range w.Buckets {
		t := r.allot(want)
		if t == nil {
			continue
		}
		for _, h := range t.blocks {
			from := r.shelf.byID[h.RolledFrom]
			if h.Period != want.Period.Start && (from == nil || from.Period != want.Period.Start) {
				continue
			}
			if from != nil {
				h.GrantedMS = from.rolled()
			}
			found = append(found, h.stand(at))
		}
	}
	slices.SortFunc(found, func(a, b Block) int { return cmp.Compare(a.ID, b.ID) })
	return slices.CompactFunc(found, func(a, b Block) bool { return a.ID == b.ID })
}

// earliest is the instant from which a bought block pays for work, where that is before it was
// bought; else zero.
func (f *Facts) earliest(b *Block) time.Time {
	at := b.GrantedAt
	for i := range f.Contracts {
		v := &f.Contracts[i]
		if v.Contract != b.Contract {
			continue
		}
		if from, err := v.Terms.EarliestOf(b.GrantedAt); err == nil && from.Before(at) {
			at = from
		}
	}
	if at.Equal(b.GrantedAt) {
		return time.Time{}
	}
	return at
}

// buy puts the blocks that a decision buys on the shelf, and names them in its draws. What is left
// of each pays back what was used ahead of it, once the decision has taken its part.
func (r *Rehearsal) buy(d *Decision) []*stock {
	bought := make([]*stock, 0, len(d.Grants))
	for _, g := range d.Grants {
		h := r.shelf.put(&stock{HeldHours: HeldHours{
			Block:      Block{Contract: g.Contract, Priority: g.Priority, GrantedAt: g.GrantedAt, ExpiresAt: g.ExpiresAt, GrantedMS: g.MS},
			SoldUnpaid: !g.Price.IsZero(), Buys: true,
		}})
		r.shelf.bought[g.Contract] = append(r.shelf.bought[g.Contract], h)
		bought = append(bought, h)
		rename := func(charges []Charge) {
			for i := range charges {
				for j := range charges[i].Draws {
					if charges[i].Draws[j].Block == g.Block {
						charges[i].Draws[j].Block = h.ID
					}
				}
			}
		}
		rename(d.Charges)
		for i := range d.Holds {
			rename(d.Holds[i].Charges)
		}
	}
	return bought
}

// payBack lets a block that is new pay back what its contract used ahead of it, up to what it has left.
func (r *Rehearsal) payBack(h *stock) {
	if !h.Buys {
		return
	}
	h.Buys = false
	key := OverdrawnKey(h.Contract)
	ms := min(h.unused(), r.counters[key].IntPart())
	if ms > 0 {
		h.TakenMS, h.RepaidMS = h.TakenMS+ms, h.RepaidMS+ms
		r.counters[key] = r.counters[key].Sub(decimal.NewFromInt(ms))
	}
}

// unlend gives hours back to the blocks that have paid for what is undone since: the one that paid
// last first.
func (r *Rehearsal) unlend(key string) {
	contract, ok := strings.CutPrefix(key, OverdrawnKey(""))
	over := r.counters[key].Neg().IntPart()
	if !ok || over <= 0 {
		return
	}
	for _, h := range slices.Backward(r.shelf.bought[contract]) {
		ms := min(over, h.RepaidMS)
		h.TakenMS, h.RepaidMS, over = h.TakenMS-ms, h.RepaidMS-ms, over-ms
		r.counters[key] = r.counters[key].Add(decimal.NewFromInt(ms))
	}
}
