package document

import (
	"encoding/csv"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

// Format is an accounting program that rows are written for.
type Format string

// The formats. docs/exports.md says what each program documents of its imports, and where.
const (
	QuickBooks Format = "quickbooks" // QuickBooks Online: its imports of invoices and of credit notes
	Xero       Format = "xero"       // Xero: its import of sales invoices, in which a credit note is an invoice below zero
)

// The files of a batch: each is what a program imports at once.
const (
	invoicesFile = "invoices"
	creditsFile  = "credits"
	paymentsFile = "payments"
)

var columns = map[Format]map[string][]string{
	QuickBooks: {
		invoicesFile: {
			"InvoiceNo", "Customer", "InvoiceDate", "DueDate", "Terms", "Memo", "Item(Product/Service)", "ItemDescription", "ItemQuantity", "ItemRate",
			"ItemAmount", "ItemTaxCode", "ItemTaxAmount", "Currency", "ServiceDate",
		},
		creditsFile: {
			"CreditNoteNo", "Customer", "CreditNoteDate", "Memo", "Item(Product/Service)", "ItemDescription", "ItemQuantity", "ItemRate",
			"ItemAmount", "ItemTaxCode", "ItemTaxAmount", "Currency", "ServiceDate",
		},
		paymentsFile: payments,
	},
	Xero: {
		invoicesFile: {
			"*ContactName", "EmailAddress", "POAddressLine1", "POAddressLine2", "POAddressLine3", "POAddressLine4", "POCity", "PORegion", "POPostalCode",
			"POCountry", "*InvoiceNumber", "Reference", "*InvoiceDate", "*DueDate", "Total", "InventoryItemCode", "*Description", "*Quantity", "*UnitAmount",
			"Discount", "*AccountCode", "*TaxType", "TaxAmount", "TrackingName1", "TrackingOption1", "TrackingName2", "TrackingOption2", "Currency", "BrandingTheme",
		},
		paymentsFile: payments,
	},
}

// Neither program imports receipts against invoices, so this is a list for both. Its first three columns are those of a bank
// statement, as QuickBooks wants them; Xero asks which is which.
var payments = []string{
	"Date", "Description", "Amount", "Payee", "Reference", "InvoiceNumber", "Applied", "Unapplied", "Currency", "Method", "Kind",
}

// Defaults fill what lines leave open.
type Defaults struct {
	Account string            // revenue account of lines whose contract names none
	Item    string            // product or service of lines whose contract names none
	Taxes   map[string]string // what the program calls a tax: "S 19" → "19% VAT"; one that is not here goes as it is
}

// Payment is money that came, or went back, with what its payer is called on documents.
type Payment struct {
	billing.PaymentMove
	Name string
}

// CSV writes documents and payments as the files that one accounting program imports, each with a header, and none where
// it would have no rows. What could be a formula is written as text.
func CSV(f Format, documents []*Document, moves []Payment, fill Defaults) ([]billing.ExportFile, error) {
	if err := f.known(); err != nil {
		return nil, err
	}
	rows := map[string][][]string{}
	for _, d := range documents {
		file, cells := d.rows(f, fill)
		rows[file] = append(rows[file], cells...)
	}
	for _, m := range moves {
		rows[paymentsFile] = append(rows[paymentsFile], m.cells())
	}
	var files []billing.ExportFile
	for _, name := range []string{invoicesFile, creditsFile, paymentsFile} {
		if len(rows[name]) == 0 {
			continue
		}
		content, err := written(columns[f][name], rows[name])
		if err != nil {
			return nil, err
		}
		files = append(files, billing.ExportFile{Name: name, Lines: len(rows[name]), Content: content})
	}
	return files, nil
}

func (f Format) known() error {
	if _, known := columns[f]; !known {
		return ticket.Invalid("format", f, "is not known", "quickbooks or xero")
	}
	return nil
}

func written(header []string, rows [][]string) ([]byte, error) {
	var b strings.Builder
	w := csv.NewWriter(&b)
	w.UseCRLF = true
	for _, cells := range slices.Concat([][]string{header}, rows) {
		safe := make([]string, len(cells))
		for i, c := range cells {
			safe[i] = SafeCell(c)
		}
		if err := w.Write(safe); err != nil {
			return nil, fmt.Errorf("write CSV: %w", err)
		}
	}
	w.Flush()
	return []byte(b.String()), w.Error()
}

// rows are the document's, a line each, and the file in which they stand.
func (d *Document) rows(f Format, fill Defaults) (file string, rows [][]string) {
	lines, tell := d.Lines, d.forXero
	file = invoicesFile
	if f == QuickBooks {
		lines, tell = d.noneBelowZero(), d.forQuickBooks
		if d.Kind == CreditNote {
			file, tell = creditsFile, d.forQuickBooksCredits
		}
	}
	for _, l := range lines {
		l.Account, l.Item = or(l.Account, fill.Account), or(l.Item, fill.Item)
		tax := strings.TrimSpace(l.TaxCode + " " + percent(l.Percent))
		rows = append(rows, tell(l, or(fill.Taxes[tax], tax)))
	}
	return file, rows
}

func (d *Document) forXero(l Line, taxed string) []string {
	quantity, tax := l.Quantity, l.Tax
	if d.Kind == CreditNote {
		quantity, tax = quantity.Neg(), tax.Neg()
	}
	to := d.Buyer
	return []string{
		to.Name, to.Email, to.Street, "", "", "", to.City, to.Region, to.Postcode,
		to.Country, d.Number, d.refers(), d.Issued, or(d.Due, d.Issued), "", "", l.ID + " " + l.Text, quantity.String(), l.Price.String(),
		"", l.Account, taxed, d.money(tax), "", "", "", "", d.Currency, "",
	}
}

func (d *Document) forQuickBooks(l Line, taxed string) []string {
	return slices.Concat([]string{d.Number, d.Buyer.Name, d.Issued, or(d.Due, d.Issued), ""}, d.itemCells(l, taxed))
}

func (d *Document) forQuickBooksCredits(l Line, taxed string) []string {
	return slices.Concat([]string{d.Number, d.Buyer.Name, d.Issued}, d.itemCells(l, taxed))
}

func (d *Document) itemCells(l Line, taxed string) []string {
	return []string{
		d.refers(), l.Item, l.ID + " " + l.Text, l.Quantity.String(), l.Price.String(), d.money(l.Net), taxed, d.money(l.Tax), d.Currency, l.Date,
	}
}

// refers names the invoice that a credit note is about; else the buyer's order.
func (d *Document) refers() string { return or(d.Of.Number, d.Order) }

func (p Payment) cells() []string {
	places, _ := billing.MinorUnits(p.Currency)
	kind, says := "payment", "Payment of "
	if p.Returned {
		kind, says = "returned", "Returned payment of "
	}
	return []string{
		p.On, says + p.Invoice + " by " + p.Name, p.Received.StringFixed(places), p.Name, p.Payment, p.Invoice, p.Applied.StringFixed(places),
		p.Received.Sub(p.Applied).StringFixed(places), p.Currency, p.Method, kind,
	}
}

// SafeCell keeps spreadsheets from taking a text for a formula, by the signs that OWASP names; some read those of full width,
// too. A number may begin with a minus.
func SafeCell(cell string) string {
	first, _ := utf8.DecodeRuneInString(cell)
	if cell == "" || !strings.ContainsRune("=+-@\t\r\n＝＋－＠", first) {
		return cell
	}
	if cell[0] == '-' && strings.Trim(cell[1:], "0123456789.") == "" {
		return cell
	}
	return "'" + cell
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
