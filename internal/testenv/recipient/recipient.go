// Package recipient reads paper in tests as whoever gets it does: the text of a PDF, and an EN 16931 document (UBL 2.1) by its rules.
//
// It shares nothing with what writes them.
package recipient

import (
	"bytes"
	"encoding/xml"

	"github.com/ledongthuc/pdf"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
)

// Text is what a PDF says, in the order in which it was printed.
func Text(t require.TestingT, data []byte) string {
	r, err := pdf.NewReader(bytes.NewReader(data), int64(len(data)))
	require.NoError(t, err)
	plain, err := r.GetPlainText()
	require.NoError(t, err)
	var b bytes.Buffer
	_, err = b.ReadFrom(plain)
	require.NoError(t, err)
	return b.String()
}

// UBL is what a reader of EN 16931 takes from a document.
type UBL struct {
	XMLName xml.Name
	ID      string `xml:"ID"`
	Issued  string `xml:"IssueDate"`
	Due     string `xml:"DueDate"`
	Type    string `xml:"InvoiceTypeCode"`
	Credit  string `xml:"CreditNoteTypeCode"`
	Note    string `xml:"Note"`
	Of      []struct {
		Number string `xml:"InvoiceDocumentReference>ID"`
		Issued string `xml:"InvoiceDocumentReference>IssueDate"`
	} `xml:"BillingReference"`
	Supplier struct {
		Name string `xml:"Party>PartyLegalEntity>RegistrationName"`
		VAT  string `xml:"Party>PartyTaxScheme>CompanyID"`
	} `xml:"AccountingSupplierParty"`
	Terms string `xml:"PaymentTerms>Note"`
	Tax   struct {
		Amount decimal.Decimal `xml:"TaxAmount"`
		Subs   []struct {
			Base    decimal.Decimal `xml:"TaxableAmount"`
			Tax     decimal.Decimal `xml:"TaxAmount"`
			Code    string          `xml:"TaxCategory>ID"`
			Percent string          `xml:"TaxCategory>Percent"`
			Reason  string          `xml:"TaxCategory>TaxExemptionReason"`
		} `xml:"TaxSubtotal"`
	} `xml:"TaxTotal"`
	Sums struct {
		Lines   decimal.Decimal `xml:"LineExtensionAmount"`
		Net     decimal.Decimal `xml:"TaxExclusiveAmount"`
		Gross   decimal.Decimal `xml:"TaxInclusiveAmount"`
		Prepaid decimal.Decimal `xml:"PrepaidAmount"`
		Payable decimal.Decimal `xml:"PayableAmount"`
	} `xml:"LegalMonetaryTotal"`
	Invoiced []Line `xml:"InvoiceLine"`
	Credited []Line `xml:"CreditNoteLine"`
}

// Line is one line of it.
type Line struct {
	Quantity struct {
		Value decimal.Decimal `xml:",chardata"`
		Unit  string          `xml:"unitCode,attr"`
	} `xml:"InvoicedQuantity"`
	Credited decimal.Decimal `xml:"CreditedQuantity"`
	Net      decimal.Decimal `xml:"LineExtensionAmount"`
	Account  string          `xml:"AccountingCost"`
	Name     string          `xml:"Item>Name"`
	Code     string          `xml:"Item>ClassifiedTaxCategory>ID"`
	Percent  string          `xml:"Item>ClassifiedTaxCategory>Percent"`
	Price    decimal.Decimal `xml:"Price>PriceAmount"`
}

// ReadUBL reads a document.
func ReadUBL(t require.TestingT, data []byte) UBL {
	var u UBL
	require.NoError(t, xml.Unmarshal(data, &u), string(data))
	return u
}

// RequireEN16931 holds it to the rules of the norm about sums and the tax breakdown.
func (u UBL) RequireEN16931(t require.TestingT) {
	var lines, tax, base decimal.Decimal
	type taxed struct{ code, percent string }
	of := map[taxed]decimal.Decimal{}
	for _, l := range append(u.Invoiced, u.Credited...) {
		lines = lines.Add(l.Net)
		of[taxed{l.Code, l.Percent}] = of[taxed{l.Code, l.Percent}].Add(l.Net)
		require.False(t, l.Price.IsNegative(), "BR-27")
		quantity := l.Quantity.Value.Add(l.Credited)
		require.True(t, quantity.Mul(l.Price).Round(2).Equal(l.Net), "%s × %s = %s", quantity, l.Price, l.Net)
	}
	for _, s := range u.Tax.Subs {
		tax, base = tax.Add(s.Tax), base.Add(s.Base)
		require.True(t, of[taxed{s.Code, s.Percent}].Equal(s.Base), "BR-S-08 and its like: %s %s %%", s.Code, s.Percent)
		if s.Code == "O" {
			require.Empty(t, s.Percent, "BR-O-05")
		} else {
			rate, err := decimal.NewFromString(s.Percent)
			require.NoError(t, err)
			require.True(t, s.Base.Mul(rate).Shift(-2).Sub(s.Tax).Abs().LessThan(decimal.NewFromInt(1)), "BR-CO-17")
		}
		if s.Code != "S" && s.Code != "Z" {
			require.NotEmpty(t, s.Reason, "BR-E-10, BR-AE-10, BR-O-10")
			require.True(t, s.Tax.IsZero())
		}
	}
	require.True(t, lines.Equal(u.Sums.Lines), "BR-CO-10")
	require.True(t, u.Sums.Lines.Equal(u.Sums.Net), "BR-CO-13")
	require.True(t, base.Equal(u.Sums.Net))
	require.True(t, tax.Equal(u.Tax.Amount), "BR-CO-14")
	require.True(t, u.Sums.Net.Add(tax).Equal(u.Sums.Gross), "BR-CO-15")
	require.True(t, u.Sums.Gross.Sub(u.Sums.Prepaid).Equal(u.Sums.Payable), "BR-CO-16")
	if u.Sums.Payable.IsPositive() {
		require.NotEmpty(t, u.Due+u.Terms, "BR-CO-25")
	}
	if u.Credit != "" {
		require.Equal(t, "381", u.Credit)
		require.True(t, u.Sums.Payable.IsPositive(), "what is given back is above zero")
	}
}
