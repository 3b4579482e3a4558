package ticket

import (
	"fmt"
	"strconv"
	"strings"
)

// ID is the ticket's number as people see it: "T-1042".
type ID string

// NewID gives the ID of ticket number n.
func NewID(n int64) ID { return ID("T-" + strconv.FormatInt(n, 10)) }

// ParseID accepts "T-1042", "t-1042" and "1042".
func ParseID(s string) (ID, error) {
	digits := strings.TrimPrefix(strings.ToUpper(strings.TrimSpace(s)), "T-")
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n < 1 {
		return "", Invalid("ticket", s, "is not a ticket number", "write it like T-1042")
	}
	return NewID(n), nil
}

// Number is the n of T-n; 0 for an ID that ParseID would refuse.
func (id ID) Number() int64 {
	n, err := strconv.ParseInt(strings.TrimPrefix(string(id), "T-"), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// WorkflowID names the Temporal workflow that carries this ticket, in every round.
func (id ID) WorkflowID() string { return "ticket/" + string(id) }

// InvoiceID names invoice row n before it has a number of its own.
func InvoiceID(n int64) string { return fmt.Sprintf("draft-%d", n) }

// LineID names invoice line n: "L-88123".
func LineID(n int64) string { return "L-" + strconv.FormatInt(n, 10) }

// ParseLineID accepts "L-88123" and "88123".
func ParseLineID(s string) (int64, error) {
	n, err := strconv.ParseInt(strings.TrimPrefix(strings.ToUpper(strings.TrimSpace(s)), "L-"), 10, 64)
	if err != nil || n < 1 {
		return 0, Invalid("line", s, "is not a line number", "write it like L-88123")
	}
	return n, nil
}

// HoldID names hold n: "H-7".
func HoldID(n int64) string { return "H-" + strconv.FormatInt(n, 10) }

// ParseHoldID accepts "H-7" and "7".
func ParseHoldID(s string) (int64, error) {
	n, err := strconv.ParseInt(strings.TrimPrefix(strings.ToUpper(strings.TrimSpace(s)), "H-"), 10, 64)
	if err != nil || n < 1 {
		return 0, Invalid("hold", s, "is not a hold number", "write it like H-7; `docket approval list` shows them")
	}
	return n, nil
}

// PaymentID names payment n: "P-12".
func PaymentID(n int64) string { return "P-" + strconv.FormatInt(n, 10) }

// ParsePaymentID accepts "P-12" and "12".
func ParsePaymentID(s string) (int64, error) {
	n, err := strconv.ParseInt(strings.TrimPrefix(strings.ToUpper(strings.TrimSpace(s)), "P-"), 10, 64)
	if err != nil || n < 1 {
		return 0, Invalid("payment", s, "is not a payment's number", "write it like P-12; `docket invoice show` names the payments of an invoice")
	}
	return n, nil
}

// DisputeID names dispute n: "D-3".
func DisputeID(n int64) string { return "D-" + strconv.FormatInt(n, 10) }

// ParseDisputeID accepts "D-3" and "3".
func ParseDisputeID(s string) (int64, error) {
	n, err := strconv.ParseInt(strings.TrimPrefix(strings.ToUpper(strings.TrimSpace(s)), "D-"), 10, 64)
	if err != nil || n < 1 {
		return 0, Invalid("dispute", s, "is not a dispute's number", "write it like D-3; `docket dispute list` shows them")
	}
	return n, nil
}
