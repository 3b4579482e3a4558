package e2e_test

import (
	"context"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

func TestE2EFiftyResolveOneTicket(t *testing.T) {
	t.Parallel()
	const many = 50
	h := open(t)
	h.work()
	id := h.inResolution("email")
	_, err := h.desk.Work(t.Context(), id, ticket.Work{Header: h.by("tom"), Entry: h.minutes(70)})
	require.NoError(t, err)

	receipts := make([]billing.Receipt, many)
	together(many, func(i int) {
		var err error
		receipts[i], err = h.desk.Resolve(context.WithoutCancel(t.Context()), id, h.resolve("tom"))
		require.NoError(t, err)
	})
	for _, r := range receipts {
		require.JSONEq(t, written(t, receipts[0]), written(t, r), "everybody has the first one's receipt")
	}
	h.ends(id)
	require.Equal(t, []string{"187.50"}, h.billed(id))
	require.Len(t, h.told(id, "closed"), 1)
	h.proved(1)
}

func TestE2ELateWorkAgainstAClosing(t *testing.T) {
	t.Parallel()
	const tickets = 8
	h := open(t)
	h.work()
	ids := h.severalInResolution(tickets)
	together(2*tickets, func(i int) {
		ctx, id := context.WithoutCancel(t.Context()), ids[i/2]
		if i%2 == 0 {
			_, err := h.desk.Work(ctx, id, ticket.Work{Header: h.by("dora"), Entry: h.minutes(60)})
			require.NoError(t, err)
			return
		}
		_, err := h.desk.Resolve(ctx, id, h.resolve("tom", h.minutes(30)))
		require.NoError(t, err)
	})
	for _, id := range ids {
		h.reaches(id, ticket.Posted)
		h.until("the work on record", func(context.Context) bool { return len(h.logging(id)) == 1 })
		h.ends(id)
		if work := h.logging(id)[0]; work.Effect {
			require.ElementsMatch(t, []string{"75.00", "150.00"}, h.billed(id), "work that was taken is rated")
		} else {
			require.Contains(t, work.Says, "reopen", "work that came too late says what to do")
			require.Equal(t, []string{"75.00"}, h.billed(id))
		}
	}
	h.proved(tickets)
}

func TestE2EReopeningAgainstSettling(t *testing.T) {
	t.Parallel()
	const tickets = 8
	h := open(t)
	h.work()
	ids := h.severalInResolution(tickets)
	quotes := make([]billing.HeldQuote, tickets)
	for i, id := range ids {
		receipt, err := h.desk.Resolve(t.Context(), id, h.resolve("tom", h.minutes(240)))
		require.NoError(t, err)
		quotes[i] = receipt.Held[0]
	}
	settled, reopened := make([]billing.Settlement, tickets), make([]ticket.Answer, tickets)
	together(2*tickets, func(i int) {
		ctx, n := context.WithoutCancel(t.Context()), i/2
		var err error
		if i%2 == 0 {
			settled[n], err = h.desk.SignOff(ctx, ids[n], h.approve(quotes[n]))
		} else {
			reopened[n], err = h.desk.Reopen(ctx, ids[n], ticket.Reopen{Header: h.by("carl"), Reason: "It is back."})
		}
		require.NoError(t, err)
	})
	for i, id := range ids {
		require.True(t, reopened[i].Effect, reopened[i].Says)
		require.Equal(t, 2, reopened[i].Round)
		h.reaches(id, ticket.Resolution)
		lines := h.billed(id)
		switch settled[i].Outcome {
		case billing.Settled:
			// Told by when they were sent, which need not be the order in which they took effect.
			require.ElementsMatch(t, []string{"600.00", "-600.00"}, lines, "what was signed off was posted, and undone by the reopening")
		case billing.Superseded:
			require.Empty(t, lines)
		case billing.Passed, billing.SentBack, billing.Already, billing.Stale, billing.Refused, billing.Proposed, billing.Rejected:
			require.Fail(t, "no answer to a sign-off that meets a reopening", "%+v", settled[i])
		}
	}
	h.proved(tickets)

	// The next round bills the same work once.
	for i, id := range ids {
		receipt, err := h.desk.Resolve(t.Context(), id, h.resolve("tom"))
		require.NoError(t, err)
		require.Len(t, receipt.Held, 1, "above the threshold again")
		_, err = h.desk.SignOff(t.Context(), id, h.approve(receipt.Held[0]))
		require.NoError(t, err)
		h.ends(id)
		var sum decimal.Decimal
		for _, amount := range h.billed(id) {
			sum = sum.Add(decimal.RequireFromString(amount))
		}
		require.Equal(t, "600.00", sum.StringFixed(2), "ticket %d", i)
	}
	h.proved(2 * tickets)
}

// severalInResolution opens tickets and waits until they can be worked on.
func (h *house) severalInResolution(n int) []ticket.ID {
	h.t.Helper()
	ids := make([]ticket.ID, n)
	for i := range ids {
		ids[i] = h.ticket("email")
	}
	for _, id := range ids {
		h.reaches(id, ticket.Resolution)
	}
	return ids
}

// logging gives what became of messages that log work; the work itself has milliseconds.
func (h *house) logging(id ticket.ID) (messages []ticket.Moment) {
	h.t.Helper()
	for _, m := range h.told(id, string(ticket.MsgWork)) {
		if m.MS == 0 {
			messages = append(messages, m)
		}
	}
	return messages
}
