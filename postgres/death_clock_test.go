package postgres_test

import (
	"context"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/ticket"
)

// deadlyClocks are what falls due, who is told of it, and who stands in for whom.
var deadlyClocks = []deadly{
	{"prioritise", one(hourly + promised), func(k *till) func(context.Context, *postgres.Store) error {
		id, m := k.ticket("email"), ticket.Prioritise{Header: k.by("dora"), Priority: 1, Reason: "the whole office"}
		return func(ctx context.Context, s *postgres.Store) error { _, err := s.Prioritise(ctx, id, m); return err }
	}},
	{"warning", one(hourly + warned), func(k *till) func(context.Context, *postgres.Store) error {
		k.mailbox()
		id := k.ticket("email")
		return func(ctx context.Context, s *postgres.Store) error {
			_, err := s.Warn(ctx, id, 1, "resolution")
			return err
		}
	}},
	{"warning that comes after the breach", one(hourly + promised), func(k *till) func(context.Context, *postgres.Store) error {
		id := k.ticket("email")
		return func(ctx context.Context, s *postgres.Store) error {
			_, err := s.Warn(ctx, id, 1, "resolution")
			return err
		}
	}},
	{"breach of the response", one(hourly + promised), func(k *till) func(context.Context, *postgres.Store) error {
		k.mailbox()
		id := k.ticket("email")
		k.tamper("update tickets set responded_at = null")
		return func(ctx context.Context, s *postgres.Store) error {
			_, err := s.Breach(ctx, id, 1, "response")
			return err
		}
	}},
	{"step up the chain", one(hourly + promised), stepUp(1)},
	{"step up the chain that takes the ticket away", one(hourly + promised + "  escalation: {after: 30m, reroute: true}\n"), stepUp(1)},
	{"second step up the chain", one(hourly + promised), stepUp(2)},
	{"close and ask by mail", one(hourly), func(k *till) func(context.Context, *postgres.Store) error {
		k.mailbox()
		require.NoError(k.t, k.PutEndpoint(k.t.Context(), endpoint))
		id, m := k.ticket("email"), k.resolve("tom", k.minutes("tom", 240))
		return func(ctx context.Context, s *postgres.Store) error { _, err := s.Close(ctx, id, 1, m); return err }
	}},
	{"remind by mail", one(hourly), func(k *till) func(context.Context, *postgres.Store) error {
		id, q := k.askedByMail()
		k.pass(10 * time.Hour)
		return func(ctx context.Context, s *postgres.Store) error {
			_, err := s.Remind(ctx, id, q.Hold, 0, 1)
			return err
		}
	}},
	{"claim what is to be sent", one(hourly), func(k *till) func(context.Context, *postgres.Store) error {
		k.askedByMail()
		return func(ctx context.Context, s *postgres.Store) error {
			_, err := s.ClaimNotices(ctx, ticket.ByMail, "a try", time.Minute, 10)
			return err
		}
	}},
	{"note that it was sent", one(hourly), ended(ticket.NoticeEnd{State: ticket.NoticeSent, Tried: true})},
	{"note that it goes again", one(hourly), ended(ticket.NoticeEnd{State: ticket.NoticeWaiting, Tried: true, Why: "the mail server is away", Again: noon.Add(time.Hour)})},
	{"tell of a block that runs low", one(blocks), func(k *till) func(context.Context, *postgres.Store) error {
		k.mailbox()
		k.grant(10)
		k.close(k.ticket("email"), 1, k.minutes("tom", 570))
		return func(ctx context.Context, s *postgres.Store) error { _, err := s.TellLowBlocks(ctx); return err }
	}},
	{"an endpoint", one(hourly), func(*till) func(context.Context, *postgres.Store) error {
		return func(ctx context.Context, s *postgres.Store) error { return s.PutEndpoint(ctx, endpoint) }
	}},
	{"absence", one(hourly), func(k *till) func(context.Context, *postgres.Store) error {
		a := postgres.Absence{Person: "ann", Until: k.now().Add(48 * time.Hour), Delegate: "ben", By: "ann"}
		return func(ctx context.Context, s *postgres.Store) error { return s.SetAbsence(ctx, a) }
	}},
	{"sign-off by who stands in", one(blocks), func(k *till) func(context.Context, *postgres.Store) error {
		id, q := k.heldOnBlock()
		require.NoError(k.t, k.SetAbsence(k.t.Context(), postgres.Absence{Person: "ann", Until: k.now().Add(48 * time.Hour), By: "ann"}))
		m := ticket.SignOff{Header: k.by("ben"), Hold: q.Hold, Digest: q.Digest, Approved: true}
		return func(ctx context.Context, s *postgres.Store) error { _, err := s.SignOff(ctx, id, m); return err }
	}},
	{"sign-off that does not count", one(blocks), func(k *till) func(context.Context, *postgres.Store) error {
		id, q := k.heldOnBlock()
		m := ticket.SignOff{Header: k.by("tom"), Hold: q.Hold, Digest: q.Digest, Approved: true}
		return func(ctx context.Context, s *postgres.Store) error { _, err := s.SignOff(ctx, id, m); return err }
	}},
	{"move back", one(hourly), func(k *till) func(context.Context, *postgres.Store) error {
		id := k.moved()
		m := ticket.Move{Header: k.by("dora"), Client: "acme", Reason: "it was theirs"}
		return func(ctx context.Context, s *postgres.Store) error { _, err := s.Move(ctx, id, m); return err }
	}},
	{"the run hears that its ticket has moved", one(hourly), func(k *till) func(context.Context, *postgres.Store) error {
		id := k.moved()
		return func(ctx context.Context, s *postgres.Store) error { _, err := s.Begin(ctx, id, 1); return err }
	}},
}

