package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"

	"github.com/docket-psa/docket/document"
	"github.com/docket-psa/docket/internal/testenv"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/seed"
	"github.com/docket-psa/docket/ticket"
	"github.com/docket-psa/docket/worker"
)

// shopDatabase is a real database with the demo's company.
func shopDatabase(t *testing.T) string {
	t.Helper()
	return testenv.Template(t, "shop", func(url string) error {
		ctx := context.Background()
		if _, err := postgres.Migrate(ctx, url, "", ""); err != nil {
			return err
		}
		store, err := postgres.Open(ctx, url, postgres.Options{Now: time.Now})
		if err != nil {
			return err
		}
		defer store.Disconnect()
		_, err = seed.Apply(ctx, store)
		return err
	})
}

// openShop gives a shell on a database with the demo's company, a real Temporal server and a worker.
func openShop(t *testing.T) *shell {
	t.Helper()
	s := newShell(t)
	url := shopDatabase(t)
	server := testenv.Temporal(t, testenv.WithFreshNamespace())
	s.env["DATABASE_URL"] = url
	t.Setenv("TEMPORAL_ADDRESS", server.Address)
	t.Setenv("TEMPORAL_NAMESPACE", server.Namespace)

	store, err := postgres.Open(t.Context(), url, postgres.Options{Now: time.Now})
	require.NoError(t, err)
	t.Cleanup(store.Disconnect)
	c, err := client.Dial(client.Options{
		HostPort: server.Address, Namespace: server.Namespace, Logger: sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler)),
	})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- worker.Run(ctx, c, worker.Deps{Desk: store, Ledger: store, Periods: store, Months: store, Render: func(ctx context.Context, invoice int64) error {
			_, err := document.Keep(ctx, store, invoice)
			return err
		}})
	}()
	t.Cleanup(func() {
		stop()
		require.NoError(t, <-done)
	})
	return s
}

// ok runs a command line that must succeed.
func (s *shell) ok(args ...string) said {
	s.t.Helper()
	said := s.docket(args...)
	require.Equal(s.t, exitOK, said.code, "docket %s: %s%s", strings.Join(args, " "), said.err, said.out)
	return said
}

// read runs a command line and reads its JSON.
func read[T any](s *shell, args ...string) (v T) {
	s.t.Helper()
	require.NoError(s.t, json.Unmarshal([]byte(s.ok(append([]string{"-o", "json"}, args...)...).out), &v))
	return v
}

func (s *shell) eventually(id ticket.ID, stage ticket.Stage) {
	s.t.Helper()
	require.Eventually(s.t, func() bool {
		return read[struct{ Ticket ticket.Summary }](s, "ticket", "show", string(id)).Ticket.Stage == stage
	}, 30*time.Second, 50*time.Millisecond, "%s does not reach %s", id, stage)
}

