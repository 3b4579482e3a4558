package triage

import (
	"cmp"
	"fmt"
	"math/bits"
	"slices"
	"strings"
)

// DispatchBoard is where a ticket waits that nobody fits; a dispatcher looks at it.
const DispatchBoard = "dispatch"

// Assignment says who takes a ticket, and why. Nobody fits: the board is DispatchBoard, and Assignee and Kind are empty.
type Assignment struct {
	Board    string `json:"board"`
	Assignee string `json:"assignee,omitempty"`
	Kind     Kind   `json:"kind,omitempty"`
	Why      string `json:"why"` // a sentence for people
}

// Route decides who takes the ticket: an AI agent whose policy allows it, else a person with the skill on the board,
// else the dispatch board. Among several it is who has the smallest share of the capacity in use, then the fewest open
// tickets, then the first id. Nobody absent, excluded or full takes anything. It refuses requests and candidates that
// make no sense.
func Route(r Request, candidates []Candidate) (Assignment, error) {
	if err := validate(r, candidates); err != nil {
		return Assignment{}, fmt.Errorf("routing: %w", err)
	}
	agent, agents := leastLoaded(candidates, func(c Candidate) bool {
		return c.Kind == AI && c.free(r) && c.Policy.allows(r)
	})
	if agents > 0 {
		return Assignment{Board: agent.Board, Assignee: agent.ID, Kind: AI, Why: fmt.Sprintf(
			"%s, an AI agent, takes it: its policy allows %s at priority %d, and the category is %d%% certain.",
			agent.ID, r.Category, r.Priority, r.Confidence)}, nil
	}
	person, people := leastLoaded(candidates, func(c Candidate) bool {
		return c.Kind == Human && c.fits(r) && c.free(r)
	})
	if people > 0 {
		return Assignment{Board: person.Board, Assignee: person.ID, Kind: Human, Why: fmt.Sprintf(
			"%s takes it: %s, %d of %d tickets open%s.%s",
			person.ID, amongst(people, r), person.Load, person.Capacity, skilled(r), whyNoAgent(r))}, nil
	}
	return Assignment{Board: DispatchBoard, Why: "A dispatcher decides: " + whyNobody(r, candidates) + "."}, nil
}

// fits reports whether a person is of the board and has the skill.
func (c Candidate) fits(r Request) bool {
	return (r.Board == "" || c.Board == r.Board) && (r.Skill == "" || slices.Contains(c.Skills, r.Skill))
}

// free reports whether the candidate may take one ticket more.
func (c Candidate) free(r Request) bool {
	return !c.Absent && c.Load < c.Capacity && !slices.Contains(r.Exclude, c.ID)
}

func leastLoaded(candidates []Candidate, may func(Candidate) bool) (best Candidate, count int) {
	for _, c := range candidates {
		if !may(c) {
			continue
		}
		if count == 0 || compareLoad(c, best) < 0 {
			best = c
		}
		count++
	}
	return best, count
}

// compareLoad orders by the share of the capacity in use, compared by cross products, which no division rounds.
func compareLoad(a, b Candidate) int {
	ah, al := bits.Mul64(uint64(a.Load), uint64(b.Capacity))
	bh, bl := bits.Mul64(uint64(b.Load), uint64(a.Capacity))
	return cmp.Or(cmp.Compare(ah, bh), cmp.Compare(al, bl), cmp.Compare(a.Load, b.Load), cmp.Compare(a.ID, b.ID))
}

func amongst(people int, r Request) string {
	on := ""
	if r.Board != "" {
		on = " on the board " + r.Board
	}
	if people == 1 {
		return "the only person free" + on
	}
	return fmt.Sprintf("the least loaded of %d people free%s", people, on)
}

func skilled(r Request) string {
	if r.Skill == "" {
		return ""
	}
	return ", with the skill " + r.Skill
}

func whyNoAgent(r Request) string {
	switch {
	case r.ForceHuman:
		return " A person was asked for."
	case r.Confidence < LowConfidence:
		return fmt.Sprintf(" No AI agent may, because the category %s is only %d%% certain.", r.Category, r.Confidence)
	}
	return ""
}

// whyNobody counts what stands in the way of those who have the skill.
func whyNobody(r Request, candidates []Candidate) string {
	var fit, absent, full, excluded int
	for _, c := range candidates {
		if c.Kind != Human || !c.fits(r) {
			continue
		}
		fit++
		switch {
		case slices.Contains(r.Exclude, c.ID):
			excluded++
		case c.Absent:
			absent++
		default:
			full++
		}
	}
	who := "nobody"
	if r.Skill != "" {
		who += " with the skill " + r.Skill
	}
	if r.Board != "" {
		who += " on the board " + r.Board
	}
	if fit == 0 {
		return "there is " + who
	}
	var reasons []string
	for _, n := range []struct {
		count int
		are   string
	}{{absent, "absent"}, {full, "full"}, {excluded, "excluded"}} {
		if n.count > 0 {
			reasons = append(reasons, fmt.Sprintf("%d %s", n.count, n.are))
		}
	}
	return fmt.Sprintf("%s is free (%s)", who, strings.Join(reasons, ", "))
}
