package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

// postingPage is a posting without a ticket with the charges that came of it.
type postingPage struct {
	ID       int64
	Key      string
	Kind     string
	State    billing.PostingState
	Facts    string
	Decision string
	Digest   string
	Last     bool // of a closed period, nothing has adjusted it since
	charges  []chargeRow
}

// postings proves what posts without a ticket as closures are proved: each is decided again from its facts, and its
// charges and lines are what was decided. Of the last run of each closed period its sums are made again, too: nothing
// may have posted into it that did not adjust it.
func (a *auditor) postings(ctx context.Context, q querier) error {
	for last := int64(0); ; {
		page, err := readPostings(ctx, q, last)
		if err != nil || len(page) == 0 {
			return err
		}
		last = page[len(page)-1].ID
		for _, p := range page {
			mismatched, lines, err := p.check(ctx, a.store, q)
			if err != nil {
				return err
			}
			a.mismatched.add(mismatched...)
			a.lines.add(lines...)
			a.postingsDone++
		}
	}
}

func readPostings(ctx context.Context, q querier, last int64) ([]*postingPage, error) {
	type row struct {
		ID       int64
		Key      string
		Kind     string
		State    billing.PostingState
		Facts    string
		Decision string
		Digest   string
		Last     bool
	}
	found, err := collect[row](ctx, q, "postings", `
select id, key, kind, state, facts, decision, digest,
  kind in ('closing', 'adjusting') and state = 'posted' and not exists (select from postings x
    where x.contract_id = p.contract_id and x.period_start = p.period_start and x.period_end = p.period_end
      and x.kind = 'adjusting' and x.id > p.id)
from postings p where id > $1 order by id limit $2`, last, pageSize)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	page := make([]*postingPage, 0, len(found))
	byID, ids := make(map[int64]*postingPage, len(found)), make([]int64, 0, len(found))
	for _, r := range found {
		p := &postingPage{ID: r.ID, Key: r.Key, Kind: r.Kind, State: r.State, Facts: r.Facts, Decision: r.Decision, Digest: r.Digest, Last: r.Last}
		page, ids, byID[r.ID] = append(page, p), append(ids, r.ID), p
	}
	charges, err := readCharges(ctx, q, "posting_id", ids)
	if err != nil {
		return nil, err
	}
	forOwners(charges, func(posting int64, of []chargeRow) { byID[posting].charges = of })
	return page, nil
}

// check proves one posting. An error means that the database could not be read.
func (p *postingPage) check(ctx context.Context, s *Store, q querier) (mismatched, lines []string, err error) {
	again, says, err := s.redecide(ctx, p.Kind, p.Facts)
	switch {
	case err != nil:
		return nil, nil, err
	case says == "" && string(again) != p.Decision && billing.DigestOf(again) == p.Digest:
		says = "decided again its bytes are not the stored decision, whose digest was left as it was"
	case says == "" && billing.DigestOf(again) != p.Digest:
		says = fmt.Sprintf("decided again its digest is %.12s…, the stored one is %.12s…", billing.DigestOf(again), p.Digest)
	}
	if says != "" {
		mismatched = append(mismatched, p.Key+": "+says)
	}
	decided, err := chargesOf(p.Decision)
	if err != nil {
		return append(mismatched, p.Key+": "+err.Error()), nil, nil
	}
	for _, says := range p.compare(decided) {
		lines = append(lines, p.Key+": "+says)
	}
	if p.Last && says == "" {
		owed, err := s.owedSince(ctx, q, p.Facts)
		if err != nil {
			return nil, nil, err
		}
		for _, c := range owed {
			lines = append(lines, fmt.Sprintf("%s: by what is billed now it is off by %s (%s): something posted into it without adjusting it",
				p.Key, money(c.Amount, c.Currency), c.Text))
		}
	}
	return mismatched, lines, nil
}

