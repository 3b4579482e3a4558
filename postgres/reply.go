package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/docket-psa/docket/ticket"
	"github.com/docket-psa/docket/triage"
)

// errTurned is what a reply meets whose ticket was closed or reopened after it looked.
var errTurned = errors.New("the ticket was closed or reopened meanwhile")

// Reply notes that the customer answered, which ends a wait. The words are a comment of the ticket. Where the ticket is
// closed the words decide: mere thanks leave it closed, on record; whatever says more, or cannot be told from it,
// reopens it, as nobody's trouble is to be lost. Returns a Problem where there is no such comment.
func (s *Store) Reply(ctx context.Context, id ticket.ID, m ticket.Reply) (answer ticket.Answer, err error) {
	for {
		var (
			stage ticket.Stage
			words string
		)
		if err := s.pool.QueryRow(ctx, "select coalesce(max(t.stage), ''), coalesce(max(c.body), '') from tickets t left join comments c on c.ticket = t.number and c.id = $2 where t.number = $1",
			id.Number(), m.Comment).Scan(&stage, &words); err != nil {
			return answer, fmt.Errorf("look what was replied to %s: %w", id, err)
		}
		switch closed := stage == ticket.Held || stage == ticket.Posted || stage == ticket.Cancelled; {
		case closed && words != "":
			answer, err = s.replyToClosed(ctx, id, m, triage.Read(words))
		default:
			answer, err = s.replyToOpen(ctx, id, m)
		}
		if !errors.Is(err, errTurned) {
			return answer, err
		}
	}
}

func (s *Store) replyToOpen(ctx context.Context, id ticket.ID, m ticket.Reply) (ticket.Answer, error) {
	var written bool
	deed := message{
		id: id, name: ticket.MsgReply, head: m.Header, asks: m.Comment, todo: "work on it", late: true,
		read: func(b *pgx.Batch) {
			b.Queue("select exists (select from comments where id = $1 and ticket = $2)", m.Comment, id.Number()).Query(one(&written))
		},
	}
	return s.act(ctx, deed, func(sc *scene, b *pgx.Batch) (verdict, error) {
		switch {
		case !sc.Stage.Open() && sc.Stage != ticket.Merged && written:
			return verdict{}, errTurned
		case !sc.Stage.Open():
			return verdict{says: sc.over("work on it")}, nil
		case m.Comment != 0 && !written:
			return verdict{}, ticket.Invalid("comment", m.Comment, "is not a comment of "+string(id), "add the comment first, and name it by its number")
		}
		return sc.endWait(b, fmt.Sprintf("%s replied on %s", sc.who.Name, id))
	})
}

// replyToClosed leaves the ticket closed where the reply only thanks, and begins its next round otherwise.
func (s *Store) replyToClosed(ctx context.Context, id ticket.ID, m ticket.Reply, said triage.Said) (ticket.Answer, error) {
	if said.Thanks {
		deed := message{id: id, name: ticket.MsgReply, head: m.Header, asks: m.Comment, late: true}
		return s.act(ctx, deed, func(sc *scene, _ *pgx.Batch) (verdict, error) {
			if sc.Stage.Open() {
				return verdict{}, errTurned
			}
			return verdict{says: fmt.Sprintf("%s only thanked (%s): %s stays closed.", sc.who.Name, said.Why, id)}, nil
		})
	}
	return s.reopen(ctx, id, reopener{
		name: ticket.MsgReply, head: m.Header, asks: m.Comment,
		says: func(who string) string { return fmt.Sprintf("%s replied (%s), which reopened it", who, said.Why) },
		open: func(ticket.Stage) (string, error) { return "", errTurned },
	})
}
