package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/docket-psa/docket/billing"
)

// Waits is what stands still at an instant, as a monitor watches it. The past told again is left out: nobody waits for it.
type Waits struct {
	Holds []WaitingHolds
	// Rulings above their senders' limits, which wait for a second person.
	Proposals       int
	ProposalsOldest time.Duration
	// Tickets that are accepted, and that no run has begun.
	Outbox       int
	OutboxOldest time.Duration
	// Tickets whose target passed unmet and that are not resolved yet.
	Breached   int
	Unassigned int // in resolution, with nobody who has them
	// Notices that are due and not sent, and those that did not arrive (given up, or without an address) in two weeks.
	Notices       int
	NoticesOldest time.Duration
	NoticesLost   int
}

// WaitingHolds are the open holds of one kind and reason; lines of invoices in question are of the kind dispute.
type WaitingHolds struct {
	Kind   billing.HoldKind
	Reason billing.HoldReason
	Open   int
	Past   int           // beyond their patience: quoted afresh at least once, or run out
	Oldest time.Duration // how long the oldest has waited
}

// disputePatience is for how long a line may be in question before monitors and the doctor tell of it.
const disputePatience = "7 days"

// Waits reads it. It looks at what is open alone, so it costs little however long the history is.
func (r Reads) Waits(ctx context.Context, now time.Time) (p Waits, err error) {
	rows, err := r.q.Query(ctx, `
select h.kind, h.reason, count(*)::int, count(*) filter (where q.step > 0 or q.expires_at < $1)::int,
  (extract(epoch from $1 - min(h.opened_at)) * 1e9)::bigint
from holds h join tickets t on t.number = h.ticket
cross join lateral (select step, expires_at from quotes where hold_id = h.id order by step desc limit 1) q
where h.state = 'open' and not t.event_time
group by h.kind, h.reason
union all
select 'dispute', 'line-in-question', count(*)::int, count(*) filter (where opened_at < $1 - interval '`+disputePatience+`')::int,
  (extract(epoch from $1 - min(opened_at)) * 1e9)::bigint
from dispute_standing where state = 'open' having count(*) > 0
order by kind, reason`, now)
	if err != nil {
		return p, fmt.Errorf("count what is held: %w", err)
	}
	if p.Holds, err = pgx.CollectRows(rows, pgx.RowToStructByPos[WaitingHolds]); err != nil {
		return p, fmt.Errorf("count what is held: %w", err)
	}
	err = r.q.QueryRow(ctx, `
select count(*)::int, coalesce(extract(epoch from $1 - min(p.proposed_at)) * 1e9, 0)::bigint
from proposals p join holds h on h.id = p.hold_id join tickets t on t.number = h.ticket
where h.state = 'open' and not t.event_time`+standingProposals, now).Scan(&p.Proposals, &p.ProposalsOldest)
	if err != nil {
		return p, fmt.Errorf("count what waits for a second person: %w", err)
	}
	err = r.q.QueryRow(ctx, `
select (select count(*) from outbox), (select coalesce(extract(epoch from $1 - min(created_at)) * 1e9, 0)::bigint from outbox),
  (select count(*) from tickets where stage in ('new', 'triage', 'routing', 'resolution') and not event_time
    and (resolution_due < $1 or (responded_at is null and response_due < $1))),
  (select count(*) from tickets where stage = 'resolution' and assignee is null and not event_time)`, now).
		Scan(&p.Outbox, &p.OutboxOldest, &p.Breached, &p.Unassigned)
	if err != nil {
		return p, fmt.Errorf("count what stands still: %w", err)
	}
	err = r.q.QueryRow(ctx, `
select count(*) filter (where state = 'waiting' and due_at <= $1),
  coalesce(extract(epoch from $1 - min(created_at) filter (where state = 'waiting' and due_at <= $1)) * 1e9, 0)::bigint,
  count(*) filter (where state <> 'waiting' and created_at > $1 - interval '14 days')
from notices where state = 'waiting' or state in ('dead', 'undeliverable')`, now).Scan(&p.Notices, &p.NoticesOldest, &p.NoticesLost)
	if err != nil {
		return p, fmt.Errorf("count what was not told: %w", err)
	}
	return p, nil
}
