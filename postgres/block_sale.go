package postgres

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/sla"
	"github.com/docket-psa/docket/ticket"
)

// The kinds of posting that selling a block and taking it back are.
const (
	kindSale   = "block-sale"
	kindReturn = "block-return"
)

// GrantBlock gives the contract a block of hours, once for each operation key. Its price posts as a line of its own, by
// a posting with the same key, unless it is on an invoice elsewhere; and it pays back what was used ahead of it. A
// repetition answers with the block as it stands now; the same key with other terms is a Problem.
//
// Locks, in the order of every transaction of money: counters by key; the block, which is new; the open invoice, shared.
func (s *Store) GrantBlock(ctx context.Context, g BlockGrant) (block Block, err error) {
	if err := g.problems(); err != nil {
		return Block{}, err
	}
	if err := s.mustExist(ctx, "contract", "contracts", g.Contract, "apply the contract first; `docket contract list` shows them"); err != nil {
		return Block{}, err
	}
	if g.By != "" { // who renews one by a contract's rule is nobody
		people, err := s.people(ctx, g.By)
		if err != nil {
			return Block{}, err
		}
		if err := mayOnBlocks(people, g.By, "sell blocks of hours"); err != nil {
			return Block{}, err
		}
	}
	err = s.tx(ctx, "grant a block to "+g.Contract, func(t *tx) error {
		seller, err := s.sellerOf(ctx, t, g.Contract)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(seller.versions, func(v billing.Version) bool { return v.Terms.DrawsBlocks() }) {
			return ticket.Invalid("contract", g.Contract, "has no line that would draw the hours", "apply a revision with a line that says charge: block, then sell the block")
		}
		facts, err := saleFacts(g, seller)
		if err != nil {
			return err
		}
		var counters []billing.Counter
		made := shelved{Contract: g.Contract, Client: seller.client.ID}
		b := t.batch()
		// The counter of what is lent is locked by every closing, too, that uses hours ahead of a block.
		lent := billing.OverdrawnKey(g.Contract)
		keys := append(seller.late.keys(facts.dates()...), lent)
		if order := facts.OrderCounter(); order != "" {
			keys = append(keys, order)
		}
		keys = slices.Compact(slices.Sorted(slices.Values(keys)))
		queueCounters(b, seller.client.ID, keys, &counters)
		// Two grants of the same key: the second waits for the first, and then does nothing.
		b.Queue(`
insert into blocks (contract_id, client_id, operation_key, granted_ms, remaining_ms, priority, granted_at, expires_at, price, currency, sold_unpaid)
values ($1, $2, $3, $4, $4, $5, $6, nullif($7::timestamptz, '0001-01-01 00:00:00Z'), $8, $9, $10)
on conflict (operation_key) do nothing returning id, granted_ms`,
			g.Contract, seller.client.ID, g.OperationKey, g.ms(), g.Priority, g.GrantedAt, g.ExpiresAt, g.Price, g.Currency, g.Unpaid || g.bills()).Query(func(rows pgx.Rows) error {
			_, err := pgx.ForEachRow(rows, []any{&made.ID, &made.LeftMS}, func() error { return nil })
			return err
		})
		if err := t.send(ctx, b); err != nil {
			return err
		}
		b = t.batch()
		if made.ID != 0 {
			decision, err := facts.decide(counters)
			if err != nil {
				return err
			}
			var m moves
			if i := slices.IndexFunc(counters, func(c billing.Counter) bool { return c.Key == lent }); i >= 0 {
				queueRepayment(b, &m, &made, made.LeftMS, counters[i].Value, s.now())
			}
			if err := m.queue(b, shelf{}, s.now()); err != nil {
				return err
			}
			row := postingRow{key: "sale/" + g.OperationKey, kind: kindSale, by: cmp.Or(g.By, itself), says: "A block of " + inHours(g.ms()) + " for " + money(g.Price, g.Currency)}
			if err := s.postSale(ctx, t, b, row, seller, facts.SaleFacts, decision); err != nil {
				return err
			}
		}
		b.Queue(selectBlocks+" where operation_key = $1", g.OperationKey).Query(func(rows pgx.Rows) error {
			block, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[Block])
			return err
		})
		return t.commit(ctx, b)
	})
	if err != nil {
		return Block{}, err
	}
	if !g.made(block) {
		return block, ticket.Invalid("operation_key", g.OperationKey, "was used for another block", "choose a new key for a new block; repeat a grant unchanged")
	}
	return block, nil
}

