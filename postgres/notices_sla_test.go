package postgres

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/ticket"
)

// A missed target is told to whom it concerns first, and each step up to those further up.
func TestAMissedTargetIsToldUpTheChain(t *testing.T) {
	k := newKit(t)
	_, err := k.pool.Exec(k.ctx, "update people set email = id || '@desk.example'")
	require.NoError(t, err)
	id := k.open("northwind")
	_, err = k.Claim(k.ctx, id, ticket.Claim{Header: k.by("ada")})
	require.NoError(t, err)
	due := value[time.Time](k, "select resolution_due from tickets where number = $1", id.Number())
	k.at(due.Add(time.Minute))
	_, err = k.Breach(k.ctx, id, 1, "resolution")
	require.NoError(t, err)
	next := value[time.Time](k, "select escalate_at from tickets where number = $1", id.Number())
	k.at(next.Add(time.Minute))
	for range 2 {
		_, err = k.StepUp(k.ctx, id, 1, 1)
		require.NoError(t, err)
	}
	rows, err := k.pool.Query(k.ctx, "select tells || ' ' || recipient || ' ' || state from notices order by id")
	require.NoError(t, err)
	told, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	require.Equal(t, []string{"assigned ada waiting", "breach ada waiting", "breach dora waiting"}, told)
}
