package billing

import (
	"time"

	"github.com/shopspring/decimal"
)

// ProjectView is a project as people see it: what was agreed, what has been used of it, and what waits.
type ProjectView struct {
	Project    string           `json:"project"`
	Client     string           `json:"client"`
	Name       string           `json:"name"`
	State      string           `json:"state"` // open or closed
	Currency   string           `json:"currency"`
	Budget     *decimal.Decimal `json:"budget,omitempty"`
	BudgetMS   int64            `json:"budget_ms,omitempty"`
	Hourly     *decimal.Decimal `json:"hourly,omitempty"`
	Billed     decimal.Decimal  `json:"billed"`      // in its currency, reversals included
	WorkedMS   int64            `json:"worked_ms"`   // of what billed to it
	Reserved   decimal.Decimal  `json:"reserved"`    // by what waits for a person
	ReservedMS int64            `json:"reserved_ms"` // likewise
	Cost       decimal.Decimal  `json:"cost"`        // of the work on its tickets, in its currency
	CreatedAt  time.Time        `json:"created_at"`
	Tickets    []string         `json:"tickets,omitempty"`
	Events     []ProjectEvent   `json:"events,omitempty"`
}

// ProjectEvent is something that happened to a project.
type ProjectEvent struct {
	At    time.Time `json:"at"`
	Kind  string    `json:"kind"`
	Actor string    `json:"actor"`
	Says  string    `json:"says"`
}
