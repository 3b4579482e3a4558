package postgres

// What the audit proves of the journal, by single statements: that each entry is what the row that it comes of books, and that
// the balances are those which the rows of money give by themselves. Each gives one sentence a finding.
const (
	// The rules of entries, read again. Dates are left out: a client's zone may have changed since.
	wrongEntries = `
select case
    when j.kind is null then format('%s/%s: %s %s to %s is not in the journal', d.kind, d.source, d.amount, d.unit, d.account)
    when d.kind is null then format('%s/%s: the journal books %s %s to %s, and nothing says so', j.kind, j.source, j.amount, j.unit, j.account)
    else format('%s/%s: the journal books %s %s to %s, and it is %s', j.kind, j.source, j.amount, j.unit, j.account, d.amount)
  end
from journal j full join journal_due d on (d.kind, d.source, d.account, d.unit) = (j.kind, j.source, j.account, j.unit)
where (j.amount, j.client_id, j.invoice_id, j.block_id) is distinct from (d.amount, d.client_id, d.invoice_id, d.block_id)
order by 1`

	// The dates of hours, but of deeds whose day hangs on the client's zone: what ends a block is booked on its last day, however late
	// it is swept.
	wrongDays = `
select format('%s/%s: the journal books it on %s, and its day is %s', j.kind, j.source, j.booked_on, d.booked_on)
from (select * from journal_blocks union all select * from journal_grants union all select * from journal_moves) d
join journal j on (j.kind, j.source, j.account, j.unit) = (d.kind, d.source, d.account, d.unit)
left join block_moves m on d.kind = 'move' and m.id = d.source
where j.booked_on <> d.booked_on and (m.id is null or m.charge_id is not null or m.kind in ('forfeit', 'restore', 'roll', 'unroll'))
union
select format('block %s of %s is valid from %s to %s, and its days are said to be %s to %s', id, contract_id, granted_at, expires_at, first_day, last_day)
from blocks
where abs(first_day - (granted_at at time zone 'UTC')::date) > 1 or (expires_at is null) <> (last_day is null)
  or abs(last_day - ((expires_at - interval '1 microsecond') at time zone 'UTC')::date) > 1
order by 1`

	wrongSums = `
select format('%s/%s: its %s do not balance, %s are too much', kind, source, unit, sum(amount)) from journal
group by kind, source, unit having sum(amount) <> 0 order by 1`

	// What margins are made of, and what revenue is.
	wrongBilled = `
select format('%s: the journal books %s %s for lines, and they bill %s', payer_id, coalesce(j.amount, 0), currency, coalesce(l.amount, 0))
from (select payer_id, unit as currency, -sum(amount) as amount from journal where kind = 'line' and account <> 'wip' group by 1, 2) j
full join (select payer_id, currency, sum(amount) as amount from billed_lines group by 1, 2) l using (payer_id, currency)
where coalesce(j.amount, 0) <> coalesce(l.amount, 0) order by 1`

	wrongReceivables = `
select format('%s: the journal says that %s %s are owed on it, and it is %s', coalesce(i.number, 'draft-' || i.id), coalesce(j.amount, 0), i.currency, coalesce(s.owed, 0))
from invoices i join invoice_standing s on s.invoice_id = i.id
left join (select invoice_id, sum(amount) as amount from journal where account = 'receivable' group by 1) j on j.invoice_id = i.id
where coalesce(j.amount, 0) <> coalesce(s.owed, 0) order by 1`

	wrongWIP = `
select format('%s: the journal has %s %s of work in progress, the lines of open invoices come to %s', payer_id, coalesce(j.amount, 0), currency, coalesce(l.amount, 0))
from (select payer_id, unit as currency, sum(amount) as amount from journal where account = 'wip' group by 1, 2) j
full join (
  select l.payer_id, l.currency, sum(l.amount) as amount from invoice_lines l join invoices i on i.id = l.invoice_id where i.state = 'open' group by 1, 2
) l using (payer_id, currency)
where coalesce(j.amount, 0) <> coalesce(l.amount, 0) order by 1`

	wrongClientCredit = `
select format('%s: the journal has %s %s of its credit, its balance is %s', payer_id, coalesce(j.amount, 0), currency, coalesce(b.balance, 0))
from (select payer_id, unit as currency, -sum(amount) as amount from journal where account = 'client-credit' group by 1, 2) j
full join credit_balances b using (payer_id, currency)
where coalesce(j.amount, 0) <> coalesce(b.balance, 0) order by 1`

	// Deferred is what the hours are worth that have not left the block; a block that was taken back is worth nothing.
	wrongDeferred = `
select format('block %s of %s: the journal defers %s %s, its hours that are left are worth %s', b.id, b.contract_id, coalesce(j.amount, 0), b.currency, w.worth)
from blocks b
left join (select block_id, -sum(amount) as amount from journal where account = 'deferred' group by 1) j on j.block_id = b.id
left join (select block_id, sum(ms) as ms from block_moves where kind in ('reserve', 'release') group by 1) r on r.block_id = b.id
cross join lateral (
  select case when b.price = 0 then 0 else round(b.price, minor_units(b.currency))
    - block_worth(b.price, b.granted_ms - b.remaining_ms - coalesce(r.ms, 0), b.granted_ms, minor_units(b.currency)) end as worth
) w
where coalesce(j.amount, 0) <> w.worth order by b.id`

	wrongMinutes = `
select format('block %s of %s: the journal has %s ms in it, %s remain', b.id, b.contract_id, coalesce(j.ms, 0), b.remaining_ms)
from blocks b left join (select block_id, sum(amount) as ms from journal where account = 'block-minutes' group by 1) j on j.block_id = b.id
where coalesce(j.ms, 0) <> b.remaining_ms order by b.id`
)
