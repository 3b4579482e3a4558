package desk_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/desk"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/ticket"
)

// quoted resolves a ticket whose bill asks the client's approver.
func (o *office) quoted(subject string) (ticket.ID, billing.HeldQuote) {
	o.t.Helper()
	over := opening(subject)
	over.Client = "redwood"
	opened, err := o.Open(o.t.Context(), over)
	require.NoError(o.t, err)
	o.eventually(opened.Ticket, ticket.Resolution)
	receipt, err := o.Resolve(o.t.Context(), opened.Ticket, ticket.Resolve{
		Header: by("pavel.novak"), Resolution: "Firmware reflashed", Work: []ticket.WorkEntry{worked(5 * time.Hour)},
	})
	require.NoError(o.t, err)
	require.Len(o.t, receipt.Held, 1)
	return opened.Ticket, receipt.Held[0]
}

var (
	yes = desk.Decision{Approved: true}
	no  = desk.Decision{Reason: "Not agreed."}
)

func TestALinkActsAsItsPersonOnceAndOnItsQuoteAlone(t *testing.T) {
	o := openOffice(t)
	o.work()
	ctx := t.Context()
	key, err := o.store.LinkKey(ctx)
	require.NoError(t, err)
	link := func(q billing.HeldQuote, change func(*ticket.Link)) string {
		l := ticket.Link{Hold: q.Hold, Step: q.Step, Digest: q.Digest, Person: q.Approvers[0], Expires: q.ExpiresAt.Unix()}
		if change != nil {
			change(&l)
		}
		token, err := l.Seal(key)
		require.NoError(t, err)
		return token
	}
	id, q := o.quoted("workstation shuts down")

	_, view, err := o.OpenLink(ctx, key, link(q, nil))
	require.NoError(t, err)
	assert.Equal(t, "open", view.State, "looking decides nothing")

	t.Run("tampered with", func(t *testing.T) {
		token := link(q, nil)
		_, err := o.Redeem(ctx, key, strings.Replace(token, "v1.e", "v1.f", 1), yes)
		require.ErrorContains(t, err, "is not one of ours")
		_, err = o.Redeem(ctx, []byte(strings.Repeat("x", 32)), token, yes)
		require.ErrorContains(t, err, "is not one of ours")
	})
	t.Run("expired", func(t *testing.T) {
		s, err := o.Redeem(ctx, key, link(q, func(l *ticket.Link) { l.Expires = time.Now().Add(-time.Minute).Unix() }), yes)
		require.NoError(t, err)
		assert.Equal(t, billing.Stale, s.Outcome)
		assert.Contains(t, s.Says, "this link ran out at")
		assert.Contains(t, s.Says, "waits for an answer until", "and what is true now")
	})
	t.Run("of a quote that does not stand", func(t *testing.T) {
		s, err := o.Redeem(ctx, key, link(q, func(l *ticket.Link) { l.Digest = "of another" }), yes)
		require.NoError(t, err)
		assert.Equal(t, billing.Stale, s.Outcome)
		assert.Contains(t, s.Says, "that was not the quote of")
	})
	t.Run("of somebody who may not", func(t *testing.T) {
		s, err := o.Redeem(ctx, key, link(q, func(l *ticket.Link) { l.Person = "holly.stone" }), yes)
		require.NoError(t, err)
		assert.Equal(t, billing.Refused, s.Outcome)
	})
	t.Run("without the reason that declining needs", func(t *testing.T) {
		_, err := o.Redeem(ctx, key, link(q, nil), desk.Decision{})
		require.NotEmpty(t, ticket.Problems(err))
	})
	_, view, err = o.OpenLink(ctx, key, link(q, nil))
	require.NoError(t, err)
	require.Equal(t, "open", view.State, "none of them had an effect")

	signed, err := o.Redeem(ctx, key, "https://desk.example.com/approve#"+link(q, nil), yes)
	require.NoError(t, err)
	assert.Equal(t, billing.Settled, signed.Outcome)
	again, err := o.Redeem(ctx, key, link(q, nil), yes)
	require.NoError(t, err)
	assert.Equal(t, signed, again, "the button pressed twice says one thing")
	late, err := o.Redeem(ctx, key, link(q, nil), no)
	require.NoError(t, err)
	assert.Equal(t, billing.Already, late.Outcome)
	o.eventually(id, ticket.Posted)

	shown, err := o.Show(ctx, id)
	require.NoError(t, err)
	var record []string
	for _, m := range shown.Timeline {
		if m.Kind == string(ticket.MsgSignOff) && m.Effect {
			record = append(record, m.Actor+" via "+m.Via)
		}
	}
	assert.Equal(t, []string{q.Approvers[0] + " via link"}, record)

	t.Run("of somebody who has left", func(t *testing.T) {
		_, q := o.quoted("and again")
		require.NoError(t, o.store.SetAbsence(ctx, postgres.Absence{Person: q.Approvers[0], Left: true, By: "mara.lindqvist"}))
		_, err := o.Redeem(ctx, key, link(q, nil), yes)
		require.ErrorContains(t, err, "is no longer active")
		_, view, err := o.OpenLink(ctx, key, link(q, nil))
		require.NoError(t, err)
		assert.Equal(t, "open", view.State)
	})

	uses, err := o.store.LinkUses(ctx, 0)
	require.NoError(t, err)
	var outcomes []string
	for _, u := range uses {
		outcomes = append(outcomes, u.Outcome)
	}
	assert.Equal(t, []string{
		"shown", "refused", "already", "settled", "settled", "shown", "refused", "refused", "stale", "expired", "forged", "forged", "shown",
	}, outcomes, "every use is on record, the newest first")
}
