package main

import (
	"cmp"
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

func TestTheLifeOfAnInvoiceFromTheCommandLine(t *testing.T) {
	s := newShell(t)
	s.env["DATABASE_URL"] = shopDatabase(t)
	as := func(who, line string, more ...string) []string {
		return append(append(strings.Fields(line), more...), "--as", who)
	}
	refused := func(args ...string) string {
		t.Helper()
		r := s.docket(args...)
		require.Equal(t, exitBadInput, r.code, "%s%s", r.out, r.err)
		return r.err
	}
	const owner, dispatcher = "felix.moreau", "mara.lindqvist"
	today := time.Now().UTC()
	file := filepath.Join(t.TempDir(), "hours.yaml")
	require.NoError(t, os.WriteFile(file, fmt.Appendf(nil, blockContract, today.AddDate(0, -1, 0).Format(time.DateOnly)), 0o600))
	s.ok(as(owner, "contract apply "+file)...)
	s.ok(as(owner, "block add redwood-hours --hours 10 --price 500 --currency USD --key order-1")...)

	// Review, under a house that asks for it.
	assert.Contains(t, s.ok("invoice", "rules").out, "without a review; reminders go to the payer and finance 3, 10, 21 days after the due date")
	assert.Contains(t, s.ok(as(owner, "invoice rules --review-first --remind 2,7 --remind-in-house")...).out, "An invoice is finalised once somebody has reviewed it as it is; reminders go to finance alone 2, 7 days")
	assert.Contains(t, refused(as(owner, "invoice finalize redwood --early")...), "was reviewed by nobody")
	assert.Contains(t, refused(as(dispatcher, "invoice review redwood")...), "it takes the role owner or finance")
	assert.Contains(t, s.ok(as(owner, "invoice review redwood")...).out, "is reviewed: 1 line, 500.00 USD")
	s.ok(as(owner, "block add redwood-hours --hours 2 --price 100 --currency USD --key order-2")...)
	assert.Contains(t, s.ok("invoice", "show", "redwood").out, "it has moved since by 100.00 USD and is 600.00 USD now")
	assert.Contains(t, refused(as(owner, "invoice finalize redwood --early")...), "has moved since felix.moreau reviewed it")
	s.ok(as(owner, "invoice review redwood")...)
	assert.Len(t, read[[]billing.Invoice](s, "invoice", "list", "--state", "review"), 1)
	s.ok(as(owner, "invoice finalize redwood --early")...)
	invoice := read[[]billing.Invoice](s, "invoice", "list", "--state", "finalised")[0].Number

	// Sending.
	assert.Contains(t, refused(as(owner, "invoice send "+invoice)...), "client.country")
	s.ok(as(owner, "company set --country US --name", "Docket Managed IT")...)
	s.ok(as(owner, "client address redwood --country US --email ap@redwood.example")...)
	first := s.ok(as(owner, "invoice send "+invoice)...).out
	assert.Contains(t, first, invoice+" goes to ap@redwood.example with its PDF, SHA-256")
	assert.Contains(t, s.ok("invoice", "show", invoice).out, "Mailed to ap@redwood.example: waiting")
	assert.Equal(t, first, s.ok(as(owner, "invoice send "+invoice)...).out, "once")
	assert.Len(t, read[[]billing.Invoice](s, "invoice", "list", "--state", "sent"), 1)
	assert.Contains(t, refused(as(owner, "invoice review "+invoice)...), "is finalised (sent)")
	s.deliver()
	require.Eventually(t, func() bool {
		return strings.Contains(s.ok("invoice", "show", invoice).out, "Mailed to ap@redwood.example: sent")
	}, 30*time.Second, 50*time.Millisecond)
	assert.Contains(t, s.ok("notify", "list").out, invoice)
	folder := t.TempDir()
	mail := s.ok("inbox", "show", "1", "--save", folder).out
	for _, part := range []string{"Invoice " + invoice + " from Docket Managed IT: 600.00 USD", "Here is your invoice", "attached: " + invoice + ".pdf, application/pdf", "attached: " + invoice + ".xml"} {
		assert.Contains(t, mail, part)
	}
	printed, err := os.ReadFile(filepath.Join(folder, invoice+".pdf"))
	require.NoError(t, err)
	assert.Equal(t, s.ok("invoice", "file", invoice, "pdf").out, string(printed), "what was kept")

	// A payment that comes back.
	s.ok(as(owner, "invoice pay "+invoice+" --amount 600")...)
	shown := read[billing.Invoice](s, "invoice", "show", invoice)
	var payment string
	for _, e := range shown.Events {
		if e.Kind == "payment" {
			payment = e.Ref
		}
	}
	require.NotEmpty(t, payment)
	assert.Contains(t, refused(as(owner, "invoice void "+invoice+" --reason x")...), "600.00 USD of 600.00 USD paid")
	assert.Contains(t, refused(as(owner, "invoice bounce "+payment)...), "reason")
	assert.Contains(t, refused(as(owner, "invoice bounce P-x --reason y")...), "is not a payment's number")
	assert.Contains(t, s.ok(as(owner, "invoice bounce "+payment+" --reason", "No funds")...).out, "came back: owed again are 600.00 USD on "+invoice)
	assert.Contains(t, refused(as(owner, "invoice bounce "+payment+" --reason again")...), "came back before")
	s.ok(as(owner, "invoice pay "+invoice+" --amount 650 --key much")...)
	for _, e := range read[billing.Invoice](s, "invoice", "show", invoice).Events {
		payment = cmp.Or(e.Ref, payment)
	}
	s.ok(as(owner, "invoice bounce "+payment+" --reason", "No funds")...)
	assert.Regexp(t, `overpayment +INV\S+ +50\.00 USD +0\.00 USD\n +came back +-50\.00 USD`, s.ok("credit", "show", "redwood").out)

	// A line in question.
	line := ticket.LineID(shown.Lines[1].Line)
	contact := "sam.okafor"
	for _, p := range read[[]ticket.Person](s, "person", "list", "--client", "redwood") {
		contact = p.ID
	}
	assert.Contains(t, s.ok(as(contact, "invoice question "+line+" --reason", "We never ordered that")...).out, "100.00 USD of 600.00 USD owed are not collected until it is settled")
	assert.Contains(t, refused(as(contact, "invoice question "+line+" --reason again")...), "is in question already: D-1")
	assert.Contains(t, s.ok("dispute", "list").out, "We never ordered that")
	assert.Regexp(t, `D-1 +money +finance +`+invoice+` `+line+` +redwood .* 100\.00 USD +docket dispute settle D-1 +in question: We never ordered that`, s.ok("exception", "list").out)
	assert.Len(t, read[[]billing.Dispute](s, "exception", "list", "--queue", "money"), 1)
	assert.Contains(t, s.ok("exception", "list", "--queue", "time").err, "No exceptions")
	assert.Contains(t, s.ok("invoice", "show", invoice).out, "of it, in question")
	assert.Contains(t, refused(as(owner, "dispute settle D-1 --reason x")...), "is not one answer")
	assert.Contains(t, refused(as(owner, "dispute settle D-1 --credit-amount 100.01 --reason x")...), "has left to give back: 100.00 USD")
	assert.Contains(t, refused(as(contact, "dispute settle D-1 --credit --reason x")...), "it takes the role owner or finance")
	assert.Contains(t, s.ok(as(owner, "dispute settle D-1 --credit-amount 40 --reason", "Half of it")...).out, "D-1 is settled: CN-")
	assert.Contains(t, refused(as(owner, "dispute settle D-1 --stands --reason x")...), "is settled: credited, by felix.moreau")
	assert.Contains(t, s.ok("dispute", "list").err, "Nothing is in question")
	assert.Regexp(t, `D-1 +credited .* 100\.00 USD +60\.00 USD `, s.ok("dispute", "list", "--all").out, "what was in question, and what is left of it")
	assert.Contains(t, s.ok("invoice", "show", invoice).out, "560.00 USD")

	assert.Contains(t, s.ok("invoice", "remind", "--dry-run").err, "Nobody is to be reminded")
	assert.Contains(t, s.ok(as(owner, "invoice rules --remind never")...).out, "nobody is reminded")
	assert.Contains(t, s.ok("invoice", "rules", "--remind", "", "--as", owner).out, "nobody is reminded")
	assert.Contains(t, s.ok(as(owner, "invoice rules --remind 10,3")...).out, "3, 10 days after")
	assert.Contains(t, refused(as(owner, "invoice rules --remind soon")...), "write them like 3,10,21, or never")
	assert.Contains(t, refused(as(owner, "invoice rules --remind 0")...), "from 1 to 365")
	assert.Contains(t, s.ok("audit").out, "2 postings")
}
