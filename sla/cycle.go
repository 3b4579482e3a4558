package sla

import (
	"fmt"
	"time"
)

// Period is a half-open range of local dates: Start is in it, End is the first date of the next.
type Period struct {
	Start LocalDate `json:"start" yaml:"start"`
	End   LocalDate `json:"end" yaml:"end"`
}

// Days is the length of the period in calendar days, the denominator of proration.
func (p Period) Days() int { return p.Start.DaysUntil(p.End) }

// Contains reports whether the date is in the period.
func (p Period) Contains(d LocalDate) bool {
	return p.Start.Compare(d) <= 0 && d.Compare(p.End) < 0
}

// In returns the instants, in UTC, at which the period begins and ends in the zone.
func (p Period) In(zone *time.Location) (from, to time.Time) {
	return p.Start.StartIn(zone), p.End.StartIn(zone)
}

// Cycle divides the calendar into billing periods. The zero anchor stands for 1 January, and for Monday in weeks.
type Cycle struct {
	// Every is weekly, monthly, quarterly, semiannual or yearly.
	Every string `json:"every" yaml:"every"`
	// Anchor is the first day of any one period, earlier or later than those asked for. A month too short for its day
	// starts its period on the month's last day, and the next month starts on the anchor's day again.
	Anchor LocalDate `json:"anchor,omitzero" yaml:"anchor,omitempty"`
}

// Monthly is the cycle of periods that begin on a day of each month, 1 to 31.
func Monthly(day int) Cycle {
	return Cycle{Every: "monthly", Anchor: LocalDate{2000, time.January, day}}
}

// months says how many a period has; weekly periods have none.
func (c Cycle) months() (int, error) {
	switch c.Every {
	case "weekly":
		return 0, nil
	case "monthly":
		return 1, nil
	case "quarterly":
		return 3, nil
	case "semiannual":
		return 6, nil
	case "yearly":
		return 12, nil
	}
	return 0, fmt.Errorf("billing cycle %q: write weekly, monthly, quarterly, semiannual or yearly", shorten(c.Every))
}

// Validate refuses an unknown cycle and an anchor that is no date.
func (c Cycle) Validate() error {
	if _, err := c.months(); err != nil {
		return err
	}
	if c.Anchor.IsZero() {
		return nil
	}
	if err := c.Anchor.Validate(); err != nil {
		return fmt.Errorf("billing cycle: anchor: %w", err)
	}
	return nil
}

// Period returns the billing period that contains the date.
func (c Cycle) Period(on LocalDate) (Period, error) {
	if err := c.Validate(); err != nil {
		return Period{}, err
	}
	if err := on.Validate(); err != nil {
		return Period{}, fmt.Errorf("billing period: %w", err)
	}
	months, err := c.months()
	if err != nil {
		return Period{}, err
	}
	p := c.weekOf(on)
	if months > 0 {
		p = c.monthsOf(on, months)
	}
	for _, d := range []LocalDate{p.Start, p.End} {
		if err := d.Validate(); err != nil {
			return Period{}, fmt.Errorf("billing period that contains %s: %w", on, err)
		}
	}
	return p, nil
}

func (c Cycle) anchor() LocalDate {
	if c.Anchor.IsZero() {
		return LocalDate{2001, time.January, 1} // the start of a quarter, and a Monday
	}
	return c.Anchor
}

func (c Cycle) weekOf(on LocalDate) Period {
	anchor := c.anchor()
	into := anchor.DaysUntil(on) % 7
	if into < 0 {
		into += 7
	}
	start := on.AddDays(-into)
	return Period{start, start.AddDays(7)}
}

// monthsOf always counts from the anchor, so that a short month does not shift the ones after it.
func (c Cycle) monthsOf(on LocalDate, months int) Period {
	anchor := c.anchor()
	k := ((on.Year-anchor.Year)*12 + int(on.Month-anchor.Month)) / months
	for anchor.addMonths(k*months).Compare(on) > 0 {
		k--
	}
	for anchor.addMonths((k+1)*months).Compare(on) <= 0 {
		k++
	}
	return Period{anchor.addMonths(k * months), anchor.addMonths((k + 1) * months)}
}
