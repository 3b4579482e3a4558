package pgdev_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/internal/pgdev"
)

func TestStartedClusterTakesConnectionsByTCPAndSocket(t *testing.T) {
	c := start(t, pgdev.Options{})
	for _, url := range []string{c.URL(c.User, "postgres"), c.SocketURL(c.User, "postgres")} {
		require.Equal(t, "postgres", ask(t, url, "SELECT current_user::text"))
	}
	require.Equal(t, "on", ask(t, c.URL(c.User, "postgres"), "SELECT 'on' FROM pg_hba_file_rules HAVING bool_and(auth_method = 'scram-sha-256')"))
}

func TestWrongPasswordIsRefused(t *testing.T) {
	c := start(t, pgdev.Options{})
	_, err := pgx.Connect(t.Context(), strings.Replace(c.URL(c.User, "postgres"), c.Password, "guess", 1))
	require.ErrorContains(t, err, "password authentication failed")
}

func TestTemporaryDirectoryGoesWithTheCluster(t *testing.T) {
	c := start(t, pgdev.Options{})
	require.DirExists(t, c.Dir)
	require.NoError(t, c.Stop(t.Context()))
	require.NoDirExists(t, c.Dir)
	require.NoError(t, c.Stop(t.Context()), "stopping twice is allowed")
}

func TestSettingsReplaceTheDefaults(t *testing.T) {
	c := start(t, pgdev.Options{Durable: true, Settings: map[string]string{"max_connections": "300"}})
	url := c.URL(c.User, "postgres")
	require.Equal(t, "300", ask(t, url, "SHOW max_connections"))
	require.Equal(t, "on", ask(t, url, "SHOW fsync"))
	require.Equal(t, "on", ask(t, url, "SHOW data_checksums"))
}

func TestRestartGoesOnWithTheSameData(t *testing.T) {
	dir := reachableDir(t)
	c := start(t, pgdev.Options{Dir: dir, Durable: true})
	ask(t, c.URL(c.User, "postgres"), "CREATE TABLE kept AS SELECT 42 AS n")
	require.NoError(t, c.Stop(t.Context()))

	c = start(t, pgdev.Options{Dir: dir, Durable: true})
	require.Equal(t, "42", ask(t, c.URL(c.User, "postgres"), "SELECT n::text FROM kept"))
}

func TestKilledServerRecoversEveryCommit(t *testing.T) {
	dir := reachableDir(t)
	c := start(t, pgdev.Options{Dir: dir, Durable: true})
	conn, err := pgx.Connect(t.Context(), c.URL(c.User, "postgres"))
	require.NoError(t, err)
	defer func() { _ = conn.Close(context.Background()) }()
	_, err = conn.Exec(t.Context(), "CREATE TABLE kept AS SELECT 42 AS n")
	require.NoError(t, err)

	require.NoError(t, syscall.Kill(c.PID(), syscall.SIGKILL))
	<-c.Done()
	require.NoError(t, c.Stop(t.Context()))

	c = start(t, pgdev.Options{Dir: dir, Durable: true})
	require.Equal(t, "42", ask(t, c.URL(c.User, "postgres"), "SELECT n::text FROM kept"))
}

func TestLockFileWithSomebodyElsesProcessIDIsNoObstacle(t *testing.T) {
	dir := reachableDir(t)
	c := start(t, pgdev.Options{Dir: dir})
	lock := filepath.Join(dir, "data", "postmaster.pid")
	text, err := os.ReadFile(lock)
	require.NoError(t, err)
	require.NoError(t, c.Stop(t.Context()))
	other := start(t, pgdev.Options{}) // a process of the same account
	text = []byte(strings.Replace(string(text), itoa(c.PID()), itoa(other.PID()), 1))
	require.NoError(t, os.WriteFile(lock, text, 0o644))

	c = start(t, pgdev.Options{Dir: dir})
	require.Equal(t, "1", ask(t, c.URL(c.User, "postgres"), "SELECT '1'"))
}

func TestSecondStartNamesTheRunningServer(t *testing.T) {
	dir := reachableDir(t)
	c := start(t, pgdev.Options{Dir: dir})
	_, err := pgdev.Start(t.Context(), pgdev.Options{Dir: dir})
	var running *pgdev.RunningError
	require.ErrorAs(t, err, &running)
	require.Equal(t, c.PID(), running.PID)
}

func TestTakenPortIsNamed(t *testing.T) {
	c := start(t, pgdev.Options{})
	_, err := pgdev.Start(t.Context(), pgdev.Options{Port: c.Port})
	require.ErrorContains(t, err, "port "+itoa(c.Port)+" is taken")
}

func TestDirectoryOfSomebodyElseIsLeftAlone(t *testing.T) {
	dir := reachableDir(t)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "thesis.txt"), []byte("irreplaceable"), 0o644))
	_, err := pgdev.Start(t.Context(), pgdev.Options{Dir: dir})
	require.ErrorContains(t, err, "thesis.txt")
}

func TestInterruptedSetupIsDoneAgain(t *testing.T) {
	half := reachableDir(t)
	require.NoError(t, os.Mkdir(filepath.Join(half, "data.new"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(half, "password"), nil, 0o600))
	adopt(t, half)
	c := start(t, pgdev.Options{Dir: half})
	require.Equal(t, "1", ask(t, c.URL(c.User, "postgres"), "SELECT '1'"))
	require.NoDirExists(t, filepath.Join(half, "data.new"))
}

func TestLongDirectoryStillHasASocket(t *testing.T) {
	dir := filepath.Join(reachableDir(t), strings.Repeat("long/", 30))
	c := start(t, pgdev.Options{Dir: dir})
	require.Equal(t, "1", ask(t, c.SocketURL(c.User, "postgres"), "SELECT '1'"))
}

func TestRootNamesTheDirectoryThatTheServerCannotEnter(t *testing.T) {
	if os.Geteuid() != 0 {
		return // an ordinary user runs the server as itself
	}
	dir := reachableDir(t)
	closed := filepath.Join(dir, "closed")
	require.NoError(t, os.Mkdir(closed, 0o700))
	_, err := pgdev.Start(t.Context(), pgdev.Options{Dir: filepath.Join(closed, "below", "pg")})
	require.ErrorContains(t, err, "cannot enter "+closed)
}
