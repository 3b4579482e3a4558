package billing

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"
)

// daysOf gives the days of the week that a band may name.
var daysOf = map[string][]time.Weekday{
	"monday": {time.Monday}, "tuesday": {time.Tuesday}, "wednesday": {time.Wednesday}, "thursday": {time.Thursday},
	"friday": {time.Friday}, "saturday": {time.Saturday}, "sunday": {time.Sunday},
	"weekdays": {time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday},
	"weekend":  {time.Saturday, time.Sunday},
}

// dayNames are the names in the order in which people say them.
var dayNames = []string{"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "weekdays", "weekend"}

// bandNames are the bands that a contract defines, and whether they could be read at all:
// where they could not, nothing is said about what names them.
type bandNames struct {
	names   []string
	unclear bool
}

func newBandNames(ps *problems, c *Contract) bandNames {
	b := bandNames{unclear: ps.reported("bands")}
	for i := range c.Bands {
		b.names = append(b.names, c.Bands[i].Name)
	}
	return b
}

// band checks the name of a band where one is used, spelled as it is defined.
func (ck checker) band(field, name string) { ck.bandAmong(field, name, ck.bands.names) }

// bandOrStandard is band where all time outside bands may be meant too.
func (ck checker) bandOrStandard(field, name string) {
	ck.bandAmong(field, name, append(slices.Clip(ck.bands.names), standardBand))
}

func (ck checker) bandAmong(field, name string, known []string) {
	if name == "" || ck.bands.unclear || slices.Contains(known, name) {
		return
	}
	if len(ck.bands.names) == 0 {
		ck.add(field, name, "is not a band of this contract", "describe it under bands first")
		return
	}
	known = slices.DeleteFunc(slices.Clone(known), func(s string) bool { return !idShape.MatchString(s) })
	ck.add(field, name, "is not a band of this contract", "use "+either(known)+", or describe it under bands")
}

func (ck checker) bandsOf(c *Contract) {
	if len(c.Bands) > maxBands {
		ck.add("bands", strconv.Itoa(len(c.Bands)), "are too many", "a contract has at most 50 bands")
		return
	}
	seen := map[string]int{}
	for i := range c.Bands {
		b := &c.Bands[i]
		field := nth("bands", i)
		folded := strings.ToLower(b.Name)
		switch j, twice := seen[folded]; {
		case !idShape.MatchString(b.Name):
			ck.need(field+".name", b.Name, "is not a name of a band", idFix)
		case folded == standardBand:
			ck.add(field+".name", b.Name, "is the name of all time outside bands", "choose another name")
		case twice:
			ck.add(field+".name", b.Name, "is the name of "+nth("bands", j)+" too", "give every band a name of its own")
		}
		seen[folded] = i
		ck.optionalClause(field+".clause", b.Clause)
		ck.zone(field+".zone", b.Zone)
		ck.days(field, b)
		ck.hours(field, b)
		ck.holidays(field, b)
		ck.within(field+".multiplier", b.Multiplier, 100, "is not such a multiplier", "use 0 to 100; 1.5 is half as much again")
		ck.optionalPrice(field+".call_out", b.CallOut)
		if b.Multiplier == nil && b.CallOut == nil && b.Name != "" && !ck.reported(field) && !ck.uses(c, b.Name) {
			ck.add(field, "", "changes nothing", "give it a multiplier or a call_out, or name it in the rate card or in a line's match")
		}
	}
}

func (ck checker) days(field string, b *Band) {
	if b.Days == nil && b.Dates == nil {
		ck.need(field+".days", "", "", "say on which days the band applies (weekdays, weekend, monday …), or give dates")
		return
	}
	ck.notEmpty(field+".days", b.Days != nil && len(b.Days) == 0, "name days, or leave the list out and give dates")
	var seen []time.Weekday
	for i, name := range b.Days {
		at := nth(field+".days", i)
		days, known := daysOf[name]
		if !known {
			if name != "" || !ck.reported(at) {
				ck.add(at, name, "is not known", "use "+strings.Join(dayNames, ", "))
			}
			continue
		}
		if slices.ContainsFunc(days, func(d time.Weekday) bool { return slices.Contains(seen, d) }) {
			ck.add(at, name, "is there twice", "name every day once")
		}
		seen = append(seen, days...)
	}
}

// windowShape is a part of a day by the wall clock, half-open.
var windowShape = regexp.MustCompile(`^([01][0-9]|2[0-4]):([0-5][0-9])-([01][0-9]|2[0-4]):([0-5][0-9])$`)

// window reads 17:00-24:00 as minutes since midnight; false where it is no such text.
func window(text string) (from, to int, ok bool) {
	m := windowShape.FindStringSubmatch(text)
	if m == nil {
		return 0, 0, false
	}
	n := [4]int{}
	for i := range n {
		n[i], _ = strconv.Atoi(m[i+1])
	}
	return n[0]*60 + n[1], n[2]*60 + n[3], true
}

func (ck checker) hours(field string, b *Band) {
	ck.notEmpty(field+".hours", b.Hours != nil && len(b.Hours) == 0, "give hours like 17:00-24:00, or leave the list out for all of the day")
	if len(b.Hours) > 0 && len(b.Days) == 0 && !ck.reported(field+".days") {
		ck.add(field+".hours", b.Hours[0], "are of no day", "name the days; dates are meant all day long")
	}
	type part struct{ from, to int }
	var seen []part
	for i, text := range b.Hours {
		at := nth(field+".hours", i)
		from, to, ok := window(text)
		switch {
		case text == "" && ck.reported(at):
		case !ok || to > 24*60 || from >= 24*60:
			ck.add(at, text, "is not a part of a day", "write it like 17:00-24:00, by the wall clock; the end is the first minute that is no longer meant")
		case from == to:
			ck.add(at, text, "is empty", "all of the day is 00:00-24:00")
		case from > to:
			ck.add(at, text, "ends before it begins", "for a night write "+text[:5]+"-24:00 and 00:00-"+text[6:]+" as two")
		case slices.ContainsFunc(seen, func(p part) bool { return from < p.to && p.from < to }):
			ck.add(at, text, "overlaps with other hours of the band", "join them")
		default:
			seen = append(seen, part{from, to})
		}
	}
}

func (ck checker) holidays(field string, b *Band) {
	dates := ck.datesOf(field+".dates", b.Dates)
	except := ck.datesOf(field+".except", b.Except)
	for i, day := range b.Except {
		if except[day] && dates[day] {
			ck.add(nth(field+".except", i), day, "is one of dates too", "keep it in one of the two")
		}
	}
}

// datesOf checks a list of dates, and gives those that are.
func (ck checker) datesOf(field string, values []string) map[string]bool {
	if len(values) > maxDates {
		ck.add(field, strconv.Itoa(len(values)), "are too many", "list at most 500, those of some years")
		return nil
	}
	ck.notEmpty(field, values != nil && len(values) == 0, "give dates like 2026-12-25, or leave the list out")
	dates := make(map[string]bool, len(values))
	for i, value := range values {
		at := nth(field, i)
		if dates[value] {
			ck.add(at, value, "is there twice", "keep one of them")
		}
		if !ck.date(at, value).IsZero() {
			dates[value] = true
		}
	}
	return dates
}

// uses says whether anything but the band itself speaks of it.
func (ck checker) uses(c *Contract, band string) bool {
	if ck.reported("rates") || ck.reported("lines") || ck.reported("time") || c.Time.Unstarted == band {
		return true
	}
	if slices.ContainsFunc(c.Rates, func(r Rate) bool { return r.Band == band }) {
		return true
	}
	return slices.ContainsFunc(c.Lines, func(l Line) bool {
		return slices.Contains(l.Match.Bands, band) || (l.Except != nil && slices.Contains(l.Except.Bands, band))
	})
}

func (ck checker) premium(c *Contract) {
	p := c.Premium
	if p == nil {
		return
	}
	ck.oneOf("premium.several", p.Several, "", premiumHighest, premiumAdd)
	ck.oneOf("premium.on", p.On, "", onRate, onMinutes)
	weighs := func(b Band) bool { return b.Multiplier != nil && !b.Multiplier.Equal(decimal.NewFromInt(1)) }
	if !slices.ContainsFunc(c.Bands, weighs) && !ck.bands.unclear && !ck.reported("premium") && !ck.reported("bands") {
		ck.add("premium", "", "means nothing without a band that has a multiplier", "give a band a multiplier, or leave premium out")
	}
}
