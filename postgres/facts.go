package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/shopspring/decimal"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/sla"
	"github.com/docket-psa/docket/ticket"
)

// lockedTicket is a ticket row held FOR UPDATE, with what its client says about money.
type lockedTicket struct {
	Number           int64
	ClientID         string
	TimeZone         string
	Currency         string
	PayerID          string
	Round            int
	Stage            ticket.Stage
	Category         string
	Subcategory      string
	Type             string
	Channel          string
	SiteID           string
	Device           string
	Priority         int
	Subject          string
	EventTime        bool
	OpenedAt         time.Time
	Approved         *decimal.Decimal
	ApprovedCurrency *string
	ApprovedBy       *string
	ClosedAt         *time.Time
	MergedInto       *int64
	Asked            bool // an agent's question to the client is still open
	ContactID        string
	ReworkOf         *int64     // the ticket whose work this one mends
	ReworkResolvedAt *time.Time // its last closing
	ProjectID        string     // empty: its work bills by itself
	slaColumns
}

// slaColumns are the columns of a ticket that its SLA stands in.
type slaColumns struct {
	PromisedBy           string // the contract whose targets they are
	RespondedAt          *time.Time
	ResponseDue          *time.Time
	ResponseBreachedAt   *time.Time
	ResolutionBreachedAt *time.Time
	SLA                  []byte // of type promise
}

func (t lockedTicket) id() ticket.ID { return ticket.NewID(t.Number) }

// The row is locked before it is joined: a ticket that moves to another client meanwhile would not be found otherwise.
const lockTicket = `
with t as materialized (select * from tickets where number = $1 for update)
select t.number, t.client_id, c.time_zone, c.currency, c.payer_id, t.round, t.stage, t.category, t.subcategory, t.type,
       t.channel, t.site_id, t.device, t.priority, t.subject, t.event_time, t.opened_at, t.approved, t.approved_currency, t.approved_by,
       t.closed_at, t.merged_into,
       exists (select from holds h where h.ticket = t.number and h.state = 'open' and h.closure_id is null) as asked,
       coalesce(t.contact_id, ''), t.rework_of, (select max(closed_at) from closures where ticket = t.rework_of), coalesce(t.project_id, ''),
       coalesce(t.contract_id, ''), t.responded_at, t.response_due, t.response_breached_at, t.resolution_breached_at, t.sla
from t join clients c on c.id = t.client_id`

// queueLock locks the ticket: always the first lock of a transaction of money.
func queueLock(b *pgx.Batch, id ticket.ID, into *lockedTicket) {
	b.Queue(lockTicket, id.Number()).Query(func(rows pgx.Rows) error {
		row, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[lockedTicket])
		if err != nil {
			if errors.Is(err, pgx.ErrNoRows) {
				return ticket.Invalid("ticket", id, "does not exist", "`docket ticket list` shows the tickets")
			}
			return err
		}
		*into = row
		return nil
	})
}

// reading is what a closing reads once its ticket is locked. Statements after the lock see
// everything that committed before it was granted.
type reading struct {
	people    map[string]actor // who resolves
	work      []workRow
	items     []itemRow
	versions  []versionRow
	invoices  []invoiceRow
	elsewhere []elsewhereRow
	billed    bool // an earlier round's charge for the closing itself still stands
	late      adjuster
}

type workRow struct {
	ID          int64
	Actor       string
	Kind        string
	WorkType    string
	WorkRole    string
	StartedAt   time.Time
	MS          int64
	Failed      bool
	NonBillable bool
	Hourly      *decimal.Decimal // the entry's own rate
	Unstarted   bool
	Generation  int
}

type versionRow struct {
	Contract string
	Revision int
	Digest   string
}

func (r *reading) queue(b *pgx.Batch, id ticket.ID, who string, round int) {
	number := id.Number()
	r.people = map[string]actor{}
	queueActor(b, who, r.people)
	b.Queue(`
select id, actor, kind, work_type, work_role, started_at, ms, failed, non_billable, hourly, unstarted, generation
from work_entries where ticket = $1 and rated_in is null order by started_at, id`, number).Query(func(rows pgx.Rows) (err error) {
		r.work, err = pgx.CollectRows(rows, pgx.RowToStructByPos[workRow])
		return err
	})
	queueElsewhere(b, number, &r.elsewhere)
	queueItems(b, number, &r.items)
	queueVersions(b, id, &r.versions)
	queueInvoices(b, id, &r.invoices)
	if round > 1 {
		b.Queue(`
select exists (select from charges c where c.ticket = $1 and (c.kind = 'per-ticket' or (c.kind = 'usage' and c.key like '%/closure'))
  and not exists (select from charges r where r.reverses = c.id))`, number).QueryRow(func(row pgx.Row) error {
			return row.Scan(&r.billed)
		})
	}
}

