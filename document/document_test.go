package document_test

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ledongthuc/pdf"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/document"
	"github.com/docket-psa/docket/internal/testenv/recipient"
)

var dec = decimal.RequireFromString

const profile = `
schema: docket.tax/v1
tax: de
name: German VAT
standard: standard
categories:
  - {category: standard, code: S, rates: [{percent: 19}]}
  - {category: reduced, code: S, rates: [{percent: 7}]}
  - {category: abroad, code: AE, reason: Reverse charge}
`

type priced struct {
	quantity, unit, rate, amount, category string
}

// invoice is a finalised invoice over the lines.
func invoice(t require.TestingT, currency, doc string, lines ...priced) billing.Paper {
	at := time.Date(2026, 4, 1, 22, 30, 0, 0, time.UTC)
	var err error
	var p *billing.TaxProfile
	if doc != "" {
		p, err = billing.ParseTaxProfile([]byte(doc))
		require.NoError(t, err)
	}
	d := billing.Document{Currency: currency, TaxDate: "2026-04-02"}
	paper := billing.Paper{
		Invoice:  billing.Invoice{ID: 7, Number: "INV-2026-00017", Payer: "acme", Currency: currency, PeriodStart: "2026-03-01", PeriodEnd: "2026-04-01", FinalisedAt: &at},
		Seller:   billing.Party{Name: "Müller & Söhne <IT>", Street: "Hauptstraße 1", City: "Köln", Postcode: "50667", Country: "DE", TaxID: "DE123456789", IBAN: "DE02120300000000202051", BIC: "BYLADEM1001"},
		Buyer:    billing.Party{Name: "Acme Bürobedarf", Country: "DE", Email: "books@acme.example"},
		IssuedOn: "2026-04-02", DueOn: "2026-04-16",
	}
	for i, l := range lines {
		d.Lines = append(d.Lines, billing.TaxableLine{Amount: dec(l.amount), Profile: p, Category: l.category})
		paper.Invoice.Lines = append(paper.Invoice.Lines, billing.InvoiceLine{
			Line: int64(i + 1), Client: "acme", Payer: "acme", Text: "Support · T-1042 — 2 h", Quantity: dec(l.quantity), Unit: l.unit, Rate: dec(l.rate),
			Amount: dec(l.amount), Currency: currency, Date: "2026-03-18", PurchaseOrder: "PO-77",
			Accounting: &billing.Accounting{Account: "4400", Item: "SUP"},
		})
	}
	totals, err := d.Totals()
	require.NoError(t, err)
	paper.Invoice.Taxes = &totals
	return paper
}

func TestAnInvoicePrints(t *testing.T) {
	paper := invoice(t, "EUR", profile,
		priced{"2", "h", "150.00", "300.00", ""}, priced{"1", "piece", "80", "80.00", "reduced"}, priced{"0.016666667", "h", "150", "2.50", ""},
		priced{"1", "piece", "-40", "-40.00", ""}, priced{"3", "h", "0", "0.00", ""})
	paper.Invoice.Receivable = &billing.Receivable{Applied: dec("100")}
	d, err := document.Of(paper)
	require.NoError(t, err)
	require.Equal(t, "2026-04-16", d.Due)

	data, err := d.PDF()
	require.NoError(t, err)
	said := recipient.Text(t, data)
	for _, s := range []string{
		"INV-2026-00017", "Müller & Söhne <IT>", "Acme Bürobedarf", "L-1", "2026-03-18", "Support · T-1042", "300.00", "-40.00", "2.50",
		"342.50", "Tax S 19 % of 262.50", "49.88", "Tax S 7 % of 80.00", "5.60", "397.98 EUR", "Paid from your credit", "-100.00", "297.98 EUR",
		"DE02120300000000202051", "PO-77",
	} {
		require.Contains(t, said, s)
	}
	again, err := d.PDF()
	require.NoError(t, err)
	require.Equal(t, said, recipient.Text(t, again))
}

// page is what one page of a PDF says, cell by cell.
func page(t *testing.T, r *pdf.Reader, n int) []string {
	t.Helper()
	plain, err := r.Page(n).GetPlainText(nil)
	require.NoError(t, err)
	return strings.FieldsFunc(plain, func(r rune) bool { return r == '\n' })
}

