package sla

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"
)

const minutesPerDay = 24 * 60

// Window is a part of a day by the wall clock, half-open, in minutes since midnight: 08:00 is in 08:00-17:00, 17:00 is
// not. Its text form is 08:00-17:00; a whole day is 00:00-24:00.
type Window struct {
	From int
	To   int
}

// WholeDay is the window from midnight to midnight.
var WholeDay = Window{0, minutesPerDay}

// Validate refuses a window that is empty, runs backwards, or leaves its day.
func (w Window) Validate() error {
	switch {
	case w.From < 0 || w.To > minutesPerDay || w.From > minutesPerDay || w.To < 0:
		return fmt.Errorf("window %s: stay between 00:00 and 24:00", w)
	case w.From == w.To:
		return fmt.Errorf("window %s: it is empty; a whole day is 00:00-24:00", w)
	case w.From > w.To:
		return fmt.Errorf("window %s: it ends before it starts; for a night write 00:00-%s, and %s-24:00 on the day before",
			w, hhmm(w.To), hhmm(w.From))
	}
	return nil
}

// String returns the window as 08:00-17:00.
func (w Window) String() string { return hhmm(w.From) + "-" + hhmm(w.To) }

// MarshalText writes 08:00-17:00.
func (w Window) MarshalText() ([]byte, error) { return []byte(w.String()), nil }

// UnmarshalText reads 08:00-17:00. It refuses what is not two times; Validate judges the times.
func (w *Window) UnmarshalText(text []byte) error {
	var digits [8]int
	shape := "00:00-00:00"
	bad := fmt.Errorf("window %q: write it as HH:MM-HH:MM, for example 08:00-17:00", shorten(string(text)))
	if len(text) != len(shape) {
		return bad
	}
	n := 0
	for i, c := range text {
		switch {
		case shape[i] != '0':
			if c != shape[i] {
				return bad
			}
		case c < '0' || c > '9':
			return bad
		default:
			digits[n] = int(c - '0')
			n++
		}
	}
	if digits[2] > 5 || digits[6] > 5 {
		return bad
	}
	*w = Window{
		From: (digits[0]*10+digits[1])*60 + digits[2]*10 + digits[3],
		To:   (digits[4]*10+digits[5])*60 + digits[6]*10 + digits[7],
	}
	return nil
}

func hhmm(minute int) string { return fmt.Sprintf("%02d:%02d", minute/60, minute%60) }

// Week holds the windows of each weekday.
type Week struct {
	Monday    []Window `json:"monday,omitempty" yaml:"monday,omitempty"`
	Tuesday   []Window `json:"tuesday,omitempty" yaml:"tuesday,omitempty"`
	Wednesday []Window `json:"wednesday,omitempty" yaml:"wednesday,omitempty"`
	Thursday  []Window `json:"thursday,omitempty" yaml:"thursday,omitempty"`
	Friday    []Window `json:"friday,omitempty" yaml:"friday,omitempty"`
	Saturday  []Window `json:"saturday,omitempty" yaml:"saturday,omitempty"`
	Sunday    []Window `json:"sunday,omitempty" yaml:"sunday,omitempty"`
}

// Weekdays is the week whose Monday to Friday have the windows, and whose weekend has none.
func Weekdays(windows ...Window) Week {
	return Week{Monday: windows, Tuesday: windows, Wednesday: windows, Thursday: windows, Friday: windows}
}

// EveryDay is the week whose seven days have the windows.
func EveryDay(windows ...Window) Week {
	w := Weekdays(windows...)
	w.Saturday, w.Sunday = windows, windows
	return w
}

// On returns the windows of the weekday.
func (w Week) On(day time.Weekday) []Window {
	return [...][]Window{w.Sunday, w.Monday, w.Tuesday, w.Wednesday, w.Thursday, w.Friday, w.Saturday}[day]
}

// Empty reports whether no day has a window.
func (w Week) Empty() bool {
	for day := time.Sunday; day <= time.Saturday; day++ {
		if len(w.On(day)) > 0 {
			return false
		}
	}
	return true
}

// Outside is the week of everything that w leaves out.
func (w Week) Outside() Week {
	rest := func(day time.Weekday) []Window { return subtract([]Window{WholeDay}, w.On(day)) }
	return Week{
		Monday: rest(time.Monday), Tuesday: rest(time.Tuesday), Wednesday: rest(time.Wednesday), Thursday: rest(time.Thursday),
		Friday: rest(time.Friday), Saturday: rest(time.Saturday), Sunday: rest(time.Sunday),
	}
}

// Validate joins every error of every day's windows: each for itself, and those that overlap.
func (w Week) Validate() error {
	var errs []error
	for i := range 7 {
		day := (time.Monday + time.Weekday(i)) % 7
		if err := validateWindows(w.On(day)); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", day, err))
		}
	}
	return errors.Join(errs...)
}

// Holiday is a date on which a calendar is closed, or on which a band applies: the whole day, or the given windows.
type Holiday struct {
	Date    LocalDate `json:"date" yaml:"date"`
	Name    string    `json:"name,omitempty" yaml:"name,omitempty"`
	Windows []Window  `json:"windows,omitempty" yaml:"windows,omitempty"`
}

// Hours returns the part of the day that is meant.
func (h Holiday) Hours() []Window {
	if len(h.Windows) == 0 {
		return []Window{WholeDay}
	}
	return h.Windows
}

func validateHolidays(field string, holidays []Holiday) error {
	var errs []error
	seen := map[LocalDate]bool{}
	for _, h := range holidays {
		if err := errors.Join(h.Date.Validate(), validateWindows(h.Windows)); err != nil {
			errs = append(errs, fmt.Errorf("%s: %s: %w", field, h.Date, err))
		}
		if seen[h.Date] {
			errs = append(errs, fmt.Errorf("%s: %s is there twice; keep one, with all its windows", field, h.Date))
		}
		seen[h.Date] = true
	}
	return errors.Join(errs...)
}

func validateWindows(windows []Window) error {
	var errs []error
	for _, w := range windows {
		errs = append(errs, w.Validate())
	}
	in := sorted(windows)
	for i := 1; i < len(in); i++ {
		if in[i].From < in[i-1].To {
			errs = append(errs, fmt.Errorf("windows %s and %s overlap; join them", in[i-1], in[i]))
		}
	}
	return errors.Join(errs...)
}

func sorted(windows []Window) []Window {
	return slices.SortedFunc(slices.Values(windows), func(a, b Window) int {
		return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To))
	})
}

// subtract returns what is left of the windows, in order, once the others are taken away.
func subtract(windows, others []Window) []Window {
	left := sorted(windows)
	for _, o := range others {
		var next []Window
		for _, w := range left {
			if o.To <= w.From || w.To <= o.From {
				next = append(next, w)
				continue
			}
			if w.From < o.From {
				next = append(next, Window{w.From, o.From})
			}
			if o.To < w.To {
				next = append(next, Window{o.To, w.To})
			}
		}
		left = next
	}
	return left
}

// set gives the weekday its windows.
func (w *Week) set(day time.Weekday, windows []Window) {
	*[...]*[]Window{&w.Sunday, &w.Monday, &w.Tuesday, &w.Wednesday, &w.Thursday, &w.Friday, &w.Saturday}[day] = windows
}
