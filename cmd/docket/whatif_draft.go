package main

import (
	"time"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/sla"
	"github.com/docket-psa/docket/ticket"
)

// tried gives the draft as it is tried, and what to tell of that. Whoever writes next year's contract tries it on last
// quarter: a draft that begins after all that is looked at would change nothing, so it is taken to begin with it. --begins
// says another day.
func (a *app) tried(raw []byte, begins string, from, to sla.LocalDate) (draft []byte, note string, err error) {
	c, err := billing.ParseContract(raw)
	if err != nil {
		return nil, "", err
	}
	if begins == "" {
		if begins, err = a.takenToBegin(c, from, to); begins == "" || err != nil {
			return raw, "", err
		}
	} else if _, err := sla.ParseDate(begins); err != nil {
		return nil, "", ticket.Invalid("begins", begins, "is not a date", "write it like 2026-03-01")
	}
	if begins == c.EffectiveFrom {
		return raw, "", nil
	}
	note = "The draft begins on " + c.EffectiveFrom + "; here it is tried as if it began on " + begins + "."
	c.EffectiveFrom = begins
	if draft, err = billing.Canonical(c); err != nil {
		return nil, "", err
	}
	return draft, note, nil
}

// takenToBegin is the first day that is looked at, where the draft begins after the last; else nothing.
func (a *app) takenToBegin(c *billing.Contract, from, to sla.LocalDate) (string, error) {
	if to.IsZero() {
		zone, err := time.LoadLocation(c.TimeZone)
		if err != nil {
			return "", ticket.Invalid("time_zone", c.TimeZone, "is not a time zone", "use the client's IANA zone, like Europe/Amsterdam")
		}
		to = sla.DateAt(a.now(), zone).AddDays(1)
	}
	starts, err := sla.ParseDate(c.EffectiveFrom)
	switch {
	case err != nil:
		return "", ticket.Invalid("effective_from", c.EffectiveFrom, "is not a date", "write it like 2026-01-31")
	case starts.Compare(to) < 0:
		return "", nil
	case from.IsZero():
		return "", ticket.Invalid("from", "", "is missing: the draft begins on "+c.EffectiveFrom+", and nothing has closed since",
			"say from which day on it is tried, like --from "+to.AddDays(-90).String())
	}
	return from.String(), nil
}
