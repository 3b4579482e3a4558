package postgres

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

// Reopen starts the ticket's next round: open holds are voided and what they reserve goes back,
// the charges that still stand are undone by linked reversals on the open invoice, and their
// work is free to be rated again. What a contract keeps (see kept) stands instead, and only new
// work bills. A settlement that comes later finds its hold superseded. Finalised invoices do not
// change.
func (s *Store) Reopen(ctx context.Context, id ticket.ID, m ticket.Reopen) (answer ticket.Answer, err error) {
	if err := m.Validate(); err != nil {
		return answer, err
	}
	return s.reopen(ctx, id, reopener{
		name: ticket.MsgReopen, head: m.Header, asks: m.Reason,
		says: func(who string) string { return fmt.Sprintf("%s reopened it: %s", who, m.Reason) },
		open: func(stage ticket.Stage) (string, error) {
			return fmt.Sprintf("%s is open already, in %s", id, stage), nil
		},
	})
}

// reopener is the message that reopens a ticket.
type reopener struct {
	name ticket.Name
	head ticket.Header
	asks any // its content, for the memory of operation keys
	says func(who string) string
	open func(ticket.Stage) (string, error) // what to answer where the ticket is open
}

func (s *Store) reopen(ctx context.Context, id ticket.ID, m reopener) (answer ticket.Answer, err error) {
	at := orTime(m.head.At, s.now()).UTC()
	input, err := digestOf(id, m.name, m.head.Who, m.asks)
	if err := errors.Join(err, plausible("at", at, s.now())); err != nil {
		return answer, err
	}
	err = s.tx(ctx, fmt.Sprintf("%s of %s", m.name, id), func(t *tx) error {
		var (
			row    lockedTicket
			people = map[string]actor{}
			undoes int64
			r      = reopening{by: m.head.Who, at: at}
		)
		b := t.batch()
		queueLock(b, id, &row)
		before := queueEarlier(b, m.head.OperationKey, mergedKey(id, m.head.OperationKey))
		queueActors(b, []string{m.head.Who}, people)
		queueInvoices(b, id, &r.invoices)
		b.Queue(endedBy, id.Number()).Query(one(&undoes))
		if err := t.send(ctx, b); err != nil {
			return err
		}
		if e := before(); e != nil {
			answer, err = recall[ticket.Answer](*e, m.head.OperationKey, input)
			return err
		}
		who, err := pick(people, "who", m.head.Who)
		if err != nil {
			return err
		}
		if err := who.may(m.name, row.ClientID); err != nil {
			return err
		}
		b = t.batch()
		answer = ticket.Answer{Ticket: id, Round: row.Round, Stage: row.Stage}
		switch {
		case row.MergedInto != nil:
			answer.Into = ticket.NewID(*row.MergedInto)
			answer.Says = fmt.Sprintf("%s was merged into %s; reopen that one, or take the merge back", id, answer.Into)
		case row.Stage.Open():
			if answer.Says, err = m.open(row.Stage); err != nil {
				return err
			}
		default:
			r.says = m.says(cmp.Or(who.Name, who.ID))
			undone, err := s.reopenRound(ctx, t, b, row, r)
			if err != nil {
				return err
			}
			answer = ticket.Answer{Effect: true, Ticket: id, Round: row.Round + 1, Stage: ticket.New, Says: r.says + undone}
		}
		if !answer.Effect {
			undoes = 0
		}
		if err := s.record(ctx, b, event{
			Ticket: id, Client: row.ClientID, Round: row.Round, At: at, Kind: string(m.name), Actor: m.head.Who,
			Via: cmp.Or(m.head.Via, ticket.ViaTemporal), Key: m.head.OperationKey, Input: input, Effect: answer.Effect, Says: answer.Says, Answer: answer,
			Undoes: undoes,
		}); err != nil {
			return err
		}
		return t.commit(ctx, b)
	})
	return answer, err
}

// endedBy is the event that ended the ticket's round: what a reopening takes back.
const endedBy = `
select coalesce(max(e.id), 0) from ticket_events e join tickets t on t.number = e.ticket and t.round = e.round
where e.ticket = $1 and e.kind in ('closed', 'cancel') and e.effect and not exists (select from ticket_events u where u.undoes = e.id)`

