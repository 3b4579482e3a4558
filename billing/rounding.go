package billing

import (
	"math"
	"math/bits"

	"github.com/shopspring/decimal"
)

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
		return divide(num, den, places)
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

// divide gives what num.DivRound(den, places) gives, a half rounded away from zero, without its detours where the numbers
// are short, as those of a ticket are: rating does little else.
func divide(num, den decimal.Decimal, places int32) decimal.Decimal {
	shift := int64(num.Exponent()) - int64(den.Exponent()) + int64(places)
	if num.NumDigits() > mostDigits || den.NumDigits() > mostDigits || den.IsZero() || shift < -mostDigits || shift > mostDigits {
		return num.DivRound(den, places)
	}
	n, d := num.CoefficientInt64(), den.CoefficientInt64()
	negative := (n < 0) != (d < 0)
	// |n|·10^shift / |d|, or |n| / (|d|·10^-shift), in 128 bits.
	high, low, by := uint64(0), magnitude(n), magnitude(d)
	if shift >= 0 {
		high, low = bits.Mul64(low, powersOfTen[shift])
	} else if high, by = bits.Mul64(by, powersOfTen[-shift]); high != 0 {
		return num.DivRound(den, places)
	}
	if high >= by {
		return num.DivRound(den, places)
	}
	quotient, rest := bits.Div64(high, low, by)
	if quotient >= math.MaxInt64 {
		return num.DivRound(den, places)
	}
	if rest >= by-rest {
		quotient++
	}
	if negative {
		return decimal.New(-int64(quotient), -places)
	}
	return decimal.New(int64(quotient), -places)
}

func magnitude(n int64) uint64 {
	if n < 0 {
		return uint64(-n)
	}
	return uint64(n)
}

// powersOfTen that fit an int64.
var powersOfTen = func() (powers [mostDigits + 1]uint64) {
	powers[0] = 1
	for i := 1; i < len(powers); i++ {
		powers[i] = 10 * powers[i-1]
	}
	return powers
}()

// price gives ms at an hourly rate: exact (to 16 places) and rounded once to the minor unit.
func (r Rounding) price(ms int64, hourly decimal.Decimal, places int32) (exact, amount decimal.Decimal) {
	total := decimal.NewFromInt(ms).Mul(hourly)
	return divide(total, msPerHour, exactPlaces), r.round(total, msPerHour, places)
}

// hours gives ms in hours to 9 places, so that the milliseconds can be had back from it.
func hours(ms int64) decimal.Decimal {
	return divide(decimal.NewFromInt(ms), msPerHour, 9)
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
