package postgres_test

import (
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/document"
	"github.com/docket-psa/docket/internal/testenv/recipient"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/ticket"
)

// mixedContract has work that is taxed in three ways, at a rate that leaves cents to round.
const mixedContract = `
schema: docket.contract/v1
contract: acme-mixed
client: acme
name: Mixed
effective_from: "2026-01-01"
currency: USD
time_zone: America/New_York
tax: NY
rates:
  - {clause: "3.1", work_role: engineer, hourly: "33.33"}
lines:
  - {clause: "2.1", name: Support, charge: time, match: {categories: [email]}}
  - {clause: "2.2", name: Courses, charge: time, tax_category: reduced, match: {categories: [network]}}
  - {clause: "2.3", name: Insurance, charge: time, tax_category: exempt, match: {categories: [onboarding]}}
`

// noted finds a credit note.
func (k *till) noted(n billing.CreditNote) billing.ListedNote {
	k.t.Helper()
	found, err := k.CreditNote(k.t.Context(), n.Number)
	require.NoError(k.t, err)
	return found
}

// noteFile renders a credit note, unless it is, and gives one of its files.
func (k *till) noteFile(n billing.ListedNote, kind string) []byte {
	k.t.Helper()
	_, err := document.KeepNote(k.t.Context(), k, n.ID)
	require.NoError(k.t, err)
	file, err := k.CreditNoteFile(k.t.Context(), n.ID, kind)
	require.NoError(k.t, err)
	require.Equal(k.t, n.Number, file.Of())
	return file.Content
}

func TestACreditNoteIsRenderedOnceAndKept(t *testing.T) {
	k := newTill(t, hourly)
	ctx := t.Context()
	k.tax(newYork)
	_, invoice := k.billed(60)
	n := k.noted(k.credit(invoice, "50.00"))
	_, err := document.KeepNote(ctx, k, n.ID)
	require.ErrorContains(t, err, "company.name")
	require.ErrorContains(t, err, "docket company set")
	_, err = k.CreditNoteFile(ctx, n.ID, "pdf")
	require.ErrorContains(t, err, "docket credit-note file renders")
	k.parties()

	paper, err := k.CreditNotePaper(ctx, n.ID)
	require.NoError(t, err)
	var all sync.WaitGroup
	var found [8][]billing.KeptDocument
	for i := range found {
		all.Go(func() { found[i], _ = document.KeepNote(ctx, k, n.ID) })
	}
	all.Wait()
	for _, kept := range found {
		require.Len(t, kept, 3)
		require.Equal(t, found[0], kept, "however many ask at once, the files are those of one")
	}
	before := string(k.noteFile(n, "json"))

	// Whatever comes later: another note, a payment, another seller.
	k.pay(k.seen(invoice), "40.00")
	k.credit(invoice, "60.00")
	later, err := k.CreditNotePaper(ctx, n.ID)
	require.NoError(t, err)
	require.Equal(t, paper, later, "a paper is of the moment when it was issued")
	require.NoError(t, k.SetCompany(ctx, billing.Party{Name: "Renamed", Country: "US"}, "olga"))
	again, err := document.KeepNote(ctx, k, n.ID)
	require.NoError(t, err)
	require.Equal(t, found[0], again)
	require.Equal(t, before, string(k.noteFile(n, "json")), "the same bytes, however often one asks")
	_, err = k.CreditNoteFile(ctx, n.ID, "docx")
	require.ErrorContains(t, err, "is not kept of CN-2026-00001: one of json, pdf, ubl")

	kept, err := k.Documents(ctx, invoice.ID)
	require.NoError(t, err)
	require.Empty(t, kept, "the invoice has files of its own")
	k.proved()
}

