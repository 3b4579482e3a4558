package postgres_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/ticket"
)

// spent is a till whose invoices have lived: one written down, paid too much and credited; one void and billed again,
// paid by credit; a credited line whose ticket was reopened; a month that came to less than zero.
func spent(t *testing.T) *till {
	t.Helper()
	k := newTill(t, hourly)
	id := k.ticket("email")
	line := k.close(id, 1, k.minutes("tom", 70)).Posted[0].Line
	other := k.close(k.ticket("email"), 1, k.minutes("tom", 60)).Posted[0].Line
	_, err := k.writeDown("olga", other, "100")
	require.NoError(t, err)
	march := k.month("2026-03")
	k.pay(march, "300")
	_, err = k.creditLines(march, line)
	require.NoError(t, err)

	k.nextMonth()
	reopened := k.ticket("email")
	k.close(reopened, 1, k.minutes("tom", 60))
	april := k.month("2026-04")
	k.void(april)
	may := k.month("2026-05")
	require.Equal(t, "150.00", may.Receivable.Applied.StringFixed(2))
	_, err = k.Reopen(t.Context(), id, ticket.Reopen{Header: k.by("ann"), Reason: "still broken"})
	require.NoError(t, err)
	_, err = k.Reopen(t.Context(), reopened, ticket.Reopen{Header: k.by("ann"), Reason: "still broken"})
	require.NoError(t, err)
	june := k.month("2026-06")
	require.True(t, june.Total.IsZero(), "-150.00 carried forward")
	k.proved()
	return k
}

// One after the other, each on top of the ones before: every one is told by a sentence that was not there.
func TestAuditFindsEachTamperingWithInvoices(t *testing.T) {
	k := spent(t)
	invoices := func(a billing.Audit) []string { return a.Invoices }
	before := ""
	for _, c := range []struct {
		what      string
		statement string
		found     func(billing.Audit) []string
		says      string
	}{
		{"a payment", "update payments set amount = amount - 1", invoices, "a payment of 300 USD put 286.5 on it and 12.5 into credit"},
		{"a payment's deed", "update invoice_events set amount = amount + 1 where kind = 'payment'", invoices, "says 301)"},
		{"a payment is gone", "delete from payments", invoices, "a payment of 301 USD is not there"},
		{"a credit note", "update credit_notes set amount = amount - 1", invoices, "CN-2026-00001: 186.5 USD reduced INV-2026-00001 by 0 and put 187.5 into credit"},
		{"a credit note's sum", "update credit_notes set amount = 186.25", invoices, "CN-2026-00001: 186.25, its lines come to 187.5"},
		{"more than the invoice", "update credit_notes set amount = 1000", invoices, "INV-2026-00001: came to 287.5, and credit notes gave back 1000"},
		{"a credit note's line", "update credit_note_lines set net = 1", invoices, "which is on another invoice"},
		{"a number", "update credit_notes set number = 'CN-2026-00002'", invoices, "series CN-2026: 1 is missing"},
		{"a number twice", "update credit_notes set number = 'INV-2026-00001'", invoices, "INV-2026-00001 is the number of 2 documents"},
		{
			"a balance", "update credit_balances set balance = balance + 1",
			func(a billing.Audit) []string { return a.Caches }, "in credit, its credits less what used them come to",
		},
		{"an application is gone", "delete from credit_applications where reverses is not null", invoices, "0 taken back"},
		{"used too much", "update credit_applications set amount = 1000 where id = (select max(id) from credit_applications)", invoices, "of which 1137.5 are used"},
		{"owed", "update credit_applications set amount = 999 where id = (select max(id) from credit_applications)", invoices, "-861.5 is owed of 150: 0 paid, 1011.5 applied"},
		{"a write-down's deed", "delete from invoice_events where kind = 'write-down'", invoices, "and nobody did it"},
		{"a write-down", "update charges set amount = -1000 where kind = 'discount'", invoices, "written down by 1000"},
		{"what a note gave back", "delete from charges where kind = 'credited'", invoices, "0 stand beside its reversal"},
		{
			"what is carried", "update charges set amount = 1 where id = (select max(id) from charges where kind = 'carried')",
			invoices, "what it carries forward comes to",
		},
		{
			"how it was carried", "update postings set facts = replace(facts, '-150', '-151') where kind = 'carry'",
			func(a billing.Audit) []string { return a.Mismatched }, "decided again",
		},
		{"a line billed again", "update invoice_lines set amount = 1 where charge_id = (select id from charges where kind = 'rebilled')", invoices, "again as 1 USD for acme, it was 150"},
		{"a line not billed again", "delete from invoice_lines where charge_id = (select id from charges where kind = 'rebilled')", invoices, "is not billed again"},
	} {
		require.NotContains(t, before, c.says, c.what)
		k.tamper(c.statement)
		a, err := k.Audit(t.Context(), nil)
		require.NoError(t, err)
		assert.Contains(t, strings.Join(c.found(a), "\n"), c.says, c.what)
		before = fmt.Sprintf("%+v", a)
	}
}

