package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/shopspring/decimal"

	"github.com/docket-psa/docket/billing"
)

// periodFacts reads what a run of a period may know.
func periodFacts(ctx context.Context, q querier, a *agreement, p agreedPeriod, run billing.PeriodRun, n int) (billing.PeriodFacts, error) {
	b := &pgx.Batch{}
	f := queuePeriodFacts(b, a, p, run)
	f.N = n
	if err := q.SendBatch(ctx, b).Close(); err != nil {
		return *f, fmt.Errorf("read what %s knows: %w", billing.DueRun{Contract: a.contract, Run: run, Period: p.Period}, err)
	}
	return *f, nil
}

// queuePeriodFacts reads them by a batch that has locked the counters of the period before, so that nothing posts into it
// meanwhile; a look (dry run) does without. They are there when the batch was sent.
func queuePeriodFacts(b *pgx.Batch, a *agreement, p agreedPeriod, run billing.PeriodRun) *billing.PeriodFacts {
	f := &billing.PeriodFacts{
		Rules: billing.Rules, Run: run, Contract: a.contract, Client: a.client, Period: p.Period, Versions: p.versions,
	}
	var counts, keeps, commits bool
	for _, v := range p.versions {
		counts, keeps, commits = counts || v.Terms.Counts(), keeps || v.Terms.KeepsHighest(), commits || v.Terms.Commits()
	}
	if run != billing.Adjusting {
		queueCounted(b, f, counts, keeps)
	}
	queuePosted(b, f)
	if commits && run != billing.Opening {
		queueBilled(b, f)
	}
	b.Queue("select key, value from counters where key = any ($1) order by key", billing.WantPeriod(*f)).Query(func(rows pgx.Rows) (err error) {
		f.Counters, err = collectCounters(rows)
		return err
	})
	return f
}

// collectCounters leaves out those that are only locked.
func collectCounters(rows pgx.Rows) (counters []billing.Counter, err error) {
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[billing.Counter])
	for _, c := range all {
		if !strings.HasPrefix(c.Key, billing.CountsCommitment) {
			counters = append(counters, c)
		}
	}
	return counters, err
}

// queueCounted reads the client's device counts, and the numbers that earlier runs billed.
func queueCounted(b *pgx.Batch, f *billing.PeriodFacts, counts, keeps bool) {
	if !counts {
		return
	}
	b.Queue(`
select kind, counted_on::text, devices from device_counts d
where client_id = $1 and counted_on < $3::text::date and counted_on >= coalesce(
  (select max(counted_on) from device_counts x where x.client_id = $1 and x.kind = d.kind and x.counted_on < $2::text::date), $2::text::date)
order by kind collate "C", counted_on`, f.Client, f.Period.Start, f.Period.End).Query(func(rows pgx.Rows) (err error) {
		f.Devices, err = pgx.CollectRows(rows, pgx.RowToStructByPos[billing.DeviceCount])
		return err
	})
	b.Queue(`
select period_start = $2::text::date and period_end = $3::text::date, decision::jsonb -> 'counted' from postings
where contract_id = $1 and kind in ('opening', 'closing') and state = 'posted' and decision::jsonb ? 'counted'
  and ($4 or period_start = $2::text::date) and period_start <= $2::text::date
order by period_start, id`, f.Contract, f.Period.Start, f.Period.End, keeps).Query(func(rows pgx.Rows) error {
		var (
			own     bool
			counted []billing.Counted
		)
		_, err := pgx.ForEachRow(rows, []any{&own, &counted}, func() error {
			if own {
				f.Counted = append(f.Counted, counted...)
			} else {
				f.Highest = highest(f.Highest, counted)
			}
			counted = nil
			return nil
		})
		return err
	})
}

// highest keeps the highest number of each clause, kind and term; what no term keeps is left out.
func highest(known, more []billing.Counted) []billing.Counted {
	for _, c := range more {
		if c.Term == "" {
			continue
		}
		found := false
		for i := range known {
			k := &known[i]
			if k.Clause == c.Clause && k.Kind == c.Kind && k.Term == c.Term {
				k.Number, found = decimal.Max(k.Number, c.Number), true
			}
		}
		if !found {
			known = append(known, c)
		}
	}
	return known
}

// queuePosted sums what earlier runs of the period have posted.
func queuePosted(b *pgx.Batch, f *billing.PeriodFacts) {
	b.Queue(`
select c.kind, c.clause, c.currency, sum(c.amount), sum(c.exact)
from charges c join postings p on p.id = c.posting_id
where p.contract_id = $1 and p.period_start = $2::text::date and p.period_end = $3::text::date
  and p.kind in ('opening', 'closing', 'adjusting') and c.key <> $4 and c.adjusts is null
group by 1, 2, 3 order by 1, 2, 3`, f.Contract, f.Period.Start, f.Period.End, billing.KeyTermination).Query(func(rows pgx.Rows) error {
		found, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (s billing.PeriodSum, err error) {
			err = row.Scan(&s.Kind, &s.Clause, &s.Currency, &s.Amount, &s.Exact)
			return s, err
		})
		f.Posted = found
		return err
	})
}

// queueBilled sums what the contract has billed in the period towards a minimum: by the date of service, before credits
// and tax, without true-ups and adjustments. A reversal counts as what it undoes.
func queueBilled(b *pgx.Batch, f *billing.PeriodFacts) {
	from, until := billedDays(*f)
	b.Queue(billedSum, f.Contract, from, until, billing.KeyTermination).Query(func(rows pgx.Rows) (err error) {
		f.Billed, err = pgx.CollectRows(rows, pgx.RowToStructByPos[billing.CurrencySum])
		return err
	})
}

const billedSum = `
select c.currency, sum(c.amount) from charges c left join charges o on o.id = c.reverses
where c.contract_id = $1 and c.service_date >= $2::text::date and c.service_date < $3::text::date
  and coalesce(o.kind, c.kind) not in ('credit', 'true-up') and c.key <> $4 and c.adjusts is null
group by 1 having sum(c.amount) <> 0 order by 1`

// billedDays are the days of the period on which its versions are in force.
func billedDays(f billing.PeriodFacts) (from, until string) {
	from, until = max(f.Period.Start, f.Versions[0].From), f.Period.End
	if last := f.Versions[len(f.Versions)-1].Until; last != "" {
		until = min(until, last)
	}
	return from, until
}

// readPeriodFacts reads stored facts back, with the terms that they name.
func (s *Store) readPeriodFacts(ctx context.Context, stored string) (billing.PeriodFacts, error) {
	var f billing.PeriodFacts
	if err := json.Unmarshal([]byte(stored), &f); err != nil {
		return f, fmt.Errorf("its facts cannot be read: %w", err)
	}
	for i := range f.Versions {
		v := &f.Versions[i]
		terms, err := s.terms.load(ctx, s.pool, f.Contract, v.Revision, v.Digest)
		if err != nil {
			return f, fmt.Errorf("its terms cannot be found: %w", err)
		}
		v.Terms = terms
	}
	return f, nil
}
