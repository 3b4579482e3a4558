package postgres

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/docket-psa/docket/ticket"
)

// deedBefore is the last deed of a kind that took effect on a ticket.
type deedBefore struct {
	ID     int64
	Answer []byte
	Undone bool
}

// queueDeed reads it; into stays nil where there was none.
func queueDeed(b *pgx.Batch, id ticket.ID, kind ticket.Name, into **deedBefore) {
	b.Queue(`
select e.id, coalesce(e.answer, 'null'), exists (select from ticket_events u where u.undoes = e.id)
from ticket_events e where e.ticket = $1 and e.kind = $2 and e.effect order by e.id desc limit 1`, id.Number(), string(kind)).Query(row(into))
}

const endUnmerged = `
update tickets set stage = 'new', merged_into = null, round = round + 1, assignee = null, claimed_at = null, resolved_at = null,
  closed_at = null, waiting_for = '', approved = null, approved_currency = null, approved_by = null where number = $1`

// Unmerge takes a merge back. What it took over returns from the ticket that carried on, and the child goes on in its
// next round. Where any of that has been billed meanwhile it is refused: billed work never moves. Both are locked, the
// lower number first.
func (s *Store) Unmerge(ctx context.Context, id ticket.ID, m ticket.Unmerge) (answer ticket.Answer, err error) {
	if err := m.Validate(); err != nil {
		return answer, err
	}
	m.At = orTime(m.At, s.now())
	for {
		// Which other ticket to lock stands in the ticket's own row, and may be another one until both are locked.
		var went whereabouts
		if err := s.pool.QueryRow(ctx, "select coalesce(max(merged_into), 0), max(closed_at) from tickets where number = $1", id.Number()).
			Scan(&went.into, &went.ended); err != nil {
			return answer, fmt.Errorf("look where %s went: %w", id, err)
		}
		if answer, err = s.unmerge(ctx, id, went, m); !errors.Is(err, errMovedOn) {
			return answer, err
		}
	}
}

// whereabouts are where a ticket was merged into, and when; into is 0 where it was not.
type whereabouts struct {
	into  int64
	ended *time.Time
}

var errMovedOn = errors.New("the ticket was merged elsewhere meanwhile")

func (s *Store) unmerge(ctx context.Context, id ticket.ID, went whereabouts, m ticket.Unmerge) (ticket.Answer, error) {
	var (
		before      *deedBefore
		here        *int64
		work, items []piece
		into        = went.into
		clock       = func(*pgx.Batch) error { return nil }
	)
	deed := message{
		id: id, name: deedUnmerge, head: m.Header, asks: m.Reason, late: true,
		read: func(b *pgx.Batch) {
			queueDeed(b, id, ticket.MsgMerge, &before)
			b.Queue("select merged_into from tickets where number = $1", id.Number()).Query(one(&here))
			if into != 0 {
				queuePiecesOf(b, "work_entries", into, &work)
				queuePiecesOf(b, "ticket_items", into, &items)
				clock = queueReopenedClock(b, id.Number(), *went.ended, m.At)
			}
		},
	}
	if into != 0 {
		deed.other = ticket.NewID(into)
	}
	return s.act(ctx, deed, func(sc *scene, b *pgx.Batch) (verdict, error) {
		if sc.Stage != ticket.Merged {
			return verdict{says: fmt.Sprintf("%s is not merged into another ticket: it is in %s.", id, sc.Stage)}, nil
		}
		if here == nil || *here != into || sc.other == nil {
			return verdict{}, errMovedOn
		}
		carries := sc.other.id()
		var took merged
		if before == nil || before.Undone {
			return verdict{says: fmt.Sprintf("What the merge of %s took over is not on record, so it cannot be taken back.", id)}, nil
		}
		if err := json.Unmarshal(before.Answer, &took); err != nil {
			return verdict{}, fmt.Errorf("read what the merge of %s took over: %w", id, err)
		}
		switch {
		case took.Work == nil:
			return verdict{says: fmt.Sprintf("%s was merged before Docket kept what a merge takes over, so that it cannot be taken back; split it off %s instead.", id, carries)}, nil
		case sc.other.Stage == ticket.Merged:
			return verdict{says: fmt.Sprintf("%s was merged into %s itself; take that merge back first.", carries, sc.other.into())}, nil
		case sc.other.Client != sc.Client:
			return verdict{says: fmt.Sprintf("%s is %s's by now, and %s is %s's; move %s back first.", carries, sc.other.Client, id, sc.Client, carries)}, nil
		}
		stays := slices.Concat(unreturned(ticket.WorkID, took.Work, work), unreturned(ticket.ItemID, took.Items, items))
		if len(stays) > 0 {
			return verdict{says: fmt.Sprintf("%s cannot give back what it took from %s: %s. Billed work never moves; reopen %s, or merge what was split off into it, and then take the merge back.",
				carries, id, strings.Join(stays, ", "), carries)}, nil
		}
		at := sc.noEarlier(sc.at)
		b.Queue(endUnmerged, sc.Number)
		b.Queue(moveWork, into, sc.Number, took.Work)
		b.Queue(moveItems, into, sc.Number, took.Items)
		b.Queue(moveComments, into, sc.Number, took.Comments)
		b.Queue("delete from outbox where ticket = $1", sc.Number)
		b.Queue("insert into outbox (ticket, round, created_at) values ($1, $2, $3)", sc.Number, sc.Round+1, s.now())
		if err := clock(b); err != nil {
			return verdict{}, err
		}
		err := s.record(ctx, b, event{
			Ticket: carries, Client: sc.Client, Round: sc.other.Round, At: at, Kind: "unmerged", Actor: m.Who,
			Via: cmp.Or(m.Via, ticket.ViaTemporal), Effect: true, Says: fmt.Sprintf("%s went on by itself again, with its own work and conversation.", id),
		})
		sc.Round, sc.Stage, sc.Into, sc.Assignee, sc.WaitingFor = sc.Round+1, ticket.New, 0, "", ""
		sc.ResponseDue, sc.ResolutionDue = nil, nil // the run that begins the round reads them
		return verdict{
			effect: true, undoes: before.ID,
			says: fmt.Sprintf("%s took the merge of %s into %s back; it goes on in round %d: %s", sc.who.Name, id, carries, sc.Round, m.Reason),
		}, err
	})
}

func queuePiecesOf(b *pgx.Batch, table string, number int64, into *[]piece) {
	b.Queue("select id, rated_in is not null from "+table+" where ticket = $1 order by id", number).Query(func(rows pgx.Rows) (err error) {
		*into, err = pgx.CollectRows(rows, pgx.RowToStructByPos[piece])
		return err
	})
}

// unreturned says what of the pieces that a merge took cannot go back: it is billed, or on a third ticket.
func unreturned(name func(int64) string, took []int64, there []piece) (says []string) {
	for _, n := range took {
		i := slices.IndexFunc(there, func(p piece) bool { return p.ID == n })
		switch {
		case i < 0:
			says = append(says, name(n)+" was split off it since")
		case there[i].Rated:
			says = append(says, name(n)+" is billed")
		}
	}
	return says
}