// reopening is why and by whom a round is undone.
type reopening struct {
	by       string
	at       time.Time
	says     string
	sentBack int64 // the hold whose ruling was rework; 0: none
	invoices []invoiceRow
}

// standingCharge is a charge of the ticket that nothing has reversed.
type standingCharge struct {
	ID       int64
	Closure  int64
	Round    int
	Key      string
	Body     *string
	Decision string
	Payer    string // whose invoice has its line; empty: it has none
	whole    billing.Charge
}

// reopenRound queues all of it on b and says what was undone.
func (s *Store) reopenRound(ctx context.Context, t *tx, b *pgx.Batch, row lockedTicket, r reopening) (string, error) {
	var (
		charges  []standingCharge
		holds    []waiting
		versions []versionRow
	)
	read := t.batch()
	read.Queue(`
select c.id, c.closure_id, c.round, c.key, c.body, cl.decision, coalesce(l.payer_id, '')
from charges c join closures cl on cl.id = c.closure_id left join invoice_lines l on l.charge_id = c.id
where c.ticket = $1 and c.kind not in ('reversal', 'correction', 'rebilled', 'credited') and c.key not like '%/renew/%'
  and not exists (select from charges x where x.reverses = c.id)
order by c.id`, row.Number).Query(func(rows pgx.Rows) (err error) {
		charges, err = collectStanding(rows)
		return err
	})
	queueWaiting(read, "where h.ticket = $1 and h.state = 'open'", row.Number, &holds)
	queueVersions(read, row.id(), &versions)
	clock := func(*pgx.Batch) error { return nil }
	if row.ClosedAt != nil {
		clock = queueReopenedClock(read, row.Number, *row.ClosedAt, r.at)
	}
	if err := t.send(ctx, read); err != nil {
		return "", err
	}
	if err := clock(b); err != nil {
		return "", err
	}
	stay, err := s.kept(ctx, t.conn, charges, holds)
	if err != nil {
		return "", err
	}
	charges = slices.DeleteFunc(charges, func(c standingCharge) bool { return stay.charges[c.ID] })
	stands, back := make([]billing.Charge, 0, len(charges)), make([]charged, 0, len(charges))
	for _, c := range charges {
		stands, back = append(stands, c.whole), append(back, charged{closure: c.Closure, charge: c.whole})
	}
	closed, err := s.adjuster(ctx, t.conn, row, versions)
	if err != nil {
		return "", err
	}
	released, err := heldCharges(holds)
	if err != nil {
		return "", err
	}
	returns, err := s.lockReturns(ctx, t, row.ClientID, back, holds, closed.keysOf(slices.Concat(stands, released)))
	if err != nil {
		return "", err
	}

	ids, err := s.charges.take(ctx, t.conn, len(charges))
	if err != nil {
		return "", err
	}
	p := posting{ticket: row, at: r.at, bodies: true, bought: returns.bought}
	undoing := billing.Undo(returns.counters)
	reversals := make([]billing.Charge, 0, len(charges))
	var moves moves
	for i, c := range stands {
		var terms *billing.Terms
		if c.Revision > 0 {
			if terms, err = s.termsOf(ctx, t.conn, c.Contract, c.Revision); err != nil {
				return "", err
			}
		}
		reversal, err := undoing.Reverse(charges[i].ID, c, terms)
		if err != nil {
			return "", ticket.Invalid("line", ticket.LineID(charges[i].ID), "cannot be reversed: "+err.Error(), "`docket audit` tells what is wrong with the books")
		}
		p.closure, p.round = charges[i].Closure, charges[i].Round
		if err := p.charges(b, []billing.Charge{reversal}, ids[i:i+1], &moves); err != nil {
			return "", err
		}
		reversals = append(reversals, reversal)
	}
	var (
		let         []voided
		corrections []billing.Charge
	)
	for _, h := range holds {
		content, err := h.content()
		if err != nil {
			return "", err
		}
		v, err := s.voidHold(ctx, t, b, undoing, p, h, &moves)
		if err != nil {
			return "", err
		}
		let, corrections = append(let, v), append(corrections, v.charges...)
		for _, c := range content.Charges {
			p.closure = 0
			if h.ClosureID != nil {
				p.closure = *h.ClosureID
			}
			p.reserve(b, h.ID, c, -1, &moves)
		}
		state, how := "void", "reopened"
		if h.ID == r.sentBack {
			state, how = "sent-back", string(ticket.Rework)
		}
		b.Queue("update holds set state = $2, decided_at = $3, decided_by = $4, decision = $5, decided_says = $6 where id = $1",
			h.ID, state, r.at, r.by, how, r.says)
	}
	b.Queue(`
update work_entries set rated_in = null, generation = generation + 1
where ticket = $1 and rated_in is not null and not id = any ($2)`, row.Number, stay.work)
	b.Queue(`
update ticket_items set rated_in = null, generation = generation + 1
where ticket = $1 and rated_in is not null and not id = any ($2)`, row.Number, stay.items)
	b.Queue(`
update tickets set stage = 'new', round = round + 1, assignee = null, claimed_at = null, resolved_at = null, closed_at = null,
  waiting_for = '', approved = null, approved_currency = null, approved_by = null where number = $1`, row.Number)
	b.Queue("insert into outbox (ticket, round, created_at) values ($1, $2, $3)", row.Number, row.Round+1, s.now())
	credited, err := s.creditedBefore(ctx, t, b, p, charges, stands, &moves)
	if err != nil {
		return "", err
	}
	if err := returns.giveBack(ctx, t, b, &moves, r.at); err != nil {
		return "", err
	}
	if err := moves.queue(b, returns.blocks, r.at); err != nil {
		return "", err
	}
	for i := range reversals {
		// Whoever paid gets it back, also where the client has another payer by now.
		p.ticket.PayerID = cmp.Or(charges[i].Payer, row.PayerID)
		posted, err := p.place(ctx, t, reversals[i:i+1], ids[i:i+1], &r.invoices)
		if err != nil {
			return "", err
		}
		p.lines(b, reversals[i:i+1], posted)
	}
	for _, v := range let {
		if err := v.lines(ctx, t, b, &r.invoices); err != nil {
			return "", err
		}
	}
	undone := slices.Clone(reversals)
	for i := range undone {
		undone[i].Kind = stands[i].Kind
	}
	p.ticket.PayerID = row.PayerID
	late := lateness{posting: p, because: string(row.id()), charges: slices.Concat(undone, corrections), reserves: released, moves: &moves, invoices: &r.invoices}
	if err := s.adjustPeriods(ctx, t, b, closed, late); err != nil {
		return "", err
	}
	return sayUndone(slices.Concat(reversals, credited, corrections), len(holds)) + stay.says(), nil
}

