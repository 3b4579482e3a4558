package postgres

// What the audit proves of invoices after they are finalised, by single statements. Each gives one
// sentence a finding.
const (
	// What was received is on the invoice or in the payer's credit, and every deed says its amount.
	wrongPayments = `
select format('%s: a payment of %s %s put %s on it and %s into credit (event %s says %s)', i.number, p.received, p.currency, p.amount,
  coalesce(c.amount, 0), e.id, e.amount)
from payments p join invoices i on i.id = p.invoice_id join invoice_events e on e.id = p.event_id left join credits c on c.event_id = e.id
where p.received <> p.amount + coalesce(c.amount, 0) or e.amount <> p.received or e.kind <> 'payment' or e.invoice_id <> p.invoice_id
  or p.payer_id <> i.payer_id or p.currency <> i.currency
union all
select format('event %s of %s: a payment of %s %s is not there', e.id, e.payer_id, e.amount, e.currency)
from invoice_events e where e.kind = 'payment' and not exists (select from payments p where p.event_id = e.id)
order by 1`

	// A payment that came back is owed again, all of it, and is nobody's credit any more.
	wrongReturns = `
select format('P-%s of %s: %s %s came back, %s of it is owed again and %s out of credit', p.event_id, i.number, p.received, p.currency, r.amount, r.uncredited)
from payment_returns r join payments p on p.event_id = r.payment_id join invoices i on i.id = r.invoice_id join invoice_events e on e.id = r.event_id
where p.amount <> r.amount or p.received <> r.amount + r.uncredited or e.amount <> p.received or e.kind <> 'payment-returned'
  or (r.invoice_id, r.payer_id, r.currency) <> (p.invoice_id, p.payer_id, p.currency) or e.invoice_id <> r.invoice_id
union all
select format('event %s of %s: the return of a payment is not there', e.id, e.payer_id)
from invoice_events e where e.kind = 'payment-returned' and not exists (select from payment_returns r where r.event_id = e.id)
order by 1`

	// A line in question is of its invoice, and was settled by who may; what is in question is never more than what is owed.
	wrongDisputes = `
select format('D-%s: L-%s is not on %s', d.id, d.charge_id, i.number)
from disputes d join invoices i on i.id = d.invoice_id join invoice_lines l on l.charge_id = d.charge_id
where l.invoice_id <> d.invoice_id or l.payer_id <> d.payer_id or not d.charge_id = any (d.lines)
union all
select format('L-%s is in question twice', charge_id) from dispute_standing where state = 'open' group by charge_id having count(*) > 1
union all
select format('D-%s is settled by the credit note of another invoice', d.id)
from disputes d join dispute_settlements s on s.dispute_id = d.id join invoice_events e on e.id = s.event_id
where e.invoice_id <> d.invoice_id or (s.outcome = 'credited') <> (e.kind = 'credit-note')
union all
select format('%s: %s is owed and %s in question', i.number, s.owed, s.disputed)
from invoice_standing s join invoices i on i.id = s.invoice_id where s.disputed < 0 or s.disputed > s.owed
order by 1`

	// What went to somebody is a file that was kept (a constraint ties each to its SHA-256), and in the outbox.
	wrongSendings = `
select format('%s: the file that went to %s was not kept, or no mail took it', i.number, x.recipient)
from invoice_sendings x join invoices i on i.id = x.invoice_id
where not exists (select from invoice_documents d where d.invoice_id = x.invoice_id and d.kind = 'pdf' and d.sha256 = x.sha256)
  or not exists (select from notices n where n.invoice_id = x.invoice_id and n.note_id is null and n.to_address and n.recipient = x.recipient)
union all
select format('%s: the file that went to %s was not kept, or no mail took it', n.number, x.recipient)
from credit_note_sendings x join credit_notes n on n.id = x.note_id
where not exists (select from credit_note_documents d where d.note_id = x.note_id and d.kind = 'pdf' and d.sha256 = x.sha256)
  or not exists (select from notices m where m.note_id = x.note_id and m.to_address and m.recipient = x.recipient)
union all
select format('event %s of %s: where a file went is not on record', e.id, e.payer_id)
from invoice_events e where e.kind = 'sent' and not exists (select from invoice_sendings x where x.event_id = e.id)
  or e.kind = 'credit-note-sent' and not exists (select from credit_note_sendings x where x.event_id = e.id)
order by 1`

	// A kept file is what was rendered, byte by byte, and names its document and what that comes to. An invoice below zero is told as what
	// it gives back.
	wrongFiles = `
with kept as (
  select i.number, coalesce(i.gross, i.total) as amount, d.kind, d.sha256, d.content from invoice_documents d join invoices i on i.id = d.invoice_id
  union all
  select n.number, n.amount, d.kind, d.sha256, d.content from credit_note_documents d join credit_notes n on n.id = d.note_id
), read as ( -- what is not as it was is not read: it need not be text any more
  select number, amount, kind, encode(sha256(content), 'hex') = sha256 as same,
    case when kind <> 'pdf' and encode(sha256(content), 'hex') = sha256 then convert_from(content, 'UTF8') end as said
  from kept
)
select case when same then format('%s: its file %s is of something else, or of another amount than %s', number, kind, amount)
  else format('%s: its file %s is not what was kept: its SHA-256 differs', number, kind) end
from read
where not same or kind <> 'pdf' and (position(number in said) = 0 or abs(amount) is distinct from abs(case kind
  when 'json' then substring(said from '"tax_inclusive":"(-?[0-9.]+)"') else substring(said from '<cbc:TaxInclusiveAmount[^>]*>(-?[0-9.]+)<') end::numeric))
order by 1`

	// What a credit note gives back reduced what was owed or is the payer's credit; its lines come to
	// it; all of an invoice never give back more than it came to.
	wrongCreditNotes = `
select format('%s: %s %s reduced %s by %s and put %s into credit (event %s says %s)', n.number, n.amount, n.currency, i.number, n.reduces,
  coalesce(c.amount, 0), e.id, e.amount)
from credit_notes n join invoices i on i.id = n.invoice_id join invoice_events e on e.id = n.event_id left join credits c on c.event_id = e.id
where n.amount <> n.reduces + coalesce(c.amount, 0) or e.amount <> n.amount or e.kind <> 'credit-note' or e.invoice_id <> n.invoice_id
  or n.payer_id <> i.payer_id or n.currency <> i.currency
union all
select format('event %s of %s: a credit note of %s %s is not there', e.id, e.payer_id, e.amount, e.currency)
from invoice_events e where e.kind = 'credit-note' and not exists (select from credit_notes n where n.event_id = e.id)
union all
select format('%s: %s, its lines come to %s', n.number, n.amount, sum(l.amount))
from credit_notes n join credit_note_lines l on l.note_id = n.id group by n.id having n.amount <> sum(l.amount)
union all
select format('%s gives back L-%s, which is on another invoice', n.number, l.charge_id)
from credit_note_lines l join credit_notes n on n.id = l.note_id join invoice_lines il on il.charge_id = l.charge_id
left join (select charge_id, sum(net) as net from credit_note_shares group by 1) s on s.charge_id = l.charge_id
where il.invoice_id <> n.invoice_id or il.amount <> l.net + coalesce(s.net, 0)
union all
select format('%s: %s, its shares of lines come to %s', n.number, n.amount, sum(s.amount))
from credit_notes n join credit_note_shares s on s.note_id = n.id group by n.id having n.amount <> sum(s.amount)
union all
select format('%s gives back a share of L-%s, which is on another invoice', n.number, s.charge_id)
from credit_note_shares s join credit_notes n on n.id = s.note_id join invoice_lines il on il.charge_id = s.charge_id
where il.invoice_id <> n.invoice_id
union all
select format('%s: came to %s, and credit notes gave back %s', i.number, s.payable, s.credited)
from invoice_standing s join invoices i on i.id = s.invoice_id where s.credited > greatest(s.payable, 0)
order by 1`

	// Credit is used on invoices of its payer and currency, and never more than there is; only a void, or the return of the payment
	// that it was the rest of, gives it back, all of it and once.
	wrongApplications = `
select format('credit %s of %s: %s %s, of which %s are used', c.id, c.payer_id, c.amount, c.currency, u.used)
from credits c join (select credit_id, sum(amount) as used from credit_applications group by 1) u on u.credit_id = c.id
left join payment_returns p on p.payment_id = c.event_id
where u.used < 0 or u.used > c.amount - coalesce(p.uncredited, 0)
union all
select format('%s: %s %s of the credit %s of %s, %s', i.number, a.amount, a.currency, c.id, c.payer_id, c.currency)
from credit_applications a join credits c on c.id = a.credit_id join invoices i on i.id = a.invoice_id
where (a.payer_id, a.currency) <> (c.payer_id, c.currency) or (a.payer_id, a.currency) <> (i.payer_id, i.currency)
union all
select format('%s: %s applied, %s taken back', i.number, o.amount, coalesce(r.amount, 0))
from credit_applications o join invoices i on i.id = o.invoice_id join invoice_standing s on s.invoice_id = i.id
left join credit_applications r on r.reverses = o.id
where o.reverses is null and ((r.id is not null) <> (s.void or exists (
    select from credits c join payment_returns p on p.payment_id = c.event_id where c.id = o.credit_id)) or r.amount <> -o.amount or r.credit_id <> o.credit_id or r.invoice_id <> o.invoice_id)
order by 1`

	// An invoice that was finalised as a credit note is its payer's credit.
	wrongCredits = `
select format('%s: came to %s %s, and %s are %s''s credit', i.number, s.payable, i.currency, coalesce(c.amount, 0), i.payer_id)
from invoices i join invoice_standing s on s.invoice_id = i.id left join credits c on c.invoice_id = i.id and c.event_id is null
where s.payable is not null and greatest(-s.payable, 0) <> coalesce(c.amount, 0) order by 1`

	wrongBalances = `
select format('%s has %s %s in credit, its credits less what used them come to %s', payer_id, coalesce(b.balance, 0), currency, coalesce(m.left, 0))
from credit_balances b full join (
  select payer_id, currency, sum(amount) as "left" from (
    select payer_id, currency, amount from credits union all select payer_id, currency, -amount from credit_applications
    union all select payer_id, currency, -uncredited from payment_returns) x group by 1, 2
) m using (payer_id, currency) where coalesce(b.balance, 0) <> coalesce(m.left, 0) order by 1`

	// What a finalised invoice says of tax adds up, and is what was kept of it.
	wrongTaxes = `
select format('%s: %s with tax of %s, its lines come to %s with tax of %s', i.number, i.gross, i.tax, s.gross, s.tax)
from invoices i cross join lateral (
  select coalesce(sum((l ->> 'net')::numeric + (l ->> 'tax')::numeric), 0) as gross, coalesce(sum((l ->> 'tax')::numeric), 0) as tax,
    count(*) as lines
  from jsonb_array_elements(i.taxes::jsonb -> 'lines') l
) s
where i.taxes is not null and (i.gross <> s.gross or i.tax <> s.tax or i.line_count <> s.lines
  or i.tax <> (select coalesce(sum((x ->> 'tax')::numeric), 0) from jsonb_array_elements(i.taxes::jsonb -> 'taxes') x))
order by 1`

	wrongOwed = `
select format('%s: %s is owed of %s: %s paid, %s applied, %s credited', i.number, s.owed, s.payable, s.paid, s.applied, s.reduced)
from invoice_standing s join invoices i on i.id = s.invoice_id
where s.owed < 0 or (s.void and (s.paid <> 0 or s.applied <> 0 or s.credited <> 0)) or (s.payable < 0 and s.paid + s.applied + s.credited <> 0)
order by 1`

	// Each line of a void invoice is billed again once, and as it was; nothing else is.
	wrongVoids = `
with void as (select invoice_id from invoice_events where kind = 'void'),
  lost as (select l.* from invoice_lines l join void v on v.invoice_id = l.invoice_id),
  again as (select c.adjusts, l.* from charges c join invoice_lines l on l.charge_id = c.id where c.kind = 'rebilled')
select case
    when a.charge_id is null then format('L-%s: its invoice is void, and it is not billed again', o.charge_id)
    when o.charge_id is null then format('L-%s bills L-%s again, whose invoice is not void', a.charge_id, a.adjusts)
    else format('L-%s bills L-%s again as %s %s for %s, it was %s %s for %s', a.charge_id, o.charge_id, a.amount, a.currency, a.payer_id,
      o.amount, o.currency, o.payer_id)
  end
from lost o full join again a on a.adjusts = o.charge_id
where a.charge_id is null or o.charge_id is null or (a.amount, a.currency, a.payer_id, a.client_id, a.service_date, a.ticket)
  is distinct from (o.amount, o.currency, o.payer_id, o.client_id, o.service_date, o.ticket)
order by 1`

	// A write-down has a deed, and leaves no line below zero.
	wrongWriteDowns = `
with down as (select c.id, c.adjusts, c.amount from charges c where c.kind = 'discount' and c.adjusts is not null)
select format('L-%s: %s, written down by %s', l.charge_id, l.amount, -sum(d.amount))
from down d join invoice_lines l on l.charge_id = d.adjusts group by l.charge_id having l.amount + sum(d.amount) < 0
union all
select format('L-%s adds %s to L-%s', d.id, d.amount, d.adjusts) from down d where d.amount >= 0
union all
select format('L-%s writes L-%s down by %s, and nobody did it', d.id, d.adjusts, -d.amount) from down d
where not exists (select from invoice_events e where e.kind = 'write-down' and (e.answer::jsonb ->> 'by')::bigint = d.id and e.amount = -d.amount)
order by 1`

	// Beside the reversal of a line that a credit note gave back stands what it gave.
	wrongCredited = `
with recursive copies as (
  select r.reverses as base, r.reverses as id, r.id as reversal from charges r
  where r.reverses is not null
  union all
  select k.base, c.id, k.reversal from copies k join charges c on c.adjusts = k.id and c.kind = 'rebilled'
), given as (
  select k.base, k.reversal, sum(l.net) as net from copies k join (
    select charge_id, net from credit_note_lines union all select charge_id, net from credit_note_shares
  ) l on l.charge_id = k.id group by 1, 2 having sum(l.net) <> 0
), beside as (
  select adjusts as base, sum(amount) as net from charges where kind = 'credited' group by 1
)
select format('L-%s: a credit note gave back %s of it, %s stand beside its reversal', base, coalesce(g.net, 0), coalesce(s.net, 0))
from given g full join beside s using (base) where coalesce(g.net, 0) <> coalesce(s.net, 0) order by 1`

	// What was carried out of one invoice is carried into another.
	wrongCarries = `
select format('%s: what it carries forward comes to %s, not to nothing', p.key, sum(c.amount))
from charges c join postings p on p.id = c.posting_id where c.kind = 'carried' group by p.key having sum(c.amount) <> 0 order by 1`
)
