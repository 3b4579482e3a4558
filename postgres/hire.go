package postgres

import (
	"context"
	"fmt"
	"net/mail"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/docket-psa/docket/ticket"
)

// AddPerson stores somebody who is new. It takes an owner; the first person of a house may be added by anybody, as there
// is nobody else yet. Returns a Problem for each field that is wrong, and where the id is taken.
func (s *Store) AddPerson(ctx context.Context, p Staffing, by string) error {
	people := map[string]actor{}
	var first bool
	b := &pgx.Batch{}
	queueActors(b, []string{p.ID, by}, people)
	if err := s.pool.SendBatch(ctx, b).Close(); err != nil {
		return fmt.Errorf("look for person %s: %w", p.ID, err)
	}
	if err := s.pool.QueryRow(ctx, "select not exists (select from people where kind <> 'system')").Scan(&first); err != nil {
		return fmt.Errorf("count people: %w", err)
	}
	if _, taken := people[p.ID]; taken {
		return ticket.Invalid("person", p.ID, "is there already", "choose another id; `docket person email`, `away` and `left` change what is stored")
	}
	if !first {
		who, err := pick(people, "by", by)
		if err != nil {
			return err
		}
		if who.Client != "" || !slices.Contains(who.Roles, "owner") {
			return ticket.Invalid("by", by, "may not add people", "it takes the role owner")
		}
	}
	return s.PutPerson(ctx, p)
}

// SetEmail says where notices for a person go. It takes the person himself, or one of ours with the role dispatcher or owner.
func (s *Store) SetEmail(ctx context.Context, person, email, by string) error {
	if parsed, err := mail.ParseAddress(email); email != "" && (err != nil || parsed.Address != email) {
		return ticket.Invalid("email", email, "is not an address", "write it like ann@example.com")
	}
	return s.tx(ctx, "set an address", func(t *tx) error {
		people := map[string]actor{}
		b := t.batch()
		queueActors(b, []string{person, by}, people)
		if err := t.send(ctx, b); err != nil {
			return err
		}
		who, err := pick(people, "by", by)
		if err != nil {
			return err
		}
		if _, known := people[person]; !known {
			return ticket.Invalid("person", person, "is not known", "`docket person list` shows everybody")
		}
		ours := who.Client == "" && (slices.Contains(who.Roles, "dispatcher") || slices.Contains(who.Roles, "owner"))
		if !ours && by != person {
			return ticket.Invalid("by", by, "may not say so of "+person, "it takes "+person+" himself, or the role dispatcher or owner")
		}
		b = t.batch()
		b.Queue("update people set email = $2 where id = $1", person, email)
		return t.commit(ctx, b)
	})
}
