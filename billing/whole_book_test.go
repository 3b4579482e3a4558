package billing_test

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/docket-psa/docket/billing"
)

// book keeps what a contract's closings do, as a store does: counters and blocks move with what posts, and with what
// waits, which reserves them. Rounds are undone one by one.
type book struct {
	version  billing.Version
	counters []billing.Counter
	blocks   []billing.Block // LeftMS moves
	rounds   []*bookRound
	charges  int64 // ids
}

// bookRound is one closing: what posted of it, with ids, and what waits.
type bookRound struct {
	facts  billing.Facts
	posted []bookCharge
	holds  []billing.Hold
	undone bool
}

type bookCharge struct {
	id int64
	billing.Charge
}

// granted is a block of a period's allowance, or a bought one, with hours enough for some of the work.
func (b *book) grant(clause string, period billing.Period, ms int64, expires time.Time) {
	b.blocks = append(b.blocks, billing.Block{
		ID: int64(len(b.blocks) + 1), Contract: "ALL-1", Clause: clause, Period: period.Start, LeftMS: ms, GrantedMS: ms,
		GrantedAt: noon.AddDate(0, -4, 0), ExpiresAt: expires, Priority: 2,
	})
}

// allowances grants what each period that the tests work in has.
func (b *book) allowances(ms int64) {
	seen := map[string]bool{}
	for _, date := range []string{"2026-03-01", "2026-03-15", "2026-04-15"} {
		p := b.version.Terms.PeriodOf(date)
		if seen[p.Start] {
			continue
		}
		seen[p.Start] = true
		for _, clause := range []string{"K1", "K2"} {
			b.grant(clause, p, ms, time.Time{})
		}
	}
}

// close decides a closing on the books as they stand, and puts it into them.
func (b *book) close(t require.TestingT, f billing.Facts) (*bookRound, billing.Decision) {
	wants := billing.Want(f)
	f.Counters = nil
	for _, key := range wants.Counters {
		f.Counters = append(f.Counters, billing.Counter{Key: key, Value: b.counter(key)})
	}
	f.Blocks = slices.Clone(b.blocks)
	d, err := billing.Decide(f)
	require.NoError(t, err)
	requireWhole(t, f, d)
	for _, c := range every(d) {
		for _, count := range c.Counts {
			require.Contains(t, wants.Counters, count.Key, "locked before it is read")
		}
	}
	r := &bookRound{facts: f, holds: d.Holds}
	b.rounds = append(b.rounds, r)
	b.post(r, d.Charges)
	for _, h := range d.Holds {
		b.moveAll(h.Charges, 1)
	}
	return r, d
}

func (b *book) post(r *bookRound, charges []billing.Charge) {
	for _, c := range charges {
		b.charges++
		r.posted = append(r.posted, bookCharge{b.charges, c})
	}
	b.moveAll(charges, 1)
}

func (b *book) counter(key string) decimal.Decimal {
	for _, c := range b.counters {
		if c.Key == key {
			return c.Value
		}
	}
	return decimal.Zero
}

func (b *book) countAll(charges []billing.Charge, sign int64) {
	for _, c := range charges {
		for _, n := range c.Counts {
			b.count(n.Key, n.Quantity.Mul(decimal.NewFromInt(sign)))
		}
	}
}

func (b *book) moveAll(charges []billing.Charge, sign int64) {
	b.countAll(charges, sign)
	for _, c := range charges {
		for _, d := range c.Draws {
			b.blocks[d.Block-1].LeftMS -= sign * d.MS
		}
	}
}

func (b *book) count(key string, quantity decimal.Decimal) {
	for i := range b.counters {
		if b.counters[i].Key == key {
			b.counters[i].Value = b.counters[i].Value.Add(quantity)
			return
		}
	}
	b.counters = append(b.counters, billing.Counter{Key: key, Value: quantity})
}

