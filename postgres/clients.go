package postgres

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/sla"
	"github.com/docket-psa/docket/ticket"
)

var slug = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)

// PutClient stores a client, or brings what is stored up to date. An empty Payer means that
// the client pays for itself. Sites and Devices of c are left alone: see PutSite and
// CountDevices. Returns a Problem for each field that is wrong.
func (s *Store) PutClient(ctx context.Context, c ticket.Client) error {
	if c.Payer == "" {
		c.Payer = c.ID
	}
	var errs []error
	errs = append(errs, wellFormed("client", c.ID), printed("name", c.Name))
	if _, err := time.LoadLocation(c.TimeZone); err != nil || c.TimeZone == "" || c.TimeZone == "Local" {
		errs = append(errs, ticket.Invalid("time_zone", c.TimeZone, "is not a time zone", "give an IANA name such as Europe/Berlin"))
	}
	if _, ok := billing.MinorUnits(c.Currency); !ok {
		errs = append(errs, ticket.Invalid("currency", c.Currency, "is not an ISO 4217 currency", "give a code such as USD"))
	}
	if c.Payer != c.ID {
		errs = append(errs, s.mustExist(ctx, "payer", "clients", c.Payer, "store the payer first; `docket client list` shows the clients"))
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if _, err := s.pool.Exec(ctx, `
		insert into clients (id, name, time_zone, currency, payer_id, created_at) values ($1, $2, $3, $4, $5, $6)
		on conflict (id) do update set name = excluded.name, time_zone = excluded.time_zone, currency = excluded.currency,
			payer_id = excluded.payer_id`,
		c.ID, c.Name, c.TimeZone, c.Currency, c.Payer, s.now()); err != nil {
		return fmt.Errorf("store client %s: %w", c.ID, err)
	}
	return nil
}

// AddClient is PutClient by a person: it takes a dispatcher, an owner or finance, since it says who pays.
func (s *Store) AddClient(ctx context.Context, c ticket.Client, by string) error {
	if err := s.maySet(ctx, by, "add or change clients"); err != nil {
		return err
	}
	return s.PutClient(ctx, c)
}

// PutSite stores a place of a client's.
func (s *Store) PutSite(ctx context.Context, client, id, name string) error {
	if err := errors.Join(wellFormed("site", id), named("name", name), s.clientExists(ctx, client)); err != nil {
		return err
	}
	if _, err := s.pool.Exec(ctx, `
		insert into sites (client_id, id, name) values ($1, $2, $3)
		on conflict (client_id, id) do update set name = excluded.name`, client, id, name); err != nil {
		return fmt.Errorf("store site %s of %s: %w", id, client, err)
	}
	return nil
}

// CountDevices stores how many devices of a kind (workstation, server, seat, …) the client had
// on a date. Another count of the same kind and date replaces it.
func (s *Store) CountDevices(ctx context.Context, client, kind string, on sla.LocalDate, devices int) error {
	errs := []error{named("kind", kind), s.clientExists(ctx, client)}
	if err := on.Validate(); err != nil {
		errs = append(errs, ticket.Invalid("counted_on", on, "is not a date", "write it as YYYY-MM-DD"))
	}
	if devices < 0 {
		errs = append(errs, ticket.Invalid("devices", devices, "is negative", "count from 0"))
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if _, err := s.pool.Exec(ctx, `
		insert into device_counts (client_id, kind, counted_on, devices) values ($1, $2, $3::text::date, $4)
		on conflict (client_id, kind, counted_on) do update set devices = excluded.devices`,
		client, kind, on.String(), devices); err != nil {
		return fmt.Errorf("count %s of %s: %w", kind, client, err)
	}
	return nil
}

func (s *Store) clientExists(ctx context.Context, id string) error {
	return s.mustExist(ctx, "client", "clients", id, "`docket client list` shows the clients")
}

// mustExist gives a Problem unless the table has a row of that id.
func (s *Store) mustExist(ctx context.Context, field, table, id, fix string) error {
	var exists bool
	if err := s.pool.QueryRow(ctx, "select exists (select from "+table+" where id = $1)", id).Scan(&exists); err != nil {
		return fmt.Errorf("look for %s %q: %w", field, id, err)
	}
	if !exists {
		return ticket.Invalid(field, id, "is not known", fix)
	}
	return nil
}

// wellFormed checks an id that people type in commands and links.
func wellFormed(field, id string) error {
	if !slug.MatchString(id) {
		return ticket.Invalid(field, id, "is not an id", "use 1 to 63 lower-case letters, digits and hyphens, and begin with a letter or digit")
	}
	return nil
}

func named(field, s string) error {
	switch {
	case strings.TrimSpace(s) == "":
		return ticket.Invalid(field, s, "is empty", "give a "+field)
	case len(s) > ticket.MaxKey || strings.IndexByte(s, 0) >= 0:
		return ticket.Invalid(field, s, "is too long or has a NUL byte", "at most 200 bytes of plain text")
	}
	return nil
}

// printed refuses a name that is no name, or is read as something else than it is: it goes on to invoices, mails and
// terminals as it stands. The joiners that scripts write with stay.
func printed(field, s string) error {
	if err := named(field, s); err != nil {
		return err
	}
	return seen(field, s)
}

func seen(field, s string) error {
	if len(s) > ticket.MaxKey || strings.ContainsFunc(s, ticket.Unseen) || !utf8.ValidString(s) {
		return ticket.Invalid(field, s, "is too long, has line breaks or characters that cannot be seen", "at most 200 bytes of plain text on one line")
	}
	return nil
}
