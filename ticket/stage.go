package ticket

// Stage is where a ticket stands in its life. It is the search attribute TicketStage.
type Stage string

// The stages, in the order a ticket passes them.
const (
	New        Stage = "new"        // accepted, not yet begun by its workflow
	Triage     Stage = "triage"     // being read and classified
	Routing    Stage = "routing"    // looking for who resolves it
	Resolution Stage = "resolution" // an agent, AI or human, has it
	Waiting    Stage = "waiting"    // the customer has been asked; the SLA clock is paused
	Closing    Stage = "closing"    // being closed and rated
	Held       Stage = "held"       // closed; at least one line waits for a person
	Posted     Stage = "posted"     // closed; everything is decided
	Merged     Stage = "merged"     // lives on in another ticket
	Cancelled  Stage = "cancelled"  // ended without a closure
)

// ParseStage accepts the name of a stage.
func ParseStage(s string) (Stage, error) {
	switch stage := Stage(s); stage {
	case New, Triage, Routing, Resolution, Waiting, Closing, Held, Posted, Merged, Cancelled:
		return stage, nil
	}
	return "", Invalid("stage", s, "is not a stage", "new, triage, routing, resolution, waiting, closing, held, posted, merged or cancelled")
}

// Open says whether work can still be logged in this stage.
func (s Stage) Open() bool {
	switch s {
	case New, Triage, Routing, Resolution, Waiting:
		return true
	case Closing, Held, Posted, Merged, Cancelled:
		return false
	}
	return false
}

// Kind says what an actor is. Human and AI work are rated by different terms.
type Kind string

// The kinds of actor.
const (
	Human  Kind = "human"
	AI     Kind = "ai"
	System Kind = "system"
)
