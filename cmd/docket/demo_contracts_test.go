package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/ticket"
)

// TestWhatRecursTellsItself runs the month of the demo's two contracts with fees, and asks why.
func TestWhatRecursTellsItself(t *testing.T) {
	s := newShell(t)
	s.env["DATABASE_URL"] = shopDatabase(t)
	ny, err := time.LoadLocation("America/New_York")
	require.NoError(t, err)
	month, day := time.Now().In(ny).Format("2006-01"), time.Now().In(ny).Format("2006-01")+"-01"

	due := s.ok("period", "list", "--state", "due").out
	assert.Contains(t, due, "bayside-managed")
	assert.Contains(t, due, "1440.00 EUR for ")
	s.ok("period", "run", "--as", "felix.moreau")

	shown := s.ok("period", "show", "bayside-managed", month).out
	for _, part := range []string{
		"opening of ", "what    3121.00 USD for ", "felix.moreau", "38 × seat  2356.00 USD\n  bayside-managed C1 (revision 1)",
		"The count of seat on " + day + " was 38, at least 25 bill.", "So 38 at 62 are 2356.00 USD.", "The count of server", "order PO-2290",
	} {
		assert.Contains(t, shown, part)
	}
	assert.NotContains(t, shown, "\n\n\n")

	invoice := read[billing.Invoice](s, "invoice", "show", "bayside")
	require.Len(t, invoice.Lines, 3)
	table := s.ok("invoice", "show", "bayside").out
	for _, part := range []string{
		"38 pieces", "1 period", "62.00 USD", "tax S, 8.875 % of 3121.00 USD", "276.99 USD", "of it Commuter district, 0.375 %", "3397.99 USD",
	} {
		assert.Contains(t, table, part)
	}
	line := ticket.LineID(invoice.Lines[0].Line)
	assert.Contains(t, s.ok("why", line).out, "So 38 at 62 are 2356.00 USD.")
	why := read[billing.Why](s, "why", line)
	assert.NotEmpty(t, why.Sentences)
	assert.Equal(t, "C1", why.Charge.Clause)
	assert.NotEmpty(t, why.Charge.Steps, "as structured steps")

	s.ok("usage", "record", "--client", "kestrel", "--event", "backup-gigabytes", "--quantity", "430", "--on", time.Now().UTC().Format(time.DateOnly), "--as", "tom.reyes")
	used := read[[]postgres.UsageReceipt](s, "usage", "list")
	require.Len(t, used, 1)
	assert.Contains(t, s.ok("usage", "list").out, "15.00 EUR")
	assert.Contains(t, s.ok("invoice", "show", "kestrel").out, "430 pieces   0.0349 EUR")
	told := s.ok("why", ticket.LineID(used[0].Posted[0].Line)).out
	assert.Contains(t, told, "70 more fit into the package that is paid for.")

	blocks := s.ok("block", "list").out
	for _, part := range []string{"BLOCK", "STATE", "pinecrest-block", "14400.00 USD"} {
		assert.Contains(t, blocks, part)
	}
	assert.Contains(t, s.ok("audit").out, "none")
}

func TestMoneyCommandsRefuseBadInput(t *testing.T) {
	s := newShell(t)
	s.env["DATABASE_URL"] = shopDatabase(t)
	s.ok("period", "run", "--as", "felix.moreau")
	refuses(t, s, map[string]mistake{
		"a line of nobody":            {"why L-999999", "", []string{`line "L-999999" is not known`, "docket invoice show"}},
		"an invoice of nobody":        {"invoice show INV-2001-00001", "", []string{"INV-2001-00001", "is not known"}},
		"a client without an invoice": {"invoice show redwood", "", []string{"redwood"}},
		"no such payer":               {"credit show nobody", "", []string{`client "nobody" is not known`}},
		"credit in no currency":       {"credit apply redwood --currency EU --as felix.moreau", "", []string{"currency", "EU"}},
		"credit on another's invoice": {"credit apply redwood --to draft-1 --as felix.moreau", "", []string{"to"}},
		"he may not use credit":       {"credit apply redwood --as tom.reyes", "", []string{"tom.reyes"}},
		"nobody pays":                 {"invoice pay draft-1 --amount 5", "", []string{"--as PERSON"}},
		"an open invoice is paid":     {"invoice pay draft-1 --amount 5 --method transfer --as felix.moreau", "", []string{"open"}},
		"no hours":                    {"block add pinecrest-block --hours none --price 10 --currency USD --as felix.moreau", "", []string{`hours "none" is not a number`}},
		"hours of nobody":             {"block add nobody --hours 10 --price 10 --currency USD --as felix.moreau", "", []string{`"nobody" is not known`}},
		"a contract of nobody":        {"contract show nobody", "", []string{`"nobody" is not known`}},
		"a revision of nobody":        {"contract show redwood-tm --revision 9", "", []string{"redwood-tm"}},
		"history of nobody":           {"contract history nobody", "", []string{`"nobody" is not known`}},
		"periods of nobody":           {"period list --client nobody", "", []string{`client "nobody" is not known`}},
		"runs of nobody":              {"period run --client nobody", "", []string{`client "nobody" is not known`}},
		"runs of no contract":         {"period run --contract nothing", "", []string{`contract "nothing" is not known`}},
		"use of nobody":               {"usage list --client nobody", "", []string{`client "nobody" is not known`}},
		"hours of no contract":        {"block list --contract nothing", "", []string{`contract "nothing" is not known`}},
		"invoices of nobody":          {"invoice list --payer nobody", "", []string{`client "nobody" is not known`}},
		"contracts of nobody":         {"contract list --client nobody", "", []string{`client "nobody" is not known`}},
	})
	assert.Empty(t, read[[]billing.PayerCredit](s, "credit", "list"))
	assert.Contains(t, s.ok("credit", "list").err, "docket invoice credit")
	assert.Equal(t, "redwood never had any credit.\n", s.ok("credit", "show", "redwood").out)
}
