package document

import (
	"encoding/xml"
	"fmt"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

// UBL writes the document as EN 16931 has it in UBL 2.1: an Invoice, or a CreditNote. The norm knows amounts of at most two
// decimals (BR-DEC), so a currency with three is refused.
func (d *Document) UBL() ([]byte, error) {
	if d.Places > 2 {
		return nil, ticket.Invalid("currency", d.Currency, "has more than the two decimals that EN 16931 allows", "send the PDF instead")
	}
	root := element{name: "Invoice", space: "urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"}
	if d.Kind == CreditNote {
		root = element{name: "CreditNote", space: "urn:oasis:names:specification:ubl:schema:xsd:CreditNote-2"}
	}
	root.text("cbc:CustomizationID", "urn:cen.eu:en16931:2017")
	root.text("cbc:ID", d.Number)
	root.text("cbc:IssueDate", d.Issued)
	if d.Kind == Invoice {
		root.some("cbc:DueDate", d.Due)
		root.text("cbc:InvoiceTypeCode", string(d.Kind))
	} else {
		root.text("cbc:CreditNoteTypeCode", string(d.Kind))
	}
	root.some("cbc:Note", d.Note)
	root.text("cbc:DocumentCurrencyCode", d.Currency)
	period := root.child("cac:InvoicePeriod")
	period.text("cbc:StartDate", d.From)
	period.text("cbc:EndDate", d.Until)
	if d.Order != "" {
		root.child("cac:OrderReference").text("cbc:ID", d.Order)
	}
	if d.Of.Number != "" {
		of := root.child("cac:BillingReference").child("cac:InvoiceDocumentReference")
		of.text("cbc:ID", d.Of.Number)
		of.text("cbc:IssueDate", d.Of.Issued)
	}
	d.party(root.child("cac:AccountingSupplierParty").child("cac:Party"), d.Seller)
	d.party(root.child("cac:AccountingCustomerParty").child("cac:Party"), d.Buyer)
	if d.Seller.IBAN != "" && d.Kind == Invoice {
		means := root.child("cac:PaymentMeans")
		means.text("cbc:PaymentMeansCode", "58") // SEPA credit transfer
		means.text("cbc:PaymentID", d.Number)
		account := means.child("cac:PayeeFinancialAccount")
		account.text("cbc:ID", d.Seller.IBAN)
		if d.Seller.BIC != "" {
			account.child("cac:FinancialInstitutionBranch").text("cbc:ID", d.Seller.BIC)
		}
	}
	if terms := d.terms(); terms != "" {
		root.child("cac:PaymentTerms").text("cbc:Note", terms)
	}
	d.taxTotal(&root)
	d.sums(&root)
	for n, l := range d.Lines {
		d.line(&root, n+1, l)
	}
	return root.document()
}

func (d *Document) party(e *element, p billing.Party) {
	e.child("cac:PartyName").text("cbc:Name", p.Name)
	address := e.child("cac:PostalAddress")
	address.some("cbc:StreetName", p.Street)
	address.some("cbc:CityName", p.City)
	address.some("cbc:PostalZone", p.Postcode)
	address.some("cbc:CountrySubentity", p.Region)
	address.child("cac:Country").text("cbc:IdentificationCode", p.Country)
	if p.TaxID != "" {
		scheme := e.child("cac:PartyTaxScheme")
		scheme.text("cbc:CompanyID", p.TaxID)
		scheme.child("cac:TaxScheme").text("cbc:ID", "VAT")
	}
	legal := e.child("cac:PartyLegalEntity")
	legal.text("cbc:RegistrationName", p.Name)
	legal.some("cbc:CompanyID", p.LegalID)
	if p.Email != "" {
		e.child("cac:Contact").text("cbc:ElectronicMail", p.Email)
	}
}

func (d *Document) taxTotal(root *element) {
	total := root.child("cac:TaxTotal")
	d.amount(total, "cbc:TaxAmount", d.Tax)
	for _, t := range d.Taxes {
		sub := total.child("cac:TaxSubtotal")
		d.amount(sub, "cbc:TaxableAmount", t.Base)
		d.amount(sub, "cbc:TaxAmount", t.Tax)
		category(sub.child("cac:TaxCategory"), orO(t.Code), t.Percent, reason(t))
	}
}

// reason says why there is no tax: a row without tax must (BR-E-10, BR-AE-10, BR-O-10 …).
func reason(t billing.CategoryTax) string {
	switch code := orO(t.Code); {
	case t.Reason != "" && t.Certificate != "":
		return t.Reason + ", certificate " + t.Certificate
	case t.Reason != "":
		return t.Reason
	case code == "O":
		return "Not subject to tax"
	}
	return ""
}

// category names a tax category. What is not subject to tax has no rate (BR-O-05).
func category(e *element, code string, rate decimal.Decimal, why string) {
	e.text("cbc:ID", code)
	if code != "O" {
		e.text("cbc:Percent", percent(rate))
	}
	e.some("cbc:TaxExemptionReason", why)
	e.child("cac:TaxScheme").text("cbc:ID", "VAT")
}

func (d *Document) sums(root *element) {
	sums := root.child("cac:LegalMonetaryTotal")
	d.amount(sums, "cbc:LineExtensionAmount", d.Net)
	d.amount(sums, "cbc:TaxExclusiveAmount", d.Net)
	d.amount(sums, "cbc:TaxInclusiveAmount", d.Gross)
	if !d.Prepaid.IsZero() {
		d.amount(sums, "cbc:PrepaidAmount", d.Prepaid)
	}
	d.amount(sums, "cbc:PayableAmount", d.Payable)
}

// unitCodes are those of UN/ECE recommendation 20.
var unitCodes = map[string]string{
	billing.UnitHour: "HUR", billing.UnitSecond: "SEC", billing.UnitPiece: "C62", billing.UnitTicket: "C62", billing.UnitPeriod: "C62",
}

func (d *Document) line(root *element, n int, l Line) {
	kind, quantity := "cac:InvoiceLine", "cbc:InvoicedQuantity"
	if d.Kind == CreditNote {
		kind, quantity = "cac:CreditNoteLine", "cbc:CreditedQuantity"
	}
	line := root.child(kind)
	line.text("cbc:ID", itoa(n))
	line.some("cbc:Note", strings.TrimSpace(l.ID+" "+l.Client))
	unit := unitCodes[l.Unit]
	if unit == "" {
		unit = "C62"
	}
	line.with(quantity, l.Quantity.String(), "unitCode", unit)
	d.amount(line, "cbc:LineExtensionAmount", l.Net)
	line.some("cbc:AccountingCost", l.Account)
	period := line.child("cac:InvoicePeriod")
	period.text("cbc:StartDate", l.Date)
	period.text("cbc:EndDate", l.Date)
	item := line.child("cac:Item")
	item.text("cbc:Name", l.Text)
	if l.Item != "" {
		item.child("cac:SellersItemIdentification").text("cbc:ID", l.Item)
	}
	category(item.child("cac:ClassifiedTaxCategory"), l.TaxCode, l.Percent, "")
	line.child("cac:Price").with("cbc:PriceAmount", l.Price.String(), "currencyID", d.Currency)
}

func (d *Document) amount(e *element, name string, amount decimal.Decimal) {
	e.with(name, d.money(amount), "currencyID", d.Currency)
}

// element is one of an XML document in the making. encoding/xml cannot write UBL's prefixes by struct tags and keep the
// schema's order readable, so the order is that of the calls above.
type element struct {
	name, space string
	attribute   [2]string
	content     string
	children    []*element
}

func (e *element) child(name string) *element {
	c := &element{name: name}
	e.children = append(e.children, c)
	return c
}

func (e *element) text(name, content string) { e.child(name).content = content }

func (e *element) some(name, content string) {
	if content != "" {
		e.text(name, content)
	}
}

func (e *element) with(name, content, attribute, value string) {
	c := e.child(name)
	c.content, c.attribute = content, [2]string{attribute, value}
}

func (e *element) document() ([]byte, error) {
	var b strings.Builder
	b.WriteString(xml.Header)
	if err := e.write(&b, ""); err != nil {
		return nil, err
	}
	return []byte(b.String()), nil
}

func (e *element) write(b *strings.Builder, indent string) error {
	b.WriteString(indent + "<" + e.name)
	if e.space != "" {
		fmt.Fprintf(b, " xmlns=%q", e.space)
		b.WriteString(` xmlns:cac="urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"`)
		b.WriteString(` xmlns:cbc="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2"`)
	}
	if e.attribute[0] != "" {
		b.WriteString(" " + e.attribute[0] + `="`)
		if err := xml.EscapeText(b, []byte(e.attribute[1])); err != nil {
			return fmt.Errorf("write %s: %w", e.name, err)
		}
		b.WriteString(`"`)
	}
	b.WriteString(">")
	if len(e.children) == 0 {
		if err := xml.EscapeText(b, []byte(e.content)); err != nil {
			return fmt.Errorf("write %s: %w", e.name, err)
		}
	} else {
		b.WriteString("\n")
		for _, c := range e.children {
			if err := c.write(b, indent+"  "); err != nil {
				return err
			}
		}
		b.WriteString(indent)
	}
	b.WriteString("</" + e.name + ">\n")
	return nil
}
