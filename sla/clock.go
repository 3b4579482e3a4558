package sla

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"
)

// Clock runs towards a target in the business time of a calendar, and stands still while it is paused, for example
// while the desk waits for the customer. It is a value: every method returns another clock and changes nothing.
//
// Pauses are kept as instants, not as a sum, so that a pause counts what it took in business time whatever the
// calendar, and so that a pause after the deadline can never undo a breach.
type Clock struct {
	Calendar  Calendar
	Target    time.Duration // business time allowed; whole milliseconds
	StartedAt time.Time
	Pauses    []Pause    // over, in order
	PausedAt  *time.Time // since when it stands still; nil while it runs
	Reason    string     // of the pause that is on
}

// Pause is a time, half-open, in which a clock stood still.
type Pause struct {
	From   time.Time `json:"from"`
	To     time.Time `json:"to"`
	Reason string    `json:"reason,omitempty"`
}

// Start returns a clock that runs from the instant on.
func Start(calendar Calendar, target time.Duration, at time.Time) (Clock, error) {
	c := Clock{Calendar: calendar, Target: target, StartedAt: at.UTC()}
	return c, c.Validate()
}

// Validate joins all errors of the clock: its calendar's, a target that is negative or finer than a millisecond, and
// pauses that are out of order or lie before the start.
func (c Clock) Validate() error {
	errs := []error{c.Calendar.Validate(), validateTarget(c.Target), checkInstant("started_at", c.StartedAt)}
	last := c.StartedAt
	for i, p := range c.Pauses {
		if p.From.Before(last) || p.To.Before(p.From) {
			errs = append(errs, fmt.Errorf("pauses[%d]: from %s to %s is not in the order of time", i, rfc3339(p.From), rfc3339(p.To)))
		}
		last = p.To
	}
	if c.PausedAt != nil && c.PausedAt.Before(last) {
		errs = append(errs, fmt.Errorf("paused_at: %s is before %s, up to which the clock is known", rfc3339(*c.PausedAt), rfc3339(last)))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("SLA clock: %w", err)
	}
	return nil
}

func validateTarget(target time.Duration) error {
	if target < 0 || target%time.Millisecond != 0 {
		return fmt.Errorf("target %s: give a whole number of milliseconds, 0 or more", target)
	}
	return nil
}

// Pause stops the clock at the instant. A clock that is paused already stays as it is: the earlier pause stands.
// It refuses an instant before the latest one the clock knows.
func (c Clock) Pause(at time.Time, reason string) (Clock, error) {
	if c.PausedAt != nil {
		return c, nil
	}
	if err := c.inOrder("pause", at); err != nil {
		return c, err
	}
	at = at.UTC()
	c.PausedAt, c.Reason = &at, reason
	return c, nil
}

// Resume lets the clock run again from the instant on. A clock that runs stays as it is.
// It refuses an instant before the pause began.
func (c Clock) Resume(at time.Time) (Clock, error) {
	if c.PausedAt == nil {
		return c, nil
	}
	if err := c.inOrder("resume", at); err != nil {
		return c, err
	}
	over := Pause{From: *c.PausedAt, To: at.UTC(), Reason: c.Reason}
	c.PausedAt, c.Reason = nil, ""
	if over.From.Before(over.To) {
		c.Pauses = append(c.Pauses[:len(c.Pauses):len(c.Pauses)], over)
	}
	return c, nil
}

// Retarget gives the clock another target and calendar, as when the ticket's priority changes. It keeps its start, the
// pauses so far, and the pause that is on.
func (c Clock) Retarget(target time.Duration, calendar Calendar) (Clock, error) {
	next := c
	next.Target, next.Calendar = target, calendar
	if err := next.Validate(); err != nil {
		return c, err
	}
	return next, nil
}

func (c Clock) inOrder(deed string, at time.Time) error {
	last := c.StartedAt
	if n := len(c.Pauses); n > 0 {
		last = c.Pauses[n-1].To
	}
	if c.PausedAt != nil {
		last = *c.PausedAt
	}
	if at.Before(last) {
		return fmt.Errorf("SLA clock: %s at %s: the clock is known up to %s; give that time or a later one", deed, rfc3339(at), rfc3339(last))
	}
	return checkInstant(deed, at)
}

// Due returns the instant, in UTC, at which the target is used up. While a pause holds the clock before that, there is
// none yet, and running is false. It returns ErrTooFar for a target that the calendar does not reach in 40 years.
func (c Clock) Due() (due time.Time, running bool, err error) {
	return c.dueAfter(c.Target)
}

// WarnAt returns the instant at which a share of the target is used up, in per cent: 80 warns when a fifth is left.
func (c Clock) WarnAt(percent int) (at time.Time, running bool, err error) {
	if percent < 0 || percent > 100 {
		return time.Time{}, false, fmt.Errorf("SLA clock: warning at %d per cent: give 0 to 100", percent)
	}
	whole, rest := c.Target/100, c.Target%100
	return c.dueAfter(whole*time.Duration(percent) + rest*time.Duration(percent)/100)
}

