package billing

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/shopspring/decimal"
)

// vectorProfile taxes by one category for each code and rate.
func vectorProfile(categories ...TaxCategory) (*TaxProfile, error) {
	p := &TaxProfile{Schema: TaxSchemaV1, ID: "V", Name: "Vector", Standard: categories[0].Name, Categories: categories}
	if ps := Problems(p.Validate()); len(ps) > 0 {
		return nil, notApplicable("a tax profile here refuses it: " + ps[0].Field + " " + ps[0].Problem)
	}
	return p, nil
}

// taxCategory is one of a code and the rates that make it up.
func taxCategory(name, code string, percents ...decimal.Decimal) TaxCategory {
	c := TaxCategory{Name: name, Code: code}
	if slices.Contains(untaxedCodes, code) {
		c.Reason = "not taxed"
		return c
	}
	if len(percents) == 1 {
		c.Rates = []TaxRate{{Percent: percents[0]}}
		return c
	}
	var rate TaxRate
	for i, percent := range percents {
		rate.Parts = append(rate.Parts, TaxPart{Name: "tax " + strconv.Itoa(i+1), Percent: percent})
	}
	c.Rates = []TaxRate{rate}
	return c
}

// rateCode is the code of a rate.
func rateCode(percents ...decimal.Decimal) string {
	if slices.ContainsFunc(percents, func(p decimal.Decimal) bool { return !p.IsZero() }) {
		return "S"
	}
	return "Z"
}

// taxed adds up a document of nets under one rate, or several at once.
func taxed(nets []decimal.Decimal, percents ...decimal.Decimal) (DocumentTotals, error) {
	p, err := vectorProfile(taxCategory("standard", rateCode(percents...), percents...))
	if err != nil {
		return DocumentTotals{}, err
	}
	d := Document{Currency: "USD", TaxDate: vectorMonth + "-31"}
	for _, net := range nets {
		d.Lines = append(d.Lines, TaxableLine{Amount: net, Profile: p})
	}
	return d.Totals()
}

func vectorTaxTotal(v *vector) (map[string]any, error) {
	var params struct {
		Net    decimal.Decimal   `json:"net_minor"`
		Coupon decimal.Decimal   `json:"coupon_minor"`
		Rates  []decimal.Decimal `json:"tax_pcts"`
	}
	if err := v.read(&params, &struct{}{}); err != nil {
		return nil, err
	}
	if len(params.Rates) == 0 {
		params.Rates = []decimal.Decimal{{}}
	}
	sums, err := taxed([]decimal.Decimal{fromMinor(params.Net.Sub(params.Coupon))}, params.Rates...)
	return answer("tax_minor", toMinor(sums.Tax)), err
}

// vectorTaxLines spreads a coupon over the lines, which lowers what each is taxed on.
func vectorTaxLines(v *vector) (map[string]any, error) {
	var params struct {
		Coupon decimal.Decimal `json:"coupon_minor"`
	}
	var in struct {
		Lines []struct {
			Amount decimal.Decimal `json:"amount_minor"`
			Tax    decimal.Decimal `json:"tax_pct"`
		}
	}
	if err := v.read(&params, &in); err != nil {
		return nil, err
	}
	var categories []TaxCategory
	weights := make([]decimal.Decimal, len(in.Lines))
	for i, l := range in.Lines {
		weights[i] = l.Amount
		categories = append(categories, taxCategory("line-"+strconv.Itoa(i), rateCode(l.Tax), l.Tax))
	}
	p, err := vectorProfile(categories...)
	if err != nil {
		return nil, err
	}
	p.Per = perLine
	d := Document{Currency: "USD", TaxDate: vectorMonth + "-31"}
	for i, off := range spread(fromMinor(params.Coupon), minorPlaces, weights) {
		d.Lines = append(d.Lines, TaxableLine{Amount: fromMinor(in.Lines[i].Amount).Sub(off), Profile: p, Category: categories[i].Name})
	}
	sums, err := d.Totals()
	var each []any
	for _, l := range sums.Lines {
		each = append(each, toMinor(l.Tax))
	}
	return map[string]any{"line_tax_minor": each, "tax_minor": toMinor(sums.Tax), "total_minor": toMinor(sums.TaxInclusive)}, err
}

type vectorAllowance struct {
	Amount decimal.Decimal  `json:"amount"`
	Cat    string           `json:"cat"`
	Pct    *decimal.Decimal `json:"pct"`
}

