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
// Of all tickets it is one aggregate over appended rows, with no join but by primary keys: without statistics,
// as in the minutes after a big import, any other plan risks being quadratic. Of some, whose numbers are $1, it looks up what is theirs row
// by row: a join that reads a whole table would cost more with each month.
func accounted(some bool) string {
	only, offset, charged, itemised := func(string) string { return "" }, "", "charge_work cw", "charge_items ci"
	find := func(table, key, value, as string) string {
		return " join " + table + " " + as + " on " + as + "." + key + " = " + value
	}
	if some {
		only, offset = func(condition string) string { return " and " + condition }, " offset 0" // keeps the planner from joining whole tables
		find = func(table, key, value, as string) string {
			return " cross join lateral (select * from " + table + " where " + key + " = " + value + offset + ") " + as
		}
		charged = "work_entries own" + find("charge_work", "work_id", "own.id", "cw")
		itemised = "ticket_items own" + find("charge_items", "item_id", "own.id", "ci")
	}
	const item = "substring(c ->> 'item' from '^item-([0-9]+)$')::bigint"
	return `
with entries as (
  select w.id, w.generation, w.ticket, w.ms, 0::bigint as billed, 0::bigint as covered, 0::bigint as unbillable, 0::bigint as waiting
  from work_entries w` + find("tickets", "number", "w.ticket", "t") + `
  where t.stage in ('held', 'posted', 'merged', 'cancelled')` + only("w.ticket = any ($1)") + `
  union all
  select cw.work_id, cw.generation, null, 0, case when c.kind not in ` + coveredKinds + ` and c.kind not in ` + unbillableKinds + ` then s.ms else 0 end,
    case when c.kind in ` + coveredKinds + ` then s.ms else 0 end, case when c.kind in ` + unbillableKinds + ` then s.ms else 0 end, 0
  from ` + charged + find("charges", "id", "cw.charge_id", "c") + ` cross join lateral (select upper(cw.span) - lower(cw.span) as ms) s
  where not exists (select from charges r where r.reverses = cw.charge_id` + offset + `)` + only("own.ticket = any ($1)") + `
  union all
  select w.id, w.generation, null, 0, 0, 0, 0, (s ->> 'to')::bigint - (s ->> 'from')::bigint
  from holds h, jsonb_array_elements(h.hold::jsonb -> 'charges') c, jsonb_array_elements(coalesce(c -> 'spans', '[]')) s` +
		find("work_entries", "id", "(s ->> 'work')::bigint", "w") + `
  where h.state = 'open'` + only("h.ticket = any ($1)") + `
), sums as (
  select id, max(ticket) as ticket, sum(ms) as ms, sum(billed) as billed, sum(covered) as covered, sum(unbillable) as unbillable, sum(waiting) as waiting
  from entries group by id, generation having max(ticket) is not null
), unequal as (
  select id, ticket, ms, billed + covered + unbillable as posted, waiting from sums where ms <> billed + covered + unbillable + waiting
), used as (
  select i.id, i.generation, i.ticket, 0 as posted, 0 as waiting
  from ticket_items i` + find("tickets", "number", "i.ticket", "t") + `
  where t.stage in ('held', 'posted', 'merged', 'cancelled')` + only("i.ticket = any ($1)") + `
  union all
  select ci.item_id, ci.generation, null, 1, 0
  from ` + itemised + ` where not exists (select from charges r where r.reverses = ci.charge_id` + offset + `)` + only("own.ticket = any ($1)") + `
  union all
  select i.id, i.generation, null, 0, 1
  from holds h, jsonb_array_elements(h.hold::jsonb -> 'charges') c` + find("ticket_items", "id", item, "i") + `
  where h.state = 'open' and c ->> 'kind' not in ` + lowering + only("h.ticket = any ($1)") + `
), item_sums as (
  select id, max(ticket) as ticket, sum(posted) as posted, sum(waiting) as waiting from used group by id, generation having max(ticket) is not null
), unequal_items as (
  select id, ticket, posted, waiting from item_sums where posted + waiting <> 1
), leaking as (
  select ticket from unequal union select ticket from unequal_items
)`
}

// What a charge makes of its time: paid for by the contract, a block or an allowance; or by nobody. Every other kind bills it.
const (
	coveredKinds    = `('covered', 'block', 'bucket')`
	unbillableKinds = `('not-billable', 'written-off')`
)

// lowering are the kinds of charge that only lower another one: see itemOf.
const lowering = `('reversal', 'discount', 'retainer', 'credit')`

// countStages counts tickets by where they are, and what is held: posted tickets by an index alone, the others by those of
// what is open, so that it costs no more in a desk with a long past.
const countStages = `
select o.working, o.held + p.posted, p.posted, h.waiting, h.exceptions
from (
  select count(*) filter (where stage <> 'held') as working, count(*) filter (where stage = 'held') as held
  from tickets where stage in ('new', 'triage', 'routing', 'resolution', 'waiting', 'closing', 'held')
) o, (
  select count(*) as posted from tickets where stage = 'posted'
) p, (
  select count(*) filter (where kind = 'sign-off') as waiting, count(*) filter (where kind = 'exception') as exceptions from holds where state = 'open'
) h`

// Standing counts where the desk stands, by one statement that goes through all closed work: LeakWatch is for who asks often.
func (r Reads) Standing(ctx context.Context) (billing.Standing, error) {
	var s billing.Standing
	err := r.q.QueryRow(ctx, accounted(false)+"select s.*, (select count(*) from leaking) from ("+countStages+") s").
		Scan(&s.Open, &s.Closed, &s.Posted, &s.Waiting, &s.Exceptions, &s.Leaked)
	if err != nil {
		return s, fmt.Errorf("count where the desk stands: %w", err)
	}
	return s, nil
}

// leaks tells every work entry and every item of a closed ticket that is not wholly accounted for.
func (r Reads) leaks(ctx context.Context) ([]string, error) {
	rows, err := r.q.Query(ctx, accounted(false)+`
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
