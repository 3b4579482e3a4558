package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/shopspring/decimal"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/sla"
	"github.com/docket-psa/docket/ticket"
)

// UsageEvent is something that happened outside tickets and a usage line prices: a device added, gigabytes stored.
type UsageEvent struct {
	OperationKey string          `json:"operation_key"` // the same event twice is one event
	Client       string          `json:"client"`
	Event        string          `json:"event"`
	Quantity     decimal.Decimal `json:"quantity"` // units; the value, where a percentage prices it
	On           string          `json:"on"`       // local date
	Who          string          `json:"who"`
	Via          string          `json:"via"`
}

// UsageReceipt is what recording an event answers, and what its repetition answers again.
type UsageReceipt struct {
	UsageEvent
	Posting int64                `json:"posting"`
	Posted  []billing.PostedLine `json:"posted"`
	Says    string               `json:"says"`
	At      time.Time            `json:"at"`
}

var mostUnits = decimal.New(1, 12)

func (e UsageEvent) problems(now time.Time) error {
	errs := []error{named("operation_key", e.OperationKey), wellFormed("client", e.Client), named("event", e.Event)}
	if !e.Quantity.IsPositive() || e.Quantity.GreaterThan(mostUnits) || e.Quantity.Exponent() < -9 {
		errs = append(errs, ticket.Invalid("quantity", shortened(e.Quantity), "is not a quantity", "give more than 0, with at most 9 decimals"))
	}
	if strings.EqualFold(e.Event, billing.EventClosure) {
		errs = append(errs, ticket.Invalid("event", e.Event, "is counted by itself when a ticket closes", "record another event, or resolve the ticket"))
	}
	on, err := sla.ParseDate(e.On)
	switch {
	case err != nil:
		errs = append(errs, ticket.Invalid("on", e.On, "is not a date", "write it like 2026-03-31"))
	case on.Compare(sla.DateAt(now, time.UTC).AddDays(1)) > 0:
		errs = append(errs, ticket.Invalid("on", e.On, "lies in the future", "record it when it has happened"))
	case on.Year < 1990:
		errs = append(errs, ticket.Invalid("on", e.On, "lies before 1990", "check the year"))
	}
	return errors.Join(errs...)
}

// shortened tells a number without writing out the zeros of an absurd one.
func shortened(d decimal.Decimal) string {
	if d.Exponent() > 18 || d.Exponent() < -18 {
		return fmt.Sprintf("%se%d", d.Coefficient(), d.Exponent())
	}
	return d.String()
}

// RecordUsage prices an event outside tickets and posts it, once for each operation key: by the usage line that speaks of
// it, as what the period's use costs more with it. One that comes late into a closed period adjusts it.
//
// Locks, in the order of every transaction of money: counters by key; then the open invoice, shared.
//
// Returns a *ticket.Problem where no line speaks of the event, or only a person could say which.
func (s *Store) RecordUsage(ctx context.Context, e UsageEvent) (receipt UsageReceipt, err error) {
	if err := e.problems(s.now()); err != nil {
		return receipt, err
	}
	input, err := digestOf(e.Client, e.Event, e.Quantity.String(), e.On)
	if err != nil {
		return receipt, err
	}
	err = s.tx(ctx, fmt.Sprintf("record %s of %s", e.Event, e.Client), func(t *tx) error {
		// 1. Is it recorded already? Who says so, of whom, by which contracts?
		r, err := readUsage(ctx, t, e)
		if err != nil {
			return err
		}
		if r.before != nil {
			receipt, err = r.before.answer(ctx, t, e, input)
			return err
		}
		if err := r.mayRecord(e); err != nil {
			return err
		}

		// 2. The facts: what is in force on that day, and the counters, locked.
		facts, late, err := s.usageFacts(ctx, t, e, r)
		if err != nil {
			return err
		}

		// 3. The rules decide; there is no ticket on which a person could.
		decision, err := billing.DecideUsage(facts)
		if err != nil {
			return err
		}
		if err := unpriced(e, decision); err != nil {
			return err
		}

		// 4. Write all of it, and commit with it.
		receipt, err = s.writeUsage(ctx, t, usageWriting{event: e, input: input, client: r.client, facts: facts, decision: decision, late: late})
		return err
	})
	return receipt, err
}

// usageReading is what recording an event reads.
type usageReading struct {
	before   *recordedUsage
	client   clientTerms
	people   map[string]actor
	versions []versionRow
}

type clientTerms struct {
	ID       string
	TimeZone string
	Currency string
	PayerID  string
}

type recordedUsage struct {
	Input   string
	Posting int64
	Says    string
	At      time.Time
}

