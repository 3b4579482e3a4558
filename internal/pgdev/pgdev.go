// Package pgdev runs a private PostgreSQL cluster from the machine's installed programs.
//
// It owns the cluster's directory, account, settings and processes. It does not own what is in the databases, and never touches a
// cluster that it did not make: Debian's own on port 5432 keeps running or keeps standing still.
//
// A cluster is a directory with data/ (PostgreSQL's), password (the superuser's, generated), a lock and the socket while it runs. Started again on
// the same directory, it goes on with the same data, whatever ended it before.
package pgdev

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/docket-psa/docket/internal/child"
)

const (
	host      = "127.0.0.1"
	superuser = "postgres"

	readyTimeout = 2 * time.Minute // recovery after a crash included
	readyPoll    = 20 * time.Millisecond
	stopTimeout  = 30 * time.Second
	portTries    = 3
)

// Options say what cluster to start.
type Options struct {
	// Dir is the cluster's directory, made when missing. Empty means a temporary one, removed by Stop, and also when this process
	// dies without it.
	Dir string
	// Port on loopback. 0 chooses a free one, at each start anew.
	Port int
	// Durable keeps every commit through a crash of the machine. Without it commits are fast, and a crash of the machine (not of
	// PostgreSQL alone) may lose the whole cluster: for tests.
	Durable bool
	// Settings of postgresql.conf that replace pgdev's.
	Settings map[string]string
	// Log receives the server's log. nil drops it.
	Log io.Writer
}

// Cluster is a running PostgreSQL.
type Cluster struct {
	Host     string // 127.0.0.1
	Port     int
	User     string // the superuser, "postgres"
	Password string // the superuser's; meant for the roles too that Docket makes in this cluster
	Dir      string

	sockets   string
	temporary bool
	process   *child.Process
	lock      *os.File
	remover   func() error // ends the process that watches over a temporary directory
}

// Start starts the cluster and returns when it takes connections.
//
// Returns ErrNotInstalled without PostgreSQL's server programs, a *RunningError when the directory's cluster runs already, and otherwise
// errors that name the directory, port or program and what to do.
func Start(ctx context.Context, o Options) (*Cluster, error) {
	acc, err := serverAccount()
	if err != nil {
		return nil, err
	}
	dir, err := prepareDir(o.Dir, acc)
	if err != nil {
		return nil, err
	}
	c, err := start(ctx, o, dir, acc)
	if err != nil && o.Dir == "" {
		err = errors.Join(err, os.RemoveAll(dir.path))
	}
	return c, err
}

func start(ctx context.Context, o Options, dir directory, acc account) (*Cluster, error) {
	lock, err := dir.lock()
	if err != nil {
		return nil, err
	}
	c, err := startLocked(ctx, o, dir, acc)
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	c.lock = lock
	return c, nil
}

func startLocked(ctx context.Context, o Options, dir directory, acc account) (*Cluster, error) {
	bin, err := findPrograms(dir.version())
	if err != nil {
		return nil, err
	}
	if err := acc.reach(dir.path, bin); err != nil {
		return nil, err
	}
	if err := dir.waitUntilFree(ctx); err != nil {
		return nil, err
	}
	password, err := dir.initialise(ctx, bin, acc, o.Durable)
	if err != nil {
		return nil, err
	}
	sockets, err := dir.socketDir(acc)
	if err != nil {
		return nil, err
	}
	c := &Cluster{Host: host, User: superuser, Password: password, Dir: dir.path, sockets: sockets, temporary: o.Dir == ""}
	for try := 1; ; try++ {
		c.Port, err = choosePort(o.Port)
		if err != nil {
			return nil, err
		}
		err = c.launch(ctx, bin, acc, dir, o)
		// A free port may be taken by somebody else before PostgreSQL gets there.
		if err == nil || o.Port != 0 || try == portTries || !errors.Is(err, errEnded) {
			break
		}
	}
	if err != nil {
		return nil, errors.Join(err, c.removeSockets())
	}
	if c.temporary {
		if err := c.removeAfterDeath(); err != nil {
			return nil, errors.Join(err, c.Stop(ctx))
		}
	}
	return c, nil
}

