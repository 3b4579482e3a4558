package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
)

func TestTheJournalFromTheCommandLine(t *testing.T) {
	s := newShell(t)
	s.env["DATABASE_URL"] = shopDatabase(t)
	assert.Contains(t, s.ok("report", "wip").err, "docket invoice list")
	deferred := read[[]billing.DeferredRow](s, "report", "deferred")
	before := len(deferred)
	s.ok("block", "add", "pinecrest-block", "--hours", "10", "--price", "1000", "--currency", "USD", "--key", "order-7", "--as", "felix.moreau")
	deferred = read[[]billing.DeferredRow](s, "report", "deferred")
	require.Len(t, deferred, before+1)
	sold := deferred[len(deferred)-1]
	assert.Equal(t, "1000", sold.Deferred.String())
	shown := s.ok("journal", "show", "block/"+number0(int(sold.Block))).out
	assert.Contains(t, shown, "block-sales")
	assert.Contains(t, shown, "10 h")
	assert.Contains(t, s.ok("report", "wip").out, "1000.00 USD")
	assert.Contains(t, s.ok("report", "deferred").out, "1000.00 USD")
	assert.NotContains(t, s.docket("report", "deferred", "--as-of", "2020-01-01").out, "1000.00")
	assert.Contains(t, s.docket("report", "wip", "--as-of", "soon").err, "is not a date")
	assert.Contains(t, s.ok("report", "revenue").err, "Nothing was earned")
	assert.Contains(t, s.ok("report", "receivables").err, "Nobody owes anything")

	entries := read[[]billing.JournalPosting](s, "journal", "list", "--account", "deferred", "--limit", "1")
	require.Len(t, entries, 4, "whole entries, one side with the other")
	assert.Contains(t, s.docket("journal", "list", "--account", "petty-cash").err, "docket journal accounts")
	assert.Contains(t, s.docket("journal", "list", "--from", "2026-03-02", "--to", "2026-03-01").err, `to "2026-03-01" is not after from`)
	assert.Contains(t, s.docket("journal", "show", "block/x").err, "is not an entry of the journal")
	accounts := s.ok("journal", "accounts").out
	for _, a := range billing.Accounts {
		assert.Contains(t, accounts, a.Code)
	}
	assert.Contains(t, strings.Join(strings.Fields(s.ok("audit").out), " "), "the journal, where it differs from what it is about: none")
}
