package document

import (
	"encoding/csv"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/docket-psa/docket/ticket"
)

// Format is an accounting program that rows are written for.
type Format string

// The formats, and the columns that each program documents for its import.
const (
	QuickBooks Format = "quickbooks" // QuickBooks Online, import of invoices
	Xero       Format = "xero"       // Xero, sales invoice template
)

var columns = map[Format][]string{
	QuickBooks: {
		"InvoiceNo", "Customer", "InvoiceDate", "DueDate", "Terms", "Memo", "Item(Product/Service)", "ItemDescription", "ItemQuantity", "ItemRate",
		"ItemAmount", "ItemTaxCode", "ItemTaxAmount", "Currency", "ServiceDate",
	},
	Xero: {
		"*ContactName", "EmailAddress", "*InvoiceNumber", "Reference", "*InvoiceDate", "*DueDate", "*Description", "*Quantity", "*UnitAmount",
		"*AccountCode", "*TaxType", "TaxAmount", "Currency",
	},
}

// Defaults fill what lines leave open.
type Defaults struct {
	Account string // revenue account of lines whose contract names none
	Item    string // product or service of lines whose contract names none
}

// CSV writes documents as rows of one accounting program, one line of a document a row, with a header. Credit notes have
// negative quantities. What could be a formula is written as text.
func CSV(f Format, documents []*Document, fill Defaults) ([]byte, error) {
	header, known := columns[f]
	if !known {
		return nil, ticket.Invalid("format", f, "is not known", "quickbooks or xero")
	}
	var b strings.Builder
	w := csv.NewWriter(&b)
	w.UseCRLF = true
	if err := w.Write(header); err != nil {
		return nil, fmt.Errorf("write CSV: %w", err)
	}
	for _, d := range documents {
		for _, l := range d.Lines {
			cells := d.cells(f, l, fill)
			for i, c := range cells {
				cells[i] = SafeCell(c)
			}
			if err := w.Write(cells); err != nil {
				return nil, fmt.Errorf("write CSV: %w", err)
			}
		}
	}
	w.Flush()
	return []byte(b.String()), w.Error()
}

func (d *Document) cells(f Format, l Line, fill Defaults) []string {
	quantity, net, tax := l.Quantity, l.Net, l.Tax
	if d.Kind == CreditNote {
		quantity, net, tax = quantity.Neg(), net.Neg(), tax.Neg()
	}
	account, item := or(l.Account, fill.Account), or(l.Item, fill.Item)
	taxed := strings.TrimSpace(l.TaxCode + " " + percent(l.Percent))
	due := or(d.Due, d.Issued)
	if f == Xero {
		return []string{
			d.Buyer.Name, d.Buyer.Email, d.Number, d.Order, d.Issued, due, l.ID + " " + l.Text, quantity.String(), l.Price.String(),
			account, taxed, d.money(tax), d.Currency,
		}
	}
	return []string{
		d.Number, d.Buyer.Name, d.Issued, due, "", d.Order, item, l.ID + " " + l.Text, quantity.String(), l.Price.String(),
		d.money(net), taxed, d.money(tax), d.Currency, l.Date,
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
