package billing

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/shopspring/decimal"
)

// TaxSchemaV1 names version 1 of the tax profile. It grows by addition only.
const TaxSchemaV1 = "docket.tax/v1"

// TaxProfile is the document that says how a client's invoices are taxed. A contract names
// one, or else its payer does. Dates are local dates; the tax date chooses among rates.
type TaxProfile struct {
	Schema     string        `json:"schema" yaml:"schema"`
	ID         string        `json:"tax" yaml:"tax"`
	Name       string        `json:"name" yaml:"name"`
	Prices     string        `json:"prices,omitempty" yaml:"prices,omitempty"`       // of contracts: exclusive (default) of tax, or inclusive
	Per        string        `json:"per,omitempty" yaml:"per,omitempty"`             // what tax is rounded once for: category (default, and what EN 16931 asks), or line
	Rounding   string        `json:"rounding,omitempty" yaml:"rounding,omitempty"`   // half-up (default), half-even
	Standard   string        `json:"standard" yaml:"standard"`                       // category of lines that name none
	Categories []TaxCategory `json:"categories" yaml:"categories"`                   // by the names that contracts use
	Exemption  *Exemption    `json:"exemption,omitempty" yaml:"exemption,omitempty"` // of the client from what would be taxed
}

// TaxCategory is one way of taxing a line.
type TaxCategory struct {
	Name   string    `json:"category" yaml:"category"`                 // as a contract's tax_category names it
	Code   string    `json:"code" yaml:"code"`                         // of UNTDID 5305, as EN 16931 uses it: S, Z, E, AE, K, G, O, L, M
	Reason string    `json:"reason,omitempty" yaml:"reason,omitempty"` // why there is no tax, printed; with every code but S, Z, L and M
	Rates  []TaxRate `json:"rates,omitempty" yaml:"rates,omitempty"`   // oldest first; none with the codes that have no tax
}

// TaxRate is in force from a tax date on, until the next one is.
type TaxRate struct {
	From    string          `json:"valid_from,omitempty" yaml:"valid_from,omitempty"` // inclusive; empty: since ever
	Percent decimal.Decimal `json:"percent,omitzero" yaml:"percent,omitempty"`
	Parts   []TaxPart       `json:"parts,omitempty" yaml:"parts,omitempty"` // instead of Percent: several taxes on one amount, like a state's and a county's
}

// TaxPart is one of several taxes on the same amount.
type TaxPart struct {
	Name    string          `json:"name" yaml:"name"`
	Percent decimal.Decimal `json:"percent" yaml:"percent"`
}

// Exemption frees a client from tax while a certificate is valid; by tax date, never by the
// date of the invoice. After it the categories tax as they say, and the document tells.
type Exemption struct {
	Certificate string   `json:"certificate" yaml:"certificate"`                   // its number
	From        string   `json:"valid_from" yaml:"valid_from"`                     // inclusive
	To          string   `json:"valid_to,omitempty" yaml:"valid_to,omitempty"`     // exclusive; empty: until it is withdrawn
	Code        string   `json:"code,omitempty" yaml:"code,omitempty"`             // E (default), AE, K, G
	Reason      string   `json:"reason" yaml:"reason"`                             // printed
	Categories  []string `json:"categories,omitempty" yaml:"categories,omitempty"` // that it frees; empty: all that are taxed
}

// What TaxProfile.Prices and Per say.
const (
	pricesExclusive = "exclusive"
	pricesInclusive = "inclusive"
	perCategory     = "category"
	perLine         = "line"
)

// Codes of UNTDID 5305 that EN 16931 allows: those with a rate, and those without.
var (
	taxedCodes   = []string{"S", "Z", "L", "M"}
	untaxedCodes = []string{"E", "AE", "K", "G", "O"}
)

