package activities

import (
	"errors"

	"go.temporal.io/sdk/temporal"

	"github.com/docket-psa/docket/ticket"
)

// translate tells Temporal which errors cannot heal: what was sent is wrong, and stays so
// on every retry. Everything else, a lost connection or a serialization failure, is retried.
func translate(err error) error {
	if problems := ticket.Problems(err); len(problems) > 0 {
		return Invalid(err)
	}
	return err
}

// Invalid is err as Temporal carries it to whoever sent the message: of type
// ticket.InvalidError, with every problem in its details, and never retried.
func Invalid(err error) error {
	return temporal.NewNonRetryableApplicationError(err.Error(), ticket.InvalidError, err, ticket.Problems(err))
}

// Refusal gives the Invalid within err, nil where there is none: a business outcome that
// came as an error, as opposed to one that may heal.
func Refusal(err error) *temporal.ApplicationError {
	var refusal *temporal.ApplicationError
	if errors.As(err, &refusal) && refusal.Type() == ticket.InvalidError {
		return refusal
	}
	return nil
}
