package ticket

import (
	"errors"
	"strconv"
	"strings"
)

// SplitOff moves work and items that nobody has billed off the ticket to a new one of the same client, which has a life
// of its own from there on. Like a Move it is a row-level deed: no workflow waits for it.
type SplitOff struct {
	Header
	Subject  string  `json:"subject"`            // of the new ticket
	Category string  `json:"category,omitempty"` // of the new ticket; empty: triage finds it
	Work     []int64 `json:"work,omitempty"`     // n of W-n
	Items    []int64 `json:"items,omitempty"`    // n of I-n
}

// Validate checks the shape; the store checks that what is named is there, and unbilled.
func (m SplitOff) Validate() error {
	errs := []error{m.Header.Validate(), text("subject", m.Subject, 1, MaxSubject), text("category", m.Category, 0, MaxKey)}
	if len(m.Work)+len(m.Items) == 0 {
		errs = append(errs, Invalid("work", "", "is empty", "name the work entries or items to move, such as --work W-3,W-4; `docket ticket show` lists them"))
	}
	return errors.Join(errs...)
}

// Unmerge takes a merge back: the ticket goes on in its next round, with what the merge took from it.
type Unmerge struct {
	Header
	Reason string `json:"reason"`
}

// Validate checks the message's shape.
func (m Unmerge) Validate() error {
	return errors.Join(m.Header.Validate(), text("reason", m.Reason, 1, MaxNote))
}

// WorkID names work entry n: "W-3".
func WorkID(n int64) string { return "W-" + strconv.FormatInt(n, 10) }

// ItemID names item n: "I-3".
func ItemID(n int64) string { return "I-" + strconv.FormatInt(n, 10) }

// ParseWorkID accepts "W-3" and "3".
func ParseWorkID(s string) (int64, error) { return numbered("work", "W-", s) }

// ParseItemID accepts "I-3" and "3".
func ParseItemID(s string) (int64, error) { return numbered("item", "I-", s) }

func numbered(field, prefix, s string) (int64, error) {
	n, err := strconv.ParseInt(strings.TrimPrefix(strings.ToUpper(strings.TrimSpace(s)), prefix), 10, 64)
	if err != nil || n < 1 {
		return 0, Invalid(field, s, "is not the number of "+field, "write it like "+prefix+"3; `docket ticket show` lists them")
	}
	return n, nil
}
