package postgres

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

// agreement is a contract with its versions as periods see them: by local dates, each until the next begins.
type agreement struct {
	contract string
	client   string
	payer    string    // the client's
	applied  time.Time // when its first revision was: what had ended by then was billed elsewhere
	versions []billing.DatedVersion
}

type agreementRow struct {
	Contract string
	Client   string
	Payer    string
	Applied  time.Time
	Revision int
	Digest   string
	From     string
	Until    string
}

// agreements reads contracts with the revisions that count: of one client or of one contract where named, else all.
func (s *Store) agreements(ctx context.Context, q querier, client, contract string) ([]agreement, error) {
	switch { // a condition each: one for all of them would read every contract for each
	case contract != "":
		return s.agreementsWhere(ctx, q, "contract_id = $1 and ($2 = '' or client_id = $2)", contract, client)
	case client != "":
		return s.agreementsWhere(ctx, q, "client_id = $1", client)
	}
	return s.agreementsWhere(ctx, q, "true")
}

// agreementsWhere reads the contracts whose versions meet a condition: each from its date until the next one's, or until its own end.
func (s *Store) agreementsWhere(ctx context.Context, q querier, condition string, args ...any) ([]agreement, error) {
	rows, err := collect[agreementRow](ctx, q, "contract versions", `
select contract_id, client_id, (select c.payer_id from clients c where c.id = v.client_id), applied_at, revision, digest, effective_from::text,
  coalesce(effective_to::text, '')
from contract_versions v where `+condition+`
order by contract_id, effective_from, revision desc`, args...)
	if err != nil {
		return nil, err
	}
	var found []agreement
	for _, r := range rows {
		if len(found) == 0 || found[len(found)-1].contract != r.Contract {
			found = append(found, agreement{contract: r.Contract, client: r.Client, payer: r.Payer, applied: r.Applied})
		}
		a := &found[len(found)-1]
		if r.Applied.Before(a.applied) {
			a.applied = r.Applied
		}
		if last := len(a.versions) - 1; last >= 0 {
			before := &a.versions[last]
			if before.From == r.From {
				continue // a later revision of that date counts
			}
			if before.Until == "" || r.From < before.Until {
				before.Until = r.From
			}
		}
		terms, err := s.terms.load(ctx, q, r.Contract, r.Revision, r.Digest)
		if err != nil {
			return nil, err
		}
		a.versions = append(a.versions, billing.DatedVersion{Revision: r.Revision, Digest: r.Digest, From: r.From, Until: r.Until, Terms: terms})
	}
	return found, nil
}

// today is the local date of an instant where the contract is.
func (a *agreement) today(at time.Time) (string, error) {
	zone, err := time.LoadLocation(a.versions[len(a.versions)-1].Terms.Zone())
	if err != nil {
		return "", fmt.Errorf("contract %s: %w", a.contract, err)
	}
	return at.In(zone).Format(time.DateOnly), nil
}

// grants says whether any version grants hours by the period.
func (a *agreement) grants() bool {
	return slices.ContainsFunc(a.versions, func(v billing.DatedVersion) bool { return v.Terms.HasBuckets() })
}

// agreedPeriod is a billing period of an agreement, with the versions that bill by it.
type agreedPeriod struct {
	billing.Period
	versions []billing.DatedVersion
}

// begins is the first day of the period on which the contract is in force.
func (p *agreedPeriod) begins() string { return max(p.Start, p.versions[0].From) }

// periods gives the billing periods from a date until another, in order. A version with other periods than the one
// before it has its own, so that two periods may overlap; each bills the days of its versions.
func (a *agreement) periods(from, until string) []agreedPeriod {
	var found []agreedPeriod
	for _, v := range a.versions {
		if v.Until != "" && v.Until <= from {
			continue
		}
		for p := v.Terms.PeriodOf(max(v.From, from)); p.Start <= until && (v.Until == "" || p.Start < v.Until); p = v.Terms.PeriodOf(p.End) {
			i := slices.IndexFunc(found, func(f agreedPeriod) bool { return f.Period == p })
			if i < 0 {
				i = len(found)
				found = append(found, agreedPeriod{Period: p})
			}
			found[i].versions = append(found[i].versions, v)
		}
	}
	slices.SortStableFunc(found, func(a, b agreedPeriod) int {
		return cmp.Or(cmp.Compare(a.End, b.End), cmp.Compare(a.Start, b.Start))
	})
	return found
}

// period gives the period of these dates; false where the contract has no such period.
func (a *agreement) period(p billing.Period) (agreedPeriod, bool) {
	for _, f := range a.periods(p.Start, p.Start) {
		if f.Period == p {
			return f, true
		}
	}
	return agreedPeriod{}, false
}

// periodOn gives the period by which the contract bills on a date; false where it is not in force.
func (a *agreement) periodOn(date string) (billing.Period, bool) {
	for _, v := range a.versions {
		if v.From <= date && (v.Until == "" || date < v.Until) {
			return v.Terms.PeriodOf(date), true
		}
	}
	return billing.Period{}, false
}

