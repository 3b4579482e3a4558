package postgres

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/shopspring/decimal"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/sla"
	"github.com/docket-psa/docket/ticket"
)

// rerating is held work as another contract of the client rates it.
type rerating struct {
	facts    billing.Facts
	decision billing.Decision
	held     billing.Hold
	back     returning
	closed   adjuster
}

// planRerating rates the held work under the named contract alone, by its terms at the time of the work. What the hold
// reserves counts as given back. What comes out posts, or asks for what that contract asks for.
func (s *Store) planRerating(ctx context.Context, t *tx, d *settling, held billing.Hold, r billing.Ruling, contract string) (*planned, string, error) {
	a := rerating{held: held}
	rows, refusal := d.versionsOf(held, contract)
	if refusal != "" {
		return nil, refusal, nil
	}
	var err error
	if a.facts, err = s.factsAnew(ctx, t, d, held, rows); err != nil {
		return nil, "", err
	}
	a.facts.Rerating.Contract, a.facts.Rerating.By, a.facts.Rerating.ConfirmedBy, a.facts.Rerating.Reason = contract, r.By, r.ConfirmedBy, r.Reason
	if a.closed, err = s.adjuster(ctx, t.conn, d.ticket, d.versions); err != nil {
		return nil, "", err
	}
	also := slices.Concat(a.closed.keys(datesOf(a.facts)...), a.closed.keysOf(held.Charges))
	if a.back, err = s.lockAnew(ctx, t, d, rows, also, &a.facts); err != nil {
		return nil, "", err
	}
	if a.decision, err = billing.Decide(a.facts); err != nil {
		return nil, "", ticket.Invalid("contract", contract, "cannot rate it: "+err.Error(), "rule otherwise, or correct the contract")
	}
	if slices.ContainsFunc(a.decision.Holds, func(h billing.Hold) bool { return h.Reason == billing.NoContract }) {
		return nil, fmt.Sprintf("%s was not in force when this was done, so it cannot rate %s", contract, ticket.HoldID(d.hold)), nil
	}
	p := &planned{action: r.Action, currency: held.Currency, measure: held.Amount}
	for _, total := range a.decision.Totals() {
		if total.Currency == held.Currency { // what bills in another currency makes up for nothing that can be compared
			p.measure = p.measure.Sub(total.Posted).Sub(total.Held)
		}
	}
	p.measure = decimal.Max(p.measure, decimal.Zero)
	p.apply = func(b *pgx.Batch) (billing.Settlement, error) { return s.postAnew(ctx, t, b, d, r, a) }
	return p, "", nil
}

// versionsOf gives the versions of the named contract, or says why it cannot rate the hold.
func (d *settling) versionsOf(held billing.Hold, contract string) ([]versionRow, string) {
	var rows []versionRow
	var others []string
	for _, v := range d.versions {
		switch {
		case v.Contract == contract:
			rows = append(rows, v)
		case v.Contract != held.Contract && !slices.Contains(others, v.Contract):
			others = append(others, v.Contract)
		}
	}
	possible := "it has no other"
	if len(others) > 0 {
		possible = "possible: " + strings.Join(others, ", ")
	}
	switch {
	case len(rows) == 0:
		return nil, fmt.Sprintf("%s is no contract of %s; %s", contract, d.ticket.ClientID, possible)
	case contract == held.Contract:
		return nil, fmt.Sprintf("%s is quoted under %s already; %s", ticket.HoldID(d.hold), contract, possible)
	}
	return rows, ""
}

