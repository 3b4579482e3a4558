package billing

import (
	"time"

	"github.com/shopspring/decimal"
)

// Outcome is what a person's word did to a hold.
type Outcome string

// The outcomes.
const (
	Settled    Outcome = "settled"    // its charges posted, as quoted or as ruled
	Passed     Outcome = "declined"   // declined: it is a dispatcher's exception now
	SentBack   Outcome = "sent-back"  // voided; the ticket is in resolution again
	Superseded Outcome = "superseded" // the round was reopened meanwhile; no effect
	Already    Outcome = "already"    // somebody decided before; no effect
	Stale      Outcome = "stale"      // another quote, or too late; no effect
	Refused    Outcome = "refused"    // not the right of this person; no effect
	Proposed   Outcome = "proposed"   // above its sender's limit: a second person must confirm; nothing has posted
	Rejected   Outcome = "rejected"   // a second person did not confirm; it waits as before
)

// Settlement answers a sign-off or a ruling.
type Settlement struct {
	Hold    int64        `json:"hold"`
	Outcome Outcome      `json:"outcome"`
	Says    string       `json:"says"` // what is true now, one sentence
	Posted  []PostedLine `json:"posted,omitempty"`
	Held    []HeldQuote  `json:"held"` // what still waits on this round, all of it
	At      time.Time    `json:"at"`
	// With Proposed: what the second person's word must name.
	Proposal string `json:"proposal,omitempty"`
	// With Settled: what the ruling gave away, in the hold's currency. A limit counts it for all of the ticket's round.
	GivesUp decimal.Decimal `json:"gives_up,omitzero"`
}

// Changed says whether the word had an effect.
func (s Settlement) Changed() bool {
	switch s.Outcome {
	case Settled, Passed, SentBack, Proposed, Rejected:
		return true
	case Superseded, Already, Stale, Refused:
	}
	return false
}
