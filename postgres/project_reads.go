package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

// What a project has used is the sum of its charges, reversals included; what waits is what open holds have reserved of
// its counters. A client reads the first, and nothing of work, counters and cost.
const selectProjects = `
select p.id, p.client_id, p.name, p.currency, p.budget, p.budget_ms, p.hourly, p.state, p.created_at,
  coalesce((select sum(c.amount) from charges c where c.project_id = p.id and c.currency = p.currency and c.adjusts is null), 0),
  %s
from projects p where ($1 = '' or p.client_id = $1) and ($2 = '' or p.id = $2) and (not $3 or p.state = 'open') order by p.client_id, p.id`

const restOfProjects = `
  coalesce((select sum(upper(w.span) - lower(w.span)) from charges c join charge_work w on w.charge_id = c.id
    where c.project_id = p.id and c.kind not in ('not-billable', 'written-off') and not exists (select from charges r where r.reverses = c.id)), 0)::bigint,
  coalesce((select sum(m.quantity) from counter_moves m where m.counter = 'project/' || p.id || '/' || p.currency and m.hold_id is not null), 0),
  coalesce((select sum(m.quantity) from counter_moves m where m.counter = 'hours/' || p.id and m.hold_id is not null), 0)::bigint,
  coalesce((select sum(w.cost) from work_entries w join tickets t on t.number = w.ticket where t.project_id = p.id and w.cost_currency = p.currency), 0)`

// Projects lists the projects, of one client or of all, with what they have used.
func (r Reads) Projects(ctx context.Context, client string, open bool) ([]billing.ProjectView, error) {
	return r.projects(ctx, client, "", open)
}

// Project gives one project with its tickets and what happened to it; a Problem where there is none.
func (r Reads) Project(ctx context.Context, id string) (billing.ProjectView, error) {
	found, err := r.projects(ctx, "", id, false)
	if err != nil {
		return billing.ProjectView{}, err
	}
	if id == "" || len(found) == 0 {
		return billing.ProjectView{}, ticket.Invalid("project", id, "is not known", "`docket project list` shows the projects")
	}
	p := found[0]
	var numbers []int64
	err = r.q.QueryRow(ctx, "select coalesce(array_agg(number order by number), '{}') from tickets where project_id = $1", id).Scan(&numbers)
	if err != nil {
		return p, fmt.Errorf("list the tickets of project %s: %w", id, err)
	}
	for _, n := range numbers {
		p.Tickets = append(p.Tickets, string(ticket.NewID(n)))
	}
	if r.client != "" {
		return p, nil
	}
	p.Events, err = collect[billing.ProjectEvent](ctx, r.q, "what happened to the project",
		"select at, kind, actor, says from project_events where project_id = $1 order by id", id)
	return p, err
}

func (r Reads) projects(ctx context.Context, client, id string, open bool) ([]billing.ProjectView, error) {
	rest := restOfProjects
	if r.client != "" {
		rest = "0::bigint, 0::numeric, 0::bigint, 0::numeric"
	}
	rows, err := r.q.Query(ctx, fmt.Sprintf(selectProjects, rest), client, id, open)
	if err != nil {
		return nil, fmt.Errorf("list projects: %w", err)
	}
	projects, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (p billing.ProjectView, err error) {
		return p, row.Scan(&p.Project, &p.Client, &p.Name, &p.Currency, &p.Budget, &p.BudgetMS, &p.Hourly, &p.State, &p.CreatedAt,
			&p.Billed, &p.WorkedMS, &p.Reserved, &p.ReservedMS, &p.Cost)
	})
	if err != nil {
		return nil, fmt.Errorf("list projects: %w", err)
	}
	return projects, nil
}
