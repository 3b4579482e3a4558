package postgres

// What the audit proves of exports: a batch has what it says, an invoice goes to a program as a whole, and nothing is taken back there that
// it never had. That each line and each deed went there once is a key.
const wrongExports = `
with has as (
  select x.id, x.format, x.invoices, x.lines, x.credits, x.payments, l.invoices as has_invoices, l.lines as has_lines,
    e.credits as has_credits, e.payments as has_payments, e.others
  from exports x cross join lateral (
    select count(distinct il.invoice_id) as invoices, count(*) as lines
    from export_lines l join invoice_lines il on il.charge_id = l.charge_id where l.export_id = x.id
  ) l cross join lateral (
    select count(*) filter (where v.kind in ('credit-note', 'void')) as credits, count(*) filter (where v.kind in ('payment', 'payment-returned')) as payments,
      string_agg(v.kind, ', ') filter (where v.kind not in ('credit-note', 'void', 'payment', 'payment-returned')) as others
    from export_events e join invoice_events v on v.id = e.event_id where e.export_id = x.id
  ) e
)
select format('export %s says %s invoices, %s lines, %s credits and %s payments, and has %s, %s, %s and %s', id, invoices, lines, credits, payments,
  has_invoices, has_lines, has_credits, has_payments)
from has where (invoices, lines, credits, payments) <> (has_invoices, has_lines, has_credits, has_payments)
union all
select format('export %s has a deed that goes to no program: %s', id, others) from has where others is not null
union all
select format('export %s has %s %s, and no file of them', h.id, f.rows, f.what)
from has h cross join lateral (values -- a credit note stands where its program has those; an invoice below zero is one
  (h.invoices + h.credits, 'documents', array['invoices', 'credits']), (h.payments, 'payments', array['payments'])
) f (rows, what, names)
where f.rows > 0 and not exists (select from export_files e where e.export_id = h.id and e.name = any (f.names))
union all
select distinct format('export %s for %s has lines for %s', x.id, x.format, l.format) from export_lines l join exports x on x.id = l.export_id where l.format <> x.format
union all
select distinct format('export %s for %s has deeds for %s', x.id, x.format, e.format) from export_events e join exports x on x.id = e.export_id where e.format <> x.format
union all
select format('%s: %s of its %s lines are in %s, by %s exports', i.number, count(*), i.line_count, l.format, count(distinct l.export_id))
from export_lines l join invoice_lines il on il.charge_id = l.charge_id join invoices i on i.id = il.invoice_id
group by i.id, l.format having count(*) <> i.line_count or count(distinct l.export_id) > 1
union all
select format('%s is taken back in %s, which never had it', i.number, e.format)
from export_events e join invoice_events v on v.id = e.event_id and v.kind = 'void' join invoices i on i.id = v.invoice_id
where not exists (select from export_lines l join invoice_lines il on il.charge_id = l.charge_id where il.invoice_id = i.id and l.format = e.format)
order by 1`