// factsAnew are the facts of the held part of a closure: the ticket as it closed, the work that the hold's charges stand
// for, its items and events. A promise of the SLA is the closing's own matter, and a price of the ticket that stands is not
// asked for twice.
func (s *Store) factsAnew(ctx context.Context, t *tx, d *settling, held billing.Hold, rows []versionRow) (billing.Facts, error) {
	var (
		stored string
		billed bool
		bought int
		taken  decimal.Decimal // of what the client agreed to before the work
	)
	b := t.batch()
	b.Queue("select facts from closures where id = $1", *d.found.ClosureID).Query(one(&stored))
	b.Queue(`
select exists (select from charges c where c.ticket = $1 and (c.kind = 'per-ticket' or (c.kind = 'usage' and c.key like '%/closure'))
  and not exists (select from charges r where r.reverses = c.id))`, d.ticket.Number).Query(one(&billed))
	b.Queue("select coalesce(-min(provisional), 0)::int from blocks where closure_id = $1", *d.found.ClosureID).Query(one(&bought))
	b.Queue(`
select coalesce((select sum(amount) from charges where ticket = $1 and round = $2 and currency = $3 and kind not in ('credit', 'correction') and adjusts is null), 0)
  + coalesce((select sum(amount) from holds where ticket = $1 and round = $2 and currency = $3 and state = 'open' and kind = 'sign-off' and id <> $4), 0)`,
		d.ticket.Number, d.found.Round, d.ticket.ApprovedCurrency, d.hold).Query(one(&taken))
	if err := t.send(ctx, b); err != nil {
		return billing.Facts{}, err
	}
	f, err := billing.ParseFacts(stored)
	if err != nil {
		return f, fmt.Errorf("read the facts of closure %d: %w", *d.found.ClosureID, err)
	}
	f.Rules, f.Blocks, f.Counters, f.Past, f.Ticket.SLA = billing.Rules, nil, nil, nil, nil
	f.Ticket.Approved = decimal.Max(f.Ticket.Approved.Sub(taken), decimal.Zero)
	f.Ticket.TicketBilled = f.Ticket.TicketBilled || billed
	f.Rerating = &billing.Rerating{Hold: d.hold, Bought: bought}
	if f.Ticket.Project, err = projectOf(ctx, t.conn, d.ticket.ProjectID); err != nil {
		return f, err
	}
	f.Work = heldWork(f.Work, held.Charges)
	of := func(name string) bool {
		return slices.ContainsFunc(held.Charges, func(c billing.Charge) bool { return c.Item == name })
	}
	f.Items = slices.DeleteFunc(f.Items, func(i billing.Item) bool { return !of(fmt.Sprintf("item-%d", i.ID)) })
	f.Events = slices.DeleteFunc(f.Events, func(e billing.Event) bool { return !of(fmt.Sprintf("event-%d", e.ID)) })

	from, to := f.Ticket.ResolvedAt, f.Ticket.ResolvedAt
	for _, w := range f.Work {
		if w.StartedAt.Before(from) {
			from = w.StartedAt
		}
		if end := w.StartedAt.Add(time.Duration(w.MS) * time.Millisecond); end.After(to) {
			to = end
		}
	}
	if f.Contracts, err = s.versions(ctx, t.conn, rows, from, to); err != nil {
		return f, err
	}
	zone, err := sla.Zone(d.ticket.TimeZone)
	if err != nil {
		return f, fmt.Errorf("client %s: %w", d.ticket.ClientID, err)
	}
	cuts, err := newCutter(zone, f.Contracts)
	if err != nil {
		return f, err
	}
	for i := range f.Work {
		w := &f.Work[i]
		if w.Segments, err = cuts.segments(workRow{StartedAt: w.StartedAt, MS: w.MS, Unstarted: w.Unstarted}); err != nil {
			return f, fmt.Errorf("work entry %d: %w", w.ID, err)
		}
	}
	f.Past, err = s.past(ctx, t.conn, d.ticket, f.Contracts, f.Ticket.ResolvedAt)
	return f, err
}

// heldWork gives the parts of the entries that the charges stand for, each as an entry of its own.
func heldWork(work []billing.Work, charges []billing.Charge) []billing.Work {
	spans := map[int64][]billing.Span{}
	for _, c := range charges {
		for _, s := range c.Spans {
			spans[s.Work] = append(spans[s.Work], s)
		}
	}
	parts := []billing.Work{}
	for _, w := range work {
		for _, s := range joinSpans(spans[w.ID]) {
			part := w
			part.StartedAt = w.StartedAt.Add(time.Duration(s.From-w.Offset) * time.Millisecond)
			part.Offset, part.MS = s.From, s.To-s.From
			if part.Elsewhere != nil && part.MS != w.MS {
				part.Elsewhere = nil // nobody has measured how much of the part it overlaps
			}
			parts = append(parts, part)
		}
	}
	return parts
}

// joinSpans joins what follows on each other.
func joinSpans(spans []billing.Span) []billing.Span {
	slices.SortFunc(spans, func(a, b billing.Span) int { return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To)) })
	var joined []billing.Span
	for _, s := range spans {
		if n := len(joined); n > 0 && joined[n-1].To == s.From {
			joined[n-1].To = s.To
			continue
		}
		joined = append(joined, s)
	}
	return joined
}

// lockAnew locks at once what the hold gives back and what the other contract may take, in the order of every transaction
// of money: counters by key, then blocks by id. The facts get both as they stand once the hold has given back.
func (s *Store) lockAnew(ctx context.Context, t *tx, d *settling, rows []versionRow, also []string, f *billing.Facts) (r returning, err error) {
	wants := billing.Want(*f)
	goes, err := gather(ctx, t.conn, nil, []waiting{d.found}, slices.Concat(also, wants.Counters))
	if err != nil {
		return r, err
	}
	r = returning{blocks: shelf{}, bought: goes.bought}
	contracts := slices.Clone(wants.Blocks)
	for _, w := range wants.Buckets {
		contracts = append(contracts, w.Contract)
	}
	look := func(b *pgx.Batch) {
		r.blocks.queue(b, goes.where()+" or b.contract_id = any ($3)", slices.Sorted(maps.Keys(goes.blocks)), goes.lent, sortedKeys(contracts))
	}
	var stock stocks
	if len(wants.Buckets) > 0 {
		if stock, err = s.stocks(ctx, t.conn, d.ticket.ClientID, rows, wants.Buckets); err != nil {
			return r, err
		}
	}
	b := t.batch()
	goes.queueCounters(b, d.ticket.ClientID, &r.counters)
	look(b)
	if err := t.send(ctx, b); err != nil {
		return r, err
	}
	if err := stock.fill(ctx, t, r.blocks, f.Ticket.ResolvedAt, look); err != nil {
		return r, err
	}
	content, err := d.found.content()
	if err != nil {
		return r, err
	}
	for _, c := range r.counters {
		if !slices.Contains(wants.Counters, c.Key) {
			continue
		}
		for _, charge := range content.Charges {
			for _, n := range charge.Counts {
				if n.Key == c.Key {
					c.Value = c.Value.Sub(n.Quantity)
				}
			}
		}
		f.Counters = append(f.Counters, c)
	}
	return r, r.blocks.facts(wants, f)
}

