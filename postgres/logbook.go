package postgres

import (
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/docket-psa/docket/sla"
	"github.com/docket-psa/docket/ticket"
)

// logbook is what the work entries of one message are checked and priced against.
type logbook struct {
	at     time.Time // the message's
	people map[string]actor
	logged map[string]loggedWork // by operation key
	costs  map[string]costRow    // by operation key: the cost rates in force at the time of the work
	home   clientHome
}

func newLogbook(at time.Time) *logbook {
	return &logbook{at: at, people: map[string]actor{}, logged: map[string]loggedWork{}, costs: map[string]costRow{}}
}

// queue reads all but the people.
func (l *logbook) queue(b *pgx.Batch, id ticket.ID, entries ...ticket.WorkEntry) {
	keys := make([]string, 0, len(entries))
	unstarted := false
	for _, e := range entries {
		keys, unstarted = append(keys, e.OperationKey), unstarted || e.StartedAt.IsZero()
	}
	b.Queue("select operation_key, ticket, input_digest from work_entries where operation_key = any ($1)", keys).Query(func(rows pgx.Rows) error {
		found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[loggedWork])
		for _, k := range found {
			l.logged[k.Key] = k
		}
		return err
	})
	if unstarted {
		queueHome(b, id, &l.home)
	}
	for _, e := range entries {
		queueCosts(b, e.OperationKey, orTime(e.StartedAt, l.at), l.costs)
	}
}

// loggedWork is what an entry's key stands for already.
type loggedWork struct {
	Key    string
	Ticket int64
	Digest string
}

// dayOf gives the instant at which the local date of another one begins.
func (home clientHome) dayOf(at time.Time) (time.Time, error) {
	zone, err := sla.Zone(home.TimeZone)
	if err != nil {
		return time.Time{}, fmt.Errorf("zone of the client: %w", err)
	}
	return sla.DateAt(at, zone).StartIn(zone), nil
}

func orTime(at, otherwise time.Time) time.Time {
	if at.IsZero() {
		return otherwise
	}
	return at
}
