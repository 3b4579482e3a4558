package postgres

import (
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/ticket"
)

// Whoever gets a ticket hears of it, and whoever has one, or had it, hears what another did to it; nobody hears of his
// own deed.
func TestWhoeverHasATicketHearsWhatBecomesOfIt(t *testing.T) {
	k := newKit(t)
	_, err := k.pool.Exec(k.ctx, "update people set email = id || '@example.com'")
	require.NoError(t, err)
	var seen int64
	hears := func(what string, want ...string) {
		t.Helper()
		rows, err := k.pool.Query(k.ctx, `
select 'T-' || n.ticket || ' ' || n.tells || ' to ' || coalesce(nullif(n.recipient, ''), 'nobody') || ': ' || n.says, n.id from notices n where n.id > $1 order by n.id`, seen)
		require.NoError(t, err)
		told := []string{}
		var says string
		_, err = pgx.ForEachRow(rows, []any{&says, &seen}, func() error {
			told = append(told, says)
			return nil
		})
		require.NoError(t, err)
		require.Equal(t, append([]string{}, want...), told, what)
	}

	one, two := k.open("northwind"), k.open("northwind")
	hears("routing", fmt.Sprintf("%s assigned to ada: %s", one, k.brief(one).Assigned.Says), fmt.Sprintf("%s assigned to bob: %s", two, k.brief(two).Assigned.Says))
	claim := func(id ticket.ID, who string) {
		t.Helper()
		m := ticket.Claim{Header: k.by(who)}
		for range 2 {
			_, err := k.Claim(k.ctx, id, m)
			require.NoError(t, err)
		}
	}
	claim(one, "ada")
	hears("a claim of what was his")
	claim(two, "ada")
	claim(two, "bob")
	hears("a claim of what was another's",
		fmt.Sprintf("%s changed to bob: Ada claimed %s, which was routed to Bob.", two, two),
		fmt.Sprintf("%s changed to ada: Bob took %s over from Ada.", two, two))

	merge := ticket.Merge{Header: k.by("dora"), Into: one}
	_, err = k.Merge(k.ctx, two, merge)
	require.NoError(t, err)
	hears("a merge",
		fmt.Sprintf("%s changed to ada: %s took over the work and the conversation of %s.", one, one, two),
		fmt.Sprintf("%s changed to bob: Dora merged %s into %s.", two, two, one))
	_, err = k.Unmerge(k.ctx, two, ticket.Unmerge{Header: k.by("dora"), Reason: "They are two"})
	require.NoError(t, err)
	hears("a merge taken back", fmt.Sprintf("%s changed to ada: %s went on by itself again, with its own work and conversation.", one, two))

	_, err = k.Escalate(k.ctx, one, ticket.Escalate{Header: k.by("dora"), To: "bob", Reason: "he knows it"})
	require.NoError(t, err)
	hears("handed on by another",
		fmt.Sprintf("%s escalated to bob: %s was escalated from Ada to Bob: he knows it", one, one),
		fmt.Sprintf("%s changed to ada: %s was escalated from Ada to Bob: he knows it", one, one))
	_, err = k.Escalate(k.ctx, one, ticket.Escalate{Header: k.by("bob"), To: "ada", Reason: "she had it"})
	require.NoError(t, err)
	hears("handed on by himself", fmt.Sprintf("%s escalated to ada: %s was escalated from Bob to Ada: she had it", one, one))

	_, err = k.Log(k.ctx, one, ticket.Work{Header: k.by("ada"), Entry: k.work()})
	require.NoError(t, err)
	var row int64
	require.NoError(t, k.pool.QueryRow(k.ctx, "select id from work_entries").Scan(&row))
	off, err := k.Split(k.ctx, one, ticket.SplitOff{Header: k.by("dora"), Subject: "The other thing", Category: "email", Work: []int64{row}})
	require.NoError(t, err)
	hears("a split", fmt.Sprintf("%s changed to ada: %s", one, off.Says))
	moved, err := k.Move(k.ctx, one, ticket.Move{Header: k.by("dora"), Client: "contoso", Reason: "theirs"})
	require.NoError(t, err)
	require.True(t, moved.Effect, moved.Says)
	hears("a move to another client", fmt.Sprintf("%s changed to ada: %s", one, moved.Says))
}
