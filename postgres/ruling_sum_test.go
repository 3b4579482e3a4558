package postgres_test

import (
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/ticket"
)

// outside has two clauses that each put work out of scope, so that one ticket waits for two rulings.
const outside = `
schema: docket.contract/v1
contract: acme-outside
client: acme
name: Time and materials
effective_from: "2026-01-01"
currency: USD
time_zone: America/New_York
rates:
  - {clause: "3.1", work_role: engineer, hourly: "150.00"}
lines:
  - {clause: "2.1", name: Visits, charge: out-of-scope, match: {categories: [email], work_types: [onsite]}}
  - {clause: "2.2", name: Migration, charge: out-of-scope, match: {categories: [email], work_types: [remote]}}
`

// Two write-offs of 600.00 on one ticket are one of 1,200.00, which is above the 1,000.00 that a dispatcher gives away alone.
func TestALimitHoldsForAllThatSomebodyGivesAwayOnATicket(t *testing.T) {
	open := func(t *testing.T) (*till, ticket.ID, []billing.HeldQuote) {
		k := newTill(t, outside)
		require.NoError(t, k.PutPerson(t.Context(), postgres.Staffing{Person: ticket.Person{ID: "dan", Name: "Dan", Kind: ticket.Human, Roles: []string{"dispatcher"}}}))
		id := k.ticket("email")
		return k, id, k.twoHolds(id, 1)
	}
	t.Run("hold by hold", func(t *testing.T) {
		k, id, held := open(t)
		first := k.rule(id, "dora", held[0].Hold, ticket.WriteOff, ticket.RuleTerms{})
		require.Equal(t, billing.Settled, first.Outcome, first.Says)
		require.Equal(t, "600", first.GivesUp.String())

		second := k.rule(id, "dora", held[1].Hold, ticket.Cover, ticket.RuleTerms{})
		require.Equal(t, billing.Proposed, second.Outcome, "by another name, too: %s", second.Says)
		require.Contains(t, second.Says, "Dora proposes cover of 600.00 USD, with the 600.00 USD that he gave away on the same ticket before above the 1000.00 USD that he may decide alone")
		confirm := ticket.Confirm{Header: k.by("dan"), Hold: held[1].Hold, Proposal: second.Proposal, Agreed: true}
		done, err := k.Confirm(t.Context(), id, confirm)
		require.NoError(t, err)
		require.Equal(t, billing.Settled, done.Outcome, "dan has given nothing away on it, and 600.00 is within his own limit")
		require.Equal(t, "0.00", k.owed())
		k.proved()
	})
	t.Run("what bills gives nothing away", func(t *testing.T) {
		k, id, held := open(t)
		require.Equal(t, billing.Settled, k.rule(id, "dora", held[0].Hold, ticket.Bill, ticket.RuleTerms{}).Outcome)
		require.Equal(t, billing.Settled, k.rule(id, "dora", held[1].Hold, ticket.WriteOff, ticket.RuleTerms{}).Outcome)
		require.Equal(t, "600.00", k.owed())
		k.proved()
	})
	t.Run("of another person, or in parts within it", func(t *testing.T) {
		k, id, held := open(t)
		half := ticket.RuleTerms{BillAmount: "300.00", Rest: ticket.WriteOff}
		require.Equal(t, billing.Settled, k.rule(id, "dora", held[0].Hold, ticket.Split, half).Outcome)
		require.Equal(t, billing.Settled, k.rule(id, "dan", held[1].Hold, ticket.WriteOff, ticket.RuleTerms{}).Outcome)
		require.Equal(t, "300.00", k.owed())
		k.proved()
	})
	t.Run("of one round: what a reopening has taken back counts no longer", func(t *testing.T) {
		k, id, held := open(t)
		require.Equal(t, billing.Settled, k.rule(id, "dora", held[0].Hold, ticket.WriteOff, ticket.RuleTerms{}).Outcome)
		k.reopen(id)
		k.begin(id, 2)
		again := k.close(id, 2).Held
		require.Len(t, again, 2)
		require.Equal(t, billing.Settled, k.rule(id, "dora", again[0].Hold, ticket.WriteOff, ticket.RuleTerms{}).Outcome)
		k.proved()
	})
}

// twoHolds closes the ticket with four hours on site and four at the desk, of 600.00 each, which wait apart.
func (k *till) twoHolds(id ticket.ID, round int) []billing.HeldQuote {
	k.t.Helper()
	desk, visit := k.minutes("tom", 240), k.minutes("tom", 240)
	visit.WorkType, visit.StartedAt = "onsite", desk.StartedAt.Add(-5*time.Hour)
	held := k.close(id, round, desk, visit).Held
	require.Len(k.t, held, 2)
	for _, q := range held {
		require.Equal(k.t, "600.00", q.Amount.StringFixed(2))
	}
	return held
}