// An invoice of many pages is read page by page: each tells its columns, its number and which page it is; and the sums are on
// one page, under the last line at least.
func TestEachPageTellsItsColumns(t *testing.T) {
	heading := []string{"Line", "Date", "What", "Quantity", "Price", "EUR, net"}
	for _, n := range []int{1, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 200} { // around what fits on one page
		lines := make([]priced, n)
		for i := range lines {
			lines[i] = priced{"2", "h", "150.00", "300.00", []string{"", "reduced", "abroad"}[i%3]}
		}
		d, err := document.Of(invoice(t, "EUR", profile, lines...))
		require.NoError(t, err)
		data, err := d.PDF()
		require.NoError(t, err)
		r, err := pdf.NewReader(bytes.NewReader(data), int64(len(data)))
		require.NoError(t, err)
		told := 0
		for at := 1; at <= r.NumPage(); at++ {
			said := page(t, r, at)
			begins := slices.Index(said, "Line")
			require.GreaterOrEqual(t, begins, 0, "page %d of %d lines has no heading", at, n)
			require.Equal(t, heading, said[begins:begins+len(heading)])
			require.Equal(t, fmt.Sprintf("L-%d", told+1), said[begins+len(heading)], "a line comes under each heading")
			require.Equal(t, fmt.Sprintf("INV-2026-00017 · page %d of %d", at, r.NumPage()), said[len(said)-1])
			for _, cell := range said {
				if strings.HasPrefix(cell, "L-") {
					told++
				}
			}
			if at > 1 {
				require.Zero(t, begins, "page %d begins with its heading", at)
			}
			if at == r.NumPage() {
				require.Subset(t, said, []string{fmt.Sprintf("L-%d", n), "Net", d.Net.StringFixed(2), "Total", d.Gross.StringFixed(2) + " EUR"})
				require.Contains(t, strings.Join(said, " "), "Please pay "+d.Payable.StringFixed(2))
			} else {
				require.NotContains(t, said, "Net")
				require.NotContains(t, said, "Total")
			}
		}
		require.Equal(t, n, told, "each line is printed once")
	}
}

// Tax that is rounded line by line may be further from its rate than EN 16931 bears: that must not keep an invoice from being
// printed, as it once did from three lines of 105 yen on.
func TestManyLinesTaxedOneByOneArePrinted(t *testing.T) {
	byLine := strings.Replace(profile, "name: German VAT", "name: German VAT\nper: line", 1)
	for name, c := range map[string]struct {
		currency, amount string
		lines            int
		normed           bool
	}{
		"yen, where the norm bears it": {"JPY", "105", 1, true},
		"yen":                          {"JPY", "5", 20, false},
		"cents":                        {"EUR", "0.03", 1000, false},
		"fils":                         {"KWD", "0.003", 1000, false},
	} {
		t.Run(name, func(t *testing.T) {
			var lines []priced
			for range c.lines {
				lines = append(lines, priced{"1", "piece", c.amount, c.amount, ""})
			}
			paper := invoice(t, c.currency, byLine, lines...)
			d, err := document.Of(paper)
			require.NoError(t, err)
			require.Equal(t, c.normed, d.Normed())
			if c.lines > 100 {
				return // hundreds of lines are printed elsewhere
			}
			files, err := document.Render(paper)
			require.NoError(t, err)
			require.Len(t, files, map[bool]int{true: 3, false: 2}[c.normed])
		})
	}
}

func read(t require.TestingT, d *document.Document) recipient.UBL {
	data, err := d.UBL()
	require.NoError(t, err)
	return recipient.ReadUBL(t, data)
}

func TestAnInvoiceAsUBL(t *testing.T) {
	paper := invoice(t, "EUR", profile, priced{"2", "h", "150.00", "300.00", ""}, priced{"1", "piece", "80", "80.00", "abroad"}, priced{"0.016666667", "h", "150", "2.45", ""})
	d, err := document.Of(paper)
	require.NoError(t, err)
	u := read(t, d)
	require.Equal(t, "Invoice", u.XMLName.Local)
	require.Equal(t, "urn:oasis:names:specification:ubl:schema:xsd:Invoice-2", u.XMLName.Space)
	require.Equal(t, "INV-2026-00017", u.ID)
	require.Equal(t, "380", u.Type)
	require.Equal(t, "2026-04-16", u.Due)
	require.Equal(t, "Müller & Söhne <IT>", u.Supplier.Name)
	require.Equal(t, "DE123456789", u.Supplier.VAT)
	require.Equal(t, "HUR", u.Invoiced[0].Quantity.Unit)
	require.Equal(t, "4400", u.Invoiced[0].Account)
	require.Equal(t, "C62", u.Invoiced[2].Quantity.Unit, "0.016666667 h at 150 is not 2.45: a minimum made it so, and it is told as one piece")
	require.Equal(t, "Reverse charge", u.Tax.Subs[0].Reason)
	u.RequireEN16931(t)
}

