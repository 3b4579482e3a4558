package postgres

import (
	"context"

	"github.com/docket-psa/docket/billing"
)

// ReportMargin compares, by client and currency, what was billed for service in the period, less what credit notes gave back of it,
// with what the work and the items of those dates cost us. What a ticket costs counts in the currency in which it bills, and is told in its
// own: there is no rate of exchange in Docket, so that a margin of two currencies is none.
func (r Reads) ReportMargin(ctx context.Context, f ReportFilter) ([]billing.MarginRow, error) {
	return r.margin(ctx, f, false)
}

// ReportContractMargin is ReportMargin by contract. Time and items cost the contract that they are charged under, whether it bills them or
// covers them; what is charged under none yet, or is not billable, the one that the ticket was routed to.
func (r Reads) ReportContractMargin(ctx context.Context, f ReportFilter) ([]billing.MarginRow, error) {
	return r.margin(ctx, f, true)
}

func (r Reads) margin(ctx context.Context, f ReportFilter, byContract bool) ([]billing.MarginRow, error) {
	if err := f.check(ctx, r); err != nil {
		return nil, err
	}
	contract := "''"
	if byContract {
		contract = "s.contract"
	}
	return collect[billing.MarginRow](ctx, r.q, "the margin", `
with work as (
  select w.id, w.generation, w.client_id, w.ticket, w.ms, w.cost, w.cost_currency
  from work_entries w join clients c on c.id = w.client_id where `+inAt("w.started_at", "c.time_zone", "w.client_id")+`
), charged as ( -- of an entry, by contract
  select w.id, case when k.kind in `+unbillableKinds+` and k.contract_id = '' then coalesce(t.contract_id, '') else k.contract_id end as contract,
    sum(upper(x.span) - lower(x.span)) as ms
  from work w join charge_work x on x.work_id = w.id and x.generation = w.generation join charges k on k.id = x.charge_id join tickets t on t.number = w.ticket
  where not exists (select from charges r where r.reverses = x.charge_id) group by 1, 2
), parts as (
  select id, contract, ms from charged
  union all
  select w.id, coalesce(t.contract_id, ''), w.ms - coalesce(s.ms, 0)
  from work w join tickets t on t.number = w.ticket left join (select id, sum(ms) as ms from charged group by 1) s on s.id = w.id
  where w.ms = 0 or w.ms > coalesce(s.ms, 0)
), spent as ( -- differences of one running share, so that the parts come to the whole
  select w.client_id, p.contract, w.ticket, w.cost_currency, case when w.ms = 0 then w.cost else
    w.cost * sum(p.ms) over upto / w.ms - w.cost * (sum(p.ms) over upto - p.ms) / w.ms end as cost
  from parts p join work w on w.id = p.id window upto as (partition by p.id order by p.contract rows unbounded preceding)
  union all
  select i.client_id, coalesce(k.contract_id, t.contract_id, ''), i.ticket, i.currency, i.quantity * i.unit_cost
  from ticket_items i join tickets t on t.number = i.ticket
  left join charge_items x on x.item_id = i.id and x.generation = i.generation and not exists (select from charges r where r.reverses = x.charge_id)
  left join charges k on k.id = x.charge_id
  where `+in("i.service_date", "i.client_id")+`
), bills_in as (
  select ticket, min(currency) as currency from invoice_lines where ticket in (select ticket from spent) group by 1
), sides as (
  select e.client_id, k.contract_id as contract, e.currency, e.ticket, e.amount as billed, '' as cost_currency, 0 as cost
  from earned_lines e join charges k on k.id = e.charge_id where `+in("e.service_date", "e.client_id")+`
  union all
  select s.client_id, s.contract, coalesce(b.currency, c.currency), s.ticket, 0, s.cost_currency, s.cost
  from spent s join clients c on c.id = s.client_id left join bills_in b on b.ticket = s.ticket
), sums as (
  select s.client_id, `+contract+` as contract, s.currency, count(distinct s.ticket)::int as tickets, sum(s.billed) as billed
  from sides s where $4 = '' or s.currency = $4 group by 1, 2, 3
), costs as (
  select s.client_id, `+contract+` as contract, s.currency, s.cost_currency, sum(s.cost) as cost from sides s where s.cost <> 0 group by 1, 2, 3, 4
), ranked as (
  select m.*, coalesce(k.cost_currency, m.currency) as cost_currency, coalesce(k.cost, 0) as cost,
    row_number() over (partition by m.client_id, m.contract, m.currency order by k.cost_currency <> m.currency, k.cost_currency) as n,
    count(*) over (partition by m.client_id, m.contract, m.currency) as currencies
  from sums m left join costs k on (k.client_id, k.contract, k.currency) = (m.client_id, m.contract, m.currency)
)
select client_id, contract, currency, case n when 1 then tickets else 0 end, case n when 1 then billed else 0 end, cost_currency, cost,
  case when currencies = 1 and cost_currency = currency then billed - cost end
from ranked order by client_id, contract, currency, n`, append(f.args(), f.Currency)...)
}
