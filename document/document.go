// Package document owns what leaves the house as paper: a finalised invoice or credit note as PDF, as an EN 16931
// document (UBL 2.1), and as rows for accounting programs. Pure: the same document gives the same sums.
// It does not own what an invoice comes to (billing), its rows (postgres), or how it is sent.
package document

import (
	"cmp"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

// Kind is the type of document, by its code of UNTDID 1001.
type Kind string

// The kinds.
const (
	Invoice    Kind = "380"
	CreditNote Kind = "381"
)

// Document is a finalised invoice, or a credit note, ready to be printed. Amounts of a credit note are positive: they are
// what is given back.
type Document struct {
	Kind     Kind
	Number   string
	Issued   string // local date of the seller's payer
	Due      string // local date; empty: at once
	From     string // first local date of the period
	Until    string // last local date of the period
	Currency string
	Places   int32 // decimals of the currency
	Seller   billing.Party
	Buyer    billing.Party
	Order    string    // the buyer's purchase order, where all lines are on one
	Of       Reference // the invoice that a credit note corrects
	Note     string

	Lines   []Line
	Taxes   []billing.CategoryTax
	Net     decimal.Decimal
	Tax     decimal.Decimal
	Gross   decimal.Decimal
	Prepaid decimal.Decimal // of the payer's credit
	Payable decimal.Decimal

	// What became of a credit note's amount.
	Reduces  decimal.Decimal // of what was owed on the invoice
	ToCredit decimal.Decimal // the rest: the payer's credit
}

// Line is one line of the document. Quantity × Price is Net but for rounding.
type Line struct {
	ID       string // L-88123
	Text     string
	Date     string // of service
	Client   string // whose it is, where that is not the payer
	Quantity decimal.Decimal
	Unit     string          // one of billing's
	Price    decimal.Decimal // ≥ 0, net
	Net      decimal.Decimal
	Tax      decimal.Decimal
	TaxCode  string // UNTDID 5305
	Percent  decimal.Decimal
	Account  string
	Item     string
}

// Of makes the document of a finalised invoice, or of a credit note. An invoice below zero is a credit note, too. Returns a ticket.Problem
// for each thing that is missing.
func Of(p billing.Paper) (*Document, error) {
	i, noun, number, lines, taxes := p.Invoice, "invoice", p.Invoice.Number, p.Invoice.Lines, p.Invoice.Taxes
	if n := p.Note; n != nil {
		noun, number, lines, taxes = "credit note", n.Number, n.Lines, n.Taxes
	}
	places, known := billing.MinorUnits(i.Currency)
	var errs []error
	switch {
	case i.Number == "" || i.FinalisedAt == nil:
		errs = append(errs, ticket.Invalid("invoice", ticket.InvoiceID(i.ID), "is not finalised", "docket invoice finalise"))
	case taxes == nil || len(taxes.Lines) != len(lines):
		errs = append(errs, ticket.Invalid(noun, number, "has lines and taxes that do not belong together", "docket audit"))
	case !known:
		errs = append(errs, ticket.Invalid("currency", i.Currency, "is not in ISO 4217", "correct the contract"))
	}
	if err := errors.Join(append(errs, Addressed(p.Seller, p.Buyer, i.Payer))...); err != nil {
		return nil, err
	}
	d := &Document{
		Kind: Invoice, Number: number, Issued: p.IssuedOn, From: i.PeriodStart, Until: dayBefore(i.PeriodEnd),
		Currency: i.Currency, Places: places, Seller: p.Seller, Buyer: p.Buyer, Order: orderOf(lines),
		Taxes: slices.Clone(taxes.Taxes), Net: taxes.TaxExclusive, Tax: taxes.Tax, Gross: taxes.TaxInclusive,
	}
	for n, l := range lines {
		d.Lines = append(d.Lines, lineOf(l, taxes.Lines[n], i.Payer))
	}
	switch {
	case p.Note != nil:
		d.corrects(p)
	case d.Gross.IsNegative():
		d.turn()
	default:
		d.Due = p.DueOn
		if i.Receivable != nil {
			d.Prepaid = i.Receivable.Applied
		}
	}
	d.Payable = d.Gross.Sub(d.Prepaid)
	return d, d.Check()
}

// Addressed says what seller and buyer, a client of that id, lack for a document to be printed: a ticket.Problem for each thing.
func Addressed(seller, buyer billing.Party, client string) error {
	return errors.Join(checkSeller(seller), checkBuyer(buyer, client))
}

func checkSeller(p billing.Party) error {
	return checkParty(p, "company", "docket company set --name … --country …")
}

func checkBuyer(p billing.Party, payer string) error {
	return checkParty(p, "client", "docket client address "+payer+" --country …")
}

// checkParty says what a party lacks; fix is the command that mends it.
func checkParty(p billing.Party, whose, fix string) error {
	var errs []error
	if strings.TrimSpace(p.Name) == "" {
		errs = append(errs, ticket.Invalid(whose+".name", "", "is empty", fix))
	}
	if len(p.Country) != 2 || strings.ToUpper(p.Country) != p.Country {
		errs = append(errs, ticket.Invalid(whose+".country", p.Country, "is not a country", fix+" with two letters of ISO 3166, such as DE"))
	}
	return errors.Join(errs...)
}

// lineOf tells a line so that quantity and price explain its amount: where its rate does not (a cap, a tier, a minimum), it
// is one piece at its price. A price is never below zero: what is given back has a quantity below zero.
func lineOf(l billing.InvoiceLine, tax billing.LineTax, payer string) Line {
	out := Line{
		ID: ticket.LineID(l.Line), Text: l.Text, Date: l.Date, Quantity: l.Quantity, Unit: l.Unit, Price: l.Rate, Net: tax.Net, Tax: tax.Tax,
		TaxCode: cmp.Or(tax.Code, "O"), Percent: tax.Percent,
	}
	if l.Client != payer {
		out.Client = l.Client
	}
	if l.Accounting != nil {
		out.Account, out.Item = l.Accounting.Account, l.Accounting.Item
	}
	places, _ := billing.MinorUnits(l.Currency)
	explained := l.Quantity.Mul(l.Rate).Round(places).Equal(tax.Net) && !l.Rate.IsNegative()
	if !explained || l.Quantity.IsZero() {
		out.Quantity, out.Unit, out.Price = decimal.NewFromInt(int64(tax.Net.Sign())), billing.UnitPiece, tax.Net.Abs()
		if tax.Net.IsZero() {
			out.Quantity = decimal.NewFromInt(1)
		}
	}
	return out
}

// turn makes a credit note of what is below zero.
func (d *Document) turn() {
	d.Kind = CreditNote
	d.Net, d.Tax, d.Gross = d.Net.Neg(), d.Tax.Neg(), d.Gross.Neg()
	for i := range d.Lines {
		d.Lines[i].Quantity, d.Lines[i].Net, d.Lines[i].Tax = d.Lines[i].Quantity.Neg(), d.Lines[i].Net.Neg(), d.Lines[i].Tax.Neg()
	}
	for i, t := range d.Taxes {
		d.Taxes[i].Base, d.Taxes[i].Tax = t.Base.Neg(), t.Tax.Neg()
		d.Taxes[i].Parts = slices.Clone(t.Parts)
		for j := range d.Taxes[i].Parts {
			d.Taxes[i].Parts[j].Tax = d.Taxes[i].Parts[j].Tax.Neg()
		}
	}
	d.ToCredit = d.Gross
}

// orderOf is the order that all lines are on; "" where they differ.
func orderOf(lines []billing.InvoiceLine) string {
	if len(lines) == 0 {
		return ""
	}
	for _, l := range lines {
		if l.PurchaseOrder != lines[0].PurchaseOrder {
			return ""
		}
	}
	return lines[0].PurchaseOrder
}

func dayBefore(date string) string {
	day, err := time.Parse(time.DateOnly, date)
	if err != nil {
		return date
	}
	return day.AddDate(0, 0, -1).Format(time.DateOnly)
}

// money writes an amount with the currency's decimals and without its code.
func (d *Document) money(amount decimal.Decimal) string { return amount.StringFixed(d.Places) }

// percent writes a rate without needless zeros.
func percent(rate decimal.Decimal) string { return rate.String() }

func itoa(n int) string { return strconv.Itoa(n) }
