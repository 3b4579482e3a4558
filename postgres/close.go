package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

// Close is the transaction in which a ticket's round ends and becomes money: closure, rating,
// invoice lines, draws, reservations, holds and the record of it are one commit, or nothing.
//
// Locks are taken in this order, by every transaction of money: the ticket; its project, shared; counters by key;
// blocks by id; the open invoice, shared. A closure of the round that exists is answered with
// its receipt, so a retry whose first acknowledgement was lost finds what it did. So is a message
// that closed an earlier round: repeated after a reopening, it does not close the new one.
//
// Returns a *ticket.Problem where the message is wrong or the ticket cannot be closed.
func (s *Store) Close(ctx context.Context, id ticket.ID, round int, m ticket.Resolve) (receipt billing.Receipt, err error) {
	if m.At.IsZero() {
		m.At = s.now()
	}
	if err := errors.Join(m.Validate(), plausible("at", m.At, s.now())); err != nil {
		return receipt, err
	}
	input, err := digestOf(id, ticket.MsgResolve, m.Who)
	if err != nil {
		return receipt, err
	}
	err = s.tx(ctx, fmt.Sprintf("close %s round %d", id, round), func(t *tx) error {
		// 1. Lock the ticket. Is it closed already?
		var (
			row    lockedTicket
			before *resolved
			known  *billing.Receipt
			r      reading
		)
		b := t.batch()
		queueLock(b, id, &row)
		queueAnswered(b, id, round, m.OperationKey, &before, &known)
		if len(m.Work) == 0 {
			r.queue(b, id, m.Who, round)
		}
		if err := t.send(ctx, b); err != nil {
			return err
		}
		switch {
		case before != nil:
			receipt, err = before.receipt(m.OperationKey, input)
			return err
		case known != nil:
			receipt = *known
			return s.closedBefore(ctx, t, row, m, input, receipt)
		}
		if err := row.closable(round); err != nil {
			return err
		}
		if m.At.Before(row.OpenedAt) { // a sender's clock is behind; what is rated by the time of resolution must not be
			m.At = row.OpenedAt
		}

		// 2. The facts: the resolver's own work first, then everything logged, contracts, invoices.
		if len(m.Work) > 0 {
			work, err := s.prepareWork(ctx, t.conn, id, row.ClientID, row.Round, m.Header, m.Work)
			if err != nil {
				return err
			}
			b := t.batch()
			for _, w := range work {
				w.queue(b)
			}
			r.queue(b, id, m.Who, round)
			if err := t.send(ctx, b); err != nil {
				return err
			}
		}
		who, err := pick(r.people, "who", m.Who)
		if err != nil {
			return err
		}
		if err := who.may(ticket.MsgResolve, row.ClientID); err != nil {
			return err
		}
		if err := r.mayWaive(who, m.Code); err != nil {
			return err
		}
		facts, err := s.facts(ctx, t.conn, row, &r, m)
		if err != nil {
			return err
		}
		if r.late, err = s.adjuster(ctx, t.conn, row, r.versions); err != nil {
			return err
		}
		blocks, err := s.lockAllowances(ctx, t, row.ClientID, r.versions, r.late.keys(datesOf(facts)...), &facts)
		if err != nil {
			return err
		}

		// 3. The rules decide.
		decision, err := billing.Decide(facts)
		if err != nil {
			// No retry can rate these facts: the resolver hears why, and the ticket stays with him.
			return ticket.Invalid("ticket", id, "cannot be rated: "+err.Error(), "correct the work or the contract, and resolve it again")
		}

		// 4. Write all of it in one batch, and commit with it.
		receipt, err = s.writeClosure(ctx, t, row, &r, m, input, facts, blocks, decision)
		return err
	})
	return receipt, err
}

