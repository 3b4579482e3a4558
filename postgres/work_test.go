package postgres

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/ticket"
)

func TestWorkIsWrittenOnceWithItsCost(t *testing.T) {
	k := newKit(t)
	id := k.open("northwind")
	m := ticket.Work{Header: k.by("ada"), Entry: k.work()}
	answer, err := k.Log(k.ctx, id, m)
	require.NoError(t, err)
	require.True(t, answer.Effect)
	require.Equal(t, "Ada worked 15m0s (remote).", answer.Says)
	again, err := k.Log(k.ctx, id, m)
	require.NoError(t, err)
	require.Equal(t, answer, again)
	m.OperationKey = k.key() // the same entry in another message
	twice, err := k.Log(k.ctx, id, m)
	require.NoError(t, err)
	require.False(t, twice.Effect)
	require.Equal(t, 1, value[int](k, "select count(*) from work_entries"))
	require.Equal(t, "engineer", value[string](k, "select work_role from work_entries"))
	require.Equal(t, "10.625", value[decimal.Decimal](k, "select cost from work_entries").String(), "a quarter of 42.50")

	m.OperationKey, m.Entry.MS = k.key(), 1
	_, err = k.Log(k.ctx, id, m)
	require.Equal(t, "work.operation_key", problem(t, err).Field)
	require.Equal(t, 1, value[int](k, "select count(*) from work_entries"))
}

func TestAnAgentsTwoSecondsAreKeptInMillisecondsAndItsTokensCost(t *testing.T) {
	k := newKit(t)
	id := k.open("northwind")
	e := k.work()
	e.MS, e.TokensIn, e.TokensOut, e.WorkType, e.Outcome = 2_345, 12_000, 345, "ai-resolution", ticket.Failed
	_, err := k.Log(k.ctx, id, ticket.Work{Header: k.by("sam"), Entry: e})
	require.NoError(t, err)
	require.EqualValues(t, 2_345, value[int64](k, "select ms from work_entries where kind = 'ai' and failed"))
	require.Equal(t, "0.37035", value[decimal.Decimal](k, "select cost from work_entries").String(), "12.345 × 0.03")
}

func TestRefusedWorkNamesTheField(t *testing.T) {
	k := newKit(t)
	id := k.open("northwind")
	for name, c := range map[string]struct {
		change func(*ticket.WorkEntry)
		field  string
	}{
		"ends in the future":   {func(e *ticket.WorkEntry) { e.MS += 10 * 60_000 }, "work.started_at"},
		"an agent's, no start": {func(e *ticket.WorkEntry) { e.Actor, e.StartedAt = "sam", time.Time{} }, "work.started_at"},
		"a rate without right": {func(e *ticket.WorkEntry) { e.Hourly = "200" }, "work.hourly"},
		"before computers":     {func(e *ticket.WorkEntry) { e.StartedAt = e.StartedAt.AddDate(-60, 0, 0) }, "work.started_at"},
		"unknown actor":        {func(e *ticket.WorkEntry) { e.Actor = "nobody" }, "work.actor"},
		"a client's contact":   {func(e *ticket.WorkEntry) { e.Actor = "nina" }, "work.actor"},
	} {
		t.Run(name, func(t *testing.T) {
			e := k.work()
			c.change(&e)
			_, err := k.Log(k.ctx, id, ticket.Work{Header: k.by("ada"), Entry: e})
			require.Equal(t, c.field, problem(t, err).Field)
		})
	}
	past := k.work()
	past.StartedAt = past.StartedAt.AddDate(-9, 0, 0)
	_, err := k.Log(k.ctx, id, ticket.Work{Header: k.by("ada"), Entry: past})
	require.NoError(t, err, "a replayed log tells of years ago")
	require.Equal(t, 1, value[int](k, "select count(*) from work_entries"))
}

