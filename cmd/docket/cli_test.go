package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// shell runs command lines as a person would, in a place of their own.
type shell struct {
	t    *testing.T
	data string
	env  map[string]string
	in   string
}

func newShell(t *testing.T) *shell {
	t.Helper()
	// What the machine running the tests has set must not decide them.
	for _, name := range []string{"TEMPORAL_ADDRESS", "TEMPORAL_NAMESPACE", "OTEL_EXPORTER_OTLP_ENDPOINT"} {
		t.Setenv(name, "")
		require.NoError(t, os.Unsetenv(name))
	}
	t.Setenv("TEMPORAL_CONFIG_FILE", filepath.Join(t.TempDir(), "none.toml"))
	return &shell{t: t, data: t.TempDir(), env: map[string]string{}}
}

// said is what one command line printed.
type said struct {
	out, err string
	code     int
}

func (s *shell) docket(args ...string) said {
	s.t.Helper()
	var out, errs bytes.Buffer
	a := &app{
		stdin: strings.NewReader(s.in), stdout: &out, stderr: &errs, env: func(name string) string { return s.env[name] },
		now: time.Now, zone: time.UTC,
	}
	code := run(s.t.Context(), a, append([]string{"--data", s.data}, args...))
	return said{out.String(), errs.String(), code}
}

func TestMistakesInTheCommandLine(t *testing.T) {
	s := newShell(t)
	for name, c := range map[string]struct {
		args string
		code int
		says string
	}{
		"unknown command":       {"frobnicate", exitBadInput, "frobnicate"},
		"unknown subcommand":    {"ticket shwo", exitBadInput, "did you mean show?"},
		"unknown flag":          {"ticket list --nope", exitBadInput, "--nope"},
		"missing argument":      {"ticket show", exitBadInput, "TICKET is missing"},
		"one argument too many": {"ticket show T-1 T-2", exitBadInput, `"T-2"`},
		"no ticket number":      {"ticket show printer", exitBadInput, "write it like T-1042"},
		"no line number":        {"why everything", exitBadInput, "write it like L-88123"},
		"no such stage":         {"ticket list --stage banana", exitBadInput, "is not a stage"},
		"no rows":               {"ticket list --limit -5", exitBadInput, "give 1 or more"},
		"no such state":         {"invoice list --state lost", exitBadInput, "open, review, finalised"},
		"no such format":        {"-o xml ticket list", exitBadInput, "table, json or jsonl"},
		"no instant":            {"ticket claim T-1 --at yesterday", exitBadInput, "write it like"},
		"no date":               {"report margin --from soon", exitBadInput, "write it like 2026-03-01"},
		"nobody acts":           {"ticket claim T-1", exitBadInput, "--as PERSON"},
		"no such file":          {"contract check nowhere.yaml", exitBadInput, "nowhere.yaml"},
		"nothing runs":          {"ticket list", exitUnavailable, "docket up"},
	} {
		t.Run(name, func(t *testing.T) {
			said := s.docket(strings.Fields(c.args)...)
			assert.Equal(t, c.code, said.code, said.err)
			assert.Contains(t, said.err, c.says)
			assert.Empty(t, said.out)
		})
	}
}

func TestContractCheckTellsEveryMistakeWithItsLine(t *testing.T) {
	s := newShell(t)
	s.in = "schema: docket.contract/v1\ncontract: x\nclient: northwind\nname: X\neffective_from: soon\ncurrency: EUR\ntime_zone: Mars\nlines: []\n"
	said := s.docket("contract", "check", "-")
	assert.Equal(t, exitBadInput, said.code)
	assert.Contains(t, said.err, "line 5: effective_from")
	assert.Contains(t, said.err, "line 7: time_zone")
}

func TestHelpWorksWithoutAnything(t *testing.T) {
	s := newShell(t)
	for _, args := range [][]string{{"--help"}, {"help", "exit-codes"}, {"ticket", "--help"}, {"ticket"}, {"up", "--help"}} {
		said := s.docket(args...)
		assert.Equal(t, exitOK, said.code, args)
		assert.NotEmpty(t, said.out, args)
	}
	assert.Contains(t, s.docket("help", "exit-codes").out, "nothing was stored")
	assert.Equal(t, exitOK, s.docket("version").code)
}

func TestStateOfADeadDocketIsNotUsed(t *testing.T) {
	s := newShell(t)
	require.NoError(t, writeState(s.data, state{PID: 1 << 30, DatabaseURL: "postgres://nowhere"}))
	said := s.docket("ticket", "list")
	assert.Equal(t, exitUnavailable, said.code)
	assert.Contains(t, said.err, "docket up")
	info, err := os.Stat(statePath(s.data))
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm(), "it holds passwords")
}

func TestPostgresThatDoesNotAnswer(t *testing.T) {
	s := newShell(t)
	s.env["DATABASE_URL"] = "postgres://docket_desk:x@127.0.0.1:1/docket?sslmode=disable"
	said := s.docket("ticket", "list")
	assert.Equal(t, exitUnavailable, said.code)
	assert.Contains(t, said.err, "Try again")
	said = s.docket("doctor")
	assert.Equal(t, exitFound, said.code)
	assert.Contains(t, said.out, "PostgreSQL")
}
