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
	seen := map[periodOf]looked{}
	for _, run := range runs {
		a, p, err := s.agreedPeriod(ctx, q, run)
		if err != nil {
			return nil, err
		}
		facts, err := periodFacts(ctx, q, a, p, run.Run, 1)
		if err != nil {
			return nil, err
		}
		before := seen[periodOf{run.Contract, run.Period}]
		before.addTo(&facts)
		decision, err := billing.DecidePeriod(facts)
		if err != nil {
			return nil, err
		}
		r := billing.PeriodReceipt{DueRun: run, N: 1, State: billing.PostingPosted, Notes: decision.Notes, Digest: decision.Digest(), Says: decision.Say(facts)}
		switch {
		case decision.Waits() != "":
			r.State, r.Says = billing.PostingWaiting, decision.Waits()
		case decision.Draft() != "":
			r.State = billing.PostingDraft
		}
		for _, c := range decision.Charges {
			r.Posted = append(r.Posted, billing.PostedLine{Kind: c.Kind, Clause: c.Clause, Text: c.Text, Amount: c.Amount, Currency: c.Currency})
		}
		receipts = append(receipts, r)
		before.charges, before.counted = append(before.charges, decision.Charges...), append(before.counted, decision.Counted...)
		seen[periodOf{run.Contract, run.Period}] = before
	}
	return receipts, nil
}

type periodOf struct {
	contract string
	period   billing.Period
}

// looked is what earlier runs of the same period would have posted.
type looked struct {
	charges []billing.Charge
	counted []billing.Counted
}

func (l looked) addTo(f *billing.PeriodFacts) {
	f.Counted = append(f.Counted, l.counted...)
	for _, c := range l.charges {
		i := slices.IndexFunc(f.Posted, func(s billing.PeriodSum) bool {
			return s.Kind == c.Kind && s.Clause == c.Clause && s.Currency == c.Currency
		})
		if i < 0 {
			i = len(f.Posted)
			f.Posted = append(f.Posted, billing.PeriodSum{Kind: c.Kind, Clause: c.Clause, CurrencySum: billing.CurrencySum{Currency: c.Currency}})
		}
		f.Posted[i].Amount, f.Posted[i].Exact = f.Posted[i].Amount.Add(c.Amount), f.Posted[i].Exact.Add(c.Exact)
	}
	if f.Run != billing.Opening {
		lateness{charges: l.charges}.addTo(f)
	}
}
