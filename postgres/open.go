package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/docket-psa/docket/ticket"
)

// arrival is what the database has of an opening before anything is written.
type arrival struct {
	client     string // its name; empty: there is none
	contact    string
	contactOf  string
	delivered  *delivery // this very delivery
	here       *delivery // the ticket of this external id
	nextNumber int64     // for a new ticket
	mends      *mended   // the ticket that it is rework of
	project    *openProject
}

type openProject struct {
	Client string
	State  string
}

type mended struct {
	Client string
	Stage  ticket.Stage
}

type delivery struct {
	Ticket int64
	Digest string
}

// Open accepts a ticket: the row, its delivery, its outbox row and its event, or nothing. A delivery that was here
// before, and another one of the same ticket with the same content, find the ticket that stands. Returns Problems for
// a malformed opening, an unknown client, a contact of another client, rework of a ticket that is not the client's or not closed, and an
// external id whose content has changed.
func (s *Store) Open(ctx context.Context, o ticket.Opening) (opened ticket.Opened, err error) {
	now := s.now()
	if err := o.Validate(now); err != nil {
		return opened, err
	}
	if o.OpenedAt.IsZero() {
		o.OpenedAt = now
	}
	o.Channel = cmp.Or(o.Channel, "portal")
	digest, err := bodyDigest(o)
	if err != nil {
		return opened, err
	}
	err = s.tx(ctx, "open a ticket", func(t *tx) error {
		k, err := s.lookUp(ctx, t, o)
		if err != nil {
			return err
		}
		if err := errors.Join(k.check(o, digest)...); err != nil {
			return err
		}
		b := t.batch()
		switch {
		case k.delivered != nil:
			opened = ticket.Opened{Ticket: ticket.NewID(k.delivered.Ticket), Duplicate: true}
			return nil
		case k.here != nil:
			opened = ticket.Opened{Ticket: ticket.NewID(k.here.Ticket), Duplicate: true}
			b.Queue(insertDelivery, o.Source, o.EventID, k.here.Ticket, digest, now)
			return t.commit(ctx, b)
		}
		id := ticket.NewID(k.nextNumber)
		opened = ticket.Opened{Ticket: id}
		b.Queue(insertTicket, k.nextNumber, o.Client, o.Source, o.ExternalID, digest, o.Subject, o.Description, o.Contact,
			o.Site, o.Device, o.Channel, o.EventTime, o.Category, o.Subcategory, o.Impact, o.Urgency, o.OpenedAt, o.ReworkOf.Number(), o.Project)
		b.Queue(insertDelivery, o.Source, o.EventID, k.nextNumber, digest, now)
		b.Queue("insert into outbox (ticket, round, created_at) values ($1, 1, $2)", k.nextNumber, now)
		if err := s.record(ctx, b, event{
			Ticket: id, Client: o.Client, Round: 1, At: o.OpenedAt, Kind: "opened", Actor: cmp.Or(o.Contact, o.Source), Via: o.Source,
			Effect: true, Says: fmt.Sprintf("%s opened %s by %s: %s", cmp.Or(k.contact, k.client), id, o.Channel, o.Subject),
		}); err != nil {
			return err
		}
		return t.commit(ctx, b)
	})
	return opened, err
}

const insertTicket = `
insert into tickets (number, client_id, source, external_id, body_digest, subject, description, contact_id, site_id, device,
  channel, event_time, category, subcategory, impact, urgency, opened_at, rework_of, project_id)
values ($1, $2, $3, $4, $5, $6, $7, nullif($8, ''), $9, $10, $11, $12, $13, $14, $15, $16, $17, nullif($18::bigint, 0), nullif($19, ''))`

const insertDelivery = `
insert into deliveries (source, event_id, ticket, body_digest, received_at) values ($1, $2, $3, $4, $5)`

