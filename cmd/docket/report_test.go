package main

import (
	"encoding/csv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
)

// reportCommands are all reports, by the columns of their CSV.
var reportCommands = map[string]string{
	"report revenue":              "month,currency,fixed,usage,credits,tax_in_prices,revenue,run_rate",
	"report revenue --by-account": "account,name,currency,amount",
	"report receivables":          "payer,currency,invoices,not_due,days_1_30,days_31_60,days_61_90,days_over_90,owed,disputed,credit",
	"report deferred":             "client,contract,block,currency,price,deferred,granted_ms,left_ms",
	"report wip":                  "payer,currency,amount",
	"report ai-vs-tech":           "kind,currency,tickets,covered_tickets,ai_ms,human_ms,billed,credits,cost_currency,cost",
	"report margin":               "client,contract,currency,tickets,billed,cost_currency,cost,margin",
	"report margin --by-contract": "client,contract,currency,tickets,billed,cost_currency,cost,margin",
	"report leakage":              "client,tickets,entries,work_ms,billed_ms,covered_ms,not_billable_ms,waiting_ms,items,leaked_ms,leaked",
	"report blocks":               "client,contract,blocks,granted_ms,left_ms,used_ms,used_in_days,runs_out,expires_at",
}

func TestReportsAsTablesAndRows(t *testing.T) {
	s := newShell(t)
	s.env["DATABASE_URL"] = shopDatabase(t)
	s.ok("block", "add", "pinecrest-block", "--hours", "10", "--price", "1000", "--currency", "USD", "--key", "order-7", "--as", "felix.moreau")
	for command, columns := range reportCommands {
		rows, err := csv.NewReader(strings.NewReader(s.ok(append([]string{"-o", "csv"}, strings.Fields(command)...)...).out)).ReadAll()
		require.NoError(t, err, command)
		assert.Equal(t, columns, strings.Join(rows[0], ","), command)
		assert.True(t, strings.HasPrefix(s.ok(append([]string{"-o", "json"}, strings.Fields(command)...)...).out, "["), command)
		for _, line := range strings.Split(strings.TrimSpace(s.ok(append([]string{"-o", "jsonl"}, strings.Fields(command)...)...).out), "\n") {
			assert.True(t, line == "" || strings.HasPrefix(line, "{"), command)
		}
	}
	wip := s.ok("report", "wip", "--client", "pinecrest", "--currency", "USD").out
	assert.Equal(t, "PAYER       NOT BILLED\npinecrest  1000.00 USD\n", wip, "money stands to the right")
	assert.Empty(t, s.ok("report", "wip", "--currency", "EUR").out)
	deferred := read[[]billing.DeferredRow](s, "report", "deferred", "--client", "pinecrest")
	require.NotEmpty(t, deferred)
	assert.Equal(t, "1000", deferred[len(deferred)-1].Deferred.String())
	assert.Contains(t, s.ok("report", "leakage").err, "nothing can have leaked")
}

func TestReportsRefuseWithFieldAndFix(t *testing.T) {
	s := newShell(t)
	s.env["DATABASE_URL"] = shopDatabase(t)
	ofMoney := []string{"report revenue", "report revenue --by-account", "report ai-vs-tech", "report margin", "report margin --by-contract"}
	over := append([]string{"report sla", "report leakage"}, ofMoney...)
	standing := []string{"report receivables", "report deferred", "report wip"}
	refused := func(command, flags, says string) {
		r := s.docket(append(strings.Fields(command), strings.Fields(flags)...)...)
		assert.Equal(t, exitBadInput, r.code, command+" "+flags)
		assert.Contains(t, r.err, says, command+" "+flags)
		assert.Empty(t, r.out)
	}
	for _, command := range over {
		refused(command, "--from soon", `from "soon" is not a date: write it like 2026-03-01`)
		refused(command, "--to 2026-02-30", `to "2026-02-30" is not a date`)
		refused(command, "--from 2026-04-01 --to 2026-03-01", `to "2026-03-01" is not after from: give the first date after the period, later than 2026-04-01`)
		refused(command, "--client nobody", "`docket client list` shows the clients")
	}
	for _, command := range append(standing, ofMoney...) {
		refused(command, "--client nobody", `client "nobody" is not known`)
		refused(command, "--currency dollars", `currency "dollars" is not an ISO 4217 currency: give a code such as USD`)
	}
	for _, command := range standing {
		refused(command, "--as-of soon", `as-of "soon" is not a date: write it like 2026-03-01`)
	}
	refused("report blocks", "--client nobody", `client "nobody" is not known`)
	refused("report revenue", "--client tidewater", `client "tidewater" is paid for by northwind`)
	for _, gone := range []string{"earned", "aged"} {
		assert.NotZero(t, s.docket("report", gone).code, "one report tells it, under one name")
	}
}
