package postgres

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/docket-psa/docket/ticket"
)

// message is one message to one ticket, and what acting on it needs to read.
type message struct {
	id    ticket.ID
	name  ticket.Name
	head  ticket.Header
	asks  any       // its content, without its header
	also  []string  // people it names, beside its sender
	other ticket.ID // a second ticket to lock
	todo  string    // completes 'reopen it to …' when the ticket is closed
	share bool      // lock FOR SHARE: the ticket's row is not changed
	late  bool      // decide sees tickets that are not open, too
	read  func(b *pgx.Batch)
}

// scene is what a deed finds under the lock.
type scene struct {
	standing
	other  *standing // of message.other
	who    actor
	people map[string]actor // sender, those named, and the assignee
	at     time.Time        // when it happened
	conn   querier          // the transaction's: a second connection would wait for those that wait for the lock
}

// name gives a person's name for a sentence.
func (sc *scene) name(id string) string { return cmp.Or(sc.people[id].Name, id) }

// verdict is what became of a message.
type verdict struct {
	effect bool
	says   string
	answer any // to keep on record, where it is more than ticket.Answer
	split  ticket.ID
	undoes int64 // the event that it takes back; 0: none
}

// act does one message's transaction, in two round trips: the ticket is locked, a message
// whose key is on record answers as before, the sender's right is checked, and what decide
// queues is committed with the message's event. A ticket that is not open any more refuses
// everything alike, on record.
func (s *Store) act(ctx context.Context, m message, decide func(sc *scene, b *pgx.Batch) (verdict, error)) (answer ticket.Answer, err error) {
	at, input, err := s.prepare(m)
	if err != nil {
		return answer, err
	}
	err = s.tx(ctx, fmt.Sprintf("%s of %s", m.name, m.id), func(t *tx) error {
		sc, before, err := m.find(ctx, t, at)
		if err != nil {
			return err
		}
		if before != nil {
			as := input
			if before.Ticket != m.id.Number() && before.Carries == m.id.Number() {
				// It was to a ticket that has been merged into this one since, and is repeated by way of it.
				if as, err = m.digest(ticket.NewID(before.Ticket)); err != nil {
					return err
				}
			}
			answer, err = recall[ticket.Answer](earlier{before.Input, before.Answer}, m.head.OperationKey, as)
			return err
		}
		if sc.who, err = pickSender(sc.people, m.name, m.head); err != nil {
			return err
		}
		if err := sc.who.may(m.name, sc.Client); err != nil {
			return err
		}
		b := t.batch()
		v := verdict{says: sc.over(cmp.Or(m.todo, string(m.name)+" it"))}
		if sc.Stage.Open() || m.late {
			if v, err = decide(sc, b); err != nil {
				return err
			}
		}
		answer = sc.answer(v.effect, v.says)
		answer.Split = v.split
		if err := s.record(ctx, b, m.event(sc, v, answer, input)); err != nil {
			return err
		}
		return t.commit(ctx, b)
	})
	return answer, err
}

// prepare checks what needs no database: when it happened, and what it says.
func (s *Store) prepare(m message) (at time.Time, input string, err error) {
	now := s.now()
	if at = m.head.At; at.IsZero() {
		at = now
	}
	if err := plausible("at", at, now); err != nil {
		return at, "", err
	}
	input, err = m.digest(m.id)
	return at.UTC(), input, err
}

// digest names the message as one to the ticket. Its time is not part of what it says: a repeated delivery may carry
// another one.
func (m message) digest(id ticket.ID) (string, error) {
	return digestOf(id, m.name, m.head.Who, m.asks)
}

// find locks and reads. Two tickets are locked by number, whichever asked.
func (m message) find(ctx context.Context, t *tx, at time.Time) (*scene, *earlierOf, error) {
	numbers := []int64{m.id.Number()}
	if m.other != "" {
		numbers = append(numbers, m.other.Number())
	}
	lock := " for update of t"
	if m.share {
		lock = " for share of t"
	}
	sc := &scene{people: map[string]actor{}, at: at, conn: t.conn}
	var found []standing
	b := t.batch()
	b.Queue("select"+standingColumns+" from tickets t where t.number = any ($1) order by t.number"+lock, numbers).Query(func(rows pgx.Rows) (err error) {
		found, err = pgx.CollectRows(rows, pgx.RowToStructByPos[standing])
		return err
	})
	var before *earlierOf
	queueEarlierOf(b, &before, m.head.OperationKey, mergedKey(m.id, m.head.OperationKey))
	b.Queue("select "+actorColumns+" from people where id = any ($1) or id in (select assignee from tickets where number = $2)",
		append([]string{m.head.Who}, m.also...), m.id.Number()).Query(func(rows pgx.Rows) error {
		people, err := pgx.CollectRows(rows, pgx.RowToStructByPos[actor])
		for _, a := range people {
			sc.people[a.ID] = a
		}
		return err
	})
	if m.read != nil {
		m.read(b)
	}
	if err := t.send(ctx, b); err != nil {
		return nil, nil, err
	}
	here := false
	for i, f := range found {
		switch f.Number {
		case m.id.Number():
			sc.standing, here = f, true
		default:
			sc.other = &found[i]
		}
	}
	if !here {
		return nil, nil, ticket.Invalid("ticket", m.id, "does not exist", "`docket ticket list` shows the tickets")
	}
	if m.other != "" && sc.other == nil && m.other.Number() != m.id.Number() {
		return nil, nil, ticket.Invalid("into", m.other, "does not exist", "`docket ticket list` shows the tickets")
	}
	return sc, before, nil
}

func (m message) event(sc *scene, v verdict, answer ticket.Answer, input string) event {
	keep := v.answer
	if keep == nil {
		keep = answer
	}
	key := m.head.OperationKey
	if !v.effect && sc.Stage == ticket.Merged {
		// The key stays free for the ticket that carries on, where the message belongs.
		key = mergedKey(m.id, key)
	}
	return event{
		Ticket: sc.id(), Client: sc.Client, Round: sc.Round, At: sc.at, Kind: string(m.name), Actor: m.head.Who,
		Via: cmp.Or(m.head.Via, ticket.ViaTemporal), Key: key, Input: input, Effect: v.effect, Says: v.says, Answer: keep, Undoes: v.undoes,
	}
}

func mergedKey(id ticket.ID, key string) string { return "merged/" + string(id) + "/" + key }
