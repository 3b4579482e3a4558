package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/docket-psa/docket/ticket"
)

// Pending lists starts that wait since before the instant, and runs that must hear that their ticket has moved, oldest first. One that failed is left alone for a second
// after the first try, twice as long after each further one, and five minutes at most: Temporal may be down for hours.
func (s *Store) Pending(ctx context.Context, before time.Time, limit int) ([]ticket.Pending, error) {
	rows, err := s.pool.Query(ctx, `
select 'T-' || o.ticket, o.round, t.client_id, t.subject, o.created_at, o.attempts, o.last_error, o.moved
from outbox o join tickets t on t.number = o.ticket
where o.created_at < $1 and (o.tried_at is null or o.tried_at + least(300, power(2, least(o.attempts, 10) - 1)) * interval '1 second' <= $2)
order by o.created_at, o.ticket limit $3`, before, s.now(), limit)
	if err != nil {
		return nil, fmt.Errorf("list pending starts: %w", err)
	}
	pending, err := pgx.CollectRows(rows, pgx.RowToStructByPos[ticket.Pending])
	if err != nil {
		return nil, fmt.Errorf("list pending starts: %w", err)
	}
	return pending, nil
}

// Tried notes an attempt at a start; failure is empty where Temporal took it. The row stays until the run itself
// begins: Temporal may take a start and lose it in a restore.
func (s *Store) Tried(ctx context.Context, id ticket.ID, round int, failure string) error {
	_, err := s.pool.Exec(ctx, `
update outbox set attempts = attempts + 1, tried_at = $3, last_error = $4 where ticket = $1 and round = $2`,
		id.Number(), round, s.now(), failure)
	if err != nil {
		return fmt.Errorf("note the start of %s: %w", id, err)
	}
	return nil
}
