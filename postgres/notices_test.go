package postgres_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/ticket"
)

// mailbox gives everybody a mail address, but for those named.
func (k *till) mailbox(without ...string) {
	k.t.Helper()
	_, err := k.admin.Exec(k.t.Context(), "update people set email = id || '@example.com' where id <> all ($1)", append([]string{}, without...))
	require.NoError(k.t, err)
}

// told lists who hears of what, in the order it was written.
func (k *till) told() []string {
	k.t.Helper()
	rows, err := k.admin.Query(k.t.Context(), `
select tells || ' H-' || hold || ' ' || channel || ' ' || coalesce(nullif(recipient, ''), 'nobody') || ' ' || state from notices order by id`)
	require.NoError(k.t, err)
	list, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(k.t, err)
	return list
}

func TestAQuoteIsToldOnceToWhomItAsks(t *testing.T) {
	k := newTill(t, hourly)
	k.mailbox()
	id := k.ticket("email")
	m := k.resolve("tom", k.minutes("tom", 240))
	first, err := k.Close(t.Context(), id, 1, m)
	require.NoError(t, err)
	again, err := k.Close(t.Context(), id, 1, m)
	require.NoError(t, err)
	require.Equal(t, first.Held[0].Digest, again.Held[0].Digest)
	require.Equal(t, []string{"asked H-1 mail ann waiting"}, k.told(), "the repetition of the deed tells nobody again")
}

func TestTheTechnicianHearsWhatTheClientSaid(t *testing.T) {
	k := newTill(t, hourly)
	k.mailbox()
	yes, no := k.ticket("email"), k.ticket("email")
	held := k.close(yes, 1, k.minutes("tom", 240)).Held[0]
	require.Equal(t, billing.Settled, k.sign(yes, "ann", held).Outcome)
	require.Equal(t, []string{"asked H-1 mail ann waiting", "approved H-1 mail tom waiting"}, k.told())

	held = k.close(no, 1, k.minutes("tom", 240)).Held[0]
	decline := ticket.SignOff{Header: k.by("ann"), Hold: held.Hold, Digest: held.Digest, Reason: "Not agreed."}
	for range 2 {
		_, err := k.SignOff(t.Context(), no, decline)
		require.NoError(t, err)
	}
	require.Equal(t, []string{"asked H-2 mail ann waiting", "declined H-2 mail dora waiting", "declined H-2 mail tom waiting"}, k.told()[2:])
	_, err := k.Rule(t.Context(), no, ticket.Rule{Header: k.by("dora"), Hold: held.Hold, Action: "write-off", Reason: "Goodwill."})
	require.NoError(t, err)
	require.Equal(t, []string{"ruled H-2 mail tom waiting"}, k.told()[5:])
}

func TestWhoIsAwayOrGoneIsStoodInFor(t *testing.T) {
	for _, c := range []struct {
		name, change string
		told         []string
	}{
		{"away", "update people set absent_until = '2027-01-01' where id = 'ann'", []string{"asked H-1 mail ben waiting"}},
		{"left", "update people set active = false where id = 'ann'", []string{"asked H-1 mail ben waiting"}},
		{"away, and nobody stands in", "update people set absent_until = '2027-01-01', delegate_id = null where id = 'ann'", []string{"asked H-1 mail ann waiting"}},
		{"left, and nobody stands in", "update people set active = false, delegate_id = null where id = 'ann'", []string{"asked H-1 mail nobody undeliverable"}},
		{"asked for the work", "update tickets set contact_id = 'ann'", []string{"asked H-1 mail ben waiting"}},
		{"without an address", "update people set email = '' where id = 'ann'", []string{"asked H-1 mail ann undeliverable"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := newTill(t, hourly)
			k.mailbox()
			id := k.ticket("email")
			k.tamper(c.change)
			k.close(id, 1, k.minutes("tom", 240))
			require.Equal(t, c.told, k.told())
		})
	}
}

func TestTheClockAndTheDeskAreHeard(t *testing.T) {
	k := newTill(t, hourly)
	k.mailbox()
	id := k.ticket("email")
	_, err := k.Escalate(t.Context(), id, ticket.Escalate{Header: k.by("dora"), To: "tom", Reason: "He knows it."})
	require.NoError(t, err)
	_, err = k.Escalate(t.Context(), id, ticket.Escalate{Header: k.by("tom"), Reason: "Not mine."})
	require.NoError(t, err)
	k.tamper("update tickets set response_due = $1, responded_at = null", k.now().Add(-time.Minute))
	for range 2 {
		_, err = k.Breach(t.Context(), id, 1, "response")
		require.NoError(t, err)
	}
	require.Equal(t, []string{"escalated H-0 mail tom waiting", "escalated H-0 mail dora waiting", "breach H-0 mail dora waiting"}, k.told())
}

