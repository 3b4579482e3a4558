package billing

import (
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func dec(s string) decimal.Decimal { return decimal.RequireFromString(s) }

func ref(s string) *decimal.Decimal {
	d := dec(s)
	return &d
}

func same(t require.TestingT, want string, got decimal.Decimal, about ...any) {
	require.True(t, dec(want).Equal(got), "want %s, got %s %v", want, got, about)
}

// exactly gives what a period's use costs, to 16 places.
func (u *UsageTerms) exactly(quantity decimal.Decimal) decimal.Decimal {
	n, d := u.fraction(quantity)
	return n.DivRound(d, exactPlaces)
}

// The steps of UsageTerms, in the order in which rating.md has them.
func TestUsageInTheOrderOfItsSteps(t *testing.T) {
	for name, c := range map[string]struct {
		terms    UsageTerms
		quantity string
		want     string
	}{
		"a price of each":                              {UsageTerms{Model: modelUnit, Price: ref("2.50")}, "10", "25"},
		"converted, rounded up, then included":         {UsageTerms{Model: modelUnit, Price: ref("10"), DivideBy: ref("1000"), Round: "up", Included: ref("0.5")}, "1400", "15"},
		"free raw units before the packages":           {UsageTerms{Model: modelPackage, Price: ref("100"), Size: ref("10"), Free: ref("10")}, "121", "1200"},
		"a started package bills":                      {UsageTerms{Model: modelPackage, Price: ref("100"), Size: ref("10")}, "121", "1300"},
		"half a package free":                          {UsageTerms{Model: modelPackage, Price: ref("100"), Size: ref("10"), Free: ref("5")}, "121", "1200"},
		"an included package":                          {UsageTerms{Model: modelPackage, Price: ref("100"), Size: ref("10"), Included: ref("1")}, "121", "1200"},
		"all of it free":                               {UsageTerms{Model: modelPackage, Price: ref("100"), Size: ref("10"), Free: ref("200")}, "121", "0"},
		"to the nearest unit":                          {UsageTerms{Model: modelUnit, Price: ref("1"), DivideBy: ref("60"), Round: "nearest"}, "90", "2"},
		"whole units only":                             {UsageTerms{Model: modelUnit, Price: ref("1"), DivideBy: ref("60"), Round: "down"}, "119", "1"},
		"at least so many where there is use":          {UsageTerms{Model: modelUnit, Price: ref("2.50"), Minimum: ref("25")}, "10", "62.5"},
		"no minimum where there is none":               {UsageTerms{Model: modelUnit, Price: ref("2.50"), Minimum: ref("25")}, "0", "0"},
		"a third of a unit divides at the end":         {UsageTerms{Model: modelUnit, Price: ref("0.015"), DivideBy: ref("3")}, "1", "0.005"},
		"tiers of converted units":                     {UsageTerms{Model: modelGraduated, DivideBy: ref("1000"), Round: "up", Tiers: []Tier{{UpTo: ref("5"), Unit: dec("1")}, {Unit: dec("0.5")}}}, "7400", "6.5"},
		"tiers of units that are not rounded":          {UsageTerms{Model: modelGraduated, DivideBy: ref("3"), Tiers: []Tier{{UpTo: ref("1"), Unit: dec("3"), Flat: dec("1")}, {Unit: dec("1.5")}}}, "4", "4.5"},
		"a share of the value beyond":                  {UsageTerms{Model: modelPercentage, Percentage: &Percentage{Percent: dec("1.3"), FreeValue: ref("400")}}, "800", "5.2"},
		"all units at the price of their tier":         {UsageTerms{Model: modelVolume, Tiers: []Tier{{UpTo: ref("15"), Unit: dec("10")}, {Unit: dec("5")}}}, "16", "80"},
		"the last tier has no end, even if it says so": {UsageTerms{Model: modelGraduated, Tiers: []Tier{{UpTo: ref("10"), Unit: dec("2")}, {UpTo: ref("20"), Unit: dec("1")}}}, "30", "40"},
		"a tier in packages, the next in larger ones":  {packs(modelGraduated), "5325", "15"},
		"all of it in the packages of its tier":        {packs(modelVolume), "101000", "101"},
		"converted before the packages of a tier":      {converted(packs(modelGraduated)), "10650", "15"},
	} {
		t.Run(name, func(t *testing.T) {
			same(t, c.want, c.terms.exactly(dec(c.quantity)))
		})
	}
}

// packs sells the first 1,000 units by the hundred, and what is beyond by the thousand.
func packs(model string) UsageTerms {
	return UsageTerms{Model: model, Tiers: []Tier{{UpTo: ref("1000"), Unit: dec("1"), Size: ref("100")}, {Unit: dec("1"), Size: ref("1000")}}}
}

func converted(u UsageTerms) UsageTerms {
	u.DivideBy = ref("2")
	return u
}

// What the spec says of undoing: volume 15 + 1 units, then without the 15: 10, not −70.
// Graduated 10 + 11, without the 10: 110.
func TestUndoneUseLeavesThePeriodAsWithoutIt(t *testing.T) {
	volume := UsageTerms{Model: modelVolume, Tiers: []Tier{{UpTo: ref("15"), Unit: dec("10")}, {Unit: dec("5")}}}
	posted := volume.exactly(dec("15")).Add(volume.exactly(dec("16")).Sub(volume.exactly(dec("15"))))
	same(t, "10", posted.Add(volume.exactly(dec("1")).Sub(volume.exactly(dec("16")))))

	graduated := UsageTerms{Model: modelGraduated, Tiers: []Tier{{UpTo: ref("10"), Unit: dec("10")}, {Unit: dec("5")}}}
	same(t, "105", graduated.exactly(dec("11")))
}

func TestAnEventsOwnPrice(t *testing.T) {
	fee := Percentage{Percent: dec("2.99"), Min: ref("1.75"), Max: ref("12")}
	free := fee
	free.FreeEvents, free.FreeValue = 3, ref("10000")
	few := Percentage{Percent: dec("1"), Fixed: dec("5"), FreeEvents: 3}
	for name, c := range map[string]struct {
		terms  Percentage
		values []string
		want   string
	}{
		"between a minimum and a maximum":        {fee, []string{"10", "80", "10000"}, "16.142"},
		"the first events, up to a value":        {free, []string{"10", "80", "10000"}, "2.691"},
		"the first events":                       {few, []string{"10", "10", "10", "10"}, "5.1"},
		"a value that ends with an event":        {Percentage{Percent: dec("1"), Fixed: dec("5"), FreeValue: ref("20")}, []string{"10", "10", "10"}, "5.1"},
		"the events end before the value does":   {Percentage{Percent: dec("1"), FreeEvents: 1, FreeValue: ref("1000")}, []string{"10", "10"}, "0.1"},
		"an event of no value costs its own fee": {Percentage{Percent: dec("1"), Fixed: dec("5")}, []string{"0"}, "5"},
	} {
		t.Run(name, func(t *testing.T) {
			var sum, before decimal.Decimal
			for i, value := range c.values {
				sum = sum.Add(c.terms.price(dec(value), decimal.NewFromInt(int64(i)), before))
				before = before.Add(dec(value))
			}
			same(t, c.want, sum)
		})
	}
}

func drawnTiers(t *rapid.T) []Tier {
	cents := func(name string) decimal.Decimal { return decimal.New(rapid.Int64Range(0, 9999).Draw(t, name), -2) }
	var tiers []Tier
	end := decimal.Zero
	for range rapid.IntRange(0, 4).Draw(t, "ends") {
		end = end.Add(decimal.New(rapid.Int64Range(1, 999).Draw(t, "length"), -1))
		to := end
		tiers = append(tiers, Tier{UpTo: &to, Unit: cents("unit"), Flat: cents("flat")})
	}
	return append(tiers, Tier{Unit: cents("last unit"), Flat: cents("last flat")})
}

func drawnUsage(t *rapid.T, model string) UsageTerms {
	maybe := func(name string, least int64) *decimal.Decimal {
		if !rapid.Bool().Draw(t, name+" given") {
			return nil
		}
		d := decimal.New(rapid.Int64Range(least, 500).Draw(t, name), -1)
		return &d
	}
	u := UsageTerms{Model: model, Free: maybe("free", 0), DivideBy: maybe("divide by", 1), Included: maybe("included", 0), Minimum: maybe("minimum", 0)}
	u.Round = rapid.SampledFrom([]string{"", "no", "up", "nearest", "down"}).Draw(t, "round")
	switch model {
	case modelGraduated, modelVolume:
		u.Tiers = drawnTiers(t)
	case modelPackage:
		u.Price, u.Size = ref("7.31"), ref("2.5")
	default:
		u.Price = ref("0.37")
	}
	return u
}

// Graduated, unit and package prices never fall as use grows; deltas of any model sum to
// the total, and undoing uses in any order comes back to nothing.
func TestPropertyUsageSumsToItsTotal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		u := drawnUsage(t, rapid.SampledFrom([]string{modelUnit, modelGraduated, modelVolume, modelPackage}).Draw(t, "model"))
		uses := rapid.SliceOfN(rapid.Int64Range(0, 9999), 1, 8).Draw(t, "uses")
		var counter, sum decimal.Decimal
		for _, use := range uses {
			after := counter.Add(decimal.New(use, -1))
			delta := u.exactly(after).Sub(u.exactly(counter))
			require.True(t, u.Model == modelVolume || !delta.IsNegative(), "%s falls by %s", u.Model, delta)
			counter, sum = after, sum.Add(delta)
		}
		require.True(t, sum.Equal(u.exactly(counter)))
		for _, i := range rapid.Permutation(indices(len(uses))).Draw(t, "undone") {
			after := counter.Sub(decimal.New(uses[i], -1))
			sum = sum.Add(u.exactly(after).Sub(u.exactly(counter)))
			counter = after
		}
		require.True(t, sum.IsZero(), "all undone leaves %s", sum)
	})
}

func indices(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}
