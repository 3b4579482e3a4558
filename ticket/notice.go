package ticket

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"
)

// Where a notice goes.
const (
	ByMail    = "mail"
	ByWebhook = "webhook"
)

// What a notice tells. Each has a template.
const (
	TellsAsked     = "asked"     // the client is asked to sign off
	TellsReminder  = "reminder"  // what was asked still waits
	TellsOverdue   = "overdue"   // nobody answered in time: quoted afresh, one step further up
	TellsException = "exception" // a dispatcher must rule
	TellsDeclined  = "declined"
	TellsApproved  = "approved"
	TellsRuled     = "ruled"
	TellsProposed  = "proposed" // a ruling needs a second person
	TellsRejected  = "rejected" // who did not confirm it
	TellsWarning   = "warning"  // an SLA target is near
	TellsBreach    = "breach"   // an SLA target passed unmet
	TellsEscalated = "escalated"
	TellsAssigned  = "assigned" // routing gave somebody the ticket
	TellsChanged   = "changed"  // somebody else did something to the ticket that one has, or had
	TellsReopened  = "reopened"
	TellsBlockLow  = "block-low"   // bought hours run out
	TellsDispute   = "dispute"     // a line of an invoice is in question
	TellsPastDue   = "past-due"    // an invoice came to a step of its reminders: ours hear
	TellsInvoice   = "invoice"     // to the payer: an invoice, with its files
	TellsPayment   = "payment-due" // to the payer: what is owed on an invoice that is overdue
	TellsNote      = "credit-note" // to the payer: a credit note, with its files
)

// Tells lists them all.
var Tells = []string{
	TellsAsked, TellsReminder, TellsOverdue, TellsException, TellsDeclined, TellsApproved, TellsRuled,
	TellsProposed, TellsRejected,
	TellsWarning, TellsBreach, TellsEscalated, TellsAssigned, TellsChanged, TellsReopened, TellsBlockLow,
	TellsDispute, TellsPastDue, TellsInvoice, TellsPayment, TellsNote,
}

// NoticeState is what became of a notice.
type NoticeState string

// The states.
const (
	NoticeWaiting       NoticeState = "waiting"
	NoticeSent          NoticeState = "sent"
	NoticeDead          NoticeState = "dead"          // refused for good, or tried too often
	NoticeUndeliverable NoticeState = "undeliverable" // there is no address
	NoticeMoot          NoticeState = "moot"          // it was decided before this could go out
)

// Notice is one message that somebody is to get, with what its words need.
type Notice struct {
	ID         int64       `json:"notice"`
	Tells      string      `json:"tells"`
	Channel    string      `json:"channel"`
	Recipient  string      `json:"recipient"` // person, endpoint or a payer's mail address; empty: nobody was there to hear
	State      NoticeState `json:"state"`
	Urgent     bool        `json:"urgent"` // goes out in quiet hours, too
	Tries      int         `json:"tries"`
	LastError  string      `json:"last_error,omitempty"`
	Ticket     ID          `json:"ticket,omitempty"`
	Invoice    string      `json:"invoice,omitempty"`     // number
	CreditNote string      `json:"credit_note,omitempty"` // number, of one about that invoice
	Client     string      `json:"client"`
	Says       string      `json:"says"`
	At         time.Time   `json:"at"`
	CreatedAt  time.Time   `json:"created_at"`
	DueAt      time.Time   `json:"due_at"` // not tried before
	SentAt     *time.Time  `json:"sent_at,omitempty"`
	Quote      *Quoted     `json:"quote,omitempty"`
}

// Billed is the invoice, or the credit note, that a notice takes to its payer, as it stands when that is sent.
type Billed struct {
	Payable  decimal.Decimal // with tax
	Owed     decimal.Decimal // less what is in question
	Currency string
	DueOn    string // local date
	Seller   string // name
	Answers  string // the seller's mail address
	IBAN     string
	Files    []File

	GivesBack *GivesBack // nil: it is an invoice
}

// GivesBack is what a credit note that goes to its payer does with its amount.
type GivesBack struct {
	Number   string
	Reduces  decimal.Decimal // of what was owed on the invoice
	ToCredit decimal.Decimal // the rest: the payer's credit
	Reason   string
}

// File goes with a mail.
type File struct {
	Name      string
	MediaType string
	Content   []byte
}