// facts turns rows into what billing may know: spans cut where the date or the contract
// version changes, so that rating needs no zone file.
func (s *Store) facts(ctx context.Context, q querier, t lockedTicket, r *reading, m ticket.Resolve) (billing.Facts, error) {
	zone, err := sla.Zone(t.TimeZone)
	if err != nil {
		return billing.Facts{}, fmt.Errorf("client %s: %w", t.ClientID, err)
	}
	from, to := m.At, m.At
	for _, w := range r.work {
		if w.StartedAt.Before(from) {
			from = w.StartedAt
		}
		if end := w.StartedAt.Add(time.Duration(w.MS) * time.Millisecond); end.After(to) {
			to = end
		}
	}
	versions, err := s.versions(ctx, q, r.versions, from, to)
	if err != nil {
		return billing.Facts{}, err
	}
	cuts, err := newCutter(zone, versions)
	if err != nil {
		return billing.Facts{}, err
	}
	code := m.Code
	if code == "" {
		code = ticket.Solved
	}
	f := billing.Facts{
		Rules: billing.Rules,
		Ticket: billing.Ticket{
			ID: string(t.id()), Round: t.Round, Client: t.ClientID, Currency: t.Currency, Category: t.Category, Subcategory: t.Subcategory,
			Type: t.Type, Channel: t.Channel, Site: t.SiteID, Device: t.Device, Priority: t.Priority,
			OpenedAt: t.OpenedAt.UTC(), ResolvedAt: m.At.UTC(), ResolvedOn: m.At.In(zone).Format(time.DateOnly),
			ResolvedBy: m.Who, ResolvedKind: string(r.people[m.Who].Kind), Code: code, TicketBilled: r.billed, Contact: t.ContactID,
		},
		Work:      make([]billing.Work, 0, len(r.work)),
		Contracts: versions,
	}
	if t.Approved != nil && t.ApprovedCurrency != nil {
		f.Ticket.Approved, f.Ticket.ApprovedCurrency = *t.Approved, *t.ApprovedCurrency
		if t.ApprovedBy != nil {
			f.Ticket.ApprovedBy = *t.ApprovedBy
		}
	}
	if t.ReworkOf != nil && t.ReworkResolvedAt != nil {
		f.Ticket.Rework = &billing.Rework{Of: string(ticket.NewID(*t.ReworkOf)), ResolvedAt: t.ReworkResolvedAt.UTC()}
	}
	if f.Ticket.Project, err = projectOf(ctx, q, t.ProjectID); err != nil {
		return billing.Facts{}, err
	}
	if f.Ticket.SLA, err = t.outcome(t.id(), f.Ticket.ResolvedAt); err != nil {
		return billing.Facts{}, fmt.Errorf("%s: %w", t.id(), err)
	}
	if f.Events, err = events(m.Events, f.Ticket.ResolvedOn); err != nil {
		return billing.Facts{}, err
	}
	if f.Past, err = s.past(ctx, q, t, versions, m.At); err != nil {
		return billing.Facts{}, err
	}
	for _, i := range r.items {
		f.Items = append(f.Items, i.Item)
	}
	for _, w := range r.work {
		segments, err := cuts.segments(w)
		if err != nil {
			return billing.Facts{}, fmt.Errorf("work entry %d: %w", w.ID, err)
		}
		f.Work = append(f.Work, billing.Work{
			ID: w.ID, Actor: w.Actor, Kind: w.Kind, WorkType: w.WorkType, WorkRole: w.WorkRole, StartedAt: w.StartedAt.UTC(),
			MS: w.MS, Failed: w.Failed, NoBill: w.NonBillable, Hourly: w.Hourly, Unstarted: w.Unstarted, Segments: segments,
			Elsewhere: r.elsewhereOf(w.ID),
		})
	}
	return f, nil
}

// versions gives each contract's versions that govern some instant of [from, to], with the
// instants between which they do: a version ends where the next one begins.
func (s *Store) versions(ctx context.Context, q querier, rows []versionRow, from, to time.Time) ([]billing.Version, error) {
	versions := []billing.Version{}
	for i, row := range rows {
		terms, err := s.terms.load(ctx, q, row.Contract, row.Revision, row.Digest)
		if err != nil {
			return nil, err
		}
		v := billing.Version{
			Contract: row.Contract, Revision: row.Revision, Digest: row.Digest,
			From: terms.Begins().UTC(), Until: terms.Ends(), Terms: terms,
		}
		if i+1 < len(rows) && rows[i+1].Contract == row.Contract {
			next, err := s.terms.load(ctx, q, rows[i+1].Contract, rows[i+1].Revision, rows[i+1].Digest)
			if err != nil {
				return nil, err
			}
			if v.Until.IsZero() || next.Begins().Before(v.Until) {
				v.Until = next.Begins()
			}
		}
		if !v.Until.IsZero() {
			v.Until = v.Until.UTC()
		}
		if !v.From.After(to) && (v.Until.IsZero() || v.Until.After(from)) {
			versions = append(versions, v)
		}
	}
	return versions, nil
}

// events numbers what the resolution says happened; it happened on the date of the resolution.
func events(named []ticket.Usage, on string) ([]billing.Event, error) {
	var events []billing.Event
	for i, e := range named {
		quantity, err := decimal.NewFromString(cmp.Or(e.Quantity, "1"))
		if err != nil {
			return nil, fmt.Errorf("event %s: quantity %q: %w", e.Name, e.Quantity, err)
		}
		events = append(events, billing.Event{ID: int64(i + 1), Name: e.Name, Quantity: quantity, Date: on})
	}
	return events, nil
}
