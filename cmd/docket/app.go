package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"go.opentelemetry.io/otel/trace"

	"github.com/docket-psa/docket/internal/pgdev"
	"github.com/docket-psa/docket/internal/telemetry"
	"github.com/docket-psa/docket/ticket"
)

// app is what every command has: the world outside, the persistent flags, and a connection that
// is made when it is first needed.
type app struct {
	stdin  io.Reader
	stdout io.Writer
	stderr io.Writer
	env    func(string) string
	now    func() time.Time
	zone   *time.Location // of times in tables

	output string // table, json, jsonl or csv
	as     string // person id
	data   string // directory
	via    string // where its messages come from

	tel     *telemetry.Telemetry
	span    trace.Span
	session *session
}

const shutdownWithin = 5 * time.Second

// inRows says whether a command prints rows of one kind: only these are CSV.
func inRows(cmd *cobra.Command) bool {
	return cmd.Name() == "list" || (cmd.HasParent() && cmd.Parent().Name() == "report")
}

// prepare runs before every command: flags are read, nothing is connected.
func (a *app) prepare(cmd *cobra.Command) error {
	switch a.output {
	case "table", "json", "jsonl":
	case "csv":
		if !inRows(cmd) {
			return usage(fmt.Errorf("-o csv is for lists and reports: %s gives table, json or jsonl", cmd.CommandPath()))
		}
	default:
		return usage(fmt.Errorf("-o %q is not a format: table, json or jsonl, and csv of lists and reports", a.output))
	}
	if a.data == "" {
		postgres, err := pgdev.DefaultDir(a.env)
		if err != nil {
			return err
		}
		a.data = filepath.Dir(postgres)
	}
	if a.as == "" {
		a.as = a.env("DOCKET_AS")
	}
	a.via = ticket.ViaCLI
	level := slog.LevelWarn
	if text := a.env("DOCKET_LOG_LEVEL"); text != "" {
		if err := level.UnmarshalText([]byte(text)); err != nil {
			return usage(fmt.Errorf("DOCKET_LOG_LEVEL %q is not a level: debug, info, warn or error", text))
		}
	} else if cmd.Annotations[longRunning] == logsInfo {
		level = slog.LevelInfo
	}
	format := a.env("DOCKET_LOG_FORMAT")
	if format != "" && format != "text" && format != "json" {
		return usage(fmt.Errorf("DOCKET_LOG_FORMAT %q is not a format: text or json", format))
	}
	var err error
	a.tel, err = telemetry.Start(cmd.Context(), telemetry.Options{
		Version: version(), Stderr: a.stderr, JSON: format == "json", Level: level,
	})
	if err != nil {
		return err
	}
	if cmd.Annotations[longRunning] != "" {
		return nil // each of its deeds is a trace of its own
	}
	ctx, span := a.tel.Tracer.Start(cmd.Context(), cmd.CommandPath())
	a.span = span
	cmd.SetContext(ctx)
	return nil
}

// longRunning marks commands that run until they are stopped; with logsInfo, those whose log is all
// that they say.
const (
	longRunning = "long-running"
	logsInfo    = "info"
	logsWarn    = "warn"
)

// close ends what the command used.
func (a *app) close(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, shutdownWithin)
	defer cancel()
	if a.session != nil {
		a.session.close()
	}
	if a.span != nil {
		a.span.End()
	}
	if a.tel != nil {
		if err := a.tel.Shutdown(ctx); err != nil {
			a.tel.Log.Warn("not all traces were sent", "error", err)
		}
	}
}

// say tells the person at the terminal something that is not data.
func (a *app) say(format string, args ...any) {
	_, _ = fmt.Fprintln(a.stderr, harmless(fmt.Sprintf(format, args...)))
}

// person gives who acts, from --as or DOCKET_AS, and checks that the desk knows him.
func (a *app) person(ctx context.Context) (ticket.Person, error) {
	if a.as == "" {
		return ticket.Person{}, usage(errors.New("say who acts: --as PERSON, or DOCKET_AS in the environment; `docket client show` lists a client's people, `docket person list` everybody"))
	}
	s, err := a.open(ctx)
	if err != nil {
		return ticket.Person{}, err
	}
	return s.store.Person(ctx, a.as)
}

// header begins a message of the person who acts. key empty: a fresh one.
func (a *app) header(ctx context.Context, key string, at time.Time) (ticket.Header, error) {
	p, err := a.person(ctx)
	if err != nil {
		return ticket.Header{}, err
	}
	return ticket.Header{OperationKey: key, Who: p.ID, Via: a.via, At: at}, nil
}
