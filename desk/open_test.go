package desk_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/desk"
	"github.com/docket-psa/docket/ticket"
)

func TestOpenRefusesAtTheDoor(t *testing.T) {
	store := openStore(t)
	d := unreachable(t, store)
	for name, c := range map[string]struct {
		change func(*ticket.Opening)
		field  string
	}{
		"no subject":             {func(o *ticket.Opening) { o.Subject = "" }, "subject"},
		"an unknown client":      {func(o *ticket.Opening) { o.Client = "nobody" }, "client"},
		"a 3 MB description":     {func(o *ticket.Opening) { o.Description = strings.Repeat("x", 3<<20) }, "description"},
		"a NUL byte":             {func(o *ticket.Opening) { o.Description = "a\x00b" }, "description"},
		"opened in the future":   {func(o *ticket.Opening) { o.OpenedAt = time.Now().Add(time.Hour) }, "opened_at"},
		"several things at once": {func(o *ticket.Opening) { o.Subject, o.Impact = "", 7 }, "subject,impact"},
	} {
		t.Run(name, func(t *testing.T) {
			o := opening(name)
			c.change(&o)
			_, err := d.Open(t.Context(), o)
			assert.Equal(t, c.field, fieldsOf(err))
		})
	}
	tickets, err := store.ListTickets(t.Context(), ticket.Filter{})
	require.NoError(t, err)
	assert.Empty(t, tickets)
}

func TestOpenTwiceIsOneTicket(t *testing.T) {
	store := openStore(t)
	d := unreachable(t, store)
	first, err := d.Open(t.Context(), opening("jams"))
	require.NoError(t, err)
	second, err := d.Open(t.Context(), opening("jams"))
	require.NoError(t, err)
	assert.Equal(t, first.Ticket, second.Ticket)
	assert.True(t, second.Duplicate)

	other := opening("jams")
	other.EventID, other.Description = "another delivery", "another body"
	_, err = d.Open(t.Context(), other)
	assert.Equal(t, "external_id", fieldsOf(err))
}

func TestTicketsOpenedWhileTemporalIsDownRunLater(t *testing.T) {
	o := openOffice(t)
	down := unreachable(t, o.store)
	var ids []ticket.ID
	for _, subject := range []string{"password reset please", "printer offline"} {
		opened, err := down.Open(t.Context(), opening(subject))
		require.NoError(t, err)
		assert.False(t, opened.Started)
		ids = append(ids, opened.Ticket)
	}
	o.work()
	o.relay()
	for _, id := range ids {
		o.eventually(id, ticket.Resolution)
	}
	pending, err := o.store.Pending(t.Context(), time.Now().Add(time.Hour), 10)
	require.NoError(t, err)
	assert.Empty(t, pending, "only the run itself clears its outbox row, and it has")
}

func TestLateRelayFindsNothingToDo(t *testing.T) {
	o := openOffice(t)
	o.work()
	id := o.opened("late relay")
	o.eventually(id, ticket.Resolution)
	_, err := o.Resolve(t.Context(), id, ticket.Resolve{Header: by("tom.reyes"), Resolution: "done", Work: []ticket.WorkEntry{worked(time.Minute)}})
	require.NoError(t, err)
	o.eventually(id, ticket.Posted)
	before, err := o.Timeline(t.Context(), id)
	require.NoError(t, err)

	run, err := o.Begin(t.Context(), id, 1)
	require.NoError(t, err)
	require.NoError(t, run.Get(t.Context(), nil))
	after, err := o.Timeline(t.Context(), id)
	require.NoError(t, err)
	assert.Equal(t, before, after)
}

func TestAMessageWithoutAnswerCanBeRepeated(t *testing.T) {
	o := openOffice(t) // no worker
	opened, err := o.Open(t.Context(), opening("nobody works"))
	require.NoError(t, err)
	_, err = unreachable(t, o.store).Claim(t.Context(), opened.Ticket, ticket.Claim{Header: by("tom.reyes")})
	require.ErrorIs(t, err, desk.ErrUnavailable)
	var lost *desk.Lost
	require.ErrorAs(t, err, &lost)

	o.work()
	again := by("tom.reyes")
	again.OperationKey = lost.Key
	for range 2 {
		answer, err := o.Claim(t.Context(), opened.Ticket, ticket.Claim{Header: again})
		require.NoError(t, err)
		assert.True(t, answer.Effect)
		assert.Equal(t, "tom.reyes", answer.Assignee)
	}
}

func worked(took time.Duration) ticket.WorkEntry {
	return ticket.WorkEntry{WorkType: "remote", StartedAt: time.Now().Add(-took), MS: took.Milliseconds()}
}
