package billing

import (
	"time"

	"github.com/shopspring/decimal"
)

// Rules is the version of the rules below. A change that alters any decision is a new
// version: old decisions keep theirs, and Decide still speaks it.
const Rules = 1

// Facts are all that Decide may know about one closure (or one settlement). They are
// stored with it as canonical JSON. Contract terms are named by id, revision and digest:
// versions are immutable, so the name is enough to find the same terms again.
type Facts struct {
	Rules     int       `json:"rules"`
	Ticket    Ticket    `json:"ticket"`
	Work      []Work    `json:"work"`      // by start, then id
	Contracts []Version `json:"contracts"` // every version in force at some instant of the work or at resolution
	Blocks    []Block   `json:"blocks,omitempty"`
	Counters  []Counter `json:"counters,omitempty"`
}

// Ticket is what is known of the ticket at its closing.
type Ticket struct {
	ID           string    `json:"id"`
	Round        int       `json:"round"`
	Client       string    `json:"client"`
	Currency     string    `json:"currency,omitempty"` // the client's own, for holds under no contract; empty: XXX
	Category     string    `json:"category"`
	Subcategory  string    `json:"subcategory,omitempty"`
	Type         string    `json:"type,omitempty"`
	Channel      string    `json:"channel,omitempty"`
	Site         string    `json:"site,omitempty"`
	Device       string    `json:"device,omitempty"`
	Priority     int       `json:"priority"`
	OpenedAt     time.Time `json:"opened_at"`
	ResolvedAt   time.Time `json:"resolved_at"`
	ResolvedOn   string    `json:"resolved_on"`             // local date in the client's zone
	ResolvedBy   string    `json:"resolved_by"`             // person id
	ResolvedKind string    `json:"resolved_kind"`           // human or ai
	Code         string    `json:"code"`                    // solved, silent, duplicate, spam
	TicketBilled bool      `json:"ticket_billed,omitempty"` // an earlier round's per-ticket price still stands
	// Approved is what the client agreed to before the work, in ApprovedCurrency: up to it no threshold asks again.
	Approved         decimal.Decimal `json:"approved,omitzero"`
	ApprovedCurrency string          `json:"approved_currency,omitempty"`
}

// Work is one measured work entry.
type Work struct {
	ID        int64     `json:"id"`
	Actor     string    `json:"actor"`
	Kind      string    `json:"kind"` // human or ai
	WorkType  string    `json:"work_type"`
	WorkRole  string    `json:"work_role"`
	StartedAt time.Time `json:"started_at"`
	MS        int64     `json:"ms"`
	Failed    bool      `json:"failed,omitempty"`       // an attempt that did not work: cost only
	NoBill    bool      `json:"non_billable,omitempty"` // marked so by who logged it
	Segments  []Segment `json:"segments"`               // tile [0, MS) in order
}

// Segment is a part of a work entry in which nothing that matters to money changes:
// cut at local midnights, band edges and the edges of contract versions.
type Segment struct {
	From  int64    `json:"from"` // milliseconds from the entry's start, inclusive
	To    int64    `json:"to"`   // exclusive
	Date  string   `json:"date"` // local date in the client's zone, YYYY-MM-DD
	Bands []string `json:"bands,omitempty"`
}

// Version names a contract version and when it is in force, as instants.
type Version struct {
	Contract string    `json:"contract"`
	Revision int       `json:"revision"`
	Digest   string    `json:"digest"`
	From     time.Time `json:"from"`
	Until    time.Time `json:"until,omitzero"` // exclusive; zero: open-ended
	Terms    *Terms    `json:"-"`              // the compiled document of that digest
}

// InForce says whether the version governs the instant.
func (v Version) InForce(at time.Time) bool {
	return !at.Before(v.From) && (v.Until.IsZero() || at.Before(v.Until))
}

// Block is one block of hours as it stood when its row was locked.
type Block struct {
	ID        int64     `json:"id"`
	Contract  string    `json:"contract"`
	Priority  int       `json:"priority"`
	GrantedAt time.Time `json:"granted_at"`
	ExpiresAt time.Time `json:"expires_at,omitzero"` // exclusive; zero: never
	LeftMS    int64     `json:"left_ms"`             // granted − drawn − reserved
}

// Counter is a shared running quantity of a period as it stood when its row was locked:
// tickets counted towards an included number, AI seconds of the month, …
type Counter struct {
	Key   string          `json:"key"`
	Value decimal.Decimal `json:"value"` // taken and reserved
}

// Wants says which shared allowances a decision will read, so that the store can lock
// them first: counters by key, blocks by contract. Both sorted, without repeats.
type Wants struct {
	Counters []string
	Blocks   []string // contract ids
}
