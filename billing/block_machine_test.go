package billing_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/docket-psa/docket/billing"
)

// cellar keeps blocks as a store does: every take and every return moves them, and one that has ended stays empty.
type cellar struct {
	casks []*cask
}

type cask struct {
	billing.Block
	taken    int64 // drawn and reserved
	rollover int64
	ended    bool
}

func (c *cellar) find(id int64) *cask {
	i := slices.IndexFunc(c.casks, func(k *cask) bool { return k.ID == id })
	if i < 0 {
		return nil
	}
	return c.casks[i]
}

func (c *cellar) add(b billing.Block, rollover int64) *cask {
	k := &cask{Block: b, rollover: rollover}
	k.ID = int64(len(c.casks) + 1)
	c.casks = append(c.casks, k)
	return k
}

// move takes draws from the blocks; negative ones give back.
func (c *cellar) move(t require.TestingT, draws []billing.Draw) {
	for _, d := range draws {
		k := c.find(d.Block)
		k.taken += d.MS
		c.after(t, k, d.MS)
	}
}

// after moves what goes with a take; 0 from one that has not ended is its end.
func (c *cellar) after(t require.TestingT, k *cask, ms int64) {
	if !k.ended {
		k.LeftMS -= ms
		return
	}
	m, err := billing.EndedBlock{LeftMS: k.LeftMS, ForfeitedMS: k.ForfeitedMS, RolledMS: k.RolledMS, RolloverMS: k.rollover}.After(ms)
	require.NoError(t, err)
	k.LeftMS = 0
	k.ForfeitedMS += m.Forfeits - m.Restores
	k.RolledMS += m.Rolls - m.Unrolls
	if passed := m.Rolls - m.Unrolls; passed != 0 {
		into := c.find(k.RolledInto)
		into.GrantedMS += passed
		c.after(t, into, -passed)
	}
}

// end puts the end of a block on record; its unused hours roll over into another one, if there is one.
func (c *cellar) end(t require.TestingT, k, into *cask) {
	if k.rollover = min(k.rollover, 1<<40); into != nil {
		k.RolledInto = into.ID
	} else {
		k.rollover = 0
	}
	k.ended = true
	c.after(t, k, 0)
}

// proved checks what is true of blocks at any time.
func (c *cellar) proved(t require.TestingT) {
	for _, k := range c.casks {
		require.GreaterOrEqual(t, k.LeftMS, int64(0), "block %d", k.ID)
		require.GreaterOrEqual(t, k.GrantedMS, k.LeftMS, "block %d", k.ID)
		require.Equal(t, k.GrantedMS-k.LeftMS, k.taken+k.ForfeitedMS+k.RolledMS, "block %d: what left it", k.ID)
		require.True(t, !k.ended || k.LeftMS == 0, "block %d has ended", k.ID)
		if k.ended && k.ForfeitedMS > 0 {
			require.Equal(t, k.rollover, k.RolledMS, "block %d: nothing expires that can roll over", k.ID)
		}
		if k.RolledInto != 0 {
			require.Equal(t, k.RolledMS, c.find(k.RolledInto).GrantedMS, "what rolls over arrives")
		}
	}
}

// facts are those of the blocks that work of a period may draw from.
func (c *cellar) facts(period string) []billing.Block {
	var blocks []billing.Block
	for _, k := range c.casks {
		from := c.find(k.RolledFrom)
		if k.Period == period || (from != nil && from.Period == period) {
			blocks = append(blocks, k.Block)
		}
	}
	return blocks
}

// monthStart is the first instant of a period: months from March 2026 on.
func monthStart(n int) time.Time { return time.Date(2026, time.Month(3+n), 1, 0, 0, 0, 0, time.UTC) }

// usage is the oracle: what was used of each period's own hours, and of what rolled over into it.
type usage struct {
	included, limit int64
	rolledFirst     bool
	base, rolled    map[int]int64
	ended           int // periods before it have ended
}

// draw says how much of need is paid by the period's own hours and by what rolled over, as far as the next period has not
// used what would have rolled over into it.
func (u *usage) draw(period int, need int64) (base, rolled int64) {
	own := u.included - u.base[period]
	if period < u.ended {
		own -= u.rolled[period+1]
	}
	var over int64
	if period > 0 && period-1 < u.ended {
		over = min(u.limit, u.included-u.base[period-1]) - u.rolled[period]
	}
	if u.rolledFirst {
		rolled = min(need, over)
		base = min(need-rolled, own)
	} else {
		base = min(need, own)
		rolled = min(need-base, over)
	}
	u.base[period] += base
	u.rolled[period] += rolled
	return base, rolled
}

