package postgres_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/ticket"
)

// withFinance adds fay, of finance, and gives everybody an address.
func (k *till) withFinance() {
	k.t.Helper()
	require.NoError(k.t, k.PutPerson(k.t.Context(), postgres.Staffing{Person: ticket.Person{ID: "fay", Name: "Fay", Kind: ticket.Human, Roles: []string{"finance"}}}))
	k.mailbox()
}

func TestASecondPersonHearsThatHisWordIsAsked(t *testing.T) {
	k := newTill(t, hourly)
	k.withFinance()
	id := k.ticket("project")
	q := k.close(id, 1, k.minutes("tom", 480)).Held[0]
	p := k.rule(id, "dora", q.Hold, ticket.WriteOff, ticket.RuleTerms{})
	require.Equal(t, billing.Proposed, p.Outcome, p.Says)
	require.Equal(t, []string{"exception H-1 mail dora waiting", "proposed H-1 mail olga waiting"}, k.told(), "finance may not rule in this queue")

	say := ticket.Confirm{Header: k.by("olga"), Hold: q.Hold, Proposal: p.Proposal, Reason: "Not again."}
	for range 2 {
		_, err := k.Confirm(t.Context(), id, say)
		require.NoError(t, err)
	}
	require.Equal(t, []string{"rejected H-1 mail dora waiting"}, k.told()[2:])

	p = k.rule(id, "dora", q.Hold, ticket.WriteOff, ticket.RuleTerms{})
	s, err := k.Confirm(t.Context(), id, ticket.Confirm{Header: k.by("olga"), Hold: q.Hold, Proposal: p.Proposal, Agreed: true})
	require.NoError(t, err)
	require.Equal(t, billing.Settled, s.Outcome, s.Says)
	require.Equal(t, []string{"proposed H-1 mail olga waiting", "ruled H-1 mail tom waiting"}, k.told()[3:])
}

func TestWhoseQueueItIsHearsOfAnException(t *testing.T) {
	k := newTill(t, ordered)
	k.withFinance()
	id := k.ticket("email")
	q := k.close(id, 1, k.minutes("tom", 180)).Held[0]
	require.Equal(t, billing.OrderUsedUp, q.Reason)
	require.Equal(t, []string{"exception H-1 mail fay waiting"}, k.told())
	k.pass(5 * time.Hour)
	_, err := k.Overdue(t.Context(), id, q.Hold, 0)
	require.NoError(t, err)
	require.Equal(t, []string{"overdue H-1 mail dora waiting", "overdue H-1 mail fay waiting"}, k.told()[1:])
}
