package billing

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/shopspring/decimal"
)

// TaxableLine is a line of a document as tax sees it.
type TaxableLine struct {
	Amount   decimal.Decimal // net, or gross where the profile's prices include tax; rounded
	Profile  *TaxProfile     // nil: nobody has said how it is taxed, and it is not
	Category string          // of the profile; empty: its standard one
}

// LineTax is what tax makes of one line. The lines of a category sum to it: where tax is
// rounded once for all of them, each line has what it adds to the rounded sum.
type LineTax struct {
	Net     decimal.Decimal `json:"net"`
	Tax     decimal.Decimal `json:"tax"`
	Code    string          `json:"code,omitempty"` // of its row in the breakdown; empty: no profile
	Percent decimal.Decimal `json:"percent,omitzero"`
}

// CategoryTax is one row of a document's tax breakdown: what is taxed alike.
type CategoryTax struct {
	Code        string          `json:"code,omitempty"` // empty: no profile
	Percent     decimal.Decimal `json:"percent"`
	Base        decimal.Decimal `json:"base"` // net
	Tax         decimal.Decimal `json:"tax"`
	Parts       []TaxAmount     `json:"parts,omitempty"`       // they sum to Tax
	Reason      string          `json:"reason,omitempty"`      // why there is no tax
	Certificate string          `json:"certificate,omitempty"` // of the exemption
}

// TaxAmount is what one of several taxes on the same amount comes to.
type TaxAmount struct {
	Name    string          `json:"name"`
	Percent decimal.Decimal `json:"percent"`
	Tax     decimal.Decimal `json:"tax"`
}

// taxes adds up the tax of a document on one date.
type taxes struct {
	on     string
	places int32
	rows   []*taxRow
	says   []string
}

// taxRow is a row of the breakdown in the making: the lines that the same rule taxes.
type taxRow struct {
	CategoryTax
	inclusive bool
	perLine   bool
	rounding  Rounding
	parts     []TaxPart
	sum       decimal.Decimal // of the lines' amounts
}

// add taxes one amount.
func (x *taxes) add(l TaxableLine) (LineTax, error) {
	row, err := x.row(l)
	if err != nil {
		return LineTax{}, err
	}
	row.sum = row.sum.Add(l.Amount)
	was := LineTax{Net: row.Base, Tax: row.Tax}
	if row.perLine {
		net, tax := row.split(l.Amount, x.places)
		row.Base, row.Tax = row.Base.Add(net), row.Tax.Add(tax)
	} else {
		row.Base, row.Tax = row.split(row.sum, x.places)
	}
	return LineTax{Net: row.Base.Sub(was.Net), Tax: row.Tax.Sub(was.Tax), Code: row.Code, Percent: row.Percent}, nil
}

// split gives net and tax of an amount, rounded once.
func (r *taxRow) split(amount decimal.Decimal, places int32) (net, tax decimal.Decimal) {
	if r.inclusive {
		net = r.rounding.round(amount.Mul(hundred), hundred.Add(r.Percent), places)
		return net, amount.Sub(net)
	}
	return amount, r.rounding.round(amount.Mul(r.Percent), hundred, places)
}

// row finds or begins the row that the line belongs to.
func (x *taxes) row(l TaxableLine) (*taxRow, error) {
	made, err := x.rule(l)
	if err != nil {
		return nil, err
	}
	for _, have := range x.rows {
		if have.alike(made) {
			return have, nil
		}
	}
	x.rows = append(x.rows, made)
	return made, nil
}

func (r *taxRow) alike(o *taxRow) bool {
	return r.Code == o.Code && r.Percent.Equal(o.Percent) && r.Reason == o.Reason && r.Certificate == o.Certificate &&
		r.inclusive == o.inclusive && r.perLine == o.perLine && r.rounding == o.rounding &&
		slices.EqualFunc(r.parts, o.parts, func(a, b TaxPart) bool { return a.Name == b.Name && a.Percent.Equal(b.Percent) })
}

// rule says how the line is taxed on the document's date.
func (x *taxes) rule(l TaxableLine) (*taxRow, error) {
	p := l.Profile
	if p == nil {
		x.say("Some lines have no tax profile and are not taxed.")
		return &taxRow{}, nil
	}
	name := cmp.Or(l.Category, p.Standard)
	c := p.category(name)
	if c == nil {
		return nil, fmt.Errorf("tax profile %s has no category %s, only %s: add it, or change the contract's tax_category", p.ID, name, strings.Join(p.names(), ", "))
	}
	row := &taxRow{
		CategoryTax: CategoryTax{Code: c.Code, Reason: c.Reason},
		inclusive:   p.Prices == pricesInclusive, perLine: p.Per == perLine, rounding: cmp.Or(Rounding(p.Rounding), HalfUp),
	}
	if slices.Contains(untaxedCodes, c.Code) {
		return row, nil
	}
	rate := c.rate(x.on)
	if rate == nil {
		return nil, fmt.Errorf("category %s of tax profile %s has no rate on %s: add the rate that was in force then", name, p.ID, x.on)
	}
	row.Percent, row.parts = rate.percent(), rate.Parts
	e := p.Exemption
	switch {
	case e == nil || !e.frees(name) || row.Percent.IsZero():
	case e.valid(x.on):
		row.CategoryTax = CategoryTax{Code: cmp.Or(e.Code, exempt), Reason: e.Reason, Certificate: e.Certificate}
		row.parts = nil
	case x.on < e.From:
		x.say("Certificate " + e.Certificate + " holds from " + e.From + " on, after the tax date " + x.on + ": taxed at the usual rates.")
	default:
		x.say("Certificate " + e.Certificate + " holds no longer from " + e.To + " on, and the tax date is " + x.on + ": taxed at the usual rates.")
	}
	return row, nil
}

// exempt is the code of UNTDID 5305 for what a law frees from tax.
const exempt = "E"

func (x *taxes) say(sentence string) {
	if !slices.Contains(x.says, sentence) {
		x.says = append(x.says, sentence)
	}
}

// breakdown gives the rows by code and rate, with the parts of each tax.
func (x *taxes) breakdown() []CategoryTax {
	rows := make([]CategoryTax, len(x.rows))
	for i, r := range x.rows {
		rows[i] = r.CategoryTax
		percents := make([]decimal.Decimal, len(r.parts))
		for j, part := range r.parts {
			percents[j] = part.Percent
		}
		for j, tax := range spread(r.Tax, x.places, percents) {
			rows[i].Parts = append(rows[i].Parts, TaxAmount{Name: r.parts[j].Name, Percent: r.parts[j].Percent, Tax: tax})
		}
	}
	slices.SortStableFunc(rows, compareTaxes)
	return rows
}

// compareTaxes is the order of a breakdown's rows.
func compareTaxes(a, b CategoryTax) int {
	return cmp.Or(cmp.Compare(a.Code, b.Code), a.Percent.Cmp(b.Percent), cmp.Compare(a.Reason, b.Reason))
}
