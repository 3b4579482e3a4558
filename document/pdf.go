package document

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/johnfercher/maroto/v2"
	"github.com/johnfercher/maroto/v2/pkg/components/col"
	"github.com/johnfercher/maroto/v2/pkg/components/line"
	"github.com/johnfercher/maroto/v2/pkg/components/row"
	"github.com/johnfercher/maroto/v2/pkg/components/text"
	"github.com/johnfercher/maroto/v2/pkg/config"
	"github.com/johnfercher/maroto/v2/pkg/consts/align"
	"github.com/johnfercher/maroto/v2/pkg/consts/fontstyle"
	"github.com/johnfercher/maroto/v2/pkg/core"
	"github.com/johnfercher/maroto/v2/pkg/core/entity"
	"github.com/johnfercher/maroto/v2/pkg/props"
	"github.com/johnfercher/maroto/v2/pkg/repository"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"

	"github.com/docket-psa/docket/billing"
)

const family = "go"

// A page is A4: what its margins leave is cut into columns.
const (
	margin = 18 // mm
	grid   = 24 // columns
)

// fonts speak Latin, Greek and Cyrillic; the fonts that every reader brings along know Western Europe alone. Each document
// has copies of its own: the printer writes into a font's bytes while it cuts the font down to what is used.
func fonts() ([]*entity.CustomFont, error) {
	regular, bold := slices.Clone(goregular.TTF), slices.Clone(gobold.TTF)
	return repository.New().
		AddUTF8FontFromBytes(family, fontstyle.Normal, regular).
		AddUTF8FontFromBytes(family, fontstyle.Bold, bold).
		AddUTF8FontFromBytes(family, fontstyle.Italic, regular).
		AddUTF8FontFromBytes(family, fontstyle.BoldItalic, bold).Load()
}

var (
	small  = props.Text{Size: 8, Bottom: 1}
	right  = props.Text{Size: 8, Bottom: 1, Align: align.Right}
	strong = props.Text{Size: 9, Bottom: 1, Style: fontstyle.Bold}
	total  = props.Text{Size: 9, Bottom: 1, Style: fontstyle.Bold, Align: align.Right}
	title  = props.Text{Size: 16, Bottom: 2, Style: fontstyle.Bold}
	ink    = &props.Color{Red: 90, Green: 90, Blue: 90}
)

// PDF prints the document.
func (d *Document) PDF() ([]byte, error) {
	loaded, err := fonts()
	if err != nil {
		return nil, fmt.Errorf("load the fonts of a PDF: %w", err)
	}
	issued, err := time.Parse(time.DateOnly, d.Issued)
	if err != nil {
		return nil, fmt.Errorf("the date of %s: %w", d.Number, err)
	}
	cfg := config.NewBuilder().WithCustomFonts(loaded).WithDefaultFont(&props.Font{Family: family, Size: 9}).
		WithLeftMargin(margin).WithRightMargin(margin).WithMaxGridSize(grid).WithTopMargin(16).WithBottomMargin(14).
		WithPageNumber(props.PageNumber{Pattern: d.Number + " · page {current} of {total}", Place: props.RightBottom, Size: 7, Family: family, Color: ink}).
		WithTitle(d.title()+" "+d.Number, true).WithAuthor(d.Seller.Name, true).WithCreator("Docket", true).WithCreationDate(issued).
		WithSequentialMode().Build()
	m := maroto.New(cfg)
	m.AddRows(d.head()...)
	m.AddRows(d.table()...)
	m.AddRows(d.totals()...)
	m.AddRows(d.foot()...)
	printed, err := m.Generate()
	if err != nil {
		return nil, fmt.Errorf("print %s: %w", d.Number, err)
	}
	return printed.GetBytes(), nil
}

func (d *Document) title() string {
	if d.Kind == CreditNote {
		return "Credit note"
	}
	return "Invoice"
}

func cell(size int, s string, p props.Text) core.Col {
	p.Family = family
	return text.NewCol(size, fit(s, size, p), p)
}

func auto(cols ...core.Col) core.Row { return row.New().Add(cols...) }

func rule() core.Row {
	return row.New(3).Add(line.NewCol(grid, props.Line{Color: ink, Thickness: 0.2, SizePercent: 100}))
}