// errEnded marks a server that ended before it took connections.
var errEnded = errors.New("PostgreSQL ended while starting")

func (c *Cluster) launch(ctx context.Context, bin programs, acc account, dir directory, o Options) error {
	tail := &child.Tail{Next: o.Log}
	cmd := acc.command(bin.postgres, serverArgs(dir.data(), c, o)...)
	cmd.Dir = dir.path
	cmd.Stdout, cmd.Stderr = tail, tail
	process, err := child.Start(cmd, syscall.SIGINT)
	if err != nil {
		return err
	}
	c.process = process
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	if err := c.ready(ctx); err != nil {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
		defer cancel()
		stopped := process.Stop(ctx, syscall.SIGQUIT, syscall.SIGKILL)
		return errors.Join(fmt.Errorf("start PostgreSQL in %s on port %d: %w\n%s", dir.path, c.Port, err, tail), stopped)
	}
	return nil
}

// ready returns when the server answers as the superuser.
func (c *Cluster) ready(ctx context.Context) error {
	tick := time.NewTicker(readyPoll)
	defer tick.Stop()
	for {
		conn, err := pgx.Connect(ctx, c.SocketURL(c.User, "postgres"))
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-c.process.Done():
			return errors.Join(errEnded, c.process.Err())
		case <-ctx.Done():
			return fmt.Errorf("it did not answer in time: %w: %w", ctx.Err(), err)
		case <-tick.C:
		}
	}
}

// Stop ends all sessions, shuts the server down cleanly and removes a temporary directory. When ctx ends first, the server is ended
// without a checkpoint, which costs a recovery at the next start and no data. Stopping twice is allowed.
func (c *Cluster) Stop(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, stopTimeout)
	defer cancel()
	// SIGINT is PostgreSQL's fast shutdown, SIGQUIT its immediate one.
	err := c.process.Stop(ctx, syscall.SIGINT, syscall.SIGQUIT)
	err = errors.Join(err, c.removeSockets())
	if c.lock != nil {
		_ = c.lock.Close() // the second time it is closed already
	}
	if c.temporary {
		err = errors.Join(err, os.RemoveAll(c.Dir))
	}
	if c.remover != nil {
		err = errors.Join(err, c.remover())
		c.remover = nil
	}
	if err != nil {
		return fmt.Errorf("stop PostgreSQL in %s: %w", c.Dir, err)
	}
	return nil
}

// PID is the server's main process.
func (c *Cluster) PID() int { return c.process.PID() }

// Done closes when the server has ended, by Stop or otherwise.
func (c *Cluster) Done() <-chan struct{} { return c.process.Done() }

// URL connects over TCP on loopback with the cluster's password.
func (c *Cluster) URL(user, database string) string {
	u := url.URL{Scheme: "postgres", User: url.UserPassword(user, c.Password), Host: c.Addr(), Path: "/" + database, RawQuery: "sslmode=disable"}
	return u.String()
}

// SocketURL connects over the Unix socket, which only the cluster's account and root can open. It costs less than TCP.
func (c *Cluster) SocketURL(user, database string) string {
	q := url.Values{"host": {c.sockets}, "port": {strconv.Itoa(c.Port)}}
	u := url.URL{Scheme: "postgres", User: url.UserPassword(user, c.Password), Path: "/" + database, RawQuery: q.Encode()}
	return u.String()
}

// Addr is host:port.
func (c *Cluster) Addr() string { return net.JoinHostPort(c.Host, strconv.Itoa(c.Port)) }

func (c *Cluster) removeSockets() error {
	if filepath.Clean(c.sockets) == filepath.Clean(c.Dir) {
		return nil // PostgreSQL removes its own socket
	}
	return os.RemoveAll(c.sockets)
}

// choosePort returns port if nothing listens there, or a free one for 0.
func choosePort(port int) (int, error) {
	l, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(port)))
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return 0, fmt.Errorf("port %d is taken on %s: stop what listens there, or give PostgreSQL another port", port, host)
	case err != nil:
		return 0, fmt.Errorf("listen on port %d for PostgreSQL: %w", port, err)
	}
	chosen := l.Addr().(*net.TCPAddr).Port
	return chosen, l.Close()
}
