package document

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/johnfercher/maroto/v2"
	"github.com/johnfercher/maroto/v2/pkg/components/col"
	"github.com/johnfercher/maroto/v2/pkg/components/line"
	"github.com/johnfercher/maroto/v2/pkg/components/page"
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

const (
	family = "go"
	nbsp   = "\u00a0" // no line breaks there
)

// A page is A4: what its margins leave is cut into columns.
const (
	margin  = 18 // mm
	grid    = 24 // columns
	pageEnd = 4  // mm, above its number
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
	if err := m.RegisterFooter(space(pageEnd)); err != nil {
		return nil, fmt.Errorf("lay out the pages of %s: %w", d.Number, err)
	}
	m.AddRows(d.head()...)
	if err := d.table(m, slices.Concat([]core.Row{rule()}, d.totals(), d.foot())); err != nil {
		return nil, fmt.Errorf("lay out the lines of %s: %w", d.Number, err)
	}
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

func space(mm float64) core.Row { return row.New(mm).Add(col.New(grid)) }

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
	return append(rows, space(6))
}

// place is where a party is, as its country's post writes it: "20095 Hamburg", "Bayside, NY 11361".
func place(p billing.Party) string {
	switch p.Country {
	case "US", "CA", "AU":
		return joined(", ", p.City, joined(" ", p.Region, p.Postcode))
	}
	return joined(", ", joined(" ", p.Postcode, p.City), p.Region)
}

// joined joins what is not empty.
func joined(by string, parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), by)
}

// address is a party's block of lines, its name first.
func address(p billing.Party) []string {
	lines := []string{p.Name}
	for _, l := range []string{p.Street, place(p), p.Country, p.TaxID, p.LegalID, p.Email} {
		if l != "" {
			lines = append(lines, l)
		}
	}
	return lines
}

// table prints the lines, their heading on each page, and what comes after them: all of that on one page, and never without
// the last line above it.
func (d *Document) table(m core.Maroto, after []core.Row) error {
	heading := []core.Row{d.columns("Line", "Date", "What", "Quantity", "Price", d.Currency+", net", strong, total), rule()}
	if err := m.RegisterHeader(heading...); err != nil { // it is printed here, and on each page that begins from here on
		return err
	}
	rows := d.lineRows()
	rows, last := rows[:max(0, len(rows)-1)], rows[max(0, len(rows)-1):]
	m.AddRows(rows...)
	room, err := heights(m, slices.Concat(last, after))
	if err != nil {
		return err
	}
	headed, err := heights(m, heading)
	if err != nil {
		return err
	}
	if m.FitlnCurrentPage(room - headed) { // it counts the heading twice
		m.AddRows(last...)
	} else {
		m.AddPages(page.New().Add(last...))
	}
	if err := m.RegisterHeader(); err != nil { // should the sums need a page of their own, they have no columns
		return err
	}
	m.AddRows(after...)
	return nil
}

// heights measures rows as they will be printed: a footer is measured by its registration, and then the pages get back their own.
func heights(m core.Maroto, rows []core.Row) (room float64, err error) {
	if err := errors.Join(m.RegisterFooter(rows...), m.RegisterFooter(space(pageEnd))); err != nil {
		return 0, err
	}
	for _, r := range rows {
		height, _ := r.GetStructure().GetData().Value.(float64)
		room += height
	}
	return room, nil
}

func (d *Document) columns(line, date, what, quantity, price, net string, left, right props.Text) core.Row {
	return auto(cell(3, line, left), cell(3, date, left), cell(9, what, left), cell(3, quantity, right), cell(3, price, right), cell(3, net, right))
}

func (d *Document) lineRows() []core.Row {
	rows := make([]core.Row, 0, len(d.Lines))
	for _, l := range d.Lines {
		what := l.Text
		if l.Client != "" {
			what += " (" + l.Client + ")"
		}
		if tax := l.tax(); tax != "" && len(d.Taxes) > 1 { // where all lines are taxed alike, the sums tell
			what += " · " + tax
		}
		rows = append(rows, d.columns(l.ID, l.Date, what, l.amount(), d.price(l), d.money(l.Net), small, right))
	}
	return rows
}

// price has at least the currency's decimals, and more where it needs them.
func (d *Document) price(l Line) string {
	return l.Price.StringFixed(max(d.Places, -l.Price.Exponent()))
}

func (l Line) tax() string {
	if l.TaxCode == "O" {
		return ""
	}
	return l.TaxCode + nbsp + percent(l.Percent) + nbsp + "%"
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
	return append(rows, space(6))
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
