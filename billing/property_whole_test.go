package billing_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/docket-psa/docket/billing"
)

// TestPropertyBooksInAnyInterleaving closes, settles and undoes rounds under a contract that has everything, in any
// order: no block goes below zero, every counter is what was counted, what is reserved is consumed or released, and
// when all is undone nothing is left of it.
func TestPropertyBooksInAnyInterleaving(t *testing.T) {
	docs := wholeContracts(t)
	rapid.Check(t, func(t *rapid.T) {
		b := &book{version: rapid.SampledFrom(docs).Draw(t, "contract")}
		b.allowances(rapid.Int64Range(0, 12*hour).Draw(t, "allowance"))
		for range rapid.IntRange(0, 3).Draw(t, "blocks") {
			expires := time.Time{}
			if rapid.Bool().Draw(t, "expires") {
				expires = noon.AddDate(0, 0, rapid.IntRange(1, 40).Draw(t, "life"))
			}
			b.grant("", billing.Period{}, rapid.Int64Range(1, 8*hour).Draw(t, "granted"), expires)
			b.blocks[len(b.blocks)-1].Unpaid = rapid.Bool().Draw(t, "unpaid")
		}
		standing := func(t *rapid.T, is func(*bookRound) bool) *bookRound {
			var rounds []*bookRound
			for _, r := range b.rounds {
				if is(r) {
					rounds = append(rounds, r)
				}
			}
			if len(rounds) == 0 {
				t.Skip("none")
			}
			return rounds[rapid.IntRange(0, len(rounds)-1).Draw(t, "round")]
		}
		t.Repeat(map[string]func(*rapid.T){
			"": func(t *rapid.T) {
				b.proved(t)
				b.requireStanding(t)
			},
			"closed": func(t *rapid.T) {
				b.close(t, drawnWhole(t, b.version))
			},
			"settled": func(t *rapid.T) {
				r := standing(t, func(r *bookRound) bool { return len(r.holds) > 0 })
				i := rapid.IntRange(0, len(r.holds)-1).Draw(t, "hold")
				b.settle(t, r, i, ruled(t, r.holds[i]))
			},
			"undone": func(t *rapid.T) {
				b.undo(t, standing(t, func(r *bookRound) bool { return !r.undone }))
			},
		})
		for _, i := range rapid.Permutation(seq(len(b.rounds))).Draw(t, "order") {
			if !b.rounds[i].undone {
				b.undo(t, b.rounds[i])
				b.proved(t)
			}
		}
		posted, waits := b.total()
		require.True(t, posted.IsZero() && waits.IsZero(), "left: %s, and %s waits\n%s", posted, waits, b)
		for _, c := range b.counters {
			require.True(t, c.Value.IsZero(), "counter %s stands at %s\n%s", c.Key, c.Value, b)
		}
		for _, k := range b.blocks {
			require.Equal(t, k.GrantedMS, k.LeftMS, "block %d", k.ID)
		}
	})
}

// TestPropertyUndoingSomeLeavesThePeriodAsWithoutThem: under contracts whose totals do not depend on who comes first,
// the closings that were undone cost nothing, and the others what they cost by themselves, whatever was billed and waived of
// them before.
func TestPropertyUndoingSomeLeavesThePeriodAsWithoutThem(t *testing.T) {
	docs := orderless(t)
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.SampledFrom(docs).Draw(t, "contract")
		all, without := plenty(v), plenty(v)
		undone := map[int]bool{}
		n := rapid.IntRange(1, 6).Draw(t, "closings")
		for i := range n {
			f := drawnWhole(t, v)
			undone[i] = rapid.Bool().Draw(t, "undone")
			all.close(t, f)
			if !undone[i] {
				without.close(t, f)
			}
		}
		for _, i := range rapid.Permutation(seq(n)).Draw(t, "order") {
			if r := all.rounds[i]; undone[i] {
				for len(r.holds) > 0 && rapid.Bool().Draw(t, "decided") {
					all.settle(t, r, 0, ruled(t, r.holds[0]))
				}
				all.undo(t, r)
			}
		}
		is, waits := all.total()
		want, wait := without.total()
		require.True(t, is.Add(waits).Equal(want.Add(wait)), "it comes to %s, and without them to %s", is.Add(waits), want.Add(wait))
	})
}

// TestPropertyOrderOfClosingsChangesNoTotal where the contract makes nothing of who comes first.
func TestPropertyOrderOfClosingsChangesNoTotal(t *testing.T) {
	docs := orderless(t)
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.SampledFrom(docs).Draw(t, "contract")
		n := rapid.IntRange(2, 5).Draw(t, "closings")
		all := make([]billing.Facts, n)
		one, other := plenty(v), plenty(v)
		for i := range all {
			all[i] = drawnWhole(t, v)
			one.close(t, all[i])
		}
		for _, i := range rapid.Permutation(seq(n)).Draw(t, "order") {
			other.close(t, all[i])
		}
		is, waits := one.total()
		want, wait := other.total()
		require.True(t, is.Add(waits).Equal(want.Add(wait)), "%s in one order, %s in another\n%s\n\n%s", is.Add(waits), want.Add(wait), one, other)
	})
}

// plenty are books with hours enough for all work, so that who comes first does not matter.
func plenty(v billing.Version) *book {
	b := &book{version: v}
	b.allowances(1000 * hour)
	b.grant("", billing.Period{}, 1000*hour, time.Time{})
	return b
}