func readUsage(ctx context.Context, t *tx, e UsageEvent) (r usageReading, err error) {
	r.people = map[string]actor{}
	b := t.batch()
	b.Queue("select u.input_digest, u.posting_id, p.says, p.at from usage_events u join postings p on p.id = u.posting_id where u.operation_key = $1",
		e.OperationKey).Query(func(rows pgx.Rows) error {
		found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[recordedUsage])
		if len(found) > 0 {
			r.before = &found[0]
		}
		return err
	})
	b.Queue("select id, time_zone, currency, payer_id from clients where id = $1", e.Client).Query(func(rows pgx.Rows) error {
		found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[clientTerms])
		if len(found) > 0 {
			r.client = found[0]
		}
		return err
	})
	queueActor(b, e.Who, r.people)
	queueClientVersions(b, e.Client, &r.versions)
	return r, t.send(ctx, b)
}

// queueClientVersions reads the client's contract versions that count, in order.
func queueClientVersions(b *pgx.Batch, client string, into *[]versionRow) {
	b.Queue(`
select contract_id, revision, digest from (
  select distinct on (contract_id, effective_from) contract_id, revision, digest, effective_from
  from contract_versions where client_id = $1
  order by contract_id, effective_from, revision desc) as latest
order by contract_id, effective_from`, client).Query(func(rows pgx.Rows) (err error) {
		*into, err = pgx.CollectRows(rows, pgx.RowToStructByPos[versionRow])
		return err
	})
}

// answer repeats what was answered the first time.
func (r recordedUsage) answer(ctx context.Context, t *tx, e UsageEvent, input string) (UsageReceipt, error) {
	if r.Input != input {
		return UsageReceipt{}, ticket.Invalid("operation_key", e.OperationKey, "was used for another event", "choose a new key for a new event; repeat an event unchanged")
	}
	posted, err := postedLines(ctx, t.conn, r.Posting)
	return UsageReceipt{UsageEvent: e, Posting: r.Posting, Posted: posted, Says: r.Says, At: r.At}, err
}

func (r usageReading) mayRecord(e UsageEvent) error {
	if r.client.ID == "" {
		return ticket.Invalid("client", e.Client, "is not known", "`docket client list` shows the clients")
	}
	return mayRecord(r.people, e.Who)
}

// mayRecord is the right to say what happened outside tickets: nil, or a Problem.
func mayRecord(people map[string]actor, id string) error {
	who, err := pick(people, "who", id)
	if err != nil {
		return err
	}
	roles := []string{"technician", "dispatcher", "agent", "owner", "finance"}
	if who.Client == "" && (who.Kind == ticket.System || slices.ContainsFunc(who.Roles, func(role string) bool { return slices.Contains(roles, role) })) {
		return nil
	}
	return ticket.Invalid("who", id, "may not record usage or count devices", "it takes somebody of the desk")
}

// mayRecord is mayRecord before a transaction begins.
func (s *Store) mayRecord(ctx context.Context, who string) error {
	people, err := s.people(ctx, who)
	if err != nil {
		return err
	}
	return mayRecord(people, who)
}

func (s *Store) usageFacts(ctx context.Context, t *tx, e UsageEvent, r usageReading) (billing.UsageFacts, adjuster, error) {
	f := billing.UsageFacts{
		Rules: billing.Rules, Client: r.client.ID, Currency: r.client.Currency,
		Event: billing.Event{ID: 1, Name: e.Event, Quantity: e.Quantity, Date: e.On},
	}
	zone, err := sla.Zone(r.client.TimeZone)
	if err != nil {
		return f, adjuster{}, fmt.Errorf("client %s: %w", r.client.ID, err)
	}
	on, err := sla.ParseDate(e.On)
	if err != nil {
		return f, adjuster{}, err
	}
	f.At = on.StartIn(zone).Add(12 * time.Hour)
	if f.Contracts, err = s.versions(ctx, t.conn, r.versions, f.At, f.At); err != nil {
		return f, adjuster{}, err
	}
	late, err := s.adjuster(ctx, t.conn, lockedTicket{ClientID: r.client.ID, PayerID: r.client.PayerID}, r.versions)
	if err != nil {
		return f, late, err
	}
	keys := append(billing.WantUsage(f), late.keys(e.On)...)
	if len(keys) == 0 {
		return f, late, nil
	}
	b := t.batch()
	queueCounters(b, r.client.ID, keys, &f.Counters)
	return f, late, t.send(ctx, b)
}

