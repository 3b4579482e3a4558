package sla

import (
	"cmp"
	"fmt"
	"time"
)

// LocalDate is a day on the calendar of some zone, such as the first day of a billing period. It has no zone of its
// own: StartIn gives the instant at which it begins somewhere. Its text form is 2006-01-02.
type LocalDate struct {
	Year  int
	Month time.Month
	Day   int
}

// ParseDate reads a date as 2006-01-02.
func ParseDate(s string) (LocalDate, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return LocalDate{}, fmt.Errorf("date %q: write it as YYYY-MM-DD, for example 2026-03-31", shorten(s))
	}
	return dateOf(t), nil
}

// DateAt returns the local date that contains the instant. A day runs from its first midnight to the first midnight of
// the next, so where clocks go back across midnight the repeated minutes belong to the later day.
func DateAt(t time.Time, zone *time.Location) LocalDate {
	d := dateOf(t.In(zone))
	for next := d.AddDays(1); !next.StartIn(zone).After(t); next = next.AddDays(1) {
		d = next
	}
	return d
}

func dateOf(t time.Time) LocalDate {
	y, m, d := t.Date()
	return LocalDate{y, m, d}
}

// Validate refuses a day that no calendar has (30 February), and years outside 1 to 9999, which have no text form.
func (d LocalDate) Validate() error {
	if d.Year < 1 || d.Year > 9999 || d.midnightUTC().Day() != d.Day || d.midnightUTC().Month() != d.Month {
		return fmt.Errorf("date %s: no such day between the years 1 and 9999", d)
	}
	return nil
}

// AddDays returns the date n days later; earlier if n is negative.
func (d LocalDate) AddDays(n int) LocalDate {
	return dateOf(time.Date(d.Year, d.Month, d.Day+n, 0, 0, 0, 0, time.UTC))
}

// addMonths returns the date n months later, on the last day of a month that is too short.
func (d LocalDate) addMonths(n int) LocalDate {
	first := time.Date(d.Year, d.Month+time.Month(n), 1, 0, 0, 0, 0, time.UTC)
	last := first.AddDate(0, 1, -1).Day()
	return LocalDate{first.Year(), first.Month(), min(d.Day, last)}
}

// DaysUntil counts the days from d to other; negative if other is earlier.
func (d LocalDate) DaysUntil(other LocalDate) int {
	return int((other.midnightUTC().Unix() - d.midnightUTC().Unix()) / (24 * 60 * 60))
}

// Compare returns -1, 0 or 1 as d is before, the same as, or after other.
func (d LocalDate) Compare(other LocalDate) int {
	return cmp.Or(cmp.Compare(d.Year, other.Year), cmp.Compare(d.Month, other.Month), cmp.Compare(d.Day, other.Day))
}

// Weekday returns the day of the week.
func (d LocalDate) Weekday() time.Weekday { return d.midnightUTC().Weekday() }

// IsZero reports whether the date was never set.
func (d LocalDate) IsZero() bool { return d == LocalDate{} }

// StartIn returns the instant, in UTC, at which the day begins in the zone: midnight, or the first instant after a gap
// that swallows midnight. A day that the zone skipped altogether begins when the next one does.
func (d LocalDate) StartIn(zone *time.Location) time.Time { return instant(d, 0, zone) }

// String returns the date as 2006-01-02.
func (d LocalDate) String() string { return fmt.Sprintf("%04d-%02d-%02d", d.Year, int(d.Month), d.Day) }

// MarshalText writes 2006-01-02, and refuses what ParseDate would not read.
func (d LocalDate) MarshalText() ([]byte, error) {
	if err := d.Validate(); err != nil {
		return nil, err
	}
	return []byte(d.String()), nil
}

// UnmarshalText reads 2006-01-02.
func (d *LocalDate) UnmarshalText(text []byte) error {
	parsed, err := ParseDate(string(text))
	if err != nil {
		return err
	}
	if err := parsed.Validate(); err != nil {
		return err
	}
	*d = parsed
	return nil
}

func (d LocalDate) midnightUTC() time.Time {
	return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC)
}

// shorten keeps an error readable whatever was typed.
func shorten(s string) string {
	const most = 40
	if len(s) <= most {
		return s
	}
	return s[:most] + "…"
}
