package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

// settling is one person's word about one hold, and what is found under the ticket's lock.
type settling struct {
	name ticket.Name
	head ticket.Header
	hold int64
	asks any // its content, for the memory of operation keys

	ticket   lockedTicket
	found    waiting
	open     []waiting // everything that waits on the ticket, this one included
	people   map[string]actor
	asked    []askedPerson
	invoices []invoiceRow
	versions []versionRow
	at       time.Time

	proposed *proposal           // what waits for a second person's word
	kind     string              // of the event; empty: the message's name
	opened   []billing.HeldQuote // holds that the word opened
}

// askedPerson is somebody whom the quote asks.
type askedPerson struct {
	ID          string
	Delegate    *string
	AbsentUntil *time.Time
	Active      bool
}

// SignOff is the client's word about one quote: its lines post, or a dispatcher rules on them.
// It counts only from somebody the quote asks (or his delegate while he is away), not from who
// asked for the work, for exactly the quote that stands, and before it expires. Whatever else
// comes is kept on record, and answered with what is true.
func (s *Store) SignOff(ctx context.Context, id ticket.ID, m ticket.SignOff) (billing.Settlement, error) {
	if err := m.Validate(); err != nil {
		return billing.Settlement{}, err
	}
	d := &settling{name: ticket.MsgSignOff, head: m.Header, hold: m.Hold, asks: []any{m.Hold, m.Digest, m.Approved, m.Reason}}
	return s.settle(ctx, id, d, func(t *tx, b *pgx.Batch) (billing.Settlement, error) {
		if d.typed() {
			return billing.Settlement{Outcome: billing.Refused, Says: unprovenDeed(m.Header, "sign off at the desk: docket approval approve "+ticket.HoldID(m.Hold))}, nil
		}
		if outcome, says := d.unsigned(m); outcome != "" {
			return billing.Settlement{Outcome: outcome, Says: says}, nil
		}
		switch {
		case d.found.ClosureID == nil:
			return d.answerAsked(b, m)
		case !m.Approved:
			return s.decline(ctx, t, b, d, m.Reason)
		}
		return s.postHold(ctx, t, b, d, billing.Ruling{Action: billing.Approve, By: m.Who, Reason: m.Reason}, nil)
	})
}

// typed says whether nobody vouches for who sent it.
func (d *settling) typed() bool { return cmp.Or(d.head.Via, ticket.ViaTemporal) == ticket.ViaTemporal }

// settle is the transaction of both: lock the ticket, read the hold, let decide queue what it
// changes, and commit that with the event that remembers the answer.
func (s *Store) settle(ctx context.Context, id ticket.ID, d *settling, decide func(*tx, *pgx.Batch) (billing.Settlement, error)) (settlement billing.Settlement, err error) {
	if d.at = d.head.At; d.at.IsZero() {
		d.at = s.now()
	}
	d.at = d.at.UTC()
	input, err := digestOf(id, d.name, d.head.Who, d.asks)
	if err := errors.Join(err, plausible("at", d.at, s.now())); err != nil {
		return settlement, err
	}
	err = s.tx(ctx, fmt.Sprintf("%s %s of %s", d.name, ticket.HoldID(d.hold), id), func(t *tx) error {
		before, err := d.read(ctx, t, id)
		if err != nil {
			return err
		}
		if before != nil {
			settlement, err = recall[billing.Settlement](*before, d.head.OperationKey, input)
			return err
		}
		if _, err := pick(d.people, "who", d.head.Who); err != nil {
			return err
		}
		b := t.batch()
		if settlement, err = decide(t, b); err != nil {
			return err
		}
		if d.found.ClosureID == nil && settlement.Changed() {
			if err := moveClock(ctx, t, b, id, func(of *standing) error { return of.told(d.at, d.hold) }); err != nil {
				return err
			}
		}
		settlement.Hold, settlement.At = d.hold, d.at
		settlement.Held = d.stillHeld(settlement)
		if err := s.record(ctx, b, event{
			Ticket: id, Client: d.ticket.ClientID, Round: d.found.Round, At: d.at, Kind: cmp.Or(d.kind, string(d.name)), Actor: d.head.Who,
			Via: cmp.Or(d.head.Via, ticket.ViaTemporal), Key: d.head.OperationKey, Input: input,
			Effect: settlement.Changed(), Says: settlement.Says, Answer: settlement,
			Held: settledQuote(d.found, settlement), Opened: d.opened,
		}); err != nil {
			return err
		}
		return t.commit(ctx, b)
	})
	return settlement, err
}

