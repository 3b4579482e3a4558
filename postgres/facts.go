package postgres

import (
	"context"
	"errors"
	"fmt"
	"sort"
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
	ClosedAt         *time.Time
	MergedInto       *int64
	Asked            bool // an agent's question to the client is still open
}

func (t lockedTicket) id() ticket.ID { return ticket.NewID(t.Number) }

const lockTicket = `
select t.number, t.client_id, c.time_zone, c.currency, c.payer_id, t.round, t.stage, t.category, t.subcategory, t.type,
       t.channel, t.site_id, t.device, t.priority, t.subject, t.event_time, t.opened_at, t.approved, t.approved_currency,
       t.closed_at, t.merged_into,
       exists (select from holds h where h.ticket = t.number and h.state = 'open' and h.closure_id is null) as asked
from tickets t join clients c on c.id = t.client_id
where t.number = $1 for update of t`

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
	people   map[string]actor // who resolves
	work     []workRow
	versions []versionRow
	invoices []invoiceRow
	billed   bool // an earlier round's per-ticket price still stands
	late     adjuster
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
select id, actor, kind, work_type, work_role, started_at, ms, failed, non_billable, generation
from work_entries where ticket = $1 and rated_in is null order by started_at, id`, number).Query(func(rows pgx.Rows) (err error) {
		r.work, err = pgx.CollectRows(rows, pgx.RowToStructByPos[workRow])
		return err
	})
	queueVersions(b, id, &r.versions)
	queueInvoices(b, id, &r.invoices)
	if round > 1 {
		b.Queue(`
select exists (select from charges c where c.ticket = $1 and c.kind = 'per-ticket'
  and not exists (select from charges r where r.reverses = c.id))`, number).QueryRow(func(row pgx.Row) error {
			return row.Scan(&r.billed)
		})
	}
}

// queueInvoices reads the payer's latest invoices. They are a hint where lines can go: an older
// one is looked up when it is needed, and the line's own trigger has the last word on whether
// it is still open.
func queueInvoices(b *pgx.Batch, id ticket.ID, into *[]invoiceRow) {
	b.Queue(`
select i.id, i.currency, i.period_start, i.state
from tickets t join clients c on c.id = t.client_id join invoices i on i.payer_id = c.payer_id
where t.number = $1 order by i.period_start desc limit 12`, id.Number()).Query(func(rows pgx.Rows) (err error) {
		*into, err = pgx.CollectRows(rows, pgx.RowToStructByPos[invoiceRow])
		return err
	})
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
	var edges []time.Time
	for _, v := range versions {
		edges = append(edges, v.From)
		if !v.Until.IsZero() {
			edges = append(edges, v.Until)
		}
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
			ResolvedBy: m.Who, ResolvedKind: string(r.people[m.Who].Kind), Code: code, TicketBilled: r.billed,
		},
		Work:      make([]billing.Work, 0, len(r.work)),
		Contracts: versions,
	}
	if t.Approved != nil && t.ApprovedCurrency != nil {
		f.Ticket.Approved, f.Ticket.ApprovedCurrency = *t.Approved, *t.ApprovedCurrency
	}
	for _, w := range r.work {
		segments, err := segments(w, zone, edges)
		if err != nil {
			return billing.Facts{}, fmt.Errorf("work entry %d: %w", w.ID, err)
		}
		f.Work = append(f.Work, billing.Work{
			ID: w.ID, Actor: w.Actor, Kind: w.Kind, WorkType: w.WorkType, WorkRole: w.WorkRole, StartedAt: w.StartedAt.UTC(),
			MS: w.MS, Failed: w.Failed, NoBill: w.NonBillable, Segments: segments,
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

func segments(w workRow, zone *time.Location, edges []time.Time) ([]billing.Segment, error) {
	if w.MS == 0 {
		return []billing.Segment{}, nil
	}
	start := w.StartedAt.UTC()
	cut, err := sla.Cut(start, start.Add(time.Duration(w.MS)*time.Millisecond), zone, nil, edges)
	if err != nil {
		return nil, err
	}
	parts := make([]billing.Segment, 0, len(cut))
	for _, c := range cut {
		parts = append(parts, billing.Segment{
			From: c.From.Sub(start).Milliseconds(), To: c.To.Sub(start).Milliseconds(), Date: c.Date.String(),
		})
	}
	return parts, nil
}

// lockAllowances takes the shared allowances a decision will read: counters by key, then
// blocks by key. They are read by the locking statement itself, so what it returns is what the
// lock protects.
func lockAllowances(ctx context.Context, t *tx, client string, wants billing.Wants, f *billing.Facts) error {
	if len(wants.Counters)+len(wants.Blocks) == 0 {
		return nil
	}
	b := t.batch()
	if len(wants.Counters) > 0 {
		keys := append([]string(nil), wants.Counters...)
		sort.Strings(keys)
		b.Queue(`insert into counters (key, client_id) select unnest($1::text[]), $2 on conflict do nothing`, keys, client)
		b.Queue(`select key, value from counters where key = any ($1) order by key for update`, keys).Query(func(rows pgx.Rows) (err error) {
			f.Counters, err = collectCounters(rows)
			return err
		})
	}
	if len(wants.Blocks) > 0 {
		b.Queue(`
select id, contract_id, priority, granted_at, coalesce(expires_at, '0001-01-01 00:00:00Z'), remaining_ms
from blocks where contract_id = any ($1) order by id for update`, wants.Blocks).Query(func(rows pgx.Rows) (err error) {
			f.Blocks, err = pgx.CollectRows(rows, pgx.RowToStructByPos[billing.Block])
			for i := range f.Blocks {
				f.Blocks[i].GrantedAt = f.Blocks[i].GrantedAt.UTC()
				f.Blocks[i].ExpiresAt = f.Blocks[i].ExpiresAt.UTC()
			}
			return err
		})
	}
	return t.send(ctx, b)
}
