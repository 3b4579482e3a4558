package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/docket-psa/docket/ticket"
)

// What names people and things of the old client goes; work, items and comments follow by their keys.
const moveTicket = `
update tickets set client_id = $2, contact_id = nullif($4, ''), site_id = $5, device = $6, project_id = $7, contract_id = nullif($3, '')
where number = $1`

// relocated is the answer on record to a move, with what the ticket left behind: moved back, it finds that again.
type relocated struct {
	ticket.Answer
	Left left `json:"left"`
}

// left names the client that the ticket was of, and that client's people and things on it.
type left struct {
	Client  string  `json:"client"`
	Contact string  `json:"contact,omitempty"`
	Site    string  `json:"site,omitempty"`
	Device  string  `json:"device,omitempty"`
	Project *string `json:"project,omitempty"`
}

// Move gives an open ticket to another client: work, items and conversation go over, the contract and the
// targets are the other client's from the ticket's opening on, and its closing rates everything by that
// client's contracts. What was ever billed or quoted never moves: then the ticket stays where it is, and the answer
// says what to do instead.
func (s *Store) Move(ctx context.Context, id ticket.ID, m ticket.Move) (ticket.Answer, error) {
	if err := m.Validate(); err != nil {
		return ticket.Answer{}, err
	}
	var (
		billed   int
		known    *string
		versions []versionRow
		before   *deedBefore
		leaves   *left
	)
	asks := m
	asks.Header = ticket.Header{}
	deed := message{
		id: id, name: deedMove, head: m.Header, asks: asks, todo: "move it",
		read: func(b *pgx.Batch) {
			b.Queue("select (select count(*) from closures where ticket = $1) + (select count(*) from holds where ticket = $1)", id.Number()).Query(one(&billed))
			b.Queue("select max(name) from clients where id = $1", m.Client).Query(one(&known))
			queueClientVersions(b, m.Client, &versions)
			queueDeed(b, id, deedMove, &before)
			b.Queue("select client_id, coalesce(contact_id, ''), site_id, device, project_id from tickets where number = $1", id.Number()).Query(row(&leaves))
		},
	}
	return s.act(ctx, deed, func(sc *scene, b *pgx.Batch) (verdict, error) {
		switch {
		case known == nil:
			return verdict{}, ticket.Invalid("client", m.Client, "is not known", "`docket client list` shows the clients")
		case m.Client == sc.Client:
			return verdict{says: fmt.Sprintf("%s is %s's already.", id, sc.Client)}, nil
		case billed > 0:
			return verdict{says: fmt.Sprintf(
				"%s has been billed or quoted to %s, and billed work never moves: resolve it there or credit it, and open a new ticket for %s.", id, sc.Client, m.Client)}, nil
		case sc.Stage == ticket.Waiting:
			return verdict{says: fmt.Sprintf("%s waits for %s: resume it, then move it.", id, sc.WaitingFor)}, nil
		}
		terms, err := s.inForce(ctx, sc.conn, versions, sc.OpenedAt)
		if err != nil {
			return verdict{}, err
		}
		there := sc.standing
		there.Contract, there.RespondedAt, there.ResponseBreachedAt = "", nil, nil // the response, too, is measured by the other client's target
		if sc.TriagedAt != nil {
			if terms != nil {
				there.Contract = terms.Contract().ID
			}
			if err := promiseOf(ctx, sc.conn, terms, &there); err != nil {
				return verdict{}, err
			}
		}
		v := verdict{effect: true, says: fmt.Sprintf("%s moved %s from %s to %s%s: %s", sc.who.Name, id, sc.Client, *known, until(there.ResolutionDue), m.Reason)}
		finds, err := before.back(m.Client)
		if err != nil {
			return verdict{}, err
		}
		if finds.Client != "" {
			v.undoes = before.ID
			v.says = fmt.Sprintf("%s moved %s back from %s to %s%s: %s", sc.who.Name, id, sc.Client, *known, until(there.ResolutionDue), m.Reason)
		}
		b.Queue(moveTicket, sc.Number, m.Client, there.Contract, finds.Contact, finds.Site, finds.Device, finds.Project)
		there.queueSLA(b)
		// The round's run hears of it, at the latest by the relay; one that has not begun yet will read it anyway.
		b.Queue("insert into outbox (ticket, round, created_at, moved) values ($1, $2, $3, true) on conflict do nothing", sc.Number, sc.Round, s.now())
		v.answer = relocated{Answer: sc.answer(true, v.says), Left: *leaves}
		return v, nil
	})
}

// back is what the ticket finds again at the client where the move before took it from; nothing at another one.
func (d *deedBefore) back(client string) (left, error) {
	if d == nil || d.Undone {
		return left{}, nil
	}
	var was relocated
	if err := json.Unmarshal(d.Answer, &was); err != nil {
		return left{}, fmt.Errorf("read where the ticket was moved from: %w", err)
	}
	if was.Left.Client != client {
		return left{}, nil
	}
	return was.Left, nil
}

func until(due *time.Time) string {
	if due == nil {
		return ""
	}
	return ", due " + due.UTC().Format(time.RFC3339)
}
