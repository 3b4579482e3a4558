package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

// TaxVersion is one revision of a tax profile; the last one counts.
type TaxVersion struct {
	Profile   string              `json:"profile"`
	Revision  int                 `json:"revision"`
	Digest    string              `json:"digest"`
	AppliedBy string              `json:"applied_by"` // person id
	AppliedAt time.Time           `json:"applied_at"`
	Document  *billing.TaxProfile `json:"document"`
	Changed   bool                `json:"changed,omitempty"` // it was stored just now
}

// ApplyTax stores the document as a new, immutable revision of its profile; the one that counts
// already changes nothing. Open invoices show it at once; finalised ones keep the tax they have.
// Its errors are billing.Problems, all of them at once, and nothing is stored.
func (s *Store) ApplyTax(ctx context.Context, doc []byte, by string) (TaxVersion, error) {
	p, err := billing.ParseTaxProfile(doc)
	if err != nil {
		return TaxVersion{}, err
	}
	canonical, err := billing.Canonical(p)
	if err != nil {
		return TaxVersion{}, fmt.Errorf("encode tax profile %s: %w", p.ID, err)
	}
	v := TaxVersion{Profile: p.ID, Digest: p.Digest(), Document: p}
	err = s.tx(ctx, "apply tax profile "+p.ID, func(t *tx) error {
		var (
			last TaxVersion
			who  = map[string]actor{}
		)
		b := t.batch()
		b.Queue("select pg_advisory_xact_lock(hashtext('docket tax ' || $1))", p.ID) // revisions count 1, 2, 3 …
		queueActor(b, by, who)
		if err := t.send(ctx, b); err != nil {
			return err
		}
		if err := mayKeepBooks(who, by, "apply tax profiles"); err != nil {
			return err
		}
		b = t.batch()
		b.Queue("select revision, digest, applied_by, applied_at from tax_profiles where id = $1 order by revision desc limit 1", p.ID).
			Query(func(rows pgx.Rows) error {
				_, err := pgx.ForEachRow(rows, []any{&last.Revision, &last.Digest, &last.AppliedBy, &last.AppliedAt}, func() error { return nil })
				return err
			})
		if err := t.send(ctx, b); err != nil {
			return err
		}
		if last.Digest == v.Digest {
			v.Revision, v.AppliedBy, v.AppliedAt, v.Changed = last.Revision, last.AppliedBy, last.AppliedAt, false
			return nil
		}
		v.Revision, v.AppliedBy, v.AppliedAt, v.Changed = last.Revision+1, by, s.now(), true
		b = t.batch()
		b.Queue("insert into tax_profiles (id, revision, document, digest, applied_by, applied_at) values ($1, $2, $3, $4, $5, $6)",
			v.Profile, v.Revision, string(canonical), v.Digest, by, v.AppliedAt)
		return t.commit(ctx, b)
	})
	if err != nil {
		return TaxVersion{}, err
	}
	return v, nil
}

// TaxProfiles lists the profiles, each with the revision that counts.
func (r Reads) TaxProfiles(ctx context.Context) ([]TaxVersion, error) {
	rows, err := r.q.Query(ctx, `
		select distinct on (id) id, revision, digest, applied_by, applied_at, document from tax_profiles order by id, revision desc`)
	if err != nil {
		return nil, fmt.Errorf("list tax profiles: %w", err)
	}
	profiles, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (v TaxVersion, err error) {
		var document string
		if err := row.Scan(&v.Profile, &v.Revision, &v.Digest, &v.AppliedBy, &v.AppliedAt, &document); err != nil {
			return v, err
		}
		v.Document, err = billing.ReadTaxProfile([]byte(document))
		return v, err
	})
	if err != nil {
		return nil, fmt.Errorf("list tax profiles: %w", err)
	}
	return profiles, nil
}

// TaxProfile finds a profile by its id; a Problem where there is none.
func (r Reads) TaxProfile(ctx context.Context, id string) (TaxVersion, error) {
	profiles, err := r.TaxProfiles(ctx)
	if err != nil {
		return TaxVersion{}, err
	}
	for _, p := range profiles {
		if p.Profile == id {
			return p, nil
		}
	}
	return TaxVersion{}, ticket.Invalid("tax", id, "is not known", "`docket tax list` shows the profiles; docket tax apply FILE stores one")
}

// TaxClient says by which profile a client's invoices are taxed where its contracts name none; an
// empty one takes it away. Finalised invoices keep the tax they have.
func (s *Store) TaxClient(ctx context.Context, client, profile, by string) error {
	if err := s.clientExists(ctx, client); err != nil {
		return err
	}
	if profile != "" {
		if err := s.mustExist(ctx, "tax", "tax_profiles", profile, "apply the profile first: docket tax apply FILE; `docket tax list` shows them"); err != nil {
			return err
		}
	}
	return s.tx(ctx, "set the tax profile of "+client, func(t *tx) error {
		who := map[string]actor{}
		b := t.batch()
		queueActor(b, by, who)
		if err := t.send(ctx, b); err != nil {
			return err
		}
		if err := mayKeepBooks(who, by, "set a client's tax profile"); err != nil {
			return err
		}
		b = t.batch()
		b.Queue("update clients set tax_profile = $2 where id = $1", client, profile)
		return t.commit(ctx, b)
	})
}
