package postgres

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/shopspring/decimal"

	"github.com/docket-psa/docket/billing"
)

// What is compared beside closures: the fees, minimums and true-ups of the billing periods that begin in
// the period asked about, of the contract that the draft replaces and of the draft. What was is what runs
// of those periods posted, with their adjustments; a run that is due and was not made, or that waits for a
// person, counts as held. What would be is what the draft's runs decide, from the client's device counts and
// from what the rehearsed closures bill.

// billedOn sums what rehearsed closures bill towards a minimum, by contract, local date and currency.
type billedOn map[billedKey]decimal.Decimal

type billedKey struct{ contract, date, currency string }

// add counts a charge as the books do: without credits and true-ups, and a reversal as what it undoes.
func (b billedOn) add(c *billing.Charge) {
	of := strings.TrimPrefix(c.Key, "reversal/")
	for _, kind := range []billing.ChargeKind{billing.Credit, billing.TrueUp} {
		if strings.HasPrefix(of, string(kind)+"/") {
			return
		}
	}
	key := billedKey{c.Contract, c.Date, c.Currency}
	b[key] = b[key].Add(c.Amount)
}

// periods compares the billing periods. It comes after the closures.
func (w *whatIf) periods(ctx context.Context) error {
	var was []agreement
	if w.draft.InsteadOf != "" {
		var err error
		if was, err = w.store.agreements(ctx, w.tx, w.client, w.draft.InsteadOf); err != nil {
			return err
		}
	}
	made, err := w.readRuns(ctx)
	if err != nil {
		return err
	}
	found := map[billing.Period]*billing.Comparison{}
	at := func(p billing.Period) *billing.Comparison {
		if found[p] == nil {
			found[p] = new(billing.Comparison)
		}
		return found[p]
	}
	unmade := map[billing.DueRun]bool{}
	for i := range was {
		if err := w.runsThatWere(ctx, &was[i], made, unmade, at); err != nil {
			return err
		}
	}
	if err := w.runsThatWouldBe(ctx, was, made, unmade, at); err != nil {
		return err
	}
	for p, sums := range found {
		if len(*sums) == 0 {
			continue
		}
		w.billing = append(w.billing, billing.WhatIfPeriod{Period: p, Totals: sums.Totals(), Clauses: sums.Sorted()})
		for _, c := range *sums {
			w.sums.Add(c.Contract, c.Clause, c.Difference)
		}
	}
	slices.SortFunc(w.billing, func(a, b billing.WhatIfPeriod) int {
		return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.End, b.End))
	})
	return nil
}

// madeRun is a run that was made, with what it posted or waits to post.
type madeRun struct {
	draft   bool
	charges []billing.Charge
}

// readRuns reads the runs of the contract that the draft replaces, for periods that begin in the period
// asked about. Adjustments belong to the closing.
func (w *whatIf) readRuns(ctx context.Context) (map[billing.DueRun]*madeRun, error) {
	rows, err := collect[struct {
		ID       int64
		Run      billing.PeriodRun
		Start    string
		End      string
		State    billing.PostingState
		Decision string
	}](ctx, w.tx, "runs of periods", `
		select id, kind, period_start::text, period_end::text, state, decision from postings
		where contract_id = $1 and kind in ('opening', 'closing', 'adjusting') and state <> 'void' order by id`, w.draft.InsteadOf)
	if err != nil {
		return nil, err
	}
	made := map[billing.DueRun]*madeRun{}
	for _, r := range rows {
		run := billing.DueRun{Contract: w.draft.InsteadOf, Client: w.client, Run: r.Run, Period: billing.Period{Start: r.Start, End: r.End}}
		if r.Run == billing.Adjusting {
			run.Run = billing.Closing
		}
		charges, err := chargesOf(r.Decision)
		if err != nil {
			return nil, fmt.Errorf("posting %d: %w", r.ID, err)
		}
		if made[run] == nil {
			made[run] = &madeRun{draft: r.State == billing.PostingDraft}
		}
		made[run].charges = append(made[run].charges, charges...)
	}
	return made, nil
}

