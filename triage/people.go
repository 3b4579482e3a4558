package triage

import (
	"errors"
	"fmt"
	"slices"
)

// Kind says whether a candidate is a person or an AI agent.
type Kind string

// The kinds of candidates.
const (
	Human Kind = "human"
	AI    Kind = "ai"
)

// Request is a ticket that needs somebody.
type Request struct {
	Category   Category
	Skill      string // that a person must have; empty means any
	Board      string // whose people may take it; empty means any
	Priority   int    // 1 (critical) to 5 (planning)
	Confidence int    // in the category, 0 to 100
	Client     string
	ForceHuman bool     // an AI agent must not take it
	Exclude    []string // ids of those who must not take it, such as who escalated it
}

// Candidate is a person or an AI agent who may take tickets.
type Candidate struct {
	ID       string
	Kind     Kind
	Board    string
	Skills   []string
	Load     int // open tickets now
	Capacity int // open tickets at most
	Absent   bool
	Policy   Policy // of an AI agent
}

// Policy says which tickets an AI agent may take. The zero policy allows none.
type Policy struct {
	Categories []Category
	// MaxPriority is the most urgent priority the agent may take: 3 allows 3, 4 and 5. 0 allows none.
	MaxPriority int
	// MinConfidence is how sure the classification must be, 0 to 100; LowConfidence holds in any case.
	MinConfidence int
	// Clients are those it may work for; empty means every client.
	Clients []string
}

// allows reports whether the policy lets its agent take the ticket.
func (p Policy) allows(r Request) bool {
	return !r.ForceHuman && r.Confidence >= max(p.MinConfidence, LowConfidence) &&
		p.MaxPriority >= 1 && r.Priority >= p.MaxPriority &&
		slices.Contains(p.Categories, r.Category) &&
		(len(p.Clients) == 0 || slices.Contains(p.Clients, r.Client))
}

// validate joins what is wrong with the request or the candidates, so that no answer rests on nonsense.
func validate(r Request, candidates []Candidate) error {
	var errs []error
	if r.Priority < 1 || r.Priority > 5 {
		errs = append(errs, fmt.Errorf("priority %d: give 1 (critical) to 5 (planning)", r.Priority))
	}
	if r.Confidence < 0 || r.Confidence > 100 {
		errs = append(errs, fmt.Errorf("confidence %d: give 0 to 100", r.Confidence))
	}
	seen := map[string]bool{}
	for _, c := range candidates {
		if c.ID == "" || seen[c.ID] {
			errs = append(errs, fmt.Errorf("candidate %q: give each an id of its own", c.ID))
		}
		seen[c.ID] = true
		if c.Kind != Human && c.Kind != AI {
			errs = append(errs, fmt.Errorf("candidate %s: kind %q: write human or ai", c.ID, c.Kind))
		}
		if c.Load < 0 || c.Capacity < 0 {
			errs = append(errs, fmt.Errorf("candidate %s: load %d of capacity %d: neither may be negative", c.ID, c.Load, c.Capacity))
		}
	}
	return errors.Join(errs...)
}
