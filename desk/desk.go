// Package desk owns what people and programs ask of Docket: opening tickets, sending them
// messages, reading what stands. It checks what is sent, hands it to the ticket's workflow or
// the store, and turns failures into words a person can act on.
// It does not own rules (billing, triage), rows (postgres), nor a face (cmd/docket).
package desk

import (
	"log/slog"
	"time"

	"go.temporal.io/sdk/client"
)

// Desk is the one application service between Docket's faces and its store and workflows.
type Desk struct {
	Books // what is read without the workflow

	store    Store
	temporal client.Client
	now      func() time.Time
	log      *slog.Logger
	hint     chan struct{}
	ruled    map[int64]time.Time // the relay's: when it sent the ruling on a hold
}

// Options of New.
type Options struct {
	Now func() time.Time // the clock; required
	Log *slog.Logger     // required
}

// New gives the desk. The client may be lazy: a Temporal that cannot be reached is told when it
// is needed, and tickets can be opened without it.
func New(store Store, temporal client.Client, o Options) *Desk {
	return &Desk{Books: store, store: store, temporal: temporal, now: o.Now, log: o.Log, hint: make(chan struct{}, 1)}
}
