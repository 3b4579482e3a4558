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
	logged := map[string]loggedWork{}
	if m.Entry.Actor == "" {
		m.Entry.Actor = m.Who
	}
	deed := message{
		id: id, name: ticket.MsgWork, head: m.Header, asks: m.Entry, also: []string{m.Entry.Actor}, share: true, late: true,
		read: func(b *pgx.Batch) { queueLogged(b, []string{m.Entry.OperationKey}, logged) },
	}
	return s.act(ctx, deed, func(sc *scene, b *pgx.Batch) (verdict, error) {
		work, fresh, err := s.price(sc.id(), sc.Client, sc.Round, m.Header, m.Entry, sc.people, logged)
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
	ticket       ticket.ID
	client       string
	round        int
	entry        ticket.WorkEntry
	digest       string
	kind         ticket.Kind
	role         string
	cost         decimal.Decimal
	costCurrency string
	loggedAt     time.Time
	via          string
}

// prepareWork checks and prices entries of one message, in one round trip for all of them. It returns those that are not
// logged yet; entries that are, unchanged, are left out. Returns a Problem where an entry's key was used for other
// work, its actor is not one of ours, or it is not over yet. The caller holds a lock of the ticket and has seen that
// it is open.
func (s *Store) prepareWork(ctx context.Context, q querier, id ticket.ID, client string, round int, h ticket.Header, entries []ticket.WorkEntry) ([]preparedWork, error) {
	if len(entries) == 0 {
		return nil, nil
	}
	ids, keys := []string{h.Who}, []string{}
	for _, e := range entries {
		ids, keys = append(ids, cmp.Or(e.Actor, h.Who)), append(keys, e.OperationKey)
	}
	people, logged := map[string]actor{}, map[string]loggedWork{}
	b := &pgx.Batch{}
	queueActors(b, ids, people)
	queueLogged(b, keys, logged)
	if err := q.SendBatch(ctx, b).Close(); err != nil {
		return nil, fmt.Errorf("read who worked, and what is logged: %w", err)
	}
	var prepared []preparedWork
	var errs []error
	for _, e := range entries {
		w, fresh, err := s.price(id, client, round, h, e, people, logged)
		errs = append(errs, err)
		if fresh {
			prepared = append(prepared, w)
			logged[e.OperationKey] = loggedWork{Key: e.OperationKey, Ticket: id.Number(), Digest: w.digest}
		}
	}
	return prepared, errors.Join(errs...)
}

// price checks an entry against the clock, the people and what is logged. fresh is false for one that is logged already.
func (s *Store) price(id ticket.ID, client string, round int, h ticket.Header, e ticket.WorkEntry, people map[string]actor, logged map[string]loggedWork) (w preparedWork, fresh bool, err error) {
	e.Actor = cmp.Or(e.Actor, h.Who)
	e.Outcome = cmp.Or(e.Outcome, ticket.Productive)
	e.StartedAt = e.StartedAt.UTC()
	who, known := people[e.Actor]
	now := s.now()
	switch end := e.StartedAt.Add(time.Duration(e.MS) * time.Millisecond); {
	case !known:
		return w, false, ticket.Invalid("work.actor", e.Actor, "is not known", "give the id of a technician or an agent")
	case who.Client != "" || (who.Kind != ticket.Human && who.Kind != ticket.AI):
		return w, false, ticket.Invalid("work.actor", e.Actor, "is not one of the desk's people or agents", "log the work of a technician or an agent")
	case people[h.Who].Kind == ticket.AI && e.Actor != h.Who:
		return w, false, ticket.Invalid("work.actor", e.Actor, "is not "+h.Who+", who sent it", "an agent logs what it measured of itself, and nobody else's time")
	case e.StartedAt.IsZero():
		return w, false, ticket.Invalid("work.started_at", "", "is empty", "give the instant at which the work began, RFC 3339")
	case end.After(now.Add(ticket.ClockSkew)):
		return w, false, ticket.Invalid("work.started_at", e.StartedAt.Format(time.RFC3339), "lies in the future, or the work ends there",
			"log work when it is done; it is "+now.UTC().Format(time.RFC3339)+" now")
	case e.StartedAt.Year() < 1990:
		return w, false, ticket.Invalid("work.started_at", e.StartedAt.Format(time.RFC3339), "lies before 1990", "check the sender's clock")
	}
	e.WorkRole = cmp.Or(e.WorkRole, who.WorkRole)
	digest, err := digestOf(e)
	if err != nil {
		return w, false, err
	}
	if before, ok := logged[e.OperationKey]; ok {
		if before.Digest != digest || before.Ticket != id.Number() {
			return w, false, ticket.Invalid("work.operation_key", e.OperationKey, "was used for other work", "choose a new key for new work; repeat an entry unchanged")
		}
		return w, false, nil
	}
	return preparedWork{
		ticket: id, client: client, round: round, entry: e, digest: digest, kind: who.Kind, role: e.WorkRole,
		cost: who.cost(e), costCurrency: who.CostCurrency, loggedAt: now, via: cmp.Or(h.Via, ticket.ViaTemporal),
	}, true, nil
}

var thousand = decimal.NewFromInt(1000)

// cost is labour by the hour and model by the thousand tokens, divided last, to 16 places.
func (a actor) cost(e ticket.WorkEntry) decimal.Decimal {
	labour := a.HourlyCost.Mul(decimal.NewFromInt(e.MS))
	tokens := a.TokenCost.Mul(decimal.NewFromInt(e.TokensIn + e.TokensOut)).Mul(msPerHour).Div(thousand)
	return labour.Add(tokens).DivRound(msPerHour, 16)
}

// loggedWork is what an entry's key stands for already.
type loggedWork struct {
	Key    string
	Ticket int64
	Digest string
}

func queueLogged(b *pgx.Batch, keys []string, into map[string]loggedWork) {
	b.Queue("select operation_key, ticket, input_digest from work_entries where operation_key = any ($1)", keys).Query(func(rows pgx.Rows) error {
		found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[loggedWork])
		for _, k := range found {
			into[k.Key] = k
		}
		return err
	})
}

const insertWork = `
insert into work_entries (ticket, client_id, round, operation_key, input_digest, actor, kind, work_type, work_role, started_at,
  ms, failed, non_billable, note, tokens_in, tokens_out, cost, cost_currency, logged_at, via)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)`

// queue inserts the entry. Where another transaction has committed the same key meanwhile, the insert fails and the
// transaction is tried again: nothing that was measured is dropped in silence.
func (w preparedWork) queue(b *pgx.Batch) {
	e := w.entry
	b.Queue(insertWork, w.ticket.Number(), w.client, w.round, e.OperationKey, w.digest, e.Actor, w.kind, e.WorkType, w.role, e.StartedAt,
		e.MS, e.Outcome == ticket.Failed, e.NonBillable, e.Note, e.TokensIn, e.TokensOut, w.cost, w.costCurrency, w.loggedAt, w.via)
}
