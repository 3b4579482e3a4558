package postgres

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/ticket"
)

func TestOpenedTicketWaitsForItsStartUntilTheRunBegins(t *testing.T) {
	k := newKit(t)
	opened, err := k.Open(k.ctx, k.opening("northwind"))
	require.NoError(t, err)
	require.Equal(t, ticket.Opened{Ticket: "T-1001"}, opened)

	k.at(friday.Add(time.Minute))
	pending, err := k.Pending(k.ctx, k.time().Add(-time.Second), 10)
	require.NoError(t, err)
	require.Len(t, pending, 1)
	require.Equal(t, ticket.ID("T-1001"), pending[0].Ticket)
	require.Equal(t, 1, pending[0].Round)
	require.Equal(t, "northwind", pending[0].Client)

	require.NoError(t, k.Tried(k.ctx, "T-1001", 1, "connection refused"))
	pending, err = k.Pending(k.ctx, k.time(), 10)
	require.NoError(t, err)
	require.Empty(t, pending, "a failed start is not tried again at once")
	k.at(k.time().Add(2 * time.Second))
	pending, err = k.Pending(k.ctx, k.time(), 10)
	require.NoError(t, err)
	require.Equal(t, "connection refused", pending[0].LastError)
	require.Equal(t, 1, pending[0].Attempts)

	brief, err := k.Begin(k.ctx, "T-1001", 1)
	require.NoError(t, err)
	require.Equal(t, ticket.Triage, brief.Stage)
	require.Nil(t, brief.Triaged)
	require.Nil(t, brief.Assigned)
	k.at(k.time().Add(time.Hour))
	pending, err = k.Pending(k.ctx, k.time(), 10)
	require.NoError(t, err)
	require.Empty(t, pending)
	again, err := k.Begin(k.ctx, "T-1001", 1)
	require.NoError(t, err)
	require.Equal(t, brief, again)
}

func TestEdge06TheSameMailTwiceIsOneTicket(t *testing.T) {
	k := newKit(t)
	o := k.opening("northwind")
	first, err := k.Open(k.ctx, o)
	require.NoError(t, err)

	again, err := k.Open(k.ctx, o)
	require.NoError(t, err)
	require.Equal(t, ticket.Opened{Ticket: first.Ticket, Duplicate: true}, again)
	require.Equal(t, 1, value[int](k, "select count(*) from deliveries"))

	o.EventID, o.OpenedAt = "another delivery", o.OpenedAt.Add(-time.Minute)
	again, err = k.Open(k.ctx, o)
	require.NoError(t, err)
	require.Equal(t, ticket.Opened{Ticket: first.Ticket, Duplicate: true}, again)
	require.Equal(t, 2, value[int](k, "select count(*) from deliveries"))
	require.Equal(t, 1, value[int](k, "select count(*) from outbox"))

	o.EventID, o.Description = "a third", "It is the scanner."
	_, err = k.Open(k.ctx, o)
	require.Equal(t, "external_id", problem(t, err).Field)
	require.Equal(t, 2, value[int](k, "select count(*) from deliveries"))

	other := k.opening("northwind")
	other.EventID = "another delivery"
	_, err = k.Open(k.ctx, other)
	require.Equal(t, "event_id", problem(t, err).Field)
	require.Equal(t, 1, value[int](k, "select count(*) from tickets"))
}

func TestFiftyDeliveriesOfOneMailAtOnceAreOneTicket(t *testing.T) {
	k := newKit(t)
	o := k.opening("northwind")
	answers, errs := make([]ticket.Opened, 50), make([]error, 50)
	together(50, func(i int) {
		mine := o
		if i%2 == 0 {
			mine.EventID = k.key()
		}
		answers[i], errs[i] = k.Open(k.ctx, mine)
	})
	require.NoError(t, errors.Join(errs...))
	fresh := 0
	for _, a := range answers {
		require.Equal(t, answers[0].Ticket, a.Ticket)
		if !a.Duplicate {
			fresh++
		}
	}
	require.Equal(t, 1, fresh)
	require.Equal(t, 1, value[int](k, "select count(*) from tickets"))
	require.Equal(t, 1, value[int](k, "select count(*) from outbox"))
	require.Equal(t, 26, value[int](k, "select count(*) from deliveries"))
}

func TestRefusedOpeningsNameTheFieldAndStoreNothing(t *testing.T) {
	k := newKit(t)
	for name, c := range map[string]struct {
		change func(*ticket.Opening)
		field  string
	}{
		"unknown client":            {func(o *ticket.Opening) { o.Client = "nobody" }, "client"},
		"unknown contact":           {func(o *ticket.Opening) { o.Contact = "nobody" }, "contact"},
		"contact of another client": {func(o *ticket.Opening) { o.Contact = "carl" }, "contact"},
		"3 MB description":          {func(o *ticket.Opening) { o.Description = strings.Repeat("x", 3<<20) }, "description"},
		"NUL byte":                  {func(o *ticket.Opening) { o.Subject = "a\x00b" }, "subject"},
		"not UTF-8":                 {func(o *ticket.Opening) { o.Subject = "\xff" }, "subject"},
		"from the future":           {func(o *ticket.Opening) { o.OpenedAt = friday.Add(time.Hour) }, "opened_at"},
	} {
		t.Run(name, func(t *testing.T) {
			o := k.opening("northwind")
			c.change(&o)
			_, err := k.Open(k.ctx, o)
			require.Equal(t, c.field, problem(t, err).Field)
			require.Zero(t, value[int](k, "select count(*) from tickets"))
			require.Zero(t, value[int](k, "select count(*) from deliveries"))
		})
	}
	o := k.opening("northwind")
	o.Description, o.Contact = strings.Repeat("x", ticket.MaxDescription), "nina"
	_, err := k.Open(k.ctx, o)
	require.NoError(t, err, "one MiB fits")
}
