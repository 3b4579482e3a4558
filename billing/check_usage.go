package billing

import (
	"strconv"
	"strings"
)

// EventClosure is the event of a ticket's closing: it happens by itself, and nobody records it.
const EventClosure = "closure"

// usage checks how events are priced.
func (ck checker) usage(field string, u *UsageTerms) {
	if u == nil {
		return
	}
	if !idShape.MatchString(u.Event) {
		ck.need(field+".event", u.Event, "is not the name of an event", "use closure, or the name under which the event is recorded, like device-added")
	}
	ck.oneOf(field+".model", u.Model, modelUnit, modelGraduated, modelVolume, modelPackage, modelPercentage)
	ck.oneOf(field+".round", u.Round, "", string(roundsNot), roundUpward, roundNearest, roundDown)
	ck.quantity(field+".free", u.Free, true)
	ck.quantity(field+".divide_by", u.DivideBy, false)
	ck.quantity(field+".included", u.Included, true)
	ck.quantity(field+".minimum", u.Minimum, true)
	ck.quantity(field+".size", u.Size, false)
	ck.optionalPrice(field+".price", u.Price)
	ck.tiers(field+".tiers", u.Tiers, u.Model == modelGraduated)
	ck.percentage(field+".percentage", u.Percentage)
	ck.model(field, u)
	if strings.EqualFold(u.Event, EventClosure) && (u.Model == modelPercentage || u.ofValues()) {
		ck.add(field+".event", u.Event, "has no value to take a percentage of", "price an event that is recorded with its value, or choose another model")
	}
}

// model checks that a usage price has what its model needs, and nothing that it ignores.
func (ck checker) model(field string, u *UsageTerms) {
	const unit, graduated, volume, pack, percentage = modelUnit, modelGraduated, modelVolume, modelPackage, modelPercentage
	for _, f := range []struct {
		name string
		is   bool
		with []string
		fix  string // where the model needs it; empty: it may do without
	}{
		{"price", u.Price != nil, []string{unit, pack}, "give the price of one, like 4.00"},
		{"tiers", u.Tiers != nil, []string{graduated, volume}, "give the steps, like [{up_to: 100, unit: 2.00}, {unit: 1.50}]"},
		{"size", u.Size != nil, []string{pack}, "give the units of one package, like 1000"},
		{"percentage", u.Percentage != nil, []string{percentage}, "give the percentage of each event's value, like {percent: 2.5}"},
		{"free", u.Free != nil, []string{unit, graduated, volume, pack}, ""},
		{"divide_by", u.DivideBy != nil, []string{unit, graduated, volume, pack}, ""},
		{"round", u.Round != "", []string{unit, graduated, volume}, ""},
		{"included", u.Included != nil, []string{unit, graduated, volume, pack}, ""},
		{"minimum", u.Minimum != nil, []string{unit, graduated, volume, pack}, ""},
		{"zero_flat", u.ZeroFlat, []string{graduated, volume}, ""},
	} {
		needs := false
		for _, model := range f.with {
			needs = needs || model == u.Model
		}
		switch {
		case f.is && !needs && isModel(u.Model):
			ck.add(field+"."+f.name, "", "means nothing with model "+u.Model, "remove it, or choose the model "+either(f.with))
		case !f.is && needs && f.fix != "":
			ck.need(field+"."+f.name, "", "", f.fix)
		}
	}
}

func isModel(name string) bool {
	switch name {
	case modelUnit, modelGraduated, modelVolume, modelPackage, modelPercentage:
		return true
	}
	return false
}

// ofValues says whether the tiers price values by percentages rather than units.
func (u *UsageTerms) ofValues() bool {
	for i := range u.Tiers {
		if !u.Tiers[i].Percent.IsZero() {
			return true
		}
	}
	return false
}

// tiers checks the steps of a graduated or a volume price. Percentages price the values of
// events, step by step.
func (ck checker) tiers(field string, tiers []Tier, percents bool) {
	if len(tiers) > maxTiers {
		ck.add(field, strconv.Itoa(len(tiers)), "are too many", "give at most 100 tiers")
		return
	}
	ck.notEmpty(field, tiers != nil && len(tiers) == 0, "give the steps, like [{up_to: 100, unit: 2.00}, {unit: 1.50}]")
	units, values := -1, -1
	for i := range tiers {
		t := &tiers[i]
		at, last := nth(field, i), i == len(tiers)-1
		switch {
		case t.UpTo == nil && !last:
			ck.need(at+".up_to", "", "", "say to which unit the tier reaches; only the last one is without end")
		case t.UpTo != nil && last:
			ck.add(at+".up_to", shown(t), "ends the last tier", "add one without up_to, which says what is beyond")
		}
		ck.quantity(at+".up_to", t.UpTo, false)
		if i > 0 && t.UpTo != nil && tiers[i-1].UpTo != nil && plain(*t.UpTo) && plain(*tiers[i-1].UpTo) && !t.UpTo.GreaterThan(*tiers[i-1].UpTo) {
			ck.add(at+".up_to", t.UpTo.String(), "is not more than that of the tier before", "list the tiers from the first unit on")
		}
		ck.price(at+".unit", t.Unit)
		ck.price(at+".flat", t.Flat)
		ck.quantity(at+".size", t.Size, false)
		ck.percent(at+".percent", &t.Percent, 100)
		if !plain(t.Percent) || t.Percent.IsZero() {
			if !t.Unit.IsZero() && units < 0 {
				units = i
			}
			continue
		}
		if values < 0 {
			values = i
		}
		switch {
		case !percents:
			ck.add(at+".percent", t.Percent.String(), "means nothing here", "give unit or flat; percentages go with usage and the model graduated")
		case !t.Unit.IsZero():
			ck.add(at+".unit", t.Unit.String(), "means nothing beside percent", "keep one of the two")
		}
	}
	if units >= 0 && values >= 0 && percents {
		ck.add(nth(field, max(units, values)), "", "is not of the same kind as "+nth(field, min(units, values)), "price every tier by unit, or every one by percent")
	}
}

func shown(t *Tier) string {
	if !plain(*t.UpTo) {
		return ""
	}
	return t.UpTo.String()
}

// percentage checks a price by the value of each event.
func (ck checker) percentage(field string, p *Percentage) {
	if p == nil {
		return
	}
	ck.percent(field+".percent", &p.Percent, 100)
	if ck.problems.lines != nil && !ck.given(field+".percent") {
		ck.need(field+".percent", "", "", "give the percentage of the value, like 2.5 (0 for none)")
	}
	ck.price(field+".fixed", p.Fixed)
	ck.optionalPrice(field+".min", p.Min)
	ck.optionalPrice(field+".max", p.Max)
	if p.Min != nil && p.Max != nil && plain(*p.Min) && plain(*p.Max) && p.Min.GreaterThan(*p.Max) {
		ck.add(field+".min", p.Min.String(), "is more than max", "make min no more than max")
	}
	ck.whole(field+".free_events", p.FreeEvents, 0, maxCount)
	ck.quantity(field+".free_value", p.FreeValue, true)
}