// inQuestion gives the agreement's periods that begin in the period asked about, with the runs that are
// due by now. A period that was over when the contract came on the books was billed elsewhere, unless one of
// its runs was made.
func (w *whatIf) inQuestion(a *agreement, known bool, made map[billing.DueRun]*madeRun) ([]agreedPeriod, [][]billing.PeriodRun, error) {
	today, err := a.today(w.store.now())
	if err != nil {
		return nil, nil, err
	}
	since := ""
	if known {
		if since, err = a.today(a.applied); err != nil {
			return nil, nil, err
		}
	}
	from, to := w.question.From.String(), w.question.To.String()
	var (
		found []agreedPeriod
		runs  [][]billing.PeriodRun
	)
	for _, p := range a.periods(from, to) {
		begins := p.begins()
		before := p.End <= since && made[billing.DueRun{Contract: a.contract, Client: w.client, Run: billing.Opening, Period: p.Period}] == nil &&
			made[billing.DueRun{Contract: a.contract, Client: w.client, Run: billing.Closing, Period: p.Period}] == nil
		if begins < from || begins >= to || before {
			continue
		}
		var due []billing.PeriodRun
		opens, closes := p.runs()
		if opens && begins <= today {
			due = append(due, billing.Opening)
		}
		if closes && p.End <= today {
			due = append(due, billing.Closing)
		}
		found, runs = append(found, p), append(runs, due)
	}
	return found, runs, nil
}

func (w *whatIf) runsThatWere(ctx context.Context, a *agreement, made map[billing.DueRun]*madeRun, unmade map[billing.DueRun]bool, at func(billing.Period) *billing.Comparison) error {
	periods, runs, err := w.inQuestion(a, true, made)
	if err != nil {
		return err
	}
	for i, p := range periods {
		var posted []billing.Charge // by runs that were not made
		for _, run := range runs[i] {
			due := billing.DueRun{Contract: a.contract, Client: w.client, Run: run, Period: p.Period}
			before, ok := made[due]
			if !ok {
				unmade[due] = true
				facts, err := periodFacts(ctx, w.tx, a, p, run, 1)
				if err != nil {
					return err
				}
				facts.Posted = append(facts.Posted, sumsOf(posted)...)
				if run != billing.Opening {
					addBilled(&facts, posted)
				}
				decision, err := billing.DecidePeriod(facts)
				if err != nil {
					return err
				}
				before = &madeRun{draft: true, charges: decision.Charges}
				posted = append(posted, decision.Charges...)
			}
			for j := range before.charges {
				at(p.Period).Was(&before.charges[j], before.draft)
			}
		}
	}
	return nil
}

// sumsOf sums charges of runs as later runs of the period hear of them.
func sumsOf(charges []billing.Charge) []billing.PeriodSum {
	var sums []billing.PeriodSum
	for _, c := range charges {
		if c.Key == billing.KeyTermination {
			continue
		}
		i := slices.IndexFunc(sums, func(s billing.PeriodSum) bool {
			return s.Kind == c.Kind && s.Clause == c.Clause && s.Currency == c.Currency
		})
		if i < 0 {
			i = len(sums)
			sums = append(sums, billing.PeriodSum{Kind: c.Kind, Clause: c.Clause, CurrencySum: billing.CurrencySum{Currency: c.Currency}})
		}
		sums[i].Amount, sums[i].Exact = sums[i].Amount.Add(c.Amount), sums[i].Exact.Add(c.Exact)
	}
	return sums
}

