package ticket

import (
	"errors"
	"slices"
	"strings"
)

// Rule decides an exception.
type Rule struct {
	Header
	Hold   int64  `json:"hold"`
	Action Ruling `json:"action"`
	Reason string `json:"reason"`
	// Decimal: with Bill on a hold without a rate, the rate to use; with ToProject that of what a contract covered, too.
	Hourly string `json:"hourly,omitempty"`
	RuleTerms
}

// RuleTerms complete the rulings that need more than a reason.
type RuleTerms struct {
	Contract   string `json:"contract,omitempty"`    // with OtherContract: id of a contract of the same client
	Project    string `json:"project,omitempty"`     // with ToProject: id; a project that is not there yet is made
	Name       string `json:"name,omitempty"`        // of a project that is made; empty: the ticket's subject
	Budget     string `json:"budget,omitempty"`      // decimal, of a project that is made
	Hours      string `json:"hours,omitempty"`       // decimal, likewise
	Currency   string `json:"currency,omitempty"`    // ISO 4217, of the budget; empty: the hold's
	BillMS     int64  `json:"bill_ms,omitempty"`     // with Split: how much billable time bills
	BillAmount string `json:"bill_amount,omitempty"` // decimal: or which amount
	Rest       Ruling `json:"rest,omitempty"`        // with Split: Cover or WriteOff
}

// Ruling is what a dispatcher may decide.
type Ruling string

// The rulings.
const (
	Bill          Ruling = "bill"      // post the quote as it stands
	Cover         Ruling = "cover"     // post it at zero: the contract covers it after all
	WriteOff      Ruling = "write-off" // post it at zero: we bear it
	Rework        Ruling = "rework"    // void the hold; the ticket goes back to resolution in a new round
	ToProject     Ruling = "project"   // post the quote, against a project's budget; the ticket belongs to it from now on
	OtherContract Ruling = "contract"  // rate the held work under another contract of the client
	Split         Ruling = "split"     // post a part of the quote; cover or write off the rest
)

// Rulings lists them.
var Rulings = []Ruling{Bill, Cover, WriteOff, Rework, ToProject, OtherContract, Split}

// Validate checks the message's shape.
func (m Rule) Validate() error {
	errs := []error{m.Header.Validate(), positive("hold", m.Hold), text("reason", m.Reason, 1, MaxNote), text("hourly", m.Hourly, 0, 40)}
	if !slices.Contains(Rulings, m.Action) {
		errs = append(errs, Invalid("action", m.Action, "is not a ruling", "bill, cover, write-off, rework, project, contract or split"))
		return errors.Join(errs...)
	}
	return errors.Join(append(errs, m.validate(m.Action)...)...)
}

// validate checks that the action has what it needs, and nothing that is another's.
func (t RuleTerms) validate(action Ruling) []error {
	errs := []error{
		text("contract", t.Contract, 0, MaxKey), text("project", t.Project, 0, MaxKey), text("name", t.Name, 0, MaxSubject),
		text("budget", t.Budget, 0, 40), text("hours", t.Hours, 0, 40), text("bill_amount", t.BillAmount, 0, 40),
	}
	only := func(needed Ruling, field, value string) {
		if value != "" && action != needed {
			errs = append(errs, Invalid(field, value, "is not for the ruling "+string(action), "it goes with "+string(needed)))
		}
	}
	only(OtherContract, "contract", t.Contract)
	only(ToProject, "project", t.Project)
	only(ToProject, "name", t.Name)
	only(ToProject, "budget", t.Budget)
	only(ToProject, "hours", t.Hours)
	only(ToProject, "currency", t.Currency)
	only(Split, "bill_amount", t.BillAmount)
	only(Split, "rest", string(t.Rest))
	switch {
	case action == OtherContract && t.Contract == "":
		errs = append(errs, Invalid("contract", "", "is empty", "name a contract of the client; `docket contract list` shows them"))
	case action == ToProject && t.Project == "":
		errs = append(errs, Invalid("project", "", "is empty", "name a project of the client, or a new one with its budget"))
	case action == Split && (t.BillAmount == "") == (t.BillMS == 0):
		errs = append(errs, Invalid("bill_ms", t.BillMS, "or bill_amount: exactly one of them says what bills", "give 60 minutes, or 100.00"))
	case action != Split && t.BillMS != 0:
		errs = append(errs, Invalid("bill_ms", t.BillMS, "is not for the ruling "+string(action), "it goes with split"))
	case t.BillMS < 0 || t.BillMS > MaxWork:
		errs = append(errs, Invalid("bill_ms", t.BillMS, "is no time that could bill", "give milliseconds, more than 0"))
	case action == Split && t.Rest != Cover && t.Rest != WriteOff:
		errs = append(errs, Invalid("rest", t.Rest, "does not say what becomes of the rest", "cover or write-off"))
	}
	for _, of := range []struct{ field, value, fix string }{
		{"budget", t.Budget, "give an amount such as 5000.00"},
		{"hours", t.Hours, "give hours such as 40 or 7.5"},
		{"bill_amount", t.BillAmount, "give an amount such as 100.00"},
	} {
		if of.value != "" {
			errs = append(errs, decimalText(of.field, of.value, of.fix))
		}
	}
	if t.Currency != "" {
		errs = append(errs, text("currency", t.Currency, 3, 3))
	}
	return errs
}

// Confirm is a second person's word about a ruling above its sender's limit.
type Confirm struct {
	Header
	Hold     int64  `json:"hold"`
	Proposal string `json:"proposal"` // the digest of what was proposed; another one is stale
	Agreed   bool   `json:"agreed"`
	Reason   string `json:"reason,omitempty"` // required to reject
}

// Validate checks the message's shape.
func (m Confirm) Validate() error {
	errs := []error{m.Header.Validate(), positive("hold", m.Hold), text("proposal", m.Proposal, 1, MaxKey), text("reason", m.Reason, 0, MaxNote)}
	if !m.Agreed && strings.TrimSpace(m.Reason) == "" {
		errs = append(errs, Invalid("reason", "", "is empty", "say why the ruling is rejected; who proposed it reads it"))
	}
	return errors.Join(errs...)
}
