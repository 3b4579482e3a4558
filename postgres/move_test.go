package postgres_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/ticket"
)

func TestEdge53TheClientChangesAfterWorkWasLogged(t *testing.T) {
	elsewhere := strings.NewReplacer("acme-hourly", "zenith-hourly", "client: acme", "client: zenith", `"150.00"`, `"90.00"`, "[ann]", "[zoe]").Replace(hourly)
	k := newTill(t, hourly, elsewhere)
	move := func(id ticket.ID, key string) (ticket.Answer, error) {
		return k.Move(t.Context(), id, ticket.Move{
			Header: ticket.Header{OperationKey: key, Who: "dora", Via: ticket.ViaCLI, At: k.now()}, Client: "zenith", Reason: "a mail from the wrong domain",
		})
	}
	log := func(id ticket.ID) {
		_, err := k.Log(t.Context(), id, ticket.Work{Header: k.by("tom"), Entry: k.minutes("tom", 60)})
		require.NoError(t, err)
	}

	t.Run("unbilled work re-rates", func(t *testing.T) {
		id := k.ticket("email")
		log(id)
		first, err := move(id, "move-1")
		require.NoError(t, err)
		require.True(t, first.Effect, first.Says)
		again, err := move(id, "move-1")
		require.NoError(t, err)
		require.Equal(t, first, again, "the same message again has one effect")
		receipt := k.close(id, 1)
		require.Equal(t, "zenith", receipt.Client)
		require.Equal(t, "90", receipt.Posted[0].Amount.String(), "an hour at the other client's rate")
		a, err := k.Audit(t.Context(), nil)
		require.NoError(t, err)
		require.True(t, a.Clean(), "%+v", a)
	})
	t.Run("billed work refuses", func(t *testing.T) {
		id := k.ticket("email")
		k.close(id, 1, k.minutes("tom", 60))
		answer, err := move(id, "move-2")
		require.NoError(t, err)
		require.False(t, answer.Effect)

		k.reopen(id)
		answer, err = move(id, "move-3")
		require.NoError(t, err)
		require.False(t, answer.Effect)
		require.Contains(t, answer.Says, "billed work never moves")
	})
	t.Run("a closing that races it is before or after, whole", func(t *testing.T) {
		for range 10 {
			id := k.ticket("email")
			log(id)
			var both sync.WaitGroup
			var moved ticket.Answer
			both.Go(func() { moved, _ = move(id, "race-"+string(id)) })
			receipt := k.close(id, 1)
			both.Wait()
			want := map[bool]string{true: "90", false: "150"}[moved.Effect]
			require.Equal(t, want, receipt.Posted[0].Amount.String())
		}
	})
	t.Run("only ours who dispatch, and only to a client there is", func(t *testing.T) {
		id := k.ticket("email")
		_, err := k.Move(t.Context(), id, ticket.Move{Header: ticket.Header{OperationKey: "m-tom", Who: "tom", At: k.now()}, Client: "zenith", Reason: "x"})
		require.ErrorContains(t, err, "may not move")
		_, err = k.Move(t.Context(), id, ticket.Move{Header: ticket.Header{OperationKey: "m-nobody", Who: "dora", At: k.now()}, Client: "nobody", Reason: "x"})
		require.ErrorContains(t, err, "is not known")
	})
}
