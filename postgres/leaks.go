package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/docket-psa/docket/billing"
)

// accounted sums, for every work entry of a closed ticket, the milliseconds that live charges
// of its generation and open holds stand for. What is posted and what waits is exactly what was
// worked, or money has leaked.
const accounted = `
with posted as (
  select cw.work_id, cw.generation, sum(upper(cw.span) - lower(cw.span)) as ms
  from charge_work cw
  where not exists (select from charges r where r.reverses = cw.charge_id)
  group by 1, 2
), waiting as (
  select (s ->> 'work')::bigint as work_id, sum((s ->> 'to')::bigint - (s ->> 'from')::bigint) as ms
  from holds h, jsonb_array_elements(h.hold::jsonb -> 'charges') c, jsonb_array_elements(coalesce(c -> 'spans', '[]')) s
  where h.state = 'open' group by 1
), closed as (
  select number from tickets t where t.stage in ('held', 'posted')
    or (t.stage = 'merged' and exists (select from closures cl where cl.ticket = t.number))
), unequal as (
  select w.ticket, w.id, w.ms, coalesce(p.ms, 0) as posted, coalesce(o.ms, 0) as waiting
  from work_entries w join closed t on t.number = w.ticket
  left join posted p on p.work_id = w.id and p.generation = w.generation
  left join waiting o on o.work_id = w.id
  where w.ms <> coalesce(p.ms, 0) + coalesce(o.ms, 0)
)`

// Standing counts where the desk stands, by one statement.
func (r Reads) Standing(ctx context.Context) (billing.Standing, error) {
	var s billing.Standing
	err := r.q.QueryRow(ctx, accounted+`
		select
			(select count(*) from tickets where stage in ('new', 'triage', 'routing', 'resolution', 'waiting', 'closing')),
			(select count(*) from tickets where stage in ('held', 'posted')),
			(select count(*) from tickets where stage = 'posted'),
			(select count(*) from holds where state = 'open' and kind = 'sign-off'),
			(select count(*) from holds where state = 'open' and kind = 'exception'),
			(select count(distinct ticket) from unequal)`).
		Scan(&s.Open, &s.Closed, &s.Posted, &s.Waiting, &s.Exceptions, &s.Leaked)
	if err != nil {
		return s, fmt.Errorf("count where the desk stands: %w", err)
	}
	return s, nil
}

// leaks tells every work entry of a closed ticket that is not wholly accounted for.
func (r Reads) leaks(ctx context.Context) ([]string, error) {
	rows, err := r.q.Query(ctx, accounted+`
		select format('T-%s: work entry %s has %s ms, of which %s are charged and %s wait', ticket, id, ms, posted, waiting)
		from unequal order by ticket, id`)
	if err != nil {
		return nil, fmt.Errorf("look for leaks: %w", err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("look for leaks: %w", err)
	}
	return found, nil
}
