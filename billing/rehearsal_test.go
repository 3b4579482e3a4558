package billing_test

import (
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
)

// A closing may ask for a counter of which the sketch did not hear, since it stops where hours are wanted: it says so,
// moves nothing, and is the same once it is told.
func TestRehearsalHearsOfCountersAsItDecides(t *testing.T) {
	f := busyFacts(t)
	all := billing.Want(f)
	wants, _, err := billing.Sketch(f)
	require.NoError(t, err)
	require.Equal(t, all.Blocks, wants.Blocks)
	require.NotEmpty(t, all.Counters)
	require.NotSubset(t, wants.Counters, all.Counters)

	r := billing.NewRehearsal()
	told := f.Blocks[0]
	told.GrantedMS = told.LeftMS
	r.Bought(told.Contract, []billing.HeldHours{{Block: told}})
	for _, key := range wants.Counters {
		r.Counter(billing.Counter{Key: key})
	}
	at := f.Ticket.ResolvedAt
	var untold *billing.Untold
	_, err = r.Close(f, wants, at)
	require.ErrorAs(t, err, &untold)
	require.Equal(t, all.Counters, untold.Counters)
	for _, key := range untold.Counters {
		r.Counter(billing.Counter{Key: key})
	}
	decided, err := r.Close(f, wants, at)
	require.NoError(t, err)
	require.Equal(t, decide(t, f), decided)
	for _, key := range all.Counters {
		stands, known := r.Stands(key)
		require.True(t, known)
		require.True(t, stands.GreaterThan(decimal.Zero), "it moved once: %s", stands)
	}
}

// A block is there from when it came on the books, whenever it counts from.
func TestRehearsalKnowsABlockFromWhenItWasEntered(t *testing.T) {
	f := busyFacts(t)
	wants := billing.Want(f)
	at := f.Ticket.ResolvedAt
	for entered, draws := range map[string]bool{"before": true, "after": false} {
		r := billing.NewRehearsal()
		for _, key := range wants.Counters {
			r.Counter(billing.Counter{Key: key})
		}
		block := f.Blocks[0]
		block.GrantedMS = block.LeftMS
		held := billing.HeldHours{Block: block, EnteredAt: at.Add(-1)}
		if entered == "after" {
			held.EnteredAt = at.Add(1)
		}
		r.Bought(block.Contract, []billing.HeldHours{held})
		d, err := r.Close(f, wants, at)
		require.NoError(t, err)
		drawn := false
		for _, c := range d.Charges {
			drawn = drawn || len(c.Draws) > 0
		}
		require.Equal(t, draws, drawn, "entered %s the closing", entered)
	}
}
