package sla

import (
	"errors"
	"fmt"
	"time"
)

// Calendar says when a desk works: weekly hours by the wall clock of a zone, less its holidays. A client may have
// several, for example one for each priority.
type Calendar struct {
	// Zone is an IANA name, such as Europe/Berlin.
	Zone string `json:"zone" yaml:"zone"`
	// Hours are the windows in which business time passes.
	Hours Week `json:"hours" yaml:"hours"`
	// Holidays close the calendar: the whole day, or the windows they name.
	Holidays []Holiday `json:"holidays,omitempty" yaml:"holidays,omitempty"`
	// Recurring close it in every year.
	Recurring []Recurring `json:"recurring,omitempty" yaml:"recurring,omitempty"`
}

// AlwaysOpen is the calendar of a desk that never closes, 24 hours on 7 days.
func AlwaysOpen(zone string) Calendar {
	return Calendar{Zone: zone, Hours: EveryDay(WholeDay)}
}

// Validate joins all errors of the calendar: an unknown zone, hours that are empty, overlap or run backwards, holidays
// that are no dates or are there twice, and a week without hours, in which nothing would ever be due.
func (c Calendar) Validate() error {
	_, err := c.Open()
	return err
}

// Open checks the calendar and loads its zone, for many questions to the same calendar.
func (c Calendar) Open() (*Schedule, error) {
	zone, err := Zone(c.Zone)
	errs := []error{err}
	if err := c.Hours.Validate(); err != nil {
		errs = append(errs, fmt.Errorf("hours: %w", err))
	}
	if c.Hours.Empty() {
		errs = append(errs, errors.New("hours: the calendar has none, so nothing would ever be due; give at least one window"))
	}
	errs = append(errs, validateHolidays("holidays", c.Holidays))
	recurring, err := openRecurring("recurring", c.Recurring)
	errs = append(errs, err)
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("calendar: %w", err)
	}
	s := &Schedule{zone: zone, closed: make(map[LocalDate][]Window, len(c.Holidays)), yearly: recurring}
	for day := range s.week {
		s.week[day] = sorted(c.Hours.On(time.Weekday(day)))
	}
	for _, h := range c.Holidays {
		s.closed[h.Date] = h.Hours()
	}
	return s, nil
}

// AfterHours is the band of all time outside the calendar's hours, its holidays included, those of every year, too.
func (c Calendar) AfterHours(name string) Band {
	return Band{Name: name, Zone: c.Zone, Hours: c.Hours.Outside(), Also: c.Holidays, Recurring: c.Recurring}
}

// Add returns the deadline after d of business time; see Schedule.Add.
func (c Calendar) Add(start time.Time, d time.Duration) (time.Time, error) {
	s, err := c.Open()
	if err != nil {
		return time.Time{}, err
	}
	return s.Add(start, d)
}

// Between returns the business time from a to b; see Schedule.Between.
func (c Calendar) Between(a, b time.Time) (time.Duration, error) {
	s, err := c.Open()
	if err != nil {
		return 0, err
	}
	return s.Between(a, b)
}
