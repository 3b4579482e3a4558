package postgres

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

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
		keys := of.late.keysOf(decision.Charges)
		if order := facts.Sold.OrderKey(); order != "" {
			keys = append(keys, order)
			slices.Sort(keys)
		}
		if keys = slices.Compact(keys); len(keys) > 0 {
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
			if err := row.cancellable(at); err != nil {
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
func (b *shelved) cancellable(at time.Time) error {
	expired := !b.ExpiresAt.IsZero() && !b.ExpiresAt.After(at) // also where no sweep has put its end on record yet
	switch {
	case b.Clause != "":
		return ticket.Invalid("block", b.ID, "was not sold: clause "+b.Clause+" grants it", "apply a revision of the contract that grants less")
	case b.EndedAt != nil || expired:
		return ticket.Invalid("block", b.ID, "has ended: "+inHours(b.ForfeitedMS+b.LeftMS)+" of it expired", "credit the client by a line of its own")
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
select n.number from family f join (
  select charge_id, note_id from credit_note_lines union all select charge_id, note_id from credit_note_shares
) l on l.charge_id = f.id join credit_notes n on n.id = l.note_id
limit 1`, sold)
	if err != nil || len(found) == 0 {
		return err
	}
	return ticket.Invalid("block", ticket.LineID(sold), "was sold for less: "+found[0].By+" took something off its price", "give back the rest by a credit note, and leave the block to the client")
}
