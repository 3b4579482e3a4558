package desk

import (
	"context"
	"time"

	"github.com/docket-psa/docket/ticket"
)

const liveWithin = 3 * time.Second

// Shown is one ticket with everything that is known of it, in one timeline.
type Shown struct {
	Ticket   ticket.Summary  `json:"ticket"`
	Live     *ticket.Status  `json:"live,omitempty"`   // what its workflow says now; nil where none answers
	Silent   string          `json:"silent,omitempty"` // why Live is nil
	Clocks   []ticket.Clock  `json:"clocks,omitempty"` // how it stands against its SLA targets
	Timeline []ticket.Moment `json:"timeline"`
}

// Show gives the ticket. A workflow that does not answer is told, and is no error: the rows say
// what stands.
func (d *Desk) Show(ctx context.Context, id ticket.ID) (Shown, error) {
	summary, err := d.Ticket(ctx, id)
	if err != nil {
		return Shown{}, err
	}
	timeline, err := d.Timeline(ctx, id)
	if err != nil {
		return Shown{}, err
	}
	clocks, err := d.Clocks(ctx, id)
	if err != nil {
		return Shown{}, err
	}
	s := Shown{Ticket: summary, Clocks: clocks, Timeline: timeline}
	if s.Live, err = d.live(ctx, id); err != nil {
		s.Silent = err.Error()
	}
	return s, nil
}

func (d *Desk) live(ctx context.Context, id ticket.ID) (*ticket.Status, error) {
	within, cancel := context.WithTimeout(ctx, liveWithin)
	defer cancel()
	value, err := d.temporal.QueryWorkflow(within, id.WorkflowID(), "", ticket.QueryStatus)
	if err != nil {
		return nil, err
	}
	var status ticket.Status
	if err := value.Get(&status); err != nil {
		return nil, err
	}
	return &status, nil
}
