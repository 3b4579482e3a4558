package billing

import (
	"strings"

	"github.com/shopspring/decimal"
)

// Prices says whether a kind of counter makes the amount of the charges that move it.
func Prices(key string) bool { return prices(key) }

// Comes gives F: what all charges of the counter come to where counters stand so.
func (t *Terms) Comes(c Charge, key string, stands func(key string) decimal.Decimal) (decimal.Decimal, error) {
	if of, ok := strings.CutPrefix(key, countsDayTime); ok {
		num, den := dayStanding{stands(key), stands(countsDayWorth + of)}.standing(t.line(c.Clause))
		return t.rounding.round(num, den, t.places), nil
	}
	num, den, err := t.standing(&c, key, stands(key))
	return t.rounding.round(num, den, t.places), err
}
