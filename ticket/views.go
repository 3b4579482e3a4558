package ticket

import "time"

// Summary is a ticket as lists show it.
type Summary struct {
	Ticket        ID         `json:"ticket"`
	Client        string     `json:"client"`
	Subject       string     `json:"subject"`
	Stage         Stage      `json:"stage"`
	Round         int        `json:"round"`
	Category      string     `json:"category"`
	Priority      int        `json:"priority"`
	Board         string     `json:"board"`
	Assignee      string     `json:"assignee,omitempty"`
	AssigneeKind  Kind       `json:"assignee_kind,omitempty"`
	ClaimedAt     *time.Time `json:"claimed_at,omitempty"`
	OpenedAt      time.Time  `json:"opened_at"`
	ClosedAt      *time.Time `json:"closed_at,omitempty"`
	ResolutionDue *time.Time `json:"resolution_due,omitempty"`
	MergedInto    ID         `json:"merged_into,omitempty"`
	Project       string     `json:"project,omitempty"`
}

// Filter narrows a list; an empty field does not.
type Filter struct {
	Client   string
	Stage    Stage
	Assignee string
	Open     bool  // only tickets that can still be worked on
	After    int64 // ticket numbers greater than this
	Limit    int   // 0: 50
}

// Moment is one entry of a ticket's timeline: what came in, what was done, what it cost and billed.
type Moment struct {
	At       time.Time `json:"at"`
	Kind     string    `json:"kind"` // event kind, "work", "item", "comment", "line", "hold"
	Actor    string    `json:"actor,omitempty"`
	Via      string    `json:"via,omitempty"`
	Round    int       `json:"round"`
	Says     string    `json:"says"`
	MS       int64     `json:"ms,omitempty"`     // of work
	Line     int64     `json:"line,omitempty"`   // n of L-n
	Hold     int64     `json:"hold,omitempty"`   // n of H-n
	Work     int64     `json:"work,omitempty"`   // n of W-n
	Item     int64     `json:"item,omitempty"`   // n of I-n
	Amount   string    `json:"amount,omitempty"` // decimal
	Currency string    `json:"currency,omitempty"`
	Effect   bool      `json:"effect"`
}

// Person is somebody who acts: one of ours, a client's contact, an AI agent.
type Person struct {
	ID       string   `json:"id"`
	Name     string   `json:"name"`
	Kind     Kind     `json:"kind"`
	Client   string   `json:"client,omitempty"` // empty: one of ours
	Roles    []string `json:"roles"`
	WorkRole string   `json:"work_role,omitempty"`
	Email    string   `json:"email,omitempty"`
	Board    string   `json:"board,omitempty"`
	Skills   []string `json:"skills,omitempty"`
}

// Has says whether the person holds the role.
func (p Person) Has(role string) bool {
	for _, r := range p.Roles {
		if r == role {
			return true
		}
	}
	return false
}

// Client is a client of the MSP.
type Client struct {
	ID       string         `json:"id"`
	Name     string         `json:"name"`
	TimeZone string         `json:"time_zone"`
	Currency string         `json:"currency"`
	Payer    string         `json:"payer"`
	Sites    []string       `json:"sites,omitempty"`
	Devices  map[string]int `json:"devices,omitempty"` // latest count by kind
	Tax      string         `json:"tax,omitempty"`     // profile of invoices whose contracts name none; empty: not taxed
}

// Pending is a start that Temporal has not taken yet.
type Pending struct {
	Ticket    ID        `json:"ticket"`
	Round     int       `json:"round"`
	Client    string    `json:"client"`
	Subject   string    `json:"subject"`
	CreatedAt time.Time `json:"created_at"`
	Attempts  int       `json:"attempts"`
	LastError string    `json:"last_error,omitempty"`
	Moved     bool      `json:"moved,omitempty"` // the round runs: it must hear that the ticket is another client's
}

// Release is a hold that waited for a block of hours to be paid, which it is.
type Release struct {
	Ticket       ID     `json:"ticket"`
	Hold         int64  `json:"hold"`
	By           string `json:"by"`            // who said that the block is paid
	OperationKey string `json:"operation_key"` // of the ruling that bills what waited: one for each hold
}
