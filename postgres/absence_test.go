package postgres_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/postgres"
)

func TestEdge50AwayAndBack(t *testing.T) {
	k := newTill(t, hourly)
	set := func(a postgres.Absence) error { return k.SetAbsence(t.Context(), a) }
	weeks := k.now().AddDate(0, 0, 14)
	require.NoError(t, set(postgres.Absence{Person: "ann", Until: weeks, By: "ann"}))
	id := k.ticket("email")
	held := k.close(id, 1, k.minutes("tom", 240)).Held[0]
	require.Equal(t, billing.Settled, k.sign(id, "ben", held).Outcome, "her delegate, while she is away")

	require.NoError(t, set(postgres.Absence{Person: "ann", By: "dora"}))
	id = k.ticket("email")
	held = k.close(id, 1, k.minutes("tom", 240)).Held[0]
	require.Equal(t, billing.Refused, k.sign(id, "ben", held).Outcome, "she is back")
	require.Equal(t, billing.Settled, k.sign(id, "ann", held).Outcome)

	for field, a := range map[string]postgres.Absence{
		`by "ben" may not say so of ann`:       {Person: "ann", Until: weeks, By: "ben"},
		`by "ann" may not say so`:              {Person: "ann", Left: true, By: "ann"},
		`until "2026-03-18T11:00:00Z" is over`: {Person: "ann", Until: k.now().Add(-time.Hour), By: "ann"},
		`delegate "ann" is the person himself`: {Person: "ann", Until: weeks, Delegate: "ann", By: "ann"},
		`delegate "zoe" is of another side`:    {Person: "ann", Until: weeks, Delegate: "zoe", By: "ann"},
		`person "nobody" is not known`:         {Person: "nobody", Until: weeks, By: "olga"},
		`delegate "ghost" is not known`:        {Person: "ann", Delegate: "ghost", By: "ann"},
	} {
		require.ErrorContains(t, set(a), field)
	}
	require.NoError(t, set(postgres.Absence{Person: "ann", Left: true, By: "olga"}))
	require.ErrorContains(t, set(postgres.Absence{Person: "ben", Until: weeks, By: "ann"}), `by "ann" is no longer active`)
}
