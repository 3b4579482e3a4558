package ticket

import (
	"errors"
	"fmt"
	"regexp"
)

// Usage is something that happened on a ticket beside its closing, such as a password reset or a
// device added, as often as it did: lines of a contract may price it.
type Usage struct {
	Name     string `json:"name"`
	Quantity string `json:"quantity,omitempty"` // decimal; empty: 1. The value, where a percentage prices it
}

func validateUsage(events []Usage) error {
	if len(events) > MaxEvents {
		return Invalid("events", len(events), fmt.Sprintf("are more than the %d that one resolution names", MaxEvents), "add up the quantities of each name")
	}
	var errs []error
	for i, e := range events {
		field := fmt.Sprintf("events[%d]", i)
		errs = append(errs, text(field+".name", e.Name, 1, MaxKey))
		if e.Quantity != "" {
			errs = append(errs, decimalText(field+".quantity", e.Quantity, "write it like 1 or 2.5"))
		}
	}
	return errors.Join(errs...)
}

var plainDecimal = regexp.MustCompile(`^[0-9]{1,12}(\.[0-9]{1,9})?$`)

// decimalText refuses what is not a decimal of 0 or more, of at most 12 digits before the point and
// 9 after it, without an exponent.
func decimalText(field, s, fix string) error {
	if !plainDecimal.MatchString(s) {
		return Invalid(field, s, "is not a number", fix+": at most 12 digits before the point and 9 after it")
	}
	return nil
}
