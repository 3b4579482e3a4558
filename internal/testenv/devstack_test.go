package testenv_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/internal/devserver"
	"github.com/docket-psa/docket/internal/testenv"
)

// These tests run docket-devstack, which is a module of its own without a PostgreSQL to test on.

func TestOlderSchemaIsUpgraded(t *testing.T) {
	o := onCluster(t)
	require.NoError(t, startDevstack(t, o).Stop(t.Context()))
	// As the version before left them.
	execute(t, urlOf(t, o.Database), "DROP TABLE current_chasm_executions")
	execute(t, urlOf(t, o.Database), "UPDATE schema_version SET curr_version = '1.18'")
	visibility := urlOf(t, o.Database+"_visibility")
	execute(t, visibility, "ALTER TABLE executions_visibility DROP COLUMN TemporalExternalPayloadSizeBytes, DROP COLUMN TemporalExternalPayloadCount")
	execute(t, visibility, "UPDATE schema_version SET curr_version = '1.13'")

	startDevstack(t, o)
	require.Equal(t, "1.19", text(t, urlOf(t, o.Database), "SELECT curr_version FROM schema_version"))
	require.Equal(t, "1.14", text(t, visibility, "SELECT curr_version FROM schema_version"))
	execute(t, urlOf(t, o.Database), "SELECT FROM current_chasm_executions")
	execute(t, visibility, "SELECT TemporalExternalPayloadCount FROM executions_visibility")
}

func TestInterruptedFirstSetupIsDoneAgain(t *testing.T) {
	o := onCluster(t)
	execute(t, urlOf(t, "postgres"), "CREATE DATABASE "+o.Database)
	execute(t, urlOf(t, o.Database), "CREATE TABLE schema_version (version_partition int, db_name varchar, curr_version varchar)")
	execute(t, urlOf(t, o.Database), "CREATE TABLE executions (half int)")
	startDevstack(t, o)
}

func TestUserWithoutRightsUsesDatabasesMadeForIt(t *testing.T) {
	o := onCluster(t)
	o.PostgresUser, o.PostgresPassword = "only_"+o.Database, "secret/with:signs"
	admin := urlOf(t, "postgres")
	execute(t, admin, "CREATE ROLE "+o.PostgresUser+" LOGIN PASSWORD 'secret/with:signs'")
	execute(t, admin, "CREATE DATABASE "+o.Database+" OWNER "+o.PostgresUser)
	execute(t, admin, "CREATE DATABASE "+o.Database+"_visibility OWNER "+o.PostgresUser)
	startDevstack(t, o)
}

func TestSearchAttributeKeepsItsType(t *testing.T) {
	o := onCluster(t)
	o.SearchAttributes = map[string]string{"Client": "Keyword"}
	require.NoError(t, startDevstack(t, o).Stop(t.Context()))

	o.SearchAttributes = map[string]string{"Client": "Int"}
	_, err := devserver.Start(t.Context(), o)
	require.ErrorContains(t, err, "-search-attribute Client=Int: the namespace has it as Keyword already")

	o.SearchAttributes = map[string]string{"Client": "Keyword", "Added": "Int"}
	startDevstack(t, o)
}

func TestWhatIsMissingIsNamedInOneLine(t *testing.T) {
	good := onCluster(t)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = taken.Close() })
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, closed.Close())

	for _, c := range []struct {
		name   string
		change func(*devserver.Options)
		exit   string
		says   string
	}{
		{
			"no PostgreSQL", func(o *devserver.Options) { o.PostgresAddr = closed.Addr().String() }, "exit status 1",
			"cannot reach PostgreSQL at -postgres-addr " + closed.Addr().String(),
		},
		{
			"wrong password", func(o *devserver.Options) { o.PostgresPassword = "guess" }, "exit status 1",
			"refuses -postgres-user postgres",
		},
		{
			"taken port", func(o *devserver.Options) { o.UIPort = taken.Addr().(*net.TCPAddr).Port }, "exit status 1",
			fmt.Sprintf("-ui-port %d is taken", taken.Addr().(*net.TCPAddr).Port),
		},
		{
			"bad flag", func(o *devserver.Options) { o.LogLevel = "loud" }, "exit status 2",
			`-log-level "loud": give one of`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := good
			c.change(&o)
			_, err := devserver.Start(t.Context(), o)
			require.ErrorContains(t, err, c.exit)
			_, said, _ := strings.Cut(err.Error(), c.exit+"\n")
			require.Contains(t, said, c.says)
			require.NotContains(t, said, "\n", "one line")
		})
	}
}

func TestDevstackEndsCleanly(t *testing.T) {
	for _, c := range []struct {
		name string
		end  func(cmd *exec.Cmd, stdin *os.File) error
	}{
		{"on SIGTERM", func(cmd *exec.Cmd, _ *os.File) error { return cmd.Process.Signal(syscall.SIGTERM) }},
		{"on SIGINT", func(cmd *exec.Cmd, _ *os.File) error { return cmd.Process.Signal(os.Interrupt) }},
		{"when its stdin closes", func(_ *exec.Cmd, stdin *os.File) error { return stdin.Close() }},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := onCluster(t)
			child, parent, err := os.Pipe()
			require.NoError(t, err)
			cmd := exec.Command(o.Binary, "-grpc-port=0", "-ui-port=0", "-postgres-addr="+o.PostgresAddr, "-database="+o.Database)
			cmd.Env = append(os.Environ(), "DOCKET_DEVSTACK_PGPASSWORD="+o.PostgresPassword)
			cmd.Stdin = child
			var said strings.Builder
			cmd.Stderr = &said
			stdout, err := cmd.StdoutPipe()
			require.NoError(t, err)
			require.NoError(t, cmd.Start())
			require.NoError(t, child.Close())
			line, err := bufio.NewReader(stdout).ReadString('\n')
			require.NoError(t, err, "%s", &said)
			require.Contains(t, line, `"namespace":"docket"`)

			require.NoError(t, c.end(cmd, parent))
			require.NoError(t, cmd.Wait(), "exit code 0")
			for line := range strings.Lines(said.String()) {
				require.Contains(t, line, "shard status unknown", "of the start, where a queue may be read before its shard is taken")
			}
			_ = parent.Close()
		})
	}
}

var devstacks atomic.Int32

// onCluster are the options for databases of this test's own, dropped after it.
func onCluster(t *testing.T) devserver.Options {
	t.Helper()
	c := testenv.Cluster(t)
	o := devserver.Options{
		Binary:           testenv.Devstack(t),
		PostgresAddr:     c.Addr(),
		PostgresUser:     c.User,
		PostgresPassword: c.Password,
		Database:         fmt.Sprintf("devstack_%d", devstacks.Add(1)),
	}
	t.Cleanup(func() {
		for _, d := range []string{o.Database, o.Database + "_visibility"} {
			execute(t, urlOf(t, "postgres"), "DROP DATABASE IF EXISTS "+d+" WITH (FORCE)")
		}
	})
	return o
}

func startDevstack(t *testing.T, o devserver.Options) *devserver.Server {
	t.Helper()
	s, err := devserver.Start(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Stop(context.Background())) })
	return s
}

func urlOf(t *testing.T, database string) string {
	t.Helper()
	c := testenv.Cluster(t)
	return c.URL(c.User, database)
}

func text(t *testing.T, url, query string) string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close(t.Context())) }()
	var got string
	require.NoError(t, conn.QueryRow(t.Context(), query).Scan(&got))
	return got
}
