package billing_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/docket-psa/docket/billing"
)

const mixed = `
%s
rates:
  - {hourly: 97.31}
  - {work_role: architect, hourly: 181.17}
  - {actor: ai, hourly: 41.77}
lines:
  - {clause: B1, name: Block hours, match: {work_types: [remote]}, charge: block}
  - {clause: B2, name: Hard block, match: {work_types: [onsite]}, charge: block, overage: hold}
  - {clause: A1, name: Monitoring, match: {work_types: [monitoring]}, charge: covered}
  - {clause: T1, name: Projects, match: {work_types: [project]}, charge: time, time: {increment: 6m}}
  - {clause: U1, name: Requests, match: {work_types: [request]}, charge: per-ticket, price: 12.00, included: 3}
  - {clause: N1, name: Own, match: {work_types: [internal]}, charge: not-billable}
`

var times = []string{
	"time: {minimum: 15m, increment: 15m}",
	"time: {minimum: 30m, increment: 7m, scope: ticket}",
	"time: {ai_increment: 1m, ai_accumulate: closure}",
	"approval: {amount_over: 50, approvers: [P-1]}",
	"rounding: half-even\napproval: {time_over: 1h, approvers: [P-1]}",
}

// drawn gives a closure of any shape: work of several people and an agent under one or
// two versions of a contract, blocks that come and go, counters that have moved on.
func drawn(t *rapid.T, docs []billing.Version) billing.Facts {
	i := rapid.IntRange(0, len(docs)-1).Draw(t, "contract")
	one := docs[i]
	versions := []billing.Version{one}
	if rapid.Bool().Draw(t, "revised") {
		edge := noon.Add(time.Duration(rapid.Int64Range(0, 6*hour).Draw(t, "edge")) * time.Millisecond)
		next := docs[(i+1)%len(docs)]
		versions[0].Until = edge
		next.From, next.Revision = edge, 2
		versions = append(versions, next)
	}
	var entries []billing.Work
	for n := range rapid.IntRange(0, 6).Draw(t, "entries") {
		start := noon.Add(time.Duration(rapid.Int64Range(0, 8*hour).Draw(t, "start")) * time.Millisecond)
		length := rapid.Int64Range(1, 5*hour).Draw(t, "length")
		w := work(int64(n+1), start, length)
		if rapid.IntRange(0, 3).Draw(t, "ai") == 0 {
			w = aiWork(int64(n+1), start, length)
		}
		w.Actor = rapid.SampledFrom([]string{"anna", "ben", "cleo"}).Draw(t, "actor")
		w.WorkRole = rapid.SampledFrom([]string{"engineer", "architect", "ai-agent"}).Draw(t, "role")
		w.WorkType = rapid.SampledFrom([]string{"remote", "onsite", "monitoring", "project", "request", "internal", "else"}).Draw(t, "type")
		w.Failed = rapid.IntRange(0, 9).Draw(t, "failed") == 0
		if length > 1 && rapid.Bool().Draw(t, "cut") {
			w = segmented(w, []int64{rapid.Int64Range(1, length-1).Draw(t, "at")}, "2026-03-31", "2026-04-01")
		}
		entries = append(entries, w)
	}
	f := facts(versions, entries...)
	f.Ticket.Code = rapid.SampledFrom([]string{"solved", "solved", "solved", "silent", "spam"}).Draw(t, "code")
	f.Ticket.ResolvedKind = rapid.SampledFrom([]string{"human", "ai"}).Draw(t, "resolved by")
	f.Ticket.TicketBilled = rapid.IntRange(0, 5).Draw(t, "billed") == 0
	for n := range rapid.IntRange(0, 3).Draw(t, "blocks") {
		b := block(int64(n+1), rapid.Int64Range(0, 3*hour).Draw(t, "left"))
		b.GrantedAt = noon.Add(time.Duration(rapid.Int64Range(-hour, 2*hour).Draw(t, "granted")) * time.Millisecond)
		if rapid.Bool().Draw(t, "expires") {
			b.ExpiresAt = b.GrantedAt.Add(time.Duration(rapid.Int64Range(1, 6*hour).Draw(t, "life")) * time.Millisecond)
		}
		b.Priority = rapid.IntRange(0, 2).Draw(t, "priority")
		f.Blocks = append(f.Blocks, b)
	}
	for _, key := range billing.Want(f).Counters {
		f.Counters = append(f.Counters, billing.Counter{Key: key, Value: decimal.New(rapid.Int64Range(0, 99).Draw(t, "counted"), 0)})
	}
	return f
}

func mixedContracts(t *testing.T) []billing.Version {
	versions := make([]billing.Version, len(times))
	for i, body := range times {
		versions[i] = version(t, contract("HB-1", fmt.Sprintf(mixed, body)))
	}
	return versions
}

func TestPropertyEveryMillisecondOnce(t *testing.T) {
	docs := mixedContracts(t)
	rapid.Check(t, func(t *rapid.T) {
		f := drawn(t, docs)
		d, err := billing.Decide(f)
		require.NoError(t, err)
		requireWhole(t, f, d)
	})
}