func (d *settling) read(ctx context.Context, t *tx, id ticket.ID) (*earlier, error) {
	d.people, d.invoices, d.proposed, d.kind, d.opened = map[string]actor{}, nil, nil, "", nil
	var asked []waiting
	b := t.batch()
	queueLock(b, id, &d.ticket)
	before := queueEarlier(b, d.head.OperationKey)
	queueWaiting(b, "where h.id = $1", d.hold, &asked)
	queueWaiting(b, "where h.ticket = $1 and h.state = 'open'", id.Number(), &d.open)
	queueActors(b, []string{d.head.Who}, d.people)
	queueProposal(b, d.hold, &d.proposed)
	b.Queue(`
select p.id, p.delegate_id, p.absent_until, p.active from people p
where p.id = any (array(select unnest(q.asked) from quotes q where q.hold_id = $1))`, d.hold).Query(func(rows pgx.Rows) (err error) {
		d.asked, err = pgx.CollectRows(rows, pgx.RowToStructByPos[askedPerson])
		return err
	})
	queueInvoices(b, id, &d.invoices)
	queueVersions(b, id, &d.versions)
	if err := t.send(ctx, b); err != nil {
		return nil, err
	}
	if earlier := before(); earlier != nil {
		return earlier, nil
	}
	switch {
	case len(asked) == 0:
		return nil, ticket.Invalid("hold", ticket.HoldID(d.hold), "is not known", "`docket approval list` and `docket exception list` show what waits")
	case asked[0].Ticket != id.Number():
		return nil, ticket.Invalid("hold", ticket.HoldID(d.hold), "is not on "+string(id), "it is on "+string(ticket.NewID(asked[0].Ticket)))
	}
	d.found = asked[0]
	if d.at.Before(d.found.QuotedAt) { // nobody answers before he is asked, whatever his clock says
		d.at = d.found.QuotedAt.UTC()
	}
	return nil, nil
}

// unsigned says why a sign-off has no effect; "" when it has.
func (d *settling) unsigned(m ticket.SignOff) (billing.Outcome, string) {
	h, name := d.found, ticket.HoldID(d.hold)
	switch {
	case h.State != "open":
		return h.decided()
	case h.Kind != billing.SignOff:
		return billing.Refused, name + " waits for a dispatcher's ruling, not for a sign-off"
	case d.asker(m.Who):
		return billing.Refused, m.Who + " asked for it; nobody signs off his own request"
	case !d.entitled(m.Who):
		return billing.Refused, fmt.Sprintf("%s may not sign %s off; it asks %s", m.Who, name, strings.Join(h.Asked, ", "))
	case m.Digest != h.Digest:
		return billing.Stale, fmt.Sprintf("that was not the quote of %s that stands: %s, until %s; look at it again",
			name, money(h.Amount, h.Currency), h.ExpiresAt.UTC().Format(time.RFC3339))
	case d.at.After(h.ExpiresAt):
		return billing.Stale, fmt.Sprintf("the quote of %s ran out at %s; a fresh one follows", name, h.ExpiresAt.UTC().Format(time.RFC3339))
	}
	return "", ""
}

// decided tells what became of a hold that is no longer open.
func (h waiting) decided() (billing.Outcome, string) {
	name, by, how, at := ticket.HoldID(h.ID), "", "", ""
	if h.DecidedBy != nil {
		by = *h.DecidedBy
	}
	if h.Decision != nil {
		how = *h.Decision
	}
	if h.DecidedAt != nil {
		at = h.DecidedAt.UTC().Format(time.RFC3339)
	}
	if h.State == "void" {
		return billing.Superseded, fmt.Sprintf("%s no longer stands: %s by %s at %s", name, how, by, at)
	}
	return billing.Already, fmt.Sprintf("%s is decided: %s by %s at %s", name, how, by, at)
}

// asker says whether the person asked for the work or for the charge.
func (d *settling) asker(who string) bool {
	return who == d.found.RequestedBy || who == d.ticket.ContactID
}