// ParseTaxProfile reads a tax profile, YAML or JSON, as strictly as ParseContract reads a
// contract. The error joins one Problem, with line and fix, for each thing that is wrong.
func ParseTaxProfile(data []byte) (*TaxProfile, error) {
	ps := &problems{lines: map[string]int{}}
	p := new(TaxProfile)
	if root := read(ps, data, taxDocument); root != nil {
		r := reader{problems: ps, kind: taxDocument}
		r.value("", root, reflect.ValueOf(p).Elem())
		p.check(ps)
	}
	if err := ps.err(); err != nil {
		return nil, err
	}
	return p, nil
}

// ReadTaxProfile reads a profile as it was stored, as ReadContract reads a contract.
func ReadTaxProfile(stored []byte) (*TaxProfile, error) {
	p := new(TaxProfile)
	if err := readStored(stored, p); err != nil {
		return nil, fmt.Errorf("read a stored tax profile: %w", err)
	}
	return p, nil
}

// Digest is the SHA-256 of the profile's canonical JSON.
func (p *TaxProfile) Digest() string { return digest(p) }

// RoundsLines says whether each line's tax is rounded by itself.
func (p *TaxProfile) RoundsLines() bool { return p.Per == perLine }

// Validate reports everything that is wrong with the profile, one Problem each.
func (p *TaxProfile) Validate() error {
	ps := new(problems)
	p.check(ps)
	return ps.err()
}

func (p *TaxProfile) check(ps *problems) {
	ck := checker{problems: ps}
	if p.Schema != TaxSchemaV1 {
		ck.need("schema", p.Schema, "is not a schema of this version", "write "+TaxSchemaV1)
	}
	ck.id("tax", p.ID)
	if p.Name == "" {
		ck.need("name", "", "", "say what people call the profile")
	}
	ck.oneOf("prices", p.Prices, "", pricesExclusive, pricesInclusive)
	ck.oneOf("per", p.Per, "", perCategory, perLine)
	ck.oneOf("rounding", p.Rounding, "", string(HalfUp), string(HalfEven))
	ck.taxCategories(p)
	ck.standardCategory(p)
	if e := p.Exemption; e != nil {
		ck.exemption(e, p)
	}
}

