package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

// Applied is what became of a contract document.
type Applied struct {
	Contract      string `json:"contract"`
	Client        string `json:"client"`
	Revision      int    `json:"revision"`
	EffectiveFrom string `json:"effective_from"`
	Digest        string `json:"digest"`
	Changed       bool   `json:"changed"` // false: this document was in force already
}

// ApplyContract stores the document as a new, immutable revision. The same document again
// changes nothing. Its errors are billing.Problems (the document) or ticket.Problems (what it
// names, and who may not), all of them at once, and nothing is stored. It takes a dispatcher, an owner or finance.
//
// A revision that begins before work that is rated already is refused unless backdated says
// that this is meant. What is posted stays: only work closed from now on is rated by it, and
// a reopened ticket's.
func (s *Store) ApplyContract(ctx context.Context, doc []byte, by string, backdated bool) (Applied, error) {
	return s.applyContract(ctx, doc, by, backdated, nil)
}

// TryContract does what ApplyContract would, tells what came of it and which of the contract's periods nobody would bill, and
// takes all of it back.
func (s *Store) TryContract(ctx context.Context, doc []byte, by string, backdated bool) (applied Applied, past *billing.PastPeriods, err error) {
	applied, err = s.applyContract(ctx, doc, by, backdated, func(q querier, contract string) error {
		past, err = s.lookAtPast(ctx, q, contract)
		return err
	})
	return applied, past, err
}

// applyContract stores the document, or, with a look, lets it see the document as if it were stored, and stores nothing.
func (s *Store) applyContract(ctx context.Context, doc []byte, by string, backdated bool, look func(q querier, contract string) error) (Applied, error) {
	c, err := billing.ParseContract(doc)
	if err != nil {
		return Applied{}, err
	}
	terms, err := c.Compile()
	if err != nil {
		return Applied{}, err
	}
	if err := errors.Join(s.maySet(ctx, by, "apply contracts"), s.contractRefers(ctx, c, terms)); err != nil {
		return Applied{}, err
	}
	document, err := billing.Canonical(terms.Contract())
	if err != nil {
		return Applied{}, fmt.Errorf("contract %s: %w", c.ID, err)
	}
	applied := Applied{Contract: c.ID, Client: c.Client, EffectiveFrom: c.EffectiveFrom, Digest: terms.Digest()}
	err = s.tx(ctx, "apply contract "+c.ID, func(t *tx) error {
		applied.Changed = false
		var (
			client string
			last   int
			same   string // digest of the revision that is in force from the same date
		)
		b := t.batch()
		b.Queue("insert into contracts (id, client_id, name, created_at) values ($1, $2, $3, $4) on conflict (id) do nothing",
			c.ID, c.Client, c.Name, s.now())
		b.Queue("select client_id from contracts where id = $1 for update", c.ID).QueryRow(func(row pgx.Row) error { return row.Scan(&client) })
		if err := t.send(ctx, b); err != nil {
			return err
		}
		if client != c.Client {
			return ticket.Invalid("client", c.Client, "is not whose contract this is: "+c.ID+" is "+client+"'s", "choose another contract id")
		}
		b = t.batch()
		b.Queue(`select coalesce(max(revision), 0), coalesce((array_agg(digest order by revision desc) filter (where effective_from = $2::text::date))[1], '')
			from contract_versions where contract_id = $1`, c.ID, c.EffectiveFrom).QueryRow(func(row pgx.Row) error { return row.Scan(&last, &same) })
		if err := t.send(ctx, b); err != nil {
			return err
		}
		applied.Revision = last + 1
		if same == applied.Digest {
			err := t.conn.QueryRow(ctx, `select max(revision) from contract_versions
				where contract_id = $1 and effective_from = $2::text::date`, c.ID, c.EffectiveFrom).Scan(&applied.Revision)
			if err != nil || look == nil {
				return err
			}
			return look(t.conn, c.ID)
		}
		if err := keepsPeriods(ctx, t.conn, terms, backdated); err != nil {
			return err
		}
		if !backdated {
			if err := notBackdated(ctx, t.conn, c, terms.Begins(), last == 0); err != nil {
				return err
			}
		}
		b = t.batch()
		b.Queue("update contracts set name = $2 where id = $1", c.ID, c.Name)
		b.Queue(`insert into contract_versions (contract_id, client_id, revision, effective_from, effective_to, document, digest, applied_by, applied_at)
			values ($1, $2, $3, $4::text::date, nullif($5::text, '')::date, $6, $7, $8, $9)`,
			c.ID, c.Client, applied.Revision, c.EffectiveFrom, c.EffectiveTo, string(document), applied.Digest, by, s.now())
		applied.Changed = true
		if look == nil {
			return t.commit(ctx, b)
		}
		if err := t.send(ctx, b); err != nil {
			return err
		}
		return look(t.conn, c.ID)
	})
	if err != nil {
		return Applied{}, err
	}
	return applied, nil
}

