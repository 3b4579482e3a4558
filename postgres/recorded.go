package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/docket-psa/docket/ticket"
)

// Record is what the record says of a message: whether it has arrived, and what became of it.
type Record struct {
	Recorded bool   `json:"recorded"`
	Effect   bool   `json:"effect"`
	Says     string `json:"says,omitempty"`
}

// Recorded looks for a message by its operation key, also where it came too late, was refused, or
// met a ticket that lives on in another. One that was sent again after that, and taken, is told as taken.
func (r Reads) Recorded(ctx context.Context, id ticket.ID, key string) (Record, error) {
	found := Record{Recorded: true}
	err := r.q.QueryRow(ctx, "select effect, says from ticket_events where operation_key = any ($1) order by operation_key = $2 desc, id limit 1",
		[]string{key, lateKey(id, key), mergedKey(id, key)}, key).Scan(&found.Effect, &found.Says)
	if errors.Is(err, pgx.ErrNoRows) {
		return Record{}, nil
	}
	if err != nil {
		return Record{}, fmt.Errorf("look for operation %q: %w", key, err)
	}
	return found, nil
}
