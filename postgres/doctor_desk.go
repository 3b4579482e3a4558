package postgres

// What the doctor asks of the desk's rows. $1 is now, $2 the patience. Each gives what, for how
// many milliseconds, whose turn it is, why it is told and what helps; the oldest first.
const (
	notStarted = `
select 'T-' || o.ticket, (extract(epoch from $1 - o.created_at) * 1000)::bigint, 'operations',
  case when o.attempts = 0 then 'accepted, and nobody has tried to start its workflow'
    else format('accepted, and its workflow did not start in %s attempts: %s', o.attempts, coalesce(nullif(o.last_error, ''), 'no run has begun it')) end,
  'see that Temporal, a relay (` + "`docket serve`" + `) and a worker (` + "`docket work`" + `) run; it starts by itself then'
from outbox o where o.created_at < $1 - $2::interval order by o.created_at limit 50`

	notMoving = `
select 'T-' || t.number, (extract(epoch from $1 - e.at) * 1000)::bigint, 'operations',
  format('in %s, where nobody is waited for, and nothing has happened', t.stage),
  format('open the workflow ticket/T-%s in the Temporal UI; ` + "`docket ticket show T-%s`" + ` tells how far it came', t.number, t.number)
from tickets t cross join lateral (select coalesce(max(recorded_at), t.opened_at) as at from ticket_events e where e.ticket = t.number) e
where t.stage in ('new', 'triage', 'routing', 'closing') and t.begun_round = t.round and not t.event_time and e.at < $1 - $2::interval
order by e.at limit 50`

	overdueHolds = `
select 'H-' || h.id, (extract(epoch from $1 - q.expires_at) * 1000)::bigint, coalesce(nullif(array_to_string(q.asked, ', '), ''), 'dispatcher'),
  format('%s of %s for T-%s ran out at step %s and was not quoted afresh: %s', h.kind, h.currency || ' ' || h.amount, h.ticket, q.step, h.says),
  case h.kind when 'sign-off' then format('` + "`docket approval list --client %s`" + `', h.client_id) else '` + "`docket exception list`" + `' end
from holds h join tickets t on t.number = h.ticket
cross join lateral (select * from quotes q where q.hold_id = h.id order by q.step desc limit 1) q
where h.state = 'open' and not t.event_time and q.expires_at < $1 - $2::interval
order by q.expires_at limit 50`

	escalatedHolds = `
select 'H-' || h.id, (extract(epoch from $1 - h.opened_at) * 1000)::bigint, coalesce(nullif(array_to_string(q.asked, ', '), ''), 'dispatcher'),
  format('%s of %s for T-%s, %s: nobody has decided; asked %s times, now until %s. %s', h.kind, h.currency || ' ' || h.amount, h.ticket, h.reason,
    q.step + 1, to_char(q.expires_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI UTC'), h.says),
  format('` + "`docket %s show H-%s`" + `', case h.kind when 'sign-off' then 'approval' else 'exception' end, h.id)
from holds h join tickets t on t.number = h.ticket
cross join lateral (select * from quotes q where q.hold_id = h.id order by q.step desc limit 1) q
where h.state = 'open' and not t.event_time and q.step > 0 and q.expires_at >= $1 - $2::interval
order by h.opened_at limit 50`

	openDisputes = `
select 'D-' || v.id, (extract(epoch from $1 - v.opened_at) * 1000)::bigint, 'finance',
  format('L-%s of %s is in question, and %s %s are not collected: %s', v.charge_id, i.number, v.currency, v."left", v.reason),
  format('` + "`docket dispute settle D-%s`" + `', v.id)
from dispute_standing v join invoices i on i.id = v.invoice_id
where v.state = 'open' and v.opened_at < $1 - interval '` + disputePatience + `' order by v.opened_at limit 50`

	proposed = `
select 'H-' || h.id, (extract(epoch from $1 - p.proposed_at) * 1000)::bigint, 'owner',
  format('for T-%s somebody has ruled, and a second person has neither confirmed nor rejected it. %s', h.ticket, p.says),
  format('` + "`docket exception show H-%s`" + `', h.id)
from proposals p join holds h on h.id = p.hold_id join tickets t on t.number = h.ticket
where h.state = 'open' and not t.event_time and p.proposed_at < $1 - $2::interval` + standingProposals + `
order by p.proposed_at limit 50`

	breached = `
select 'T-' || t.number, (extract(epoch from $1 - t.resolution_due) * 1000)::bigint, coalesce(t.assignee, 'dispatcher'),
  format('the target for its resolution (priority %s) passed unmet', t.priority), format('` + "`docket ticket show T-%s`" + `', t.number)
from tickets t
where t.stage in ('new', 'triage', 'routing', 'resolution') and not t.event_time and t.resolution_due < $1
order by t.resolution_due limit 50`

	unassigned = `
select 'T-' || t.number, (extract(epoch from $1 - t.opened_at) * 1000)::bigint, 'dispatcher',
  'nobody has it: ' || coalesce(nullif(t.routing_says, ''), 'routing found nobody'), format('` + "`docket ticket claim T-%s --as PERSON`" + `', t.number)
from tickets t
where t.stage = 'resolution' and t.assignee is null and not t.event_time and t.opened_at < $1 - $2::interval
order by t.opened_at limit 50`
)