// unpriced says why an event cannot post by itself.
func unpriced(e UsageEvent, d billing.Decision) error {
	switch {
	case len(d.Holds) > 0:
		return ticket.Invalid("event", e.Event, "needs a decision that nobody can be asked for outside a ticket: "+d.Holds[0].Says,
			"correct the contracts, or resolve a ticket with the event")
	case len(d.Charges) == 0:
		return ticket.Invalid("event", e.Event, "is priced by no contract of "+e.Client+" on "+e.On,
			"add a line with charge: usage and usage.event: "+e.Event+", or check the name and the date")
	}
	return nil
}

type usageWriting struct {
	event    UsageEvent
	input    string
	client   clientTerms
	facts    billing.UsageFacts
	decision billing.Decision
	late     adjuster
}

func (s *Store) writeUsage(ctx context.Context, t *tx, w usageWriting) (UsageReceipt, error) {
	e, at := w.event, s.now().UTC()
	ids, err := s.postings.take(ctx, t.conn, 1)
	if err != nil {
		return UsageReceipt{}, err
	}
	row := postingRow{
		id: ids[0], key: "usage/" + e.OperationKey, kind: kindUsage, client: e.Client, contract: w.decision.Charges[0].Contract, rules: w.facts.Rules,
		state: billing.PostingPosted, by: e.Who, at: at,
	}
	if row.facts, err = billing.Canonical(w.facts); err != nil {
		return UsageReceipt{}, err
	}
	if row.decision, err = billing.Canonical(w.decision); err != nil {
		return UsageReceipt{}, err
	}
	row.digest = billing.DigestOf(row.decision)
	for _, total := range w.decision.Totals() {
		row.says = fmt.Sprintf("%s %s on %s: %s", e.Quantity, e.Event, e.On, money(total.Posted, total.Currency))
	}
	b := t.batch()
	s.queuePosting(b, row)
	b.Queue(`
insert into usage_events (operation_key, input_digest, client_id, event, quantity, happened_on, posting_id, recorded_by, via, recorded_at)
values ($1, $2, $3, $4, $5, $6::text::date, $7, $8, $9, $10)`,
		e.OperationKey, w.input, e.Client, e.Event, e.Quantity, e.On, row.id, e.Who, e.Via, at)
	var (
		invoices []invoiceRow
		moved    moves
	)
	posted, err := s.postCharges(ctx, t, b, row, w.client.PayerID, w.decision.Charges, &invoices, &moved)
	if err != nil {
		return UsageReceipt{}, err
	}
	late := lateness{
		posting: posting{at: at}, because: fmt.Sprintf("%s %s on %s", e.Quantity, e.Event, e.On), charges: w.decision.Charges, moves: &moved, invoices: &invoices,
	}
	if err := s.adjustPeriods(ctx, t, b, w.late, late); err != nil {
		return UsageReceipt{}, err
	}
	return UsageReceipt{UsageEvent: e, Posting: row.id, Posted: posted, Says: row.says, At: at}, t.commit(ctx, b)
}

// kindUsage is the kind of posting that an event outside tickets is.
const kindUsage = "usage"

// UsageFilter narrows a list of events outside tickets; an empty field does not.
type UsageFilter struct {
	Client string
	Event  string
	From   string // local date, inclusive
	To     string // local date, exclusive
	Limit  int    // 0: 50
}

// UsageEvents lists what was recorded outside tickets, the latest day first, with what it posted.
func (r Reads) UsageEvents(ctx context.Context, f UsageFilter) ([]UsageReceipt, error) {
	limit := f.Limit
	if limit <= 0 {
		limit = defaultLimit
	}
	rows, err := r.q.Query(ctx, `
select u.operation_key, u.client_id, u.event, u.quantity, u.happened_on::text, u.recorded_by, u.via, u.posting_id, p.says, p.at
from usage_events u join postings p on p.id = u.posting_id
where ($1 = '' or u.client_id = $1) and ($2 = '' or u.event = $2)
  and ($3 = '' or u.happened_on >= $3::text::date) and ($4 = '' or u.happened_on < $4::text::date)
order by u.happened_on desc, u.id desc limit $5`, f.Client, f.Event, f.From, f.To, limit)
	if err != nil {
		return nil, fmt.Errorf("list usage: %w", err)
	}
	events, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (u UsageReceipt, err error) {
		err = row.Scan(&u.OperationKey, &u.Client, &u.Event, &u.Quantity, &u.On, &u.Who, &u.Via, &u.Posting, &u.Says, &u.At)
		return u, err
	})
	if err != nil {
		return nil, fmt.Errorf("list usage: %w", err)
	}
	for i := range events {
		if events[i].Posted, err = postedLines(ctx, r.q, events[i].Posting); err != nil {
			return nil, err
		}
	}
	return events, nil
}
