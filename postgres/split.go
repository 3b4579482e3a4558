package postgres

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/docket-psa/docket/ticket"
)

// The new ticket is the same client's trouble, of the same person and place; what it is about its own words say.
const insertSplit = `
insert into tickets (number, client_id, source, external_id, body_digest, subject, description, contact_id, site_id, device,
  channel, event_time, category, impact, urgency, opened_at, project_id, split_from)
select $2, client_id, 'split', $3, '', $4, $5, contact_id, site_id, device, channel, event_time, $6, impact, urgency, $7, project_id, number
from tickets where number = $1`

// piece is a work entry or an item that is to move.
type piece struct {
	ID    int64
	Rated bool // a closure that stands rates it
}

// Split makes a new ticket of the same client, with its own start in the outbox, and moves the named work and items to
// it. What a closure rates stays where it was billed, so that no minute is charged twice, whatever closes meanwhile.
// The split is taken back by merging the new ticket into the old one.
func (s *Store) Split(ctx context.Context, id ticket.ID, m ticket.SplitOff) (ticket.Answer, error) {
	if err := m.Validate(); err != nil {
		return ticket.Answer{}, err
	}
	var (
		work, items []piece
		next        int64
	)
	asks := m
	asks.Header = ticket.Header{}
	deed := message{
		id: id, name: deedSplit, head: m.Header, asks: asks, late: true,
		read: func(b *pgx.Batch) {
			queuePieces(b, "work_entries", id, m.Work, &work)
			queuePieces(b, "ticket_items", id, m.Items, &items)
			b.Queue(`
select nextval('tickets_number_seq') where exists (
  select from tickets where number = $1 and stage in ('new', 'triage', 'routing', 'resolution', 'waiting'))
and not exists (select from ticket_events where operation_key = $2)`, id.Number(), m.OperationKey).Query(one(&next))
		},
	}
	return s.act(ctx, deed, func(sc *scene, b *pgx.Batch) (verdict, error) {
		switch {
		case sc.Stage == ticket.Held:
			return verdict{says: fmt.Sprintf(
				"%s is closed and waits for a person: what it bills never moves. Decide what waits, or reopen it; then split it.", id)}, nil
		case !sc.Stage.Open():
			return verdict{says: sc.over("split it")}, nil
		}
		if err := missing("work", ticket.WorkID, id, m.Work, work); err != nil {
			return verdict{}, err
		}
		if err := missing("items", ticket.ItemID, id, m.Items, items); err != nil {
			return verdict{}, err
		}
		if stays := slices.Concat(billed(ticket.WorkID, work), billed(ticket.ItemID, items)); len(stays) > 0 {
			return verdict{says: fmt.Sprintf("An earlier round of %s has billed %s, and billed work never moves: leave that out, or credit it.",
				id, strings.Join(stays, ", "))}, nil
		}
		off := ticket.NewID(next)
		at := sc.noEarlier(sc.at)
		b.Queue(insertSplit, sc.Number, next, m.OperationKey, m.Subject, fmt.Sprintf("Split off %s.", id), m.Category, at)
		b.Queue(moveWork, sc.Number, next, orNone(m.Work))
		b.Queue(moveItems, sc.Number, next, orNone(m.Items))
		b.Queue("insert into outbox (ticket, round, created_at) values ($1, 1, $2)", next, s.now())
		err := s.record(ctx, b, event{
			Ticket: off, Client: sc.Client, Round: 1, At: at, Kind: "opened", Actor: m.Who, Via: cmp.Or(m.Via, ticket.ViaTemporal),
			Effect: true, Says: fmt.Sprintf("%s split it off %s: %s", sc.who.Name, id, m.Subject),
		})
		v := verdict{effect: true, says: fmt.Sprintf("%s split %s off %s, with %s: %s", sc.who.Name, off, id, namesOf(m.Work, m.Items), m.Subject)}
		v.split = off
		return v, err
	})
}

// queuePieces reads what is named, as far as it is the ticket's.
func queuePieces(b *pgx.Batch, table string, id ticket.ID, ids []int64, into *[]piece) {
	b.Queue("select id, rated_in is not null from "+table+" where ticket = $1 and id = any ($2) order by id", id.Number(), orNone(ids)).
		Query(func(rows pgx.Rows) (err error) {
			*into, err = pgx.CollectRows(rows, pgx.RowToStructByPos[piece])
			return err
		})
}

// missing is a Problem where something is named that the ticket has not.
func missing(field string, name func(int64) string, id ticket.ID, asked []int64, found []piece) error {
	for _, n := range asked {
		if !slices.ContainsFunc(found, func(p piece) bool { return p.ID == n }) {
			return ticket.Invalid(field, name(n), "is not on "+string(id), "`docket ticket show "+string(id)+"` lists what is")
		}
	}
	return nil
}

// billed names those that a closure rates.
func billed(name func(int64) string, pieces []piece) (names []string) {
	for _, p := range pieces {
		if p.Rated {
			names = append(names, name(p.ID))
		}
	}
	return names
}

func namesOf(work, items []int64) string {
	var names []string
	for _, n := range work {
		names = append(names, ticket.WorkID(n))
	}
	for _, n := range items {
		names = append(names, ticket.ItemID(n))
	}
	return strings.Join(names, ", ")
}

// orNone is never nil: SQL compares with it.
func orNone(ids []int64) []int64 { return append([]int64{}, ids...) }
