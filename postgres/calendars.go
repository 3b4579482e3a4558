package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/docket-psa/docket/sla"
	"github.com/docket-psa/docket/ticket"
)

// CalendarVersion is one revision of a calendar, with the contracts that name it.
type CalendarVersion struct {
	ID        string       `json:"calendar"`
	Name      string       `json:"name"`
	Revision  int          `json:"revision"` // 0: stored before revisions were kept
	Document  sla.Calendar `json:"document"`
	AppliedBy string       `json:"applied_by,omitempty"`
	AppliedAt *time.Time   `json:"applied_at,omitempty"`
	Contracts []string     `json:"contracts"` // whose revision in force last names it
	Changed   bool         `json:"changed"`   // of ApplyCalendar: false where it was stored so before
}

// ApplyCalendar stores the document as the calendar's next revision; the same document again changes nothing. Tickets keep
// the calendar that they were promised by; new ones, and those whose priority changes, count in this one. Returns
// sla.Problems with lines for what is wrong, and stores nothing then: a calendar is never without hours. It takes a dispatcher,
// an owner or finance.
func (s *Store) ApplyCalendar(ctx context.Context, doc []byte, by string) (CalendarVersion, error) {
	d, err := sla.ParseCalendar(doc)
	if err != nil {
		return CalendarVersion{}, err
	}
	if err := s.maySet(ctx, by, "apply calendars"); err != nil {
		return CalendarVersion{}, err
	}
	return s.storeCalendar(ctx, d, by)
}

// PutCalendar stores the hours that SLA targets and bands name by id, as a rule of the desk's own.
func (s *Store) PutCalendar(ctx context.Context, id string, c sla.Calendar) error {
	errs := []error{wellFormed("calendar", id)}
	if err := c.Validate(); err != nil {
		errs = append(errs, ticket.Invalid("calendar", id, err.Error(), "correct the hours and apply it again"))
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	_, err := s.storeCalendar(ctx, sla.Document{ID: id, Name: id, Calendar: c}, itself)
	return err
}

func (s *Store) storeCalendar(ctx context.Context, d sla.Document, by string) (v CalendarVersion, err error) {
	document, err := json.Marshal(d.Calendar)
	if err != nil {
		return v, fmt.Errorf("encode calendar %s: %w", d.ID, err)
	}
	now := s.now().UTC()
	err = s.tx(ctx, "store calendar "+d.ID, func(t *tx) error {
		v = CalendarVersion{ID: d.ID, Name: d.Name, Document: d.Calendar, AppliedBy: by, AppliedAt: &now}
		var same bool
		b := t.batch()
		b.Queue("insert into calendars (id, name, document) values ($1, $2, $3) on conflict (id) do nothing", d.ID, d.Name, document)
		b.Queue("select revision, revision > 0 and name = $2 and document = $3 from calendars where id = $1 for update", d.ID, d.Name, document).
			QueryRow(func(row pgx.Row) error { return row.Scan(&v.Revision, &same) })
		if err := t.send(ctx, b); err != nil {
			return err
		}
		if same {
			return nil
		}
		v.Revision++
		v.Changed = true
		b = t.batch()
		b.Queue("update calendars set name = $2, document = $3, revision = $4 where id = $1", d.ID, d.Name, document, v.Revision)
		b.Queue("insert into calendar_revisions (calendar_id, revision, name, document, applied_by, applied_at) values ($1, $2, $3, $4, $5, $6)",
			d.ID, v.Revision, d.Name, document, by, now)
		return t.commit(ctx, b)
	})
	return v, err
}

// Calendars lists the ids of the calendars.
func (r Reads) Calendars(ctx context.Context) ([]string, error) {
	rows, err := r.q.Query(ctx, "select id from calendars order by id")
	if err != nil {
		return nil, fmt.Errorf("list calendars: %w", err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("list calendars: %w", err)
	}
	return ids, nil
}

const selectCalendars = `
select c.id, c.name, c.revision, c.document, coalesce(r.applied_by, ''), r.applied_at, array(
  select v.contract_id from contract_versions v
  where v.revision = (select max(n.revision) from contract_versions n where n.contract_id = v.contract_id)
    and (v.document::jsonb #>> '{sla,calendar}' = c.id
      or exists (select from jsonb_each(coalesce(v.document::jsonb #> '{sla,targets}', '{}')) as t (priority, target) where target ->> 'calendar' = c.id))
  order by v.contract_id)
from calendars c left join calendar_revisions r on r.calendar_id = c.id and r.revision = c.revision`

// ListCalendars lists the calendars as they stand, by id.
func (r Reads) ListCalendars(ctx context.Context) ([]CalendarVersion, error) {
	return r.calendars(ctx, selectCalendars+" order by c.id")
}

// Calendar gives one calendar as it stands.
func (r Reads) Calendar(ctx context.Context, id string) (CalendarVersion, error) {
	found, err := r.calendars(ctx, selectCalendars+" where c.id = $1", id)
	if err != nil {
		return CalendarVersion{}, err
	}
	if len(found) == 0 {
		return CalendarVersion{}, ticket.Invalid("calendar", id, "is not known", "`docket calendar list` shows the calendars")
	}
	return found[0], nil
}

func (r Reads) calendars(ctx context.Context, sql string, args ...any) ([]CalendarVersion, error) {
	rows, err := r.q.Query(ctx, sql, args...)
	if err != nil {
		return nil, fmt.Errorf("read calendars: %w", err)
	}
	found, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (v CalendarVersion, err error) {
		err = row.Scan(&v.ID, &v.Name, &v.Revision, &v.Document, &v.AppliedBy, &v.AppliedAt, &v.Contracts)
		return v, err
	})
	if err != nil {
		return nil, fmt.Errorf("read calendars: %w", err)
	}
	return found, nil
}