// postAnew posts what the other contract made of the held work: it ends the hold, and what must be asked opens holds of
// its own.
func (s *Store) postAnew(ctx context.Context, t *tx, b *pgx.Batch, d *settling, r billing.Ruling, a rerating) (billing.Settlement, error) {
	p := posting{ticket: d.ticket, closure: *d.found.ClosureID, round: d.found.Round, hold: d.hold, at: d.at, bodies: true}
	if err := p.readGenerations(ctx, t.conn); err != nil {
		return billing.Settlement{}, err
	}
	corrections, err := s.release(ctx, t, billing.Undo(a.back.counters), d.found, nil)
	if err != nil {
		return billing.Settlement{}, err
	}
	charges := slices.Concat(a.decision.Charges, corrections)
	ids, err := s.charges.take(ctx, t.conn, len(charges))
	if err != nil {
		return billing.Settlement{}, err
	}
	holdIDs, err := s.holds.take(ctx, t.conn, len(a.decision.Holds))
	if err != nil {
		return billing.Settlement{}, err
	}
	p.bought = maps.Clone(a.back.bought)
	bought, err := p.buy(ctx, t, a.decision.Grants, a.back.blocks)
	if err != nil {
		return billing.Settlement{}, err
	}
	maps.Copy(p.bought, bought)
	posted, err := p.place(ctx, t, charges, ids, &d.invoices)
	if err != nil {
		return billing.Settlement{}, err
	}

	var moves moves
	reserves := slices.Clone(a.held.Charges)
	for _, c := range a.held.Charges {
		p.reserve(b, d.hold, c, -1, &moves)
	}
	for i, h := range a.decision.Holds {
		quote, err := p.openHold(b, holdIDs[i], h, d.found.RequestedBy, &moves)
		if err != nil {
			return billing.Settlement{}, err
		}
		d.opened, reserves = append(d.opened, quote), append(reserves, h.Charges...)
	}
	if err := p.charges(b, charges, ids, &moves); err != nil {
		return billing.Settlement{}, err
	}
	says := fmt.Sprintf("%s: rated under %s by %s", ticket.HoldID(d.hold), a.facts.Rerating.Contract, cmp.Or(d.people[r.By].Name, r.By))
	if r.ConfirmedBy != "" {
		says += ", confirmed by " + cmp.Or(d.people[r.ConfirmedBy].Name, r.ConfirmedBy)
	}
	for _, q := range d.opened {
		says += fmt.Sprintf("; %s waits: %s", ticket.HoldID(q.Hold), q.Says)
	}
	d.decide(b, "settled", string(r.Action), says)
	d.queueStage(b)
	if err := s.queueRerating(b, d, a); err != nil {
		return billing.Settlement{}, err
	}
	if err := a.back.giveBack(ctx, t, b, &moves, d.at); err != nil {
		return billing.Settlement{}, err
	}
	p.repay(b, &moves, a.facts, a.decision, a.back.blocks)
	if err := moves.queue(b, a.back.blocks, d.at); err != nil {
		return billing.Settlement{}, err
	}
	p.lines(b, charges, posted)
	late := lateness{posting: p, because: string(d.ticket.id()), charges: charges, reserves: reserves, moves: &moves, invoices: &d.invoices}
	if err := s.adjustPeriods(ctx, t, b, a.closed, late); err != nil {
		return billing.Settlement{}, err
	}
	return billing.Settlement{Outcome: billing.Settled, Says: says, Posted: posted}, nil
}

// queueRerating keeps what was rated and from what, as a closure does.
func (s *Store) queueRerating(b *pgx.Batch, d *settling, a rerating) error {
	facts, err := billing.Canonical(a.facts)
	if err != nil {
		return fmt.Errorf("encode the facts of the ruling on %s: %w", ticket.HoldID(d.hold), err)
	}
	decision, err := billing.Canonical(a.decision)
	if err != nil {
		return fmt.Errorf("encode the decision on %s: %w", ticket.HoldID(d.hold), err)
	}
	b.Queue(`insert into reratings (hold_id, closure_id, client_id, facts, decision, digest, recorded_at) values ($1, $2, $3, $4, $5, $6, $7)`,
		d.hold, *d.found.ClosureID, d.ticket.ClientID, string(facts), string(decision), billing.DigestOf(decision), s.now())
	return nil
}