func TestAPlaceIsWrittenAsItsPostWritesIt(t *testing.T) {
	for says, party := range map[string]billing.Party{
		"20095 Hamburg":             {Country: "DE", City: "Hamburg", Postcode: "20095"},
		"D02 X285 Dublin, Leinster": {Country: "IE", City: "Dublin", Postcode: "D02 X285", Region: "Leinster"},
		"Bayside, NY 11361":         {Country: "US", City: "Bayside", Postcode: "11361", Region: "NY"},
		"Newark, NJ":                {Country: "US", City: "Newark", Region: "NJ"},
		"V6B 1A1":                   {Country: "CA", Postcode: "V6B 1A1"},
	} {
		paper := invoice(t, "EUR", profile, priced{"1", "h", "10", "10.00", ""})
		paper.Buyer = party
		paper.Buyer.Name = "Acme"
		d, err := document.Of(paper)
		require.NoError(t, err)
		data, err := d.PDF()
		require.NoError(t, err)
		require.Contains(t, strings.Split(recipient.Text(t, data), "\n"), says)
	}
}

func TestBelowZeroIsACreditNote(t *testing.T) {
	d, err := document.Of(invoice(t, "EUR", profile, priced{"1", "piece", "20", "20.00", ""}, priced{"1", "piece", "-50", "-50.00", ""}))
	require.NoError(t, err)
	u := read(t, d)
	require.Equal(t, "CreditNote", u.XMLName.Local)
	require.Equal(t, "381", u.Credit)
	require.Equal(t, "35.7", u.Sums.Payable.String())
	u.RequireEN16931(t)
	data, err := d.PDF()
	require.NoError(t, err)
	require.Contains(t, recipient.Text(t, data), "Credit note")
}

func TestRandomInvoicesObeyTheNorm(t *testing.T) {
	profiles := map[string]string{
		"exclusive": profile, "inclusive": strings.Replace(profile, "standard: standard", "standard: standard\nprices: inclusive", 1),
		"by line": strings.Replace(profile, "standard: standard", "standard: standard\nper: line", 1), "untaxed": "",
	}
	rapid.Check(t, func(t *rapid.T) {
		var lines []priced
		name := rapid.SampledFrom([]string{"exclusive", "inclusive", "by line", "untaxed"}).Draw(t, "profile")
		for range rapid.IntRange(1, 12).Draw(t, "lines") {
			rate := rapid.Int64Range(-20_000, 200_000).Draw(t, "rate")
			quantity := decimal.New(rapid.Int64Range(0, 5_000).Draw(t, "quantity"), -2)
			amount := quantity.Mul(decimal.New(rate, -2)).Round(2)
			if rapid.Bool().Draw(t, "capped") {
				amount = decimal.New(rapid.Int64Range(-9_999, 99_999).Draw(t, "amount"), -2)
			}
			category := rapid.SampledFrom([]string{"", "reduced", "abroad"}).Draw(t, "category")
			lines = append(lines, priced{quantity.String(), rapid.SampledFrom([]string{"h", "s", "piece", "ticket", "period"}).Draw(t, "unit"), decimal.New(rate, -2).String(), amount.String(), category})
		}
		d, err := document.Of(invoice(t, "EUR", profiles[name], lines...))
		require.NoError(t, err)
		read(t, d).RequireEN16931(t)
	})
}

func TestWhatIsMissingIsNamed(t *testing.T) {
	paper := invoice(t, "EUR", profile, priced{"1", "h", "1", "1.00", ""})
	paper.Seller, paper.Buyer.Country = billing.Party{}, "Germany"
	_, err := document.Of(paper)
	require.ErrorContains(t, err, `company.name "" is empty: docket company set`)
	require.ErrorContains(t, err, `company.country`)
	require.ErrorContains(t, err, `client.country "Germany" is not a country: docket client address acme --country … with two letters`)
	kuwait, err := document.Of(invoice(t, "KWD", "", priced{"1", "h", "1.125", "1.125", ""}))
	require.NoError(t, err)
	_, err = kuwait.UBL()
	require.ErrorContains(t, err, `currency "KWD" has more than the two decimals that EN 16931 allows`)
	data, err := kuwait.PDF()
	require.NoError(t, err)
	require.Contains(t, recipient.Text(t, data), "1.125 KWD")
}

