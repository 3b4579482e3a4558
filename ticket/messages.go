package ticket

import (
	"errors"
	"slices"
	"strings"
	"time"
)

// Name is the name of a message: of its signal, and of its update where it has one.
type Name string

// The messages a ticket understands.
const (
	MsgClaim           Name = "claim"
	MsgWork            Name = "work"
	MsgWait            Name = "wait"
	MsgResume          Name = "resume"
	MsgEscalate        Name = "escalate"
	MsgResolve         Name = "resolve"
	MsgRequestApproval Name = "request-approval"
	MsgSignOff         Name = "sign-off"
	MsgRule            Name = "rule"
	MsgConfirm         Name = "confirm"
	MsgReply           Name = "reply"
	MsgReopen          Name = "reopen"
	MsgMerge           Name = "merge"
	MsgCancel          Name = "cancel"
)

// Typed gives the header of a message that carries no proof: whatever it says, it came by way of Temporal.
func (h Header) Typed() Header {
	h.Via, h.Proof = ViaTemporal, ""
	return h
}

// Where a message came from.
const (
	ViaCLI      = "cli"
	ViaAPI      = "api"
	ViaAgent    = "agent"
	ViaReplay   = "replay"
	ViaRelay    = "relay"    // what follows from a deed elsewhere in Docket
	ViaLink     = "link"     // the signed link of an approval mail
	ViaTemporal = "temporal" // a signal typed into the Temporal UI; it proves nobody's identity
)

// Header is on every message. A signal typed by hand may leave out all but OperationKey.
type Header struct {
	OperationKey string    `json:"operation_key"` // the sender's; the same key twice has one effect
	Who          string    `json:"who"`           // person id
	Via          string    `json:"via"`           // one of Via…; empty counts as ViaTemporal
	At           time.Time `json:"at"`            // when it happened, UTC; zero means when it arrived
	// Proof shows that the desk took the message from Who; see Prove. What decides about money needs it.
	Proof string `json:"proof,omitempty"`
}

// Validate checks the header's shape.
func (h Header) Validate() error {
	return errors.Join(
		text("operation_key", h.OperationKey, 1, MaxKey),
		h.unreserved(),
		text("who", h.Who, 1, MaxKey),
		text("via", h.Via, 0, MaxKey),
		text("proof", h.Proof, 0, MaxKey),
	)
}

// unreserved keeps senders off the keys under which the record keeps late and merged messages:
// one that took such a key would keep another's message off the record.
func (h Header) unreserved() error {
	for _, prefix := range []string{"late/", "merged/"} {
		if strings.HasPrefix(h.OperationKey, prefix) {
			return Invalid("operation_key", h.OperationKey, "begins with "+prefix+", which is Docket's own", "choose another key")
		}
	}
	return nil
}

// Head gives the header; every message has it by embedding.
func (h Header) Head() Header { return h }

// Stamp fills in what a signal typed by hand leaves out: where it came from, and when.
func (h *Header) Stamp(arrived time.Time) {
	if h.Via == "" {
		h.Via = ViaTemporal
	}
	if h.At.IsZero() {
		h.At = arrived.UTC()
	}
}

// Message is what a ticket's mailbox takes.
type Message interface {
	Head() Header
	Validate() error
}

// Claim takes the ticket: the sender is now its assignee.
type Claim struct {
	Header
}

// WorkEntry is work as it was measured, never as it was estimated.
type WorkEntry struct {
	OperationKey string    `json:"operation_key"`       // unique; the same entry twice is one entry
	Actor        string    `json:"actor"`               // person id of who did it; empty means the message's sender
	WorkType     string    `json:"work_type"`           // remote, onsite, travel, ai-resolution, …
	WorkRole     string    `json:"work_role,omitempty"` // empty means the actor's own
	StartedAt    time.Time `json:"started_at"`          // UTC; zero where nobody knows: some time on the local date of the message
	MS           int64     `json:"ms"`                  // elapsed milliseconds, > 0 unless Outcome is "failed"
	Outcome      string    `json:"outcome,omitempty"`   // "productive" (default) or "failed": a failed attempt costs, and does not bill
	NonBillable  bool      `json:"non_billable,omitempty"`
	Hourly       string    `json:"hourly,omitempty"` // decimal: a rate of its own, which wins over the rate card; it takes a right
	Note         string    `json:"note,omitempty"`
	TokensIn     int64     `json:"tokens_in,omitempty"` // of the model, for the cost
	TokensOut    int64     `json:"tokens_out,omitempty"`
}

