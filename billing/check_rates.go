package billing

import (
	"slices"
	"strconv"
	"strings"
)

func (ck checker) rates(c *Contract) {
	rates := c.Rates
	if len(rates) > maxRates {
		ck.add("rates", strconv.Itoa(len(rates)), "are too many", "a rate card has at most 1000 rows")
		return
	}
	type key struct{ role, workType, actor, band string }
	seen := map[key]int{}
	for i, r := range rates {
		field := nth("rates", i)
		ck.oneOf(field+".actor", r.Actor, "", kindHuman, kindAI)
		ck.optionalClause(field+".clause", r.Clause)
		if r.Band == standardBand {
			ck.add(field+".band", r.Band, "is no band", "leave it out: a row without a band is the rate outside all of them")
		} else {
			ck.band(field+".band", r.Band)
		}
		ck.price(field+".hourly", r.Hourly)
		if ck.problems.lines != nil && !ck.given(field+".hourly") {
			ck.need(field+".hourly", "", "", "give the price of an hour, like 150.00 (0 for free)")
		}
		ck.weight(field+".weight", r, c)
		k := key{strings.ToLower(r.WorkRole), strings.ToLower(r.WorkType), r.Actor, r.Band}
		if r.Actor == kindHuman {
			k.actor = ""
		}
		if j, twice := seen[k]; twice {
			ck.add(field, "", "speaks of the same work as "+nth("rates", j), "keep one of the two rows")
		}
		seen[k] = i
	}
}

// weight checks what a minute of the work counts where it is drawn from hours that are paid for.
func (ck checker) weight(field string, r Rate, c *Contract) {
	if r.Weight == nil {
		return
	}
	ck.within(field, r.Weight, 100, "is not such a weight", "use 0 to 100; 1.5 takes an hour and a half of a block for an hour of the work")
	draws := func(l Line) bool { return l.Charge == "" || l.Charge == chargeBlock || l.Charge == chargeBucket }
	if !slices.ContainsFunc(c.Lines, draws) && !ck.reported("lines") {
		ck.add(field, "", "means nothing without a line that draws hours", "add a line with charge block or bucket, or leave weight out")
	}
}