func (g BlockGrant) ms() int64 { return g.Hours.Mul(msPerHour).IntPart() }

// made says whether the block is the one that was asked for.
func (g BlockGrant) made(b Block) bool {
	expires := time.Time{}
	if b.ExpiresAt != nil {
		expires = *b.ExpiresAt
	}
	return b.Contract == g.Contract && b.GrantedMS == g.ms() && b.Priority == g.Priority &&
		b.GrantedAt.Equal(g.GrantedAt.Truncate(time.Microsecond)) && expires.Equal(g.ExpiresAt.Truncate(time.Microsecond)) &&
		b.Price.Equal(g.Price) && b.Currency == g.Currency && b.Clause == ""
}

// seller is what selling a block of a contract needs to know.
type seller struct {
	client   clientTerms
	versions []billing.Version // of the contract
	late     adjuster
}

func (s *Store) sellerOf(ctx context.Context, t *tx, contract string) (of seller, err error) {
	var (
		client string
		rows   []versionRow
	)
	b := t.batch()
	b.Queue(`
select c.id, c.time_zone, c.currency, c.payer_id from clients c join contracts k on k.client_id = c.id where k.id = $1`, contract).Query(func(rows pgx.Rows) error {
		of.client, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[clientTerms])
		return err
	})
	queueVersionsOf(b, contract, &rows, &client)
	if err := t.send(ctx, b); err != nil {
		return of, err
	}
	if of.versions, err = s.versions(ctx, t.conn, rows, always.from, always.to); err != nil {
		return of, err
	}
	of.late, err = s.adjuster(ctx, t.conn, lockedTicket{ClientID: client, PayerID: of.client.PayerID}, rows)
	return of, err
}

// sale is what a grant sells.
type sale struct {
	billing.SaleFacts
	bills bool // false: it has no price, or somebody else bills it
}

func saleFacts(g BlockGrant, of seller) (sale, error) {
	f := sale{bills: g.bills(), SaleFacts: billing.SaleFacts{
		Rules: billing.Rules, Key: g.OperationKey, Client: of.client.ID, Contract: g.Contract, MS: g.ms(), Price: g.Price, Currency: g.Currency,
	}}
	if !f.bills {
		return f, nil
	}
	zone, err := sla.Zone(of.client.TimeZone)
	if err != nil {
		return f, fmt.Errorf("client %s: %w", of.client.ID, err)
	}
	f.Date = sla.DateAt(g.GrantedAt, zone).String()
	for i := range of.versions {
		if of.versions[i].InForce(g.GrantedAt) {
			f.Version = &of.versions[i]
		}
	}
	return f, nil
}

// bills says whether the block's price posts as a line of ours.
func (g BlockGrant) bills() bool { return !g.Billed && !g.Price.IsZero() }

// dates are those of the lines that the sale may post.
func (f *sale) dates() []string {
	if !f.bills {
		return nil
	}
	return []string{f.Date}
}

// decide decides what the block costs, and refuses what its purchase order does not reach to. The counters are locked.
func (f *sale) decide(counters []billing.Counter) (billing.SaleDecision, error) {
	if !f.bills {
		return billing.SaleDecision{}, nil
	}
	if order := f.OrderCounter(); order != "" {
		f.Counters = slices.DeleteFunc(slices.Clone(counters), func(c billing.Counter) bool { return c.Key != order })
	}
	if beyond := f.BeyondOrder(); beyond != "" {
		return billing.SaleDecision{}, ticket.Invalid("price", money(f.Price, f.Currency), beyond,
			"apply a revision of the contract with a new order, or one that reaches further; a block on an invoice elsewhere is sold with --billed")
	}
	return billing.DecideSale(f.SaleFacts)
}

