package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/ticket"
)

// closed closes a ticket of redwood's with an hour and a half of work.
func closed(t *testing.T, store *postgres.Store, subject string) ticket.ID {
	t.Helper()
	ctx, now := t.Context(), time.Now()
	opened, err := store.Open(ctx, ticket.Opening{
		Client: "redwood", Subject: subject, Source: "test", ExternalID: subject, EventID: subject, Category: "email", OpenedAt: now.Add(-3 * time.Hour),
	})
	require.NoError(t, err)
	_, err = store.Begin(ctx, opened.Ticket, 1)
	require.NoError(t, err)
	_, err = store.Triage(ctx, opened.Ticket, 1)
	require.NoError(t, err)
	_, err = store.Route(ctx, opened.Ticket, 1, nil)
	require.NoError(t, err)
	spent := 90 * time.Minute
	_, err = store.Close(ctx, opened.Ticket, 1, ticket.Resolve{
		Header: ticket.Header{OperationKey: subject, Who: "pavel.novak", Via: ticket.ViaCLI, At: now}, Resolution: "Done",
		Work: []ticket.WorkEntry{{OperationKey: subject + "/work", Actor: "pavel.novak", WorkType: "remote", StartedAt: now.Add(-2 * time.Hour), MS: spent.Milliseconds()}},
	})
	require.NoError(t, err)
	return opened.Ticket
}

func TestWhatIfFromTheCommandLine(t *testing.T) {
	s := newShell(t)
	s.env["DATABASE_URL"] = shopDatabase(t)
	store, err := postgres.Open(t.Context(), s.env["DATABASE_URL"], postgres.Options{Now: time.Now})
	require.NoError(t, err)
	t.Cleanup(store.Disconnect)
	first := closed(t, store, "Mail stops")
	for i := range 3 {
		closed(t, store, fmt.Sprintf("Mail stops again, time %d", i))
	}
	inForce, err := os.ReadFile("../../seed/contracts/redwood-tm.2.yaml")
	require.NoError(t, err)
	file := func(text string) string {
		path := filepath.Join(t.TempDir(), "draft.yaml")
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	from := []string{"--from", time.Now().AddDate(0, 0, -2).Format(time.DateOnly)}
	draft := file(strings.NewReplacer("hourly: 175.00", "hourly: 180.00", "hourly: 195.00", "hourly: 200.00").Replace(string(inForce)))
	ask := func(args ...string) []string {
		return append(append([]string{"whatif", "--contract", draft}, from...), args...)
	}

	t.Run("as a table", func(t *testing.T) {
		out := s.ok(ask("--tickets", "3")...).out
		for _, part := range []string{
			"What if redwood-tm, as revision 3, had been in force for redwood: 4 closures", "4 would come to something else",
			"Mail stops", "+7.50 USD", "redwood-tm A1", "… and 1 more", "in all", "+30.00 USD",
		} {
			assert.Contains(t, out, part)
		}
	})
	t.Run("as JSON", func(t *testing.T) {
		found := read[billing.WhatIf](s, ask()...)
		require.Len(t, found.Tickets, 4)
		assert.Equal(t, "30", found.Totals[0].By.String())
	})
	t.Run("as one line a ticket", func(t *testing.T) {
		lines := strings.Split(strings.TrimSpace(s.ok(append([]string{"-o", "jsonl"}, ask()...)...).out), "\n")
		require.Len(t, lines, 5, "the sums come last")
		assert.Contains(t, lines[0], `"ticket":"`+string(first)+`"`)
		assert.Contains(t, lines[4], `"totals":[{"currency":"USD"`)
	})
	t.Run("why", func(t *testing.T) {
		out := s.ok(ask("--why", string(first))...).out
		before, after, ok := strings.Cut(out, "What if")
		require.True(t, ok, out)
		assert.Contains(t, before, "As posted")
		assert.NotEqual(t, before, after)
		assert.Contains(t, after, "an hour")
		assert.Contains(t, after, "Difference: +7.50 USD")
	})
	t.Run("a draft of next year's is tried on last week", func(t *testing.T) {
		next := file(strings.NewReplacer("2026-01-01", "2999-01-01", "hourly: 175.00", "hourly: 180.00").Replace(string(inForce)))
		asked := append([]string{"whatif", "--contract", next}, from...)
		out := s.ok(asked...).out
		assert.Contains(t, out, "+30.00 USD")
		assert.Contains(t, out, "The draft begins on 2999-01-01; here it is tried as if it began on "+from[1]+".")
		assert.Contains(t, read[billing.WhatIf](s, asked...).Notes[0], "begins on 2999-01-01")

		tomorrow := time.Now().AddDate(0, 0, 1).Format(time.DateOnly)
		assert.Contains(t, s.ok(append(asked, "--begins", tomorrow)...).out, "0 would come to something else")
		for says, more := range map[string][]string{
			`begins "soon" is not a date`:                {"--begins", "soon"},
			"is missing: the draft begins on 2999-01-01": {"--from", ""},
		} {
			said := s.docket(append(asked, more...)...)
			assert.Equal(t, exitBadInput, said.code, said.err)
			assert.Contains(t, said.err, says)
		}
	})
	t.Run("mistakes", func(t *testing.T) {
		for says, args := range map[string][]string{
			"--contract is missing":  {"whatif"},
			"nowhere.yaml":           {"whatif", "--contract", "nowhere.yaml"},
			"the draft is redwood's": ask("--client", "northwind"),
			"is not known":           ask("--instead-of", "redwood-gone"),
			"give 1 or more":         ask("--tickets", "0"),
			"has no closure":         ask("--why", "T-99999"),
			"after --from":           ask("--to", "2015-01-01"),
			"write it like":          ask("--to", "soon"),
		} {
			said := s.docket(args...)
			assert.Equal(t, exitBadInput, said.code, said.err)
			assert.Contains(t, said.err, says)
		}
	})
	t.Run("a backdated contract is never silent", func(t *testing.T) {
		yesterday := time.Now().UTC().AddDate(0, 0, -1).Format(time.DateOnly) // wherever the client is
		backdated := file(strings.Replace(string(inForce), "2026-01-01", yesterday, 1))
		said := s.docket("contract", "apply", backdated, "--as", "felix.moreau")
		assert.Equal(t, exitBadInput, said.code)
		assert.Contains(t, said.err, "docket whatif --contract")
		assert.Contains(t, said.err, "--backdated")
	})
}
