package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/docket-psa/docket/billing"
)

// accounted sums, for every work entry of a closed ticket, its milliseconds less those that live
// charges of its generation and open holds stand for: nothing may be left, or money has leaked. In the
// same way every item is charged once, or waits once.
// It is one aggregate over appended rows, with no join but by primary keys: without statistics,
// as in the minutes after a big import, any other plan risks being quadratic.
const accounted = `
with entries as (
  select w.id, w.generation, w.ticket, w.ms, 0::bigint as posted, 0::bigint as waiting
  from work_entries w join tickets t on t.number = w.ticket
  where t.stage in ('held', 'posted', 'merged', 'cancelled')
  union all
  select cw.work_id, cw.generation, null, 0, upper(cw.span) - lower(cw.span), 0
  from charge_work cw where not exists (select from charges r where r.reverses = cw.charge_id)
  union all
  select w.id, w.generation, null, 0, 0, (s ->> 'to')::bigint - (s ->> 'from')::bigint
  from holds h, jsonb_array_elements(h.hold::jsonb -> 'charges') c, jsonb_array_elements(coalesce(c -> 'spans', '[]')) s,
    work_entries w
  where h.state = 'open' and w.id = (s ->> 'work')::bigint
), unequal as (
  select id, max(ticket) as ticket, sum(ms) as ms, sum(posted) as posted, sum(waiting) as waiting
  from entries group by id, generation
  having max(ticket) is not null and sum(ms) <> sum(posted) + sum(waiting)
), used as (
  select i.id, i.generation, i.ticket, 0 as posted, 0 as waiting
  from ticket_items i join tickets t on t.number = i.ticket
  where t.stage in ('held', 'posted', 'merged', 'cancelled')
  union all
  select ci.item_id, ci.generation, null, 1, 0
  from charge_items ci where not exists (select from charges r where r.reverses = ci.charge_id)
  union all
  select i.id, i.generation, null, 0, 1
  from holds h, jsonb_array_elements(h.hold::jsonb -> 'charges') c, ticket_items i
  where h.state = 'open' and c ->> 'kind' not in ` + lowering + ` and i.id = substring(c ->> 'item' from '^item-([0-9]+)$')::bigint
), unequal_items as (
  select id, max(ticket) as ticket, sum(posted) as posted, sum(waiting) as waiting
  from used group by id, generation
  having max(ticket) is not null and sum(posted) + sum(waiting) <> 1
)`

// lowering are the kinds of charge that only lower another one: see itemOf.
const lowering = `('reversal', 'discount', 'retainer', 'credit')`

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
			(select count(*) from (select ticket from unequal union select ticket from unequal_items) as leaked)`).
		Scan(&s.Open, &s.Closed, &s.Posted, &s.Waiting, &s.Exceptions, &s.Leaked)
	if err != nil {
		return s, fmt.Errorf("count where the desk stands: %w", err)
	}
	return s, nil
}

// leaks tells every work entry and every item of a closed ticket that is not wholly accounted for.
func (r Reads) leaks(ctx context.Context) ([]string, error) {
	rows, err := r.q.Query(ctx, accounted+`
		select says from (
			select ticket, 1 as part, id, format('T-%s: work entry %s has %s ms, of which %s are charged and %s wait', ticket, id, ms, posted, waiting) as says
			from unequal
			union all
			select ticket, 2, id, format('T-%s: item %s is charged %s times and waits %s times, and should once', ticket, id, posted, waiting)
			from unequal_items
		) as found order by ticket, part, id`)
	if err != nil {
		return nil, fmt.Errorf("look for leaks: %w", err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("look for leaks: %w", err)
	}
	return found, nil
}
