package e2e_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"

	"github.com/docket-psa/docket/desk"
	"github.com/docket-psa/docket/internal/testenv"
	"github.com/docket-psa/docket/ticket"
)

func TestE2ETicketsOpenedWhileTemporalIsDownAllRunLater(t *testing.T) {
	t.Parallel()
	const tickets = 20
	h := openOn(t, testenv.OwnTemporal(t))
	h.work()
	here := h.inResolution("email") // the worker has begun
	h.server.Kill9(t)

	opened := make([]ticket.Opened, tickets)
	together(tickets, func(i int) {
		var err error
		opened[i], err = h.desk.Open(context.WithoutCancel(t.Context()), h.opening("email"))
		require.NoError(t, err, "a ticket is taken without Temporal")
	})
	for _, o := range opened {
		require.NotEmpty(t, o.Ticket)
		require.False(t, o.Started)
	}
	_, err := h.desk.Claim(t.Context(), opened[0].Ticket, ticket.Claim{Header: h.by("tom")})
	require.ErrorIs(t, err, desk.ErrUnavailable)
	h.relay()
	h.server.Restart(t)

	for _, o := range opened {
		h.reaches(o.Ticket, ticket.Resolution)
	}
	h.outboxIsEmpty()
	together(tickets, func(i int) {
		receipt, err := h.desk.Resolve(context.WithoutCancel(t.Context()), opened[i].Ticket, h.resolve("tom", h.minutes(30)))
		require.NoError(t, err)
		require.Len(t, receipt.Posted, 1)
	})
	for _, o := range opened {
		require.Equal(t, ticket.Posted, h.ends(o.Ticket).Stage)
		require.Equal(t, []string{"75.00"}, h.billed(o.Ticket))
		require.Len(t, h.told(o.Ticket, "routed"), 1, "no ticket is begun twice")
	}
	_, err = h.desk.Resolve(t.Context(), here, h.resolve("tom", h.minutes(30)))
	require.NoError(t, err, "a ticket that was there before goes on too")
	h.until("one run for each ticket", func(ctx context.Context) bool { return h.runs(ctx) == tickets+1 })
	h.proved(tickets + 1)
}

func TestE2ERelayThatComesAfterTheEndDoesNothing(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.work()
	id := h.inResolution("email")
	receipt, err := h.desk.Resolve(t.Context(), id, h.resolve("tom", h.minutes(70)))
	require.NoError(t, err)
	h.ends(id)
	before := h.timeline(id)

	// A relay that read the outbox long ago, and died before it started what it read.
	_, err = h.admin.Exec(t.Context(), "insert into outbox (ticket, round, created_at) values ($1, 1, now() - interval '1 hour')", id.Number())
	require.NoError(t, err)
	h.relay()
	h.outboxIsEmpty()
	require.Equal(t, ticket.Posted, h.ends(id).Stage)
	require.Zero(t, h.happened(id, enumspb.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED), "the run finds nothing to do")
	require.Equal(t, before, h.timeline(id))
	h.until("a second run", func(ctx context.Context) bool { return h.runs(ctx) == 2 })

	// A late signal starts a run too, which says on record that it came too late, and changes nothing.
	_, err = h.desk.Work(t.Context(), id, ticket.Work{Header: h.by("tom"), Entry: h.minutes(30)})
	require.NoError(t, err)
	h.until("the late work on record", func(context.Context) bool { return len(h.timeline(id)) == len(before)+1 })
	late := h.told(id, string(ticket.MsgWork))
	require.Len(t, late, 2, "the work itself, and the late message")
	require.Equal(t, ticket.Posted, h.ends(id).Stage)

	_, err = h.admin.Exec(t.Context(), "insert into outbox (ticket, round, created_at) values ($1, 1, now() - interval '1 hour')", id.Number())
	require.NoError(t, err)
	h.outboxIsEmpty()
	require.Equal(t, ticket.Posted, h.ends(id).Stage)
	require.Len(t, h.timeline(id), len(before)+1)
	require.Equal(t, []string{receipt.Posted[0].Amount.StringFixed(2)}, h.billed(id))
	h.proved(1)
}

// timeline is what `docket ticket show` tells.
func (h *house) timeline(id ticket.ID) []ticket.Moment {
	h.t.Helper()
	shown, err := h.desk.Show(h.t.Context(), id)
	require.NoError(h.t, err)
	return shown.Timeline
}

// outboxIsEmpty waits until every run that was asked for has said that it began.
func (h *house) outboxIsEmpty() {
	h.t.Helper()
	h.until("an empty outbox", func(ctx context.Context) bool {
		waits, err := h.Pending(ctx, time.Now().Add(time.Hour), 1)
		if err != nil || len(waits) > 0 {
			return false
		}
		var rows int
		return h.admin.QueryRow(ctx, "select count(*) from outbox").Scan(&rows) == nil && rows == 0
	})
}

// together runs n functions at once and waits for all.
func together(n int, do func(i int)) {
	var all sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		all.Go(func() { <-start; do(i) })
	}
	close(start)
	all.Wait()
}
