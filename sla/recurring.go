package sla

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Recurring is a holiday of every year. Its rule is one of
//
//	12-25                       the same day of a month; 02-29 in leap years only
//	4th thursday of november    the nth weekday of a month, 1st to 4th, or the last
//	easter-2, easter, easter+1  days before or after Easter Sunday of the Gregorian calendar
type Recurring struct {
	Every   string   `json:"every"`
	Name    string   `json:"name,omitempty"`
	Windows []Window `json:"windows,omitempty"` // the part of the day that is meant; the whole day by default
}

// rule gives the date of a recurring holiday in a year; false where the year has none.
type rule func(year int) (LocalDate, bool)

const everyShape = "write 12-25, 4th thursday of november, last monday of may, or easter-2"

var (
	monthDay = regexp.MustCompile(`^(\d\d)-(\d\d)$`)
	nthDay   = regexp.MustCompile(`^(1st|2nd|3rd|4th|last) ([a-z]+) of ([a-z]+)$`)
	easterBy = regexp.MustCompile(`^easter([+-]\d{1,3})?$`)
)

// parseEvery reads a rule. It refuses a day that no year has, such as 02-30.
func parseEvery(every string) (rule, error) {
	if m := monthDay.FindStringSubmatch(every); m != nil {
		month, _ := strconv.Atoi(m[1])
		day, _ := strconv.Atoi(m[2])
		return fixed(time.Month(month), day)
	}
	if m := nthDay.FindStringSubmatch(every); m != nil {
		weekday, known := weekdays[m[2]]
		month, named := months[m[3]]
		if !known || !named {
			return nil, fmt.Errorf("every %q: names no weekday or no month; %s", shorten(every), everyShape)
		}
		return nthWeekday(m[1], weekday, month), nil
	}
	if m := easterBy.FindStringSubmatch(every); m != nil {
		days, _ := strconv.Atoi(strings.TrimPrefix(m[1], "+"))
		return func(year int) (LocalDate, bool) { return easter(year).AddDays(days), true }, nil
	}
	return nil, fmt.Errorf("every %q: it is no rule; %s", shorten(every), everyShape)
}

func fixed(month time.Month, day int) (rule, error) {
	const leap = 2024
	if (LocalDate{leap, month, day}).Validate() != nil {
		return nil, fmt.Errorf("every %02d-%02d: no year has that day; write the month and a day of it, like 12-25", int(month), day)
	}
	return func(year int) (LocalDate, bool) {
		d := LocalDate{year, month, day}
		return d, d.Validate() == nil
	}, nil
}

func nthWeekday(nth string, weekday time.Weekday, month time.Month) rule {
	return func(year int) (LocalDate, bool) {
		first := LocalDate{year, month, 1}
		first = first.AddDays((int(weekday-first.Weekday()) + 7) % 7)
		if nth != "last" {
			return first.AddDays(7 * int(nth[0]-'1')), true
		}
		last := first.AddDays(28)
		if last.Month != month {
			last = first.AddDays(21)
		}
		return last, true
	}
}

// easter is Easter Sunday by the anonymous Gregorian computus (Nature, 20 April 1876).
func easter(year int) LocalDate {
	a, b, c := year%19, year/100, year%100
	h := (19*a + b - b/4 - (b-(b+8)/25+1)/3 + 15) % 30
	l := (32 + 2*(b%4) + 2*(c/4) - h - c%4) % 7
	m := (a + 11*h + 22*l) / 451
	n := h + l - 7*m + 114
	return LocalDate{year, time.Month(n / 31), n%31 + 1}
}

var weekdays, months = func() (map[string]time.Weekday, map[string]time.Month) {
	days, of := map[string]time.Weekday{}, map[string]time.Month{}
	for d := time.Sunday; d <= time.Saturday; d++ {
		days[strings.ToLower(d.String())] = d
	}
	for m := time.January; m <= time.December; m++ {
		of[strings.ToLower(m.String())] = m
	}
	return days, of
}()

// yearly are the recurring holidays of a calendar, ready to be asked.
type yearly []struct {
	rule    rule
	windows []Window
}

func openRecurring(field string, holidays []Recurring) (yearly, error) {
	var (
		errs []error
		all  yearly
		seen = map[string]bool{}
	)
	for _, h := range holidays {
		r, err := parseEvery(h.Every)
		if err := errors.Join(err, validateWindows(h.Windows)); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", field, err))
			continue
		}
		if seen[h.Every] {
			errs = append(errs, fmt.Errorf("%s: every %s is there twice; keep one, with all its windows", field, h.Every))
		}
		seen[h.Every] = true
		all = append(all, struct {
			rule    rule
			windows []Window
		}{r, Holiday{Windows: h.Windows}.Hours()})
	}
	return all, errors.Join(errs...)
}

// on gives what is closed on the date. A rule that leads out of its year, as easter-100 may, holds for the date it leads to.
func (y yearly) on(d LocalDate) (closed [][]Window) {
	for _, h := range y {
		for year := d.Year - 1; year <= d.Year+1; year++ {
			if at, ok := h.rule(year); ok && at == d {
				closed = append(closed, h.windows)
			}
		}
	}
	return closed
}
