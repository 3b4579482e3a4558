package main

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
)

func TestPaperFromTheCommandLine(t *testing.T) {
	s := newShell(t)
	s.env["DATABASE_URL"] = shopDatabase(t)
	as := func(line string, more ...string) []string {
		return append(append(strings.Fields(line), more...), "--as", "felix.moreau")
	}
	dir := t.TempDir()
	contract := filepath.Join(dir, "hours.yaml")
	require.NoError(t, os.WriteFile(contract, fmt.Appendf(nil, blockContract, time.Now().UTC().AddDate(0, -1, 0).Format(time.DateOnly)), 0o600))
	s.ok(as("contract apply " + contract)...)
	s.ok(as("block add redwood-hours --hours 10 --price 500 --currency USD --key order-1")...)
	assert.Contains(t, s.docket("invoice", "file", "redwood").err, "is not finalised")
	s.ok(as("invoice finalize redwood --early")...)
	number := read[[]billing.Invoice](s, "invoice", "list", "--state", "finalised")[0].Number

	refused := s.docket("invoice", "file", number, "pdf")
	assert.Equal(t, exitBadInput, refused.code)
	assert.Contains(t, refused.err, "docket client address", "the error says how to mend it")
	closing := []string{"month", "close", time.Now().UTC().Format("2006-01"), "--dry-run", "--send"}
	ahead := s.ok(closing...).out
	assert.Contains(t, ahead, `Would fail: the files of redwood: client.country "" is not a country`, "and so does a look at the closing that would make them")
	assert.Contains(t, ahead, "Would not be mailed: redwood has no mail address: docket client address redwood --email ADDRESS")
	assert.Equal(t, exitBadInput, s.docket(as("company set --country USA", "--name", "Harbor IT")...).code)
	assert.Contains(t, s.ok(as("company set --country US --city Boston", "--name", "Harbor IT")...).out, "Harbor IT")
	assert.Contains(t, s.ok(as("company set --postcode 02110")...).out, "Boston", "what is left out stays")
	waits := s.docket(as("export make xero")...)
	assert.Equal(t, exitFound, waits.code, "a payer who lacks something is left out, and told")
	assert.Contains(t, waits.out, "Left out: 1 document of redwood: client.country is not a country: docket client address redwood --country …")
	assert.NotContains(t, waits.out, "Export ", "there was nothing else")
	assert.Contains(t, s.ok(as("client address redwood --country US", "--street", "1 Main St")...).out, "1 Main St")
	assert.Contains(t, s.ok("company", "show").out, "02110")
	assert.NotContains(t, s.ok(closing...).out, "Would fail: the files of redwood")

	assert.Contains(t, s.ok("invoice", "file", number).out, "application/pdf")
	pdf := filepath.Join(dir, "invoice.pdf")
	kept := read[[]billing.KeptDocument](s, "invoice", "file", number)
	assert.Contains(t, s.ok("invoice", "file", number, "pdf", "--out", pdf).err, kept[1].SHA256)
	nowhere := s.docket("invoice", "file", number, "pdf", "--out", filepath.Join(dir, "none", "x.pdf"))
	assert.Equal(t, exitBadInput, nowhere.code, "no server is to blame")
	assert.Contains(t, nowhere.err, "cannot be written: no such file or directory")
	assert.Contains(t, s.docket("invoice", "file", number, "docx").err, "is not kept of "+number)
	assert.NotContains(t, s.ok("invoice", "file", number).err, "boxes")
	assert.Contains(t, s.ok(as("client address redwood --name 赤木")...).err, "The PDF shows boxes for 赤木")
	data, err := os.ReadFile(pdf)
	require.NoError(t, err)
	assert.True(t, strings.HasPrefix(string(data), "%PDF-"))
	assert.Contains(t, s.ok("invoice", "file", number, "ubl").out, "<cbc:PayableAmount currencyID=\"USD\">500.00</cbc:PayableAmount>")

	assert.Contains(t, s.docket(as("export make sage")...).err, `format "sage" is not known`)
	assert.Contains(t, s.docket(as("export make xero", "--dir", filepath.Join(dir, "none"))...).err, "is no directory")
	batch := s.ok(as("export make xero --key e-1", "--dir", dir)...)
	assert.Contains(t, batch.out, "Export 1 for xero: 1 line of 1 invoice, 0 credits, 0 payments.")
	assert.Contains(t, batch.out, "docket export show 1 invoices")
	written, err := os.ReadFile(filepath.Join(dir, "xero-1-invoices.csv"))
	require.NoError(t, err)
	rows, err := csv.NewReader(bytes.NewReader(written)).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 2)
	assert.Contains(t, rows[1], number)
	again := s.docket(as("export make xero")...)
	assert.Equal(t, exitBadInput, again.code)
	assert.Contains(t, again.err, "has had everything", "each line goes once")
	assert.Equal(t, string(written), s.ok("export", "show", "1", "invoices").out)
	assert.Contains(t, s.docket("export", "show", "1", "payments").err, `file "payments" is not in export 1`)
	assert.Equal(t, batch.out, s.ok(as("export make xero --key e-1")...).out, "who got no answer repeats it")
	assert.Contains(t, s.docket(as("export make quickbooks --key e-1")...).err, "was used for an export to xero")
	assert.Contains(t, s.docket("export", "make", "xero", "--as", "tom.reyes").err, "may not export invoices")
	assert.Contains(t, s.ok("export", "list").out, "xero")

	// What becomes of it follows.
	s.ok(as("invoice pay " + number + " --amount 100.00")...)
	s.ok(as("invoice credit "+number+" --amount 50.00", "--reason", "Too dear")...)
	second := read[billing.Export](s, as("export make quickbooks")...)
	assert.Equal(t, []int{1, 1, 1}, []int{second.Invoices, second.Credits, second.Payments})
	assert.Contains(t, s.ok("export", "show", "2", "credits").out, number, "a credit note names its invoice")
	assert.Contains(t, s.ok("export", "show", "2", "payments").out, "100.00")
	assert.Contains(t, s.ok(as("export make xero")...).out, "0 lines of 0 invoices, 1 credit, 1 payment")
}
