package ticket

import (
	"errors"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Limits of what a ticket may carry.
const (
	MaxSubject     = 500         // bytes
	MaxDescription = 1 << 20     // bytes: 1 MiB
	MaxKey         = 200         // bytes of any id or key that a sender chooses
	MaxNote        = 16 << 10    // bytes of a reason or a note
	MaxWork        = 1 << 31     // milliseconds of one work entry: 24.8 days
	MaxUnstarted   = 86_400_000  // milliseconds of work whose start nobody knows: it is of one date
	MaxTokens      = 1 << 40     // of a model, in or out, in one work entry
	MaxEvents      = 100         // named by one resolution
	ClockSkew      = time.Minute // how far ahead of us a sender's clock may be
)

// Opening is a new ticket as a source delivers it: a mail, a webhook, a person, a log.
type Opening struct {
	Client      string    `json:"client"`                // id of the client, e.g. "northwind"
	Subject     string    `json:"subject"`               // one line
	Description string    `json:"description,omitempty"` // up to MaxDescription bytes
	Contact     string    `json:"contact,omitempty"`     // person id of who asks
	Site        string    `json:"site,omitempty"`
	Device      string    `json:"device,omitempty"`
	Channel     string    `json:"channel,omitempty"`  // phone, mail, portal, chat, monitoring; "portal" when empty
	Source      string    `json:"source"`             // who delivers: "mail", "cli", "uci-log"
	ExternalID  string    `json:"external_id"`        // the source's id of the ticket; unique within the source
	EventID     string    `json:"event_id"`           // the source's id of this delivery; a repeat has no effect
	OpenedAt    time.Time `json:"opened_at"`          // UTC; zero means now
	Category    string    `json:"category,omitempty"` // when the source knows it, triage keeps it
	Subcategory string    `json:"subcategory,omitempty"`
	Impact      int       `json:"impact,omitempty"`     // 1 high … 3 low; 0 unknown
	Urgency     int       `json:"urgency,omitempty"`    // 1 high … 3 low; 0 unknown
	EventTime   bool      `json:"event_time,omitempty"` // the past is told again: no wall-clock timer runs
	ReworkOf    ID        `json:"rework_of,omitempty"`  // the closed ticket whose work this one mends
	Project     string    `json:"project,omitempty"`    // id of the client's project that its work bills to
}

// Validate joins everything wrong with the opening. now bounds OpenedAt.
func (o Opening) Validate(now time.Time) error {
	var errs []error
	errs = append(errs,
		text("client", o.Client, 1, MaxKey),
		text("subject", o.Subject, 1, MaxSubject),
		text("description", o.Description, 0, MaxDescription),
		text("contact", o.Contact, 0, MaxKey),
		text("site", o.Site, 0, MaxKey),
		text("device", o.Device, 0, MaxKey),
		text("channel", o.Channel, 0, MaxKey),
		text("source", o.Source, 1, MaxKey),
		text("external_id", o.ExternalID, 1, MaxKey),
		text("event_id", o.EventID, 1, MaxKey),
		text("category", o.Category, 0, MaxKey),
		text("project", o.Project, 0, MaxKey),
		text("subcategory", o.Subcategory, 0, MaxKey),
		notFuture("opened_at", o.OpenedAt, now),
		scale("impact", o.Impact),
		scale("urgency", o.Urgency),
	)
	if o.ReworkOf != "" {
		if _, err := ParseID(string(o.ReworkOf)); err != nil {
			errs = append(errs, Invalid("rework_of", o.ReworkOf, "is not a ticket number", "write it like T-1042"))
		}
	}
	return errors.Join(errs...)
}

// Opened answers an Opening.
type Opened struct {
	Ticket    ID   `json:"ticket"`
	Duplicate bool `json:"duplicate"` // this delivery, or this external id with the same body, was here before
	Started   bool `json:"started"`   // false: Temporal did not answer; the relay starts the workflow
}

// text refuses what cannot be stored or is of the wrong length, in bytes.
func text(field, s string, shortest, longest int) error {
	switch {
	case len(s) < shortest || (shortest > 0 && strings.TrimSpace(s) == ""):
		return Invalid(field, s, "is empty", "give a "+strings.ReplaceAll(field, "_", " "))
	case len(s) > longest:
		return Invalid(field, s, "is "+size(len(s))+" long", "at most "+size(longest)+" fit; attach the rest as a file elsewhere and link it")
	case strings.IndexByte(s, 0) >= 0:
		return Invalid(field, strings.ReplaceAll(s, "\x00", "␀"), "has a NUL byte", "send plain UTF-8 text")
	case !utf8.ValidString(s):
		return Invalid(field, s, "is not UTF-8", "send plain UTF-8 text")
	}
	return nil
}

// Unseen says that a terminal obeys the character, or nobody sees it: by it a text can pose as another. The joiners that
// scripts write with are none of it.
func Unseen(r rune) bool {
	return unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp) && r != '\u200c' && r != '\u200d'
}

// word refuses what is no name: it goes on to invoices and terminals as it stands.
func word(field, s string, shortest int) error {
	if err := text(field, s, shortest, MaxKey); err != nil {
		return err
	}
	if strings.ContainsFunc(s, Unseen) {
		return Invalid(field, s, "has characters that cannot be seen", "write it as one word, such as remote")
	}
	return nil
}

func notFuture(field string, at, now time.Time) error {
	if at.After(now.Add(ClockSkew)) {
		return Invalid(field, at.UTC().Format(time.RFC3339), "lies in the future", "it is "+now.UTC().Format(time.RFC3339)+" now; check the sender's clock")
	}
	if !at.IsZero() && at.Year() < 1990 {
		return Invalid(field, at.UTC().Format(time.RFC3339), "lies before 1990", "check the sender's clock")
	}
	return nil
}

func scale(field string, n int) error {
	if n < 0 || n > 3 {
		return Invalid(field, n, "is not on the scale", "1 (high), 2 (medium), 3 (low), or leave it out")
	}
	return nil
}