// Outcomes of work.
const (
	Productive = "productive"
	Failed     = "failed"
)

// Validate checks the entry's shape; the store checks it against its clock.
func (w WorkEntry) Validate() error {
	errs := []error{
		text("work.operation_key", w.OperationKey, 1, MaxKey),
		text("work.actor", w.Actor, 0, MaxKey),
		word("work.work_type", w.WorkType, 1),
		word("work.work_role", w.WorkRole, 0),
		text("work.note", w.Note, 0, MaxNote),
	}
	if w.Hourly != "" {
		errs = append(errs, decimalText("work.hourly", w.Hourly, "give what an hour costs, such as 150.00"))
	}
	switch {
	case w.StartedAt.IsZero() && w.MS > MaxUnstarted:
		errs = append(errs, Invalid("work.ms", w.MS, "is longer than a day, and says not when it began", "give its start, or log it as one entry a day"))
	case w.MS < 0:
		errs = append(errs, Invalid("work.ms", w.MS, "is negative", "give elapsed milliseconds; correct earlier work with a new entry"))
	case w.MS == 0 && w.Outcome != Failed:
		errs = append(errs, Invalid("work.ms", w.MS, "is zero", "give the milliseconds that were measured, at least 1"))
	case w.MS > MaxWork:
		errs = append(errs, Invalid("work.ms", w.MS, "is longer than 24 days", "log it as one entry a day"))
	}
	if w.Outcome != "" && w.Outcome != Productive && w.Outcome != Failed {
		errs = append(errs, Invalid("work.outcome", w.Outcome, "is not known", `"productive" or "failed"`))
	}
	if w.TokensIn < 0 || w.TokensOut < 0 {
		errs = append(errs, Invalid("work.tokens", min(w.TokensIn, w.TokensOut), "is negative", "give the tokens the model reported"))
	}
	if max(w.TokensIn, w.TokensOut) > MaxTokens {
		errs = append(errs, Invalid("work.tokens", max(w.TokensIn, w.TokensOut), "are more than an entry can have used", "give the tokens the model reported"))
	}
	return errors.Join(errs...)
}

// Work logs one entry.
type Work struct {
	Header
	Entry WorkEntry `json:"entry"`
}

// SetsRate says whether the message prices work by hand: only who may does, and he is proved to have.
func (m Work) SetsRate() bool { return m.Entry.Hourly != "" }

// Validate checks the message's shape.
func (m Work) Validate() error { return errors.Join(m.Header.Validate(), m.Entry.Validate()) }

// Wait asks the customer; the SLA clock pauses.
type Wait struct {
	Header
	Reason string `json:"reason"` // customer, vendor, part
}

// Resume ends a Wait.
type Resume struct {
	Header
}

// Escalate hands the ticket on, away from its assignee.
type Escalate struct {
	Header
	To     string `json:"to,omitempty"` // person id; empty: routing finds another
	Reason string `json:"reason"`
}

// Resolve says the work is done and closes the ticket's round. Its own work entries are
// written in the closing transaction.
type Resolve struct {
	Header
	Resolution string      `json:"resolution"`     // what was done, one sentence for the invoice
	Code       string      `json:"code,omitempty"` // solved (default), silent, duplicate, spam
	Work       []WorkEntry `json:"work,omitempty"`
	Events     []Usage     `json:"events,omitempty"` // what else happened that a contract may price
}

