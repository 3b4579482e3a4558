package ticket

import "time"

// Clock is how a ticket stands against one of its targets, as people read it.
type Clock struct {
	Target   Due        `json:"target"`              // response or resolution
	Due      *time.Time `json:"due,omitempty"`       // nil while the clock stands still
	WarnAt   *time.Time `json:"warn_at,omitempty"`   // nil where it never warns, or stands still
	Zone     string     `json:"zone"`                // IANA name, of the calendar it counts in
	TargetMS int64      `json:"target_ms,omitempty"` // business time allowed
	LeftMS   int64      `json:"left_ms"`             // business time left now, or when it was met; negative once it is overrun
	PausedMS int64      `json:"paused_ms,omitempty"` // business time for which it stood still
	Paused   *time.Time `json:"paused,omitempty"`    // since when it stands still
	Reason   string     `json:"reason,omitempty"`    // of that
	Warned   *time.Time `json:"warned,omitempty"`    // when somebody was warned
	Met      *time.Time `json:"met,omitempty"`       // when it was answered or resolved
	Missed   *time.Time `json:"missed,omitempty"`    // the deadline that passed
	Step     int        `json:"step,omitempty"`      // how far its miss has gone up the chain
}
