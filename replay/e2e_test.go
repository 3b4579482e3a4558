package replay_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/desk"
	"github.com/docket-psa/docket/internal/testenv"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/replay"
	"github.com/docket-psa/docket/seed"
	"github.com/docket-psa/docket/worker"
)

// real is a whole Docket: PostgreSQL with the seeded company, Temporal, a worker.
type real struct {
	*postgres.Store
	desk *desk.Desk
}

func open(t *testing.T, server *testenv.TemporalServer) real {
	t.Helper()
	ctx := t.Context()
	url := testenv.Template(t, "seeded", func(url string) error {
		if _, err := postgres.Migrate(context.Background(), url, "", ""); err != nil {
			return err
		}
		store, err := postgres.Open(context.Background(), url, postgres.Options{Now: time.Now})
		if err != nil {
			return err
		}
		defer store.Disconnect()
		_, err = seed.Apply(context.Background(), store)
		return err
	})
	store, err := postgres.Open(ctx, url, postgres.Options{Now: time.Now, MaxConns: 16})
	require.NoError(t, err)
	t.Cleanup(store.Disconnect)
	quiet := slog.New(slog.DiscardHandler)
	c, err := client.NewLazyClient(client.Options{HostPort: server.Address, Namespace: server.Namespace, Logger: log.NewStructuredLogger(quiet)})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	w := worker.New(c, worker.Deps{Desk: store, Ledger: store})
	require.NoError(t, w.Start())
	t.Cleanup(w.Stop)
	return real{Store: store, desk: desk.New(store, c, desk.Options{Now: time.Now, Log: quiet})}
}

func (r real) options(t *testing.T) replay.Options {
	t.Helper()
	clients, err := r.Clients(t.Context())
	require.NoError(t, err)
	people, err := r.People(t.Context(), "-")
	require.NoError(t, err)
	cast, err := replay.NewCast(clients, people)
	require.NoError(t, err)
	return replay.Options{Desk: r.desk, Record: r.Store, Cast: cast, Now: time.Now, Unavailable: wantsAnswer}
}

func wantsAnswer(err error) bool {
	return errors.Is(err, desk.ErrUnavailable) || errors.Is(err, context.DeadlineExceeded) || pgconn.SafeToRetry(err)
}

// sound checks a result against the books.
func (r real) sound(t *testing.T, result replay.Result) {
	t.Helper()
	assert.Zero(t, result.Leaked)
	found, err := r.Audit(t.Context(), func(int, int) {})
	require.NoError(t, err)
	assert.True(t, found.Clean(), "%+v", found)
	assert.Equal(t, result.Closures, found.Closures)
	booked, err := r.TotalsByClient(t.Context())
	require.NoError(t, err)
	lines := 0
	for _, b := range booked {
		places, _ := billing.MinorUnits(b.Currency)
		lines += b.Lines
		assert.Contains(t, result.Totals[b.Client], replay.Total{Amount: b.Amount.StringFixed(places), Currency: b.Currency, Lines: b.Lines})
	}
	assert.Equal(t, lines, result.Lines)
}

func fixture(t *testing.T) *bytes.Reader {
	t.Helper()
	file, err := os.ReadFile("testdata/incidents.csv")
	require.NoError(t, err)
	return bytes.NewReader(file)
}

// told is what the fixture comes to, however it was told.
func told(t *testing.T, result replay.Result) {
	t.Helper()
	assert.Equal(t, 14, result.Incidents)
	assert.Equal(t, 61, result.Rows)
	accepted := result.Transitions.Accepted
	assert.Equal(t, 14, accepted[replay.Open])
	assert.Equal(t, 16, accepted[replay.Resolve])
	assert.Equal(t, 14, accepted[replay.Confirm])
	assert.Equal(t, 3, accepted[replay.Reopen])
	assert.Equal(t, 16, result.Closures)
	assert.Equal(t, 3, result.Reopenings)
	assert.Equal(t, map[replay.Kind]map[string]int{
		replay.Change: {
			`the state "-100" is none of the desk's`:              1,
			"work has begun, and the desk has no way back to New": 1,
		},
		replay.Claim: {"the ticket is closed; reopen it to claim it.": 1},
	}, result.Transitions.Refused)
	assert.Equal(t, 1, result.Standing.Open, "the last incident is not resolved in the log")
}

func TestE2EALogIsToldOnceHoweverOftenItIsRun(t *testing.T) {
	r := open(t, testenv.Temporal(t, testenv.WithFreshNamespace()))
	first, err := replay.Run(t.Context(), fixture(t), r.options(t))
	require.NoError(t, err)
	told(t, first)
	r.sound(t, first)
	assert.Zero(t, first.Duplicates)
	assert.Positive(t, first.Lines)

	again, err := replay.Run(t.Context(), fixture(t), r.options(t))
	require.NoError(t, err)
	assert.Equal(t, 14, again.Duplicates)
	again.Duplicates, again.ElapsedMS = first.Duplicates, first.ElapsedMS
	assert.Equal(t, first, again)
	r.sound(t, again)
}

func TestE2EALogThatWasBrokenOffGoesOn(t *testing.T) {
	r := open(t, testenv.Temporal(t, testenv.WithFreshNamespace()))
	ctx, breakOff := context.WithCancel(t.Context())
	o := r.options(t)
	o.Concurrency, o.Progress = 3, func(done int) {
		if done == 4 {
			breakOff()
		}
	}
	half, err := replay.Run(ctx, fixture(t), o)
	require.ErrorIs(t, err, context.Canceled)
	require.Less(t, half.Incidents, 14)

	whole, err := replay.Run(t.Context(), fixture(t), r.options(t))
	require.NoError(t, err)
	assert.GreaterOrEqual(t, whole.Duplicates, half.Incidents)
	told(t, whole)
	r.sound(t, whole)
}

func TestE2ETemporalIsKilledInTheMiddle(t *testing.T) {
	server := testenv.OwnTemporal(t)
	r := open(t, server)
	o := r.options(t)
	var troubles atomic.Int64
	o.Concurrency = 2
	o.Trouble = func(error, time.Duration) { troubles.Add(1) }
	o.Progress = func(done int) {
		if done == 4 {
			server.Kill9(t)
			server.Restart(t)
		}
	}
	result, err := replay.Run(t.Context(), fixture(t), o)
	require.NoError(t, err)
	told(t, result)
	r.sound(t, result)
}

// The shared log is not part of the repository; where it lies beside it, its beginning is told.
func TestE2ETheBeginningOfARealLog(t *testing.T) {
	file, err := os.Open("../../shared/data/lifecycle_uci_dev.csv.gz")
	if errors.Is(err, os.ErrNotExist) && os.Getenv("CI") != "true" {
		t.Skip("no log at ../../shared/data/lifecycle_uci_dev.csv.gz; CI=true makes this a failure")
	}
	require.NoError(t, err)
	defer func() { _ = file.Close() }()

	r := open(t, testenv.Temporal(t, testenv.WithFreshNamespace()))
	o := r.options(t)
	o.Limit = 25
	first, err := replay.Run(t.Context(), file, o)
	require.NoError(t, err)
	assert.Equal(t, 25, first.Incidents)
	assert.Equal(t, 25, first.Closures)
	assert.Empty(t, first.Transitions.Refused)
	r.sound(t, first)

	_, err = file.Seek(0, io.SeekStart)
	require.NoError(t, err)
	again, err := replay.Run(t.Context(), file, o)
	require.NoError(t, err)
	assert.Equal(t, 25, again.Duplicates)
	again.Duplicates, again.ElapsedMS = 0, first.ElapsedMS
	assert.Equal(t, first, again)
}
