package postgres

import (
	"context"
	"slices"

	"github.com/docket-psa/docket/billing"
)

// LookAtPeriods tells what runs would do, one after the other, and does nothing: it takes no lock and writes no row. A run
// sees what those before it would have posted.
func (s *Store) LookAtPeriods(ctx context.Context, runs []billing.DueRun) ([]billing.PeriodReceipt, error) {
	return s.lookAtPeriods(ctx, s.pool, runs)
}

func (s *Store) lookAtPeriods(ctx context.Context, q querier, runs []billing.DueRun) ([]billing.PeriodReceipt, error) {
	receipts := make([]billing.PeriodReceipt, 0, len(runs))
	look := periodLook{}
	for _, run := range runs {
		a, p, err := s.agreedPeriod(ctx, q, run)
		if err != nil {
			return nil, err
		}
		r, _, err := look.at(ctx, q, a, p, run)
		if err != nil {
			return nil, err
		}
		receipts = append(receipts, r)
	}
	return receipts, nil
}

// periodLook is what runs that were looked at would have done, of which later ones know.
type periodLook struct {
	runs  map[string][]looked // by contract
	moves moves               // of counters
}

// looked is what one run would have posted.
type looked struct {
	period  billing.Period
	charges []billing.Charge
	counted []billing.Counted
}

// at tells what one run would do, and what it would charge.
func (l *periodLook) at(ctx context.Context, q querier, a *agreement, p agreedPeriod, run billing.DueRun) (r billing.PeriodReceipt, charges []billing.Charge, err error) {
	facts, err := periodFacts(ctx, q, a, p, run.Run, 1)
	if err != nil {
		return r, nil, err
	}
	l.addTo(&facts)
	decision, err := billing.DecidePeriod(facts)
	if err != nil {
		return r, nil, err
	}
	r = billing.PeriodReceipt{DueRun: run, N: 1, State: billing.PostingPosted, Notes: decision.Notes, Digest: decision.Digest(), Says: decision.Say(facts)}
	switch {
	case decision.Waits() != "":
		r.State, r.Says = billing.PostingWaiting, decision.Waits()
	case decision.Draft() != "":
		r.State = billing.PostingDraft
	}
	for _, c := range decision.Charges {
		r.Posted = append(r.Posted, billing.PostedLine{Kind: c.Kind, Clause: c.Clause, Text: c.Text, Amount: c.Amount, Currency: c.Currency})
	}
	if r.State != billing.PostingPosted { // nothing posts: a draft does when a person approves it
		return r, nil, nil
	}
	if l.runs == nil {
		l.runs = map[string][]looked{}
	}
	l.runs[run.Contract] = append(l.runs[run.Contract], looked{run.Period, decision.Charges, decision.Counted})
	for _, c := range decision.Charges {
		for _, n := range c.Counts {
			l.moves.count(n.Key, n.Quantity)
		}
	}
	return r, decision.Charges, nil
}

// addTo adds to the facts of a run what those before it would have posted.
func (l *periodLook) addTo(f *billing.PeriodFacts) {
	late := lateness{moves: &l.moves}
	for _, before := range l.runs[f.Contract] {
		if f.Run != billing.Opening {
			late.charges = append(late.charges, before.charges...)
		}
		if before.period != f.Period {
			f.Highest = highest(f.Highest, before.counted)
			continue
		}
		f.Counted = append(f.Counted, before.counted...)
		for _, c := range before.charges {
			i := slices.IndexFunc(f.Posted, func(s billing.PeriodSum) bool {
				return s.Kind == c.Kind && s.Clause == c.Clause && s.Currency == c.Currency
			})
			if i < 0 {
				i = len(f.Posted)
				f.Posted = append(f.Posted, billing.PeriodSum{Kind: c.Kind, Clause: c.Clause, CurrencySum: billing.CurrencySum{Currency: c.Currency}})
			}
			f.Posted[i].Amount, f.Posted[i].Exact = f.Posted[i].Amount.Add(c.Amount), f.Posted[i].Exact.Add(c.Exact)
		}
	}
	late.addTo(f)
}
