package postgres

import (
	"context"
	"fmt"
	"time"
)

// Blocks lists the blocks of hours, of one contract or, with contract empty, of all. Bought blocks are low where what they
// hold together has come down to the contract's reorder_at or, without one, below a tenth of what they were.
func (s *Store) Blocks(ctx context.Context, contract string) ([]Block, error) {
	blocks, err := s.Reads.Blocks(ctx, contract)
	if err != nil {
		return nil, err
	}
	low, err := s.lowBlocks(ctx, blocks)
	if err != nil {
		return nil, err
	}
	for i := range blocks {
		l, ok := low[blocks[i].Contract]
		blocks[i].Low = ok && l.low() && blocks[i].usable(s.now())
	}
	return blocks, nil
}

// usable says whether the block can pay for work that is done now.
func (b Block) usable(now time.Time) bool {
	return b.Clause == "" && b.CancelledAt == nil && !b.GrantedAt.After(now) && (b.ExpiresAt == nil || b.ExpiresAt.After(now))
}

// bookedHours are the bought hours of one contract.
type bookedHours struct {
	granted, left, mark int64 // mark: the contract's reorder_at; 0: none
}

func (h bookedHours) low() bool {
	if h.mark > 0 {
		return h.left <= h.mark
	}
	return h.left*10 < h.granted
}

// lowBlocks sums the bought hours of each contract that can be used now.
func (s *Store) lowBlocks(ctx context.Context, blocks []Block) (map[string]bookedHours, error) {
	now, hours := s.now(), map[string]bookedHours{}
	for _, b := range blocks {
		if !b.usable(now) {
			continue
		}
		h, seen := hours[b.Contract]
		if !seen {
			mark, err := s.reorderAt(ctx, b.Contract, now)
			if err != nil {
				return nil, err
			}
			h.mark = mark
		}
		h.granted, h.left = h.granted+b.GrantedMS, h.left+b.RemainingMS
		hours[b.Contract] = h
	}
	return hours, nil
}

// reorderAt is the mark of the contract's version in force at an instant; 0 where it has none.
func (s *Store) reorderAt(ctx context.Context, contract string, at time.Time) (int64, error) {
	rows, err := collect[versionRow](ctx, s.pool, "contract versions", `
select distinct on (effective_from) contract_id, revision, digest from contract_versions where contract_id = $1
order by effective_from, revision desc`, contract)
	if err != nil {
		return 0, err
	}
	versions, err := s.versions(ctx, s.pool, rows, at, at)
	if err != nil {
		return 0, err
	}
	for _, v := range versions {
		if v.InForce(at) {
			return v.Terms.ReorderAt(), nil
		}
	}
	return 0, nil
}

// lookAtBlocks finds contracts whose bought hours run out, and blocks whose end nobody has put on record.
func (s *Store) lookAtBlocks(ctx context.Context, p Patience) ([]Finding, error) {
	blocks, err := s.Blocks(ctx, "")
	if err != nil {
		return nil, err
	}
	low, err := s.lowBlocks(ctx, blocks)
	if err != nil {
		return nil, err
	}
	var found []Finding
	told := map[string]bool{}
	for _, b := range blocks {
		switch {
		case b.Low && !told[b.Contract]:
			told[b.Contract] = true
			found = append(found, Finding{
				Severity: Notice, What: b.Contract, Owner: "owner", Do: "offer the client a new block",
				Why: fmt.Sprintf("%s of %s block hours are left%s", inHours(low[b.Contract].left), inHours(low[b.Contract].granted), tellMark(low[b.Contract].mark)),
			})
		case b.EndedAt == nil && b.CancelledAt == nil && b.RemainingMS > 0 && b.ExpiresAt != nil && b.ExpiresAt.Before(s.now().Add(-p.Move)):
			found = append(found, Finding{
				Severity: Notice, What: fmt.Sprintf("block %d", b.ID), AgeMS: s.now().Sub(*b.ExpiresAt).Milliseconds(), Owner: "finance",
				Why: fmt.Sprintf("a block of %s has expired with %s left, and its end is not on record", b.Contract, inHours(b.RemainingMS)),
				Do:  "`docket block expire`",
			})
		}
	}
	return found, nil
}

// TellLowBlocks tells of contracts whose bought hours run out, each purchase once, and gives how many it looked at. Called
// again and again, it tells nobody twice.
func (s *Store) TellLowBlocks(ctx context.Context) (int, error) {
	blocks, err := s.Blocks(ctx, "")
	if err != nil {
		return 0, err
	}
	low, err := s.lowBlocks(ctx, blocks)
	if err != nil {
		return 0, err
	}
	bought := map[string]Block{} // the last purchase of each contract that is low
	for _, b := range blocks {
		if b.Low && b.ID > bought[b.Contract].ID {
			bought[b.Contract] = b
		}
	}
	for contract, last := range bought {
		says := fmt.Sprintf("%s of %s block hours of %s are left%s", inHours(low[contract].left), inHours(low[contract].granted), contract, tellMark(low[contract].mark))
		e := event{Kind: "block-low", Effect: true}
		wanted, err := e.notices()
		if err != nil {
			return 0, err
		}
		if _, err := s.pool.Exec(ctx, fmt.Sprintf(insertNotice, 6), fmt.Sprintf("block-low %s %d", contract, last.ID), last.Client, s.now(), itself, says+".", wanted); err != nil {
			return 0, fmt.Errorf("tell that the block hours of %s run out: %w", contract, err)
		}
	}
	return len(bought), nil
}

func tellMark(ms int64) string {
	if ms == 0 {
		return ""
	}
	return ", and " + inHours(ms) + " is the mark at which to order"
}
