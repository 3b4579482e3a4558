// Package devserver starts docket-devstack, the Temporal server with its Web UI, as a child of this process.
//
// It owns finding the binary, its arguments, its ready line and its end. It does not own the databases, which the binary makes in the PostgreSQL
// that it is given, nor anything about workflows.
package devserver

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/docket-psa/docket/internal/child"
)

const (
	// readyTimeout is for a loaded machine: a fresh start takes about a second on a quiet one.
	readyTimeout = 2 * time.Minute
	stopTimeout  = 20 * time.Second
	passwordEnv  = "DOCKET_DEVSTACK_PGPASSWORD"
)

// NoUI as Options.UIPort starts no Web UI.
const NoUI = -1

// Options say what to start. All but the PostgreSQL fields may be zero.
type Options struct {
	Binary string // path; empty looks for it, see Find

	IP        string // to listen on; 127.0.0.1 if empty
	GRPCPort  int    // 0 is a free port
	HTTPPort  int    // 0 is a free port
	UIPort    int    // 0 is a free port, NoUI none
	Namespace string // "docket" if empty
	Retention time.Duration

	// SearchAttributes are the namespace's, name to type, such as "Priority": "Int".
	SearchAttributes map[string]string

	PostgresAddr     string // host:port
	PostgresUser     string // may create databases
	PostgresPassword string
	Database         string // "temporal" if empty; visibility goes to <Database>_visibility

	LogLevel string    // "error" if empty
	Log      io.Writer // the server's log; nil drops it
}

// Server is a running docket-devstack.
type Server struct {
	Ready
	process *child.Process
	stdin   io.Closer // open as long as this process lives; the child ends when it closes
}

// Start starts the server and returns when it can be used.
//
// Returns ErrNoBinary when there is none, and otherwise what the server said on stderr before it ended.
func Start(ctx context.Context, o Options) (*Server, error) {
	binary := o.Binary
	if binary == "" {
		found, err := Find(os.Getenv)
		if err != nil {
			return nil, err
		}
		binary = found
	}
	tail := &child.Tail{Next: o.Log}
	cmd := exec.Command(binary, o.args()...)
	cmd.Env = append(os.Environ(), passwordEnv+"="+o.PostgresPassword)
	cmd.Stderr = tail
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", binary, err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", binary, err)
	}
	process, err := child.Start(cmd, syscall.SIGTERM)
	if err != nil {
		return nil, err
	}
	s := &Server{process: process, stdin: stdin}
	lines := make(chan []byte, 1)
	go func() {
		line, _ := bufio.NewReader(stdout).ReadBytes('\n') // a line cut short is found when it is read as JSON
		if len(line) > 0 {                                 // else it ends without a word, which the process tells better
			lines <- line
		}
		_, _ = io.Copy(io.Discard, stdout)
	}()
	s.Ready, err = s.awaitReady(ctx, lines)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start the Temporal server (%s): %w\n%s", binary, err, tail), s.Kill())
	}
	return s, nil
}

func (s *Server) awaitReady(ctx context.Context, lines <-chan []byte) (Ready, error) {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	select {
	case line := <-lines:
		return parseReady(line)
	case <-s.process.Done():
		return Ready{}, errors.Join(errors.New("it ended before it was ready"), s.process.Err())
	case <-ctx.Done():
		return Ready{}, fmt.Errorf("it was not ready in time: %w", ctx.Err())
	}
}

// args leaves out what is zero, so that the binary's own defaults hold, except ports: its defaults are fixed ones.
func (o Options) args() []string {
	args := []string{
		"-grpc-port=" + strconv.Itoa(o.GRPCPort),
		"-http-port=" + strconv.Itoa(o.HTTPPort),
		"-ui-port=" + strconv.Itoa(o.UIPort),
	}
	for _, f := range []struct{ name, value string }{
		{"ip", o.IP},
		{"namespace", o.Namespace},
		{"postgres-addr", o.PostgresAddr},
		{"postgres-user", o.PostgresUser},
		{"database", o.Database},
		{"log-level", o.LogLevel},
	} {
		if f.value != "" {
			args = append(args, "-"+f.name+"="+f.value)
		}
	}
	if o.Retention != 0 {
		args = append(args, "-retention="+o.Retention.String())
	}
	for _, name := range slices.Sorted(maps.Keys(o.SearchAttributes)) {
		args = append(args, "-search-attribute="+name+"="+o.SearchAttributes[name])
	}
	return args
}

// Stop ends the server in order; when ctx ends first, by force. The data is safe either way: PostgreSQL has it.
func (s *Server) Stop(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, stopTimeout)
	defer cancel()
	err := s.process.Stop(ctx, syscall.SIGTERM, syscall.SIGKILL)
	_ = s.stdin.Close() // of a process that has ended
	return err
}

// Kill ends the server as a crash would.
func (s *Server) Kill() error {
	err := s.process.Kill()
	_ = s.stdin.Close() // of a process that has ended
	return err
}

// PID is the server's process id.
func (s *Server) PID() int { return s.process.PID() }

// Done closes when the server has ended, by Stop, Kill or otherwise.
func (s *Server) Done() <-chan struct{} { return s.process.Done() }
