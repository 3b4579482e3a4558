package e2e_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/desk"
	"github.com/docket-psa/docket/ticket"
)

func TestE2EWorkerKilledInMidClose(t *testing.T) {
	t.Parallel()
	h := open(t)
	first := h.work()
	id := h.inResolution("email")

	// The closing gets as far as writing its closure, the ticket locked and its work written.
	barrier, err := h.admin.Begin(t.Context())
	require.NoError(t, err)
	_, err = barrier.Exec(t.Context(), "lock table closures in share mode")
	require.NoError(t, err)
	m := h.resolve("tom", h.minutes(70))
	answer := h.resolving(id, m)
	h.until("a closing that waits in its last statements", func(ctx context.Context) bool {
		var waits bool
		err := h.admin.QueryRow(ctx, "select exists (select from pg_locks where relation = 'closures'::regclass and not granted)").Scan(&waits)
		return err == nil && waits
	})
	first.kill9()
	require.NoError(t, barrier.Rollback(t.Context()))

	h.work()
	h.closedOnce(id, m, answer)
}

func TestE2EEdge05WorkerKilledBeforeItAcknowledgesItsClosing(t *testing.T) {
	t.Parallel()
	h := open(t)
	first := h.workThatStopsClosing()
	id := h.inResolution("email")

	m := h.resolve("tom", h.minutes(70))
	answer := h.resolving(id, m)
	first.await(saysCommitted)
	first.kill9()

	h.work()
	h.closedOnce(id, m, answer)
}

// received is what a resolver was told.
type received struct {
	receipt billing.Receipt
	err     error
}

// resolving sends the resolution and gives, later, what came back.
func (h *house) resolving(id ticket.ID, m ticket.Resolve) <-chan received {
	answer := make(chan received, 1)
	go func() {
		receipt, err := h.desk.Resolve(context.WithoutCancel(h.t.Context()), id, m)
		answer <- received{receipt, err}
	}()
	return answer
}

// closedOnce asserts that the ticket goes on to its end by itself with one closure, and that the
// resolver has its receipt: at once, or when he repeats what got no answer.
func (h *house) closedOnce(id ticket.ID, m ticket.Resolve, answer <-chan received) {
	h.t.Helper()
	h.reaches(id, ticket.Posted)
	require.Equal(h.t, ticket.Posted, h.ends(id).Stage)
	got := <-answer
	if got.err != nil {
		require.ErrorIs(h.t, got.err, desk.ErrUnavailable)
		require.ErrorContains(h.t, got.err, m.OperationKey, "it says how to repeat it safely")
		receipt, err := h.desk.Resolve(h.t.Context(), id, m)
		require.NoError(h.t, err)
		got.receipt = receipt
	}
	require.Len(h.t, got.receipt.Posted, 1)
	require.Equal(h.t, "187.50", got.receipt.Posted[0].Amount.StringFixed(2), "70 minutes by 15 are 75, at 150.00")
	require.Equal(h.t, []string{"187.50"}, h.billed(id))
	require.Len(h.t, h.told(id, "closed"), 1)
	require.Len(h.t, h.told(id, "work"), 1)
	again, err := h.desk.Resolve(h.t.Context(), id, h.resolve("tom"))
	require.NoError(h.t, err)
	require.JSONEq(h.t, written(h.t, got.receipt), written(h.t, again), "whoever closes it again has the same receipt")
	h.proved(1)
}

// written is a value as JSON, in which equal amounts look the same.
func written(t testing.TB, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	require.NoError(t, err)
	return string(b)
}