func (s *Store) writeClosure(ctx context.Context, t *tx, row lockedTicket, r *reading, m ticket.Resolve, input string, facts billing.Facts, blocks shelf, decision billing.Decision) (billing.Receipt, error) {
	closures, err := s.closures.take(ctx, t.conn, 1)
	if err != nil {
		return billing.Receipt{}, err
	}
	ids, err := s.charges.take(ctx, t.conn, len(decision.Charges))
	if err != nil {
		return billing.Receipt{}, err
	}
	holdIDs, err := s.holds.take(ctx, t.conn, len(decision.Holds))
	if err != nil {
		return billing.Receipt{}, err
	}
	p := posting{ticket: row, closure: closures[0], round: row.Round, at: m.At.UTC(), generation: r.generations(), items: r.itemGenerations()}
	if p.bought, err = p.buy(ctx, t, decision.Grants, blocks); err != nil {
		return billing.Receipt{}, err
	}
	posted, err := p.place(ctx, t, decision.Charges, ids, &r.invoices)
	if err != nil {
		return billing.Receipt{}, err
	}

	var moves moves
	held, writes := make([]billing.HeldQuote, 0, len(decision.Holds)), &pgx.Batch{}
	for i, h := range decision.Holds {
		quote, err := p.openHold(writes, holdIDs[i], h, m.Who, &moves)
		if err != nil {
			return billing.Receipt{}, err
		}
		held = append(held, quote)
	}
	canonical, err := billing.Canonical(decision)
	if err != nil {
		return billing.Receipt{}, fmt.Errorf("encode decision: %w", err)
	}
	receipt := billing.Receipt{
		Ticket: string(row.id()), Round: row.Round, Closure: p.closure, Client: row.ClientID, ClosedAt: p.at,
		Digest: billing.DigestOf(canonical), Posted: posted, Held: held, Says: billing.Say(facts, decision),
	}
	b := t.batch()
	if err := s.queueClosure(b, p, m, facts, canonical, receipt); err != nil {
		return billing.Receipt{}, err
	}
	b.QueuedQueries = append(b.QueuedQueries, writes.QueuedQueries...)
	if err := p.charges(b, decision.Charges, ids, &moves); err != nil {
		return billing.Receipt{}, err
	}
	if len(r.work) > 0 {
		// All that was read: the ticket's lock keeps other work out.
		b.Queue("update work_entries set rated_in = $1 where ticket = $2 and rated_in is null", p.closure, row.Number)
	}
	if len(r.items) > 0 {
		b.Queue("update ticket_items set rated_in = $1 where ticket = $2 and rated_in is null", p.closure, row.Number)
	}
	if row.Asked { // what an agent asked beforehand is answered by the bill itself now
		b.Queue(`update holds set state = 'void', decided_at = $2, decided_by = $3, decision = 'closed' where ticket = $1 and state = 'open' and closure_id is null`,
			row.Number, p.at, m.Who)
	}
	stage := ticket.Posted
	if len(held) > 0 {
		stage = ticket.Held
	}
	b.Queue(endRound, row.Number, stage, p.at)
	if err := s.record(ctx, b, event{
		Ticket: row.id(), Client: row.ClientID, Round: row.Round, At: p.at, Kind: "closed", Actor: m.Who, Via: m.Via,
		Key: m.OperationKey, Input: input, Effect: true, Says: receipt.Says, Opened: held,
	}); err != nil {
		return billing.Receipt{}, err
	}
	p.repay(b, &moves, facts, decision, blocks)
	if err := moves.queue(b, blocks, p.at); err != nil {
		return billing.Receipt{}, err
	}
	p.lines(b, decision.Charges, posted)
	late := lateness{posting: p, because: string(row.id()), charges: decision.Charges, moves: &moves, invoices: &r.invoices}
	for _, h := range decision.Holds {
		late.reserves = append(late.reserves, h.Charges...)
	}
	if err := s.adjustPeriods(ctx, t, b, r.late, late); err != nil {
		return billing.Receipt{}, err
	}
	return receipt, t.commit(ctx, b)
}

// endRound closes the ticket, and notes what its SLA missed by the time of the resolution: a past that is told again has
// no timers that would.
const endRound = `
update tickets set stage = $2, resolved_at = $3, closed_at = $3, waiting_for = '',
  responded_at = coalesce(responded_at, $3),
  response_breached_at = coalesce(response_breached_at, case when responded_at is null and response_due < $3 then response_due end),
  resolution_breached_at = coalesce(resolution_breached_at, case when resolution_due < $3 then resolution_due end)
where number = $1`

func (s *Store) queueClosure(b *pgx.Batch, p posting, m ticket.Resolve, facts billing.Facts, decision []byte, receipt billing.Receipt) error {
	factsJSON, err := billing.Canonical(facts)
	if err != nil {
		return fmt.Errorf("encode facts: %w", err)
	}
	receiptJSON, err := json.Marshal(receipt)
	if err != nil {
		return fmt.Errorf("encode receipt: %w", err)
	}
	b.Queue(`
insert into closures (id, ticket, client_id, round, closed_at, resolved_by, code, resolution, rules, facts, decision, digest, receipt, recorded_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
		p.closure, p.ticket.Number, p.ticket.ClientID, p.round, p.at, m.Who, facts.Ticket.Code, m.Resolution, facts.Rules,
		string(factsJSON), string(decision), receipt.Digest, string(receiptJSON), s.now())
	return nil
}

// closable says why a round cannot be closed, if it cannot.
func (t lockedTicket) closable(round int) error {
	switch {
	case !t.Stage.Open():
		return ticket.Invalid("ticket", t.id(), "is "+string(t.Stage), "`docket ticket show "+string(t.id())+"` tells where it stands")
	case t.Round != round:
		return ticket.Invalid("round", round, fmt.Sprintf("is not the current one of %s, which is %d", t.id(), t.Round), "resolve the ticket again")
	}
	return nil
}

// plausible refuses the times of a clock that is wrong. Years that a date column cannot hold would
// otherwise fail on every retry, and keep the ticket from its other mail.
func plausible(field string, at, now time.Time) error {
	at = at.UTC()
	switch {
	case at.After(now.Add(ticket.ClockSkew)):
		return ticket.Invalid(field, at.Format(time.RFC3339), "lies in the future", "it is "+now.UTC().Format(time.RFC3339)+" now; check the sender's clock")
	case at.Year() < 1990:
		return ticket.Invalid(field, at.Format(time.RFC3339), "lies before 1990", "check the sender's clock")
	}
	return nil
}

// mayWaive keeps an agent from giving people's work away: spam and duplicates bill nothing, and that is a person's word.
func (r *reading) mayWaive(who actor, code string) error {
	if who.Kind != ticket.AI || (code != ticket.Spam && code != ticket.Duplicate) {
		return nil
	}
	for _, w := range r.work {
		if w.Kind == string(ticket.Human) && !w.Failed && !w.NonBillable {
			return ticket.Invalid("code", code, fmt.Sprintf("would bill nothing of the work that people logged (%s by %s among it)", ticket.WorkID(w.ID), w.Actor),
				"let a person resolve it so, or resolve it as solved or silent")
		}
	}
	return nil
}

func (r *reading) generations() map[int64]int {
	g := make(map[int64]int, len(r.work))
	for _, w := range r.work {
		g[w.ID] = w.Generation
	}
	return g
}

func (r *reading) itemGenerations() map[int64]int {
	g := make(map[int64]int, len(r.items))
	for _, i := range r.items {
		g[i.ID] = i.Generation
	}
	return g
}
