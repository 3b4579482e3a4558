package billing

import (
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// The values are those of other billing systems' published tests, where they speak of a
// mode that a contract here can state.
func TestRounding(t *testing.T) {
	one := decimal.NewFromInt(1)
	for _, c := range []struct {
		mode   Rounding
		places int32
		value  string
		want   string
	}{
		{HalfUp, 2, "12.347", "12.35"},
		{HalfUp, 2, "-12.345", "-12.35"},
		{HalfUp, 3, "12345678901234567890.0345", "12345678901234567890.035"},
		{HalfUp, 2, "17.9699999999999988631316", "17.97"},
		{HalfEven, 2, "12.346", "12.35"},
		{HalfEven, 2, "12.335", "12.34"},
		{HalfEven, 2, "12.345", "12.34"},
		{HalfEven, 2, "-12.345", "-12.34"},
		{HalfEven, 2, "-12.335", "-12.34"},
		{HalfEven, 0, "2.5", "2"},
		{HalfEven, 0, "3.5", "4"},
		{HalfEven, 2, "12.3450000001", "12.35"},
		{roundsUp, 2, "12.341", "12.35"},
		{roundsUp, 2, "12.34", "12.34"},
		{roundsUp, 0, "-12.1", "-13"},
		{roundsDown, 2, "12.349", "12.34"},
		{roundsDown, 0, "-12.9", "-12"},
		{roundsNearest, 0, "12.5", "13"},
	} {
		t.Run(string(c.mode)+" "+c.value, func(t *testing.T) {
			require.Equal(t, c.want, c.mode.round(decimal.RequireFromString(c.value), one, c.places).String())
		})
	}
}

// TestPropertyDivide: the short way gives what the long one does, digit by digit and with as many places.
func TestPropertyDivide(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		number := func(name string) decimal.Decimal {
			digits := rapid.Int64().Draw(t, name)
			if rapid.Bool().Draw(t, name+" is short") {
				digits %= 10_000
			}
			return decimal.New(digits, rapid.Int32Range(-20, 6).Draw(t, name+"'s exponent"))
		}
		num, den := number("num"), number("den")
		if den.IsZero() {
			t.Skip("nothing is divided by nothing")
		}
		places := rapid.Int32Range(0, 18).Draw(t, "places")
		want, got := num.DivRound(den, places), divide(num, den, places)
		require.Equal(t, want.Exponent(), got.Exponent())
		require.Equal(t, want.Coefficient().String(), got.Coefficient().String())
	})
}

func TestDivideRoundsHalvesAwayFromZero(t *testing.T) {
	for _, c := range []struct{ num, den, want string }{
		{"5", "2", "3"},
		{"-5", "2", "-3"},
		{"5", "-2", "-3"},
		{"-0.5", "-1", "1"},
		{"0.4999999", "1", "0"},
		{"0", "-7", "0"},
	} {
		require.Equal(t, c.want, divide(decimal.RequireFromString(c.num), decimal.RequireFromString(c.den), 0).String(), "%s / %s", c.num, c.den)
	}
}
