package postgres

// What the audit proves by single statements. Each gives one sentence a finding.
const (
	wrongStages = `
select format('T-%s is %s, and round %s has no closure', t.number, t.stage, t.round) from tickets t
where t.stage in ('held', 'posted') and not exists (select from closures c where c.ticket = t.number and c.round = t.round)
union all
select format('T-%s is posted, and H-%s still waits', t.number, h.id) from tickets t join holds h on h.ticket = t.number
where t.stage = 'posted' and h.state = 'open'
union all
select format('T-%s is held, and nothing waits', t.number) from tickets t
where t.stage = 'held' and not exists (select from holds h where h.ticket = t.number and h.state = 'open')
order by 1`

	wrongBlocks = `
with moved as (
  select block_id, sum(ms) as ms, sum(ms) filter (where kind in ('forfeit', 'restore')) as forfeited,
    sum(ms) filter (where kind in ('roll', 'unroll')) as rolled, sum(ms) filter (where kind = 'repay') as repaid
  from block_moves group by 1
), given as (
  select block_id, sum(ms) as ms from block_grants group by 1
), passed as (
  select from_block, sum(ms) as ms from block_grants where from_block is not null group by 1
), paid as (
  select block_id, -sum(quantity) as ms from counter_moves where kind = 'repay' group by 1
)
select format('block %s of %s: %s ms remain, its moves leave %s', b.id, b.contract_id, b.remaining_ms, b.granted_ms - coalesce(m.ms, 0))
from blocks b left join moved m on m.block_id = b.id
where b.remaining_ms <> b.granted_ms - coalesce(m.ms, 0)
union all
select format('block %s of %s: %s ms expired and %s rolled over, its moves say %s and %s', b.id, b.contract_id, b.forfeited_ms, b.rolled_ms,
  coalesce(m.forfeited, 0), coalesce(m.rolled, 0))
from blocks b left join moved m on m.block_id = b.id
where b.forfeited_ms <> coalesce(m.forfeited, 0) or b.rolled_ms <> coalesce(m.rolled, 0)
union all
select format('block %s of %s: %s ms were granted, its grants come to %s', b.id, b.contract_id, b.granted_ms, coalesce(g.ms, 0))
from blocks b left join given g on g.block_id = b.id
where b.clause <> '' and b.granted_ms <> coalesce(g.ms, 0)
union all
select format('block %s of %s: %s ms rolled over, the next period was granted %s', b.id, b.contract_id, b.rolled_ms, coalesce(p.ms, 0))
from blocks b left join passed p on p.from_block = b.id
where b.rolled_ms <> coalesce(p.ms, 0)
union all
select format('block %s of %s: it paid back %s ms, of which the counter was given %s', b.id, b.contract_id, coalesce(m.repaid, 0), coalesce(p.ms, 0))
from blocks b left join moved m on m.block_id = b.id left join paid p on p.block_id = b.id
where coalesce(m.repaid, 0) <> coalesce(p.ms, 0)
union all
select format('block %s of %s is %s, and its payments say otherwise', b.id, b.contract_id, case when b.paid_at is null then 'not paid' else 'paid' end)
from blocks b left join lateral (select paid from block_payments where block_id = b.id order by id desc limit 1) p on true
where (b.paid_at is not null) <> coalesce(p.paid, false)
union all
select format('block %s of %s is paid by %s, on which %s is owed', b.id, b.contract_id, i.number, s.owed)
from blocks b join lateral (select paid, invoice_id from block_payments where block_id = b.id order by id desc limit 1) p on p.paid
join invoice_standing s on s.invoice_id = p.invoice_id join invoices i on i.id = s.invoice_id
where b.cancelled_at is null and (s.owed <> 0 or s.void)
order by 1`

	// A move's worth hangs on what had left the block for good before it.
	wrongGone = `
select format('block %s: its move %s says that %s ms had left it before, the moves before it come to %s', block_id, id, gone_ms, gone)
from (
  select id, block_id, gone_ms, coalesce(sum(ms) filter (where kind not in ('reserve', 'release'))
    over (partition by block_id order by id rows between unbounded preceding and 1 preceding), 0) as gone
  from block_moves
) m
where gone_ms <> gone order by id`

	wrongCounters = `
select format('counter %s: stands at %s, its moves come to %s', c.key, c.value, coalesce(m.quantity, 0))
from counters c left join (select counter, sum(quantity) as quantity from counter_moves group by 1) m on m.counter = c.key
where c.value <> coalesce(m.quantity, 0) order by c.key`

	// An open hold reserves what its charges would take; a decided one nothing.
	wrongReservations = `
with moved as (
  select hold_id, 'block ' || block_id as what, sum(ms)::numeric as quantity from block_moves where hold_id is not null group by 1, 2
  union all
  select hold_id, 'counter ' || counter, sum(quantity) from counter_moves where hold_id is not null group by 1, 2
), quoted as (
  -- What a decision bought itself has a negative number in it.
  select h.id as hold_id, 'block ' || coalesce(b.id, (d ->> 'block')::bigint) as what, sum((d ->> 'ms')::numeric) as quantity
  from holds h cross join jsonb_array_elements(h.hold::jsonb -> 'charges') c cross join jsonb_array_elements(coalesce(c -> 'draws', '[]')) d
    left join blocks b on b.closure_id = h.closure_id and b.provisional = (d ->> 'block')::bigint
  where h.state = 'open' group by 1, 2
  union all
  select h.id, 'counter ' || (n ->> 'key'), sum((n ->> 'quantity')::numeric)
  from holds h, jsonb_array_elements(h.hold::jsonb -> 'charges') c, jsonb_array_elements(coalesce(c -> 'counts', '[]')) n
  where h.state = 'open' group by 1, 2
)
select format('H-%s reserves %s of %s, and should reserve %s', hold_id, coalesce(m.quantity, 0), what, coalesce(q.quantity, 0))
from moved m full join quoted q using (hold_id, what)
where coalesce(m.quantity, 0) <> coalesce(q.quantity, 0) order by hold_id, what`

	wrongTotals = `
select format('%s: total %s %s over %s lines, its lines come to %s over %s', i.number, i.total, i.currency, i.line_count,
  coalesce(s.total, 0), coalesce(s.lines, 0))
from invoices i left join (select invoice_id, sum(amount) as total, count(*) as lines from invoice_lines group by 1) s on s.invoice_id = i.id
where i.state = 'finalised' and (i.total <> coalesce(s.total, 0) or i.line_count <> coalesce(s.lines, 0)) order by i.number`

	wrongInvoices = `
select format('L-%s: %s for %s stands on invoice %s, which is %s for %s', l.charge_id, l.currency, l.payer_id, i.id, i.currency, i.payer_id)
from invoice_lines l join invoices i on i.id = l.invoice_id
where l.currency <> i.currency or l.payer_id <> i.payer_id order by l.charge_id`

	// Each series counts 1, 2, 3 … to the last number given; no number is given twice.
	wrongNumbers = `
with numbers as (
  select number from invoices where number is not null union all select number from credit_notes
), given as (
  select regexp_replace(number, '-[0-9]+$', '') as series, substring(number from '[0-9]+$')::bigint as n from numbers
), highest as (
  select series, max(n) as n from given group by 1
)
select format('series %s: the next number follows %s, the last one given is %s', coalesce(s.series, h.series), coalesce(s.last, 0), coalesce(h.n, 0))
from number_series s full join highest h using (series) where coalesce(s.last, 0) <> coalesce(h.n, 0)
union all
select format('series %s: %s is missing', h.series, m) from highest h, generate_series(1, h.n) m
where not exists (select from given g where g.series = h.series and g.n = m)
union all
select format('%s is the number of %s documents', number, count(*)) from numbers group by number having count(*) > 1
order by 1`
)
