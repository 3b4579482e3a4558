package postgres

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/docket-psa/docket/billing"
)

// ReportLeakage compares, by client, the work of the period on tickets that are closed with what became of it: each millisecond is billed, covered,
// not billable or waits for a person, each item is charged once or waits. What is left has leaked.
func (r Reads) ReportLeakage(ctx context.Context, f ReportFilter) ([]billing.LeakageRow, error) {
	if err := f.check(ctx, r); err != nil {
		return nil, err
	}
	return collect[billing.LeakageRow](ctx, r.q, "what became of closed work", accounted(false)+`
select client_id, count(distinct ticket)::int, sum(entries)::int, sum(ms)::bigint, sum(billed)::bigint, sum(covered)::bigint, sum(unbillable)::bigint,
  sum(waiting)::bigint, sum(items)::int, sum(abs(ms - billed - covered - unbillable - waiting))::bigint, (count(distinct ticket) filter (where leaks))::int
from (
  select w.client_id, s.ticket, 1 as entries, s.ms, s.billed, s.covered, s.unbillable, s.waiting, 0 as items,
    s.ms <> s.billed + s.covered + s.unbillable + s.waiting as leaks
  from sums s join work_entries w on w.id = s.id join clients c on c.id = w.client_id where `+inAt("w.started_at", "c.time_zone", "w.client_id")+`
  union all
  select i.client_id, s.ticket, 0, 0, 0, 0, 0, 0, 1, s.posted + s.waiting <> 1
  from item_sums s join ticket_items i on i.id = s.id where `+in("i.service_date", "i.client_id")+`
) x
group by 1 order by 1`, f.args()...)
}

// paceDays is how far back the pace of a block is measured.
const paceDays = 30

// ReportLowBlocks lists the contracts whose bought hours run low, as Blocks says, with when they are used up if the next days are like
// the last ones.
func (s *Store) ReportLowBlocks(ctx context.Context, client string) ([]billing.LowBlockRow, error) {
	if err := s.known(ctx, client); err != nil {
		return nil, err
	}
	blocks, err := s.Blocks(ctx, "")
	if err != nil {
		return nil, err
	}
	now := s.now().UTC()
	rows, contracts := []billing.LowBlockRow{}, []string{}
	for _, b := range blocks {
		if !b.Low || (client != "" && b.Client != client) {
			continue
		}
		if n := len(rows); n == 0 || rows[n-1].Contract != b.Contract {
			rows, contracts = append(rows, billing.LowBlockRow{Client: b.Client, Contract: b.Contract}), append(contracts, b.Contract)
		}
		r := &rows[len(rows)-1]
		r.Blocks, r.GrantedMS, r.LeftMS = r.Blocks+1, r.GrantedMS+b.GrantedMS, r.LeftMS+b.RemainingMS
		if b.ExpiresAt != nil && b.RemainingMS > 0 && (r.Expires == nil || b.ExpiresAt.Before(*r.Expires)) {
			r.Expires = b.ExpiresAt
		}
	}
	type pace struct {
		Contract string
		Since    time.Time
		Used     int64
	}
	paces, err := collect[pace](ctx, s.pool, "the pace of blocks", `
select b.contract_id, greatest(min(b.granted_at), $2), coalesce(sum(m.ms), 0)::bigint
from blocks b left join block_moves m on m.block_id = b.id and m.kind in ('draw', 'return') and m.at > $2
where b.contract_id = any ($1) and b.clause = '' group by 1`, contracts, now.AddDate(0, 0, -paceDays))
	if err != nil {
		return nil, err
	}
	for i := range rows {
		r := &rows[i]
		at := slices.IndexFunc(paces, func(p pace) bool { return p.Contract == r.Contract })
		if at < 0 {
			return nil, fmt.Errorf("contract %s has blocks, and none", r.Contract)
		}
		const day = 24 * time.Hour
		r.UsedMS, r.Days = paces[at].Used, min(max(1, int((now.Sub(paces[at].Since)+day-1)/day)), paceDays)
		if r.UsedMS > 0 {
			days := r.LeftMS * int64(r.Days) / r.UsedMS // whole ones: it lasts for at least so many
			out := now.AddDate(0, 0, int(days))
			r.RunsOut = &out
		}
	}
	return rows, nil
}
