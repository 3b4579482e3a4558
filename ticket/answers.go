package ticket

// Input starts a ticket's workflow. The ticket's text stays in the database.
type Input struct {
	Ticket ID   `json:"ticket"`
	Round  int  `json:"round"`         // the round that was current when it was started
	Mail   Mail `json:"mail,omitzero"` // carried over by continue-as-new
}

// Mail is what a run had received and not yet acted on when it continued as new.
type Mail struct {
	Items []Item `json:"items,omitempty"`
}

// Item is one undelivered message.
type Item struct {
	Name    Name   `json:"name"`
	Payload []byte `json:"payload"` // its JSON
}

// Brief is what the database says a ticket stands at. A run that begins, whether first,
// next round, continued or restarted after an operator ended it, goes on from here.
type Brief struct {
	Ticket     ID          `json:"ticket"`
	Round      int         `json:"round"`
	Stage      Stage       `json:"stage"`
	Client     string      `json:"client"`
	Subject    string      `json:"subject"` // for the Temporal UI's details; no personal data of contacts
	MergedInto ID          `json:"merged_into,omitempty"`
	EventTime  bool        `json:"event_time,omitempty"` // no wall-clock timers
	Triaged    *Triaged    `json:"triaged,omitempty"`    // nil: triage has not been done
	Assigned   *Assignment `json:"assigned,omitempty"`   // nil: routing has not been done in this round
	Deadlines  Deadlines   `json:"deadlines"`
}

// Triaged is what triage found.
type Triaged struct {
	Category  string    `json:"category"`
	Priority  int       `json:"priority"`           // 1 … 5
	Contract  string    `json:"contract,omitempty"` // id; empty: none in force
	Deadlines Deadlines `json:"deadlines"`
	Says      string    `json:"says"` // one sentence: what, and by which words
}

// Assignment is where routing sent the ticket.
type Assignment struct {
	Board    string `json:"board"`
	Assignee string `json:"assignee,omitempty"` // person id; empty: waits on the board
	Kind     Kind   `json:"kind,omitempty"`
	Says     string `json:"says"`
}

// Answer is what became of a message: what is true now.
type Answer struct {
	Effect    bool      `json:"effect"` // false: taken and recorded, and changed nothing
	Says      string    `json:"says"`   // one sentence for people
	Ticket    ID        `json:"ticket"`
	Round     int       `json:"round"`
	Stage     Stage     `json:"stage"`
	Assignee  string    `json:"assignee,omitempty"`
	Into      ID        `json:"into,omitempty"`  // after a merge
	Split     ID        `json:"split,omitempty"` // the new ticket, after a split
	Deadlines Deadlines `json:"deadlines"`
}