// redecide makes the decision of a posting again, as canonical JSON; says tells why it cannot be made.
func (s *Store) redecide(ctx context.Context, kind, stored string) (decision []byte, says string, err error) {
	switch kind {
	case kindUsage:
		return s.redecideUsage(ctx, stored)
	case postingCarry:
		return recarry(stored)
	case kindSale, kindReturn:
		return s.redecideSale(ctx, kind, stored)
	case string(billing.Opening), string(billing.Closing), string(billing.Adjusting):
		facts, err := s.readPeriodFacts(ctx, stored)
		if err != nil {
			if ctx.Err() != nil {
				return nil, "", err
			}
			return nil, err.Error(), nil // what cannot be read is the finding
		}
		d, err := billing.DecidePeriod(facts)
		if err != nil {
			return nil, fmt.Sprintf("it cannot be decided again: %v", err), nil // as above
		}
		decision, err = billing.Canonical(d)
		return decision, "", err
	}
	return nil, "it is of a kind that this program cannot decide: " + kind, nil
}

func (s *Store) redecideUsage(ctx context.Context, stored string) (decision []byte, says string, err error) {
	var facts billing.UsageFacts
	if err := json.Unmarshal([]byte(stored), &facts); err != nil {
		return nil, fmt.Sprintf("its facts cannot be read: %v", err), nil // what cannot be read is the finding
	}
	for i := range facts.Contracts {
		v := &facts.Contracts[i]
		if v.Terms, err = s.terms.load(ctx, s.pool, v.Contract, v.Revision, v.Digest); err != nil {
			if ctx.Err() != nil {
				return nil, "", err
			}
			return nil, fmt.Sprintf("its terms cannot be found: %v", err), nil
		}
	}
	d, err := billing.DecideUsage(facts)
	if err != nil {
		return nil, fmt.Sprintf("it cannot be decided again: %v", err), nil
	}
	decision, err = billing.Canonical(d)
	return decision, "", err
}

// compare says in which ways the rows are not what was decided. A draft has none.
func (p *postingPage) compare(decided []billing.Charge) []string {
	if p.State != billing.PostingPosted {
		if len(p.charges) > 0 {
			return []string{fmt.Sprintf("it is %s and has charges", p.State)}
		}
		return nil
	}
	var says []string
	for i := range p.charges {
		row := &p.charges[i]
		posted, unread := row.body()
		if row.Adjusts == 0 {
			i := slices.IndexFunc(decided, func(c billing.Charge) bool { return c.Key == row.Key })
			if i < 0 {
				says = append(says, fmt.Sprintf("%s: charge %s was never decided", ticket.LineID(row.ID), row.Key))
				continue
			}
			posted, unread = decided[i], ""
		}
		differs := row.differs(&posted)
		if unread != "" {
			differs = []string{unread}
		}
		for _, d := range differs {
			says = append(says, ticket.LineID(row.ID)+": "+d)
		}
	}
	for _, c := range decided {
		if !slices.ContainsFunc(p.charges, func(row chargeRow) bool { return row.Key == c.Key }) {
			says = append(says, fmt.Sprintf("charge %s of %s %s was decided and is not posted", c.Key, c.Amount, c.Currency))
		}
	}
	return says
}

// owedSince says what adjusting the closed period would post by now: nothing, if everything that posted into it did.
func (s *Store) owedSince(ctx context.Context, q querier, stored string) ([]billing.Charge, error) {
	f, err := s.readPeriodFacts(ctx, stored)
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(f.Versions, func(v billing.DatedVersion) bool { return v.Terms.Adjusts() }) {
		return nil, nil
	}
	a := &agreement{contract: f.Contract, client: f.Client, versions: f.Versions}
	now, err := periodFacts(ctx, q, a, agreedPeriod{Period: f.Period, versions: f.Versions}, billing.Adjusting, f.N+1)
	if err != nil {
		return nil, err
	}
	d, err := billing.DecidePeriod(now)
	return d.Charges, err
}