func TestAuditFindsALineBilledAgainOfAnInvoiceThatStands(t *testing.T) {
	k := spent(t)
	k.tamper("delete from invoice_events where kind = 'void'")
	a, err := k.Audit(t.Context(), nil)
	require.NoError(t, err)
	assert.Contains(t, strings.Join(a.Invoices, "\n"), "whose invoice is not void")
}

func TestThePayerSeesWhatBecameOfItsInvoices(t *testing.T) {
	k := spent(t)
	march, err := k.Invoice(t.Context(), "INV-2026-00001")
	require.NoError(t, err)
	staff, err := k.InvoiceEvents(t.Context(), march.ID)
	require.NoError(t, err)
	var kinds []string
	for _, e := range staff {
		kinds = append(kinds, e.Kind)
		assert.NotEmpty(t, e.By, e.Kind)
	}
	require.Equal(t, []string{"write-down", "finalised", "payment", "credit-note"}, kinds)

	require.NoError(t, k.AsClient(t.Context(), "acme", func(r postgres.Reads) error {
		seen, err := r.Invoice(t.Context(), "CN-2026-00001")
		require.NoError(t, err)
		require.Equal(t, march, seen, "found by its credit note, too")
		events, err := r.InvoiceEvents(t.Context(), march.ID)
		require.NoError(t, err)
		require.Len(t, events, 4)
		for _, e := range events {
			require.Empty(t, e.By)
			require.Empty(t, e.Says)
		}
		credits, err := r.CreditsOf(t.Context(), "acme")
		require.NoError(t, err)
		require.Len(t, credits[0].Credits, 2, "an overpayment and the rest of a credit note")
		totals, err := r.TotalsByClient(t.Context())
		require.NoError(t, err)
		require.Equal(t, k.counts(), totals[0].Amount.StringFixed(2))
		return nil
	}))
	require.NoError(t, k.AsClient(t.Context(), "zenith", func(r postgres.Reads) error {
		_, err := r.Invoice(t.Context(), "CN-2026-00001")
		require.Len(t, ticket.Problems(err), 1)
		events, err := r.InvoiceEvents(t.Context(), march.ID)
		require.NoError(t, err)
		require.Empty(t, events)
		credits, err := r.CreditsOf(t.Context(), "acme")
		require.NoError(t, err)
		require.Empty(t, credits)
		balances, err := r.CreditBalances(t.Context())
		require.NoError(t, err)
		require.Empty(t, balances)
		return nil
	}))
}

func TestAClientWhoseInvoicesAnotherPaysKnowsWhatCounts(t *testing.T) {
	k := newTill(t, hourly)
	require.NoError(t, k.PutClient(t.Context(), ticket.Client{ID: "acme", Name: "Acme", TimeZone: "America/New_York", Currency: "USD", Payer: "zenith"}))
	k.close(k.ticket("email"), 1, k.minutes("tom", 70))
	invoice, err := k.Finalise(t.Context(), postgres.Finalisation{Payer: "zenith", Currency: "USD", Period: "2026-03-01", By: "olga", Early: true})
	require.NoError(t, err)
	k.void(invoice)
	require.NoError(t, k.AsClient(t.Context(), "acme", func(r postgres.Reads) error {
		totals, err := r.TotalsByClient(t.Context())
		require.NoError(t, err)
		require.Equal(t, "187.50", totals[0].Amount.StringFixed(2), "once")
		events, err := r.InvoiceEvents(t.Context(), invoice.ID)
		require.NoError(t, err)
		require.Len(t, events, 1, "that it is void, and no more")
		return nil
	}))
	k.proved()
}

func TestWhatHappenedToInvoicesStays(t *testing.T) {
	k := spent(t)
	for _, table := range []string{"invoice_events", "payments", "credit_notes", "credit_note_lines", "credits", "credit_applications"} {
		for _, statement := range []string{"delete from " + table, "truncate " + table + " cascade"} {
			_, err := k.admin.Exec(t.Context(), statement)
			require.ErrorContains(t, err, table, statement)
		}
	}
}