func TestRowsForAccountingPrograms(t *testing.T) {
	paper := invoice(t, "EUR", profile, priced{"2", "h", "150.00", "300.00", ""}, priced{"1", "piece", "-40", "-40.00", "reduced"})
	paper.Buyer.Name = `=cmd|' /C calc'!A0`
	paper.Invoice.Lines[0].Text = "Line\nbreak, \"quoted\""
	paper.Invoice.Lines[1].Accounting = nil
	d, err := document.Of(paper)
	require.NoError(t, err)
	note, err := document.Of(invoice(t, "EUR", profile, priced{"1", "piece", "-50", "-50.00", ""}))
	require.NoError(t, err)
	came := document.Payment{Name: `=cmd|' /C calc'!A0`, PaymentMove: billing.PaymentMove{
		Payment: "P-7", On: "2026-04-02", Invoice: d.Number, Currency: "EUR", Received: dec("100"), Applied: dec("80"), Method: "+49 transfer",
	}}
	returned := came
	returned.Returned, returned.Received, returned.Applied = true, dec("-100"), dec("-80")
	for _, f := range []document.Format{document.QuickBooks, document.Xero} {
		files, err := document.CSV(f, []*document.Document{d, note}, []document.Payment{came, returned}, document.Defaults{
			Account: "200", Item: "Services", Taxes: map[string]string{"S 19": "19% (VAT on Income)"},
		})
		require.NoError(t, err)
		tables := map[string]table{}
		for _, file := range files {
			tables[file.Name] = tableOf(t, file)
		}
		paid := tables["payments"]
		require.Equal(t, []string{"Date", "Description", "Amount"}, paid.rows[0][:3], "as a bank statement of QuickBooks")
		require.Equal(t, "2026-04-02 100.00 '=cmd|' /C calc'!A0 P-7 80.00 20.00 '+49 transfer payment", paid.of(t, 1, "Date", "Amount", "Payee", "Reference", "Applied", "Unapplied", "Method", "Kind"))
		require.Equal(t, "-100.00 P-7 -80.00 -20.00 returned", paid.of(t, 2, "Amount", "Reference", "Applied", "Unapplied", "Kind"))
		sold := tables["invoices"]
		if f == document.Xero {
			require.Len(t, files, 2)
			require.Len(t, sold.rows, 4)
			require.Equal(t, `'=cmd|' /C calc'!A0 4400`, sold.of(t, 1, "ContactName", "AccountCode"), "a cell is never a formula")
			require.Equal(t, "19% (VAT on Income)", sold.of(t, 1, "TaxType"), "as the program calls it")
			require.Equal(t, "S 7", sold.of(t, 2, "TaxType"))
			require.Equal(t, "200 -1 40", sold.of(t, 2, "AccountCode", "Quantity", "UnitAmount"))
			require.Equal(t, "-1 50 -9.50", sold.of(t, 3, "Quantity", "UnitAmount", "TaxAmount"), "a credit note is an invoice below zero")
			continue
		}
		require.Len(t, sold.rows, 3)
		require.Equal(t, "SUP 300.00", sold.of(t, 1, "Item(Product/Service)", "ItemAmount"))
		require.Equal(t, "Services", sold.of(t, 2, "Item(Product/Service)"))
		require.Contains(t, sold.of(t, 1, "ItemDescription"), "Line\nbreak")
		require.Len(t, tables["credits"].rows, 2)
		require.Equal(t, "1 50.00 9.50", tables["credits"].of(t, 1, "ItemQuantity", "ItemAmount", "ItemTaxAmount"), "credit notes have an import of their own, above zero")
	}
	_, err = document.CSV("sage", nil, nil, document.Defaults{})
	require.ErrorContains(t, err, `format "sage" is not known: quickbooks or xero`)
}

// table is a CSV file with its header.
type table struct{ rows [][]string }

func tableOf(t *testing.T, file billing.ExportFile) table {
	t.Helper()
	rows, err := csv.NewReader(bytes.NewReader(file.Content)).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, file.Lines+1)
	return table{rows}
}