// settle has a person decide about one hold of the round: what it reserved is consumed by what posts, or released,
// which sets right what others were charged meanwhile.
func (b *book) settle(t require.TestingT, r *bookRound, i int, ruling billing.Ruling) {
	h := r.holds[i]
	r.holds = slices.Delete(slices.Clone(r.holds), i, i+1)
	charges, err := billing.Settle(h, ruling)
	require.NoError(t, err)
	if ruling.Action == billing.Split {
		b.post(r, append(charges, b.release(t, billing.Undo(b.counters), r, h, charges)...))
		b.moveAll(h.Charges, -1)
		return
	}
	require.Len(t, charges, len(h.Charges))
	for j, c := range charges {
		waives := ruling.Action == billing.Cover || ruling.Action == billing.WriteOff
		require.Equal(t, waives && len(h.Charges[j].Draws) > 0, len(c.Draws) < len(h.Charges[j].Draws), "%s: consumed or released", c.Key)
		if waives {
			require.Empty(t, c.Counts)
			require.True(t, c.Amount.IsZero())
			continue
		}
		require.Equal(t, h.Charges[j].Draws, c.Draws)
		require.Equal(t, counted(withoutOrder(h.Charges[j].Counts)), counted(withoutOrder(c.Counts)))
	}
	corrections := b.release(t, billing.Undo(b.counters), r, h, charges)
	require.True(t, ruling.Action == billing.Cover || ruling.Action == billing.WriteOff || len(corrections) == 0)
	b.moveAll(h.Charges, -1)
	b.post(r, charges)
	b.post(r, corrections)
}

// release gives what sets right the others' charges, each of which can be made again from what it says.
func (b *book) release(t require.TestingT, undoing *billing.Undoing, r *bookRound, h billing.Hold, charges []billing.Charge) []billing.Charge {
	corrections, err := undoing.Release("H-7", billing.Rules, h, charges, r.terms)
	require.NoError(t, err)
	for _, c := range corrections {
		terms, err := r.terms(c.Contract, c.Revision)
		require.NoError(t, err)
		again, err := h.ReleaseAgain(c, charges, terms)
		require.NoError(t, err)
		require.Equal(t, canonical(t, c), canonical(t, again))
	}
	return corrections
}

func canonical(t require.TestingT, v any) string {
	text, err := billing.Canonical(v)
	require.NoError(t, err)
	return string(text)
}

// terms finds those of a contract's revision among the round's facts.
func (r *bookRound) terms(contract string, revision int) (*billing.Terms, error) {
	i := slices.IndexFunc(r.facts.Contracts, func(v billing.Version) bool { return v.Contract == contract && v.Revision == revision })
	if i < 0 {
		return nil, fmt.Errorf("no contract %s revision %d", contract, revision)
	}
	return r.facts.Contracts[i].Terms, nil
}

func withoutOrder(counts []billing.Count) []billing.Count {
	return slices.DeleteFunc(slices.Clone(counts), func(n billing.Count) bool { return strings.HasPrefix(n.Key, "po/") })
}

// undo reverses a round: its charges by reversals, its holds by letting go of what they reserve.
func (b *book) undo(t require.TestingT, r *bookRound) {
	require.False(t, r.undone)
	r.undone = true
	undoing := billing.Undo(b.counters)
	var undone []billing.Charge
	for _, c := range r.posted {
		if c.Kind == billing.Correction {
			continue // it stands: what it corrects is what others were charged
		}
		terms, err := r.terms(c.Contract, c.Revision)
		if len(c.Counts) > 0 {
			require.NoError(t, err)
		}
		reversal, err := undoing.Reverse(c.id, c.Charge, terms)
		require.NoError(t, err)
		undone = append(undone, reversal)
	}
	for _, h := range r.holds {
		undone = append(undone, b.release(t, undoing, r, h, nil)...)
		b.moveAll(h.Charges, -1)
	}
	b.post(r, undone)
	r.holds = nil
}

// total is what has posted, and what waits beside it.
func (b *book) total() (posted, waits decimal.Decimal) {
	for _, r := range b.rounds {
		for _, c := range r.posted {
			posted = posted.Add(c.Amount)
		}
		for _, h := range r.holds {
			waits = waits.Add(h.Amount)
		}
	}
	return posted, waits
}

// sum is what has posted.
func (b *book) sum() string {
	posted, _ := b.total()
	return posted.String()
}

