package postgres

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/shopspring/decimal"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

// CostVersion is one revision of the cost document.
type CostVersion struct {
	Revision      int                `json:"revision"`
	EffectiveFrom string             `json:"effective_from"` // local date
	Digest        string             `json:"digest"`
	AppliedBy     string             `json:"applied_by"` // person id
	AppliedAt     time.Time          `json:"applied_at"`
	Document      *billing.CostRates `json:"document"`
	Changed       bool               `json:"changed,omitempty"` // it was stored just now
}

// ApplyCosts stores the document as a new, immutable revision; the one that is in force from the same
// date already changes nothing. Work that is logged from now on costs what the revision in force at the
// time of the work says; what is logged keeps its cost. Its errors are billing.Problems (the document) or
// ticket.Problems (whom it names), all of them at once, and nothing is stored.
func (s *Store) ApplyCosts(ctx context.Context, doc []byte, by string) (CostVersion, error) {
	c, err := billing.ParseCostRates(doc)
	if err != nil {
		return CostVersion{}, err
	}
	begins, err := c.Begins()
	if err != nil {
		return CostVersion{}, err
	}
	if err := s.costRefers(ctx, c); err != nil {
		return CostVersion{}, err
	}
	canonical, err := billing.Canonical(c)
	if err != nil {
		return CostVersion{}, fmt.Errorf("encode the cost document: %w", err)
	}
	v := CostVersion{EffectiveFrom: c.EffectiveFrom, Digest: c.Digest(), AppliedBy: by, Document: c}
	err = s.tx(ctx, "apply costs", func(t *tx) error {
		var (
			last, found int
			same        string
			who         = map[string]actor{}
		)
		v.AppliedAt, v.Changed = s.now(), true
		b := t.batch()
		b.Queue("select pg_advisory_xact_lock(hashtext('docket costs'))") // revisions count 1, 2, 3 …
		queueActor(b, by, who)
		if err := t.send(ctx, b); err != nil {
			return err
		}
		if err := mayKeepBooks(who, by, "apply costs"); err != nil {
			return err
		}
		b = t.batch()
		b.Queue("select coalesce(max(revision), 0) from cost_versions").Query(one(&last))
		b.Queue("select revision, digest from cost_versions where effective_from = $1::text::date order by revision desc limit 1", c.EffectiveFrom).
			Query(func(rows pgx.Rows) error {
				_, err := pgx.ForEachRow(rows, []any{&found, &same}, func() error { return nil })
				return err
			})
		if err := t.send(ctx, b); err != nil {
			return err
		}
		if same == v.Digest {
			v.Revision, v.Changed = found, false
			return nil
		}
		v.Revision = last + 1
		b = t.batch()
		b.Queue(`insert into cost_versions (revision, effective_from, begins, document, digest, applied_by, applied_at)
			values ($1, $2::text::date, $3, $4, $5, $6, $7)`, v.Revision, c.EffectiveFrom, begins, string(canonical), v.Digest, by, v.AppliedAt)
		return t.commit(ctx, b)
	})
	if err != nil {
		return CostVersion{}, err
	}
	return v, nil
}

// costRefers checks whom the document names.
func (s *Store) costRefers(ctx context.Context, c *billing.CostRates) error {
	var errs []error
	for i, r := range c.Rates {
		if r.Person == "" {
			continue
		}
		field := fmt.Sprintf("rates[%d].person", i)
		p, err := s.Person(ctx, r.Person)
		switch {
		case len(ticket.Problems(err)) > 0:
			errs = append(errs, ticket.Invalid(field, r.Person, "is not known", "store the person first; `docket person list` shows everybody"))
		case err != nil:
			errs = append(errs, err)
		case p.Client != "":
			errs = append(errs, ticket.Invalid(field, r.Person, "is one of "+p.Client+"'s people", "name a technician or an agent of ours"))
		}
	}
	return errors.Join(errs...)
}

// mayKeepBooks is the right to change what money is reckoned by: nil, or a Problem.
func mayKeepBooks(people map[string]actor, who, deed string) error {
	a, err := pick(people, "by", who)
	if err != nil {
		return err
	}
	if !a.mayFinalise() {
		return ticket.Invalid("by", who, "may not "+deed, "it takes the role owner or finance")
	}
	return nil
}

// CostVersions lists every revision of the cost document, the latest date first.
func (r Reads) CostVersions(ctx context.Context) ([]CostVersion, error) {
	rows, err := r.q.Query(ctx, `
		select revision, effective_from::text, digest, applied_by, applied_at, document from cost_versions order by begins desc, revision desc`)
	if err != nil {
		return nil, fmt.Errorf("list cost documents: %w", err)
	}
	versions, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (v CostVersion, err error) {
		var document string
		if err := row.Scan(&v.Revision, &v.EffectiveFrom, &v.Digest, &v.AppliedBy, &v.AppliedAt, &document); err != nil {
			return v, err
		}
		v.Document, err = billing.ReadCostRates([]byte(document))
		return v, err
	})
	if err != nil {
		return nil, fmt.Errorf("list cost documents: %w", err)
	}
	return versions, nil
}

// costRow is the revision that governs an entry.
type costRow struct {
	Revision int
	Digest   string
	Document string
}

// queueCosts reads the revision in force at the time of the work, if there is one.
func queueCosts(b *pgx.Batch, key string, at time.Time, into map[string]costRow) {
	b.Queue("select revision, digest, document from cost_versions where begins <= $1 order by begins desc, revision desc limit 1", at).
		Query(func(rows pgx.Rows) error {
			found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[costRow])
			for _, f := range found {
				into[key] = f
			}
			return err
		})
}

// costsCache keeps parsed cost documents by digest. Revisions are immutable, so an entry is never wrong.
type costsCache struct{ byDigest sync.Map }

func (c *costsCache) rates(row costRow) (*billing.CostRates, error) {
	if known, ok := c.byDigest.Load(row.Digest); ok {
		return known.(*billing.CostRates), nil
	}
	rates, err := billing.ReadCostRates([]byte(row.Document))
	if err != nil {
		return nil, fmt.Errorf("stored cost document, revision %d: %w", row.Revision, err)
	}
	c.byDigest.Store(row.Digest, rates)
	return rates, nil
}

// cost is what an entry costs us, and by which revision of the cost document; 0: by the person's own costs.
type cost struct {
	amount   decimal.Decimal
	currency string
	revision int
}

// costOf prices an entry by the cost document in force, or else by what the person costs.
func (s *Store) costOf(who actor, e ticket.WorkEntry, row costRow) (cost, error) {
	if row.Revision > 0 {
		rates, err := s.costs.rates(row)
		if err != nil {
			return cost{}, err
		}
		amount, priced := rates.Cost(billing.CostedWork{
			Person: who.ID, WorkRole: e.WorkRole, Kind: string(who.Kind), MS: e.MS, TokensIn: e.TokensIn, TokensOut: e.TokensOut,
		})
		if priced {
			return cost{amount: amount, currency: rates.Currency, revision: row.Revision}, nil
		}
	}
	return cost{amount: who.cost(e), currency: who.CostCurrency}, nil
}

var thousand = decimal.NewFromInt(1000)

// cost is labour by the hour and model by the thousand tokens, divided last, to 16 places.
func (a actor) cost(e ticket.WorkEntry) decimal.Decimal {
	labour := a.HourlyCost.Mul(decimal.NewFromInt(e.MS))
	tokens := a.TokenCost.Mul(decimal.NewFromInt(e.TokensIn + e.TokensOut)).Mul(msPerHour).Div(thousand)
	return labour.Add(tokens).DivRound(msPerHour, 16)
}
