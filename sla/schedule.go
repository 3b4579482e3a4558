package sla

import (
	"fmt"
	"iter"
	"time"
)

// Schedule is a checked calendar with its zone loaded. It never changes, so it may be shared.
type Schedule struct {
	zone   *time.Location
	week   [7][]Window
	closed map[LocalDate][]Window
	yearly yearly
}

// Add returns the first instant, in UTC, by which d of business time has passed since start; start itself if d is 0.
// A deadline that ends with a working day is that day's closing time, not the next opening.
// It refuses a negative d, and returns ErrTooFar if d does not fit into the 40 years after start.
func (s *Schedule) Add(start time.Time, d time.Duration) (time.Time, error) {
	if d < 0 {
		return time.Time{}, fmt.Errorf("business time %s: it is negative; a deadline cannot lie before its start", d)
	}
	if err := checkInstant("start", start); err != nil {
		return time.Time{}, err
	}
	if d == 0 {
		return start.UTC(), nil
	}
	left := d
	for open := range s.spans(start, start.UTC().AddDate(maxYears, 0, 0)) {
		if passed := open.to.Sub(open.from); passed < left {
			left -= passed
			continue
		}
		due := open.from.Add(left)
		if err := checkInstant("deadline", due); err != nil {
			return time.Time{}, err
		}
		return due, nil
	}
	return time.Time{}, fmt.Errorf("no %s of business time after %s, with these hours and holidays: %w", d, rfc3339(start), ErrTooFar)
}

// Between returns the business time from a to b. It refuses a b before a, and returns ErrTooFar for more than 40 years.
func (s *Schedule) Between(a, b time.Time) (time.Duration, error) {
	if err := checkSpan(a, b); err != nil {
		return 0, fmt.Errorf("business time: %w", err)
	}
	var sum time.Duration
	for open := range s.spans(a, b) {
		sum += open.to.Sub(open.from)
	}
	return sum, nil
}

// spans yields the open spans within [from, to), in order, cut to it.
func (s *Schedule) spans(from, to time.Time) iter.Seq[span] {
	return spansOf(s.windowsOn, s.zone, from, to)
}

func (s *Schedule) windowsOn(d LocalDate) []Window {
	open := s.week[d.Weekday()]
	if len(open) == 0 {
		return nil
	}
	if closed, ok := s.closed[d]; ok {
		open = subtract(open, closed)
	}
	for _, closed := range s.yearly.on(d) {
		open = subtract(open, closed)
	}
	return open
}

// span is a half-open, non-empty stretch of UTC time.
type span struct{ from, to time.Time }

// spansOf turns each day's windows into the instants of the zone within [from, to), in order.
func spansOf(windowsOn func(LocalDate) []Window, zone *time.Location, from, to time.Time) iter.Seq[span] {
	from, to = from.UTC(), to.UTC()
	return func(yield func(span) bool) {
		for day := dateOf(from.In(zone)); day.StartIn(zone).Before(to); day = day.AddDays(1) {
			for _, w := range windowsOn(day) {
				open := span{later(from, instant(day, w.From, zone)), earlier(to, instant(day, w.To, zone))}
				if open.from.Before(open.to) && !yield(open) {
					return
				}
			}
		}
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