func TestACreditNoteSaysWhatTheDatabaseHas(t *testing.T) {
	k := newTill(t)
	k.tax(newYork)
	k.apply(mixedContract)
	k.parties()
	for _, category := range []string{"email", "network", "onboarding"} {
		k.close(k.ticket(category), 1, k.minutes("tom", 50))
	}
	invoice := k.month("2026-03")
	lines := k.linesOn(invoice)
	k.pay(invoice, "60.00")
	k.clock.Store(k.now().AddDate(0, 1, 2).UnixNano())
	note, err := k.Credit(t.Context(), postgres.CreditNoteDraft{InvoiceDeed: k.deed(invoice), Lines: lines[:2], Reason: "Nobody came"})
	require.NoError(t, err)
	n := k.noted(note)
	require.Equal(t, []string{"2026-04-20", "59.42", "55.56", "3.86"}, []string{n.IssuedOn, n.Amount.StringFixed(2), n.Net.StringFixed(2), n.Tax.StringFixed(2)})
	require.Empty(t, n.Parts, "both lines are whole")

	said := recipient.Text(t, k.noteFile(n, "pdf"))
	for _, s := range []string{
		"Credit note", note.Number, "2026-04-20", invoice.Number, "2026-03-18", ticket.LineID(lines[0]), ticket.LineID(lines[1]), "27.78",
		"Tax S 8.875 % of 27.78", "2.47", "of which State 4 %", "1.11", "of which City 4.875 %", "1.36", "Tax S 5 % of 27.78", "1.39", "59.42 USD",
		"Off what you owed on " + invoice.Number, note.Reduces.StringFixed(2), "To your credit", note.ToCredit.StringFixed(2), "Nobody came",
	} {
		require.Contains(t, said, s)
	}
	require.NotContains(t, said, ticket.LineID(lines[2])+",")

	u := recipient.ReadUBL(t, k.noteFile(n, "ubl"))
	u.RequireEN16931(t)
	require.Equal(t, []string{"381", note.Number, "2026-04-20", invoice.Number, "2026-03-18"}, []string{u.Credit, u.ID, u.Issued, u.Of[0].Number, u.Of[0].Issued})
	require.True(t, u.Sums.Payable.Equal(note.Amount))
	k.proved()
}

// However an invoice was taxed and however it is given back, each of its credit notes obeys the norm; together they give back
// all of it, net and tax alike, and the journal books the tax that they print.
func TestCreditNotesObeyTheNormAndSumToTheInvoice(t *testing.T) {
	for name, profile := range map[string]string{"exclusive": newYork, "inclusive": newYork + "prices: inclusive\n", "by line": newYork + "per: line\n"} {
		t.Run(name, func(t *testing.T) {
			k := newTill(t)
			k.tax(profile)
			k.apply(mixedContract)
			k.parties()
			for i, category := range []string{"email", "network", "email", "onboarding", "network"} {
				k.close(k.ticket(category), 1, k.minutes("tom", 20+11*i))
			}
			open, err := k.Invoice(t.Context(), "acme")
			require.NoError(t, err)
			_, err = k.WriteDown(t.Context(), postgres.LineWriteDown{Line: k.linesOn(open)[0], To: "8.00", Reason: "Took too long", By: "olga", OperationKey: k.key()})
			require.NoError(t, err)
			invoice := k.month("2026-03")
			of := k.taxLive(invoice.ID)

			rnd := rand.New(rand.NewPCG(7, uint64(len(profile))))
			whole, err := k.creditLines(invoice, k.linesOn(invoice)[2])
			require.NoError(t, err)
			notes := []billing.CreditNote{whole}
			for left := of.TaxInclusive.Sub(whole.Amount); left.IsPositive(); {
				cents := left.Shift(2).IntPart()
				if len(notes) < 9 {
					cents = 1 + rnd.Int64N(max(cents/4, 1))
				}
				note := k.credit(invoice, decimal.New(cents, -2).StringFixed(2))
				notes, left = append(notes, note), left.Sub(note.Amount)
			}
			net, tax := decimal.Zero, decimal.Zero
			rates := map[string]decimal.Decimal{}
			for _, note := range notes {
				n := k.noted(note)
				u := recipient.ReadUBL(t, k.noteFile(n, "ubl"))
				u.RequireEN16931(t)
				require.True(t, u.Sums.Gross.Equal(note.Amount), note.Number)
				require.True(t, u.Tax.Amount.Equal(n.Tax), note.Number)
				net, tax = net.Add(u.Sums.Net), tax.Add(u.Tax.Amount)
				for _, s := range u.Tax.Subs {
					rates[s.Code+s.Percent] = rates[s.Code+s.Percent].Add(s.Base)
				}
			}
			require.Equal(t, of.TaxExclusive.StringFixed(2), net.StringFixed(2))
			require.Equal(t, of.Tax.StringFixed(2), tax.StringFixed(2))
			for _, row := range of.Taxes {
				code := row.Code
				if code == "E" {
					code += "0"
				} else {
					code += row.Percent.String()
				}
				require.Equal(t, row.Base.StringFixed(2), rates[code].StringFixed(2), code)
			}
			require.Zero(t, k.count("select count(*) from (select source from journal where kind = 'note' and account = 'tax' group by source having sum(amount) <> note_tax(source)) x"))
			require.Equal(t, "credited 0.00", k.stands(invoice))
			k.proved()
		})
	}
}

func TestCreditNotesAreListedByPayerAndInvoice(t *testing.T) {
	k := newTill(t, strings.Replace(hourly, "approval:", "billing: {negative: credit-note}\napproval:", 1))
	ctx := t.Context()
	k.belowZero()
	march, err := k.Invoice(ctx, "INV-2026-00001")
	require.NoError(t, err)
	april := k.month("2026-04")
	require.Equal(t, "CN-2026-00001", april.Number, "an invoice below zero is one of the series")
	k.close(k.ticket("email"), 1, k.minutes("tom", 40))
	k.nextMonth()
	k.close(k.ticket("email"), 1, k.minutes("tom", 40))
	may := k.month("2026-05")
	k.pass(time.Hour)
	first := k.credit(may, "10.00")
	k.pass(time.Hour)
	second := k.credit(may, "20.00")

	numbers := func(f postgres.CreditNoteFilter) (list []string) {
		notes, err := k.CreditNotes(ctx, f)
		require.NoError(t, err)
		for _, n := range notes {
			list = append(list, n.Number+" "+n.Invoice+" "+n.Amount.StringFixed(2)+" "+n.ToCredit.StringFixed(2))
		}
		return list
	}
	below := "CN-2026-00001  112.50 112.50"
	require.Equal(t, []string{second.Number + " " + may.Number + " 20.00 0.00", first.Number + " " + may.Number + " 10.00 0.00", below}, numbers(postgres.CreditNoteFilter{}), "no list has gaps")
	require.Len(t, numbers(postgres.CreditNoteFilter{Payer: "acme", Limit: 2}), 2)
	require.Len(t, numbers(postgres.CreditNoteFilter{Invoice: may.Number}), 2)
	require.Empty(t, numbers(postgres.CreditNoteFilter{Invoice: march.Number}))
	require.Empty(t, numbers(postgres.CreditNoteFilter{Payer: "zenith"}))

	_, err = k.CreditNote(ctx, "CN-2026-00009")
	require.ErrorContains(t, err, "is not known")
	_, err = k.CreditNote(ctx, april.Number)
	require.ErrorContains(t, err, "is an invoice that came to less than zero: docket invoice show, file and send")
	seen, err := k.CreditNote(ctx, " cn-2026-00002")
	require.NoError(t, err)
	require.Len(t, seen.Lines, 2)

	// A payer sees its own.
	k.parties()
	k.noteFile(seen, "pdf")
	for client, n := range map[string]int{"acme": 3, "zenith": 0} {
		require.NoError(t, k.AsClient(ctx, client, func(r postgres.Reads) error {
			notes, err := r.CreditNotes(ctx, postgres.CreditNoteFilter{})
			require.NoError(t, err)
			require.Len(t, notes, n, client)
			files, err := r.CreditNoteDocuments(ctx, seen.ID)
			require.NoError(t, err)
			require.Len(t, files, n, client)
			return nil
		}))
	}
	k.proved()
}