// What no price could be found for is within nobody's limit, where one was set: covering it gives away nobody knows what.
func TestWhatHasNoPriceIsAboveALimitThatWasSet(t *testing.T) {
	k := newTill(t, hourly)
	unpriced := func() (ticket.ID, int64) {
		id := k.ticket("email")
		r, err := k.Close(t.Context(), id, 1, k.resolve("bot", k.minutes("bot", 1)))
		require.NoError(t, err)
		require.Equal(t, billing.NoRate, r.Held[0].Reason)
		return id, r.Held[0].Hold
	}
	id, hold := unpriced()
	require.Equal(t, billing.Settled, k.rule(id, "dora", hold, ticket.Cover, ticket.RuleTerms{}).Outcome, "nobody has set a limit")

	require.NoError(t, k.SetRulingLimit(t.Context(), postgres.RulingLimit{
		Role: "dispatcher", Action: billing.WriteOff, Currency: "USD", Amount: decimal.RequireFromString("5000"), By: "olga",
	}))
	id, hold = unpriced()
	for _, action := range []ticket.Ruling{ticket.Cover, ticket.WriteOff} {
		p := k.rule(id, "dora", hold, action, ticket.RuleTerms{})
		require.Equal(t, billing.Proposed, p.Outcome, p.Says)
		require.Contains(t, p.Says, "Dora proposes "+string(action)+" of what has no price, so that nobody can say that it is within the 5000.00 USD that he may decide alone")
		agreed := action == ticket.WriteOff
		s, err := k.Confirm(t.Context(), id, ticket.Confirm{Header: k.by("olga"), Hold: hold, Proposal: p.Proposal, Agreed: agreed, Reason: "say why"})
		require.NoError(t, err)
		require.Equal(t, map[bool]billing.Outcome{true: billing.Settled, false: billing.Rejected}[agreed], s.Outcome, s.Says)
	}
	id, hold = unpriced()
	billed, err := k.Rule(t.Context(), id, ticket.Rule{Header: k.by("dora"), Hold: hold, Action: ticket.Bill, Reason: "agreed", Hourly: "30.00"})
	require.NoError(t, err)
	require.Equal(t, billing.Settled, billed.Outcome, "a price gives nothing away")

	id = k.ticket("email")
	none := k.close(id, 1).Held
	require.Equal(t, billing.NoTime, none[0].Reason)
	require.Equal(t, billing.Settled, k.rule(id, "dora", none[0].Hold, ticket.Cover, ticket.RuleTerms{}).Outcome, "where there is no work, nothing is given away")
	k.proved()
}

// A ruling that waits for a second person is told apart from the hold that waits for a ruling, until it is answered or falls.
func TestWhatWaitsForASecondPersonIsSeen(t *testing.T) {
	k := newTill(t, hourly)
	id := k.ticket("project")
	q := k.close(id, 1, k.minutes("tom", 480)).Held[0]
	seen := func(n int) {
		t.Helper()
		waits, err := k.Waits(t.Context(), k.now())
		require.NoError(t, err)
		require.Equal(t, n, waits.Proposals)
		found, err := k.Doctor(t.Context(), postgres.Patience{})
		require.NoError(t, err)
		var why []string
		for _, f := range found {
			if f.Owner == "owner" && f.What == ticket.HoldID(q.Hold) {
				why = append(why, f.Why)
			}
		}
		require.Len(t, why, n)
		if n > 0 {
			require.Equal(t, time.Hour, waits.ProposalsOldest)
			require.Contains(t, why[0], "a second person has neither confirmed nor rejected it. "+ticket.HoldID(q.Hold)+": Dora proposes write-off of 1200.00 USD")
		}
	}
	seen(0)
	p := k.rule(id, "dora", q.Hold, ticket.WriteOff, ticket.RuleTerms{})
	k.pass(time.Hour)
	seen(1)
	_, err := k.Confirm(t.Context(), id, ticket.Confirm{Header: k.by("olga"), Hold: q.Hold, Proposal: p.Proposal, Reason: "no"})
	require.NoError(t, err)
	seen(0)
	k.rule(id, "dora", q.Hold, ticket.WriteOff, ticket.RuleTerms{})
	k.pass(time.Hour)
	seen(1)
	k.reopen(id)
	seen(0)
}