func TestFiftyDeliveriesOfOneEntryAtOnceAreOneEntry(t *testing.T) {
	k := newKit(t)
	id := k.open("northwind")
	m := ticket.Work{Header: k.by("ada"), Entry: k.work()}
	errs, effects := make([]error, 50), make([]bool, 50)
	together(50, func(i int) {
		mine := m
		if i%2 == 0 {
			mine.OperationKey = k.key()
		}
		var a ticket.Answer
		a, errs[i] = k.Log(k.ctx, id, mine)
		effects[i] = a.Effect
	})
	require.NoError(t, errors.Join(errs...))
	require.Equal(t, 1, value[int](k, "select count(*) from work_entries"))
	require.Equal(t, 1, value[int](k, "select count(*) from ticket_events where kind = 'work' and effect"))
}

// A closing holds the ticket's row. Work that comes meanwhile must wait for it, and must not slip in behind it.
func TestWorkDuringAClosingWaitsAndIsThenKeptOnRecordWithoutEffect(t *testing.T) {
	k := newKit(t)
	id := k.open("northwind")
	closing, err := k.pool.Begin(k.ctx)
	require.NoError(t, err)
	defer func() { _ = closing.Rollback(k.ctx) }()
	_, err = closing.Exec(k.ctx, "update tickets set stage = 'posted' where number = $1", id.Number())
	require.NoError(t, err)

	m := ticket.Work{Header: k.by("ada"), Entry: k.work()}
	type result struct {
		ticket.Answer
		err error
	}
	done := make(chan result, 1)
	go func() {
		a, err := k.Log(k.ctx, id, m)
		done <- result{a, err}
	}()
	require.Eventually(t, func() bool {
		return value[int](k, "select count(*) from pg_locks where not granted") == 1
	}, 4*time.Second, 5*time.Millisecond)
	require.NoError(t, closing.Commit(k.ctx))
	late := <-done
	require.NoError(t, late.err)
	require.False(t, late.Effect)
	require.Contains(t, late.Says, "T-1001 is closed; reopen it to log more")
	require.Zero(t, value[int](k, "select count(*) from work_entries"))

	var kept struct{ Entry ticket.WorkEntry }
	require.NoError(t, json.Unmarshal(value[[]byte](k, "select answer from ticket_events where kind = 'work' and not effect"), &kept))
	require.Equal(t, m.Entry.OperationKey, kept.Entry.OperationKey)
	require.Equal(t, m.Entry.MS, kept.Entry.MS)
	require.Equal(t, "ada", kept.Entry.Actor)

	again, err := k.Log(k.ctx, id, m)
	require.NoError(t, err)
	require.Equal(t, late.Answer, again)
}

func TestPreparedWorkIsWrittenWithTheBatchOfAClosing(t *testing.T) {
	k := newKit(t)
	id := k.open("northwind")
	logged := k.work()
	_, err := k.Log(k.ctx, id, ticket.Work{Header: k.by("ada"), Entry: logged})
	require.NoError(t, err)
	logged.Actor = "ada"
	fresh, twin := k.work(), k.work()
	twin.OperationKey = fresh.OperationKey

	entries := []ticket.WorkEntry{logged, fresh, fresh}
	prepared, err := k.prepareWork(k.ctx, k.pool, id, "northwind", 1, k.by("bob"), entries)
	require.NoError(t, err)
	require.Len(t, prepared, 1, "what is logged, or twice in the message, is written once")
	b := &pgx.Batch{}
	prepared[0].queue(b)
	require.NoError(t, k.pool.SendBatch(k.ctx, b).Close())
	require.Equal(t, "bob", value[string](k, "select actor from work_entries where operation_key = $1", fresh.OperationKey))

	twin.Note = "something else"
	_, err = k.prepareWork(k.ctx, k.pool, id, "northwind", 1, k.by("bob"), []ticket.WorkEntry{twin})
	require.Equal(t, "work.operation_key", problem(t, err).Field)
}