func TestPropertySameFactsSameDigest(t *testing.T) {
	docs := mixedContracts(t)
	rapid.Check(t, func(t *rapid.T) {
		f := drawn(t, docs)
		before, err := billing.Canonical(f)
		require.NoError(t, err)
		first, err := billing.Decide(f)
		require.NoError(t, err)
		after, err := billing.Canonical(f)
		require.NoError(t, err)
		require.Equal(t, string(before), string(after), "Decide changes nothing of its facts")

		again, err := billing.Decide(f)
		require.NoError(t, err)
		require.Equal(t, first.Digest(), again.Digest())

		// The order of entries, blocks, counters and versions is no fact.
		for _, shuffle := range []func(){
			func() { f.Work = rapid.Permutation(f.Work).Draw(t, "work") },
			func() { f.Blocks = rapid.Permutation(f.Blocks).Draw(t, "blocks") },
			func() { f.Counters = rapid.Permutation(f.Counters).Draw(t, "counters") },
		} {
			shuffle()
			again, err = billing.Decide(f)
			require.NoError(t, err)
			require.Equal(t, first.Digest(), again.Digest())
		}
		slices.Reverse(f.Contracts)
		again, err = billing.Decide(f)
		require.NoError(t, err)
		require.Equal(t, first.Totals(), again.Totals())
	})
}

func TestPropertyWantCoversWhatDecideReads(t *testing.T) {
	docs := mixedContracts(t)
	rapid.Check(t, func(t *rapid.T) {
		f := drawn(t, docs)
		wants := billing.Want(f)
		require.True(t, slices.IsSorted(wants.Counters))
		require.True(t, slices.IsSorted(wants.Blocks))
		d, err := billing.Decide(f)
		require.NoError(t, err)
		for _, c := range every(d) {
			for _, count := range c.Counts {
				require.Contains(t, wants.Counters, count.Key)
			}
			if c.Kind == billing.BlockDraw {
				require.Contains(t, wants.Blocks, c.Contract)
			}
		}
	})
}

func TestPropertyReversingAllLeavesNothing(t *testing.T) {
	docs := mixedContracts(t)
	rapid.Check(t, func(t *rapid.T) {
		f := drawn(t, docs[:1])
		f.Contracts = docs[:1]
		l := ledger{terms: docs[0].Terms, counters: slices.Clone(f.Counters), blocks: slices.Clone(f.Blocks)}
		start, blocks := slices.Clone(l.counters), slices.Clone(l.blocks)
		for range rapid.IntRange(1, 4).Draw(t, "closures") {
			f.Blocks, f.Counters = slices.Clone(l.blocks), slices.Clone(l.counters)
			d, err := billing.Decide(f)
			require.NoError(t, err)
			l.post(d.Charges...)
		}
		posted := len(l.posted)
		order := make([]int, posted)
		for i := range order {
			order[i] = i
		}
		if posted > 0 {
			order = rapid.Permutation(order).Draw(t, "order")
		}
		for _, i := range order {
			l.reverse(t, i)
		}
		require.True(t, l.total().IsZero(), "left: %s", l.total())
		require.Equal(t, blocks, l.blocks, "draws go back")
		for _, c := range l.counters {
			was := decimal.Zero
			for _, s := range start {
				if s.Key == c.Key {
					was = s.Value
				}
			}
			require.True(t, c.Value.Equal(was), "counter %s", c.Key)
		}
	})
}

func TestPropertyRaisingARateNeverBillsLess(t *testing.T) {
	low := version(t, contract("HB-1", fmt.Sprintf(mixed, times[0])))
	high := version(t, strings.NewReplacer("97.31", "97.32", "181.17", "210", "41.77", "42").Replace(contract("HB-1", fmt.Sprintf(mixed, times[0]))))
	rapid.Check(t, func(t *rapid.T) {
		f := drawn(t, []billing.Version{low})
		f.Contracts = []billing.Version{low}
		before, err := billing.Decide(f)
		require.NoError(t, err)
		f.Contracts = []billing.Version{high}
		after, err := billing.Decide(f)
		require.NoError(t, err)
		was, is := every(before), every(after)
		require.Len(t, is, len(was))
		for i := range was {
			require.False(t, is[i].Exact.LessThan(was[i].Exact), "%s costs %s, and %s at higher rates", was[i].Key, was[i].Exact, is[i].Exact)
		}
	})
}

func TestPropertyHalfEvenAndHalfUp(t *testing.T) {
	bank, up := version(t, contract("TM-1", "rounding: half-even\nrates: [{hourly: 0.01}]\nlines: [{clause: T1, name: Support, charge: time}]")),
		version(t, contract("TM-1", "rates: [{hourly: 0.01}]\nlines: [{clause: T1, name: Support, charge: time}]"))
	cent := dec("0.01")
	rapid.Check(t, func(t *rapid.T) {
		w := work(1, noon, rapid.OneOf(rapid.Int64Range(1, 1000).AsAny(), rapid.Int64Range(1, 24*hour).AsAny()).Draw(t, "ms").(int64))
		amounts := make([]decimal.Decimal, 2)
		for i, v := range []billing.Version{bank, up} {
			d, err := billing.Decide(facts([]billing.Version{v}, w))
			require.NoError(t, err)
			amounts[i] = d.Charges[0].Amount
			off := amounts[i].Mul(decimal.NewFromInt(hour)).Sub(decimal.NewFromInt(w.MS).Mul(cent)).Abs()
			require.False(t, off.Mul(dec("2")).GreaterThan(decimal.NewFromInt(hour).Mul(cent)), "%d ms cost %s", w.MS, amounts[i])
		}
		require.False(t, amounts[1].LessThan(amounts[0]))
	})
}