func collectStanding(rows pgx.Rows) ([]standingCharge, error) {
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (c standingCharge, err error) {
		if err := row.Scan(&c.ID, &c.Closure, &c.Round, &c.Key, &c.Body, &c.Decision, &c.Payer); err != nil {
			return c, err
		}
		c.whole, err = c.charge()
		return c, err
	})
}

// charge is the charge as it was decided, settled or reversed.
func (c standingCharge) charge() (billing.Charge, error) {
	if c.Body != nil {
		var whole billing.Charge
		if err := json.Unmarshal([]byte(*c.Body), &whole); err != nil {
			return whole, fmt.Errorf("read charge %d: %w", c.ID, err)
		}
		return whole, nil
	}
	var decision billing.Decision
	if err := json.Unmarshal([]byte(c.Decision), &decision); err != nil {
		return billing.Charge{}, fmt.Errorf("read the decision of closure %d: %w", c.Closure, err)
	}
	i := slices.IndexFunc(decision.Charges, func(d billing.Charge) bool { return d.Key == c.Key })
	if i < 0 {
		return billing.Charge{}, fmt.Errorf("charge %d: closure %d did not decide %q", c.ID, c.Closure, c.Key)
	}
	return decision.Charges[i], nil
}

// heldCharges are the charges that wait in the holds.
func heldCharges(holds []waiting) ([]billing.Charge, error) {
	var charges []billing.Charge
	for _, h := range holds {
		content, err := h.content()
		if err != nil {
			return nil, err
		}
		charges = append(charges, content.Charges...)
	}
	return charges, nil
}

func sayUndone(reversals []billing.Charge, voided int) string {
	says := ""
	for _, total := range (billing.Decision{Charges: reversals}).Totals() {
		if !total.Posted.IsZero() {
			says += "; " + money(total.Posted, total.Currency) + " posted back"
		}
	}
	if voided > 0 {
		says += fmt.Sprintf("; %d waiting voided", voided)
	}
	return says
}
