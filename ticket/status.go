package ticket

import "time"

// Status is what a ticket's workflow says of itself when asked, without touching the database.
type Status struct {
	Ticket   ID        `json:"ticket"`
	Round    int       `json:"round"`
	Stage    Stage     `json:"stage"`
	Client   string    `json:"client,omitempty"`
	Assignee string    `json:"assignee,omitempty"`
	Into     ID        `json:"into,omitempty"`     // after a merge
	Awaited  string    `json:"awaited,omitempty"`  // who, to do what
	DueWhat  string    `json:"due_what,omitempty"` // what falls due next
	DueAt    time.Time `json:"due_at,omitzero"`    // when; zero where nothing does
	Holds    []string  `json:"holds,omitempty"`    // one sentence for each open hold
	Unread   int       `json:"unread,omitempty"`   // messages that have come and are not acted on
	Refused  string    `json:"refused,omitempty"`  // the last message that could not be acted on, and why
}
