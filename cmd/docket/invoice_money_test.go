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
	"github.com/docket-psa/docket/ticket"
)

const blockContract = `
schema: docket.contract/v1
contract: redwood-hours
client: redwood
name: Block hours
effective_from: %s
currency: USD
time_zone: UTC
lines:
  - {clause: B, name: Block hours, charge: block}
`

func TestInvoicesFromWriteDownToVoidFromTheCommandLine(t *testing.T) {
	s := newShell(t)
	s.env["DATABASE_URL"] = shopDatabase(t)
	as := func(who, line string, more ...string) []string {
		return append(append(strings.Fields(line), more...), "--as", who)
	}
	const owner, dispatcher = "felix.moreau", "mara.lindqvist"
	today := time.Now().UTC()
	file := filepath.Join(t.TempDir(), "hours.yaml")
	require.NoError(t, os.WriteFile(file, fmt.Appendf(nil, blockContract, today.AddDate(0, -1, 0).Format(time.DateOnly)), 0o600))
	s.ok(as(owner, "contract apply "+file)...)
	s.ok(as(owner, "block add redwood-hours --hours 10 --price 500 --currency USD --key order-1")...)

	open := read[billing.Invoice](s, "invoice", "show", "redwood")
	require.Len(t, open.Lines, 1)
	assert.Nil(t, open.Receivable, "nothing is owed while it is open")
	line := ticket.LineID(open.Lines[0].Line)

	assert.Contains(t, s.ok("invoice", "limit").err, "docket invoice limit dispatcher 100.00")
	assert.Equal(t, exitBadInput, s.docket("invoice", "limit", "dispatcher").code)
	refused := s.docket(as(dispatcher, "invoice write-down "+line+" --to 450 --reason goodwill")...)
	assert.Equal(t, exitBadInput, refused.code)
	assert.Contains(t, refused.err, "no limit is set")
	assert.Contains(t, s.ok(as(owner, "invoice limit dispatcher 50 --currency USD")...).out, "dispatcher may write a line down by 50.00 USD at most")
	assert.Contains(t, s.ok("invoice", "limit").out, "felix.moreau")
	assert.Contains(t, s.ok(as(dispatcher, "invoice write-down "+line+" --to 450 --reason goodwill")...).out, line+" was 500.00 USD and is 450.00 USD now")

	assert.Contains(t, s.ok(as(owner, "invoice finalize redwood --early")...).out, "total 450.00 USD")
	number := read[[]billing.Invoice](s, "invoice", "list", "--state", "finalised")[0].Number
	assert.Contains(t, s.ok("invoice", "list").out, "450.00 USD", "the list says what is owed")

	voided := s.ok(as(owner, "invoice void "+number+" --reason", "Wrong address")...)
	assert.Contains(t, voided.out, number+" is void: its lines, 450.00 USD, are billed again on draft-")
	assert.Contains(t, s.ok(as(owner, "invoice finalize redwood --early")...).out, "450.00 USD")
	second := read[[]billing.Invoice](s, "invoice", "list", "--state", "finalised")[0].Number

	pay := as(owner, "invoice pay "+second+" --amount 500 --method transfer --key payment-1")
	assert.Contains(t, s.ok(pay...).out, "paid, and 50.00 USD more are redwood's credit")
	again := s.ok(append([]string{"-o", "json"}, pay...)...).out
	assert.JSONEq(t, again, s.ok(append([]string{"-o", "json"}, pay...)...).out, "however often it is told")
	other := s.docket(as(owner, "invoice pay "+second+" --amount 501 --method transfer --key payment-1")...)
	assert.Equal(t, exitBadInput, other.code)
	assert.Contains(t, other.err, "was used for another message")
	assert.Equal(t, exitBadInput, s.docket(as(owner, "invoice void "+second+" --reason x")...).code, "it is paid")

	lines := read[billing.Invoice](s, "invoice", "show", second).Lines
	note := s.ok(as(owner, "invoice credit "+second+" --lines "+ticket.LineID(lines[0].Line)+" --reason", "Not needed")...)
	assert.Contains(t, note.out, "CN-"+today.Format("2006")+"-00001 gives back 450.00 USD of "+second+": all of it is redwood's credit")
	assert.Equal(t, exitBadInput, s.docket(as(owner, "invoice credit "+second+" --lines nonsense --reason x")...).code)

	cn := "CN-" + today.Format("2006") + "-00001"
	for _, deed := range []string{"invoice pay %s --amount 5", "invoice send %s", "invoice void %s --reason x", "invoice credit %s --amount 5 --reason x", "invoice file %s pdf"} {
		refused := s.docket(as(owner, fmt.Sprintf(deed, cn))...)
		assert.Equal(t, exitBadInput, refused.code)
		assert.Contains(t, refused.err, "is a credit note of "+second)
	}
	assert.Contains(t, s.ok("invoice", "show", cn).out, second)
	assert.Contains(t, s.ok("invoice", "list", "--state", "credit-note").err, "docket credit-note list")
	assert.Contains(t, s.ok("invoice", "list", "--payer", "lindner").err, "No such invoices")
	booked := read[[]billing.JournalPosting](s, "journal", "show", cn)
	require.NotEmpty(t, booked)
	for _, b := range booked {
		assert.Equal(t, "note", b.Kind, "its own entry alone")
	}
	paid := read[billing.Invoice](s, "invoice", "show", second).Events
	var payment billing.InvoiceEvent
	for _, e := range paid {
		if e.Kind == "payment" {
			payment = e
		}
	}
	assert.Contains(t, payment.Reason, "transfer")
	assert.Contains(t, s.ok("invoice", "show", second).out, "(on "+today.Format("2006-01"))
	assert.Contains(t, s.ok("journal", "show", payment.Ref).out, "client-credit")
	assert.Contains(t, s.docket("journal", "show", "nothing/1").err, "is not an entry of the journal")
	assert.Equal(t, exitBadInput, s.docket(as(owner, "invoice pay "+second+" --amount 99999999999999999999")...).code)

	shown := s.ok("invoice", "show", second).out
	assert.NotContains(t, shown, "docket client tax", "it is too late for that")
	assert.Regexp(t, `payable +450\.00 USD\npaid +450\.00 USD\n`, shown)
	for _, part := range []string{"credited", "payable", "450.00 USD", "payment", "credit-note", "Not needed", owner, "owed"} {
		assert.Contains(t, shown, part)
	}
	assert.Contains(t, s.ok("credit", "list").out, "500.00 USD")
	credit := s.ok("credit", "show", "redwood").out
	assert.Contains(t, credit, "overpayment")
	assert.Contains(t, credit, "CN-"+today.Format("2006")+"-00001")
	assert.Contains(t, s.ok(as(owner, "credit apply redwood")...).out, "nothing is owed there")
	assert.Equal(t, exitBadInput, s.docket(as(owner, "credit apply nobody")...).code)

	s.ok(as(owner, "block add redwood-hours --hours 10 --price 200 --currency USD --key order-2")...)
	assert.Contains(t, s.ok(as(owner, "invoice finalize redwood --early")...).out, "200.00 USD of redwood's credit paid it, the oldest first; 0.00 USD owed")
	assert.Contains(t, s.ok("credit", "show", "redwood").out, "paid")
	assert.Contains(t, s.ok("audit").out, "2 postings")
}
