package ticket

import "errors"

// MsgPrioritise changes a ticket's priority.
const MsgPrioritise Name = "prioritise"

// Prioritise gives the ticket another priority. Its targets are reckoned anew from the opening, with the time that its
// clock has stood still so far.
type Prioritise struct {
	Header
	Priority int    `json:"priority"` // 1 (most urgent) … 5
	Reason   string `json:"reason"`
}

// Validate checks the message's shape.
func (m Prioritise) Validate() error {
	errs := []error{m.Header.Validate(), text("reason", m.Reason, 1, MaxNote)}
	if m.Priority < 1 || m.Priority > 5 {
		errs = append(errs, Invalid("priority", m.Priority, "is not a priority", "1 (most urgent) to 5"))
	}
	return errors.Join(errs...)
}
