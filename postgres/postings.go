package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/docket-psa/docket/billing"
)

// postingRow is what posts without a ticket: single by its key, with what it was decided from.
type postingRow struct {
	id       int64
	key      string
	kind     string
	client   string
	contract string
	period   billing.Period // zero: of none
	n        int
	rules    int
	facts    []byte // canonical JSON
	decision []byte // canonical JSON
	digest   string
	says     string
	state    billing.PostingState
	by       string
	at       time.Time
}

func (s *Store) queuePosting(b *pgx.Batch, r postingRow) {
	b.Queue(`
insert into postings (id, key, kind, client_id, contract_id, period_start, period_end, n, rules, facts, decision, digest, says, state,
  made_by, at, recorded_at)
values ($1, $2, $3, $4, $5, nullif($6::text, '')::date, nullif($7::text, '')::date, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)`,
		r.id, r.key, r.kind, r.client, r.contract, r.period.Start, r.period.End, max(r.n, 1), r.rules, string(r.facts), string(r.decision),
		r.digest, r.says, r.state, r.by, r.at, s.now())
}

// postCharges queues the charges of a posting with what they count and their lines, which come last. m sums what they
// count.
func (s *Store) postCharges(ctx context.Context, t *tx, b *pgx.Batch, r postingRow, payer string, charges []billing.Charge, invoices *[]invoiceRow, m *moves) ([]billing.PostedLine, error) {
	ids, err := s.charges.take(ctx, t.conn, len(charges))
	if err != nil {
		return nil, err
	}
	p := posting{ticket: lockedTicket{ClientID: r.client, PayerID: payer}, posting: r.id, at: r.at}
	posted, err := p.place(ctx, t, charges, ids, invoices)
	if err != nil {
		return nil, err
	}
	if err := p.charges(b, charges, ids, m); err != nil {
		return nil, err
	}
	if err := m.queue(b, shelf{}, r.at); err != nil { // nothing here draws from a block
		return nil, err
	}
	p.lines(b, charges, posted)
	return posted, nil
}

const selectPostings = `
select p.id, p.key, p.kind, p.client_id, p.contract_id, coalesce(p.period_start::text, ''), coalesce(p.period_end::text, ''), p.n, p.state, p.says,
  p.digest, p.made_by, p.at, p.decided_at, coalesce(p.decided_by, ''), p.decision::jsonb -> 'charges'
from postings p`

func scanPosting(row pgx.CollectableRow) (v billing.PostingView, err error) {
	err = row.Scan(&v.ID, &v.Key, &v.Kind, &v.Client, &v.Contract, &v.Period.Start, &v.Period.End, &v.N, &v.State, &v.Says,
		&v.Digest, &v.By, &v.At, &v.Decided, &v.Decider, &v.Charges)
	return v, err
}

// PostingFilter narrows a list of postings; an empty field does not.
type PostingFilter struct {
	Client   string
	Contract string
	Kind     string
	State    billing.PostingState
	Period   string // its first day, or its month
	Periods  bool   // only runs of billing periods
	Limit    int    // 0: 50
}

// Postings lists what posted, or waits to post, without a ticket, the newest first.
func (r Reads) Postings(ctx context.Context, f PostingFilter) ([]billing.PostingView, error) {
	limit := f.Limit
	if limit <= 0 {
		limit = defaultLimit
	}
	rows, err := r.q.Query(ctx, selectPostings+`
where ($1 = '' or p.client_id = $1) and ($2 = '' or p.contract_id = $2) and ($3 = '' or p.kind = $3) and ($4 = '' or p.state = $4)
  and ($5 = '' or p.period_start::text = $5) and (not $6 or p.kind in ('opening', 'closing', 'adjusting'))
order by p.id desc limit $7`, f.Client, f.Contract, f.Kind, string(f.State), firstDay(f.Period), f.Periods, limit)
	if err != nil {
		return nil, fmt.Errorf("list postings: %w", err)
	}
	found, err := pgx.CollectRows(rows, scanPosting)
	if err != nil {
		return nil, fmt.Errorf("list postings: %w", err)
	}
	return found, nil
}

// firstDay gives the first day of a period that people name by it, or by its month.
func firstDay(period string) string {
	if len(period) == len("2006-01") {
		return period + "-01"
	}
	return period
}

// postedLines tells what a posting has posted.
func postedLines(ctx context.Context, q querier, posting int64) ([]billing.PostedLine, error) {
	return collect[billing.PostedLine](ctx, q, "posted lines", `
select coalesce(l.charge_id, 0), coalesce(l.invoice_id, 0), c.kind, c.clause, coalesce(l.text, ''), c.amount, c.currency
from charges c left join invoice_lines l on l.charge_id = c.id where c.posting_id = $1 and c.adjusts is null order by c.id`, posting)
}

// chargesOf reads the charges of a posting's decision.
func chargesOf(decision string) ([]billing.Charge, error) {
	var d struct {
		Charges []billing.Charge `json:"charges"`
	}
	if err := json.Unmarshal([]byte(decision), &d); err != nil {
		return nil, fmt.Errorf("its decision cannot be read: %w", err)
	}
	return d.Charges, nil
}
