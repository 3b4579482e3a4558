package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/docket-psa/docket/ticket"
)

// Reads is what can be asked of the database. A Store asks as staff; AsClient asks as a client,
// and then row-level security leaves only what is that client's.
type Reads struct {
	q      querier
	client string // whose session it is; empty: staff
}

// AsClient runs the reads of fn as a client's session: under the role docket_client, in one
// read-only transaction that ends with fn, so that neither role nor client stays on the connection.
func (s *Store) AsClient(ctx context.Context, client string, fn func(Reads) error) error {
	c, err := s.Client(ctx, client)
	if err != nil {
		return err
	}
	err = pgx.BeginTxFunc(ctx, s.pool, pgx.TxOptions{AccessMode: pgx.ReadOnly}, func(t pgx.Tx) error {
		if _, err := t.Exec(ctx, "set local role docket_client"); err != nil {
			return fmt.Errorf("take on the client's rights: %w", err)
		}
		if _, err := t.Exec(ctx, "select set_config('docket.client', $1, true)", c.ID); err != nil {
			return fmt.Errorf("say whose session it is: %w", err)
		}
		return fn(Reads{q: t, client: c.ID})
	})
	if err != nil {
		return fmt.Errorf("read as client %s: %w", client, err)
	}
	return nil
}

const selectPeople = `
select id, name, kind, coalesce(client_id, ''), roles, work_role, email, board, skills from people`

// People lists who acts: of one client, of ours (client "-"), or everybody (client "").
func (r Reads) People(ctx context.Context, client string) ([]ticket.Person, error) {
	rows, err := r.q.Query(ctx, selectPeople+`
		where active and ($1 = '' or client_id = $1 or ($1 = '-' and client_id is null)) order by client_id nulls first, id`, client)
	if err != nil {
		return nil, fmt.Errorf("list people: %w", err)
	}
	people, err := pgx.CollectRows(rows, pgx.RowToStructByPos[ticket.Person])
	if err != nil {
		return nil, fmt.Errorf("list people: %w", err)
	}
	return people, nil
}

// Person finds somebody by id; a Problem where nobody has it.
func (r Reads) Person(ctx context.Context, id string) (ticket.Person, error) {
	rows, err := r.q.Query(ctx, selectPeople+" where id = $1", id)
	if err != nil {
		return ticket.Person{}, fmt.Errorf("look for person %s: %w", id, err)
	}
	p, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[ticket.Person])
	if errors.Is(err, pgx.ErrNoRows) {
		return p, ticket.Invalid("person", id, "is not known", "`docket client show` lists a client's people; `docket person list` all of them")
	}
	if err != nil {
		return p, fmt.Errorf("look for person %s: %w", id, err)
	}
	return p, nil
}

// Clients lists the clients, each with its sites and, for staff, its latest count of devices.
func (r Reads) Clients(ctx context.Context) ([]ticket.Client, error) { return r.clients(ctx, "") }

// Client finds a client by id; a Problem where none has it.
func (r Reads) Client(ctx context.Context, id string) (ticket.Client, error) {
	found, err := r.clients(ctx, id)
	if err != nil {
		return ticket.Client{}, err
	}
	if id == "" || len(found) != 1 {
		return ticket.Client{}, ticket.Invalid("client", id, "is not known", "`docket client list` shows the clients")
	}
	return found[0], nil
}

func (r Reads) clients(ctx context.Context, id string) ([]ticket.Client, error) {
	devices := `(select jsonb_object_agg(kind, devices) from (select distinct on (kind) kind, devices from device_counts d
		where d.client_id = c.id order by kind, counted_on desc) as latest)`
	if r.client != "" {
		devices = "null::jsonb"
	}
	rows, err := r.q.Query(ctx, `
		select c.id, c.name, c.time_zone, c.currency, c.payer_id,
			array(select s.id from sites s where s.client_id = c.id order by s.id), `+devices+`, c.tax_profile
		from clients c where $1 = '' or c.id = $1 order by c.id`, id)
	if err != nil {
		return nil, fmt.Errorf("list clients: %w", err)
	}
	clients, err := pgx.CollectRows(rows, pgx.RowToStructByPos[ticket.Client])
	if err != nil {
		return nil, fmt.Errorf("list clients: %w", err)
	}
	return clients, nil
}