// agreementsThatWouldBe gives the draft among the versions of its contract and, of another one that it
// replaces, what is left.
func (w *whatIf) agreementsThatWouldBe(was []agreement) []agreement {
	day := w.draft.Terms.EffectiveFrom()
	until := w.draft.Terms.EffectiveTo()
	would := agreement{contract: w.draft.Contract, client: w.client}
	var left []agreement
	for _, a := range was {
		rest := a
		rest.versions = nil
		for _, v := range a.versions {
			switch {
			case v.From < day:
				if v.Until == "" || v.Until > day {
					v.Until = day
				}
				rest.versions = append(rest.versions, v)
			case a.contract == w.draft.Contract && v.From > day: // a later revision stays in force
				if until == "" || v.From < until {
					until = min(cmp.Or(until, v.From), v.From)
				}
				rest.versions = append(rest.versions, v)
			}
		}
		if a.contract == w.draft.Contract {
			would = rest
		} else if len(rest.versions) > 0 {
			left = append(left, rest)
		}
	}
	would.versions = append(would.versions, billing.DatedVersion{Revision: w.draft.Revision, Digest: w.draft.Digest, From: day, Until: until, Terms: w.draft.Terms})
	slices.SortFunc(would.versions, func(a, b billing.DatedVersion) int { return cmp.Compare(a.From, b.From) })
	return append(left, would)
}

func (w *whatIf) runsThatWouldBe(ctx context.Context, was []agreement, made map[billing.DueRun]*madeRun, unmade map[billing.DueRun]bool, at func(billing.Period) *billing.Comparison) error {
	for _, a := range w.agreementsThatWouldBe(was) {
		known := !a.applied.IsZero()
		periods, runs, err := w.inQuestion(&a, known, made)
		if err != nil {
			return err
		}
		var highest []billing.Counted
		for i, p := range periods {
			chain := periodChain{highest: &highest, first: i == 0}
			for _, run := range runs[i] {
				facts, err := w.periodFacts(ctx, &a, p, run, &chain)
				if err != nil {
					return err
				}
				decision, err := billing.DecidePeriod(facts)
				if err != nil {
					return fmt.Errorf("%s of %s: %w", run, p.Period, err)
				}
				if says := decision.Waits(); says != "" {
					w.note("The %s would wait, and bills nothing here: %s", billing.DueRun{Contract: a.contract, Run: run, Period: p.Period}, says)
				}
				chain.follow(decision)
				waits := decision.Draft() != "" || unmade[billing.DueRun{Contract: w.draft.InsteadOf, Client: w.client, Run: run, Period: p.Period}]
				for j := range decision.Charges {
					at(p.Period).Would(&decision.Charges[j], waits)
				}
			}
		}
	}
	return nil
}

// periodChain is what the runs of a period that would have been made hand on.
type periodChain struct {
	posted  []billing.Charge
	counted []billing.Counted
	highest *[]billing.Counted // of this period and those before
	first   bool               // of the periods in question
}

func (c *periodChain) follow(d billing.PeriodDecision) {
	c.posted, c.counted = append(c.posted, d.Charges...), append(c.counted, d.Counted...)
	*c.highest = highest(*c.highest, d.Counted)
}

// periodFacts builds what a run under the draft would know.
func (w *whatIf) periodFacts(ctx context.Context, a *agreement, p agreedPeriod, run billing.PeriodRun, chain *periodChain) (billing.PeriodFacts, error) {
	f := billing.PeriodFacts{Rules: billing.Rules, Run: run, N: 1, Contract: a.contract, Client: a.client, Period: p.Period, Versions: p.versions}
	var counts, keeps bool
	for _, v := range p.versions {
		counts, keeps = counts || v.Terms.Counts(), keeps || v.Terms.KeepsHighest()
	}
	b := &pgx.Batch{}
	queueCounted(b, &f, counts, keeps)
	if err := w.tx.SendBatch(ctx, b).Close(); err != nil {
		return f, fmt.Errorf("read the counts of %s: %w", p.Period, err)
	}
	if chain.first && run == billing.Opening {
		*chain.highest = highest(*chain.highest, f.Highest) // what the books have kept until now
	}
	f.Counted, f.Highest = chain.counted, slices.Clone(*chain.highest)
	f.Posted = sumsOf(chain.posted)
	if run != billing.Opening {
		if err := w.billed(ctx, &f, chain.posted); err != nil {
			return f, err
		}
	}
	for _, key := range billing.WantPeriod(f) {
		if strings.HasPrefix(key, billing.CountsCommitment) {
			continue
		}
		value, err := w.counterAtEnd(ctx, key)
		if err != nil {
			return f, err
		}
		f.Counters = append(f.Counters, billing.Counter{Key: key, Value: value})
	}
	return f, nil
}

