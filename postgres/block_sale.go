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
	err = s.tx(ctx, "grant a block to "+g.Contract, func(t *tx) error {
		seller, err := s.sellerOf(ctx, t, g.Contract)
		if err != nil {
			return err
		}
		facts, decision, err := s.decideSale(ctx, t, g, seller)
		if err != nil {
			return err
		}
		var counters []billing.Counter
		made := shelved{Contract: g.Contract, Client: seller.client.ID}
		b := t.batch()
		// The counter of what is lent is locked by every closing, too, that uses hours ahead of a block.
		lent := billing.OverdrawnKey(g.Contract)
		keys := append(seller.late.keysOf(decision.Charges), lent)
		slices.Sort(keys)
		queueCounters(b, seller.client.ID, keys, &counters)
		// Two grants of the same key: the second waits for the first, and then does nothing.
		b.Queue(`
insert into blocks (contract_id, client_id, operation_key, granted_ms, remaining_ms, priority, granted_at, expires_at, price, currency, sold_unpaid)
values ($1, $2, $3, $4, $4, $5, $6, nullif($7::timestamptz, '0001-01-01 00:00:00Z'), $8, $9, $10)
on conflict (operation_key) do nothing returning id, granted_ms`,
			g.Contract, seller.client.ID, g.OperationKey, g.ms(), g.Priority, g.GrantedAt, g.ExpiresAt, g.Price, g.Currency, g.Unpaid).Query(func(rows pgx.Rows) error {
			_, err := pgx.ForEachRow(rows, []any{&made.ID, &made.LeftMS}, func() error { return nil })
			return err
		})
		if err := t.send(ctx, b); err != nil {
			return err
		}
		b = t.batch()
		if made.ID != 0 {
			var m moves
			if i := slices.IndexFunc(counters, func(c billing.Counter) bool { return c.Key == lent }); i >= 0 {
				queueRepayment(b, &m, &made, made.LeftMS, counters[i].Value, s.now())
			}
			if err := m.queue(b, shelf{}, s.now()); err != nil {
				return err
			}
			row := postingRow{key: "sale/" + g.OperationKey, kind: kindSale, by: cmp.Or(g.By, itself), says: "A block of " + inHours(g.ms()) + " for " + money(g.Price, g.Currency)}
			if err := s.postSale(ctx, t, b, row, seller, facts, decision); err != nil {
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

// decideSale decides what the block costs: nothing, where it has no price or somebody else bills it.
func (s *Store) decideSale(ctx context.Context, t *tx, g BlockGrant, of seller) (billing.SaleFacts, billing.SaleDecision, error) {
	f := billing.SaleFacts{
		Rules: billing.Rules, Key: g.OperationKey, Client: of.client.ID, Contract: g.Contract, MS: g.ms(), Price: g.Price, Currency: g.Currency,
	}
	if g.Billed || g.Price.IsZero() {
		return f, billing.SaleDecision{}, nil
	}
	zone, err := sla.Zone(of.client.TimeZone)
	if err != nil {
		return f, billing.SaleDecision{}, fmt.Errorf("client %s: %w", of.client.ID, err)
	}
	f.Date = sla.DateAt(g.GrantedAt, zone).String()
	for i := range of.versions {
		if of.versions[i].InForce(g.GrantedAt) {
			f.Version = &of.versions[i]
		}
	}
	d, err := billing.DecideSale(f)
	return f, d, err
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

// CancelBlock takes an unused block back and its price with it, once. One that has paid for work, or that a hold
// reserves, is refused: what it paid for would be free.
//
// Locks, in the order of every transaction of money: counters by key; the block; the open invoice, shared.
func (s *Store) CancelBlock(ctx context.Context, id int64, by, why string) (block Block, err error) {
	if why == "" {
		return Block{}, ticket.Invalid("reason", "", "is empty", "say why the block is taken back")
	}
	contract, sold, err := s.soldBy(ctx, id)
	if err != nil {
		return Block{}, err
	}
	err = s.tx(ctx, fmt.Sprintf("cancel block %d", id), func(t *tx) error {
		of, err := s.sellerOf(ctx, t, contract)
		if err != nil {
			return err
		}
		facts, decision, err := s.decideReturn(ctx, t, id, sold, why)
		if err != nil {
			return err
		}
		on, who := shelf{}, map[string]actor{}
		b := t.batch()
		if keys := of.late.keysOf(decision.Charges); len(keys) > 0 {
			queueCounters(b, of.client.ID, keys, nil)
		}
		on.queue(b, "where b.id = $1", id)
		queueActors(b, []string{by}, who)
		if err := t.send(ctx, b); err != nil {
			return err
		}
		if err := mayOnBlocks(who, by, "cancel it"); err != nil {
			return err
		}
		row, at := on[id], s.now()
		b = t.batch()
		if !row.Cancelled {
			if err := row.cancellable(); err != nil {
				return err
			}
			if err := asSold(ctx, t, sold); err != nil {
				return err
			}
			b.Queue(`insert into block_moves (block_id, client_id, kind, ms, operation_key, at) values ($1, $2, 'cancel', $3, $4, $5)`,
				id, row.Client, row.LeftMS, fmt.Sprintf("cancel/%d", id), at)
			b.Queue("update blocks set remaining_ms = remaining_ms - $2, cancelled_at = $3, cancelled_by = $4, cancelled_why = $5 where id = $1",
				id, row.LeftMS, at, by, why)
			posting := postingRow{key: fmt.Sprintf("return/%d", id), kind: kindReturn, by: by, says: fmt.Sprintf("Block %d of %s taken back: %s", id, inHours(row.GrantedMS), why)}
			if err := s.postSale(ctx, t, b, posting, of, facts, decision); err != nil {
				return err
			}
		}
		b.Queue(selectBlocks+" where id = $1", id).Query(func(rows pgx.Rows) (err error) {
			block, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[Block])
			return err
		})
		return t.commit(ctx, b)
	})
	return block, err
}

// cancellable says why a block cannot be taken back, if it cannot.
func (b *shelved) cancellable() error {
	switch {
	case b.Clause != "":
		return ticket.Invalid("block", b.ID, "was not sold: clause "+b.Clause+" grants it", "apply a revision of the contract that grants less")
	case b.EndedAt != nil:
		return ticket.Invalid("block", b.ID, "has ended: "+inHours(b.ForfeitedMS)+" of it expired", "credit the client by a line of its own")
	case b.LeftMS != b.GrantedMS:
		return ticket.Invalid("block", b.ID, fmt.Sprintf("is partly used: %s of its %s are drawn or reserved", inHours(b.GrantedMS-b.LeftMS), inHours(b.GrantedMS)),
			"reopen the tickets that it paid for first, or credit what is left by a line of its own")
	}
	return nil
}

// soldBy finds whose contract the block is of, and the charge that sold it; 0 where none did.
func (s *Store) soldBy(ctx context.Context, id int64) (contract string, charge int64, err error) {
	type sold struct {
		Contract string
		Charge   int64
	}
	found, err := collect[sold](ctx, s.pool, "block", `
select b.contract_id, coalesce(
  (select c.id from postings p join charges c on c.posting_id = p.id and c.adjusts is null where p.key = 'sale/' || b.operation_key),
  (select c.id from charges c where c.closure_id = b.closure_id and c.key like '%/' || b.operation_key), 0)
from blocks b where b.id = $1`, id)
	if err != nil {
		return "", 0, err
	}
	if len(found) == 0 {
		return "", 0, ticket.Invalid("block", id, "does not exist", "`docket block list` shows the blocks")
	}
	return found[0].Contract, found[0].Charge, nil
}

// decideReturn gives back what the block was sold for, unless that is undone already.
func (s *Store) decideReturn(ctx context.Context, t *tx, id, charge int64, why string) (billing.ReturnFacts, billing.SaleDecision, error) {
	f := billing.ReturnFacts{Rules: billing.Rules, Block: id, Charge: charge, Why: why}
	if charge == 0 {
		return f, billing.SaleDecision{}, nil
	}
	whole, from, err := Reads{q: t.conn}.charge(ctx, charge)
	if err != nil || from.reversedBy != 0 {
		return f, billing.SaleDecision{}, err
	}
	f.Sold = whole
	d, err := billing.DecideReturn(f)
	return f, d, err
}

// asSold refuses to give a block's price back where somebody has taken something off it: it would be given back twice.
// The block's lock keeps whoever would do so now.
func asSold(ctx context.Context, t *tx, sold int64) error {
	type taken struct{ By string }
	found, err := collect[taken](ctx, t.conn, "what was taken off the block's price", `
with recursive family as (
  select c.id, c.kind from charges c where c.id = $1
  union all
  select c.id, c.kind from family f join charges c on c.adjusts = f.id
)
select 'L-' || id from family where kind = 'discount'
union all
select n.number from family f join credit_note_lines l on l.charge_id = f.id join credit_notes n on n.id = l.note_id
limit 1`, sold)
	if err != nil || len(found) == 0 {
		return err
	}
	return ticket.Invalid("block", ticket.LineID(sold), "was sold for less: "+found[0].By+" took something off its price", "give back the rest by a credit note, and leave the block to the client")
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
