package ticket

import "time"

// Deadlines are the instants at which something is due while the ticket is in resolution; zero where nothing is, or
// where it has been met, done or reported already. The resolution's stand still while its clock does (the store leaves
// them out then).
type Deadlines struct {
	Response   time.Time `json:"response,omitzero"`
	Resolution time.Time `json:"resolution,omitzero"`

	WarnResponse   time.Time `json:"warn_response,omitzero"`
	WarnResolution time.Time `json:"warn_resolution,omitzero"`
	Escalate       time.Time `json:"escalate,omitzero"` // a missed target that nobody has met yet is told one step further up
	Step           int       `json:"step,omitempty"`    // of that escalation, from 1

	OnAsk bool `json:"on_ask,omitempty"` // asking the client's approval stops the clock, and the answer lets it run
	Owed  Owed `json:"owed,omitzero"`
}

// Owed is what has been promised and not yet done, missed or not: what lists and searches show. The resolution is left
// out while its clock stands still: nobody knows then when it will be due.
type Owed struct {
	Response   time.Time `json:"response,omitzero"`
	Resolution time.Time `json:"resolution,omitzero"`
}

// Due is one kind of deadline.
type Due string

// The kinds of deadline.
const (
	ResponseDue    Due = "response"
	ResolutionDue  Due = "resolution"
	WarnResponse   Due = "response warning"
	WarnResolution Due = "resolution warning"
	EscalationDue  Due = "escalation"
)

// Next is the earliest of them, with its kind; zero time when none is set. Of two at the same instant a deadline comes
// before its warning: there is nothing left to warn of.
func (d Deadlines) Next() (Due, time.Time) {
	var (
		first Due
		at    time.Time
	)
	for _, next := range [...]struct {
		what Due
		at   time.Time
	}{
		{ResolutionDue, d.Resolution},
		{ResponseDue, d.Response},
		{WarnResponse, d.WarnResponse},
		{WarnResolution, d.WarnResolution},
		{EscalationDue, d.Escalate},
	} {
		if !next.at.IsZero() && (at.IsZero() || next.at.Before(at)) {
			first, at = next.what, next.at
		}
	}
	return first, at
}

// Escalation is what a warning, a missed target and each step up from it put on record: whom it concerns.
type Escalation struct {
	Target Due       `json:"target"`         // response or resolution
	Due    time.Time `json:"due"`            // of the target
	Step   int       `json:"step"`           // 0: the warning or the miss itself
	To     []string  `json:"to"`             // person ids; empty where the desk has nobody for it
	Next   time.Time `json:"next,omitzero"`  // when the next step follows, unless the target is met
	From   string    `json:"from,omitempty"` // the assignee from whom it was taken
}
