package postgres_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/document"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/ticket"
)

const zenithHourly = `
schema: docket.contract/v1
contract: zenith-hourly
client: zenith
name: Time and materials
effective_from: "2026-01-01"
currency: USD
time_zone: America/New_York
rates:
  - {clause: "3.1", work_role: engineer, hourly: "150.00"}
lines:
  - {clause: "2.1", name: Remote support, charge: time, match: {categories: [email]}}
`

func files(e billing.Export) string {
	told := make([]string, len(e.Files))
	for i, f := range e.Files {
		told[i] = fmt.Sprintf("%s %d", f.Name, f.Lines)
	}
	return strings.Join(told, ", ")
}

// What becomes of an invoice reaches the accounting program, however it fell between two exports.
func TestExportsFollowAnInvoicesLife(t *testing.T) {
	for _, format := range formats {
		t.Run(format, func(t *testing.T) {
			k := newTill(t, hourly)
			k.named()
			_, march := k.billed(60)
			k.pay(march, "40.00")
			first := k.exported(format)
			require.Equal(t, "invoices 1, payments 1", files(first))
			k.booksAgree(format)

			k.credit(march, "30.00")
			bounced := k.lastPayment()
			_, err := k.ReturnPayment(t.Context(), postgres.PaymentReturn{Payment: bounced, Reason: "No funds", By: "olga", OperationKey: k.key()})
			require.NoError(t, err)
			k.nextMonth()
			k.close(k.ticket("email"), 1, k.minutes("tom", 60))
			april := k.month("2026-04")
			second := k.exported(format)
			want := "invoices 1, credits 1, payments 1"
			if format == "xero" {
				want = "invoices 2, payments 1"
			}
			require.Equal(t, want, files(second))
			require.Equal(t, 1, second.Credits)
			k.booksAgree(format)

			// Void after its export: taken back, and its line comes with May's invoice. Void before: neither.
			k.void(april)
			may := k.month("2026-05")
			k.void(may)
			june := k.month("2026-06")
			third := k.exported(format)
			require.Equal(t, "1 invoices, 1 credits, 0 payments", fmt.Sprintf("%d invoices, %d credits, %d payments", third.Invoices, third.Credits, third.Payments))
			l := k.imported(format)
			require.Equal(t, "-150.00", l.sums[april.Number+"-VOID"].StringFixed(2))
			require.Equal(t, "150.00", l.sums[june.Number].StringFixed(2))
			require.Equal(t, "-30.00", l.sums["CN-2026-00001"].StringFixed(2))
			require.NotContains(t, l.sums, may.Number)
			require.NotContains(t, l.sums, may.Number+"-VOID")
			require.Equal(t, []string{fmt.Sprintf("payment P-%d 40.00 of %s", bounced, march.Number), fmt.Sprintf("returned P-%d -40.00 of %s", bounced, march.Number)}, l.payments)
			k.booksAgree(format)

			_, err = export(t.Context(), k.Store, format, k.key())
			require.ErrorContains(t, err, "has had everything")
			again, err := k.ExportByID(t.Context(), second.ID)
			require.NoError(t, err)
			require.Equal(t, second.Files, again.Files, "the same bytes, whatever happened since")
			same, err := export(t.Context(), k.Store, format, second.OperationKey)
			require.NoError(t, err)
			require.Equal(t, again, same, "one key, one batch")
			k.proved()
		})
	}
}

// A batch of at most so many documents leaves the rest to the next one, and nothing refers to what has not gone yet.
func TestABatchMayBeFull(t *testing.T) {
	k := newTill(t, hourly)
	k.named()
	for range 3 {
		k.close(k.ticket("email"), 1, k.minutes("tom", 60))
		invoice := k.month(k.now().Format("2006-01"))
		k.credit(invoice, "20.00")
		k.pay(invoice, "10.00")
		k.nextMonth()
	}
	var batches []string
	for {
		e, err := document.Export(t.Context(), k, document.Order{Format: document.Xero, OperationKey: k.key(), By: "olga", Most: 2})
		if err != nil {
			require.ErrorContains(t, err, "has had everything")
			break
		}
		batches = append(batches, fmt.Sprintf("%d invoices, %d credits, %d payments", e.Invoices, e.Credits, e.Payments))
	}
	require.Equal(t, []string{"2 invoices, 0 credits, 0 payments", "1 invoices, 1 credits, 0 payments", "0 invoices, 2 credits, 0 payments", "0 invoices, 0 credits, 3 payments"}, batches)
	k.booksAgree("xero")
	k.proved()
}