// postSale queues the posting of a sale or of a return with its lines; nothing where it costs nothing.
func (s *Store) postSale(ctx context.Context, t *tx, b *pgx.Batch, row postingRow, of seller, facts any, decision billing.SaleDecision) error {
	if len(decision.Charges) == 0 {
		return nil
	}
	ids, err := s.postings.take(ctx, t.conn, 1)
	if err != nil {
		return err
	}
	row.id, row.client, row.contract, row.rules = ids[0], of.client.ID, decision.Charges[0].Contract, decision.Rules
	row.state, row.at = billing.PostingPosted, s.now().UTC()
	if row.facts, err = billing.Canonical(facts); err != nil {
		return err
	}
	if row.decision, err = billing.Canonical(decision); err != nil {
		return err
	}
	row.digest = billing.DigestOf(row.decision)
	s.queuePosting(b, row)
	var (
		invoices []invoiceRow
		moved    moves
	)
	if _, err := s.postCharges(ctx, t, b, row, of.client.PayerID, decision.Charges, &invoices, &moved); err != nil {
		return err
	}
	return s.adjustPeriods(ctx, t, b, of.late, lateness{posting: posting{at: row.at}, because: row.says, charges: decision.Charges, moves: &moved, invoices: &invoices})
}

// soldBlocks finds the blocks that lines sold, also by a line that bills a void invoice's sale again.
func soldBlocks(lines string) string {
	return `
with recursive up as (
  select l.charge_id as line, c.id, c.adjusts from invoice_lines l join charges c on c.id = l.charge_id where ` + lines + `
  union all
  select up.line, c.id, c.adjusts from up join charges c on c.id = up.adjusts
), sold as (
  select b.id, up.line from up join charges c on c.id = up.id
    join postings p on p.id = c.posting_id and p.kind = 'block-sale' join blocks b on b.operation_key = substr(p.key, length('sale/') + 1)
  union
  select b.id, up.line from up join charges c on c.id = up.id
    join blocks b on b.closure_id = c.closure_id and c.key like '%/' || b.operation_key
)`
}

// Which lines are meant: those of an invoice, or one.
const (
	ofInvoice = "l.invoice_id = $1"
	oneLine   = "l.charge_id = $1"
)

// queueSoldBlocks locks the blocks that lines sold, before their invoice: nobody draws from them or takes them back
// meanwhile.
func queueSoldBlocks(b *pgx.Batch, lines string, id int64) {
	b.Queue(soldBlocks(lines)+" select from blocks where id in (select id from sold) order by id for update", id)
}

// unusedOnly refuses what would take back the sale of a block that has paid for work: it would have been for nothing.
func (d *invoiceDeed) unusedOnly(ctx context.Context, t *tx) error {
	type used struct {
		Block   int64
		Line    int64
		Granted int64
		Used    int64
	}
	found, err := collect[used](ctx, t.conn, "the blocks that the invoice sold", soldBlocks(ofInvoice)+`
select b.id, s.line, b.granted_ms, b.granted_ms - b.remaining_ms - b.forfeited_ms
from sold s join blocks b on b.id = s.id
where b.cancelled_at is null and b.granted_ms - b.remaining_ms - b.forfeited_ms > 0 order by b.id, s.line limit 1`, d.found.ID)
	if err != nil || len(found) == 0 {
		return err
	}
	u := found[0]
	return ticket.Invalid("invoice", d.name(), fmt.Sprintf("sold block %d (%s), of whose %s %s are drawn or reserved", u.Block, ticket.LineID(u.Line), inHours(u.Granted), inHours(u.Used)),
		"the hours that it paid for would be free; reopen those tickets first, or credit what is left: "+d.creditCommand(d.stands.Payable.Sub(d.stands.Credited)))
}
