package workflows_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"github.com/docket-psa/docket/ticket"
)

// The run of a ticket that was moved shows whose it is now, and is found under that client.
func TestEdge53AMovedTicketIsReadAgain(t *testing.T) {
	d := newDesk(t)
	d.store.targets = ticket.Deadlines{Resolution: monday.Add(8 * time.Hour)}
	client := temporal.NewSearchAttributeKeyKeyword(ticket.AttrClient)
	var shown []string
	d.OnUpsertTypedSearchAttributes(mock.MatchedBy(func(a temporal.SearchAttributes) bool {
		if c, ok := a.GetKeyword(client); ok {
			shown = append(shown, c)
		}
		return true
	})).Return(nil)
	d.at(time.Hour, func() {
		d.store.mu.Lock()
		d.store.client, d.store.deadlines = "contoso", ticket.Deadlines{Resolution: monday.Add(24 * time.Hour)}
		d.store.mu.Unlock()
		d.SignalWorkflow(string(ticket.MsgMoved), ticket.Moved{Header: head("n1")})
	})
	d.at(2*time.Hour, func() {
		at := d.status()
		require.Equal(t, "contoso", at.Client)
		require.Equal(t, monday.Add(24*time.Hour), at.DueAt.UTC(), "and it is due as the other contract says")
	})
	d.after(3*time.Hour, ticket.MsgMoved, ticket.Moved{Header: head("n2")}) // told twice
	closed := d.ask(4*time.Hour, ticket.MsgResolve, "r1", resolve("r1"))
	require.Equal(t, ticket.Posted, d.run().Stage)
	require.True(t, closed.done)
	require.Equal(t, "contoso", shown[len(shown)-1])
	require.NotContains(t, d.store.asked(), "breach resolution", "it was not late for the new client")
}