// Resolution codes.
const (
	Solved    = "solved"
	Silent    = "silent"    // the customer fell silent: logged work bills, the closure does not
	Duplicate = "duplicate" // no minimum, no charge of its own
	Spam      = "spam"
)

// SetsRate says whether the message prices work by hand.
func (m Resolve) SetsRate() bool {
	return slices.ContainsFunc(m.Work, func(w WorkEntry) bool { return w.Hourly != "" })
}

// Validate checks the message's shape.
func (m Resolve) Validate() error {
	errs := []error{m.Header.Validate(), text("resolution", m.Resolution, 1, MaxNote)}
	switch m.Code {
	case "", Solved, Silent, Duplicate, Spam:
	default:
		errs = append(errs, Invalid("code", m.Code, "is not a resolution code", "solved, silent, duplicate or spam"))
	}
	for _, w := range m.Work {
		errs = append(errs, w.Validate())
	}
	return errors.Join(append(errs, validateUsage(m.Events))...)
}

// RequestApproval asks the client's approver before an action that will cost.
type RequestApproval struct {
	Header
	Action   string `json:"action"`   // one sentence: what is going to be done
	Amount   string `json:"amount"`   // decimal, the estimate
	Currency string `json:"currency"` // ISO 4217
}

// SignOff approves or declines the quote of one hold.
type SignOff struct {
	Header
	Hold     int64  `json:"hold"`   // n of H-n
	Digest   string `json:"digest"` // of the quote that was shown; another digest is stale
	Approved bool   `json:"approved"`
	Reason   string `json:"reason,omitempty"` // required to decline
}

// Validate checks the message's shape.
func (m SignOff) Validate() error {
	errs := []error{m.Header.Validate(), positive("hold", m.Hold), text("digest", m.Digest, 1, MaxKey), text("reason", m.Reason, 0, MaxNote)}
	if !m.Approved && strings.TrimSpace(m.Reason) == "" {
		errs = append(errs, Invalid("reason", "", "is empty", "say why the quote is declined; the dispatcher reads it"))
	}
	return errors.Join(errs...)
}

// Reply says that the customer answered; the words are a comment row.
type Reply struct {
	Header
	Comment int64 `json:"comment"` // row id of the comment
}

// Reopen starts the ticket's next round.
type Reopen struct {
	Header
	Reason string `json:"reason"`
}

// Merge ends this ticket; Into carries on with its work.
type Merge struct {
	Header
	Into ID `json:"into"`
}

// Cancel ends the ticket without a closure. Work that was logged must be ruled on first.
type Cancel struct {
	Header
	Reason string `json:"reason"`
}

// Validate checks the message's shape.
func (m Wait) Validate() error {
	return errors.Join(m.Header.Validate(), text("reason", m.Reason, 1, MaxNote))
}

// Validate checks the message's shape.
func (m Escalate) Validate() error {
	return errors.Join(m.Header.Validate(), text("to", m.To, 0, MaxKey), text("reason", m.Reason, 1, MaxNote))
}

// Validate checks the message's shape; the store checks the amount.
func (m RequestApproval) Validate() error {
	return errors.Join(m.Header.Validate(), text("action", m.Action, 1, MaxNote), text("amount", m.Amount, 1, 40), text("currency", m.Currency, 3, 3))
}

// Validate checks the message's shape.
func (m Reopen) Validate() error {
	return errors.Join(m.Header.Validate(), text("reason", m.Reason, 1, MaxNote))
}

// Validate checks the message's shape.
func (m Merge) Validate() error {
	_, err := ParseID(string(m.Into))
	return errors.Join(m.Header.Validate(), err)
}

// Validate checks the message's shape.
func (m Cancel) Validate() error {
	return errors.Join(m.Header.Validate(), text("reason", m.Reason, 1, MaxNote))
}

func positive(field string, n int64) error {
	if n < 1 {
		return Invalid(field, n, "is not a "+field+" number", "`docket approval list` and `docket exception list` show them")
	}
	return nil
}