func TestBoughtHoursThatRunOutAreToldOncePerPurchase(t *testing.T) {
	k := newTill(t, blocks)
	k.mailbox()
	k.grant(10)
	low := func(n int) {
		t.Helper()
		for range 2 {
			looked, err := k.TellLowBlocks(t.Context())
			require.NoError(t, err)
			require.Equal(t, n, looked)
		}
	}
	low(0)
	k.close(k.ticket("email"), 1, k.minutes("tom", 570))
	low(1)
	require.Equal(t, []string{"block-low H-0 mail olga waiting"}, k.told())
	k.grant(1)
	low(0)
	k.close(k.ticket("email"), 1, k.minutes("tom", 60))
	low(1)
	require.Equal(t, []string{"block-low H-0 mail olga waiting", "block-low H-0 mail olga waiting"}, k.told(), "the next purchase runs out, too")
}

func TestNobodyHearsOfAnotherClientsMatter(t *testing.T) {
	k := newTill(t, hourly)
	k.mailbox()
	k.tamper("update people set client_id = 'zenith', delegate_id = null where id = 'ann'")
	k.close(k.ticket("email"), 1, k.minutes("tom", 240))
	require.Equal(t, []string{"asked H-1 mail nobody undeliverable"}, k.told(), "ann is zenith's now, whatever acme's contract says")
	found, err := k.Doctor(t.Context(), postgres.Patience{})
	require.NoError(t, err)
	says := ""
	for _, f := range found {
		if f.What == "nobody" {
			says = f.Why
		}
	}
	require.Equal(t, "one notice was not told, the last about T-1001: nobody is there to hear: asked", says)
}

func TestThePastToldAgainIsToldToNobody(t *testing.T) {
	k := newTill(t, hourly)
	k.mailbox()
	id := k.ticket("email")
	k.tamper("update tickets set event_time = true")
	require.NotEmpty(t, k.close(id, 1, k.minutes("tom", 240)).Held)
	require.Empty(t, k.told())
}

func TestDispatchersHearOfExceptionsAndOwnersInTheirPlace(t *testing.T) {
	k := newTill(t) // no contract, no rate
	k.mailbox()
	one, two := k.ticket("email"), k.ticket("email")
	k.close(one, 1, k.minutes("tom", 30))
	require.Equal(t, []string{"exception H-1 mail dora waiting"}, k.told())
	k.tamper("update people set active = false where id = 'dora'")
	k.close(two, 1, k.minutes("tom", 30))
	require.Equal(t, []string{"exception H-2 mail olga waiting"}, k.told()[1:])
}

func TestRemindersAndStepsOfAQuoteAreTold(t *testing.T) {
	k := newTill(t, hourly)
	k.mailbox()
	id := k.ticket("email")
	held := k.close(id, 1, k.minutes("tom", 240)).Held[0]
	k.clock.Store(held.RemindAt.UnixNano())
	for range 2 {
		_, err := k.Remind(t.Context(), id, held.Hold, 0, 1)
		require.NoError(t, err)
	}
	k.clock.Store(held.ExpiresAt.Add(time.Second).UnixNano())
	for range 2 {
		_, err := k.Overdue(t.Context(), id, held.Hold, 0)
		require.NoError(t, err)
	}
	require.Equal(t, []string{
		"asked H-1 mail ann waiting", "reminder H-1 mail ann waiting", "overdue H-1 mail ann waiting", "overdue H-1 mail ben waiting",
	}, k.told())
}

func TestOneClosingTellsOncePerPersonHoweverManyCloseIt(t *testing.T) {
	k := newTill(t, hourly)
	k.mailbox()
	id := k.ticket("email")
	work := k.minutes("tom", 240)
	done := make(chan error, 20)
	for range 20 {
		m := k.resolve("tom", work)
		go func() {
			_, err := k.Close(context.WithoutCancel(t.Context()), id, 1, m)
			done <- err
		}()
	}
	for range 20 {
		require.NoError(t, <-done)
	}
	require.Equal(t, []string{"asked H-1 mail ann waiting"}, k.told())
}