// TestPropertyAllowanceInAnyOrder draws, reserves, waives, reverses and logs late, over periods that grant, end and roll
// over, in any order: each draw is what a ledger of uses says, and no block ever goes below zero.
func TestPropertyAllowanceInAnyOrder(t *testing.T) {
	versions := map[bool]billing.Version{}
	for _, rolledFirst := range []bool{false, true} {
		first := ""
		if rolledFirst {
			first = ", first: rolled"
		}
		versions[rolledFirst] = version(t, contract("BK-1", "rates: [{hourly: 150}]\nlines: [{clause: K1, name: Hours, charge: bucket, bucket: {included: 10h, rollover: 4h"+first+"}}]"))
	}
	rapid.Check(t, func(t *rapid.T) {
		u := &usage{included: 10 * hour, limit: 4 * hour, rolledFirst: rapid.Bool().Draw(t, "rolled first"), base: map[int]int64{}, rolled: map[int]int64{}}
		v := versions[u.rolledFirst]
		c, bases := &cellar{}, []*cask{}
		type standing struct {
			period       int
			base, rolled int64
			draws        []billing.Draw
		}
		var stands []standing
		now := -1
		advance := func(t *rapid.T) {
			if now == 6 {
				t.Skip("far enough")
			}
			now++
			a, ok := billing.Allow([]billing.Version{v}, "K1", v.Terms.PeriodOf(monthStart(now).Format(time.DateOnly)))
			require.True(t, ok)
			block := billing.Block{
				Contract: "BK-1", Priority: a.Base, GrantedAt: a.From, ExpiresAt: a.Until, LeftMS: a.MS, GrantedMS: a.MS, Clause: "K1", Period: a.Period.Start,
			}
			bases = append(bases, c.add(block, a.RolloverMS))
			if now == 0 {
				return
			}
			last := bases[now-1]
			for _, k := range slices.Clone(c.casks) {
				if k.Period == last.Period && k != last {
					c.end(t, k, nil)
				}
			}
			block.Priority, block.LeftMS, block.GrantedMS, block.RolledFrom = a.Rolled, 0, 0, last.ID
			c.end(t, last, c.add(block, 0))
			u.ended = now
		}
		advance(t)
		undo := func(t *rapid.T) {
			if len(stands) == 0 {
				t.Skip("nothing stands")
			}
			i := rapid.IntRange(0, len(stands)-1).Draw(t, "which")
			s := stands[i]
			stands = slices.Delete(stands, i, i+1)
			back := slices.Clone(s.draws)
			for j := range back {
				back[j].MS = -back[j].MS
			}
			c.move(t, back)
			u.base[s.period] -= s.base
			u.rolled[s.period] -= s.rolled
		}
		t.Repeat(map[string]func(*rapid.T){
			"":                       func(t *rapid.T) { c.proved(t) },
			"the next period begins": advance,
			"work": func(t *rapid.T) { // of this period or, logged late, of an earlier one; posted or held: both take
				period := rapid.IntRange(max(0, now-2), now).Draw(t, "period")
				w := work(1, monthStart(period).Add(30*time.Hour), rapid.Int64Range(1, 15*hour).Draw(t, "ms"))
				f := facts([]billing.Version{v}, w)
				f.Ticket.ResolvedAt = monthStart(now).Add(20 * 24 * time.Hour)
				f.Blocks = c.facts(bases[period].Period)
				d, err := billing.Decide(f)
				require.NoError(t, err)
				requireWhole(t, f, d)
				var draws []billing.Draw
				var own, over int64
				for _, charge := range every(d) {
					draws = append(draws, charge.Draws...)
				}
				for _, draw := range draws {
					if c.find(draw.Block).RolledFrom == 0 {
						own += draw.MS
					} else {
						over += draw.MS
					}
				}
				base, rolled := u.draw(period, w.MS)
				require.Equal(t, fmt.Sprint(base, rolled), fmt.Sprint(own, over), "of the period's own hours, and of what rolled over")
				c.move(t, draws)
				stands = append(stands, standing{period: period, base: base, rolled: rolled, draws: draws})
			},
			"reversed": undo,
			"waived":   undo,
		})
	})
}

