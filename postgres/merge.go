package postgres

import (
	"cmp"
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/docket-psa/docket/ticket"
)

const (
	endMerged = `
update tickets set stage = 'merged', merged_into = $2, closed_at = $3 where number = $1`
	moveWork     = `update work_entries set ticket = $2 where ticket = $1 and id = any ($3)`
	moveItems    = `update ticket_items set ticket = $2 where ticket = $1 and id = any ($3)`
	moveComments = `update comments set ticket = $2 where ticket = $1 and id = any ($3)`
)

// Merge ends the ticket; its work that is not rated yet and its conversation go over to the other, which carries on.
// Both must be open, of one client, and nothing of them held. Both are locked, the lower number first.
func (s *Store) Merge(ctx context.Context, id ticket.ID, m ticket.Merge) (ticket.Answer, error) {
	into, err := ticket.ParseID(string(m.Into))
	if err != nil {
		return ticket.Answer{}, err
	}
	var held *int64
	var takes merged
	deed := message{
		id: id, name: ticket.MsgMerge, head: m.Header, asks: into, other: into, todo: "merge it",
		read: func(b *pgx.Batch) {
			b.Queue("select min(ticket) from holds where ticket = any ($1) and state = 'open'", []int64{id.Number(), into.Number()}).Query(one(&held))
			// What an earlier round's closure has rated stays with the closure.
			queueIDs(b, "select id from work_entries where ticket = $1 and rated_in is null order by id", id, &takes.Work)
			queueIDs(b, "select id from ticket_items where ticket = $1 and rated_in is null order by id", id, &takes.Items)
			queueIDs(b, "select id from comments where ticket = $1 order by id", id, &takes.Comments)
		},
	}
	return s.act(ctx, deed, func(sc *scene, b *pgx.Batch) (verdict, error) {
		switch {
		case id.Number() == into.Number():
			return verdict{says: fmt.Sprintf("%s cannot be merged into itself.", id)}, nil
		case sc.other.Client != sc.Client:
			return verdict{says: fmt.Sprintf("%s belongs to %s and %s to %s: tickets of different clients are never merged.", id, sc.Client, into, sc.other.Client)}, nil
		case sc.other.Stage == ticket.Merged:
			return verdict{says: fmt.Sprintf("%s was merged into %s; merge %s into that.", into, sc.other.into(), id)}, nil
		case !sc.other.Stage.Open():
			return verdict{says: fmt.Sprintf("%s is %s and cannot take %s over; reopen it first.", into, sc.other.Stage, id)}, nil
		case held != nil:
			return verdict{says: fmt.Sprintf("%s waits for a person's approval; decide that, then merge.", ticket.NewID(*held))}, nil
		}
		at := sc.noEarlier(sc.at)
		b.Queue(endMerged, sc.Number, sc.other.Number, at)
		b.Queue(moveWork, sc.Number, sc.other.Number, takes.Work)
		b.Queue(moveItems, sc.Number, sc.other.Number, takes.Items)
		b.Queue(moveComments, sc.Number, sc.other.Number, takes.Comments)
		sc.Stage, sc.Into = ticket.Merged, sc.other.Number
		says := fmt.Sprintf("%s merged %s into %s.", sc.who.Name, id, into)
		err := s.record(ctx, b, event{
			Ticket: into, Client: sc.Client, Round: sc.other.Round, At: sc.at, Kind: "merged-in", Actor: m.Who,
			Via: cmp.Or(m.Via, ticket.ViaTemporal), Effect: true, Says: fmt.Sprintf("%s took over the work and the conversation of %s.", into, id),
		})
		takes.Answer = sc.answer(true, says)
		if sc.Assignee != "" && sc.Assignee != sc.other.Assignee {
			takes.To = []string{sc.Assignee}
		}
		return verdict{effect: true, says: says, answer: takes}, err
	})
}

// merged is the answer on record to a merge, with what it took over, for the day that it is taken back.
type merged struct {
	ticket.Answer
	Work     []int64  `json:"work"`
	Items    []int64  `json:"items"`
	Comments []int64  `json:"comments"`
	To       []string `json:"to,omitempty"` // who had it, and has not the other: he hears of it
}

// queueIDs reads ids of the ticket's; into is never nil then.
func queueIDs(b *pgx.Batch, sql string, id ticket.ID, into *[]int64) {
	b.Queue(sql, id.Number()).Query(func(rows pgx.Rows) (err error) {
		*into, err = pgx.CollectRows(rows, pgx.RowTo[int64])
		return err
	})
}

// Where gives the ticket that carries on for id, as lists show it: id itself, unless it was merged. Returns a Problem
// for a ticket that does not exist.
func (s *Store) Where(ctx context.Context, id ticket.ID) (ticket.Summary, error) {
	at, err := s.summaries(ctx, `where t.number = (
  select case when t.merged_into is null then t.number else `+livesOn+` end from tickets t where t.number = $1)`, id.Number())
	if err != nil {
		return ticket.Summary{}, fmt.Errorf("look for %s: %w", id, err)
	}
	if len(at) == 0 {
		return ticket.Summary{}, ticket.Invalid("ticket", id, "does not exist", "`docket ticket list` shows the tickets")
	}
	return at[0], nil
}
