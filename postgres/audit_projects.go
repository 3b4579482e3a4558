package postgres

// A project's counters stand at what bills to it and what open holds would bill: no more, no less.
const wrongProjects = `
with counted as (
  select m.counter, sum(m.quantity) as quantity from counter_moves m
  where m.counter like 'project/%' and m.charge_id is not null group by 1
), billed as (
  select 'project/' || project_id || '/' || currency as counter, sum(amount) as quantity
  from charges where project_id is not null and adjusts is null group by 1
)
select format('%s: its charges come to %s, and %s were counted', counter, coalesce(b.quantity, 0), coalesce(c.quantity, 0))
from counted c full join billed b using (counter) where coalesce(c.quantity, 0) <> coalesce(b.quantity, 0) order by 1`
