// Command docket-devstack runs a Temporal server and its Web UI in one process, on PostgreSQL, for development, tests and
// small installations. Docket starts it as a child; it can also run by itself.
//
// When it is ready it prints one line of JSON on stdout: where the server and the UI listen, and how long each step took. Everything
// else goes to stderr. It ends on SIGINT and SIGTERM, and when a pipe that it has as stdin closes: a child never outlives its parent.
//
// Exit codes: 0 after a clean stop, 1 when something it needs is missing or fails, 2 for a bad flag.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

// ready is the line on stdout. Durations are milliseconds since the process began its own work.
type ready struct {
	Address   string `json:"address"` // gRPC, host:port
	HTTP      string `json:"http"`    // the HTTP API, http://host:port
	UI        string `json:"ui"`      // the Web UI, http://host:port; empty without a UI
	Namespace string `json:"namespace"`
	SchemaMS  int64  `json:"schema_ms"` // both databases at the wanted schema version
	StartMS   int64  `json:"start_ms"`  // all services up
	ReadyMS   int64  `json:"ready_ms"`  // namespace, search attributes and UI answer
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Getenv, os.Stdin, os.Stdout, os.Stderr))
}

func run(ctx context.Context, args []string, env func(string) string, stdin *os.File, stdout, stderr io.Writer) int {
	opts, err := parseOptions(args, env, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		complain(stderr, err)
		return 2
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	cancelWhenClosed(stdin, cancel)
	if err := serve(ctx, opts, stdout); err != nil && !errors.Is(err, context.Canceled) {
		complain(stderr, err)
		return 1
	}
	return 0
}

// complain tells an error in one line: a program may be reading, and some of the libraries' errors have several.
func complain(stderr io.Writer, err error) {
	_, _ = fmt.Fprintln(stderr, "docket-devstack:", strings.Join(strings.Fields(err.Error()), " "))
}

// serve runs the whole stack until ctx ends.
func serve(ctx context.Context, opts options, stdout io.Writer) error {
	begin := time.Now()
	ms := func() int64 { return time.Since(begin).Milliseconds() }
	limitMemory()

	ports, err := choosePorts(opts)
	if err != nil {
		return err
	}
	logger := newLog(opts.logLevel)
	var line ready
	if err := prepareSchema(ctx, opts, logger); err != nil {
		return err
	}
	line.SchemaMS = ms()

	srv, err := startServer(opts, ports, logger)
	if err != nil {
		return err
	}
	defer srv.stop()
	line.StartMS = ms()

	if err := prepareNamespace(ctx, opts, srv.address); err != nil {
		return err
	}
	line.Address, line.HTTP, line.Namespace = srv.address, srv.http, opts.namespace
	if ports.ui != 0 {
		ui, err := startUI(ctx, opts, ports.ui, srv.address)
		if err != nil {
			return err
		}
		defer ui.stop()
		line.UI = ui.url
	}
	line.ReadyMS = ms()
	if err := json.NewEncoder(stdout).Encode(line); err != nil {
		return fmt.Errorf("write the ready line: %w", err)
	}
	<-ctx.Done()
	return nil
}

// cancelWhenClosed cancels when a parent at the other end of stdin has gone. Only a pipe or a socket has a parent behind
// it: a terminal, a file or /dev/null (as containers give) says nothing about one.
func cancelWhenClosed(stdin *os.File, cancel context.CancelFunc) {
	info, err := stdin.Stat()
	if err != nil || info.Mode()&(os.ModeNamedPipe|os.ModeSocket) == 0 {
		return
	}
	go func() {
		_, _ = io.Copy(io.Discard, stdin)
		cancel()
	}()
}