// Quoted is the hold that a notice is about, as it stood then.
type Quoted struct {
	Hold     int64           `json:"hold"`
	Kind     string          `json:"kind"` // sign-off or exception
	Reason   string          `json:"reason"`
	Says     string          `json:"says"`
	Amount   decimal.Decimal `json:"amount"`
	Currency string          `json:"currency"`
	Digest   string          `json:"digest"`
	Step     int             `json:"step"`
	Until    time.Time       `json:"expires_at"`
}

// Claimed is a notice that one try has for a while, with its recipient.
type Claimed struct {
	Notice
	Lease      string // names the try: whoever lost it changes nothing
	Subject    string // of the ticket
	ClientName string
	Zone       string // of the client
	Name       string // of the person
	Email      string
	Outside    bool // the recipient is one of the client's people
	Endpoint   Endpoint
	Billed     *Billed // the invoice it takes to its payer; nil: it takes none
	Moot       string  // why it need not go out any more; empty: it must
	Quiet      *Quiet
}

// NoticeEnd is what became of one try.
type NoticeEnd struct {
	State NoticeState
	Why   string
	Again time.Time // of one that still waits: when it is tried next
	Tried bool      // it was handed over, or refused; else the try does not count
}

// Endpoint is a program of ours that hears of notices.
type Endpoint struct {
	ID      string    `json:"endpoint"`
	URL     string    `json:"url"`
	Secret  string    `json:"secret,omitempty"` // whsec_…
	Tells   []string  `json:"tells"`            // empty: all
	Private bool      `json:"private"`          // may lie in a private network, and be plain HTTP there
	Active  bool      `json:"active"`
	By      string    `json:"set_by"`
	At      time.Time `json:"set_at"`
}

// Validate checks it, but for its secret.
func (e Endpoint) Validate() error {
	var errs []error
	u, err := url.Parse(e.URL)
	switch {
	case err != nil || u.Host == "":
		errs = append(errs, Invalid("url", e.URL, "is not an address", "give one like https://hooks.example.com/docket"))
	case u.Scheme != "https" && (u.Scheme != "http" || !e.Private):
		errs = append(errs, Invalid("url", e.URL, "is not https", "use https; plain http only with --private, within a network of your own"))
	case u.User != nil || u.Fragment != "":
		errs = append(errs, Invalid("url", u.Redacted(), "carries a password or a fragment", "leave them out: every delivery is signed"))
	case len(e.URL) > 2000:
		errs = append(errs, Invalid("url", e.URL[:40]+"…", "is too long", "at most 2000 bytes"))
	}
	for _, t := range e.Tells {
		if !slices.Contains(Tells, t) {
			errs = append(errs, Invalid("tells", t, "is not a notice", strings.Join(Tells, ", ")))
		}
	}
	return errors.Join(errs...)
}

// Quiet is when somebody does not want to be disturbed, by the wall clock.
type Quiet struct {
	Person  string    `json:"person"` // empty: the whole house
	Zone    string    `json:"zone"`
	Begins  int       `json:"begins"` // minute of the day
	Ends    int       `json:"ends"`   // minute of the day; before Begins: of the next one
	Weekend bool      `json:"weekend"`
	By      string    `json:"set_by"`
	At      time.Time `json:"set_at"`
}

// Validate checks its zone and its hours.
func (q Quiet) Validate() error {
	var errs []error
	if _, err := time.LoadLocation(q.Zone); err != nil || q.Zone == "" || q.Zone == "Local" {
		errs = append(errs, Invalid("zone", q.Zone, "is not a time zone", "give one like Europe/Berlin"))
	}
	if day := 24 * 60; q.Begins < 0 || q.Begins >= day || q.Ends < 0 || q.Ends >= day || q.Begins == q.Ends {
		errs = append(errs, Invalid("hours", q.Hours(), "are no quiet hours", "give two times of the day, such as 22:00-07:00"))
	}
	return errors.Join(errs...)
}

// Hours writes them as 22:00-07:00.
func (q Quiet) Hours() string {
	return fmt.Sprintf("%02d:%02d-%02d:%02d", q.Begins/60, q.Begins%60, q.Ends/60, q.Ends%60)
}

// CaughtMail is a mail that the catcher of `docket up` took.
type CaughtMail struct {
	ID        int64     `json:"mail"`
	At        time.Time `json:"at"`
	From      string    `json:"from"`
	To        []string  `json:"to"`
	MessageID string    `json:"message_id"`
	Subject   string    `json:"subject"`
	Raw       []byte    `json:"-"`
}
