package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/shopspring/decimal"

	"github.com/docket-psa/docket/ticket"
)

// lateWork is the answer on record to work that came after the closing: the entry is kept whole.
type lateWork struct {
	ticket.Answer
	Entry ticket.WorkEntry `json:"entry"`
}

// Log writes one work entry, under a share lock of the ticket: entries do not wait for each other, but a closing
// waits for them, and one that comes during a closing waits for that and then finds the ticket closed. It is kept on
// record then, whole, and rated only if somebody reopens the ticket and logs it again.
func (s *Store) Log(ctx context.Context, id ticket.ID, m ticket.Work) (ticket.Answer, error) {
	book := newLogbook(orTime(m.At, s.now()))
	if m.Entry.Actor == "" {
		m.Entry.Actor = m.Who
	}
	deed := message{
		id: id, name: ticket.MsgWork, head: m.Header, asks: m.Entry, also: []string{m.Entry.Actor}, share: true, late: true,
		read: func(b *pgx.Batch) { book.queue(b, id, m.Entry) },
	}
	return s.act(ctx, deed, func(sc *scene, b *pgx.Batch) (verdict, error) {
		book.people = sc.people
		work, fresh, err := s.price(sc.id(), sc.Client, sc.Round, m.Header, m.Entry, book)
		if err != nil {
			return verdict{}, err
		}
		spent := time.Duration(m.Entry.MS) * time.Millisecond
		switch {
		case !fresh:
			return verdict{says: fmt.Sprintf("This work of %s on %s is logged already.", sc.name(m.Entry.Actor), id)}, nil
		case !sc.Stage.Open():
			v := verdict{says: fmt.Sprintf("%s by %s came too late: %s", spent, sc.name(m.Entry.Actor), sc.over("log more"))}
			v.answer = lateWork{Answer: sc.answer(false, v.says), Entry: m.Entry}
			return v, nil
		}
		work.queue(b)
		says := fmt.Sprintf("%s worked %s (%s).", sc.name(m.Entry.Actor), spent, m.Entry.WorkType)
		if m.Entry.Outcome == ticket.Failed {
			says = fmt.Sprintf("%s tried for %s without success (%s).", sc.name(m.Entry.Actor), spent, m.Entry.WorkType)
		}
		return verdict{effect: true, says: says}, nil
	})
}

// preparedWork is a checked and priced work entry, ready to be written.
type preparedWork struct {
	ticket    ticket.ID
	client    string
	round     int
	entry     ticket.WorkEntry
	digest    string
	kind      ticket.Kind
	role      string
	hourly    *decimal.Decimal // the entry's own rate
	unstarted bool
	cost      cost
	loggedAt  time.Time
	via       string
}

// prepareWork checks and prices entries of one message, in one round trip for all of them. It returns those that are not
// logged yet; entries that are, unchanged, are left out. Returns a Problem where an entry's key was used for other
// work, its actor is not one of ours, or it is not over yet. The caller holds a lock of the ticket and has seen that
// it is open.
func (s *Store) prepareWork(ctx context.Context, q querier, id ticket.ID, client string, round int, h ticket.Header, entries []ticket.WorkEntry) ([]preparedWork, error) {
	if len(entries) == 0 {
		return nil, nil
	}
	book, ids := newLogbook(orTime(h.At, s.now())), []string{h.Who}
	for _, e := range entries {
		ids = append(ids, cmp.Or(e.Actor, h.Who))
	}
	b := &pgx.Batch{}
	queueActors(b, ids, book.people)
	book.queue(b, id, entries...)
	if err := q.SendBatch(ctx, b).Close(); err != nil {
		return nil, fmt.Errorf("read who worked, and what is logged: %w", err)
	}
	var prepared []preparedWork
	var errs []error
	for _, e := range entries {
		w, fresh, err := s.price(id, client, round, h, e, book)
		errs = append(errs, err)
		if fresh {
			prepared = append(prepared, w)
			book.logged[e.OperationKey] = loggedWork{Key: e.OperationKey, Ticket: id.Number(), Digest: w.digest}
		}
	}
	return prepared, errors.Join(errs...)
}