// A payer without a country keeps nobody else's documents back; once it has one, all that it has goes.
func TestAPayerWhoLacksSomethingIsLeftOut(t *testing.T) {
	k := newTill(t, hourly, zenithHourly)
	k.billed(60)
	_, err := export(t.Context(), k.Store, "xero", k.key())
	require.ErrorContains(t, err, "company.country", "who sells is on all of them")
	require.NoError(t, k.SetCompany(t.Context(), billing.Party{Name: "Docket Managed IT", Country: "US"}, "olga"))
	none, err := export(t.Context(), k.Store, "xero", k.key())
	require.NoError(t, err, "all that there is was left out")
	require.Zero(t, none.ID)
	require.Empty(t, none.Files)
	require.Len(t, none.LeftOut, 1)

	opened, err := k.Open(t.Context(), ticket.Opening{Client: "zenith", Subject: "Mail", Source: "test", ExternalID: "z", EventID: "z", Category: "email", OpenedAt: k.now()})
	require.NoError(t, err)
	k.begin(opened.Ticket, 1)
	k.pass(5 * time.Hour)
	k.close(opened.Ticket, 1, k.minutes("tom", 60))
	_, err = k.Finalise(t.Context(), postgres.Finalisation{Payer: "zenith", Currency: "USD", Period: "2026-03-01", By: "olga", Early: true})
	require.NoError(t, err)
	require.NoError(t, k.SetClientParty(t.Context(), "zenith", billing.Party{Name: "Zenith", Country: "US"}, "olga"))
	march, err := k.Invoice(t.Context(), "INV-2026-00001")
	require.NoError(t, err)
	k.credit(march, "10.00")
	k.pay(march, "20.00")

	e := k.exported("xero")
	require.Equal(t, 1, e.Invoices)
	require.Zero(t, e.Credits+e.Payments)
	require.Len(t, e.LeftOut, 1)
	require.Equal(t, "acme 3 client.country", fmt.Sprintf("%s %d %s", e.LeftOut[0].Payer, e.LeftOut[0].Documents, e.LeftOut[0].Lacks[0].Field))
	require.Contains(t, e.LeftOut[0].Lacks[0].Fix, "docket client address acme --country")
	kept, err := k.ExportByID(t.Context(), e.ID)
	require.NoError(t, err)
	require.Equal(t, e.LeftOut, kept.LeftOut, "the batch remembers whom it left out")
	k.parties()
	e = k.exported("xero")
	require.Empty(t, e.LeftOut)
	require.Equal(t, "1 1 1", fmt.Sprintf("%d %d %d", e.Invoices, e.Credits, e.Payments))
	k.booksAgree("xero")

	k.proved()
}

// Where prices include tax, a credit note's documents have the tax that the journal has.
func TestExportsOfPricesThatIncludeTax(t *testing.T) {
	k := newTill(t)
	k.tax(strings.Replace(newYork, "standard: standard\n", "standard: standard\nprices: inclusive\n", 1))
	k.apply(hourly + "tax: NY\n")
	k.named()
	k.close(k.ticket("email"), 1, k.minutes("tom", 70))
	line := k.close(k.ticket("email"), 1, k.minutes("tom", 50)).Posted[0].Line
	march := k.month("2026-03")
	for _, amount := range []string{"0.01", "33.33", "10.00"} {
		k.credit(march, amount)
	}
	_, err := k.creditLines(march, line)
	require.NoError(t, err)
	for _, format := range formats {
		require.Equal(t, 4, k.exported(format).Credits)
		k.booksAgree(format)
	}
	due, err := k.Unexported(t.Context(), "other")
	require.NoError(t, err)
	for _, c := range due.Credits {
		d, err := document.OfCredit(c)
		require.NoError(t, err)
		require.Equal(t, d.Tax.StringFixed(2), k.journalSum("acme", fmt.Sprintf("kind = 'note' and account = 'tax' and source = (select id from credit_notes where number = '%s')", d.Number)))
	}
	k.proved()
}

