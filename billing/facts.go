package billing

import (
	"time"

	"github.com/shopspring/decimal"
)

// Rules is the version of the rules below. A change that alters any decision is a new
// version: old decisions keep theirs, and Decide still speaks it.
const Rules = 3

// The versions of the rules. What a later one does otherwise asks for Facts.Rules.
const (
	rulesFirst = 1
	// rulesOverlaps: work of two people at the same time says so in its explanation; a person's entry, and his day, is no
	// longer than a day.
	rulesOverlaps = 2
	// rulesSoldOnOrder: what sells a block of hours counts against the purchase order, too.
	rulesSoldOnOrder = 2
	// rulesBooks: what tests of whole books of closings found wrong, and what clients could not follow. Work without a
	// start waits for none under a price per ticket, where it costs nothing.
	rulesBooks = 3
)

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
	Items     []Item    `json:"items,omitempty"`    // parts, licences and expenses, by id
	Events    []Event   `json:"events,omitempty"`   // what happened beside the closure itself, by id
	Past      *Past     `json:"past,omitempty"`     // of the client's tickets of this category; where a contract looks at it
	Rerating  *Rerating `json:"rerating,omitempty"` // of a settlement that rates held work anew
}

// Past is what a client's tickets of one category came to before, looked at when the ticket closed.
type Past struct {
	Days    int          `json:"days"`              // how far back was looked
	Tickets int          `json:"tickets"`           // closed in those days; at most 200, the latest
	MS      int64        `json:"ms"`                // median of their work by people
	Amounts []PastAmount `json:"amounts,omitempty"` // medians of what they billed, by currency
	Span    int          `json:"span"`              // days from the first of them to now, at least 1
	Week    int          `json:"week"`              // of them, in the last 7 days
}

// PastAmount is the median of what a client's tickets of one category billed in one currency.
type PastAmount struct {
	Currency string          `json:"currency"`
	Amount   decimal.Decimal `json:"amount"`
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
	ApprovedBy       string          `json:"approved_by,omitempty"` // person id of who agreed
	Contact          string          `json:"contact,omitempty"`     // person id of who asked for the work
	Rework           *Rework         `json:"rework,omitempty"`      // the ticket is rework of an earlier one
	SLA              *SLAOutcome     `json:"sla,omitempty"`         // how the ticket stood against its targets
	Project          *TicketProject  `json:"project,omitempty"`     // the project that its work bills to
}

// Rework links a ticket to the one whose work it mends.
type Rework struct {
	Of         string    `json:"of"` // ticket id
	ResolvedAt time.Time `json:"resolved_at"`
}

// SLAOutcome is how a ticket stood against its targets, in business time without pauses.
type SLAOutcome struct {
	Contract         string `json:"contract,omitempty"` // whose targets they are; empty: of the contract that governs the ticket
	ResponseMissed   bool   `json:"response_missed,omitempty"`
	ResolutionMissed bool   `json:"resolution_missed,omitempty"`
	SpentMS          int64  `json:"spent_ms"` // from opening to resolution
}

// Item is a part, a licence or an expense on the ticket.
type Item struct {
	ID       int64            `json:"id"`
	Kind     string           `json:"kind"` // part, licence, expense
	Text     string           `json:"text"`
	Quantity decimal.Decimal  `json:"quantity"`
	UnitCost decimal.Decimal  `json:"unit_cost"` // what it cost us
	Currency string           `json:"currency"`
	Price    *decimal.Decimal `json:"price,omitempty"` // of one, where somebody with the right to it set it; else cost and markup
	Date     string           `json:"date"`            // local service date
}

// Event is something that a usage line prices: an action of the ticket, a device added.
type Event struct {
	ID       int64           `json:"id"`
	Name     string          `json:"name"`
	Quantity decimal.Decimal `json:"quantity"` // units; the value, where a percentage prices it
	Date     string          `json:"date"`     // local
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
	// Hourly is the entry's own rate, set by somebody with the right to it; it wins over the rate card.
	Hourly    *decimal.Decimal `json:"hourly,omitempty"`
	Unstarted bool             `json:"unstarted,omitempty"` // nobody knows when: StartedAt is a guess on the right date
	Offset    int64            `json:"offset_ms,omitempty"` // of a part of an entry, in Facts.Rerating: how far in it begins
	Elsewhere *Elsewhere       `json:"elsewhere,omitempty"` // the same person on another ticket meanwhile
	Segments  []Segment        `json:"segments"`            // tile [0, MS) in order
}

// Elsewhere is work of the same person on another ticket at the same time; where there are several, the one that begins last.
type Elsewhere struct {
	Ticket string `json:"ticket"`
	MS     int64  `json:"ms"` // of this entry, that the other one overlaps
}

// Segment is a part of a work entry in which nothing that matters to money changes:
// cut at local midnights, band edges and the edges of contract versions.
type Segment struct {
	From  int64    `json:"from"`            // milliseconds from the entry's start, inclusive
	To    int64    `json:"to"`              // exclusive
	Date  string   `json:"date"`            // local date in the client's zone, YYYY-MM-DD
	Bands []string `json:"bands,omitempty"` // CONTRACT/band, sorted
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
	LeftMS    int64     `json:"left_ms"`             // granted − drawn − reserved − forfeited − rolled over
	Clause    string    `json:"clause,omitempty"`    // of the line whose bucket granted it; empty: bought, for every block line of the contract
	Unpaid    bool      `json:"unpaid,omitempty"`    // the invoice that sold it is not paid
	// What is no longer left because the block ended, and comes back to work done before: its forfeiture, and what rolled
	// over into another block, as far as it is still there.
	ForfeitedMS int64 `json:"forfeited_ms,omitempty"`
	RolledMS    int64 `json:"rolled_ms,omitempty"`
	RolledInto  int64 `json:"rolled_into,omitempty"` // block id

	GrantedMS  int64     `json:"granted_ms,omitempty"`
	Period     string    `json:"period,omitempty"`      // of a bucket: first local date of the billing period that it is for
	RolledFrom int64     `json:"rolled_from,omitempty"` // block id: its hours were left over from that one's period
	EarliestAt time.Time `json:"earliest_at,omitzero"`  // where a block may pay for work done before it was bought: since when
}

// Counter is a shared running quantity of a period as it stood when its row was locked:
// tickets counted towards an included number, AI seconds of the month, …
type Counter struct {
	Key   string          `json:"key"`
	Value decimal.Decimal `json:"value"` // taken and reserved
}

// Wants says which shared allowances a decision will read, so that the store can lock
// them first: counters by key, bought blocks by contract, allowances by clause and period. All
// sorted, without repeats.
type Wants struct {
	Counters []string
	Blocks   []string // contract ids
	Buckets  []BucketWant
}
