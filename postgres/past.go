package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

// elsewhereRow is an entry whose person was on another ticket meanwhile.
type elsewhereRow struct {
	Work   int64
	Ticket int64
	MS     int64
}

// queueElsewhere looks, for each entry of a person that is to be rated, for another ticket's at the same time: the one
// that begins last. No entry that is believed is longer than a day, so none that began earlier matters.
func queueElsewhere(b *pgx.Batch, number int64, into *[]elsewhereRow) {
	b.Queue(`
select w.id, o.ticket, (extract(epoch from
  least(w.started_at + w.ms * interval '1 ms', o.started_at + o.ms * interval '1 ms') - greatest(w.started_at, o.started_at)) * 1000)::bigint
from work_entries w cross join lateral (
  select o.ticket, o.started_at, o.ms from work_entries o
  where o.actor = w.actor and o.kind = 'human' and not o.unstarted and not o.non_billable and o.ticket <> w.ticket
    and o.started_at < w.started_at + w.ms * interval '1 ms' and o.started_at > w.started_at - interval '1 day'
    and o.started_at + o.ms * interval '1 ms' > w.started_at
  order by o.started_at desc, o.id desc limit 1) o
where w.ticket = $1 and w.rated_in is null and w.kind = 'human' and not w.unstarted`, number).Query(func(rows pgx.Rows) (err error) {
		*into, err = pgx.CollectRows(rows, pgx.RowToStructByPos[elsewhereRow])
		return err
	})
}

// elsewhereOf gives where the person of the entry was, too; nil: nowhere.
func (r *reading) elsewhereOf(work int64) *billing.Elsewhere {
	for _, e := range r.elsewhere {
		if e.Work == work {
			return &billing.Elsewhere{Ticket: string(ticket.NewID(e.Ticket)), MS: e.MS}
		}
	}
	return nil
}

// past reads what the client's tickets of the category came to before, as far back as the most far-sighted of the
// versions looks; nil where none does. A ticket that closed as spam or as a duplicate is none of its kind.
func (s *Store) past(ctx context.Context, q querier, t lockedTicket, versions []billing.Version, at time.Time) (*billing.Past, error) {
	days := 0
	for _, v := range versions {
		days = max(days, v.Terms.LooksBack())
	}
	if days == 0 {
		return nil, nil
	}
	p := &billing.Past{Days: days}
	var first *time.Time
	err := q.QueryRow(ctx, pastTickets+`
select count(*), min(closed_at), count(*) filter (where closed_at > $4::timestamptz - interval '7 days'), coalesce(percentile_disc(0.5) within group (order by (
  select coalesce(sum(w.ms), 0) from work_entries w where w.ticket = past.number and w.kind = 'human' and not w.non_billable and not w.failed)), 0)::bigint
from past`, t.ClientID, t.Category, days, at, t.Number, billing.MaxPast).Scan(&p.Tickets, &first, &p.Week, &p.MS)
	if err != nil {
		return nil, fmt.Errorf("look back over %s tickets of %s: %w", t.Category, t.ClientID, err)
	}
	if p.Tickets == 0 {
		return p, nil
	}
	p.Span = max(1, int(at.Sub(*first)/(24*time.Hour)))
	rows, err := q.Query(ctx, pastTickets+`, billed as (
  select c.ticket, c.currency, sum(c.amount) as amount from charges c join past on past.number = c.ticket group by c.ticket, c.currency)
select currency, percentile_disc(0.5) within group (order by amount) from billed group by currency order by currency`,
		t.ClientID, t.Category, days, at, t.Number, billing.MaxPast)
	if err != nil {
		return nil, fmt.Errorf("look back over what tickets of %s billed: %w", t.ClientID, err)
	}
	p.Amounts, err = pgx.CollectRows(rows, pgx.RowToStructByPos[billing.PastAmount])
	if err != nil {
		return nil, fmt.Errorf("look back over what tickets of %s billed: %w", t.ClientID, err)
	}
	return p, nil
}

// pastTickets are the latest $6 that client $1 had in category $2, closed within $3 days before $4; not $5 itself.
const pastTickets = `
with past as (
  select t.number, t.closed_at from tickets t
  where t.client_id = $1 and t.category = $2 and t.closed_at > $4::timestamptz - make_interval(days => $3) and t.closed_at <= $4
    and t.number <> $5 and t.stage in ('held', 'posted')
    and not exists (select from closures c where c.ticket = t.number and c.round = t.round and c.code in ('spam', 'duplicate'))
  order by t.closed_at desc, t.number desc limit $6)`