func TestACreditNoteGoesToItsPayerOnce(t *testing.T) {
	k := newTill(t, hourly)
	ctx := t.Context()
	_, invoice := k.billed(60)
	n := k.noted(k.credit(invoice, "50.00"))
	k.parties()
	m := postgres.CreditNoteDispatch{Note: n.ID, By: "olga", OperationKey: k.key()}
	_, err := k.SendCreditNote(ctx, m)
	require.Equal(t, "to is missing: acme has no mail address", refusal(t, err))
	m.To = "AP@acme.example"
	_, err = k.SendCreditNote(ctx, m)
	require.Equal(t, "credit-note has no PDF yet", refusal(t, err))
	k.noteFile(n, "pdf")
	_, err = k.SendCreditNote(ctx, postgres.CreditNoteDispatch{Note: n.ID, By: "tom", OperationKey: k.key(), To: m.To})
	require.Contains(t, refusal(t, err), "may not send credit notes")
	_, err = k.SendCreditNote(ctx, postgres.CreditNoteDispatch{Note: 99, By: "olga", OperationKey: k.key()})
	require.Equal(t, "credit note is not known", refusal(t, err))

	sent, err := k.SendCreditNote(ctx, m)
	require.NoError(t, err)
	require.Equal(t, n.Number+" goes to ap@acme.example with its PDF, SHA-256 "+sent.SHA256[:12]+"…; 50.00 USD of "+invoice.Number, sent.Says)
	require.Equal(t, []string{n.Number, invoice.Number}, []string{sent.CreditNote, sent.Invoice})
	k.pass(time.Hour)
	again, err := k.SendCreditNote(ctx, m)
	require.NoError(t, err)
	require.JSONEq(t, written(t, sent), written(t, again), "the same key")
	m.OperationKey = k.key()
	again, err = k.SendCreditNote(ctx, m)
	require.NoError(t, err)
	require.Equal(t, sent, again, "another key, the same file to the same address")
	_, err = k.SendCreditNote(ctx, postgres.CreditNoteDispatch{Note: n.ID, By: "olga", OperationKey: k.key(), To: "cfo@acme.example"})
	require.NoError(t, err)

	require.Equal(t, "finalised 100.00", k.stands(invoice), "the invoice itself went to nobody")
	require.Equal(t, []string{"credit-note H-0 mail ap@acme.example waiting", "credit-note H-0 mail cfo@acme.example waiting"}, k.told())
	events, err := k.InvoiceEvents(ctx, invoice.ID)
	require.NoError(t, err)
	last := events[len(events)-1]
	require.Equal(t, "credit-note-sent "+n.Number+" olga", last.Kind+" "+last.Ref+" "+last.By)
	require.NotNil(t, k.noted(billing.CreditNote{Number: n.Number}).SentAt)
	mails, err := k.Notices(ctx, postgres.NoticeFilter{Note: n.ID})
	require.NoError(t, err)
	require.Len(t, mails, 2)
	require.Equal(t, n.Number+" "+invoice.Number, mails[0].CreditNote+" "+mails[0].Invoice)
	k.proved()
}

// A touched byte of a kept file, and a file that tells of another amount, are findings; so is a sending without its mail.
func TestTheAuditReadsTheKeptFiles(t *testing.T) {
	k := newTill(t, hourly)
	ctx := t.Context()
	k.tax(newYork)
	_, invoice := k.billed(60)
	n := k.noted(k.credit(invoice, "50.00"))
	k.sent(invoice, "ap@acme.example")
	k.noteFile(n, "pdf")
	_, err := k.SendCreditNote(ctx, postgres.CreditNoteDispatch{Note: n.ID, By: "olga", OperationKey: k.key(), To: "ap@acme.example"})
	require.NoError(t, err)
	k.proved()
	for _, table := range []string{"invoice_documents", "credit_note_documents"} {
		_, err := k.admin.Exec(ctx, "alter table "+table+" drop constraint "+table+"_check")
		require.NoError(t, err)
	}
	found := func() []string {
		a, err := k.Audit(ctx, nil)
		require.NoError(t, err)
		return a.Invoices
	}
	k.tamper("update invoice_documents set content = set_byte(content, 40, get_byte(content, 40) # 255) where kind = 'ubl'")
	k.tamper("update credit_note_documents set content = set_byte(content, 40, get_byte(content, 40) # 255) where kind = 'pdf'")
	k.tamper(`update credit_note_documents set content = replace(convert_from(content, 'UTF8'), '"tax_inclusive":"50"', '"tax_inclusive":"51"')::bytea where kind = 'json'`)
	k.tamper(`update credit_note_documents set sha256 = encode(sha256(content), 'hex') where kind = 'json'`)
	require.Equal(t, []string{
		n.Number + ": its file json is of something else, or of another amount than 50",
		n.Number + ": its file pdf is not what was kept: its SHA-256 differs",
		invoice.Number + ": its file ubl is not what was kept: its SHA-256 differs",
	}, found())
	k.tamper("delete from notices where note_id is not null")
	require.Contains(t, found(), n.Number+": the file that went to ap@acme.example was not kept, or no mail took it")
}
