package postgres_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

// lived is a till after a small life of its desk: something billed, drawn, approved, declined,
// reopened, and something that still waits.
type lived struct {
	*till
	billed   ticket.ID // 45 minutes by the hour
	approved ticket.ID // above the threshold, signed off
	waits    ticket.ID // above the threshold, still open
	reopened ticket.ID // charged, undone and charged again
}

func live(t testing.TB) *lived {
	t.Helper()
	l := &lived{till: newTill(t, hourly)}
	l.billed = l.ticket("email")
	l.close(l.billed, 1, l.minutes("tom", 45))
	l.close(l.ticket("password-reset"), 1, l.minutes("tom", 5))
	l.close(l.ticket("onboarding"), 1, l.minutes("tom", 30))
	l.close(l.ticket("onboarding"), 1, l.minutes("tom", 30))

	l.approved = l.ticket("network")
	held := l.close(l.approved, 1, l.minutes("tom", 240)).Held[0]
	signed, err := l.SignOff(t.Context(), l.approved, ticket.SignOff{Header: l.by("ann"), Hold: held.Hold, Digest: held.Digest, Approved: true})
	require.NoError(t, err)
	require.Equal(t, billing.Settled, signed.Outcome)

	l.reopened = l.ticket("email")
	l.close(l.reopened, 1, l.minutes("tom", 60))
	_, err = l.Reopen(t.Context(), l.reopened, ticket.Reopen{Header: l.by("ann"), Reason: "It is back"})
	require.NoError(t, err)
	l.begin(l.reopened, 2)
	l.pass(2 * time.Hour)
	l.close(l.reopened, 2, l.minutes("tom", 30))

	l.waits = l.ticket("network")
	l.close(l.waits, 1, l.minutes("tom", 300))
	return l
}

// tamper changes what no role may change: as superuser, with triggers off.
func (k *till) tamper(statement string, args ...any) {
	k.t.Helper()
	tx, err := k.admin.Begin(k.t.Context())
	require.NoError(k.t, err)
	_, err = tx.Exec(k.t.Context(), "set local session_replication_role = replica")
	require.NoError(k.t, err)
	tag, err := tx.Exec(k.t.Context(), statement, args...)
	require.NoError(k.t, err)
	require.NotZero(k.t, tag.RowsAffected(), statement)
	require.NoError(k.t, tx.Commit(k.t.Context()))
}
