package postgres

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/sla"
	"github.com/docket-psa/docket/ticket"
)

// WhatIfQuestion asks what the closures of a period would have come to under a contract that is
// not in force.
type WhatIfQuestion struct {
	Document  []byte        // of the draft
	Client    string        // whose closures; empty: the draft's
	InsteadOf string        // another contract that the draft replaces; empty: earlier revisions of its own, if there are
	From      sla.LocalDate // in the client's zone, by the closing; zero: from the draft's first date
	To        sla.LocalDate // exclusive; zero: until now
	Detail    ticket.ID     // the ticket whose charges are wanted, on both sides; empty: none
}

// WhatIf rates the client's closures of a period again, as if the draft had been in force, and hands
// each comparison to each, in the order in which they come to their end. It gives the sums.
//
// It reads one snapshot and writes nothing. What was is what posted for these closures, with all
// reversals that there are, and what still waits. What would be is a rehearsal in the order of the
// closings: each closure is decided from its stored facts with the draft among the other contracts
// that they name; a hold that a person really decided is settled by the same word, where it would
// have been asked; a closure that was undone since is undone, then as now. Counters and blocks begin where the
// real ones stood at the period's begin, and move with the rehearsal, which goes on after the period as
// long as a word or a reopening of one of its closures is to come.
//
// Returns billing.Problems (the draft) or *ticket.Problems (what it names).
func (s *Store) WhatIf(ctx context.Context, q WhatIfQuestion, each func(billing.WhatIfTicket) error) (billing.WhatIf, error) {
	var found billing.WhatIf
	err := pgx.BeginTxFunc(ctx, s.pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(t pgx.Tx) error {
		// Whoever reads what each gives may take his time.
		if _, err := t.Exec(ctx, "set local idle_in_transaction_session_timeout = 0"); err != nil {
			return err
		}
		w := &whatIf{store: s, tx: t, question: q, each: each, rehearsal: billing.NewRehearsal(), told: map[string]bool{}, billedBy: billedOn{}}
		if err := w.prepare(ctx); err != nil {
			return err
		}
		if err := w.run(ctx); err != nil {
			return err
		}
		if err := w.periods(ctx); err != nil {
			return err
		}
		found = w.result()
		return nil
	})
	if err != nil {
		return billing.WhatIf{}, fmt.Errorf("what if: %w", err)
	}
	return found, nil
}

// whatIf carries one question through its steps.
type whatIf struct {
	store    *Store
	tx       pgx.Tx
	question WhatIfQuestion
	each     func(billing.WhatIfTicket) error

	client   string
	draft    billing.Draft
	zone     *time.Location // of the client
	from, to time.Time      // of the closings, half-open
	until    time.Time      // closings before it are rehearsed: something that happened to one of the period's depends on them
	bands    bool           // the draft prices parts of the week apart
	notes    []string
	told     map[string]bool // counters and, by "blocks/CONTRACT", blocks that the rehearsal has been told of
	reading  sync.Mutex      // held by whoever uses tx: pages are read ahead, and a closing may hear of one more counter

	rehearsal *billing.Rehearsal
	later     happenings
	sums      billing.Comparison
	billedBy  billedOn
	billing   []billing.WhatIfPeriod
	closures  int
	changed   int
	failed    int
}

// prepare reads the draft and where it would stand among the contracts.
func (w *whatIf) prepare(ctx context.Context) error {
	c, err := billing.ParseContract(w.question.Document)
	if err != nil {
		return err
	}
	terms, err := c.Compile()
	if err != nil {
		return err
	}
	if w.question.Client != "" && w.question.Client != c.Client {
		return ticket.Invalid("client", w.question.Client, "is not whose contract this is: the draft is "+c.Client+"'s", "write the client's id into the draft")
	}
	w.client = c.Client
	var zone string
	err = w.tx.QueryRow(ctx, "select time_zone from clients where id = $1", w.client).Scan(&zone)
	if errors.Is(err, pgx.ErrNoRows) {
		return ticket.Invalid("client", w.client, "is not known", "`docket client list` shows the clients")
	}
	if err != nil {
		return fmt.Errorf("read client %s: %w", w.client, err)
	}
	if w.zone, err = sla.Zone(zone); err != nil {
		return fmt.Errorf("client %s: %w", w.client, err)
	}
	if err := w.place(ctx, terms); err != nil {
		return err
	}
	return w.period()
}