var warned = strings.ReplaceAll(promised, "resolution: 1h", "resolution: 9h")

var endpoint = ticket.Endpoint{ID: "chat", URL: "https://chat.example/hook", Secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", Active: true, By: "olga"}

func stepUp(step int) func(k *till) func(context.Context, *postgres.Store) error {
	return func(k *till) func(context.Context, *postgres.Store) error {
		k.mailbox()
		id := k.ticket("email")
		_, err := k.Breach(k.t.Context(), id, 1, "resolution")
		require.NoError(k.t, err)
		for n := 1; n < step; n++ {
			k.pass(80 * time.Hour)
			_, err := k.StepUp(k.t.Context(), id, 1, n)
			require.NoError(k.t, err)
		}
		k.pass(80 * time.Hour)
		return func(ctx context.Context, s *postgres.Store) error { _, err := s.StepUp(ctx, id, 1, step); return err }
	}
}

// askedByMail is a ticket whose client is asked, and hears of it by mail.
func (k *till) askedByMail() (ticket.ID, billing.HeldQuote) {
	k.t.Helper()
	k.mailbox()
	id := k.ticket("email")
	return id, k.close(id, 1, k.minutes("tom", 240)).Held[0]
}

// ended is what became of a try to send.
func ended(end ticket.NoticeEnd) func(k *till) func(context.Context, *postgres.Store) error {
	return func(k *till) func(context.Context, *postgres.Store) error {
		k.askedByMail()
		claimed, err := k.ClaimNotices(k.t.Context(), ticket.ByMail, "a try", time.Minute, 10)
		require.NoError(k.t, err)
		require.NotEmpty(k.t, claimed)
		return func(ctx context.Context, s *postgres.Store) error { return s.EndNotice(ctx, claimed[0], end) }
	}
}

// moved is a ticket of another client by now.
func (k *till) moved() ticket.ID {
	k.t.Helper()
	id := k.ticket("email")
	k.logged(id, "tom", 60)
	_, err := k.Move(k.t.Context(), id, ticket.Move{Header: k.by("dora"), Client: "zenith", Reason: "a mail from the wrong domain"})
	require.NoError(k.t, err)
	return id
}
