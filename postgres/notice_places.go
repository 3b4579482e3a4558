package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/docket-psa/docket/ticket"
)

// PutEndpoint stores a program of ours that hears of notices, or changes one; an empty secret keeps the one it has. It takes
// one of ours with the role dispatcher or owner.
func (s *Store) PutEndpoint(ctx context.Context, e ticket.Endpoint) error {
	if !endpointID.MatchString(e.ID) {
		return ticket.Invalid("endpoint", e.ID, "is not an id", "use 1 to 63 lower-case letters, digits and hyphens")
	}
	if err := e.Validate(); err != nil {
		return err
	}
	return s.tx(ctx, "store endpoint "+e.ID, func(t *tx) error {
		if err := t.decides(ctx, e.By, "set where notices go"); err != nil {
			return err
		}
		b := t.batch()
		b.Queue(`
insert into notice_endpoints (id, url, secret, tells, private, active, set_by, set_at) values ($1, $2, $3, $4, $5, true, $6, $7)
on conflict (id) do update set url = excluded.url, secret = coalesce(nullif(excluded.secret, ''), notice_endpoints.secret),
  tells = excluded.tells, private = excluded.private, active = true, set_by = excluded.set_by, set_at = excluded.set_at`,
			e.ID, e.URL, e.Secret, orEmpty(e.Tells), e.Private, e.By, s.now())
		return t.commit(ctx, b)
	})
}

var endpointID = personID // the same shape, and shown in the same places

// RemoveEndpoint tells it nothing any more; what waits for it becomes moot. Removed again, it stays as it was.
func (s *Store) RemoveEndpoint(ctx context.Context, id, by string) error {
	return s.tx(ctx, "remove endpoint "+id, func(t *tx) error {
		if err := t.decides(ctx, by, "set where notices go"); err != nil {
			return err
		}
		known := false
		b := t.batch()
		b.Queue("select true from notice_endpoints where id = $1 for update", id).Query(one(&known))
		b.Queue("update notice_endpoints set active = false, set_by = $2, set_at = $3 where id = $1 and active", id, by, s.now())
		if err := t.send(ctx, b); err != nil {
			return err
		}
		if !known {
			return ticket.Invalid("endpoint", id, "is not known", "`docket notify endpoint list` shows them")
		}
		return t.commit(ctx, t.batch())
	})
}

// Endpoints lists those that hear of notices, without their secrets.
func (s *Store) Endpoints(ctx context.Context) ([]ticket.Endpoint, error) {
	return collect[ticket.Endpoint](ctx, s.pool, "endpoints",
		"select id, url, '' as secret, tells, private, active, set_by, set_at from notice_endpoints where active order by id")
}

// SetQuiet stores when a person, or (without one) the whole house, does not want to be disturbed. It takes the person
// himself, or one of ours with the role dispatcher or owner.
func (s *Store) SetQuiet(ctx context.Context, q ticket.Quiet) error {
	if err := q.Validate(); err != nil {
		return err
	}
	return s.quiet(ctx, q.Person, q.By, func(b *pgx.Batch) {
		b.Queue("delete from quiet_hours where person is not distinct from nullif($1, '')", q.Person)
		b.Queue("insert into quiet_hours (person, zone, begins, ends, weekend, set_by, set_at) values (nullif($1, ''), $2, $3, $4, $5, $6, $7)",
			q.Person, q.Zone, q.Begins, q.Ends, q.Weekend, q.By, s.now())
	})
}

// EndQuiet takes the quiet hours back. What waits for their end goes out at once.
func (s *Store) EndQuiet(ctx context.Context, person, by string) error {
	return s.quiet(ctx, person, by, func(b *pgx.Batch) {
		b.Queue("delete from quiet_hours where person is not distinct from nullif($1, '')", person)
	})
}

