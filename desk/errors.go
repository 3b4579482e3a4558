package desk

import (
	"context"
	"errors"
	"fmt"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/docket-psa/docket/ticket"
)

// ErrUnavailable says that Temporal, or a worker, did not answer. Nothing is wrong with what was
// sent: the same message with the same operation key may be sent again and has one effect.
var ErrUnavailable = errors.New("temporarily unavailable")

// Lost is a message whose answer did not come. It may have arrived: Key says with which
// operation key to repeat it safely.
type Lost struct {
	Name  ticket.Name
	To    ticket.ID
	Key   string
	cause error
}

func (e *Lost) Error() string {
	return fmt.Sprintf("no answer to %s of %s (%v): check that Temporal and a worker run (`docket doctor`), then send it again with --key %s; it has one effect however often it arrives",
		e.Name, e.To, e.cause, e.Key)
}

// Unwrap makes a Lost an ErrUnavailable, and its cause too.
func (e *Lost) Unwrap() []error { return []error{ErrUnavailable, e.cause} }

// heals says whether err is the want of an answer, as opposed to an answer.
func heals(err error) bool {
	var (
		unavailable *serviceerror.Unavailable
		deadline    *serviceerror.DeadlineExceeded
		exhausted   *serviceerror.ResourceExhausted
		canceled    *serviceerror.Canceled
		update      *client.WorkflowUpdateServiceTimeoutOrCanceledError
	)
	return errors.As(err, &unavailable) || errors.As(err, &deadline) || errors.As(err, &exhausted) ||
		errors.As(err, &canceled) || errors.As(err, &update) ||
		errors.Is(err, context.DeadlineExceeded)
}

// closing says that the run ended while the message was on its way, so that another run takes it.
func closing(err error) bool {
	var (
		notFound *serviceerror.NotFound
		aborted  *serviceerror.Aborted
		app      *temporal.ApplicationError
	)
	if errors.As(err, &app) {
		return app.Type() == "AcceptedUpdateCompletedWorkflow"
	}
	return errors.As(err, &notFound) || errors.As(err, &aborted)
}

// answered turns what came back into errors a caller decides by: Problems as they were, the want
// of an answer as Lost.
func answered(err error, name ticket.Name, to ticket.ID, key string) error {
	if err == nil {
		return nil
	}
	var app *temporal.ApplicationError
	if errors.As(err, &app) && app.Type() == ticket.InvalidError {
		return invalid(app)
	}
	if heals(err) {
		return &Lost{Name: name, To: to, Key: key, cause: err}
	}
	return fmt.Errorf("send %s to %s: %w", name, to, err)
}

// invalid rebuilds the Problems that travelled as details of an application error.
func invalid(app *temporal.ApplicationError) error {
	var problems []*ticket.Problem
	if app.HasDetails() {
		if err := app.Details(&problems); err != nil {
			problems = nil
		}
	}
	if len(problems) == 0 {
		return &ticket.Problem{Field: "message", Problem: app.Message(), Fix: "`docket ticket show` tells where the ticket stands"}
	}
	joined := make([]error, len(problems))
	for i, p := range problems {
		joined[i] = p
	}
	return errors.Join(joined...)
}
