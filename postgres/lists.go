package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/docket-psa/docket/ticket"
)

const defaultLimit = 50

// ListTickets lists tickets by number. Pages follow on f.After.
func (r Reads) ListTickets(ctx context.Context, f ticket.Filter) ([]ticket.Summary, error) {
	limit := f.Limit
	if limit <= 0 {
		limit = defaultLimit
	}
	return r.summaries(ctx, `
		where t.number > $1 and ($2 = '' or t.client_id = $2) and ($3 = '' or t.stage = $3) and ($4 = '' or t.assignee = $4)
		  and (not $5 or t.stage in ('new', 'triage', 'routing', 'resolution', 'waiting'))
		order by t.number limit $6`, f.After, f.Client, string(f.Stage), f.Assignee, f.Open, limit)
}

// Ticket gives one ticket as lists show it; a Problem where there is none.
func (r Reads) Ticket(ctx context.Context, id ticket.ID) (ticket.Summary, error) {
	found, err := r.summaries(ctx, "where t.number = $1", id.Number())
	if err != nil {
		return ticket.Summary{}, err
	}
	if len(found) == 0 {
		return ticket.Summary{}, ticket.Invalid("ticket", id, "is not known", "`docket ticket list` shows the tickets")
	}
	return found[0], nil
}

// TicketBySource finds a ticket by what its source calls it; a Problem where there is none.
func (r Reads) TicketBySource(ctx context.Context, source, externalID string) (ticket.ID, error) {
	var number int64
	err := r.q.QueryRow(ctx, "select number from tickets where source = $1 and external_id = $2", source, externalID).Scan(&number)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", ticket.Invalid("external_id", externalID, "is not known of "+source, "`docket ticket list` shows the tickets")
	}
	if err != nil {
		return "", fmt.Errorf("look for %s of %s: %w", externalID, source, err)
	}
	return ticket.NewID(number), nil
}

type summaryRow struct {
	Number        int64
	Client        string
	Subject       string
	Stage         ticket.Stage
	Round         int
	Category      string
	Priority      int
	Board         string
	Assignee      string
	AssigneeKind  ticket.Kind
	ClaimedAt     *time.Time
	OpenedAt      time.Time
	ClosedAt      *time.Time
	ResolutionDue *time.Time
	MergedInto    *int64
	Project       string
}

func (r Reads) summaries(ctx context.Context, where string, args ...any) ([]ticket.Summary, error) {
	kind, join := "coalesce(p.kind, '')", "left join people p on p.id = t.assignee"
	if r.client != "" {
		kind, join = "''", "" // a client does not read our people
	}
	rows, err := r.q.Query(ctx, `
		select t.number, t.client_id, t.subject, t.stage, t.round, t.category, t.priority, t.board, coalesce(t.assignee, ''), `+kind+`,
			t.claimed_at, t.opened_at, t.closed_at, t.resolution_due, t.merged_into, coalesce(t.project_id, '')
		from tickets t `+join+" "+where, args...)
	if err != nil {
		return nil, fmt.Errorf("list tickets: %w", err)
	}
	summaries, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (ticket.Summary, error) {
		s, err := pgx.RowToStructByPos[summaryRow](row)
		if err != nil {
			return ticket.Summary{}, err
		}
		out := ticket.Summary{
			Ticket: ticket.NewID(s.Number), Client: s.Client, Subject: s.Subject, Stage: s.Stage, Round: s.Round, Category: s.Category,
			Priority: s.Priority, Board: s.Board, Assignee: s.Assignee, AssigneeKind: s.AssigneeKind, ClaimedAt: s.ClaimedAt,
			OpenedAt: s.OpenedAt, ClosedAt: s.ClosedAt, ResolutionDue: s.ResolutionDue, Project: s.Project,
		}
		if s.MergedInto != nil {
			out.MergedInto = ticket.NewID(*s.MergedInto)
		}
		return out, nil
	})
	if err != nil {
		return nil, fmt.Errorf("list tickets: %w", err)
	}
	return summaries, nil
}