var categoryShape = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,39}$`)

const maxCategories = 100

func (ck checker) taxCategories(p *TaxProfile) {
	switch {
	case len(p.Categories) == 0:
		ck.need("categories", "", "", "give at least the standard category with its code and rate")
		return
	case len(p.Categories) > maxCategories:
		ck.add("categories", strconv.Itoa(len(p.Categories)), "are too many", "a profile has at most 100 categories")
		return
	}
	for i := range p.Categories {
		c := &p.Categories[i]
		field := "categories[" + strconv.Itoa(i) + "]"
		if !categoryShape.MatchString(c.Name) {
			ck.need(field+".category", c.Name, "is not the name of a category", "use small letters, digits and dashes, like standard or managed-services")
		}
		if p.category(c.Name) != c {
			ck.add(field+".category", c.Name, "is there twice", "keep one of them, and give it all its rates")
		}
		ck.oneOf(field+".code", c.Code, slices.Concat(taxedCodes, untaxedCodes)...)
		switch {
		case slices.Contains(taxedCodes, c.Code):
			ck.taxRates(field+".rates", c)
		case slices.Contains(untaxedCodes, c.Code):
			if len(c.Rates) > 0 {
				ck.add(field+".rates", "", "mean nothing with code "+c.Code, "remove them, or use S: this code is for what is not taxed")
			}
			if c.Reason == "" {
				ck.need(field+".reason", "", "", "say why there is no tax, as it is printed, like 'Reverse charge'")
			}
		}
	}
}

// standardCategory is looked at even where the categories themselves are missing: all that is wrong is told at once.
func (ck checker) standardCategory(p *TaxProfile) {
	if p.category(p.Standard) == nil && (len(p.Categories) > 0 || !categoryShape.MatchString(p.Standard)) {
		ck.need("standard", p.Standard, "is no category of the profile", "name the category of lines that name none")
	}
}

func (ck checker) taxRates(field string, c *TaxCategory) {
	if len(c.Rates) == 0 {
		ck.need(field, "", "", "give the rate, like [{percent: 21}], with valid_from where it changed")
	}
	for i := range c.Rates {
		r := &c.Rates[i]
		at := field + "[" + strconv.Itoa(i) + "]"
		if r.From != "" {
			ck.date(at+".valid_from", r.From)
		}
		if i > 0 && r.From <= c.Rates[i-1].From {
			ck.add(at+".valid_from", r.From, "is not after the rate before it", "write the rates oldest first, each with the date from which it holds")
		}
		ck.taxPercent(at+".percent", r.Percent)
		if len(r.Parts) > 0 && !r.Percent.IsZero() {
			ck.add(at+".percent", r.Percent.String(), "stands beside parts", "keep one of them: the parts add up to the rate")
		}
		for j, part := range r.Parts {
			of := at + ".parts[" + strconv.Itoa(j) + "]"
			if part.Name == "" {
				ck.need(of+".name", "", "", "say which tax it is")
			}
			ck.taxPercent(of+".percent", part.Percent)
		}
		switch percent := r.percent(); {
		case c.Code == "Z" && !percent.IsZero():
			ck.add(at, percent.String(), "is a rate with code Z", "use S: Z is taxed at zero")
		case c.Code == "S" && percent.IsZero():
			ck.add(at, "0", "is no rate of code S", "use Z for what is taxed at zero, or E for what is exempt")
		}
	}
}

func (ck checker) exemption(e *Exemption, p *TaxProfile) {
	if e.Certificate == "" {
		ck.need("exemption.certificate", "", "", "give the number of the certificate")
	}
	if e.Reason == "" {
		ck.need("exemption.reason", "", "", "say why there is no tax, as it is printed")
	}
	ck.oneOf("exemption.code", e.Code, "", "E", "AE", "K", "G")
	from := ck.date("exemption.valid_from", e.From)
	if e.To != "" {
		if to := ck.date("exemption.valid_to", e.To); !from.IsZero() && !to.IsZero() && !to.After(from) {
			ck.add("exemption.valid_to", e.To, "is not after valid_from", "give the first day on which the certificate no longer holds, or leave it out")
		}
	}
	for i, name := range e.Categories {
		if p.category(name) == nil {
			ck.add("exemption.categories["+strconv.Itoa(i)+"]", name, "is no category of the profile", "use "+strings.Join(p.names(), ", "))
		}
	}
}

func (ck checker) taxPercent(field string, p decimal.Decimal) {
	if p.IsNegative() || p.GreaterThan(decimal.NewFromInt(100)) {
		ck.add(field, p.String(), "is no rate of a tax", "give a percentage from 0 to 100, like 21 or 8.875")
	}
}

// percent is the whole rate.
func (r *TaxRate) percent() decimal.Decimal {
	sum := r.Percent
	for _, part := range r.Parts {
		sum = sum.Add(part.Percent)
	}
	return sum
}

// category finds a category by its name; nil where there is none.
func (p *TaxProfile) category(name string) *TaxCategory {
	i := slices.IndexFunc(p.Categories, func(c TaxCategory) bool { return c.Name == name })
	if i < 0 {
		return nil
	}
	return &p.Categories[i]
}

func (p *TaxProfile) names() []string {
	names := make([]string, len(p.Categories))
	for i := range p.Categories {
		names[i] = p.Categories[i].Name
	}
	return names
}

// rate gives the rate of a tax date; nil before the first.
func (c *TaxCategory) rate(on string) *TaxRate {
	var found *TaxRate
	for i := range c.Rates {
		if c.Rates[i].From <= on {
			found = &c.Rates[i]
		}
	}
	return found
}

// valid says whether the certificate holds on a tax date.
func (e *Exemption) valid(on string) bool {
	return e.From <= on && (e.To == "" || on < e.To)
}

// frees says whether the certificate is about the category.
func (e *Exemption) frees(category string) bool {
	return len(e.Categories) == 0 || slices.Contains(e.Categories, category)
}
