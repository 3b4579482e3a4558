package billing_test

import (
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
)

// ledger posts decisions one after another as a store does: counters and blocks move on.
type ledger struct {
	terms    *billing.Terms
	counters []billing.Counter
	blocks   []billing.Block
	posted   []billing.Charge
}

func (l *ledger) post(charges ...billing.Charge) {
	for _, c := range charges {
		for _, count := range c.Counts {
			l.count(count)
		}
		for _, draw := range c.Draws {
			for i := range l.blocks {
				if l.blocks[i].ID == draw.Block {
					l.blocks[i].LeftMS -= draw.MS
				}
			}
		}
		l.posted = append(l.posted, c)
	}
}

func (l *ledger) count(c billing.Count) {
	for i := range l.counters {
		if l.counters[i].Key == c.Key {
			l.counters[i].Value = l.counters[i].Value.Add(c.Quantity)
			return
		}
	}
	l.counters = append(l.counters, billing.Counter{Key: c.Key, Value: c.Quantity})
}

func (l *ledger) reverse(t require.TestingT, i int) billing.Charge {
	r, err := billing.Reverse(int64(i), l.posted[i], l.terms, l.counters)
	require.NoError(t, err)
	l.post(r)
	return r
}

func (l *ledger) total() decimal.Decimal {
	sum := decimal.Zero
	for _, c := range l.posted {
		sum = sum.Add(c.Amount)
	}
	return sum
}

func TestReverse(t *testing.T) {
	l := ledger{blocks: []billing.Block{block(7, hour)}}
	f := withBlocks(t, "", l.blocks, work(1, noon, 90*minute))
	l.terms = f.Contracts[0].Terms
	l.post(decide(t, f).Charges...)
	require.Zero(t, l.blocks[0].LeftMS)

	draw, overage := l.reverse(t, 0), l.reverse(t, 1)
	require.Equal(t, "reversal B1 -1 h × 0 = 0 [block 7: -60 min] hidden", render([]billing.Charge{draw}), "a zero charge reverses as a hidden one")
	require.Equal(t, "reversal B1 -0.5 h × 150 = -75", render([]billing.Charge{overage}))
	require.Equal(t, "reversal/1", overage.Key)
	require.EqualValues(t, 1, overage.Reverses)
	require.Empty(t, overage.Spans)
	require.Equal(t, hour, l.blocks[0].LeftMS)
	require.True(t, l.total().IsZero())

	_, err := billing.Reverse(9, draw, l.terms, nil)
	require.ErrorContains(t, err, "is a reversal itself")
}

func TestReverseOneLeavesThePeriodAsWithoutIt(t *testing.T) {
	t.Run("AI time", func(t *testing.T) {
		f := under(t, contract("TM-1", timeAndMaterials), aiWork(1, noon, 2*second))
		l := ledger{terms: f.Contracts[0].Terms}
		for range 3 {
			f.Counters = l.counters
			l.post(decide(t, f).Charges...)
		}
		// 2 s cost 0.0833…: 0.08, then 0.17, then 0.25.
		require.Equal(t, "time T1 2 s × 150 = 0.08\ntime T1 2 s × 150 = 0.09\ntime T1 2 s × 150 = 0.08", render(l.posted))
		require.Equal(t, "-0.08", l.reverse(t, 1).Amount.String(), "F(4 s) − F(6 s), not the 0.09 that posted")
		require.Equal(t, "0.17", l.total().String(), "two of them")
		l.reverse(t, 0)
		l.reverse(t, 2)
		require.True(t, l.total().IsZero(), "all reversed leaves zero")
	})
	t.Run("included tickets", func(t *testing.T) {
		f := under(t, contract("PT-1", "lines: [{clause: U1, name: Ticket, charge: per-ticket, price: 12.00, included: 1}]"), work(1, noon, minute))
		l := ledger{terms: f.Contracts[0].Terms}
		for range 2 {
			f.Counters = l.counters
			l.post(decide(t, f).Charges...)
		}
		require.Equal(t, "12", l.total().String())
		require.Equal(t, "-12", l.reverse(t, 1).Amount.String(), "without the free one, the second would have been free")
		require.True(t, l.total().IsZero())
		require.True(t, l.reverse(t, 3).Amount.IsZero())
		require.Equal(t, "0", l.counters[0].Value.String())
	})
	t.Run("needs the counter and the terms", func(t *testing.T) {
		f := under(t, contract("TM-1", timeAndMaterials), aiWork(1, noon, 2*second))
		c := decide(t, f).Charges[0]
		_, err := billing.Reverse(1, c, nil, nil)
		require.ErrorContains(t, err, "needs the terms")
		_, err = billing.Reverse(1, c, f.Contracts[0].Terms, nil)
		require.ErrorContains(t, err, "is not given")
		_, err = billing.Reverse(1, c, f.Contracts[0].Terms, []billing.Counter{{Key: c.Counts[0].Key, Value: dec("1")}})
		require.ErrorContains(t, err, "below the 2")
	})
}
