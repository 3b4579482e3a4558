package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/shopspring/decimal"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/sla"
)

// ReportRevenue sums, by month of service and currency, what was billed less what credit notes gave back, without the tax that
// is added to it. The running month, in UTC, says what it comes to if it goes on as it has.
func (s *Store) ReportRevenue(ctx context.Context, from, to sla.LocalDate) ([]billing.RevenueRow, error) {
	type month struct {
		billing.RevenueRow
		Recurring decimal.Decimal
	}
	a, b := bounds(from, to)
	found, err := collect[month](ctx, s.pool, "revenue", `
select to_char(e.service_date, 'YYYY-MM'), e.currency, coalesce(sum(e.amount) filter (where i.state = 'finalised'), 0),
  coalesce(sum(e.amount) filter (where i.state = 'open'), 0), sum(e.amount), null::numeric, coalesce(sum(e.amount) filter (where e.ticket is null), 0)
from earned_lines e join invoice_lines l on l.charge_id = e.charge_id join invoices i on i.id = l.invoice_id
where `+fmt.Sprintf(inPeriod, "e.service_date")+` group by 1, 2 order by 1, 2`, a, b)
	if err != nil {
		return nil, err
	}
	now := s.now().UTC()
	rows := make([]billing.RevenueRow, len(found))
	for i, m := range found {
		rows[i] = m.RevenueRow
		places, ok := billing.MinorUnits(m.Currency)
		if !ok || m.Month != now.Format("2006-01") {
			continue
		}
		days := time.Date(now.Year(), now.Month()+1, 0, 0, 0, 0, 0, time.UTC).Day()
		rate := m.Revenue.Sub(m.Recurring).Mul(decimal.NewFromInt(int64(days))).Div(decimal.NewFromInt(int64(now.Day()))).Add(m.Recurring).Round(places)
		rows[i].RunRate = &rate
	}
	return rows, nil
}

// ReportAged parts what payers owe by the days since it was due, where each payer is, and tells what of it is in question and
// what credit they have.
func (s *Store) ReportAged(ctx context.Context) ([]billing.AgedRow, error) {
	return collect[billing.AgedRow](ctx, s.pool, "what is owed", `
with owing as (
  select i.payer_id, i.currency, s.owed, s.disputed, ($1::timestamptz at time zone c.time_zone)::date
    - coalesce(i.due_on, i.tax_date, (i.finalised_at at time zone c.time_zone)::date) as days
  from invoices i join clients c on c.id = i.payer_id join invoice_standing s on s.invoice_id = i.id
  where i.state = 'finalised' and s.owed > 0
), sums as (
  select payer_id, currency, coalesce(sum(owed) filter (where days < 0), 0) as not_due, coalesce(sum(owed) filter (where days between 0 and 30), 0) as to30,
    coalesce(sum(owed) filter (where days between 31 and 60), 0) as to60, coalesce(sum(owed) filter (where days between 61 and 90), 0) as to90,
    coalesce(sum(owed) filter (where days > 90), 0) as older, sum(owed) as owed, sum(disputed) as disputed
  from owing group by 1, 2
)
select payer_id, currency, coalesce(o.not_due, 0), coalesce(o.to30, 0), coalesce(o.to60, 0), coalesce(o.to90, 0), coalesce(o.older, 0),
  coalesce(o.owed, 0), coalesce(o.disputed, 0), coalesce(b.balance, 0)
from sums o full join credit_balances b using (payer_id, currency)
where coalesce(o.owed, 0) > 0 or coalesce(b.balance, 0) > 0 order by 1, 2`, s.now())
}

// ReportContractMargin compares, by client, contract and currency, what was billed under the contract for service from one date
// until before another, less what credit notes gave back, with what the work and the items cost us of the tickets that were routed to it.
func (r Reads) ReportContractMargin(ctx context.Context, from, to sla.LocalDate) ([]billing.ContractMarginRow, error) {
	a, b := bounds(from, to)
	return collect[billing.ContractMarginRow](ctx, r.q, "the margin of contracts", `
with both_sides as (
  select e.client_id, c.contract_id as contract, e.currency, e.ticket, e.amount as billed, 0 as cost
  from earned_lines e join charges c on c.id = e.charge_id where `+fmt.Sprintf(inPeriod, "e.service_date")+`
  union all
  select w.client_id, coalesce(t.contract_id, ''), w.cost_currency, w.ticket, 0, w.cost
  from work_entries w join clients c on c.id = w.client_id join tickets t on t.number = w.ticket
  where `+fmt.Sprintf(inPeriod, "(w.started_at at time zone c.time_zone)::date")+`
  union all
  select i.client_id, coalesce(t.contract_id, ''), i.currency, i.ticket, 0, i.quantity * i.unit_cost
  from ticket_items i join tickets t on t.number = i.ticket where `+fmt.Sprintf(inPeriod, "i.service_date")+`
)
select client_id, contract, currency, count(distinct ticket)::int, sum(billed), sum(cost), sum(billed) - sum(cost)
from both_sides group by 1, 2, 3 order by 1, 2, 3`, a, b)
}

// LowBlocks lists the blocks of hours that run low, as Blocks says.
func (s *Store) LowBlocks(ctx context.Context) ([]Block, error) {
	all, err := s.Blocks(ctx, "")
	if err != nil {
		return nil, err
	}
	var low []Block
	for _, b := range all {
		if b.Low {
			low = append(low, b)
		}
	}
	return low, nil
}