// of gives cells of a row by the names of their columns.
func (c table) of(t *testing.T, row int, columns ...string) string {
	t.Helper()
	var cells []string
	for _, column := range columns {
		i := slices.IndexFunc(c.rows[0], func(name string) bool { return strings.Trim(name, "*") == column })
		require.GreaterOrEqual(t, i, 0, "no column %s", column)
		cells = append(cells, c.rows[row][i])
	}
	return strings.Join(cells, " ")
}

// QuickBooks refuses rows below zero: what is taxed alike as such a line is one row with it.
func TestRowsForQuickBooksAreNeverBelowZero(t *testing.T) {
	d, err := document.Of(invoice(t, "EUR", profile, priced{"2", "h", "150.00", "300.00", ""}, priced{"1", "piece", "20", "20.00", "reduced"}, priced{"1", "piece", "-40", "-40.00", ""}))
	require.NoError(t, err)
	files, err := document.CSV(document.QuickBooks, []*document.Document{d}, nil, document.Defaults{})
	require.NoError(t, err)
	require.Len(t, files, 1)
	rows := tableOf(t, files[0])
	require.Len(t, rows.rows, 3)
	require.Equal(t, "1 260 260.00 49.40", rows.of(t, 1, "ItemQuantity", "ItemRate", "ItemAmount", "ItemTaxAmount"))
	require.Regexp(t, `^L-1 .*; L-3 `, rows.of(t, 1, "ItemDescription"))
	require.Equal(t, "20.00 1.40", rows.of(t, 2, "ItemAmount", "ItemTaxAmount"), "what no such line is about stays as it is")
}

// What takes a void invoice back is a credit note of all of it, under a number of its own, and refers to the invoice.
func TestAVoidInvoiceIsTakenBackAsAWhole(t *testing.T) {
	of := invoice(t, "EUR", profile, priced{"2", "h", "150.00", "300.00", ""}, priced{"1", "piece", "40", "40.00", "reduced"})
	of.Invoice.Receivable = &billing.Receivable{Applied: dec("100")}
	void, err := document.OfCredit(billing.DueCredit{Paper: of, Void: &billing.VoidedAs{Number: "INV-2026-00017-VOID", On: "2026-05-01"}})
	require.NoError(t, err)
	require.Equal(t, "399.8 EUR", void.Payable.String()+" "+void.Currency, "whatever credit it had used")
	for _, format := range []document.Format{document.Xero, document.QuickBooks} {
		files, err := document.CSV(format, []*document.Document{void}, nil, document.Defaults{})
		require.NoError(t, err)
		rows := tableOf(t, files[0])
		if format == document.QuickBooks {
			require.Equal(t, "INV-2026-00017-VOID 2026-05-01 INV-2026-00017 300.00 57.00", rows.of(t, 1, "CreditNoteNo", "CreditNoteDate", "Memo", "ItemAmount", "ItemTaxAmount"))
			continue
		}
		require.Equal(t, "INV-2026-00017-VOID INV-2026-00017 2026-05-01 -2 150 -57.00", rows.of(t, 1, "InvoiceNumber", "Reference", "DueDate", "Quantity", "UnitAmount", "TaxAmount"))
	}
}

func BenchmarkPDF(b *testing.B) {
	lines := make([]priced, 40)
	for i := range lines {
		lines[i] = priced{"2", "h", "150.00", "300.00", ""}
	}
	d, err := document.Of(invoice(b, "EUR", profile, lines...))
	require.NoError(b, err)
	b.ReportAllocs()
	for b.Loop() {
		data, err := d.PDF()
		require.NoError(b, err)
		if name := os.Getenv("DOCKET_SAMPLE_PDF"); name != "" {
			require.NoError(b, os.WriteFile(name, data, 0o600))
		}
	}
}

func TestNoCellIsAFormula(t *testing.T) {
	for _, cell := range []string{"=1", "+1", "@SUM(A1)", "-1+1", "-cmd", "\t=1", "\r=1", "\n=1", "＝1", "＋1", "－1", "＠SUM(A1)"} {
		require.Equal(t, "'"+cell, document.SafeCell(cell))
	}
	for _, cell := range []string{"", "-12.50", "12", "Łódź", "日本", "a=b"} {
		require.Equal(t, cell, document.SafeCell(cell))
	}
}
