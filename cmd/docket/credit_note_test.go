package main

import (
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
	"github.com/docket-psa/docket/ticket"
)

func TestCreditNotesFromTheCommandLine(t *testing.T) {
	s := newShell(t)
	s.env["DATABASE_URL"] = shopDatabase(t)
	as := func(line string, more ...string) []string {
		return append(append(strings.Fields(line), more...), "--as", "felix.moreau")
	}
	dir := t.TempDir()
	contract := filepath.Join(dir, "hours.yaml")
	require.NoError(t, os.WriteFile(contract, fmt.Appendf(nil, blockContract, time.Now().UTC().AddDate(0, -1, 0).Format(time.DateOnly)), 0o600))
	assert.Contains(t, s.ok("credit-note", "list").err, "docket invoice credit INVOICE")
	s.ok(as("contract apply " + contract)...)
	s.ok(as("block add redwood-hours --hours 10 --price 500 --currency USD --key order-1")...)
	s.ok(as("invoice finalize redwood --early")...)
	number := read[[]billing.Invoice](s, "invoice", "list", "--state", "finalised")[0].Number
	s.ok(as("invoice pay " + number + " --amount 480")...)
	note := read[billing.CreditNote](s, as("invoice credit "+number+" --amount 50 --reason", "Too dear")...).Number

	// Each list and view, and what is not there.
	assert.Regexp(t, note+` +\S+ +redwood +`+number+` +50\.00 USD +20\.00 USD +30\.00 USD +Too dear`, s.ok("credit-note", "list").out)
	listed := read[[]billing.ListedNote](s, "credit-note", "list", "--payer", "redwood", "--invoice", number)
	require.Len(t, listed, 1)
	assert.Equal(t, "50 20 30", listed[0].Amount.String()+" "+listed[0].Reduces.String()+" "+listed[0].ToCredit.String())
	rows, err := csv.NewReader(strings.NewReader(s.ok("-o", "csv", "credit-note", "list").out)).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 2)
	assert.Contains(t, rows[0], "to_credit")
	assert.Contains(t, s.ok("credit-note", "list", "--payer", "lindner").err, "No such credit notes")
	assert.Equal(t, exitBadInput, s.docket("credit-note", "list", "--payer", "nobody").code)
	shown := s.ok("credit-note", "show", strings.ToLower(note)).out
	for _, part := range []string{note + "  redwood, of " + number, "part of: ", "given back", "off " + number, "to credit", "docket credit-note file " + note} {
		assert.Contains(t, shown, part)
	}
	unknown := s.docket("credit-note", "show", "CN-1999-00001")
	assert.Equal(t, exitBadInput, unknown.code)
	assert.Contains(t, unknown.err, "docket credit-note list")

	// Its files lack what an invoice's lack, then are kept and written.
	refused := s.docket("credit-note", "file", note, "pdf")
	assert.Equal(t, exitBadInput, refused.code)
	assert.Contains(t, refused.err, "docket client address")
	s.ok(as("company set --country US", "--name", "Harbor IT")...)
	s.ok(as("client address redwood --country US")...)
	kept := read[[]billing.KeptDocument](s, "credit-note", "file", note)
	require.Len(t, kept, 3)
	pdf := filepath.Join(dir, "note.pdf")
	assert.Contains(t, s.ok("credit-note", "file", note, "pdf", "--out", pdf).err, "pdf of "+note+", SHA-256 "+kept[1].SHA256)
	data, err := os.ReadFile(pdf)
	require.NoError(t, err)
	assert.True(t, strings.HasPrefix(string(data), "%PDF-"))
	assert.Contains(t, s.ok("credit-note", "file", note, "ubl").out, `<cbc:PayableAmount currencyID="USD">50.00</cbc:PayableAmount>`)

	// It is mailed once.
	assert.Contains(t, s.docket(as("credit-note send "+note)...).err, "redwood has no mail address")
	first := s.ok(as("credit-note send " + note + " --to ap@redwood.example --key once")...).out
	assert.Contains(t, first, note+" goes to ap@redwood.example with its PDF")
	assert.Equal(t, first, s.ok(as("credit-note send "+note+" --to ap@redwood.example --key once")...).out)
	assert.Equal(t, first, s.ok(as("credit-note send "+note+" --to ap@redwood.example")...).out)
	assert.Contains(t, s.docket("credit-note", "send", note, "--to", "x@y.example", "--as", "tom.reyes").err, "may not send credit notes")
	assert.Contains(t, s.ok("credit-note", "show", note).out, "Mailed "+note+" to ap@redwood.example: waiting")
	seen := s.ok("invoice", "show", number).out
	assert.Contains(t, seen, "Mailed "+note+" to ap@redwood.example")
	assert.Contains(t, seen, "credit-note-sent "+note)
	mails := read[[]ticket.Notice](s, "notify", "list")
	require.Len(t, mails, 1)
	assert.Equal(t, note, mails[0].CreditNote)
	assert.Equal(t, exitOK, s.docket("audit").code)
}
