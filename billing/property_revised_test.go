package billing_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/docket-psa/docket/billing"
)

// revisedOn is the first day of a later revision, within the billing period of most closings that tests draw.
var revisedOn = time.Date(2026, 3, 22, 0, 0, 0, 0, time.UTC)

// revised is a contract with a revision that follows it within a period.
type revised struct{ first, second billing.Version }

// asPriced changes what no counter prices; otherwise changes what nearly all of them do.
var (
	asPriced = strings.NewReplacer(
		"hourly: 97.31", "hourly: 104.5", "hourly: 181.17", "hourly: 190", `overage: "133.33"`, `overage: "140"`, `overage: "88.88"`, `overage: "95.15"`,
		"name: Advice", "name: Counsel", "markup_percent: 12.5", "markup_percent: 15", "call_out: 50", "call_out: 60",
	)
	otherwise = strings.NewReplacer(
		"price: 12.00, included: 3, cap: 40", "price: 15.50, included: 1, cap: 33", "retainer: 400, cap: 700", "retainer: 250, cap: 555",
		"free: 2, tiers: [{up_to: 5, unit: 0.333}", "free: 1, tiers: [{up_to: 3, unit: 0.5}", "{up_to: 15, unit: 10}", "{up_to: 4, unit: 12}",
		"price: 9.99, size: 3, included: 1", "price: 11.11, size: 2", "cap: 9}", "cap: 4}", "cap: 12}", "cap: 7}", "price: 1.99", "price: 2.49",
	)
)

func revisedContracts(t *testing.T, by *strings.Replacer) []revised {
	var all []revised
	for _, w := range wholes() {
		first, second := w.version(t), version(t, by.Replace(contract("ALL-1", w.document())))
		require.NotEqual(t, first.Digest, second.Digest)
		first.Until, second.From, second.Revision = revisedOn, revisedOn, 2
		all = append(all, revised{first, second})
	}
	return all
}

// drawnRevised gives a closure under both, all of it on one side of the revision; false where it would be on both.
func drawnRevised(t *rapid.T, v revised) (billing.Facts, bool) {
	f := drawnWhole(t, v.first)
	f.Contracts = []billing.Version{v.first, v.second}
	return f, f.Ticket.OpenedAt.Before(revisedOn) == f.Ticket.ResolvedAt.Before(revisedOn)
}

// TestPropertyRevisionsThatPriceAlike: revisions of a contract share the counters of a period. Where they price them
// alike, whatever else they say, rounds are undone and quotes let go of in any order, and nothing is left.
func TestPropertyRevisionsThatPriceAlike(t *testing.T) {
	docs := revisedContracts(t, asPriced)
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.SampledFrom(docs).Draw(t, "contract")
		b := plenty(v.first)
		for range rapid.IntRange(1, 5).Draw(t, "closings") {
			f := drawnWhole(t, v.first)
			f.Contracts = []billing.Version{v.first, v.second}
			r, _ := b.close(t, f)
			for len(r.holds) > 0 && rapid.Bool().Draw(t, "decided") {
				b.settle(t, r, 0, ruled(t, r.holds[0]))
			}
			b.proved(t)
			b.requireStanding(t)
		}
		for _, i := range rapid.Permutation(seq(len(b.rounds))).Draw(t, "order") {
			for r := b.rounds[i]; len(r.holds) > 0 && rapid.Bool().Draw(t, "decided late"); {
				b.settle(t, r, 0, ruled(t, r.holds[0]))
			}
			b.undo(t, b.rounds[i])
			b.proved(t)
			b.requireStanding(t)
		}
		posted, waits := b.total()
		require.True(t, posted.IsZero() && waits.IsZero(), "left: %s, and %s waits\n%s", posted, waits, b)
	})
}

// TestPropertyRevisionsThatPriceOtherwise: where revisions price a counter otherwise, each charge is priced and undone by
// the revision in force at its work. What came last is undone first, and nothing is left; a quote is let go of while
// nothing came after it. In another order the revisions' difference is left: TestRevisionsOutOfOrder.
func TestPropertyRevisionsThatPriceOtherwise(t *testing.T) {
	docs := revisedContracts(t, otherwise)
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.SampledFrom(docs).Draw(t, "contract")
		b := plenty(v.first)
		for range rapid.IntRange(1, 6).Draw(t, "closings") {
			f, ok := drawnRevised(t, v)
			if !ok {
				continue
			}
			r, _ := b.close(t, f)
			for len(r.holds) > 0 && rapid.Bool().Draw(t, "decided") {
				b.settle(t, r, 0, ruled(t, r.holds[0]))
			}
		}
		for _, r := range slices.Backward(b.rounds) {
			b.undo(t, r)
			b.proved(t)
		}
		posted, waits := b.total()
		require.True(t, posted.IsZero() && waits.IsZero(), "left: %s, and %s waits\n%s", posted, waits, b)
		for _, c := range b.counters {
			require.True(t, c.Value.IsZero(), "counter %s stands at %s\n%s", c.Key, c.Value, b)
		}
	})
}

// TestRevisionsOutOfOrder: one ticket under each of two revisions that include other numbers of them. Undone in the order
// in which they came, they leave what the two say otherwise of the pair: by the first revision the second of two tickets
// costs 12.00, by the later one nothing.
func TestRevisionsOutOfOrder(t *testing.T) {
	const terms = "lines: [{clause: U1, name: Ticket, charge: per-ticket, price: 12.00, included: 1}]"
	first := version(t, contract("PT-1", terms))
	second := version(t, contract("PT-1", strings.Replace(terms, "included: 1", "included: 2", 1)))
	first.Until, second.From, second.Revision = revisedOn, revisedOn, 2
	books := func() *book {
		b := &book{version: first}
		for _, at := range []time.Time{revisedOn.Add(-time.Hour), revisedOn.Add(time.Hour)} {
			f := facts([]billing.Version{first, second}, work(1, at, minute))
			f.Ticket.ResolvedAt, f.Ticket.ResolvedOn = at, at.Format(time.DateOnly)
			b.close(t, f)
		}
		return b
	}

	b := books()
	require.Equal(t, "0", b.sum(), "both are included")
	b.undo(t, b.rounds[1])
	b.undo(t, b.rounds[0])
	require.Equal(t, "0", b.sum(), "the last one first leaves nothing")

	b = books()
	b.undo(t, b.rounds[0])
	require.Equal(t, "-12", b.sum())
	b.undo(t, b.rounds[1])
	require.Equal(t, "-12", b.sum())
}
