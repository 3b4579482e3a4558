package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/spf13/cobra"
	"go.temporal.io/api/serviceerror"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/desk"
	"github.com/docket-psa/docket/sla"
	"github.com/docket-psa/docket/ticket"
)

// The exit codes. Scripts decide by them, so they never change their meaning.
const (
	exitOK          = 0
	exitFailed      = 1
	exitBadInput    = 2
	exitUnavailable = 3
	exitNoEffect    = 4
	exitFound       = 5
	exitInterrupted = 130
)

const exitCodes = `Exit codes:
  0    done
  1    failed: the message says what was tried
  2    bad input: field, value and what to do are told; nothing was stored
  3    unavailable for now (PostgreSQL, Temporal or a worker does not answer): the same command may be
       repeated, with the same --key it has one effect
  4    taken, and without effect: stale, too late, or somebody else decided before; the answer says what is true now
  5    a check found something: audit, doctor
  130  interrupted`

// errNoEffect ends a command whose message was taken and changed nothing. Its answer is printed already.
var errNoEffect = errors.New("no effect")

// errFound ends a check that found something. Its findings are printed already.
var errFound = errors.New("found")

// usageError is a mistake in the command line itself.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

func usage(err error) error { return &usageError{err} }

// notBoth refuses a command with two flags that exclude each other.
func notBoth(c *cobra.Command, one, other string) error {
	if c.Flags().Changed(one) && c.Flags().Changed(other) {
		return usage(fmt.Errorf("--%s and --%s do not go together: give one of them", one, other))
	}
	return nil
}

// fail tells what went wrong on stderr and gives the exit code.
func (a *app) fail(err error) int {
	code := exitCode(err)
	switch {
	case err == nil, errors.Is(err, errNoEffect), errors.Is(err, errFound), code == exitInterrupted:
		return code
	}
	if lines := problemLines(err); len(lines) > 0 {
		for _, line := range lines {
			a.say("error: %s", line)
		}
		return code
	}
	a.say("error: %v", err)
	if code == exitUnavailable && !errors.Is(err, desk.ErrUnavailable) && !errors.Is(err, errNotRunning) {
		a.say("Nothing was lost. Try again, or see what is missing: docket doctor")
	}
	return code
}

func exitCode(err error) int {
	var bad *usageError
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errNoEffect):
		return exitNoEffect
	case errors.Is(err, errFound):
		return exitFound
	case errors.As(err, &bad), len(problemLines(err)) > 0, strings.HasPrefix(err.Error(), "unknown command"):
		return exitBadInput
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	case unavailable(err):
		return exitUnavailable
	}
	return exitFailed
}

// unavailable says whether the same command may succeed later as it is.
func unavailable(err error) bool {
	var (
		connect *pgconn.ConnectError
		server  *pgconn.PgError
		network net.Error
		away    *serviceerror.Unavailable
	)
	if errors.As(err, &server) {
		// 08: connection, 53: resources, 57: operator intervention (shutting down, starting up).
		return strings.HasPrefix(server.Code, "08") || strings.HasPrefix(server.Code, "53") || strings.HasPrefix(server.Code, "57")
	}
	return errors.Is(err, desk.ErrUnavailable) || errors.Is(err, errNotRunning) || errors.As(err, &connect) || errors.As(err, &network) ||
		errors.As(err, &away) || errors.Is(err, context.DeadlineExceeded) || pgconn.SafeToRetry(err)
}

// problemLines gives one line for each thing wrong with the input.
func problemLines(err error) []string {
	var lines []string
	for _, p := range ticket.Problems(err) {
		lines = append(lines, p.Error())
	}
	for _, p := range billing.Problems(err) {
		lines = append(lines, p.Error())
	}
	for _, p := range sla.Problems(err) {
		lines = append(lines, p.Error())
	}
	return lines
}

func newExitCodes() *cobra.Command {
	return &cobra.Command{
		Use:   "exit-codes",
		Short: "What the exit codes mean",
		Long:  exitCodes,
	}
}

// exactly checks the number of arguments and says what is missing.
func exactly(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == len(names) {
			return nil
		}
		if len(args) < len(names) {
			return usage(fmt.Errorf("%s is missing: docket %s", names[len(args)], cmd.UseLine()[len("docket "):]))
		}
		return usage(fmt.Errorf("%q is one argument too many: docket %s", args[len(names)], cmd.UseLine()[len("docket "):]))
	}
}

// oneOrTwo checks the arguments of a command whose second one may be left out.
func oneOrTwo(first, second string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) > 1 {
			return exactly(first, second)(cmd, args)
		}
		return exactly(first)(cmd, args)
	}
}