func (s *Store) quiet(ctx context.Context, person, by string, change func(*pgx.Batch)) error {
	return s.tx(ctx, "set quiet hours", func(t *tx) error {
		if person == "" || person != by {
			if err := t.decides(ctx, by, "set the quiet hours of others"); err != nil {
				return err
			}
		}
		people := map[string]actor{}
		b := t.batch()
		queueActors(b, []string{by, person}, people)
		if err := t.send(ctx, b); err != nil {
			return err
		}
		_, wrong := pick(people, "by", by)
		if _, known := people[person]; person != "" && !known {
			wrong = errors.Join(wrong, ticket.Invalid("person", person, "is not known", "`docket person list` shows everybody"))
		}
		if wrong != nil {
			return wrong
		}
		b = t.batch()
		change(b)
		// What waits is looked at again: its quiet hours are others now.
		b.Queue("update notices set due_at = $1 where state = 'waiting' and attempts = 0 and due_at > $1 and channel = 'mail' and ($2 = '' or recipient = $2)",
			s.now(), person)
		return t.commit(ctx, b)
	})
}

// QuietHours lists them, the house's first.
func (s *Store) QuietHours(ctx context.Context) ([]ticket.Quiet, error) {
	return collect[ticket.Quiet](ctx, s.pool, "quiet hours",
		"select coalesce(person, ''), zone, begins, ends, weekend, set_by, set_at from quiet_hours order by person nulls first")
}

// decides refuses whoever is not one of ours with the role dispatcher or owner.
func (t *tx) decides(ctx context.Context, who, what string) error {
	people := map[string]actor{}
	b := t.batch()
	queueActors(b, []string{who}, people)
	if err := t.send(ctx, b); err != nil {
		return err
	}
	a, err := pick(people, "by", who)
	if err != nil {
		return err
	}
	if a.Client != "" || !slices.ContainsFunc(a.Roles, func(r string) bool { return r == "dispatcher" || r == "owner" }) {
		return ticket.Invalid("by", who, "may not "+what, "it takes one of ours with the role dispatcher or owner")
	}
	return nil
}

// LinkKey is what signs the links of approval mails, where the operator gives no key of his own.
func (s *Store) LinkKey(ctx context.Context) (key []byte, err error) {
	if err := s.pool.QueryRow(ctx, "select key from link_keys where id = 1").Scan(&key); err != nil {
		return nil, fmt.Errorf("read the key of links: %w", err)
	}
	return key, nil
}

// NoteLink keeps what became of a link that somebody opened. An empty person: it proves nothing.
func (s *Store) NoteLink(ctx context.Context, l ticket.Link, outcome, says string) error {
	if _, err := s.pool.Exec(ctx, "insert into link_uses (at, person, hold, outcome, says) values ($1, $2, $3, $4, $5)",
		s.now(), l.Person, l.Hold, outcome, says); err != nil {
		return fmt.Errorf("note the use of a link: %w", err)
	}
	return nil
}

// LinkUses lists what became of links, of one hold or with 0 of all, the newest first.
func (s *Store) LinkUses(ctx context.Context, hold int64) ([]ticket.LinkUse, error) {
	return collect[ticket.LinkUse](ctx, s.pool, "the uses of links",
		"select at, person, hold, outcome, says from link_uses where $1 = 0 or hold = $1 order by id desc limit 200", hold)
}

// KeepMail stores a mail that the catcher of `docket up` took.
func (s *Store) KeepMail(ctx context.Context, m ticket.CaughtMail) error {
	if _, err := s.pool.Exec(ctx, "insert into caught_mails (at, sender, recipients, message_id, subject, raw) values ($1, $2, $3, $4, $5, $6)",
		s.now(), m.From, orEmpty(m.To), m.MessageID, m.Subject, m.Raw); err != nil {
		return fmt.Errorf("keep a caught mail: %w", err)
	}
	return nil
}

// CaughtMails lists what the catcher took, the newest first; with a person only what he got, and with an id only that one.
func (s *Store) CaughtMails(ctx context.Context, person string, id int64, limit int) ([]ticket.CaughtMail, error) {
	return collect[ticket.CaughtMail](ctx, s.pool, "caught mails", `
select m.id, m.at, m.sender, m.recipients, m.message_id, m.subject, m.raw from caught_mails m
where ($1 = '' or exists (select from people p where p.id = $1 and p.email <> '' and lower(p.email) = any (select lower(unnest(m.recipients)))))
  and ($2 = 0 or m.id = $2)
order by m.id desc limit $3`, person, id, limit)
}
