package postgres

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/docket-psa/docket/billing"
)

// PastPeriods lists the runs of billing periods that were over when their contracts were first applied, and that nobody has made:
// no sweep does, since somebody else may have billed them. Of periods that would cost nothing by themselves there are none.
func (s *Store) PastPeriods(ctx context.Context, f billing.DueFilter) ([]billing.DueRun, error) {
	found, err := s.agreements(ctx, s.pool, f.Client, f.Contract)
	if err != nil {
		return nil, fmt.Errorf("list what is past: %w", err)
	}
	return s.pastOf(ctx, s.pool, found)
}

// LookAtPast tells what is not billed of a contract's past, and what it comes to; nil: nothing.
func (s *Store) LookAtPast(ctx context.Context, contract string) (*billing.PastPeriods, error) {
	return s.lookAtPast(ctx, s.pool, contract)
}

func (s *Store) lookAtPast(ctx context.Context, q querier, contract string) (*billing.PastPeriods, error) {
	found, err := s.agreements(ctx, q, "", contract)
	if err != nil {
		return nil, err
	}
	runs, err := s.pastOf(ctx, q, found)
	if err != nil {
		return nil, err
	}
	looks, err := s.lookAtPeriods(ctx, q, runs)
	return billing.PastOf(looks), err
}

func (s *Store) pastOf(ctx context.Context, q querier, agreements []agreement) ([]billing.DueRun, error) {
	past := []billing.DueRun{}
	ids := make([]string, len(agreements))
	for i := range agreements {
		ids[i] = agreements[i].contract
	}
	made, err := madeRuns(ctx, q, ids)
	if err != nil {
		return nil, err
	}
	for i := range agreements {
		a := &agreements[i]
		if !slices.ContainsFunc(a.versions, func(v billing.DatedVersion) bool { return v.Terms.BillsPeriods() }) {
			continue
		}
		applied, err := a.today(a.applied)
		if err != nil {
			return nil, err
		}
		for _, run := range a.due(a.versions[0].From, applied, made) {
			if run.Period.End <= applied {
				past = append(past, run)
			}
		}
	}
	return past, nil
}

// mostLate is how many of the contracts that were applied last are looked at: in a house that has just moved in, each has a past.
const mostLate = 200

// appliedSince lists contracts that were first applied since an instant, for a time that had begun before.
func (s *Store) appliedSince(ctx context.Context, since time.Time) ([]agreement, error) {
	return s.agreementsWhere(ctx, s.pool, `contract_id in (
  select contract_id from contract_versions group by 1 having min(applied_at) >= $1 and min(effective_from) < min(applied_at)
  order by min(applied_at) desc limit $2)`, since, mostLate)
}

// pastPeriodsOf sums runs by their contracts, in their order.
func pastPeriodsOf(runs []billing.DueRun) (past []billing.PastPeriods) {
	for len(runs) > 0 {
		of := []billing.PeriodReceipt{}
		for len(runs) > 0 && (len(of) == 0 || runs[0].Contract == of[0].Contract) {
			of, runs = append(of, billing.PeriodReceipt{DueRun: runs[0]}), runs[1:]
		}
		past = append(past, *billing.PastOf(of))
	}
	return past
}

// pastOfMonth lists what ended within the month that ends with a date, before its contract was applied.
func (s *Store) pastOfMonth(ctx context.Context, m billing.MonthClose) ([]billing.PastPeriods, error) {
	ends, err := time.Parse(time.DateOnly, m.Until)
	if err != nil {
		return nil, fmt.Errorf("the month until %q: %w", m.Until, err)
	}
	begins := ends.AddDate(0, -1, 0)
	found, err := s.appliedSince(ctx, begins)
	if err != nil {
		return nil, err
	}
	found = slices.DeleteFunc(found, func(a agreement) bool { return m.Payer != "" && a.payer != m.Payer })
	runs, err := s.pastOf(ctx, s.pool, found)
	if err != nil {
		return nil, err
	}
	return pastPeriodsOf(slices.DeleteFunc(runs, func(r billing.DueRun) bool {
		return r.Period.End > m.Until || r.Period.End <= begins.Format(time.DateOnly)
	})), nil
}

// toldOfPast is for how long the doctor tells of a contract that was applied late: until a month has been closed since.
const toldOfPast = 35 * 24 * time.Hour

func (s *Store) lookAtPastPeriods(ctx context.Context, _ Patience) ([]Finding, error) {
	agreements, err := s.appliedSince(ctx, s.now().Add(-toldOfPast))
	if err != nil {
		return nil, err
	}
	runs, err := s.pastOf(ctx, s.pool, agreements)
	if err != nil {
		return nil, err
	}
	past := pastPeriodsOf(runs)
	if len(past) == 0 {
		return nil, nil
	}
	f := Finding{
		Severity: Notice, What: "contracts applied late", Owner: "finance", Why: past[0].String(),
		Do: "where nobody else has billed them: " + past[0].Command() + " (--dry-run tells what it comes to)",
	}
	if len(past) > 1 {
		f.Why = fmt.Sprintf("%d contracts had periods that were over when they were applied, and are not billed here", len(past))
		f.Do = "docket period list --state past; where nobody else has billed them: docket period run --contract CONTRACT --from DATE"
	}
	return []Finding{f}, nil
}