// vectorInvoice adds a published invoice up. What its lines have taken off and put on is in
// their nets already.
func vectorInvoice(v *vector) (map[string]any, error) {
	var params struct {
		Currency string `json:"currency"`
		Rounding string `json:"tax_rounding"`
	}
	var in struct {
		Lines []struct {
			Qty, Price, Net decimal.Decimal
			BaseQty         *decimal.Decimal  `json:"base_qty"`
			Cat             string            `json:"cat"`
			Pct             *decimal.Decimal  `json:"pct"`
			Allowances      []decimal.Decimal `json:"line_allowances"`
			Charges         []decimal.Decimal `json:"line_charges"`
		}
		Allowances []vectorAllowance `json:"document_allowances"`
		Charges    []vectorAllowance `json:"document_charges"`
		Prepaid    decimal.Decimal
	}
	if err := v.read(&params, &in); err != nil {
		return nil, err
	}
	p := &TaxProfile{Schema: TaxSchemaV1, ID: "V", Name: "Vector"}
	if places, _ := MinorUnits(params.Currency); !strings.Contains(params.Rounding, strconv.Itoa(int(places))+" dp") {
		return nil, notApplicable("states other minor units than ISO 4217 gives " + params.Currency)
	}
	if strings.Contains(params.Rounding, "per line") {
		p.Per = perLine
	}
	if strings.HasPrefix(params.Rounding, "half_even") {
		p.Rounding = string(HalfEven)
	}
	line := func(net decimal.Decimal, cat string, pct *decimal.Decimal) TaxableLine {
		var rate decimal.Decimal
		if pct != nil {
			rate = *pct
		}
		name := strings.ToLower(cat) + "-" + strings.ReplaceAll(rate.String(), ".", "-")
		if p.category(name) == nil {
			p.Categories = append(p.Categories, taxCategory(name, cat, rate))
		}
		p.Standard = cmp.Or(p.Standard, name)
		return TaxableLine{Amount: net, Profile: p, Category: name}
	}
	d := Document{Currency: params.Currency, TaxDate: vectorMonth + "-31", Prepaid: in.Prepaid}
	for _, l := range in.Lines {
		d.Lines = append(d.Lines, line(l.Net, l.Cat, l.Pct))
	}
	for _, a := range in.Allowances {
		d.Allowances = append(d.Allowances, line(a.Amount, a.Cat, a.Pct))
	}
	for _, c := range in.Charges {
		d.Charges = append(d.Charges, line(c.Amount, c.Cat, c.Pct))
	}
	if ps := Problems(p.Validate()); len(ps) > 0 {
		return nil, notApplicable("a tax profile here refuses it: " + ps[0].Field + " " + ps[0].Problem)
	}
	sums, err := d.Totals()
	return map[string]any{
		"line_total": sums.LineTotal, "allowances": sums.Allowances, "charges": sums.Charges, "tax_exclusive": sums.TaxExclusive,
		"tax": sums.Tax, "tax_inclusive": sums.TaxInclusive, "prepaid": sums.Prepaid, "payable": sums.Payable,
	}, err
}

// vectorWallets pays from a client's balances in their order.
func vectorWallets(v *vector) (map[string]any, error) {
	var params struct{ Unit string }
	var in struct {
		Need   decimal.Decimal
		Blocks [][2]scalar
	}
	if err := v.read(&params, &in); err != nil {
		return nil, err
	}
	var balances []Balance
	for i, b := range in.Blocks {
		balances = append(balances, Balance{ID: int64(i + 1), Left: fromMinor(b[1].number())})
	}
	left := in.Need
	draws := []any{}
	for _, a := range ApplyCredits(balances, fromMinor(in.Need)) {
		draws = append(draws, []any{in.Blocks[a.Balance-1][0].text, toMinor(a.Amount)})
		left = left.Sub(toMinor(a.Amount))
	}
	return map[string]any{"draws": draws, "uncovered": left}, nil
}

func vectorAllocate(v *vector) (map[string]any, error) {
	var params struct {
		Minor int32
		Tie   string
	}
	var in struct {
		Amount  decimal.Decimal
		Weights [][2]scalar
	}
	if err := v.read(&params, &in); err != nil {
		return nil, err
	}
	if params.Tie == "key" {
		slices.SortStableFunc(in.Weights, func(a, b [2]scalar) int { return cmp.Compare(a[0].text, b[0].text) })
	}
	weights := make([]decimal.Decimal, len(in.Weights))
	for i, w := range in.Weights {
		weights[i] = w[1].number()
	}
	shares := unordered{}
	for i, s := range spread(in.Amount, params.Minor, weights) {
		if !s.IsZero() {
			shares = append(shares, [2]any{in.Weights[i][0].text, s})
		}
	}
	return map[string]any{"shares": shares}, nil
}

func vectorFairValue(v *vector) (map[string]any, error) {
	var params struct {
		Fee decimal.Decimal `json:"fee_minor"`
	}
	var in struct {
		Values []decimal.Decimal `json:"fmv_minor"`
	}
	if err := v.read(&params, &in); err != nil {
		return nil, err
	}
	return map[string]any{"shares_minor": anys(spread(params.Fee, 0, in.Values))}, nil
}

func vectorSplit(v *vector) (map[string]any, error) {
	var params struct {
		Currency string
		Scale    int32
	}
	var in struct {
		Amount decimal.Decimal
		Parts  int
	}
	if err := v.read(&params, &in); err != nil {
		return nil, err
	}
	weights := slices.Repeat([]decimal.Decimal{one}, in.Parts)
	return map[string]any{"parts": anys(spread(in.Amount, params.Scale, weights))}, nil
}

func vectorRound(v *vector) (map[string]any, error) {
	var params struct {
		Digits int32
		Mode   string
	}
	var in struct{ Value decimal.Decimal }
	if err := v.read(&params, &in); err != nil {
		return nil, err
	}
	mode, known := map[string]Rounding{"half_up": HalfUp, "half_even": HalfEven, "up": roundsUp, "down": roundsDown}[params.Mode]
	if !known {
		return nil, notApplicable("no contract here rounds by " + params.Mode + ": no client is owed half a cent less")
	}
	return answer("value", mode.round(in.Value, one, params.Digits)), nil
}

func vectorMinorUnits(v *vector) (map[string]any, error) {
	var in struct{ Currency string }
	if err := v.read(&struct{}{}, &in); err != nil {
		return nil, err
	}
	places, known := MinorUnits(in.Currency)
	if !known {
		return nil, notApplicable(in.Currency + " is not in ISO 4217")
	}
	return map[string]any{"minor": places}, nil
}