// notBackdated refuses terms that would have governed work which is rated already: that of the
// contract's earlier revisions or, for a contract's first one, any of the client's.
func notBackdated(ctx context.Context, q querier, c *billing.Contract, begins time.Time, first bool) error {
	var (
		number  int64
		closed  time.Time
		touched int
	)
	err := q.QueryRow(ctx, `
		select min(ticket), min(closed_at), count(*) from (
			select cl.ticket, cl.closed_at from closures cl
			where cl.client_id = $1 and cl.closed_at >= $2
			  and ($3 or exists (select from charges ch where ch.closure_id = cl.id and ch.contract_id = $4)
			          or exists (select from holds h where h.closure_id = cl.id and h.hold::jsonb ->> 'contract' = $4))
			order by cl.closed_at limit 1000) as rated having count(*) > 0`,
		c.Client, begins, first, c.ID).Scan(&number, &closed, &touched)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look for rated work since %s: %w", c.EffectiveFrom, err)
	}
	return ticket.Invalid("effective_from", c.EffectiveFrom,
		fmt.Sprintf("lies before work that is rated already (%d closures, the first is %s)", touched, ticket.NewID(number)),
		"give a later date; or see what it would have changed with `docket whatif --contract FILE --from "+c.EffectiveFrom+"`, and apply it with --backdated: posted lines stay, and a ticket is rated by it only when it is reopened")
}

// ContractVersion is one revision of a contract.
type ContractVersion struct {
	Contract      string          `json:"contract"`
	Client        string          `json:"client"`
	Revision      int             `json:"revision"`
	EffectiveFrom string          `json:"effective_from"`       // local date
	Until         string          `json:"until,omitempty"`      // local date, exclusive: the next version's start or its own end
	Superseded    bool            `json:"superseded,omitempty"` // a later revision has the same date and counts instead
	Digest        string          `json:"digest"`               // SHA-256 of the document
	AppliedBy     string          `json:"applied_by"`           // person id
	AppliedAt     time.Time       `json:"applied_at"`
	Document      json.RawMessage `json:"document"` // canonical JSON of billing.Contract
}

const selectVersions = `
select v.contract_id, v.client_id, v.revision, v.effective_from::text,
  coalesce(least(v.effective_to, (select min(n.effective_from) from contract_versions n
    where n.contract_id = v.contract_id and n.effective_from > v.effective_from))::text, ''),
  exists (select from contract_versions n
    where n.contract_id = v.contract_id and n.effective_from = v.effective_from and n.revision > v.revision),
  v.digest, v.applied_by, v.applied_at, v.document::json
from contract_versions v`

// ContractHistory lists every revision of a contract, in the order they were applied.
func (r Reads) ContractHistory(ctx context.Context, contract string) ([]ContractVersion, error) {
	rows, err := r.q.Query(ctx, selectVersions+" where v.contract_id = $1 order by v.revision", contract)
	if err != nil {
		return nil, fmt.Errorf("read contract %s: %w", contract, err)
	}
	versions, err := pgx.CollectRows(rows, pgx.RowToStructByPos[ContractVersion])
	if err != nil {
		return nil, fmt.Errorf("read contract %s: %w", contract, err)
	}
	if len(versions) == 0 {
		return nil, ticket.Invalid("contract", contract, "is not known", "`docket contract list` shows the contracts")
	}
	return versions, nil
}

// Contract gives one revision of a contract; revision 0 is the last one applied.
func (r Reads) Contract(ctx context.Context, contract string, revision int) (ContractVersion, error) {
	versions, err := r.ContractHistory(ctx, contract)
	if err != nil {
		return ContractVersion{}, err
	}
	if revision == 0 {
		return versions[len(versions)-1], nil
	}
	for _, v := range versions {
		if v.Revision == revision {
			return v, nil
		}
	}
	return ContractVersion{}, ticket.Invalid("revision", revision, "is not one of "+contract, fmt.Sprintf("give 1 to %d", versions[len(versions)-1].Revision))
}

// Contracts lists the contracts, of one client or, with client empty, of all: of each the
// revision applied last.
func (r Reads) Contracts(ctx context.Context, client string) ([]ContractVersion, error) {
	rows, err := r.q.Query(ctx, selectVersions+`
		where ($1 = '' or v.client_id = $1)
		  and v.revision = (select max(n.revision) from contract_versions n where n.contract_id = v.contract_id)
		order by v.client_id, v.contract_id`, client)
	if err != nil {
		return nil, fmt.Errorf("list contracts: %w", err)
	}
	versions, err := pgx.CollectRows(rows, pgx.RowToStructByPos[ContractVersion])
	if err != nil {
		return nil, fmt.Errorf("list contracts: %w", err)
	}
	return versions, nil
}