// runs says by which runs the period bills.
func (p *agreedPeriod) runs() (opens, closes bool) {
	for _, v := range p.versions {
		o, c := v.Terms.Runs()
		opens, closes = opens || o, closes || c
	}
	return opens, closes
}

// PeriodsDue lists the runs of billing periods that are due and have not been made: openings of periods that have
// begun, closings of those that are over; of each contract in the order in which they must be made.
//
// Returns a *ticket.Problem where it is asked for what is due more than a year from now.
func (s *Store) PeriodsDue(ctx context.Context, f billing.DueFilter) ([]billing.DueRun, error) {
	if last := s.farthest(); f.Until > last {
		return nil, ticket.Invalid("until", f.Until, "lies more than a year ahead", "what is due can be told until "+last)
	}
	due, err := s.periodsDue(ctx, s.pool, f)
	if err != nil {
		return nil, fmt.Errorf("list what is due: %w", err)
	}
	return due, nil
}

// farthest is the last date for which it is told what will be due: of what lies further ahead, nobody knows counts or terms.
func (s *Store) farthest() string { return s.now().UTC().AddDate(1, 0, 0).Format(time.DateOnly) }

// duePage is how many contracts are looked at together where a page of what is due is asked for.
const duePage = 250

func (s *Store) periodsDue(ctx context.Context, q querier, f billing.DueFilter) ([]billing.DueRun, error) {
	due := []billing.DueRun{}
	if f.Most == 0 {
		agreements, err := s.agreements(ctx, q, f.Client, f.Contract)
		if err != nil {
			return nil, err
		}
		return s.dueOf(ctx, q, due, agreements, f)
	}
	for after := f.After; ; {
		agreements, err := s.agreementsWhere(ctx, q, "contract_id in (select id from contracts where id > $1 order by id limit $2)", after, duePage)
		if err != nil || len(agreements) == 0 {
			return due, err
		}
		if due, err = s.dueOf(ctx, q, due, agreements, f); err != nil || len(due) >= f.Most {
			return due, err
		}
		after = agreements[len(agreements)-1].contract
	}
}

// dueOf adds what is due of these contracts, up to the one that makes it as many as are asked for.
func (s *Store) dueOf(ctx context.Context, q querier, due []billing.DueRun, agreements []agreement, f billing.DueFilter) ([]billing.DueRun, error) {
	ids := make([]string, len(agreements))
	for i := range agreements {
		ids[i] = agreements[i].contract
	}
	made, err := madeRuns(ctx, q, ids)
	if err != nil {
		return nil, err
	}
	for i := range agreements {
		if f.Most > 0 && len(due) >= f.Most {
			break
		}
		a := &agreements[i]
		until := f.Until
		if until == "" {
			if until, err = a.today(s.now()); err != nil {
				return nil, err
			}
		}
		from, err := a.today(a.applied)
		if err != nil {
			return nil, err
		}
		if f.From != "" {
			from = min(from, f.From)
		}
		due = append(due, a.due(from, until, made)...)
	}
	return due, nil
}

// due lists the agreement's runs until a date that are not made, openings of a date before closings of the same.
func (a *agreement) due(from, until string, made map[billing.DueRun]bool) []billing.DueRun {
	type dated struct {
		billing.DueRun
		on string
	}
	var found []dated
	for _, p := range a.periods(from, until) {
		opens, closes := p.runs()
		run := billing.DueRun{Contract: a.contract, Client: a.client, Run: billing.Opening, Period: p.Period}
		if on := p.begins(); opens && on <= until && !made[run] {
			found = append(found, dated{run, on})
		}
		run.Run = billing.Closing
		if closes && p.End <= until && !made[run] {
			found = append(found, dated{run, p.End})
		}
	}
	// A period's closing comes before the next one's opening: it may end what the next one begins with.
	slices.SortStableFunc(found, func(a, b dated) int {
		return cmp.Or(cmp.Compare(a.on, b.on), cmp.Compare(a.Run, b.Run))
	})
	due := make([]billing.DueRun, 0, len(found))
	for _, d := range found {
		due = append(due, d.DueRun)
	}
	return due
}

// madeRuns reads which runs of the contracts stand: posted, or as a draft that waits.
func madeRuns(ctx context.Context, q querier, contracts []string) (map[billing.DueRun]bool, error) {
	rows, err := q.Query(ctx, `
select contract_id, client_id, kind, period_start::text, period_end::text from postings
where contract_id = any ($1) and period_start is not null and kind in ('opening', 'closing') and state <> 'void'`, contracts)
	if err != nil {
		return nil, fmt.Errorf("read the runs of periods: %w", err)
	}
	made := map[billing.DueRun]bool{}
	var r billing.DueRun
	if _, err := pgx.ForEachRow(rows, []any{&r.Contract, &r.Client, &r.Run, &r.Period.Start, &r.Period.End}, func() error {
		made[r] = true
		return nil
	}); err != nil {
		return nil, fmt.Errorf("read the runs of periods: %w", err)
	}
	return made, nil
}