// entitled says whether the person is asked, or stands in for one who is away, gone, or the
// very person who asked for the work.
func (d *settling) entitled(who string) bool {
	if p, ok := d.people[who]; !ok || p.Client != d.ticket.ClientID || !slices.Contains(d.found.Asked, who) {
		return ok && p.Client == d.ticket.ClientID && slices.ContainsFunc(d.asked, func(a askedPerson) bool {
			away := !a.Active || d.asker(a.ID) || (a.AbsentUntil != nil && a.AbsentUntil.After(d.at))
			return a.Delegate != nil && *a.Delegate == who && away && slices.Contains(d.found.Asked, a.ID)
		})
	}
	return true
}

// postHold posts what was held, as quoted or as ruled, and gives its reservations over to it. fits may refuse
// it, once the counters that it moves are locked.
func (s *Store) postHold(ctx context.Context, t *tx, b *pgx.Batch, d *settling, r billing.Ruling, fits func([]billing.Counter, []billing.Charge) string) (billing.Settlement, error) {
	content, err := d.found.content()
	if err != nil {
		return billing.Settlement{}, err
	}
	charges, err := d.settled(content, r)
	if err != nil {
		return billing.Settlement{}, err
	}
	p := posting{ticket: d.ticket, closure: *d.found.ClosureID, round: d.found.Round, hold: d.hold, at: d.at, bodies: true}
	if err := p.readGenerations(ctx, t.conn); err != nil {
		return billing.Settlement{}, err
	}
	closed, err := s.adjuster(ctx, t.conn, d.ticket, d.versions)
	if err != nil {
		return billing.Settlement{}, err
	}
	also := closed.keysOf(content.Charges)
	for _, c := range charges {
		also = append(also, c.BudgetKeys()...)
	}
	back, err := s.lockReturns(ctx, t, d.ticket.ClientID, nil, []waiting{d.found}, also)
	if err != nil {
		return billing.Settlement{}, err
	}
	if fits != nil {
		if refusal := fits(back.counters, charges); refusal != "" {
			return billing.Settlement{Outcome: billing.Refused, Says: refusal}, nil
		}
	}
	corrections, err := s.release(ctx, t, billing.Undo(back.counters), d.found, charges)
	if err != nil {
		return billing.Settlement{}, err
	}
	charges = append(charges, corrections...)
	ids, err := s.charges.take(ctx, t.conn, len(charges))
	if err != nil {
		return billing.Settlement{}, err
	}
	p.bought = back.bought
	posted, err := p.place(ctx, t, charges, ids, &d.invoices)
	if err != nil {
		return billing.Settlement{}, err
	}
	var moves moves
	for _, c := range content.Charges {
		p.reserve(b, d.hold, c, -1, &moves)
	}
	if err := p.charges(b, charges, ids, &moves); err != nil {
		return billing.Settlement{}, err
	}
	says := d.ruled(r)
	d.decide(b, "settled", string(r.Action), says)
	d.queueStage(b)
	if err := back.giveBack(ctx, t, b, &moves, d.at); err != nil {
		return billing.Settlement{}, err
	}
	if err := moves.queue(b, back.blocks, d.at); err != nil {
		return billing.Settlement{}, err
	}
	p.lines(b, charges, posted)
	late := lateness{posting: p, because: string(d.ticket.id()), charges: charges, moves: &moves, invoices: &d.invoices}
	if err := s.adjustPeriods(ctx, t, b, closed, late); err != nil {
		return billing.Settlement{}, err
	}
	return billing.Settlement{Outcome: billing.Settled, Says: says, Posted: posted}, nil
}

// settled gives the charges that the ruling makes of the hold, or a Problem that says why it makes none.
func (d *settling) settled(content billing.Hold, r billing.Ruling) ([]billing.Charge, error) {
	charges, err := billing.Settle(content, r)
	switch {
	case errors.Is(err, billing.ErrNoRate):
		return nil, ticket.Invalid("hourly", "", "is missing: no rate card has one for this work", "add the rate to bill it at, such as --hourly 150.00, or cover it")
	case err != nil:
		return nil, ticket.Invalid("hold", ticket.HoldID(d.hold), "cannot be settled so: "+err.Error(), "rule otherwise, or send it back")
	}
	return charges, nil
}

