package billing_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
)

// TestUndoingATicketThatWasFreeUnderACap: the fourth and fifth ticket cost, and the cap takes four off. Without the first,
// which cost nothing, only one of them would have cost, and the cap would have taken nothing.
func TestUndoingATicketThatWasFreeUnderACap(t *testing.T) {
	b := &book{version: version(t, contract("ALL-1", "lines: [{clause: U1, name: Ticket, charge: per-ticket, price: 12, included: 3, cap: 20}]"))}
	for range 5 {
		b.close(t, facts([]billing.Version{b.version}, work(1, noon, minute)))
		b.proved(t)
	}
	posted, _ := b.total()
	require.Equal(t, "20", posted.String())
	b.undo(t, b.rounds[0])
	b.proved(t)
	posted, _ = b.total()
	require.Equal(t, "12", posted.String())
	for _, i := range []int{4, 1, 3, 2} {
		b.undo(t, b.rounds[i])
		b.proved(t)
	}
	posted, _ = b.total()
	require.True(t, posted.IsZero())
}

// TestUndoingAgentsTimeUnderACap: 0.08, 0.09 and 0.08 are capped at 0.10. What is undone comes to 0.08, not to what it
// posted, and the cap gives back as much.
func TestUndoingAgentsTimeUnderACap(t *testing.T) {
	b := &book{version: version(t, contract("ALL-1", "rates: [{actor: ai, hourly: 150}]\nlines: [{clause: T1, name: Agents, charge: time, cap: 0.10}]"))}
	for range 3 {
		b.close(t, facts([]billing.Version{b.version}, aiWork(1, noon, 2*second)))
	}
	posted, _ := b.total()
	require.Equal(t, "0.1", posted.String())
	b.undo(t, b.rounds[1])
	posted, _ = b.total()
	require.Equal(t, "0.1", posted.String(), "the others alone come to 0.17, capped")
	b.undo(t, b.rounds[0])
	posted, _ = b.total()
	require.Equal(t, "0.08", posted.String())
}
