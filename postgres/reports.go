package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/sla"
)

// reportPeriod holds local dates: of service for what is billed, of the work for what it cost,
// each in the client's zone. from inclusive, to exclusive; a zero date does not bound.
const inPeriod = "($1 = '' or %[1]s >= $1::date) and ($2 = '' or %[1]s < $2::date)"

func bounds(from, to sla.LocalDate) (string, string) {
	text := func(d sla.LocalDate) string {
		if d.IsZero() {
			return ""
		}
		return d.String()
	}
	return text(from), text(to)
}

// ReportMargin compares, by client and currency, what was billed for service from one date
// until before another, less what credit notes gave back of it, with what the work and the items of those dates cost us. Nobody knows a rate
// of exchange here: cost in another currency than the lines has a row of its own.
func (r Reads) ReportMargin(ctx context.Context, from, to sla.LocalDate) ([]billing.MarginRow, error) {
	a, b := bounds(from, to)
	rows, err := r.q.Query(ctx, fmt.Sprintf(`
		with billed as (
			select client_id, currency, ticket, amount from earned_lines where `+inPeriod+`
		), cost as (
			select w.client_id, w.cost_currency as currency, w.ticket, w.cost from work_entries w join clients c on c.id = w.client_id
			where `+fmt.Sprintf(inPeriod, "(w.started_at at time zone c.time_zone)::date")+`
			union all
			select client_id, currency, ticket, quantity * unit_cost from ticket_items where `+fmt.Sprintf(inPeriod, "service_date")+`
		), both_sides as (
			select client_id, currency, ticket, amount as billed, 0 as cost from billed
			union all select client_id, currency, ticket, 0, cost from cost
		)
		select client_id, currency, count(distinct ticket)::int, sum(billed), sum(cost), sum(billed) - sum(cost)
		from both_sides group by 1, 2 order by 1, 2`, "service_date"), a, b)
	if err != nil {
		return nil, fmt.Errorf("report margin: %w", err)
	}
	report, err := pgx.CollectRows(rows, pgx.RowToStructByPos[billing.MarginRow])
	if err != nil {
		return nil, fmt.Errorf("report margin: %w", err)
	}
	return report, nil
}

// ReportAIvsTech compares the tickets that AI agents resolved with those that people did, by
// who made the last closure, among the tickets whose last closure lies in the period. Billed
// comes from live lines, reversals included, less what credit notes gave back of them, and a ticket that cost something until it was credited is none with nothing to pay; cost from all work on the tickets, failed attempts
// too, and from their items. Tickets and their work count in the currency of their lines; cost in another currency has
// a row of its own.
func (r Reads) ReportAIvsTech(ctx context.Context, from, to sla.LocalDate) ([]billing.ActorRow, error) {
	a, b := bounds(from, to)
	rows, err := r.q.Query(ctx, `
		with last as (
			select distinct on (cl.ticket) cl.ticket, cl.client_id, cl.resolved_by, cl.closed_at
			from closures cl order by cl.ticket, cl.round desc
		), closed as (
			select l.ticket, coalesce(p.kind, 'human') as kind, c.currency as client_currency
			from last l join clients c on c.id = l.client_id left join people p on p.id = l.resolved_by
			where `+fmt.Sprintf(inPeriod, "(l.closed_at at time zone c.time_zone)::date")+`
		), lines as (
			select ticket, currency, sum(amount) as billed from billed_lines group by 1, 2
		), earned as (
			select ticket, currency, sum(amount) as amount from earned_lines group by 1, 2
		), work as (
			select ticket, currency, sum(cost) as cost from (
				select ticket, cost_currency as currency, cost from work_entries
				union all select ticket, currency, quantity * unit_cost from ticket_items
			) as costs group by 1, 2
		), ms as (
			select ticket, sum(ms) as ms from work_entries group by 1
		), missed as ( -- credited for a missed target
			select b.ticket, b.currency, -sum(b.amount) as amount from billed_lines b join charges c on c.id = b.charge_id where c.kind = 'credit' group by 1, 2
		), sides as (
			select c.kind, coalesce(l.currency, c.client_currency) as currency, c.ticket, m.ms, coalesce(e.amount, 0) as billed,
				coalesce(l.billed, 0) - coalesce(e.amount, 0) + coalesce(x.amount, 0) as credits,
				(coalesce(l.billed, 0) = 0 and not exists (select from holds h where h.ticket = c.ticket and h.state = 'open'))::int as covered, 0 as cost
			from closed c left join lines l using (ticket) left join earned e on e.ticket = l.ticket and e.currency = l.currency left join ms m on m.ticket = c.ticket
				left join missed x on x.ticket = l.ticket and x.currency = l.currency
			union all
			select c.kind, w.currency, null, 0, 0, 0, 0, w.cost from closed c join work w using (ticket)
		)
		select kind, currency, count(distinct ticket)::int, coalesce(sum(ms), 0)::bigint, sum(billed), sum(covered)::int, sum(cost), sum(credits)
		from sides group by 1, 2 order by 1, 2`, a, b)
	if err != nil {
		return nil, fmt.Errorf("report AI against technicians: %w", err)
	}
	report, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (out billing.ActorRow, err error) {
		err = row.Scan(&out.Kind, &out.Currency, &out.Tickets, &out.WorkMS, &out.Billed, &out.Covered, &out.Cost, &out.Credits)
		return out, err
	})
	if err != nil {
		return nil, fmt.Errorf("report AI against technicians: %w", err)
	}
	return report, nil
}