// lookUp reads, and draws the number of a new ticket only where there is none yet.
func (s *Store) lookUp(ctx context.Context, t *tx, o ticket.Opening) (k arrival, err error) {
	b := t.batch()
	b.Queue("select name from clients where id = $1", o.Client).Query(one(&k.client))
	b.Queue("select name, coalesce(client_id, '') from people where id = $1", o.Contact).Query(func(rows pgx.Rows) error {
		_, err := pgx.ForEachRow(rows, []any{&k.contact, &k.contactOf}, func() error { return nil })
		return err
	})
	b.Queue("select ticket, body_digest from deliveries where source = $1 and event_id = $2", o.Source, o.EventID).
		Query(row(&k.delivered))
	b.Queue("select number, body_digest from tickets where source = $1 and external_id = $2", o.Source, o.ExternalID).
		Query(row(&k.here))
	b.Queue(`
select nextval('tickets_number_seq') where exists (select from clients where id = $3)
  and not exists (select from tickets where source = $1 and external_id = $2)`, o.Source, o.ExternalID, o.Client).Query(one(&k.nextNumber))
	if o.ReworkOf != "" {
		b.Queue("select client_id, stage from tickets where number = $1", o.ReworkOf.Number()).Query(row(&k.mends))
	}
	if o.Project != "" {
		b.Queue("select client_id, state from projects where id = $1", o.Project).Query(row(&k.project))
	}
	return k, t.send(ctx, b)
}

// check says what of the opening the database contradicts.
func (k arrival) check(o ticket.Opening, digest string) (errs []error) {
	if k.client == "" {
		errs = append(errs, ticket.Invalid("client", o.Client, "is not known", "`docket client list` shows the clients"))
	}
	switch {
	case o.Contact == "":
	case k.contact == "":
		errs = append(errs, ticket.Invalid("contact", o.Contact, "is not known", "give the id of one of the client's people, or leave it out"))
	case k.contactOf != o.Client:
		errs = append(errs, ticket.Invalid("contact", o.Contact, "does not belong to "+o.Client, "give one of the client's own people, or leave it out"))
	}
	switch {
	case o.ReworkOf == "" || k.here != nil || k.delivered != nil:
	case k.mends == nil:
		errs = append(errs, ticket.Invalid("rework_of", o.ReworkOf, "is not known", "`docket ticket list` shows the tickets"))
	case k.mends.Client != o.Client:
		errs = append(errs, ticket.Invalid("rework_of", o.ReworkOf, "belongs to another client", "name a ticket of "+o.Client))
	case k.mends.Stage != ticket.Held && k.mends.Stage != ticket.Posted:
		errs = append(errs, ticket.Invalid("rework_of", o.ReworkOf, "is "+string(k.mends.Stage), "name a ticket that was resolved; work on one that is still open belongs there"))
	}
	switch {
	case o.Project == "" || k.here != nil || k.delivered != nil:
	case k.project == nil || k.project.Client != o.Client:
		errs = append(errs, ticket.Invalid("project", o.Project, "is no project of "+o.Client, "`docket project list` shows the projects"))
	case k.project.State != "open":
		errs = append(errs, ticket.Invalid("project", o.Project, "is closed", "open it again (docket project open), or leave it out"))
	}
	if k.here != nil && k.here.Digest != digest {
		errs = append(errs, ticket.Invalid("external_id", o.ExternalID, "is "+string(ticket.NewID(k.here.Ticket))+" already, with other content",
			"send a change as a comment on it; give a new ticket an external id of its own"))
	}
	if k.delivered != nil && k.delivered.Digest != digest && k.here == nil {
		errs = append(errs, ticket.Invalid("event_id", o.EventID, "was the delivery of "+string(ticket.NewID(k.delivered.Ticket)),
			"give each delivery an event id of its own"))
	}
	return errs
}

// bodyDigest names an opening by what it says: a later delivery of it has another event id, and may have another time.
func bodyDigest(o ticket.Opening) (string, error) {
	o.EventID, o.OpenedAt = "", time.Time{}
	return digestOf(o)
}

// one scans at most one value; without a row, into stays as it is.
func one[V any](into *V) func(pgx.Rows) error {
	return func(rows pgx.Rows) error {
		_, err := pgx.ForEachRow(rows, []any{into}, func() error { return nil })
		return err
	}
}

// row scans at most one row; without one, into stays nil.
func row[R any](into **R) func(pgx.Rows) error {
	return func(rows pgx.Rows) error {
		found, err := pgx.CollectRows(rows, pgx.RowToAddrOfStructByPos[R])
		if len(found) > 0 {
			*into = found[0]
		}
		return err
	}
}
