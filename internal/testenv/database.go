// Package testenv gives tests the real PostgreSQL and the real Temporal server.
//
// It owns one private cluster and one Temporal server for each test binary, started when first asked for and gone when the binary ends,
// however it ends. It does not own schemas (see Template) nor workers. What is missing on the machine fails the test and says how to get it;
// nothing is skipped.
package testenv

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/internal/pgdev"
)

// cluster is started once; its error fails every test that needs it.
var cluster = sync.OnceValues(func() (*pgdev.Cluster, error) {
	return pgdev.Start(context.Background(), pgdev.Options{})
})

// Cluster is the test binary's PostgreSQL. It survives the test: one that wants to kill a server starts its own by pgdev.
func Cluster(t testing.TB) *pgdev.Cluster {
	t.Helper()
	c, err := cluster()
	require.NoError(t, err)
	return c
}

var databases atomic.Int64

// EmptyDatabase creates a database without tables, dropped after the test, and returns the superuser's URL for it.
func EmptyDatabase(t testing.TB) string {
	t.Helper()
	return createDatabase(t, "template0")
}

// Template returns the URL of a new database, dropped after the test, that is a copy of a template. build makes the template from an empty
// database, once for each name and test binary; it closes its connections before it returns.
func Template(t testing.TB, name string, build func(url string) error) string {
	t.Helper()
	c := Cluster(t)
	made, _ := templates.LoadOrStore(name, sync.OnceValues(func() (string, error) {
		return makeTemplate(context.Background(), c, name, build)
	}))
	template, err := made.(func() (string, error))()
	require.NoError(t, err)
	return createDatabase(t, template)
}

// Copy returns the URL of a new database, dropped after the test, that is a copy of the one at the URL, to which nobody may be connected.
func Copy(t testing.TB, url string) string {
	t.Helper()
	of, err := pgx.ParseConfig(url)
	require.NoError(t, err)
	return createDatabase(t, of.Database)
}

// templates are, by name, functions that make the template at the first call and return its database's name.
var templates sync.Map

// making lets one template be made at a time: roles belong to the cluster, and two migrations at once would both make them.
var making sync.Mutex

func makeTemplate(ctx context.Context, c *pgdev.Cluster, name string, build func(url string) error) (string, error) {
	database := fmt.Sprintf("template_%d_%s", databases.Add(1), name)
	quoted := pgx.Identifier{database}.Sanitize()
	if err := execute(ctx, c, "CREATE DATABASE "+quoted+" TEMPLATE template0"); err != nil {
		return "", err
	}
	making.Lock()
	defer making.Unlock()
	if err := build(c.URL(c.User, database)); err != nil {
		return "", fmt.Errorf("build the template database %s: %w", name, err)
	}
	// A copy is refused as long as anybody is connected, autovacuum included.
	return database, execute(ctx, c, "ALTER DATABASE "+quoted+" ALLOW_CONNECTIONS false")
}

func createDatabase(t testing.TB, template string) string {
	t.Helper()
	c := Cluster(t)
	database := fmt.Sprintf("test_%d", databases.Add(1))
	quoted := pgx.Identifier{database}.Sanitize()
	require.NoError(t, execute(t.Context(), c, "CREATE DATABASE "+quoted+" TEMPLATE "+pgx.Identifier{template}.Sanitize()))
	t.Cleanup(func() {
		require.NoError(t, execute(context.Background(), c, "DROP DATABASE "+quoted+" WITH (FORCE)"))
	})
	return c.URL(c.User, database)
}

func execute(ctx context.Context, c *pgdev.Cluster, statement string) error {
	conn, err := pgx.Connect(ctx, c.SocketURL(c.User, "postgres"))
	if err != nil {
		return fmt.Errorf("connect to the tests' PostgreSQL: %w", err)
	}
	defer func() { _ = conn.Close(ctx) }()
	if _, err := conn.Exec(ctx, statement); err != nil {
		return fmt.Errorf("%s: %w", statement, err)
	}
	return nil
}
