package billing

import "github.com/shopspring/decimal"

// Rounding says what happens to exactly half a minor unit.
type Rounding string

// The modes of rounding money.
const (
	HalfUp   Rounding = "half-up"   // away from zero
	HalfEven Rounding = "half-even" // to the even neighbour
)

// How quantities are rounded to whole units.
const (
	roundsNot              = "no"
	roundsUp      Rounding = "up" // away from zero
	roundsNearest Rounding = "nearest"
	roundsDown    Rounding = "down" // towards zero
)

// exactPlaces is how many decimals Exact keeps of an amount that does not end.
const exactPlaces = 16

var (
	one       = decimal.NewFromInt(1)
	two       = decimal.NewFromInt(2)
	msPerHour = decimal.NewFromInt(3_600_000)
	thousand  = decimal.NewFromInt(1000)
)

// round gives num/den with the given number of decimals. It divides once, so that no
// digit is lost before the rounding.
func (r Rounding) round(num, den decimal.Decimal, places int32) decimal.Decimal {
	if r != HalfEven && r != roundsUp && r != roundsDown {
		return num.DivRound(den, places)
	}
	q, rest := num.QuoRem(den, places)
	unit := decimal.New(1, -places)
	half := rest.Abs().Mul(two).Cmp(den.Abs().Mul(unit)) // what is left, compared with half a unit
	odd := !q.Shift(places).Mod(two).IsZero()
	if away := r == roundsUp && !rest.IsZero() || r == HalfEven && (half > 0 || half == 0 && odd); !away {
		return q
	}
	if num.Sign()*den.Sign() < 0 {
		return q.Sub(unit)
	}
	return q.Add(unit)
}

// price gives ms at an hourly rate: exact (to 16 places) and rounded once to the minor unit.
func (r Rounding) price(ms int64, hourly decimal.Decimal, places int32) (exact, amount decimal.Decimal) {
	total := decimal.NewFromInt(ms).Mul(hourly)
	return total.DivRound(msPerHour, exactPlaces), r.round(total, msPerHour, places)
}

// hours gives ms in hours to 9 places, so that the milliseconds can be had back from it.
func hours(ms int64) decimal.Decimal {
	return decimal.NewFromInt(ms).DivRound(msPerHour, 9)
}

// seconds gives ms in seconds, exactly.
func seconds(ms int64) decimal.Decimal { return decimal.New(ms, -3) }

// milliseconds is the inverse of hours and seconds.
func milliseconds(quantity decimal.Decimal, unit string) int64 {
	if unit == UnitSecond {
		return quantity.Mul(thousand).Round(0).IntPart()
	}
	return quantity.Mul(msPerHour).Round(0).IntPart()
}
