package seed

import (
	"fmt"
	"sync"
	"time"

	"github.com/docket-psa/docket/ticket"
)

// Do is what somebody does in a play: the message that it stands for.
type Do string

// The deeds of a play.
const (
	Claim           Do = "claim"
	Work            Do = "work" // logs Took
	Wait            Do = "wait" // for Note: customer, vendor, part
	Resume          Do = "resume"
	Reply           Do = "reply" // the client's contact writes Note
	Escalate        Do = "escalate"
	Resolve         Do = "resolve" // with Took as its last work, if any
	RequestApproval Do = "request-approval"
	Approve         Do = "approve" // every quote that waits for the client on this ticket
	Decline         Do = "decline"
	Rule            Do = "rule" // every exception that waits on this ticket, by Action
	Reopen          Do = "reopen"
	Merge           Do = "merge"
	Cancel          Do = "cancel"
	Item            Do = "item"  // a part, licence or expense, Note
	Usage           Do = "usage" // Quantity of Event, outside the ticket
)

// Step is one thing that happens to a ticket.
type Step struct {
	Actor    string        // person id
	Do       Do            //
	Took     time.Duration // of Work and Resolve: as it would be measured; 0: no work with it
	WorkType string        // remote, onsite, travel, ai-resolution
	Failed   bool          // of Work: the attempt did not work
	Tokens   int64         // of the agent's model, in and out together
	Code     string        // of Resolve: empty is solved
	Action   ticket.Ruling // of Rule
	Hourly   string        // of Rule: the rate, where none is agreed
	Amount   string        // of RequestApproval, in Currency
	Currency string        //
	Into     string        // of Merge: the external id of the ticket that lives on
	To       string        // of Escalate: person id
	Item     string        // of Item: its kind
	Cost     string        // of Item: of one, in the client's currency
	Event    string        // of Usage
	Quantity string        // of Item and Usage
	Note     string        // what is said or was done
}

// Ticket is one demo ticket: how it comes in, and what happens to it.
type Ticket struct {
	Opening  ticket.Opening // its OpenedAt is zero: now
	Category string         // what triage makes of its text
	At       string         // wall clock of the client at which it came in, on a weekday; empty: any time
	Shows    string         // what a viewer learns from it, one sentence
	Play     []Step         // in order; a play that does not end in a resolution leaves the ticket with somebody
}

// Source is where the demo's tickets come from.
const Source = "demo"

type ticketFile struct {
	Tickets []struct {
		ID          string     `yaml:"id"`
		Client      string     `yaml:"client"`
		Contact     string     `yaml:"contact"`
		Site        string     `yaml:"site"`
		Channel     string     `yaml:"channel"`
		Subject     string     `yaml:"subject"`
		Description string     `yaml:"description"`
		Category    string     `yaml:"category"`
		At          string     `yaml:"at"`
		Shows       string     `yaml:"shows"`
		Play        []stepFile `yaml:"play"`
	} `yaml:"tickets"`
}

type stepFile struct {
	Actor    string        `yaml:"actor"`
	Do       Do            `yaml:"do"`
	Took     time.Duration `yaml:"took"`
	WorkType string        `yaml:"type"`
	Failed   bool          `yaml:"failed"`
	Tokens   int64         `yaml:"tokens"`
	Code     string        `yaml:"code"`
	Action   ticket.Ruling `yaml:"action"`
	Hourly   string        `yaml:"hourly"`
	Amount   string        `yaml:"amount"`
	Currency string        `yaml:"currency"`
	Into     string        `yaml:"into"`
	To       string        `yaml:"to"`
	Item     string        `yaml:"item"`
	Cost     string        `yaml:"cost"`
	Event    string        `yaml:"event"`
	Quantity string        `yaml:"quantity"`
	Note     string        `yaml:"note"`
}

// Tickets gives the demo's tickets, in the order in which they come in.
var Tickets = sync.OnceValues(func() ([]Ticket, error) {
	var f ticketFile
	if err := read("tickets.yaml", &f); err != nil {
		return nil, err
	}
	tickets := make([]Ticket, 0, len(f.Tickets))
	for _, in := range f.Tickets {
		t := Ticket{
			Opening: ticket.Opening{
				Client: in.Client, Subject: in.Subject, Description: in.Description, Contact: in.Contact, Site: in.Site, Channel: in.Channel,
				Source: Source, ExternalID: in.ID, EventID: in.ID + "/opened",
			},
			Category: in.Category, At: in.At, Shows: in.Shows,
		}
		for i, s := range in.Play {
			if s.Actor == "" || s.Do == "" {
				return nil, fmt.Errorf("tickets.yaml: %s, step %d: needs an actor and what he does", in.ID, i+1)
			}
			t.Play = append(t.Play, Step(s))
		}
		tickets = append(tickets, t)
	}
	return tickets, nil
})

// Began is when a ticket comes in whose play takes so long, so that all of it has ended by now: as late
// as that, or, where At says so, at that time of the last weekday on which it fits in.
func (t Ticket) Began(now time.Time, takes time.Duration, zone *time.Location) (time.Time, error) {
	latest := now.Add(-takes)
	if t.At == "" {
		return latest, nil
	}
	at, err := time.Parse("15:04", t.At)
	if err != nil {
		return time.Time{}, fmt.Errorf("tickets.yaml: %s: at: %w", t.Opening.ExternalID, err)
	}
	local := latest.In(zone)
	for back := 0; ; back++ {
		began := time.Date(local.Year(), local.Month(), local.Day()-back, at.Hour(), at.Minute(), 0, 0, zone)
		if day := began.Weekday(); day != time.Saturday && day != time.Sunday && !began.After(latest) {
			return began, nil
		}
	}
}
