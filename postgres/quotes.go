package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/shopspring/decimal"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

// waiting is a hold with its latest quote, as the transactions of money read it.
type waiting struct {
	ID          int64
	ClosureID   *int64
	Ticket      int64
	Round       int
	Kind        billing.HoldKind
	Reason      billing.HoldReason
	Says        string
	Currency    string
	Amount      decimal.Decimal
	Hold        string
	RequestedBy string
	State       string
	DecidedAt   *time.Time
	DecidedBy   *string
	Decision    *string
	Step        int
	Digest      string
	Asked       []string
	QuotedAt    time.Time
	ExpiresAt   time.Time
	Reminded    int // reminders of this quote so far
}

const selectWaiting = `
select h.id, h.closure_id, h.ticket, h.round, h.kind, h.reason, h.says, h.currency, h.amount, h.hold, h.requested_by, h.state,
  h.decided_at, h.decided_by, h.decision, q.step, q.digest, q.asked, q.quoted_at, q.expires_at,
  (select count(*) from quote_reminders r where r.hold_id = q.hold_id and r.step = q.step)::int
from holds h cross join lateral (select * from quotes where hold_id = h.id order by step desc limit 1) as q `

// queueWaiting reads holds with their latest quotes; where narrows, by the id as $1.
func queueWaiting(b *pgx.Batch, where string, id int64, into *[]waiting) {
	b.Queue(selectWaiting+where+" order by h.id", id).Query(func(rows pgx.Rows) (err error) {
		*into, err = pgx.CollectRows(rows, pgx.RowToStructByPos[waiting])
		return err
	})
}

func (h waiting) quote() billing.HeldQuote {
	return billing.HeldQuote{
		Hold: h.ID, Kind: h.Kind, Reason: h.Reason, Says: h.Says, Amount: h.Amount, Currency: h.Currency,
		Digest: h.Digest, Approvers: h.Asked, ExpiresAt: h.ExpiresAt.UTC(), Step: h.Step,
		Reminded: h.Reminded, RemindAt: remindAt(h.QuotedAt, h.ExpiresAt, h.Reminded),
	}
}

// content is the hold as billing decided it.
func (h waiting) content() (billing.Hold, error) {
	var content billing.Hold
	if err := json.Unmarshal([]byte(h.Hold), &content); err != nil {
		return content, fmt.Errorf("read hold %s: %w", ticket.HoldID(h.ID), err)
	}
	return content, nil
}

// quoteDigest names one quote of a hold. A fresh quote of the same content has another name,
// so that a signature under the expired one cannot count.
func quoteDigest(hold int64, step int, content string) (string, error) {
	d, err := digestOf("quote", strconv.FormatInt(hold, 10), step, content)
	return d[:min(len(d), 32)], err
}

// openHold queues a new hold with its first quote, and reserves what it will take.
func (p posting) openHold(b *pgx.Batch, id int64, h billing.Hold, by string, m *moves) (billing.HeldQuote, error) {
	digest, err := quoteDigest(id, 0, h.Digest)
	if err != nil {
		return billing.HeldQuote{}, err
	}
	content, err := billing.Canonical(h)
	if err != nil {
		return billing.HeldQuote{}, fmt.Errorf("encode hold %s: %w", h.Key, err)
	}
	quote := billing.HeldQuote{
		Hold: id, Kind: h.Kind, Reason: h.Reason, Says: h.Says, Amount: h.Amount, Currency: h.Currency, Digest: digest,
		Approvers: h.Approvers, ExpiresAt: p.at.Add(time.Duration(h.Patience) * time.Millisecond).UTC(),
	}
	quote.RemindAt = remindAt(p.at, quote.ExpiresAt, 0)
	b.Queue(`
insert into holds (id, closure_id, ticket, client_id, round, key, kind, reason, says, currency, amount, hold, requested_by, opened_at)
values ($1, nullif($2::bigint, 0), $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
		id, p.closure, p.ticket.Number, p.ticket.ClientID, p.round, h.Key, h.Kind, h.Reason, h.Says, h.Currency, h.Amount,
		string(content), by, p.at)
	queueQuote(b, p.ticket.ClientID, quote, p.at)
	for _, c := range h.Charges {
		p.reserve(b, id, c, 1, m)
	}
	return quote, nil
}

func queueQuote(b *pgx.Batch, client string, q billing.HeldQuote, at time.Time) {
	asked := q.Approvers
	if asked == nil {
		asked = []string{}
	}
	b.Queue(`insert into quotes (hold_id, step, client_id, digest, asked, quoted_at, expires_at) values ($1, $2, $3, $4, $5, $6, $7)`,
		q.Hold, q.Step, client, q.Digest, asked, at, q.ExpiresAt)
}

// reserve queues the reservation (sign 1) or the release (sign −1) of what a held charge takes.
func (p posting) reserve(b *pgx.Batch, hold int64, c billing.Charge, sign int64, m *moves) {
	kind := "reserve"
	if m.cause = closingCause(p.closure); p.hold != 0 {
		m.cause = ticket.HoldID(p.hold) // whose ruling rates it anew
	}
	if sign < 0 {
		kind, m.cause = "release", ticket.HoldID(hold)
	}
	for _, n := range c.Counts {
		if n.Quantity.IsZero() {
			continue
		}
		q := n.Quantity.Mul(decimal.NewFromInt(sign))
		b.Queue(`insert into counter_moves (counter, client_id, kind, quantity, hold_id, key, at) values ($1, $2, $3, $4, $5, $6, $7)`,
			n.Key, p.ticket.ClientID, kind, q, hold, c.Key, p.at)
		m.count(n.Key, q)
	}
	for _, d := range c.Draws {
		block := p.bought.id(p.closure, d.Block)
		b.Queue(`insert into block_moves (block_id, client_id, kind, ms, hold_id, key, at) values ($1, $2, $3, $4, $5, $6, $7)`,
			block, p.ticket.ClientID, kind, sign*d.MS, hold, c.Key, p.at)
		m.draw(block, sign*d.MS)
	}
}

// Held lists what still waits for a person on this ticket.
func (s *Store) Held(ctx context.Context, id ticket.ID) ([]billing.HeldQuote, error) {
	rows, err := s.pool.Query(ctx, selectWaiting+"where h.ticket = $1 and h.state = 'open' order by h.id", id.Number())
	if err != nil {
		return nil, fmt.Errorf("list what %s waits for: %w", id, err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[waiting])
	if err != nil {
		return nil, fmt.Errorf("list what %s waits for: %w", id, err)
	}
	held := make([]billing.HeldQuote, 0, len(found))
	for _, h := range found {
		held = append(held, h.quote())
	}
	return held, nil
}
