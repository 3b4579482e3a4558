package postgres_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

func TestThresholdWaitsForTheClient(t *testing.T) {
	k := newTill(t, hourly)
	id := k.ticket("email")

	receipt := k.close(id, 1, k.minutes("tom", 240))
	require.Empty(t, receipt.Posted)
	require.Len(t, receipt.Held, 1)
	held := receipt.Held[0]
	require.Equal(t, "600.00", held.Amount.StringFixed(2))
	require.Equal(t, billing.OverThreshold, held.Reason)
	require.Equal(t, "0.00", k.owed())
	k.proved()

	sign := func(who, digest string, yes bool) billing.Settlement {
		s, err := k.SignOff(t.Context(), id, ticket.SignOff{Header: k.by(who), Hold: held.Hold, Digest: digest, Approved: yes, Reason: "too much"})
		require.NoError(t, err)
		return s
	}
	require.Equal(t, billing.Refused, sign("zoe", held.Digest, true).Outcome, "an approver of another client")
	require.Equal(t, billing.Refused, sign("tom", held.Digest, true).Outcome, "one of ours cannot agree for the client")
	require.Equal(t, billing.Refused, sign("ben", held.Digest, true).Outcome, "the delegate, while she is here")
	require.Equal(t, billing.Stale, sign("ann", "another", true).Outcome, "another quote")
	require.Equal(t, "0.00", k.owed())

	settled := sign("ann", held.Digest, true)
	require.Equal(t, billing.Settled, settled.Outcome)
	require.Len(t, settled.Posted, 1)
	require.Empty(t, settled.Held)
	require.Equal(t, "600.00", k.owed())
	require.Equal(t, billing.Already, sign("ann", held.Digest, true).Outcome)
	require.Equal(t, "600.00", k.owed())
	k.proved()
}

// A sign-off that names another ticket than the quote's, be it of his own client, is told where the quote is.
func TestASignOffForAnothersTicketIsAnswered(t *testing.T) {
	k := newTill(t, hourly)
	id, other := k.ticket("email"), k.ticket("email")
	k.tamper("update tickets set client_id = 'zenith', contract_id = null where number = $1", other.Number())
	held := k.close(id, 1, k.minutes("tom", 240)).Held[0]
	for _, who := range []string{"ann", "zoe"} {
		_, err := k.SignOff(t.Context(), other, ticket.SignOff{Header: k.by(who), Hold: held.Hold, Digest: held.Digest, Approved: true})
		require.ErrorContains(t, err, `hold "`+ticket.HoldID(held.Hold)+`" is not on `+string(other)+": it is on "+string(id))
	}
	_, err := k.SignOff(t.Context(), other, ticket.SignOff{Header: k.by("ann"), Hold: 4711, Digest: held.Digest, Approved: true})
	require.ErrorContains(t, err, `hold "H-4711" is not known`)
	require.Equal(t, "0.00", k.owed())
	require.Equal(t, billing.Settled, k.sign(id, "ann", held).Outcome, "and it still stands where it is")
	k.tamper("update tickets set client_id = 'acme' where number = $1", other.Number())
	k.proved()
}

func TestEdge49SignOffAfterTheTimeRanOut(t *testing.T) {
	k := newTill(t, hourly)
	id := k.ticket("email")
	first := k.close(id, 1, k.minutes("tom", 240)).Held[0]
	k.pass(73 * time.Hour)

	late, err := k.SignOff(t.Context(), id, ticket.SignOff{Header: k.by("ann"), Hold: first.Hold, Digest: first.Digest, Approved: true})
	require.NoError(t, err)
	require.Equal(t, billing.Stale, late.Outcome)

	fresh, err := k.Overdue(t.Context(), id, first.Hold, 0)
	require.NoError(t, err)
	require.Equal(t, 1, fresh.Step)
	require.NotEqual(t, first.Digest, fresh.Digest)
	require.Contains(t, fresh.Approvers, "ben", "the chain goes up to her delegate")
	again, err := k.Overdue(t.Context(), id, first.Hold, 0)
	require.NoError(t, err)
	require.Equal(t, fresh.Digest, again.Digest, "a repeated timer asks nobody again")

	stale, err := k.SignOff(t.Context(), id, ticket.SignOff{Header: k.by("ann"), Hold: first.Hold, Digest: first.Digest, Approved: true})
	require.NoError(t, err)
	require.Equal(t, billing.Stale, stale.Outcome)
	yes, err := k.SignOff(t.Context(), id, ticket.SignOff{Header: k.by("ben"), Hold: first.Hold, Digest: fresh.Digest, Approved: true})
	require.NoError(t, err)
	require.Equal(t, billing.Settled, yes.Outcome)
	require.Equal(t, "600.00", k.owed())
	none, err := k.Overdue(t.Context(), id, first.Hold, 1)
	require.NoError(t, err)
	require.Zero(t, none.Hold, "decided")
}

