package postgres

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/shopspring/decimal"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

// blockDeed locks one block, lets do queue what somebody with the right to it does, and answers with the block.
func (s *Store) blockDeed(ctx context.Context, id int64, by, what string, do func(context.Context, *tx, *pgx.Batch, *shelved) error) (block Block, err error) {
	err = s.tx(ctx, fmt.Sprintf("block %d", id), func(t *tx) error {
		on, who := shelf{}, map[string]actor{}
		b := t.batch()
		on.queue(b, "where b.id = $1", id)
		queueActors(b, []string{by}, who)
		if err := t.send(ctx, b); err != nil {
			return err
		}
		if err := mayOnBlocks(who, by, what); err != nil {
			return err
		}
		row := on[id]
		if row == nil {
			return ticket.Invalid("block", id, "does not exist", "`docket block list` shows the blocks")
		}
		b = t.batch()
		if err := do(ctx, t, b, row); err != nil {
			return err
		}
		b.Queue(selectBlocks+" where id = $1", id).Query(func(rows pgx.Rows) (err error) {
			block, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[Block])
			return err
		})
		return t.commit(ctx, b)
	})
	return block, err
}

// mayOnBlocks says whether the person may say what became of a block's price: nil, or a Problem.
func mayOnBlocks(who map[string]actor, by, what string) error {
	person, err := pick(who, "by", by)
	if err != nil {
		return err
	}
	if !person.mayFinalise() {
		return ticket.Invalid("by", by, "may not "+what, "it takes the role owner or finance")
	}
	return nil
}

// inHours tells milliseconds as hours with two decimals at most.
func inHours(ms int64) string { return decimal.NewFromInt(ms).Div(msPerHour).Round(2).String() + " h" }

// EndBlocks puts on record the end of every block that has expired by an instant, of one contract or, with contract empty,
// of all: what is left of an allowance rolls over as far as its contract lets it, and everything else expires. Each
// block ends once, in a transaction of its own; the blocks that ended are given.
func (s *Store) EndBlocks(ctx context.Context, contract string, at time.Time) ([]Block, error) {
	ended := []Block{}
	for {
		// What rolled over into a period that is over, too, ends after it: so until there is none.
		due, err := s.blocks(ctx, " where ended_at is null and cancelled_at is null and expires_at <= $1 and ($2 = '' or contract_id = $2) order by expires_at, id limit 500", at, contract)
		if err != nil || len(due) == 0 {
			return ended, err
		}
		for _, d := range due {
			block, err := s.endBlock(ctx, d, at)
			if err != nil {
				return ended, err
			}
			ended = append(ended, block)
		}
	}
}

// ExpireBlocks ends every block that has expired by now, and says how many.
func (s *Store) ExpireBlocks(ctx context.Context) (int, error) {
	ended, err := s.EndBlocks(ctx, "", s.now().UTC())
	return len(ended), err
}

func (s *Store) endBlock(ctx context.Context, due Block, at time.Time) (block Block, err error) {
	err = s.tx(ctx, fmt.Sprintf("end block %d", due.ID), func(t *tx) error {
		next, err := s.follows(ctx, t, due)
		if err != nil {
			return err
		}
		look := func(on shelf, b *pgx.Batch) {
			on.queue(b, "where b.id = $1 or b.rolled_from = $1", due.ID)
		}
		on := shelf{}
		b := t.batch()
		look(on, b)
		if err := t.send(ctx, b); err != nil {
			return err
		}
		for row := on[due.ID]; row.EndedAt == nil; row = on[due.ID] {
			b := t.batch()
			if err := on.queueEnd(b, row, next, at); err != nil {
				return err
			}
			look(on, b)
			if err := t.send(ctx, b); err != nil {
				return err
			}
		}
		b = t.batch()
		b.Queue(selectBlocks+" where id = $1", due.ID).Query(func(rows pgx.Rows) (err error) {
			block, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[Block])
			return err
		})
		return t.commit(ctx, b)
	})
	return block, err
}

