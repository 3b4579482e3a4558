package document_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/document"
	"github.com/docket-psa/docket/internal/testenv/recipient"
)

// note is a credit note about the invoice of the paper, of which some is taken off what is owed.
func note(t require.TestingT, p billing.Paper, reduces string, given ...billing.GivenBack) billing.Paper {
	totals := p.Invoice.Taxes.CreditTotals(given)
	n := &billing.IssuedNote{
		Number: "CN-2026-00003", Invoice: p.Invoice.Number, Payer: p.Invoice.Payer, Currency: p.Invoice.Currency, IssuedOn: "2026-05-04",
		IssuedAt: time.Date(2026, 5, 4, 9, 0, 0, 0, time.UTC), Net: totals.TaxExclusive, Tax: totals.Tax, Amount: totals.TaxInclusive,
		Reduces: dec(reduces), ToCredit: totals.TaxInclusive.Sub(dec(reduces)), Reason: "Nobody\ncame on the <18th>", Taxes: &totals,
	}
	for _, g := range given {
		l, was := p.Invoice.Lines[g.Nth-1], p.Invoice.Taxes.Lines[g.Nth-1]
		n.Lines = append(n.Lines, l)
		if !was.Net.Add(was.Tax).Equal(g.Gross) {
			n.Parts = append(n.Parts, l.Line)
		}
	}
	p.Note, p.Invoice.Lines, p.Invoice.Taxes = n, nil, nil
	return p
}

func TestACreditNotePrints(t *testing.T) {
	paper := invoice(t, "EUR", profile, priced{"2", "h", "150.00", "300.00", ""}, priced{"1", "piece", "80", "80.00", "reduced"}, priced{"1", "h", "60", "60.00", ""})
	// The first line whole, 57.00 + 19 % and 23.80 of 85.60 at 7 %.
	paper = note(t, paper, "300.00", billing.GivenBack{Nth: 1, Gross: dec("357.00"), Tax: dec("57.00")}, billing.GivenBack{Nth: 2, Gross: dec("21.40"), Tax: dec("1.40")})
	files, err := document.Render(paper)
	require.NoError(t, err)
	require.Len(t, files, 3)

	said := recipient.Text(t, files[0].Content)
	for _, s := range []string{
		"Credit note", "CN-2026-00003", "2026-05-04", "Of invoice", "INV-2026-00017", "Its date", "2026-04-02", "2 h", "150.00", "300.00", "Part of: Support", "20.00",
		"Tax S 19 % of 300.00", "57.00", "Tax S 7 % of 20.00", "1.40", "378.40 EUR", "Off what you owed on INV-2026-00017", "To your credit", "78.40", "Nobody came on the <18th>", "PO-77",
	} {
		require.Contains(t, said, s)
	}
	for _, s := range []string{"Due", "Please pay", "IBAN", "L-3"} {
		require.NotContains(t, said, s)
	}

	u := recipient.ReadUBL(t, files[2].Content)
	u.RequireEN16931(t)
	require.Equal(t, "CreditNote", u.XMLName.Local)
	require.Equal(t, "urn:oasis:names:specification:ubl:schema:xsd:CreditNote-2", u.XMLName.Space)
	require.Equal(t, "CN-2026-00003 2026-05-04", u.ID+" "+u.Issued)
	require.Len(t, u.Of, 1)
	require.Equal(t, "INV-2026-00017 2026-04-02", u.Of[0].Number+" "+u.Of[0].Issued, "the preceding invoice (BG-3)")
	require.Equal(t, "Off what you owed on INV-2026-00017: 300.00 EUR; To your credit: 78.40 EUR", u.Terms)
	require.Equal(t, "Nobody came on the <18th>", u.Note)
	require.Empty(t, u.Invoiced)
	require.Equal(t, "2", u.Credited[0].Credited.String(), "a line that is whole is told as the invoice tells it")
	require.Equal(t, "1", u.Credited[1].Credited.String())
	require.Equal(t, "378.4", u.Sums.Payable.String())
	require.Equal(t, "58.4", u.Tax.Amount.String())

	var data billing.Paper
	require.NoError(t, json.Unmarshal(files[1].Content, &data))
	again, err := document.Render(data)
	require.NoError(t, err)
	require.Equal(t, said, recipient.Text(t, again[0].Content), "the printer orders its fonts as it likes: what it prints is the same")
	for n := 1; n < len(files); n++ {
		require.Equal(t, string(files[n].Content), string(again[n].Content), "the data gives the same bytes again")
	}
}

func TestSeveralTaxesInACreditNoteSumToItsTax(t *testing.T) {
	parts := strings.Replace(profile, "{percent: 19}", `{parts: [{name: State, percent: 4}, {name: City, percent: "4.875"}]}`, 1)
	paper := invoice(t, "EUR", parts, priced{"1", "h", "100", "100.00", ""}, priced{"1", "h", "0.10", "0.10", ""})
	d, err := document.Of(note(t, paper, "0", billing.GivenBack{Nth: 1, Gross: dec("33.33"), Tax: dec("2.72")}, billing.GivenBack{Nth: 2, Gross: dec("0.11"), Tax: dec("0.01")}))
	require.NoError(t, err)
	require.Len(t, d.Taxes, 1)
	require.Equal(t, "8.875 2.73", d.Taxes[0].Percent.String()+" "+d.Taxes[0].Tax.String())
	sum := decimal.Zero
	for _, p := range d.Taxes[0].Parts {
		sum = sum.Add(p.Tax)
	}
	require.True(t, sum.Equal(d.Tax))
}

// What earlier notes have rounded is in the tax of the last one. Where that is more than EN 16931 bears it is paper and data alone.
func TestACreditNoteIsPrintedHoweverItsTaxWasRounded(t *testing.T) {
	paper := invoice(t, "EUR", profile, priced{"1", "h", "100", "100.00", ""})
	for tax, files := range map[string]int{"0.19": 3, "1.00": 2} {
		rendered, err := document.Render(note(t, paper, "0", billing.GivenBack{Nth: 1, Gross: dec(tax), Tax: dec(tax)}))
		require.NoError(t, err)
		require.Len(t, rendered, files, "a tax of %s on nothing", tax)
	}
}

func TestWhatACreditNoteLacksIsNamed(t *testing.T) {
	paper := note(t, invoice(t, "EUR", profile, priced{"1", "h", "1", "1.00", ""}), "1.19", billing.GivenBack{Nth: 1, Gross: dec("1.19"), Tax: dec("0.19")})
	bare := paper
	bare.Seller, bare.Buyer.Country = billing.Party{}, ""
	_, err := document.Of(bare)
	require.ErrorContains(t, err, `company.name "" is empty: docket company set`)
	require.ErrorContains(t, err, `client.country "" is not a country: docket client address acme --country …`)
	paper.Note.ToCredit = dec("0.01")
	_, err = document.Of(paper)
	require.ErrorContains(t, err, "What became of CN-2026-00003: what is off the invoice and in credit is 1.2, and must be 1.19")
}
