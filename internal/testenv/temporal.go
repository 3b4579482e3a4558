package testenv

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/internal/devserver"
)

// SearchAttributes are those that Docket's workflows set, name to type.
var SearchAttributes = map[string]string{
	"TicketStage":    "Keyword",
	"Client":         "Keyword",
	"Assignee":       "Keyword",
	"Priority":       "Int",
	"HoldReason":     "KeywordList", // a ticket may be held for several reasons at once
	"SLADue":         "Datetime",
	"SLAResponseDue": "Datetime",
}

// TemporalServer is a real Temporal server on the test binary's PostgreSQL, as one test sees it.
type TemporalServer struct {
	Address   string // gRPC, host:port; kept over Restart
	UI        string // the Web UI, http://host:port; kept over Restart
	Namespace string

	child *temporalChild
}

// Option changes what a test gets.
type Option func(*settings)

type settings struct {
	attributes     map[string]string
	freshNamespace bool
}

// WithSearchAttributes registers these in place of SearchAttributes. The shared server keeps those of its first caller, so tests that
// differ take WithFreshNamespace or OwnTemporal.
func WithSearchAttributes(attributes map[string]string) Option {
	return func(s *settings) { s.attributes = attributes }
}

// WithFreshNamespace gives the test a namespace of its own on the shared server. It costs up to two seconds, which the server takes
// to see it everywhere.
func WithFreshNamespace() Option {
	return func(s *settings) { s.freshNamespace = true }
}

func settingsOf(options []Option) settings {
	s := settings{attributes: SearchAttributes}
	for _, o := range options {
		o(&s)
	}
	return s
}

// shared is the test binary's server.
var shared struct {
	sync.Mutex
	child *temporalChild
}

// Temporal returns the test binary's server, which all its tests share: a test chooses workflow ids and task queues of its own. The
// server is started at the first call, and again after a test that left it dead.
func Temporal(t testing.TB, options ...Option) *TemporalServer {
	t.Helper()
	s := settingsOf(options)
	shared.Lock()
	defer shared.Unlock()
	switch {
	case shared.child == nil:
		started, err := startTemporal(t, "temporal", s)
		require.NoError(t, err)
		shared.child = started
	case !shared.child.running():
		require.NoError(t, shared.child.restart())
	}
	server := shared.child.server()
	if s.freshNamespace {
		server.Namespace = registerNamespace(t, server.Address, s.attributes)
	}
	return server
}

// OwnTemporal starts a server for this test alone, with databases of its own: for tests that take it down. It is stopped after
// the test.
func OwnTemporal(t testing.TB, options ...Option) *TemporalServer {
	t.Helper()
	database := fmt.Sprintf("temporal_%d", databases.Add(1))
	started, err := startTemporal(t, database, settingsOf(options))
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, started.process.Stop(context.Background()))
		c := Cluster(t)
		for _, d := range []string{database, database + "_visibility"} {
			require.NoError(t, execute(context.Background(), c, "DROP DATABASE "+d+" WITH (FORCE)"))
		}
	})
	return started.server()
}

// Kill9 ends the server as a crash does: nothing is flushed or answered.
func (s *TemporalServer) Kill9(t testing.TB) {
	t.Helper()
	require.NoError(t, s.child.process.Kill())
}

// Restart starts the server again after Kill9, or stops and starts it, on the same ports and data. Clients reconnect by themselves.
func (s *TemporalServer) Restart(t testing.TB) {
	t.Helper()
	require.NoError(t, s.child.restart())
}

// temporalChild is the process behind the server, another one after each restart.
type temporalChild struct {
	options devserver.Options
	process *devserver.Server
}

func startTemporal(t testing.TB, database string, s settings) (*temporalChild, error) {
	t.Helper()
	binary, err := devstack()
	if err != nil {
		return nil, err
	}
	c := Cluster(t)
	child := &temporalChild{options: devserver.Options{
		Binary:           binary,
		SearchAttributes: s.attributes,
		PostgresAddr:     c.Addr(),
		PostgresUser:     c.User,
		PostgresPassword: c.Password,
		Database:         database,
	}}
	child.process, err = devserver.Start(context.Background(), child.options)
	return child, err
}

func (c *temporalChild) restart() error {
	if err := c.process.Stop(context.Background()); err != nil {
		return err
	}
	o := c.options
	var err error
	if o.GRPCPort, o.HTTPPort, o.UIPort, err = c.process.Ports(); err != nil {
		return err
	}
	restarted, err := devserver.Start(context.Background(), o)
	if err != nil {
		return err
	}
	c.process = restarted
	return nil
}

func (c *temporalChild) running() bool {
	select {
	case <-c.process.Done():
		return false
	default:
		return true
	}
}

func (c *temporalChild) server() *TemporalServer {
	return &TemporalServer{Address: c.process.Address, UI: c.process.UI, Namespace: c.process.Namespace, child: c}
}
