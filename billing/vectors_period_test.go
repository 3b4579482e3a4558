package billing

import (
	"time"

	"github.com/shopspring/decimal"
)

func daysOn(date string, n int) string {
	at, err := time.Parse(time.DateOnly, date)
	if err != nil {
		return date
	}
	return at.AddDate(0, 0, n).Format(time.DateOnly)
}

func periodOfDays(n int) Period {
	const start = vectorMonth + "-01"
	return Period{start, daysOn(start, n)}
}

// flatFee gives the charge of a flat fee for the days from … until of a period. Its quantity is the
// share of the period.
func flatFee(price decimal.Decimal, currency string, p Period, from, until string) (Charge, error) {
	t, err := vectorTerms(Line{Charge: chargeFlat, Price: &price}, func(c *Contract) {
		c.Currency, c.EffectiveFrom = currency, min(c.EffectiveFrom, p.Start)
	})
	if err != nil || from >= until {
		return Charge{}, err
	}
	charges, err := runPeriod(t, Opening, p, from, until, decimal.Zero)
	if err != nil || len(charges) != 1 {
		return Charge{}, err
	}
	return charges[0], nil
}

func vectorProrationDays(v *vector) (map[string]any, error) {
	var params struct {
		Price *decimal.Decimal `json:"price"`
		Minor *int32           `json:"minor"`
	}
	var in struct {
		From       string `json:"from"`
		To         string `json:"to"`
		PeriodFrom string `json:"period_from"`
		PeriodTo   string `json:"period_to"`
	}
	if err := v.read(&params, &in); err != nil {
		return nil, err
	}
	currency := "USD"
	if params.Minor != nil {
		currency = map[int32]string{0: "JPY", 2: "USD", 3: "KWD"}[*params.Minor]
	}
	price := one
	if params.Price != nil {
		price = *params.Price
	}
	c, err := flatFee(price, currency, Period{in.PeriodFrom, in.PeriodTo}, in.From, in.To)
	return map[string]any{"factor": c.Quantity, "amount": c.Amount}, err
}

func vectorProrationRatio(v *vector) (map[string]any, error) {
	c, _, err := prorated(v)
	return answer("amount_minor", toMinor(c.Amount)), err
}

type ratioParams struct {
	Price decimal.Decimal `json:"price_minor"`
	Tax   decimal.Decimal `json:"tax_pct"`
}

func prorated(v *vector) (Charge, ratioParams, error) {
	var params ratioParams
	var in struct{ Num, Den int }
	if err := v.read(&params, &in); err != nil {
		return Charge{}, params, err
	}
	p := periodOfDays(in.Den)
	c, err := flatFee(fromMinor(params.Price), "USD", p, p.Start, daysOn(p.Start, in.Num))
	return c, params, err
}

// vectorProrationTax taxes a part of a fee. Where the source's tax on the unrounded base comes
// to something else than tax on the printed net, the vector states that convention: a
// document here adds up from what it prints (EN 16931, BR-CO-17).
func vectorProrationTax(v *vector) (map[string]any, error) {
	c, params, err := prorated(v)
	if err != nil {
		return nil, err
	}
	sums, err := taxed([]decimal.Decimal{c.Amount}, params.Tax)
	if err != nil {
		return nil, err
	}
	if onExact := HalfUp.round(c.Exact.Mul(params.Tax), hundred, minorPlaces); !onExact.Equal(sums.Tax) {
		return nil, notApplicable("states another convention: tax on the unrounded base, where a document here adds up from its printed nets")
	}
	return map[string]any{"subtotal_minor": toMinor(sums.TaxExclusive), "tax_minor": toMinor(sums.Tax), "total_minor": toMinor(sums.TaxInclusive)}, nil
}