func TestTheDeskFromTheCommandLine(t *testing.T) {
	s := openShop(t)
	for _, empty := range []string{"ticket list", "approval list", "exception list", "invoice list", "report ai-vs-tech", "report margin"} {
		said := s.ok(strings.Fields(empty)...)
		assert.Empty(t, said.out)
		assert.Contains(t, said.err, "docket ticket", "%s says what to do", empty)
	}

	opened := read[ticket.Opened](s, "ticket", "open", "--client", "redwood", "--subject", "Rendering workstation shuts down")
	id := string(opened.Ticket)
	s.eventually(opened.Ticket, ticket.Resolution)
	assert.Contains(t, s.ok("ticket", "claim", id, "--as", "pavel.novak").out, "Pavel Novak claimed")
	assert.Equal(t, exitNoEffect, s.docket("ticket", "claim", id, "--as", "pavel.novak").code, "he has it already")
	s.ok("ticket", "work", id, "--as", "pavel.novak", "--took", "1h", "--note", "Logs collected")

	receipt := s.ok("ticket", "resolve", id, "--as", "pavel.novak", "--took", "3h", "--resolution", "Firmware reflashed")
	assert.Contains(t, receipt.out, "docket approval approve H-", "it says who decides, and how")
	again := s.docket("ticket", "resolve", id, "--as", "pavel.novak", "--took", "1h", "--resolution", "Once more")
	assert.Equal(t, exitNoEffect, again.code)
	assert.Contains(t, again.err, "reopen")

	holds := read[[]struct {
		Hold   int64
		Digest string
	}](s, "approval", "list")
	require.Len(t, holds, 1)
	hold := ticket.HoldID(holds[0].Hold)
	assert.Contains(t, s.ok("approval", "show", hold).out, holds[0].Digest)
	assert.Contains(t, s.ok("person", "away", "neil.foster", "--until", "2099-01-01", "--as", "neil.foster").out, "neil.foster is away until 2099-01-01T00:00:00Z")
	assert.Contains(t, s.ok("person", "email", "neil.foster", "neil@redwood.example", "--as", "neil.foster").out, "neil@redwood.example")
	assert.Contains(t, s.docket("person", "email", "neil.foster", "a b", "--as", "neil.foster").err, `email "a b" is not an address`)
	assert.Contains(t, s.docket("person", "add", "new.one", "--name", "New One", "--roles", "technician", "--as", "tom.reyes").err, "may not add people")
	assert.Contains(t, s.ok("person", "add", "new.one", "--name", "New One", "--roles", "technician", "--as", "nadia.osei").out, "New One (new.one) is added")
	assert.Contains(t, s.docket("person", "add", "new.one", "--name", "New One", "--as", "nadia.osei").err, "is there already")
	assert.Contains(t, s.ok("person", "back", "neil.foster", "--as", "neil.foster").out, "neil.foster is here")
	assert.Contains(t, s.docket("person", "away", "neil.foster", "--until", "soon", "--as", "neil.foster").err, `until "soon" is not a date`)
	assert.Equal(t, exitNoEffect, s.docket("approval", "approve", hold, "--as", "neil.foster", "--digest", "another").code, "stale")
	assert.Equal(t, exitNoEffect, s.docket("approval", "approve", hold, "--as", "holly.stone").code, "another client's person")
	assert.Equal(t, exitBadInput, s.docket("approval", "decline", hold, "--as", "neil.foster").code, "a reason is missing")
	assert.Contains(t, s.ok("approval", "approve", hold, "--as", "neil.foster").out, "posted")
	s.eventually(opened.Ticket, ticket.Posted)

	invoice := read[struct {
		Total string
		Lines []struct{ Line int64 }
	}](s, "invoice", "show", "redwood")
	require.NotEmpty(t, invoice.Lines)
	assert.Contains(t, s.ok("why", ticket.LineID(invoice.Lines[0].Line)).out, "neil.foster")
	shown := s.ok("ticket", "show", id).out
	for _, part := range []string{"opened", "claim", "work", "closed", hold, "sign-off", ticket.LineID(invoice.Lines[0].Line)} {
		assert.Contains(t, shown, part, "one timeline of workflow, rows and lines")
	}
	assert.Equal(t, exitBadInput, s.docket("invoice", "finalize", "redwood", "--as", "tom.reyes").code, "he may not")
	assert.Contains(t, s.ok("invoice", "finalize", "redwood", "--as", "felix.moreau", "--early").out, "INV-")
	assert.Contains(t, s.ok("audit").out, "1 closure")
	assert.Contains(t, s.ok("report", "margin").out, "redwood")
	doctor := s.docket("doctor")
	assert.Equal(t, exitFound, doctor.code)
	assert.Contains(t, doctor.out, "fsync is off", "as it is in tests, and nowhere else")
	assert.Contains(t, doctor.out, "1 on task queue tickets")
}

func TestBadInputStoresNothing(t *testing.T) {
	s := openShop(t)
	s.ok("ticket", "open", "--client", "northwind", "--subject", "first", "--external-id", "e-1")
	bad := filepath.Join(t.TempDir(), "bad.yaml")
	require.NoError(t, os.WriteFile(bad, []byte("schema: docket.contract/v1\nlines: 3\n"), 0o600))
	for name, c := range map[string]struct {
		args []string
		in   string
		says []string
	}{
		"a malformed contract": {[]string{"contract", "apply", bad, "--as", "felix.moreau"}, "", []string{"line 2: lines", "currency is missing"}},
		"an unknown client":    {[]string{"ticket", "open", "--client", "nobody", "--subject", "x"}, "", []string{"client", "nobody", "docket client list"}},
		"another body under the same id": {
			[]string{"ticket", "open", "--client", "northwind", "--subject", "second", "--external-id", "e-1"},
			"",
			[]string{"external_id", "e-1"},
		},
		"a negative duration":   {[]string{"ticket", "work", "T-1001", "--as", "tom.reyes", "--took=-5m"}, "", []string{"work.ms", "-300000", "is negative"}},
		"work in the future":    {[]string{"ticket", "work", "T-1001", "--as", "tom.reyes", "--took", "5m", "--started", "2090-01-01T00:00:00Z"}, "", []string{"work.started_at", "future"}},
		"a 3 MB description":    {[]string{"ticket", "open", "--client", "northwind", "--subject", "x", "--description", "-"}, strings.Repeat("x", 3<<20), []string{"description", "3.0 MiB"}},
		"a NUL byte":            {[]string{"ticket", "open", "--client", "northwind", "--subject", "x", "--description", "-"}, "a\x00b", []string{"description", "NUL"}},
		"a person nobody knows": {[]string{"ticket", "claim", "T-1001", "--as", "nobody"}, "", []string{"person", "nobody"}},
		"no currency":           {[]string{"client", "add", "acme", "--name", "Acme", "--time-zone", "Mars", "--currency", "EU", "--as", "nadia.osei"}, "", []string{"currency", "EU", "time_zone", "Mars"}},
	} {
		t.Run(name, func(t *testing.T) {
			s.in = c.in
			said := s.docket(c.args...)
			assert.Equal(t, exitBadInput, said.code, said.err)
			for _, says := range c.says {
				assert.Contains(t, said.err, says)
			}
		})
	}
	assert.Len(t, read[[]ticket.Summary](s, "ticket", "list"), 1)
	assert.Len(t, read[[]ticket.Client](s, "client", "list"), 8)
}
