package postgres

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/docket-psa/docket/ticket"
	"github.com/docket-psa/docket/triage"
)

// policy is an AI agent's, as people.policy keeps it.
type policy struct {
	Categories    []triage.Category `json:"categories"`
	MaxPriority   int               `json:"max_priority"`   // the most urgent priority it may take; 0: none
	MinConfidence int               `json:"min_confidence"` // per cent
	Clients       []string          `json:"clients"`        // empty: every client
}

// free is somebody who may be given tickets. Load is read without locks: two tickets routed in the same instant may
// both find the last free place, which a desk can bear, and waiting for each other it could not.
type free struct {
	ID       string
	Kind     triage.Kind
	Board    string
	Skills   []string
	Capacity int
	Absent   bool
	Policy   *policy
	Load     int
}

const selectFree = `
select p.id, p.kind, p.board, p.skills, p.capacity, coalesce(p.absent_until > $1, false), p.policy,
  (select count(*) from tickets t where t.assignee = p.id and t.stage in ('routing', 'resolution', 'waiting'))
from people p
where p.active and p.client_id is null and p.kind in ('human', 'ai') and p.capacity > 0 and p.roles && '{technician,agent}'
order by p.id`

const writeRoute = `
update tickets set board = $2, assignee = nullif($3, ''), claimed_at = $4, routed_round = $5, routing_says = $6, stage = $7
where number = $1`

// Route finds a board and an assignee, leaving out who is excluded. It is done once in a round: a repetition finds
// what stands, until an escalation asks for it again. Somebody who has claimed the ticket keeps it, in
// a reopened round, too.
func (s *Store) Route(ctx context.Context, id ticket.ID, round int, exclude []string) (to ticket.Assignment, err error) {
	err = s.tx(ctx, fmt.Sprintf("routing of %s", id), func(t *tx) error {
		var (
			at         *standing
			confidence int
			people     []free
			kind       ticket.Kind
		)
		b := t.batch()
		b.Queue("select"+standingColumns+" from tickets t where t.number = $1 for update of t", id.Number()).Query(row(&at))
		b.Queue("select confidence from tickets where number = $1", id.Number()).Query(one(&confidence))
		b.Queue("select p.kind from tickets t join people p on p.id = t.assignee where t.number = $1", id.Number()).Query(one(&kind))
		b.Queue(selectFree, s.now()).Query(func(rows pgx.Rows) (err error) {
			people, err = pgx.CollectRows(rows, pgx.RowToStructByPos[free])
			return err
		})
		if err := t.send(ctx, b); err != nil {
			return err
		}
		if at == nil {
			return ticket.Invalid("ticket", id, "does not exist", "`docket ticket list` shows the tickets")
		}
		if stands := at.assigned(kind); stands != nil || !at.Stage.Open() {
			to = ticket.Assignment{Board: at.Board, Assignee: at.Assignee, Kind: kind, Says: at.RoutingSays}
			return nil
		}
		if at.Assignee != "" && at.ClaimedAt != nil && !slices.Contains(exclude, at.Assignee) {
			at.RoutingSays = fmt.Sprintf("It stays with %s, who has claimed it.", at.Assignee)
		} else {
			found, err := triage.Route(request(at, confidence, people, exclude), candidates(people))
			if err != nil {
				return fmt.Errorf("route %s: %w", id, err)
			}
			at.Board, at.Assignee, at.ClaimedAt, at.RoutingSays = found.Board, found.Assignee, nil, found.Why
			kind = ticket.Kind(found.Kind)
		}
		at.RoutedRound, at.Stage = at.Round, at.onward()
		to = *at.assigned(kind)

		b = t.batch()
		b.Queue(writeRoute, at.Number, at.Board, at.Assignee, at.ClaimedAt, at.RoutedRound, at.RoutingSays, at.Stage)
		e := event{Ticket: id, Client: at.Client, Round: at.Round, At: s.happened(at), Kind: "routed", Actor: itself, Effect: true, Says: at.RoutingSays}
		if kind == ticket.Human && at.ClaimedAt == nil {
			e.Answer = handed{Answer: at.answer(true, at.RoutingSays), To: []string{at.Assignee}}
		}
		if err := s.record(ctx, b, e); err != nil {
			return err
		}
		return t.commit(ctx, b)
	})
	return to, err
}

// request says what the ticket needs: somebody skilled in its category, if the desk has anybody of that skill. A past
// that is told again was worked by people: no AI agent may start on it.
func request(t *standing, confidence int, people []free, exclude []string) triage.Request {
	r := triage.Request{
		Category: triage.Category(t.Category), Priority: t.Priority, Confidence: confidence, Client: t.Client,
		ForceHuman: t.EventTime, Exclude: exclude,
	}
	if slices.ContainsFunc(people, func(p free) bool { return p.Kind == triage.Human && slices.Contains(p.Skills, t.Category) }) {
		r.Skill = t.Category
	}
	return r
}

func candidates(people []free) []triage.Candidate {
	list := make([]triage.Candidate, 0, len(people))
	for _, p := range people {
		c := triage.Candidate{
			ID: p.ID, Kind: p.Kind, Board: p.Board, Skills: p.Skills, Load: p.Load, Capacity: p.Capacity, Absent: p.Absent,
		}
		if p.Policy != nil {
			c.Policy = triage.Policy(*p.Policy)
		}
		list = append(list, c)
	}
	return list
}
