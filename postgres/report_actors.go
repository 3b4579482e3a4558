package postgres

import (
	"context"

	"github.com/docket-psa/docket/billing"
)

// ReportAIvsTech compares the tickets that AI agents resolved with those that people did, by who made the last closure, among
// the tickets whose last closure lies in the period. Billed comes from the lines that count, reversals included, less what credit notes
// gave back of them, and a ticket that cost something until it was credited is none with nothing to pay; cost from all work on the tickets, failed
// attempts too, and from their items. Cost in another currency than a ticket bills in has a row of its own, beside that of its tickets.
func (r Reads) ReportAIvsTech(ctx context.Context, f ReportFilter) ([]billing.ActorRow, error) {
	if err := f.check(ctx, r); err != nil {
		return nil, err
	}
	return collect[billing.ActorRow](ctx, r.q, "AI against technicians", `
with closed as (
  select l.ticket, coalesce(p.kind, 'human') as kind, c.currency as client_currency
  from closures l join clients c on c.id = l.client_id left join people p on p.id = l.resolved_by
  where not exists (select from closures n where n.ticket = l.ticket and n.round > l.round) and `+inAt("l.closed_at", "c.time_zone", "l.client_id")+`
), lines as (
  select ticket, currency, sum(amount) as billed from billed_lines where ticket in (select ticket from closed) group by 1, 2
), earned as (
  select ticket, currency, sum(amount) as amount from earned_lines where ticket in (select ticket from closed) group by 1, 2
), missed as ( -- credited for a missed target
  select b.ticket, b.currency, -sum(b.amount) as amount from billed_lines b join charges c on c.id = b.charge_id
  where c.kind = 'credit' and b.ticket in (select ticket from closed) group by 1, 2
), homes as ( -- the currency in which a ticket counts
  select c.ticket, c.kind, coalesce(min(l.currency), c.client_currency) as currency, coalesce(bool_and(l.billed = 0), true) as free
  from closed c left join lines l on l.ticket = c.ticket group by c.ticket, c.kind, c.client_currency
), sides as (
  select h.kind, h.currency, 1 as tickets, coalesce(w.ai_ms, 0) as ai_ms, coalesce(w.human_ms, 0) as human_ms, 0 as billed, 0 as credits,
    (h.free and not exists (select from holds x where x.ticket = h.ticket and x.state = 'open'))::int as free, '' as cost_currency, 0 as cost
  from homes h left join (
    select ticket, sum(ms) filter (where kind = 'ai') as ai_ms, sum(ms) filter (where kind = 'human') as human_ms
    from work_entries where ticket in (select ticket from closed) group by 1
  ) w on w.ticket = h.ticket
  union all
  select h.kind, l.currency, 0, 0, 0, coalesce(e.amount, 0), l.billed - coalesce(e.amount, 0) + coalesce(m.amount, 0), 0, '', 0
  from homes h join lines l on l.ticket = h.ticket left join earned e on (e.ticket, e.currency) = (l.ticket, l.currency)
  left join missed m on (m.ticket, m.currency) = (l.ticket, l.currency)
  union all
  select h.kind, h.currency, 0, 0, 0, 0, 0, 0, w.currency, w.cost
  from homes h join (
    select ticket, cost_currency as currency, cost from work_entries where ticket in (select ticket from closed)
    union all select ticket, currency, quantity * unit_cost from ticket_items where ticket in (select ticket from closed)
  ) w on w.ticket = h.ticket
), sums as (
  select kind, currency, sum(tickets)::int as tickets, sum(free)::int as free, sum(ai_ms)::bigint as ai_ms, sum(human_ms)::bigint as human_ms,
    sum(billed) as billed, sum(credits) as credits
  from sides where $4 = '' or currency = $4 group by 1, 2
), costs as (
  select kind, currency, cost_currency, sum(cost) as cost from sides where cost <> 0 group by 1, 2, 3
), ranked as (
  select s.*, coalesce(k.cost_currency, s.currency) as cost_currency, coalesce(k.cost, 0) as cost,
    row_number() over (partition by s.kind, s.currency order by k.cost_currency <> s.currency, k.cost_currency) as n
  from sums s left join costs k on (k.kind, k.currency) = (s.kind, s.currency)
)
select kind, currency, case n when 1 then tickets else 0 end, case n when 1 then free else 0 end, case n when 1 then ai_ms else 0 end,
  case n when 1 then human_ms else 0 end, case n when 1 then billed else 0 end, case n when 1 then credits else 0 end, cost_currency, cost
from ranked order by kind, currency, n`, append(f.args(), f.Currency)...)
}