func (d *Document) head() []core.Row {
	facts := [][2]string{{"Number", d.Number}, {"Date", d.Issued}}
	add := func(name, value string) {
		if value != "" {
			facts = append(facts, [2]string{name, value})
		}
	}
	add("Period", d.From+" to "+d.Until)
	add("Due", d.Due)
	add("Your order", d.Order)
	add("Of invoice", d.Of.Number)
	add("Its date", d.Of.Issued)
	buyer := address(d.Buyer)
	rows := []core.Row{
		auto(cell(14, d.Seller.Name, strong), cell(10, d.title(), title)),
		auto(cell(grid, strings.Join(address(d.Seller)[1:], " · "), props.Text{Size: 7, Bottom: 6, Color: ink})),
	}
	for i := range max(len(buyer), len(facts)) {
		var to, name, value string
		if i < len(buyer) {
			to = buyer[i]
		}
		if i < len(facts) {
			name, value = facts[i][0], facts[i][1]
		}
		rows = append(rows, auto(cell(14, to, small), cell(4, name, small), cell(6, value, small)))
	}
	return append(rows, row.New(6).Add(col.New(grid)))
}

// address is a party's block of lines, its name first.
func address(p billing.Party) []string {
	lines := []string{p.Name}
	for _, l := range []string{p.Street, strings.TrimSpace(p.Postcode + " " + p.City), p.Region, p.Country, p.TaxID, p.LegalID, p.Email} {
		if l != "" {
			lines = append(lines, l)
		}
	}
	return lines
}

func (d *Document) table() []core.Row {
	rows := []core.Row{
		auto(cell(4, "Line, date", strong), cell(10, "What", strong), cell(3, "Quantity", total), cell(3, "Price", total), cell(4, d.Currency+", net", total)), rule(),
	}
	for _, l := range d.Lines {
		what := l.Text
		if l.Client != "" {
			what += " (" + l.Client + ")"
		}
		if tax := l.tax(); tax != "" && len(d.Taxes) > 1 { // where all lines are taxed alike, the sums tell
			what += " · " + tax
		}
		rows = append(rows, auto(cell(4, l.ID+", "+l.Date, small), cell(10, what, small), cell(3, l.amount(), right),
			cell(3, d.price(l), right), cell(4, d.money(l.Net), right)))
	}
	return append(rows, rule())
}

// price has at least the currency's decimals, and more where it needs them.
func (d *Document) price(l Line) string {
	return l.Price.StringFixed(max(d.Places, -l.Price.Exponent()))
}

func (l Line) tax() string {
	if l.TaxCode == "O" {
		return ""
	}
	return l.TaxCode + " " + percent(l.Percent) + " %"
}

// amount tells a quantity as people read it: hours to the hundredth. The data beside the PDF has all of it.
func (l Line) amount() string {
	if l.Unit == billing.UnitHour {
		return l.Quantity.Round(2).String() + " h"
	}
	return l.Quantity.String() + " " + unitName(l.Unit)
}

func unitName(unit string) string {
	if unit == billing.UnitTicket || unit == billing.UnitPeriod || unit == billing.UnitPiece {
		return "×"
	}
	return unit
}

func (d *Document) totals() []core.Row {
	sum := func(name, amount string, p, q props.Text) core.Row {
		return auto(col.New(10), cell(8, name, p), cell(6, amount, q))
	}
	rows := []core.Row{sum("Net", d.money(d.Net), small, right)}
	for _, t := range d.Taxes {
		if t.Code == "" {
			continue
		}
		name := "Tax " + t.Code + " " + percent(t.Percent) + " % of " + d.money(t.Base)
		if why := reason(t); why != "" {
			name += " (" + why + ")"
		}
		rows = append(rows, sum(name, d.money(t.Tax), small, right))
		for _, part := range t.Parts {
			rows = append(rows, sum("  of which "+part.Name+" "+percent(part.Percent)+" %", d.money(part.Tax), small, right))
		}
	}
	rows = append(rows, sum("Total", d.money(d.Gross)+" "+d.Currency, strong, total))
	if !d.Prepaid.IsZero() {
		rows = append(rows, sum("Paid from your credit", d.money(d.Prepaid.Neg()), small, right), sum("To pay", d.money(d.Payable)+" "+d.Currency, strong, total))
	}
	for _, part := range d.became() {
		rows = append(rows, sum(part[0], part[1], small, right))
	}
	return append(rows, row.New(6).Add(col.New(grid)))
}

func (d *Document) foot() []core.Row {
	var rows []core.Row
	if d.Note != "" {
		rows = append(rows, auto(cell(grid, d.Note, small)))
	}
	if d.Kind == Invoice && d.Payable.IsPositive() && d.Seller.IBAN != "" {
		pay := "Please pay " + d.money(d.Payable) + " " + d.Currency + " by " + d.Due + " to IBAN " + d.Seller.IBAN
		if d.Seller.BIC != "" {
			pay += ", BIC " + d.Seller.BIC
		}
		rows = append(rows, auto(cell(grid, pay+", reference "+d.Number+".", small)))
	}
	return rows
}