func TestEdge65AHeldLineReservesItsBlockMinutes(t *testing.T) {
	k := newTill(t, blocks)
	k.grant(1)
	// 6 h: one from the block, five hours of overage at 120.00 = 600.00, above the threshold.
	id := k.ticket("network")
	held := k.close(id, 1, k.minutes("tom", 360)).Held
	require.Len(t, held, 1)
	left := k.hoursLeft()

	// Another closing neither takes what is reserved nor makes the quote stale.
	k.close(k.ticket("network"), 1, k.minutes("tom", 30))
	k.proved()
	s, err := k.SignOff(t.Context(), id, ticket.SignOff{Header: k.by("ann"), Hold: held[0].Hold, Digest: held[0].Digest, Approved: true})
	require.NoError(t, err)
	require.Equal(t, billing.Settled, s.Outcome)
	require.Equal(t, left, k.hoursLeft(), "settling consumes what was reserved")
	require.Equal(t, "660.00", k.owed())
	k.proved()
}

func TestDeclinedIsRuledOn(t *testing.T) {
	for _, tt := range []struct {
		action ticket.Ruling
		owed   string
		left   string
	}{
		{ticket.Bill, "600.00", "0"},
		{ticket.Cover, "0.00", "1"},
		{ticket.WriteOff, "0.00", "1"},
	} {
		t.Run(string(tt.action), func(t *testing.T) {
			k := newTill(t, blocks)
			k.grant(1)
			id := k.ticket("network")
			q := k.close(id, 1, k.minutes("tom", 360)).Held[0]

			early, err := k.Rule(t.Context(), id, ticket.Rule{Header: k.by("dora"), Hold: q.Hold, Action: ticket.Bill, Reason: "now"})
			require.NoError(t, err)
			require.Equal(t, billing.Refused, early.Outcome, "what the client was asked cannot be billed without the client")

			no, err := k.SignOff(t.Context(), id, ticket.SignOff{Header: k.by("ann"), Hold: q.Hold, Digest: q.Digest, Reason: "too much"})
			require.NoError(t, err)
			require.Equal(t, billing.Passed, no.Outcome)
			require.Len(t, no.Held, 1)
			require.Equal(t, billing.Declined, no.Held[0].Reason)

			ruled, err := k.Rule(t.Context(), id, ticket.Rule{Header: k.by("dora"), Hold: q.Hold, Action: tt.action, Reason: "agreed by phone"})
			require.NoError(t, err)
			require.Equal(t, billing.Settled, ruled.Outcome)
			require.Equal(t, tt.owed, k.owed())
			if tt.action == ticket.Bill {
				require.Equal(t, "0", k.hoursLeft())
			} else {
				require.NotEqual(t, "0", k.hoursLeft(), "waived: what was reserved is released")
			}
			k.proved()
		})
	}
}

func TestOutOfScopeAndNoRateWaitForADispatcher(t *testing.T) {
	k := newTill(t, hourly)
	project := k.ticket("project")
	out := k.close(project, 1, k.minutes("tom", 60)).Held
	require.Len(t, out, 1)
	require.Equal(t, billing.OutOfScope, out[0].Reason)
	for _, action := range []ticket.Ruling{ticket.Bill, ticket.Cover, ticket.WriteOff} { // it would be passed over
		m := ticket.Rule{Header: k.by("dora"), Hold: out[0].Hold, Action: action, Reason: "for less", Hourly: "20.00"}
		refused, err := k.Rule(t.Context(), project, m)
		require.NoError(t, err)
		require.Equal(t, billing.Refused, refused.Outcome, action)
		require.Contains(t, refused.Says, "takes no rate by the ruling "+string(action))
	}

	ai := k.ticket("email")
	entry := k.minutes("bot", 1)
	r, err := k.Close(t.Context(), ai, 1, k.resolve("bot", entry))
	require.NoError(t, err)
	require.Len(t, r.Held, 1)
	require.Equal(t, billing.NoRate, r.Held[0].Reason, "AI work is never billed at a human rate")

	_, err = k.Rule(t.Context(), ai, ticket.Rule{Header: k.by("dora"), Hold: r.Held[0].Hold, Action: ticket.Bill, Reason: "agreed"})
	var p *ticket.Problem
	require.ErrorAs(t, err, &p)
	require.Equal(t, "hourly", p.Field)
	ruled, err := k.Rule(t.Context(), ai, ticket.Rule{Header: k.by("dora"), Hold: r.Held[0].Hold, Action: ticket.Bill, Reason: "agreed", Hourly: "30.00"})
	require.NoError(t, err)
	require.Equal(t, billing.Settled, ruled.Outcome)
	require.Equal(t, "0.50", k.owed())
	k.proved()
}
