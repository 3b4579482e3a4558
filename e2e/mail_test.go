package e2e_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

// A sign-off comes in time and then the quote's time runs out, both while no worker is there to see.
func TestE2ESignOffThatCameBeforeTheTimerWins(t *testing.T) {
	t.Parallel()
	for way, send := range ways {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			h := open(t)
			first := h.work()
			id := h.inResolution("email")
			// He says it a while after he was done, so that the client's minute is nearly over.
			m := h.resolve("tom", h.minutes(240))
			m.At = time.Now().Add(-40 * time.Second).UTC()
			receipt, err := h.desk.Resolve(t.Context(), id, m)
			require.NoError(t, err)
			require.Len(t, receipt.Held, 1)
			held := receipt.Held[0]
			h.until("a timer for the quote", func(context.Context) bool {
				return h.happened(id, enumspb.EVENT_TYPE_TIMER_STARTED) > 0
			})
			first.kill9()

			send(h, id, h.approve(held))
			require.True(t, time.Now().Before(held.ExpiresAt), "the machine was too slow for the test's order of events")
			h.until("the timer fired", func(context.Context) bool { return h.happened(id, enumspb.EVENT_TYPE_TIMER_FIRED) > 0 })
			require.Empty(t, h.told(id, string(ticket.MsgSignOff)), "nobody has acted on it yet")

			h.work()
			h.reaches(id, ticket.Posted)
			h.ends(id)
			require.Empty(t, h.told(id, "overdue"), "it was signed off before its time was up")
			h.signedOffOnce(id)
		})
	}
}

// A sign-off comes when the hold is committed and the run does not know of it yet.
func TestE2ESignOffBetweenTheHoldAndTheWaitForItIsKept(t *testing.T) {
	t.Parallel()
	for way, send := range ways {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			h := open(t)
			w := h.workThatStopsClosing()
			id := h.inResolution("email")
			answer := h.resolving(id, h.resolve("tom", h.minutes(240)))
			w.await(saysCommitted)
			holds, err := h.HoldsOf(t.Context(), id)
			require.NoError(t, err)
			require.Len(t, holds, 1)

			before := h.received(id)
			send(h, id, h.approve(holds[0].HeldQuote))
			h.until("the sign-off with the run", func(context.Context) bool { return h.received(id) > before })
			require.Empty(t, h.told(id, string(ticket.MsgSignOff)), "nobody has acted on it yet")
			w.goOn()

			got := <-answer
			require.NoError(t, got.err)
			require.Len(t, got.receipt.Held, 1, "the resolver is told what was true at the closing")
			h.ends(id)
			h.signedOffOnce(id)
		})
	}
}

func TestE2EWorkAndResolutionOfOneBatchAreRatedTogether(t *testing.T) {
	t.Parallel()
	h := open(t)
	id := h.ticket("email")
	// The resolution is first in the mail, and was written first too.
	resolution := h.resolve("tom")
	require.NoError(t, h.temporal.SignalWorkflow(t.Context(), id.WorkflowID(), "", string(ticket.MsgResolve), resolution))
	require.NoError(t, h.desk.Post(t.Context(), id,
		ticket.Work{Header: h.by("tom"), Entry: h.minutes(40)},
		ticket.Work{Header: h.by("dora"), Entry: h.minutes(30)},
	))

	h.work()
	h.reaches(id, ticket.Posted)
	require.Equal(t, ticket.Posted, h.ends(id).Stage)
	require.Equal(t, []string{"112.50", "75.00"}, h.billed(id), "40 minutes are 45 and 30 are 30, at 150.00")
	for _, m := range h.told(id, string(ticket.MsgWork)) {
		require.True(t, m.Effect, m.Says)
	}
	h.proved(1)
}

// ways are how a sign-off may come while nobody can answer it yet.
var ways = map[string]func(*house, ticket.ID, ticket.SignOff){
	"as a signal": func(h *house, id ticket.ID, m ticket.SignOff) {
		proof, err := h.Prove(h.t.Context(), ticket.MsgSignOff, m)
		require.NoError(h.t, err)
		m.Proof = proof
		require.NoError(h.t, h.temporal.SignalWorkflow(h.t.Context(), id.WorkflowID(), "", string(ticket.MsgSignOff), m))
	},
	"by the desk": func(h *house, id ticket.ID, m ticket.SignOff) {
		answered := make(chan error, 1)
		go func() {
			settlement, err := h.desk.SignOff(context.WithoutCancel(h.t.Context()), id, m)
			if err == nil && settlement.Outcome != billing.Settled {
				err = errUnsettled(settlement.Says)
			}
			answered <- err
		}()
		h.t.Cleanup(func() { require.NoError(h.t, <-answered, "who signs off is told so") })
	},
}

type errUnsettled string

func (e errUnsettled) Error() string { return "not settled: " + string(e) }

// received counts the messages that the ticket's latest run has in its history.
func (h *house) received(id ticket.ID) int {
	h.t.Helper()
	return h.happened(id, enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED) + h.happened(id, enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED)
}

// approve is the client's yes to a quote.
func (h *house) approve(q billing.HeldQuote) ticket.SignOff {
	return ticket.SignOff{Header: h.by("ann"), Hold: q.Hold, Digest: q.Digest, Approved: true}
}

// signedOffOnce asserts that four hours were quoted, signed off and billed, once.
func (h *house) signedOffOnce(id ticket.ID) {
	h.t.Helper()
	signed := h.told(id, string(ticket.MsgSignOff))
	require.Len(h.t, signed, 1)
	require.True(h.t, signed[0].Effect, signed[0].Says)
	require.Equal(h.t, []string{"600.00"}, h.billed(id))
	h.proved(1)
}
