package replay

import (
	"fmt"
	"strings"
	"time"

	"github.com/docket-psa/docket/ticket"
)

// Source names the log on the tickets it opens.
const Source = "uci-log"

// Kind is what a change of the log stands for.
type Kind string

// The kinds of changes. All but Start and Keep are sent.
const (
	Open    Kind = "open"    // the incident's first row
	Claim   Kind = "claim"   // somebody else has it
	Keep    Kind = "keep"    // another person of the log, whom the same technician plays: no message
	Start   Kind = "start"   // New → Active: the time until the next change is work; no message
	Wait    Kind = "wait"    // → Awaiting …
	Resume  Kind = "resume"  // Awaiting … → Active or New
	Resolve Kind = "resolve" // → Resolved, or → Closed where nobody resolved it
	Confirm Kind = "confirm" // Resolved → Closed: a comment
	Reopen  Kind = "reopen"  // Resolved or Closed → anything open
	Change  Kind = "change"  // a change that makes no sense: refused, with a comment
)

// Step is one message, or one comment, in an incident's story.
type Step struct {
	Kind    Kind
	Message ticket.Message // nil for a comment
	Header  ticket.Header
	Comment string
	Refused string // why the change it comments on was refused
}

// Story is what one incident tells the desk. The times of its steps are all different, and in
// order: the log knows minutes, and mail of the same instant has no order.
type Story struct {
	Opening ticket.Opening
	Steps   []Step
	Silent  []Kind // changes that need no message: Start and Keep
}

// phase is where an incident stands for the desk.
type phase int

const (
	fresh phase = iota // not begun
	active
	waiting
	resolved
	closed // and confirmed
)

func (p phase) over() bool { return p == resolved || p == closed }

// teller turns rows into steps.
type teller struct {
	cast  Cast
	story Story

	number string
	phase  phase
	state  string    // the log's, of the rows before
	junk   string    // the last state refused as unknown
	reason string    // of the wait
	minute time.Time // of the row, never before the row before it
	last   time.Time // of the last step
	row    Row

	group    string // the last one named
	assigned string // the last person named
	holder   string // who has it
	owner    string // who has sent a claim
	claimed  string // who has it at the desk, which takes no claim of a closed ticket
	work     worksheet
}

// Tell gives the story of an incident. The same rows and cast give the same story, with the
// same keys: telling it twice has one effect.
func Tell(in Incident, cast Cast) Story {
	first := in.Rows[0]
	t := teller{cast: cast, number: in.Number, minute: first.OpenedAt, last: first.OpenedAt}
	t.story.Opening = opening(first, cast)
	t.work = worksheet{from: first.OpenedAt, first: true}
	for _, r := range in.Rows {
		t.tell(r)
	}
	return t.story
}

func opening(r Row, cast Cast) ticket.Opening {
	return ticket.Opening{
		Client: cast.client(r), Subject: subject(r), Channel: channel(r.Contact),
		Source: Source, ExternalID: r.Number, EventID: r.Number + "/opened", OpenedAt: r.OpenedAt, EventTime: true,
		Category: prefixed("category ", r.Category), Subcategory: prefixed("subcategory ", r.Subcategory),
		Impact: r.Impact, Urgency: r.Urgency,
	}
}

// subject says what the log knows of an incident whose words were left out of it.
func subject(r Row) string {
	parts := []string{r.Number}
	for _, p := range []string{prefixed("category ", r.Category), prefixed("subcategory ", r.Subcategory), prefixed("symptom ", r.Symptom), prefixed("location ", r.Location)} {
		if p != "" {
			parts = append(parts, p)
		}
	}
	return strings.Join(parts, ", ")
}

func prefixed(prefix, number string) string {
	if number == "" {
		return ""
	}
	return prefix + number
}

func channel(contact string) string {
	switch c := strings.ToLower(contact); c {
	case "email":
		return "mail"
	case "self service":
		return "portal"
	default:
		return c
	}
}

// tell adds what one row changes.
func (t *teller) tell(r Row) {
	t.row = r
	if r.UpdatedAt.After(t.minute) {
		t.minute = r.UpdatedAt // a time that runs backwards counts as the one before it
	}
	if !known(r.State) {
		if r.State != t.junk {
			t.refuse(fmt.Sprintf("the state %q is none of the desk's", r.State))
		}
		t.junk = r.State
		return
	}
	t.junk = ""
	t.assign(r)
	changed := r.State != t.state
	if changed && t.phase.over() && !isOver(r.State) {
		t.reopen()
	}
	if t.holder != t.owner && t.holder != "" {
		t.claim()
	}
	if changed {
		t.change(r.State)
	}
	t.work.follow(r.State == stateActive, t.holder, t.minute)
	t.state = r.State
}

// The states of the log.
const (
	stateNew      = "New"
	stateActive   = "Active"
	stateResolved = "Resolved"
	stateClosed   = "Closed"
	awaiting      = "Awaiting " // User Info, Vendor, Problem, Evidence
)

func known(state string) bool {
	return state == stateNew || state == stateActive || isOver(state) || strings.HasPrefix(state, awaiting)
}

func isOver(state string) bool { return state == stateResolved || state == stateClosed }

// awaited says in the desk's words for whom the log waits.
func awaited(state string) string {
	who := strings.ToLower(strings.TrimPrefix(state, awaiting))
	if who == "user info" {
		return "customer"
	}
	return who
}

// assign follows who has it: whoever is named; where a group is named anew without a person,
// whoever keeps that group's queue; otherwise it stays. A group alone does not make anybody
// begin: while the state is New, nobody has it.
func (t *teller) assign(r Row) {
	moved := r.Group != "" && r.Group != t.group
	if r.Group != "" {
		t.group = r.Group
	}
	switch {
	case r.Assigned != "":
		who := t.cast.person(r.Assigned)
		if t.assigned != "" && r.Assigned != t.assigned && who == t.owner {
			t.story.Silent = append(t.story.Silent, Keep)
		}
		t.holder, t.assigned = who, r.Assigned
	case moved && r.State == stateNew:
		t.holder = ""
	case moved:
		t.holder = t.cast.keeper(t.group)
	}
	if t.holder != "" || r.State == stateNew {
		return
	}
	if t.group != "" {
		t.holder = t.cast.keeper(t.group)
		return
	}
	t.holder = t.cast.anybody(t.number)
}

// change adds the message that a change of state stands for.
func (t *teller) change(state string) {
	switch {
	case state == stateNew:
		switch t.phase {
		case waiting:
			t.resume()
		case active:
			if t.state == stateActive {
				t.refuse("work has begun, and the desk has no way back to New")
			}
		case fresh, resolved, closed:
		}
	case state == stateActive:
		switch t.phase {
		case fresh:
			t.phase = active
			t.story.Silent = append(t.story.Silent, Start)
		case waiting:
			t.resume()
		case active, resolved, closed:
		}
	case state == stateResolved && t.phase == closed:
		t.refuse("it is closed; only a reopened one can be resolved again")
	case state == stateResolved && !t.phase.over():
		t.resolve()
	case state == stateClosed && t.phase != closed:
		if t.phase != resolved {
			t.resolve()
		}
		t.phase = closed
		t.comment(Confirm, "Closed in the log: the resolution stands.", "")
	case strings.HasPrefix(state, awaiting):
		t.wait(awaited(state))
	}
}
