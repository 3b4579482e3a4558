package billing

import (
	"strings"
	"time"
)

// DueRun names a run of a billing period that has not been made yet.
type DueRun struct {
	Contract string    `json:"contract"`
	Client   string    `json:"client"`
	Run      PeriodRun `json:"run"` // opening or closing
	Period   Period    `json:"period"`
}

// DueFilter narrows what is due.
type DueFilter struct {
	Client   string `json:"client,omitempty"`   // empty: of all clients
	Contract string `json:"contract,omitempty"` // empty: of all contracts
	From     string `json:"from,omitempty"`     // local date: also periods that had ended when the contract was applied; empty: none of them
	Until    string `json:"until,omitempty"`    // local date: what is due by then; empty: by now
	After    string `json:"after,omitempty"`    // only of contracts after this one, by id: a page begins there
	Most     int    `json:"most,omitempty"`     // it ends with the contract that makes them so many; 0: never. Fewer than so many: there are no more
}

// String names the run to people: "closing of SH-1 for March 2026".
func (r DueRun) String() string {
	return string(r.Run) + " of " + r.Contract + " for " + r.Period.Tell()
}

// Key is what makes the run single; a closing is followed by the number of its try.
func (r DueRun) Key() string {
	return string(r.Run) + "/" + r.Contract + "/" + r.Period.Start + "/" + r.Period.End
}

// Tell names the period to people: "March 2026", "1 January to 31 March 2026".
func (p Period) Tell() string { return tellRange(p.Start, p.End) }

// PostingState says where a posting without a ticket stands.
type PostingState string

// The states. Only what is posted has charges.
const (
	PostingPosted  PostingState = "posted"
	PostingDraft   PostingState = "draft"   // waits for a person
	PostingVoid    PostingState = "void"    // a draft that a person declined
	PostingWaiting PostingState = "waiting" // nothing is stored: something must be known first
)

// PeriodReceipt is what a run of a period answers, and what its repetition answers again.
type PeriodReceipt struct {
	DueRun
	N       int          `json:"n,omitempty"`
	Posting int64        `json:"posting,omitempty"` // 0: nothing is stored
	State   PostingState `json:"state"`
	Effect  bool         `json:"effect"` // false: it was made before, or it waits
	Posted  []PostedLine `json:"posted,omitempty"`
	Notes   []PeriodNote `json:"notes,omitempty"`
	Digest  string       `json:"digest,omitempty"` // of the decision
	Says    string       `json:"says"`             // what is true now
	At      time.Time    `json:"at,omitzero"`
}

// PostingView is a posting without a ticket as people see it.
type PostingView struct {
	ID       int64        `json:"id"`
	Key      string       `json:"key"`
	Kind     string       `json:"kind"` // opening, closing, adjusting, usage, …
	Client   string       `json:"client"`
	Contract string       `json:"contract,omitempty"`
	Period   Period       `json:"period,omitzero"`
	N        int          `json:"n"` // of a period that is closed, one more at each adjustment
	State    PostingState `json:"state"`
	Says     string       `json:"says"`
	Digest   string       `json:"digest"`
	By       string       `json:"by"`
	At       time.Time    `json:"at"`
	Decided  *time.Time   `json:"decided_at,omitempty"` // of a draft
	Decider  string       `json:"decided_by,omitempty"`
	Charges  []Charge     `json:"charges,omitempty"` // as they were decided
}

// Say tells in one sentence what a run of a period did to money, and what people must know of it.
func (d PeriodDecision) Say(f PeriodFacts) string {
	what := f.Period.Tell()
	said := []string{"nothing to bill for " + what}
	if len(d.Charges) > 0 {
		said[0] = tell(Decision{Charges: d.Charges}.Totals()) + " for " + what
		if f.Because != "" {
			said[0] += " (" + f.Because + ")"
		}
	}
	for _, n := range d.Notes {
		said = append(said, strings.TrimSuffix(n.Says, "."))
	}
	return strings.Join(said, "; ")
}