// Exports race each other and what happens to the invoices: each document goes once, and in the end all books are the same.
func TestExportsRaceTheLifeOfInvoices(t *testing.T) {
	k := newTill(t, hourly)
	k.named()
	var invoices []billing.Invoice
	for range 6 {
		k.close(k.ticket("email"), 1, k.minutes("tom", 60))
		invoices = append(invoices, k.month(k.now().Format("2006-01")))
		k.nextMonth()
	}
	ctx := context.WithoutCancel(t.Context())
	var deeds []func() error
	for i, invoice := range invoices {
		pays := postgres.InvoicePayment{InvoiceDeed: k.deed(invoice), Amount: "50.00"}
		gives := postgres.CreditNoteDraft{InvoiceDeed: k.deed(invoice), Amount: "20.00", Reason: "Too dear"}
		voids := postgres.InvoiceVoid{InvoiceDeed: k.deed(invoice), Reason: "Wrong address"}
		deeds = append(deeds, func() error { _, err := k.Void(ctx, voids); return err })
		if i%2 == 0 {
			deeds = append(deeds, func() error { _, err := k.Pay(ctx, pays); return err }, func() error { _, err := k.Credit(ctx, gives); return err })
		}
	}
	for n := range 12 {
		key := fmt.Sprintf("batch-%d", n/2) // two press the same button
		deeds = append(deeds, func() error { _, err := export(ctx, k.Store, formats[n/2%2], key); return err })
	}
	many(len(deeds), func(i int) {
		if err := deeds[i](); err != nil {
			require.NotEmpty(t, ticket.Problems(err), "only a sentence is an answer: %v", err)
		}
	})
	for _, format := range formats {
		if _, err := export(t.Context(), k.Store, format, k.key()); err != nil {
			require.ErrorContains(t, err, "has had everything")
		}
		k.booksAgree(format)
	}
	k.proved()
}

// One key is one batch, also where many use it at once, and also where a batch of the release before lies in the way.
func TestOneKeyIsOneBatch(t *testing.T) {
	k := newTill(t, hourly)
	k.named()
	k.billed(60)
	var all sync.WaitGroup
	var got [8]billing.Export
	for i := range got {
		all.Go(func() {
			var err error
			got[i], err = export(context.WithoutCancel(t.Context()), k.Store, "xero", "the-key")
			require.NoError(t, err)
		})
	}
	all.Wait()
	for _, e := range got {
		require.Equal(t, got[0], e)
	}
	_, err := export(t.Context(), k.Store, "quickbooks", "the-key")
	require.ErrorContains(t, err, "was used for an export to xero")
	_, err = export(t.Context(), k.Store, "sage", k.key())
	require.ErrorContains(t, err, `format "sage" is not known`)

	for _, before := range []string{
		`insert into exports (format, operation_key, made_by, made_at, invoices, lines, sha256, content)
values ('quickbooks', 'old', 'olga', now(), 1, 1, encode(sha256('a,b'), 'hex'), 'a,b')`,
		"insert into export_lines select 'quickbooks', charge_id, (select max(id) from exports) from invoice_lines",
	} {
		_, err := k.admin.Exec(t.Context(), before)
		require.NoError(t, err)
	}
	old, err := export(t.Context(), k.Store, "quickbooks", "old")
	require.NoError(t, err)
	require.Equal(t, "a,b", string(old.Files[0].Content), "what a release before kept in one file")
	k.proved()
}

func TestAuditFindsEachTamperingWithExports(t *testing.T) {
	k := newTill(t, hourly)
	k.named()
	_, march := k.billed(60)
	k.exported("xero")
	k.void(march)
	k.nextMonth()
	april := k.month("2026-04")
	k.credit(april, "20.00")
	k.pay(april, "20.00")
	k.exported("xero")
	k.proved()
	for _, c := range []struct{ statement, says string }{
		{"update exports set lines = lines + 1 where id = 1", "export 1 says 1 invoices, 2 lines, 0 credits and 0 payments, and has 1, 1, 0 and 0"},
		{"update exports set payments = 7 where id = 2", "export 2 says 1 invoices, 1 lines, 2 credits and 7 payments, and has 1, 1, 2 and 1"},
		{"update export_lines set format = 'quickbooks' where export_id = 2", "export 2 for xero has lines for quickbooks"},
		{"update export_events set format = 'quickbooks' where export_id = 2", "export 2 for xero has deeds for quickbooks"},
		{"update invoice_events set kind = 'answer' where kind = 'void'", "export 2 has a deed that goes to no program: answer"},
		{"update invoice_events set kind = 'void' where kind = 'answer'", ""},
		{"update export_events set format = 'xero' where export_id = 2", ""},
		{"delete from export_lines where export_id = 1", "INV-2026-00001 is taken back in xero, which never had it"},
		{"delete from export_files where name = 'payments'", "export 2 has 7 payments, and no file of them"},
	} {
		k.tamper(c.statement)
		found, err := k.Audit(t.Context(), nil)
		require.NoError(t, err)
		if c.says != "" {
			require.Contains(t, strings.Join(found.Invoices, "\n"), c.says, c.statement)
		}
	}
}