// billed sums what would bill towards a minimum: by the rehearsed closures, by the period's runs, and by
// what the books have from closures that were not rehearsed, by their date of service.
func (w *whatIf) billed(ctx context.Context, f *billing.PeriodFacts, posted []billing.Charge) error {
	from, until := billedDays(*f)
	of := f.Contract
	if of == w.draft.Contract && w.draft.InsteadOf != "" {
		of = w.draft.InsteadOf
	}
	rows, err := collect[billing.CurrencySum](ctx, w.tx, "what was billed", `
		select c.currency, sum(c.amount) from charges c left join charges o on o.id = c.reverses
			left join closures cl on cl.id = c.closure_id left join postings p on p.id = c.posting_id
		where c.contract_id = $1 and c.service_date >= $2::text::date and c.service_date < $3::text::date
			and coalesce(o.kind, c.kind) not in ('credit', 'true-up') and c.key <> $6 and c.adjusts is null
			and (cl.closed_at < $4 or cl.closed_at >= $5 or p.kind not in ('opening', 'closing', 'adjusting'))
		group by 1 order by 1`, of, from, until, w.from, w.to, billing.KeyTermination)
	if err != nil {
		return err
	}
	f.Billed = rows
	for key, amount := range w.billedBy {
		if key.contract == f.Contract && key.date >= from && key.date < until {
			addTo(f, key.currency, amount)
		}
	}
	addBilled(f, posted)
	return nil
}

// addBilled adds what runs of the period would have posted by now.
func addBilled(f *billing.PeriodFacts, posted []billing.Charge) {
	from, until := billedDays(*f)
	for i := range posted {
		if c := &posted[i]; c.Kind != billing.TrueUp && c.Kind != billing.Credit && c.Key != billing.KeyTermination && c.Date >= from && c.Date < until {
			addTo(f, c.Currency, c.Amount)
		}
	}
	f.Billed = slices.DeleteFunc(f.Billed, func(s billing.CurrencySum) bool { return s.Amount.IsZero() })
	slices.SortFunc(f.Billed, func(a, b billing.CurrencySum) int { return cmp.Compare(a.Currency, b.Currency) })
}

func addTo(f *billing.PeriodFacts, currency string, amount decimal.Decimal) {
	i := slices.IndexFunc(f.Billed, func(s billing.CurrencySum) bool { return s.Currency == currency })
	if i < 0 {
		i = len(f.Billed)
		f.Billed = append(f.Billed, billing.CurrencySum{Currency: currency})
	}
	f.Billed[i].Amount = f.Billed[i].Amount.Add(amount)
}

// counterAtEnd is where a counter would stand after the rehearsal. One that no closure wanted moved by
// what happened beside them alone.
func (w *whatIf) counterAtEnd(ctx context.Context, key string) (value decimal.Decimal, err error) {
	if value, ok := w.rehearsal.Stands(key); ok {
		return value, nil
	}
	err = w.tx.QueryRow(ctx, `
		select coalesce((select sum(quantity) from counter_moves where counter = $1 and at < $2), 0)
			+ coalesce((select sum(m.quantity) from counter_moves m `+beside+` and m.counter = $1), 0)`, key, w.from).Scan(&value)
	if err != nil {
		return value, fmt.Errorf("read counter %s: %w", key, err)
	}
	return value, nil
}