// follows gives the allowance that a block's unused hours may roll over into; nil for a bought one, for hours that rolled
// over already, and where the next period grants nothing.
func (s *Store) follows(ctx context.Context, t *tx, b Block) (*billing.Allowance, error) {
	if b.Clause == "" || b.RolledFrom != 0 {
		return nil, nil
	}
	versions, err := s.versionsOf(ctx, t, b.Contract)
	if err != nil {
		return nil, err
	}
	return allowed(versions, b.Clause, billing.PeriodAfter(versions, billing.PeriodOn(versions, b.Period))), nil
}

// GrantAllowances grants what the contract's buckets grant for the billing period that a local date lies in, and ends the
// period before: what the first closing of the period would do. Each grant has the key of its contract, clause and
// period, so nothing is granted twice; the allowances of the period are given.
func (s *Store) GrantAllowances(ctx context.Context, contract, date string, at time.Time) (granted []Block, err error) {
	err = s.tx(ctx, "grant the allowances of "+contract, func(t *tx) error {
		granted = nil
		period, err := s.grantAllowances(ctx, t, contract, date, at)
		if err != nil || period == nil {
			return err
		}
		b := t.batch()
		b.Queue(selectBlocks+" where contract_id = $1 and clause <> '' and period = $2::text::date and granted_ms > 0 order by clause, id",
			contract, period.Start).Query(func(rows pgx.Rows) (err error) {
			granted, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Block])
			return err
		})
		return t.commit(ctx, b)
	})
	return slices.Clip(granted), err
}

// grantAllowances does it within a transaction, and gives the period; nil where the contract has no buckets.
func (s *Store) grantAllowances(ctx context.Context, t *tx, contract, date string, at time.Time) (*billing.Period, error) {
	var (
		rows   []versionRow
		client string
	)
	b := t.batch()
	queueVersionsOf(b, contract, &rows, &client)
	if err := t.send(ctx, b); err != nil {
		return nil, err
	}
	versions, err := s.versions(ctx, t.conn, rows, always.from, always.to)
	if err != nil {
		return nil, err
	}
	period := billing.PeriodOn(versions, date)
	var wants []billing.BucketWant
	for _, clause := range billing.BucketClauses(versions) {
		wants = append(wants, billing.BucketWant{Contract: contract, Clause: clause, Period: period})
	}
	if len(wants) == 0 {
		return nil, nil
	}
	stock, err := s.stocks(ctx, t.conn, client, rows, wants)
	if err != nil {
		return nil, err
	}
	on := shelf{}
	look := func(b *pgx.Batch) { on.queueWanted(b, nil, stock) }
	b = t.batch()
	look(b)
	if err := t.send(ctx, b); err != nil {
		return nil, err
	}
	return &period, stock.fill(ctx, t, on, at, look)
}

func (s *Store) versionsOf(ctx context.Context, t *tx, contract string) ([]billing.Version, error) {
	var (
		rows   []versionRow
		client string
	)
	b := t.batch()
	queueVersionsOf(b, contract, &rows, &client)
	if err := t.send(ctx, b); err != nil {
		return nil, err
	}
	return s.versions(ctx, t.conn, rows, always.from, always.to)
}

// queueVersionsOf reads the versions of one contract that count, and whose it is.
func queueVersionsOf(b *pgx.Batch, contract string, into *[]versionRow, client *string) {
	b.Queue(`
select distinct on (effective_from) contract_id, revision, digest from contract_versions where contract_id = $1
order by effective_from, revision desc`, contract).Query(func(rows pgx.Rows) (err error) {
		*into, err = pgx.CollectRows(rows, pgx.RowToStructByPos[versionRow])
		return err
	})
	b.Queue("select client_id from contracts where id = $1", contract).QueryRow(func(row pgx.Row) error { return row.Scan(client) })
}