// TestPropertyBoughtBlocksInAnyOrder does the same with blocks that are bought and expire.
func TestPropertyBoughtBlocksInAnyOrder(t *testing.T) {
	v := version(t, contract("HB-1", "rates: [{hourly: 150}]\nlines: [{clause: B1, name: Block hours, charge: block, block: {overdraw: 2h}}]"))
	rapid.Check(t, func(t *rapid.T) {
		c := &cellar{}
		now, lent := noon, int64(0)
		var stands []billing.Charge
		count := func(charge billing.Charge, sign int64) {
			for _, n := range charge.Counts {
				lent += sign * n.Quantity.IntPart()
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"": func(t *rapid.T) {
				c.proved(t)
				require.GreaterOrEqual(t, lent, int64(0))
				require.LessOrEqual(t, lent, 2*hour)
			},
			"a block is bought": func(t *rapid.T) {
				ms := rapid.Int64Range(1, 10*hour).Draw(t, "ms")
				b := billing.Block{Contract: "HB-1", GrantedAt: now, LeftMS: ms, GrantedMS: ms}
				if rapid.Bool().Draw(t, "expires") {
					b.ExpiresAt = now.Add(time.Duration(rapid.IntRange(1, 30).Draw(t, "days")) * 24 * time.Hour)
				}
				k := c.add(b, 0)
				back := min(lent, ms)
				c.move(t, []billing.Draw{{Block: k.ID, MS: back}})
				lent -= back
				if back > 0 { // what was paid back is nobody's to undo
					stands = slices.DeleteFunc(stands, func(s billing.Charge) bool { return len(s.Counts) > 0 })
				}
			},
			"time passes": func(t *rapid.T) {
				now = now.Add(time.Duration(rapid.IntRange(1, 20).Draw(t, "days")) * 24 * time.Hour)
				for _, k := range c.casks {
					if !k.ended && !k.ExpiresAt.IsZero() && !now.Before(k.ExpiresAt) {
						c.end(t, k, nil)
					}
				}
			},
			"work": func(t *rapid.T) {
				start := now.Add(-time.Duration(rapid.Int64Range(0, 30*24*hour).Draw(t, "ago")) * time.Millisecond)
				f := facts([]billing.Version{v}, work(1, start, rapid.Int64Range(1, 6*hour).Draw(t, "ms")))
				f.Ticket.ResolvedAt = now
				f.Counters = []billing.Counter{{Key: "overdrawn/HB-1", Value: dec(fmt.Sprint(lent))}}
				for _, k := range c.casks {
					f.Blocks = append(f.Blocks, k.Block)
				}
				d, err := billing.Decide(f)
				require.NoError(t, err)
				requireWhole(t, f, d)
				for _, charge := range every(d) {
					for _, draw := range charge.Draws {
						k := c.find(draw.Block)
						require.False(t, k.GrantedAt.After(f.Work[0].StartedAt.Add(time.Duration(f.Work[0].MS)*time.Millisecond)), "not yet bought")
						require.True(t, k.ExpiresAt.IsZero() || k.ExpiresAt.After(start), "expired before the work")
					}
					c.move(t, charge.Draws)
					count(charge, 1)
					if len(charge.Draws)+len(charge.Counts) > 0 {
						stands = append(stands, charge)
					}
				}
			},
			"reversed": func(t *rapid.T) {
				if len(stands) == 0 {
					t.Skip("nothing stands")
				}
				i := rapid.IntRange(0, len(stands)-1).Draw(t, "which")
				r, err := billing.Reverse(1, stands[i], v.Terms, nil)
				require.NoError(t, err)
				c.move(t, r.Draws)
				count(r, 1)
				stands = slices.Delete(stands, i, i+1)
			},
		})
	})
}

// TestPublishedBucketChain is the chain of the published vectors: 600 minutes a period, 360, 900 and 660 used.
func TestPublishedBucketChain(t *testing.T) {
	for name, c := range map[string]struct {
		first   string
		used    []int64
		rolled  []int64
		overage []int64
	}{
		"only unused hours of the period's own roll, one period": {"base", []int64{360, 900, 660}, []int64{0, 240, 0}, []int64{0, 60, 60}},
		"600 + 240, used 500, the period's own first":            {"base", []int64{360, 500, 0}, []int64{0, 240, 100}, []int64{0, 0, 0}},
		"600 + 240, used 500, what rolled over first":            {"rolled", []int64{360, 500, 0}, []int64{0, 240, 340}, []int64{0, 0, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			v := version(t, contract("BK-1", "rates: [{hourly: 150}]\nlines: [{clause: K1, name: Hours, charge: bucket, bucket: {included: 10h, rollover: 10h, first: "+c.first+"}}]"))
			store := &cellar{}
			var last *cask
			for period, used := range c.used {
				a, ok := billing.Allow([]billing.Version{v}, "K1", v.Terms.PeriodOf(monthStart(period).Format(time.DateOnly)))
				require.True(t, ok)
				block := billing.Block{Contract: "BK-1", Priority: a.Base, LeftMS: a.MS, GrantedMS: a.MS, Clause: "K1", Period: a.Period.Start}
				base := store.add(block, a.RolloverMS)
				if last != nil {
					block.Priority, block.LeftMS, block.GrantedMS, block.RolledFrom = a.Rolled, 0, 0, last.ID
					rolled := store.add(block, 0)
					store.end(t, last, rolled)
					require.Equal(t, c.rolled[period], rolled.LeftMS/minute, "rolled over into period %d", period)
				}
				last = base
				if used == 0 {
					continue
				}
				f := facts([]billing.Version{v}, work(1, monthStart(period).Add(30*time.Hour), used*minute))
				f.Ticket.ResolvedAt = monthStart(period).Add(20 * 24 * time.Hour)
				f.Blocks = store.facts(a.Period.Start)
				var over int64
				for _, charge := range decide(t, f).Charges {
					store.move(t, charge.Draws)
					if charge.Kind == billing.Overage {
						over += charge.Quantity.Mul(dec("60")).IntPart()
					}
				}
				require.Equal(t, c.overage[period], over, "overage of period %d", period)
				store.proved(t)
			}
		})
	}
}