// place finds which versions the draft would replace, and until when it would be in force.
func (w *whatIf) place(ctx context.Context, terms *billing.Terms) error {
	c := terms.Contract()
	rows, err := collect[struct {
		Contract string
		Client   string
		Revision int
		From     string
	}](ctx, w.tx, "contracts", `
		select c.id, c.client_id, v.revision, v.effective_from::text
		from contracts c join contract_versions v on v.contract_id = c.id where c.id = any ($1) order by v.effective_from, v.revision`,
		[]string{c.ID, w.question.InsteadOf})
	if err != nil {
		return err
	}
	w.draft = billing.Draft{Version: billing.Version{
		Contract: c.ID, Revision: 1, Digest: terms.Digest(), Terms: terms, From: terms.Begins().UTC(), Until: terms.Ends().UTC(),
	}}
	if terms.Ends().IsZero() {
		w.draft.Until = time.Time{}
	}
	for _, row := range rows {
		if row.Client != w.client {
			field := "contract"
			if row.Contract != c.ID {
				field = "instead_of"
			}
			return ticket.Invalid(field, row.Contract, "is "+row.Client+"'s contract", "name one of "+w.client+"'s; `docket contract list --client "+w.client+"` shows them")
		}
		if row.Contract != c.ID {
			w.draft.InsteadOf = row.Contract
			continue
		}
		w.draft.Revision = max(w.draft.Revision, row.Revision+1)
		if w.question.InsteadOf == "" || w.question.InsteadOf == c.ID {
			w.draft.InsteadOf = c.ID
		}
	}
	if w.question.InsteadOf != "" && w.draft.InsteadOf != w.question.InsteadOf {
		return ticket.Invalid("instead_of", w.question.InsteadOf, "is not known", "`docket contract list --client "+w.client+"` shows the client's contracts")
	}
	if w.draft.InsteadOf != c.ID {
		return nil
	}
	// A version ends where the next one begins, so a revision that begins later stays in force.
	own, err := w.store.agreements(ctx, w.tx, w.client, c.ID)
	if err != nil {
		return err
	}
	for _, v := range own[0].versions {
		if v.From <= c.EffectiveFrom {
			continue
		}
		later := billing.Version{
			Contract: c.ID, Revision: v.Revision, Digest: v.Digest, Terms: v.Terms, From: v.Terms.Begins().UTC(), Until: v.Terms.Ends(),
		}
		before := &w.draft.Version
		if n := len(w.draft.Later); n > 0 {
			before = &w.draft.Later[n-1]
		} else if w.draft.Until.IsZero() || later.From.Before(w.draft.Until) {
			w.note("From %s revision %d of %s governs, as it would if the draft were applied: a version ends where the next one begins.", v.From, v.Revision, c.ID)
		}
		if before.Until.IsZero() || later.From.Before(before.Until) {
			before.Until = later.From
		}
		w.draft.Later = append(w.draft.Later, later)
	}
	return nil
}

func (w *whatIf) period() error {
	c := w.draft.Terms.Contract()
	from, to := w.question.From, w.question.To
	var err error
	if from.IsZero() {
		if from, err = sla.ParseDate(c.EffectiveFrom); err != nil {
			return fmt.Errorf("contract %s: %w", c.ID, err)
		}
	}
	if to.IsZero() {
		to = sla.DateAt(w.store.now(), w.zone).AddDays(1)
	}
	if from.Compare(to) >= 0 {
		return ticket.Invalid("to", to, "is not after --from "+from.String(), "give the first date after the period")
	}
	w.question.From, w.question.To = from, to
	w.from, w.to = from.StartIn(w.zone).UTC(), to.StartIn(w.zone).UTC()
	w.until = w.to
	w.bands = len(w.draft.Terms.Bands()) > 0
	if w.draft.From.After(w.from) {
		w.note("The draft begins on %s: work before that is rated as it was.", c.EffectiveFrom)
	}
	return nil
}

func (w *whatIf) note(format string, args ...any) {
	w.notes = append(w.notes, fmt.Sprintf(format, args...))
}

func (w *whatIf) result() billing.WhatIf {
	return billing.WhatIf{
		Client: w.client, Contract: w.draft.Contract, Revision: w.draft.Revision, InsteadOf: w.draft.InsteadOf,
		From: w.question.From.String(), To: w.question.To.String(), Closures: w.closures, Changed: w.changed, Failed: w.failed,
		Totals: w.sums.Totals(), Clauses: w.sums.Sorted(), Periods: append([]billing.WhatIfPeriod{}, w.billing...),
		Notes: append([]string{}, w.notes...),
	}
}

// run reads page after page, sketches each on all processors while the next one is read, and
// rehearses them one after the other: counters and blocks go by the order of closing. What is in
// memory is two or three pages, however long the period is, and what a later word changes.
func (w *whatIf) run(ctx context.Context) error {
	if _, err := w.tx.Exec(ctx, byKeys); err != nil {
		return err
	}
	g, both := errgroup.WithContext(ctx)
	pages := make(chan *whatIfPage)
	g.Go(func() error {
		defer close(pages)
		return w.read(both, pages)
	})
	g.Go(func() error {
		for page := range pages {
			if err := w.rehearse(both, page); err != nil {
				return err
			}
		}
		return w.finish()
	})
	if err := g.Wait(); err != nil {
		return err
	}
	_, err := w.tx.Exec(ctx, byStatistics)
	return err
}

func (w *whatIf) read(ctx context.Context, pages chan<- *whatIfPage) error {
	pass := func(page *whatIfPage) error {
		if page == nil {
			return nil
		}
		if err := page.sketched.Wait(); err != nil {
			return err
		}
		if err := w.tell(ctx, page); err != nil {
			return err
		}
		select {
		case pages <- page:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	var before *whatIfPage
	for {
		page, err := w.next(ctx, before)
		if err != nil {
			return err
		}
		if page != nil {
			w.sketch(ctx, page)
		}
		if err := pass(before); err != nil {
			return err
		}
		if page == nil {
			return nil
		}
		before = page
	}
}

// detailed says whether the closure's charges are wanted.
func (w *whatIf) detailed(c *whatIfClosure) bool {
	return w.question.Detail != "" && w.question.Detail == ticket.NewID(c.Ticket)
}