// proved checks what is true of the books at any time.
func (b *book) proved(t require.TestingT) {
	taken := make(map[int64]int64, len(b.blocks))
	counts := map[string]decimal.Decimal{}
	add := func(charges ...billing.Charge) {
		for _, c := range charges {
			for _, d := range c.Draws {
				taken[d.Block] += d.MS
			}
			for _, n := range c.Counts {
				counts[n.Key] = counts[n.Key].Add(n.Quantity)
			}
		}
	}
	ordered := decimal.Zero
	for _, r := range b.rounds {
		for _, c := range r.posted {
			add(c.Charge)
			if c.PurchaseOrder != "" {
				ordered = ordered.Add(c.Amount)
			}
		}
		for _, h := range r.holds {
			add(h.Charges...)
			for _, c := range h.Charges {
				ordered = ordered.Add(onOrder(c))
			}
		}
	}
	for _, k := range b.blocks {
		require.GreaterOrEqual(t, k.LeftMS, int64(0), "block %d", k.ID)
		require.Equal(t, k.GrantedMS-k.LeftMS, taken[k.ID], "block %d: what left it is drawn or reserved", k.ID)
	}
	for _, c := range b.counters {
		require.True(t, c.Value.Equal(counts[c.Key]), "counter %s stands at %s, and %s were counted", c.Key, c.Value, counts[c.Key])
		isOrder := strings.HasPrefix(c.Key, "po/")
		require.True(t, isOrder || !c.Value.IsNegative(), "counter %s", c.Key)
		require.True(t, !isOrder || c.Value.Equal(ordered), "the order stands at %s, and %s were billed and wait", c.Value, ordered)
	}
}

// ruled draws what a person says about a hold.
func ruled(t *rapid.T, h billing.Hold) billing.Ruling {
	i := rapid.IntRange(0, 3).Draw(t, "ruling")
	if i == 3 {
		some := h.Amount.Mul(decimal.New(rapid.Int64Range(1, 99).Draw(t, "percent"), -2)).Round(2)
		split := billing.Ruling{Action: billing.Split, By: "D-1", Part: billing.Part{Amount: &some, Rest: billing.Cover}}
		if _, err := billing.Settle(h, split); err == nil {
			return split
		}
		i = 1 // it cannot be parted
	}
	return rulings(h)[i]
}

// requireStanding requires of every counter that makes prices: what posted by it, and what waits, comes to F of where it
// stands, whoever was let go of and undone.
func (b *book) requireStanding(t require.TestingT) {
	sums, of := map[string]decimal.Decimal{}, map[string]billing.Charge{}
	add := func(c billing.Charge) {
		if key := pricedBy(c); key != "" {
			sums[key] = sums[key].Add(c.Amount)
			if c.Kind != billing.Correction { // which has no rate of its own
				of[key] = c
			}
		}
	}
	for _, r := range b.rounds {
		for _, c := range r.posted {
			add(c.Charge)
		}
		for _, h := range r.holds {
			for _, c := range h.Charges {
				add(c)
			}
		}
	}
	for key, sum := range sums {
		if _, known := of[key]; !known {
			require.True(t, sum.IsZero() && b.counter(key).IsZero(), "counter %s stands at %s, and nobody has counted: %s", key, b.counter(key), sum)
			continue
		}
		f, err := b.version.Terms.Comes(of[key], key, b.counter)
		require.NoError(t, err)
		require.True(t, sum.Equal(f), "counter %s stands at %s, which comes to %s, and %s posted and wait\n%s", key, b.counter(key), f, sum, b)
	}
}

// pricedBy names the counter that made the charge's amount; empty where none did.
func pricedBy(c billing.Charge) string {
	if c.Kind == billing.Correction {
		for _, a := range c.Steps[0].Args {
			if a.Name == "counter" {
				return a.Value
			}
		}
	}
	for _, n := range c.Counts {
		if billing.Prices(n.Key) {
			return n.Key
		}
	}
	return ""
}

// String tells what posted, round by round.
func (b *book) String() string {
	var lines []string
	for i, r := range b.rounds {
		for _, c := range r.posted {
			lines = append(lines, fmt.Sprintf("round %d: %s %s = %s [%s]", i, c.Kind, c.Key, c.Amount, counted(c.Counts)))
		}
		for _, h := range r.holds {
			lines = append(lines, fmt.Sprintf("round %d waits: %s = %s", i, h.Key, h.Amount))
		}
	}
	return strings.Join(lines, "\n")
}