func (c Clock) dueAfter(target time.Duration) (time.Time, bool, error) {
	s, err := c.Calendar.Open()
	if err != nil {
		return time.Time{}, false, fmt.Errorf("SLA clock: %w", err)
	}
	from, left := c.StartedAt, target
	stops := c.Pauses
	if c.PausedAt != nil {
		stops = append(stops[:len(stops):len(stops)], Pause{From: *c.PausedAt})
	}
	for _, p := range stops {
		ran, err := s.Between(from, p.From)
		if err != nil {
			return time.Time{}, false, fmt.Errorf("SLA clock: %w", err)
		}
		due, err := s.Add(from, min(ran, left))
		if err != nil {
			return time.Time{}, false, fmt.Errorf("SLA clock: %w", err)
		}
		// A pause in the instant of the deadline is in time, as a resolution would be.
		if ran >= left && due.Before(p.From) {
			return due, true, nil
		}
		from, left = p.To, left-min(ran, left)
	}
	if c.PausedAt != nil {
		return time.Time{}, false, nil
	}
	due, err := s.Add(from, left)
	if err != nil {
		return time.Time{}, false, fmt.Errorf("SLA clock: %w", err)
	}
	return due, true, nil
}

// Elapsed returns the business time that has run up to the instant, pauses left out: what a target is compared with.
func (c Clock) Elapsed(at time.Time) (time.Duration, error) {
	total, paused, err := c.times(at)
	return total - paused, err
}

// Paused returns the business time that pauses have taken up to the instant.
func (c Clock) Paused(at time.Time) (time.Duration, error) {
	_, paused, err := c.times(at)
	return paused, err
}

// Remaining returns the business time left at the instant; negative by as much as the target is overrun.
func (c Clock) Remaining(at time.Time) (time.Duration, error) {
	elapsed, err := c.Elapsed(at)
	return c.Target - elapsed, err
}

// Breached reports whether the deadline passed before the instant. Reaching it in its very instant is in time.
func (c Clock) Breached(at time.Time) (bool, error) {
	due, running, err := c.Due()
	return running && due.Before(at), err
}

func (c Clock) times(at time.Time) (total, paused time.Duration, err error) {
	s, err := c.Calendar.Open()
	if err != nil {
		return 0, 0, fmt.Errorf("SLA clock: %w", err)
	}
	if total, err = s.Between(c.StartedAt, at); err != nil {
		return 0, 0, fmt.Errorf("SLA clock: %w", err)
	}
	stops := c.Pauses
	if c.PausedAt != nil {
		stops = append(stops[:len(stops):len(stops)], Pause{From: *c.PausedAt, To: at})
	}
	for _, p := range stops {
		from, to := earlier(p.From, at), earlier(p.To, at)
		took, err := s.Between(from, to)
		if err != nil {
			return 0, 0, fmt.Errorf("SLA clock: %w", err)
		}
		paused += took
	}
	return total, paused, nil
}

type clockJSON struct {
	Calendar  Calendar   `json:"calendar"`
	TargetMS  int64      `json:"target_ms"`
	StartedAt time.Time  `json:"started_at"`
	Pauses    []Pause    `json:"pauses,omitempty"`
	PausedAt  *time.Time `json:"paused_at,omitempty"`
	Reason    string     `json:"reason,omitempty"`
}

// MarshalJSON writes the target as integer milliseconds and instants as RFC 3339 in UTC.
func (c Clock) MarshalJSON() ([]byte, error) {
	if err := validateTarget(c.Target); err != nil {
		return nil, fmt.Errorf("SLA clock: %w", err)
	}
	return json.Marshal(clockJSON{c.Calendar, c.Target.Milliseconds(), c.StartedAt.UTC(), c.Pauses, c.PausedAt, c.Reason})
}

// UnmarshalJSON reads what MarshalJSON writes, and refuses a clock that Validate would.
func (c *Clock) UnmarshalJSON(data []byte) error {
	var j clockJSON
	if err := json.Unmarshal(data, &j); err != nil {
		return fmt.Errorf("SLA clock: %w", err)
	}
	if j.TargetMS > math.MaxInt64/int64(time.Millisecond) || j.TargetMS < 0 {
		return fmt.Errorf("SLA clock: target_ms %d: give 0 or more, and less than 292 years", j.TargetMS)
	}
	read := Clock{j.Calendar, time.Duration(j.TargetMS) * time.Millisecond, j.StartedAt.UTC(), j.Pauses, j.PausedAt, j.Reason}
	if err := read.Validate(); err != nil {
		return err
	}
	*c = read
	return nil
}
