package billing

import (
	"time"
)

// cycle divides the calendar into billing periods: of so many months, each beginning on the anchor's
// day of the month, counted from the month in which a year's first one begins.
type cycle struct {
	months int
	anchor int // day, 1 … 28: every month has it
	first  int // month, 1 … 12
}

var calendarMonths = cycle{months: 1, anchor: 1, first: 1}

// The billing periods, in months.
var periodMonths = map[string]int{"": 1, "monthly": 1, "quarterly": 3, "semiannual": 6, "yearly": 12}

func compileCycle(b *Billing) cycle {
	if b == nil {
		return calendarMonths
	}
	c := cycle{months: periodMonths[b.Period], anchor: max(b.Anchor, 1), first: max(b.FirstMonth, 1)}
	if c.months == 1 {
		c.first = 1
	}
	return c
}

// period gives the period that a local date lies in. The date is YYYY-MM-DD in shape.
func (c cycle) period(date string) Period {
	day, err := time.Parse(time.DateOnly, date)
	if err != nil { // a date in shape only, such as 2026-02-31: it is counted in the month it names
		return Period{Start: monthOf(date) + "-01", End: monthOf(date) + "-32"}
	}
	months := day.Year()*12 + int(day.Month()) - 1
	if day.Day() < c.anchor {
		months--
	}
	// Whole periods since the first month of year 0; the remainder is never negative.
	into := ((months-(c.first-1))%c.months + c.months) % c.months
	start := time.Date(0, time.Month(months-into+1), c.anchor, 0, 0, 0, 0, time.UTC)
	return Period{Start: start.Format(time.DateOnly), End: start.AddDate(0, c.months, 0).Format(time.DateOnly)}
}

// PeriodOf gives the billing period of the terms that a local date lies in.
func (t *Terms) PeriodOf(date string) Period { return t.cycle.period(date) }

// periodKey names the billing period of a date in counters and keys: its month, where it is one.
func (t *Terms) periodKey(date string) string {
	if t.cycle == calendarMonths {
		return monthOf(date)
	}
	return t.cycle.period(date).Start
}

// bills is the invoice's period of a date, where it is not the calendar month.
func (t *Terms) bills(date string) *Period {
	if t.cycle == calendarMonths {
		return nil
	}
	p := t.cycle.period(date)
	return &p
}

// Days is how many days the period has.
func (p Period) Days() int { return daysBetween(p.Start, p.End) }

// Contains says whether a local date lies in the period.
func (p Period) Contains(date string) bool { return p.Start <= date && date < p.End }

// String tells the period by its first and its last day.
func (p Period) String() string {
	last, err := time.Parse(time.DateOnly, p.End)
	if err != nil {
		return p.Start + " to before " + p.End
	}
	return p.Start + " to " + last.AddDate(0, 0, -1).Format(time.DateOnly)
}

// daysBetween counts the days from one local date to another, exclusive; 0 where one is no date.
func daysBetween(from, to string) int {
	a, errA := time.Parse(time.DateOnly, from)
	b, errB := time.Parse(time.DateOnly, to)
	if errA != nil || errB != nil {
		return 0
	}
	return int(b.Sub(a) / (24 * time.Hour))
}