// price checks an entry against the clock, the people and what is logged. fresh is false for one that is logged already.
func (s *Store) price(id ticket.ID, client string, round int, h ticket.Header, e ticket.WorkEntry, book *logbook) (w preparedWork, fresh bool, err error) {
	e.Actor = cmp.Or(e.Actor, h.Who)
	e.Outcome = cmp.Or(e.Outcome, ticket.Productive)
	e.StartedAt = e.StartedAt.UTC()
	who, known := book.people[e.Actor]
	now := s.now()
	switch end := e.StartedAt.Add(time.Duration(e.MS) * time.Millisecond); {
	case !known:
		return w, false, ticket.Invalid("work.actor", e.Actor, "is not known", "give the id of a technician or an agent")
	case who.Client != "" || (who.Kind != ticket.Human && who.Kind != ticket.AI):
		return w, false, ticket.Invalid("work.actor", e.Actor, "is not one of the desk's people or agents", "log the work of a technician or an agent")
	case book.people[h.Who].Kind == ticket.AI && e.Actor != h.Who:
		return w, false, ticket.Invalid("work.actor", e.Actor, "is not "+h.Who+", who sent it", "an agent logs what it measured of itself, and nobody else's time")
	case e.StartedAt.IsZero() && who.Kind == ticket.AI:
		return w, false, ticket.Invalid("work.started_at", "", "is empty", "give the instant at which the work began, RFC 3339: what an agent does is measured")
	case end.After(now.Add(ticket.ClockSkew)):
		return w, false, ticket.Invalid("work.started_at", e.StartedAt.Format(time.RFC3339), "lies in the future, or the work ends there",
			"log work when it is done; it is "+now.UTC().Format(time.RFC3339)+" now")
	case !e.StartedAt.IsZero() && e.StartedAt.Year() < 1990:
		return w, false, ticket.Invalid("work.started_at", e.StartedAt.Format(time.RFC3339), "lies before 1990", "check the sender's clock")
	}
	e.WorkRole = cmp.Or(e.WorkRole, who.WorkRole)
	digest, err := digestOf(e)
	if err != nil {
		return w, false, err
	}
	if before, ok := book.logged[e.OperationKey]; ok {
		if before.Digest != digest || before.Ticket != id.Number() {
			return w, false, ticket.Invalid("work.operation_key", e.OperationKey, "was used for other work", "choose a new key for new work; repeat an entry unchanged")
		}
		return w, false, nil
	}
	w = preparedWork{
		ticket: id, client: client, round: round, digest: digest, kind: who.Kind, role: e.WorkRole, loggedAt: now, via: cmp.Or(h.Via, ticket.ViaTemporal),
	}
	if w.hourly, err = ownRate(book.people[h.Who], h, e.Hourly); err != nil {
		return w, false, err
	}
	if w.unstarted = e.StartedAt.IsZero(); w.unstarted {
		if e.StartedAt, err = book.home.dayOf(book.at); err != nil {
			return w, false, err
		}
	}
	w.entry = e
	w.cost, err = s.costOf(who, e, book.costs[e.OperationKey])
	return w, err == nil, err
}

// ownRate reads the rate that an entry brings along, nil for none. Not everybody may set one.
func ownRate(sender actor, h ticket.Header, hourly string) (*decimal.Decimal, error) {
	if hourly == "" {
		return nil, nil
	}
	if cmp.Or(h.Via, ticket.ViaTemporal) == ticket.ViaTemporal {
		return nil, ticket.Invalid("work.hourly", hourly, "is set by nobody who is proved to be "+h.Who, "log it at the desk: docket ticket work --hourly")
	}
	if err := sender.maySetPrices("work.hourly", hourly); err != nil {
		return nil, err
	}
	rate, ok := figure(hourly)
	if !ok || rate.GreaterThan(highestRate) {
		return nil, ticket.Invalid("work.hourly", hourly, "is not a rate", "give what an hour costs, such as 150.00")
	}
	return &rate, nil
}

// highestRate is the most that an hour can cost in any currency.
var highestRate = decimal.New(1, 9)

const insertWork = `
insert into work_entries (ticket, client_id, round, operation_key, input_digest, actor, kind, work_type, work_role, started_at,
  ms, failed, non_billable, note, tokens_in, tokens_out, cost, cost_currency, cost_revision, hourly, unstarted, logged_at, via)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, nullif($19::int, 0), $20, $21, $22, $23)`

// queue inserts the entry. Where another transaction has committed the same key meanwhile, the insert fails and the
// transaction is tried again: nothing that was measured is dropped in silence.
func (w preparedWork) queue(b *pgx.Batch) {
	e := w.entry
	b.Queue(insertWork, w.ticket.Number(), w.client, w.round, e.OperationKey, w.digest, e.Actor, w.kind, e.WorkType, w.role, e.StartedAt,
		e.MS, e.Outcome == ticket.Failed, e.NonBillable, e.Note, e.TokensIn, e.TokensOut, w.cost.amount, w.cost.currency, w.cost.revision,
		w.hourly, w.unstarted, w.loggedAt, w.via)
}
