package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"slices"
	"time"

	"github.com/shopspring/decimal"
	"golang.org/x/sync/errgroup"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

// whatIfPage is some closures, in the order of closing.
type whatIfPage struct {
	closures []*whatIfClosure
	sketched *errgroup.Group

	// What the rehearsal must be told before it.
	counters []toldCounter
	bought   []boughtHours
	buckets  []bucketHours
	happened []happening
}

// whatIfClosure is one closure with what became of it, and what it would be under the draft.
type whatIfClosure struct {
	whatIfRow
	was      billing.Comparison // what posted, reversals included, and what waits
	words    []decided          // of people, about its holds
	undone   time.Time          // when it was reopened, and what is not kept was reversed; zero: it stands
	stays    []string           // contracts under which something of it stands, whatever was undone
	lines    []int64            // what posted
	charges  []billing.Charge   // as above, where it is asked for
	waits    []billing.Hold     // as above
	facts    billing.Facts      // under the draft
	wants    billing.Wants
	decision billing.Decision
	failed   string // why it could not be rated under the draft
	counts   bool   // it was closed in the period: not only rehearsed for what comes after it
}

type whatIfRow struct {
	ID       int64
	Ticket   int64
	Round    int
	ClosedAt time.Time
	Subject  string
	Facts    string
}

// decided is a person's word, and when it was said.
type decided struct {
	at time.Time
	billing.Word
}

// next reads the page after another.
func (w *whatIf) next(ctx context.Context, after *whatIfPage) (*whatIfPage, error) {
	w.reading.Lock()
	defer w.reading.Unlock()
	at, id := w.from, int64(0)
	if after != nil {
		last := after.closures[len(after.closures)-1]
		at, id = last.ClosedAt, last.ID
	}
	rows, err := collect[whatIfRow](ctx, w.tx, "closures", `
		select c.id, c.ticket, c.round, c.closed_at, t.subject, c.facts from closures c join tickets t on t.number = c.ticket
		where c.client_id = $1 and c.closed_at >= $2 and (c.closed_at > $2 or c.id > $3) and c.closed_at < $4
		order by c.closed_at, c.id limit $5`, w.client, at, id, w.until, pageSize)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	page := &whatIfPage{closures: make([]*whatIfClosure, 0, len(rows))}
	byID := make(map[int64]*whatIfClosure, len(rows))
	ids := make([]int64, 0, len(rows))
	for _, row := range rows {
		c := &whatIfClosure{whatIfRow: row}
		page.closures, ids, byID[row.ID] = append(page.closures, c), append(ids, row.ID), c
	}
	rulings, err := w.readPosted(ctx, ids, byID)
	if err != nil {
		return nil, err
	}
	if err := w.readHolds(ctx, ids, byID, rulings); err != nil {
		return nil, err
	}
	for _, c := range page.closures {
		if c.counts = c.ClosedAt.Before(w.to); c.counts && c.last().After(w.until) {
			w.until = c.last()
		}
	}
	return page, nil
}

// last is when something happened to the closure last.
func (c *whatIfClosure) last() time.Time {
	last := c.undone
	for _, word := range c.words {
		if word.at.After(last) {
			last = word.at
		}
	}
	return last
}

// readPosted reads what posted for the closures, and gives the rulings by which holds were settled.
func (w *whatIf) readPosted(ctx context.Context, ids []int64, byID map[int64]*whatIfClosure) (map[int64]billing.Ruling, error) {
	var unread error
	rulings := map[int64]billing.Ruling{}
	lows, highs := runs(slices.Sorted(slices.Values(ids)))
	err := readRows(ctx, w.tx, "charges", `
		select c.closure_id, c.id, c.contract_id, c.clause, c.currency, c.amount,
			c.kind not in ('reversal', 'correction') and c.key not like '%/renew/%' and not exists (select from charges r where r.reverses = c.id),
			case when c.kind = 'reversal' then (extract(epoch from c.posted_at) * 1000000)::bigint end, c.hold_id,
			case when c.hold_id is not null and c.kind <> 'correction' then c.body end
		`+inRuns+` join charges c on c.closure_id between run.low and run.high where c.adjusts is null`, func(r *textRow) {
		c := byID[r.number()]
		if c == nil {
			return
		}
		if err := c.posted(r, rulings); err != nil && unread == nil {
			unread = err
		}
	}, lows, highs)
	if err != nil {
		return nil, err
	}
	if unread != nil {
		return nil, unread
	}
	for _, c := range byID {
		if !w.detailed(c) {
			continue
		}
		slices.Sort(c.lines)
		for _, id := range c.lines {
			charge, _, err := (Reads{q: w.tx}).charge(ctx, id)
			if err != nil {
				return nil, err
			}
			c.charges = append(c.charges, charge)
		}
	}
	return rulings, nil
}

