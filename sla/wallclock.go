package sla

import (
	"errors"
	"fmt"
	"time"
)

// instant returns the first instant, in UTC, at which the zone's wall clock shows the minute of the date or later.
// That one definition gives both rules: an edge in a gap is the first instant after it, an edge in a repeated hour is
// its first occurrence; and it never decreases as the wall clock advances, so windows that do not overlap on the wall
// do not overlap in time. time.Date promises neither.
func instant(d LocalDate, minute int, zone *time.Location) time.Time {
	wall := time.Date(d.Year, d.Month, d.Day, 0, minute, 0, 0, time.UTC)
	// No offset reaches a day, so the wall clock shows an earlier time than wall here, and at any instant before.
	t := wall.Add(-24 * time.Hour).In(zone)
	for {
		_, offset := t.Zone()
		end := zoneEnd(t)
		shown := wall.Add(-time.Duration(offset) * time.Second)
		if end.IsZero() || shown.Before(end) {
			if shown.Before(t) {
				return t.UTC()
			}
			return shown
		}
		t = end.In(zone)
	}
}

// zoneEnd returns when the offset that holds at t ends, or zero if it never does. Beyond the zone's last listed change the
// standard library ends an offset with each year, and after 365 days even in a leap year: on 31 December 2040 it
// reports an end that has passed. There the year's end is meant.
func zoneEnd(t time.Time) time.Time {
	_, end := t.ZoneBounds()
	if !end.IsZero() && !end.After(t) {
		return time.Date(t.UTC().Year()+1, time.January, 1, 0, 0, 0, 0, time.UTC)
	}
	return end
}

// maxYears bounds every search and every span, so that absurd input costs milliseconds.
const maxYears = 40

// ErrTooFar means that an answer lies, or a span reaches, more than 40 years away, or outside the years 1 to 9999.
var ErrTooFar = errors.New("more than 40 years away")

// checkInstant refuses instants that RFC 3339 cannot write in every zone.
func checkInstant(field string, t time.Time) error {
	if y := t.UTC().Year(); y < 1 || y > 9999 {
		return fmt.Errorf("%s: the year %d is not between 1 and 9999: %w", field, y, ErrTooFar)
	}
	return nil
}

// checkSpan refuses a span that ends before it starts, or that is too long to walk through day by day.
func checkSpan(from, to time.Time) error {
	if err := errors.Join(checkInstant("from", from), checkInstant("to", to)); err != nil {
		return err
	}
	if to.Before(from) {
		return fmt.Errorf("span from %s to %s: it ends before it starts", rfc3339(from), rfc3339(to))
	}
	if to.After(from.UTC().AddDate(maxYears, 0, 0)) {
		return fmt.Errorf("span from %s to %s: %w", rfc3339(from), rfc3339(to), ErrTooFar)
	}
	return nil
}

func rfc3339(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }
