package billing

import "slices"

// The settings of what posts with the period.
const (
	whenAdvance     = "advance"
	whenArrears     = "arrears"
	prorateDays     = "days"
	prorateNo       = "no"
	takeSnapshot    = "snapshot"
	takePeak        = "peak"
	takeAverage     = "average"
	fewerNo         = "no"
	fewerCredit     = "credit"
	fewerAtRenewal  = "at-renewal"
	deferNo         = "no"
	deferStraight   = "straight-line"
	deferAsUsed     = "as-used"
	fallbackFeesFix = "put what is billed every period into a contract of its own: a fallback contract governs only while no other is in force"
)

// fee checks what a line bills for the period, whatever work there is.
func (ck checker) fee(field string, l *Line, c *Contract) {
	if !slices.Contains(periodCharges, l.Charge) {
		return
	}
	ck.oneOf(field+".when", l.When, "", whenAdvance, whenArrears)
	ck.oneOf(field+".prorate", l.Prorate, "", prorateDays, prorateNo)
	if c.Fallback {
		ck.add(field+".charge", l.Charge, "has no place in a fallback contract", fallbackFeesFix)
	}
	if l.Price != nil || slices.Contains(feeCharges, l.Charge) || ck.reported(field+".price") {
		return
	}
	for _, f := range []struct{ name, value string }{{"when", l.When}, {"prorate", l.Prorate}} {
		if f.value != "" {
			ck.add(field+"."+f.name, f.value, "means nothing without a price", "give the price of a period, or remove it")
		}
	}
}

// counted checks a price per device or seat.
func (ck checker) counted(field string, l *Line, c *Contract) {
	n := l.Count
	switch {
	case l.Price == nil && (n == nil || n.Tiers == nil):
		ck.need(field+".price", "", "", "give the price of one for a period, like 9.50, or count.tiers")
	case l.Price != nil && n != nil && n.Tiers != nil:
		ck.add(field+".price", l.Price.String(), "means nothing beside count.tiers", "keep one of the two")
	}
	at := field + ".count"
	if n == nil {
		if l.Charge == chargePerDevice {
			ck.need(at, "", "", "say which kind of device is counted, like {of: workstation}")
		}
		return
	}
	ck.optionalID(at+".of", n.Of)
	ck.oneOf(at+".take", n.Take, "", takeSnapshot, takePeak, takeAverage)
	ck.whole(at+".floor", n.Floor, 0, maxCount)
	ck.whole(at+".fixed", n.Fixed, 1, maxCount)
	ck.whole(at+".included", n.Included, 0, maxCount)
	ck.oneOf(at+".fewer", n.Fewer, "", fewerNo, fewerCredit, fewerAtRenewal)
	ck.oneOf(at+".model", n.Model, "", modelGraduated, modelVolume)
	if n.Model != "" && n.Tiers == nil && !ck.reported(at) {
		ck.add(at+".model", n.Model, "means nothing without tiers", "give tiers, or leave model out")
	}
	ck.tiers(at+".tiers", n.Tiers, false)

	if n.Fixed != 0 {
		for _, f := range []struct {
			name string
			is   bool
		}{{"of", n.Of != ""}, {"take", n.Take != ""}, {"floor", n.Floor != 0}, {"fewer", n.Fewer != ""}} {
			if f.is {
				ck.add(at+"."+f.name, "", "means nothing beside fixed", "keep one of the two: a fixed number is not counted")
			}
		}
		return
	}
	if l.Charge == chargePerDevice && n.Of == "" {
		ck.need(at+".of", "", "", "say which kind of device is counted, like workstation, or how many are billed by fixed")
	}
	if n.Fewer != "" && n.Fewer != fewerAtRenewal && l.When == whenArrears {
		ck.add(at+".fewer", n.Fewer, "means nothing with when: arrears", "remove it: what is billed afterwards needs no correction")
	}
	if n.Fewer == fewerAtRenewal && (c.Term == nil || c.Term.Months == 0) && !ck.reported("term") {
		ck.add(at+".fewer", n.Fewer, "means nothing without a term", "set term.months, or choose no or credit")
	}
}

func (ck checker) accounting(field string, a *Accounting) {
	if a == nil {
		return
	}
	ck.oneOf(field+".defer", a.Defer, "", deferNo, deferStraight, deferAsUsed)
	if *a == (Accounting{}) && !ck.reported(field) {
		ck.add(field, "", "says nothing", "set account, item or defer, or leave accounting out")
	}
}