// ruled tells a ruling in one sentence: who, and who agreed.
func (d *settling) ruled(r billing.Ruling) string {
	says := fmt.Sprintf("%s: %s by %s", ticket.HoldID(d.hold), r.Action, cmp.Or(d.people[r.By].Name, r.By))
	if r.Project != "" {
		says = fmt.Sprintf("%s: to project %s by %s", ticket.HoldID(d.hold), r.Project, cmp.Or(d.people[r.By].Name, r.By))
	}
	if r.ConfirmedBy != "" {
		says += ", confirmed by " + cmp.Or(d.people[r.ConfirmedBy].Name, r.ConfirmedBy)
	}
	return says
}

// decline turns what the client will not pay into a dispatcher's exception; what it reserves
// stays reserved until somebody rules.
func (s *Store) decline(ctx context.Context, t *tx, b *pgx.Batch, d *settling, reason string) (billing.Settlement, error) {
	content, err := d.found.content()
	if err != nil {
		return billing.Settlement{}, err
	}
	patience := 4 * time.Hour
	if len(content.Charges) > 0 && content.Charges[0].Revision > 0 {
		terms, err := s.termsOf(ctx, t.conn, content.Charges[0].Contract, content.Charges[0].Revision)
		if err != nil {
			return billing.Settlement{}, err
		}
		patience = terms.Patience()
	}
	declined := billing.Decline(content, d.head.Who, reason, patience)
	canonical, err := billing.Canonical(declined)
	if err != nil {
		return billing.Settlement{}, fmt.Errorf("encode hold %s: %w", declined.Key, err)
	}
	b.Queue("update holds set kind = $2, reason = $3, says = $4, hold = $5 where id = $1",
		d.hold, declined.Kind, declined.Reason, declined.Says, string(canonical))
	digest, err := quoteDigest(d.hold, d.found.Step+1, declined.Digest)
	if err != nil {
		return billing.Settlement{}, err
	}
	next := d.found
	next.Kind, next.Reason, next.Says = declined.Kind, declined.Reason, declined.Says
	next.Step, next.Digest, next.Asked, next.QuotedAt, next.ExpiresAt, next.Reminded = d.found.Step+1, digest, nil, d.at, d.at.Add(patience), 0
	queueQuote(b, d.ticket.ClientID, next.quote(), d.at)
	for i := range d.open {
		if d.open[i].ID == d.hold {
			d.open[i] = next
		}
	}
	return billing.Settlement{Outcome: billing.Passed, Says: declined.Says}, nil
}

// answerAsked takes the client's answer to a question that an agent asked before acting.
func (d *settling) answerAsked(b *pgx.Batch, m ticket.SignOff) (billing.Settlement, error) {
	how, verb := "approve", "agreed to"
	if !m.Approved {
		how, verb = "decline", "declined"
	}
	says := fmt.Sprintf("%s %s %s: %s", d.people[m.Who].Name, verb, money(d.found.Amount, d.found.Currency), d.found.Says)
	d.decide(b, "settled", how, says)
	if m.Approved && d.ticket.Round == d.found.Round && d.ticket.Stage.Open() {
		b.Queue("update tickets set approved = $2, approved_currency = $3, approved_by = $4 where number = $1",
			d.ticket.Number, d.found.Amount, d.found.Currency, m.Who)
	}
	outcome := billing.Settled
	if !m.Approved {
		outcome = billing.Passed
	}
	return billing.Settlement{Outcome: outcome, Says: says}, nil
}

func (d *settling) decide(b *pgx.Batch, state, how, says string) {
	b.Queue("update holds set state = $2, decided_at = $3, decided_by = $4, decision = $5, decided_says = $6 where id = $1",
		d.hold, state, d.at, d.head.Who, how, says)
}

// queueStage moves the ticket on when nothing of its closure is held any more.
func (d *settling) queueStage(b *pgx.Batch) {
	waits := len(d.opened) > 0 || slices.ContainsFunc(d.open, func(h waiting) bool { return h.ID != d.hold && h.ClosureID != nil })
	if !waits && d.ticket.Stage == ticket.Held {
		b.Queue("update tickets set stage = 'posted' where number = $1", d.ticket.Number)
	}
}

func (d *settling) stillHeld(s billing.Settlement) []billing.HeldQuote {
	held := []billing.HeldQuote{}
	for _, h := range d.open {
		gone := s.Outcome == billing.SentBack || (h.ID == d.hold && (s.Outcome == billing.Settled || (s.Outcome == billing.Passed && h.ClosureID == nil)))
		if !gone {
			held = append(held, h.quote())
		}
	}
	return append(held, d.opened...)
}