// posted takes in one charge that posted for the closure.
func (c *whatIfClosure) posted(r *textRow, rulings map[int64]billing.Ruling) error {
	id := r.number()
	charge := billing.Charge{Contract: r.text(), Clause: r.text(), Currency: r.text()}
	var err error
	if charge.Amount, err = billing.ParseDecimal(r.text()); err != nil {
		return fmt.Errorf("read the amount of %s: %w", ticket.LineID(id), err)
	}
	c.was.Was(&charge, false)
	c.lines = append(c.lines, id)
	stands, reversed, hold, body := r.flag(), r.number(), r.number(), r.text()
	if stands && !slices.Contains(c.stays, charge.Contract) {
		c.stays = append(c.stays, charge.Contract)
	}
	if at := time.UnixMicro(reversed); reversed != 0 && (c.undone.IsZero() || at.Before(c.undone)) {
		c.undone = at
	}
	if body == "" {
		return nil
	}
	var settled billing.Charge
	if err := json.Unmarshal([]byte(body), &settled); err != nil {
		return fmt.Errorf("read charge %s: %w", ticket.LineID(id), err)
	}
	rulings[hold] = billing.RulingOf(settled)
	return nil
}

// readHolds reads what still waits, what people decided, and what a reopening voided.
func (w *whatIf) readHolds(ctx context.Context, ids []int64, byID map[int64]*whatIfClosure, rulings map[int64]billing.Ruling) error {
	holds, err := collect[struct {
		ID        int64
		Closure   int64
		Key       string
		Reason    billing.HoldReason
		Currency  string
		Amount    decimal.Decimal
		State     string
		DecidedAt *time.Time
		Content   *string // of one that waits
	}](ctx, w.tx, "holds", `
		select id, closure_id, key, reason, currency, amount, state, decided_at, case when state = 'open' then hold end
		from holds where closure_id = any ($1) order by id`, ids)
	if err != nil {
		return err
	}
	for _, h := range holds {
		c := byID[h.Closure]
		switch {
		case h.Content != nil:
			var hold billing.Hold
			if err := json.Unmarshal([]byte(*h.Content), &hold); err != nil {
				return fmt.Errorf("read %s: %w", ticket.HoldID(h.ID), err)
			}
			for i := range hold.Charges {
				c.was.Was(&hold.Charges[i], true)
			}
			if w.detailed(c) {
				c.waits = append(c.waits, hold)
			}
		case h.DecidedAt == nil:
		case h.State == "settled":
			if ruling, ok := rulings[h.ID]; ok {
				word := billing.Word{Hold: h.Key, Reason: h.Reason, Ruling: ruling, Currency: h.Currency, Amount: h.Amount}
				c.words = append(c.words, decided{at: *h.DecidedAt, Word: word})
			}
		default: // void or sent back: the round was reopened
			if c.undone.IsZero() || h.DecidedAt.Before(c.undone) {
				c.undone = *h.DecidedAt
			}
		}
	}
	return nil
}

// sketch reads the facts of a page's closures and decides them under the draft, on all processors.
// What wants a counter or a block is decided again when it is rehearsed.
func (w *whatIf) sketch(ctx context.Context, page *whatIfPage) {
	page.sketched = new(errgroup.Group)
	part := (len(page.closures) + runtime.GOMAXPROCS(0) - 1) / runtime.GOMAXPROCS(0)
	for some := range slices.Chunk(page.closures, part) {
		page.sketched.Go(func() error {
			for _, c := range some {
				if err := w.sketchOne(ctx, c); err != nil {
					if ctx.Err() != nil {
						return err
					}
					c.failed = err.Error()
				}
				c.Facts = "" // only what is rehearsed is kept
			}
			return nil
		})
	}
}

func (w *whatIf) sketchOne(ctx context.Context, c *whatIfClosure) error {
	facts, err := billing.ParseFacts(c.Facts)
	if err != nil {
		return err
	}
	c.facts = w.draft.Under(facts)
	for i := range c.facts.Contracts {
		v := &c.facts.Contracts[i]
		if v.Terms != nil {
			continue // the draft
		}
		if v.Terms, err = w.store.terms.load(ctx, w.store.pool, v.Contract, v.Revision, v.Digest); err != nil {
			return err
		}
	}
	if w.bands {
		if err := w.recut(&c.facts); err != nil {
			return err
		}
	}
	c.wants, c.decision, err = billing.Sketch(c.facts)
	return err
}

// recut cuts the work where the versions under which it is rated now begin and end, and where their
// bands do, as a closing does.
func (w *whatIf) recut(f *billing.Facts) error {
	cuts, err := newCutter(w.zone, f.Contracts)
	if err != nil {
		return err
	}
	for i := range f.Work {
		k := &f.Work[i]
		if k.Segments, err = cuts.segments(workRow{StartedAt: k.StartedAt, MS: k.MS, Unstarted: k.Unstarted}); err != nil {
			return fmt.Errorf("work entry %d: %w", k.ID, err)
		}
	}
	return nil
}
