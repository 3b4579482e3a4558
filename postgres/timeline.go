package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/docket-psa/docket/ticket"
)

// Each part of a timeline gives the columns of ticket.Moment, and a rank that orders what
// happened at the same instant of a round, as a log that tells whole minutes has it: what was
// said, what was done, what waits and what was billed, who decided, what that billed, and how
// the next round undid it.
const (
	momentComments = `
select c.at, 'comment' as kind, c.author as actor, '' as via, 0 as round, c.body as says, 0::bigint as ms, 0::bigint as line,
  0::bigint as hold, 0::bigint as work, 0::bigint as item, '' as amount, '' as currency, true as effect, 1 as rank, c.id as seq
from comments c where c.ticket = $1`
	momentWork = `
select w.started_at, 'work', w.actor, w.via, w.round,
  w.work_type || case when w.failed then ', a failed attempt' when w.non_billable then ', not billable' else '' end ||
    case when w.note = '' then '' else ': ' || w.note end,
  w.ms, 0, 0, w.id, 0, '', '', true, 2, w.id
from work_entries w where w.ticket = $1`
	momentItems = `
select i.logged_at, 'item', i.logged_by, i.via, i.round, i.kind || ', what it cost us: ' || i.quantity || ' × ' || i.text,
  0, 0, 0, 0, i.id, (i.quantity * i.unit_cost)::text, i.currency, true, 2, i.id
from ticket_items i where i.ticket = $1`
	momentEvents = `
select e.at, e.kind, e.actor, e.via, e.round, e.says, 0, 0, 0, 0, 0, '', '', e.effect,
  case when e.kind in ('sign-off', 'rule', 'co-rule', 'confirm') then 6 when e.kind = 'reopen' then 8 else 3 end, e.id
from ticket_events e where e.ticket = $1`
	momentHolds = `
select h.opened_at, 'hold', h.requested_by, '', h.round, h.says, 0, 0, h.id, 0, 0, h.amount::text, h.currency, true, 4, h.id
from holds h where h.ticket = $1`
	momentLines = `
select l.posted_at, 'line', '', '', c.round, l.text || case when c.clause = '' then '' else ' (' || c.clause || ')' end,
  0, l.charge_id, coalesce(c.hold_id, 0), 0, 0, l.amount::text, l.currency, true,
  case when c.reverses is not null then 9 when c.hold_id is not null then 7 else 5 end, l.charge_id
from invoice_lines l join charges c on c.id = l.charge_id where l.ticket = $1`
)

// Timeline tells a ticket's life in the order in which it happened: messages and deeds, work, items,
// comments, holds and invoice lines. A client's session sees its comments, holds and lines.
func (r Reads) Timeline(ctx context.Context, id ticket.ID) ([]ticket.Moment, error) {
	if _, err := r.Ticket(ctx, id); err != nil {
		return nil, err
	}
	parts := momentComments + " union all" + momentHolds + " union all" + momentLines
	if r.client == "" {
		parts += " union all" + momentWork + " union all" + momentItems + " union all" + momentEvents
	}
	rows, err := r.q.Query(ctx, `
		select at, kind, actor, via, round, says, ms, line, hold, work, item, amount, currency, effect
		from (`+parts+`) as moments order by at, round, rank, seq`, id.Number())
	if err != nil {
		return nil, fmt.Errorf("read the timeline of %s: %w", id, err)
	}
	moments, err := pgx.CollectRows(rows, pgx.RowToStructByPos[ticket.Moment])
	if err != nil {
		return nil, fmt.Errorf("read the timeline of %s: %w", id, err)
	}
	return moments, nil
}
