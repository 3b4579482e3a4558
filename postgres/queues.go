package postgres

import (
	"context"
	"fmt"
	"slices"

	"github.com/shopspring/decimal"

	"github.com/docket-psa/docket/billing"
)

// queueRights says whose a queue is and who may rule in it.
type queueRights struct {
	queue billing.Queue
	owner string   // the role that is expected to look
	may   []string // the roles that may rule
}

// rights is the one table of who may rule what. Owners may rule everywhere; what is only money is finance's first.
var rights = []queueRights{
	{billing.QueueScope, "dispatcher", []string{"dispatcher", "owner"}},
	{billing.QueueMoney, "finance", []string{"dispatcher", "finance", "owner"}},
	{billing.QueueTime, "dispatcher", []string{"dispatcher", "owner"}},
	{billing.QueueContract, "dispatcher", []string{"dispatcher", "finance", "owner"}},
	{billing.QueueProject, "dispatcher", []string{"dispatcher", "owner"}},
	{billing.QueuePattern, "dispatcher", []string{"dispatcher", "owner"}},
	{billing.QueueOrder, "finance", []string{"dispatcher", "finance", "owner"}},
	{billing.QueueBlock, "dispatcher", []string{"dispatcher", "owner"}}, // whoever may say that a block is paid lets go what waited for it
}

func rightsOf(q billing.Queue) queueRights {
	i := slices.IndexFunc(rights, func(r queueRights) bool { return r.queue == q })
	if i < 0 {
		return queueRights{queue: q, owner: "owner", may: []string{"owner"}}
	}
	return rights[i]
}

// lookedAfterBy lists the reasons of holds in the queues that are a role's to look after.
func lookedAfterBy(role string) []string {
	reasons := []string{}
	for _, r := range rights {
		if r.owner == role {
			for _, reason := range r.queue.Reasons() {
				reasons = append(reasons, string(reason))
			}
		}
	}
	return reasons
}

// mostAlone is how much a role may give away on one ticket where no limit is set, in minor units of any currency:
// 1,000.00 with two decimals. Roles that are not in it have no limit by default.
var mostAlone = map[string]int64{"dispatcher": 100_000}

// givingAway are the rulings that a default limit is about: those that give away. What bills has a limit only where one
// is set.
var givingAway = []billing.Action{billing.Cover, billing.WriteOff, billing.Split, billing.ReRate}

// limitByDefault is what a role may give away alone where nothing is set; nil: no limit.
func limitByDefault(role string, action billing.Action, currency string) *decimal.Decimal {
	units, limited := mostAlone[role]
	if !limited || !slices.Contains(givingAway, action) {
		return nil
	}
	places, _ := billing.MinorUnits(currency)
	limit := decimal.New(units, -places)
	return &limit
}

// measuredBy lists the rulings whose limit counts for this one: its own, and where it gives away that of writing off, so
// that nobody goes beyond it by another name.
func measuredBy(action billing.Action) []billing.Action {
	if slices.Contains(givingAway, action) {
		return []billing.Action{action, billing.WriteOff}
	}
	return []billing.Action{action}
}

// beyond is a ruling that goes further than its sender may alone.
type beyond struct {
	limit  decimal.Decimal
	before decimal.Decimal // what he has given away on this round of the ticket by then
}

// says tells by what the ruling goes beyond, as the end of a sentence about who.
func (x beyond) says(p *planned) string {
	limit := money(x.limit, p.currency) + " that he may decide alone"
	switch {
	case p.unpriced:
		return fmt.Sprintf("%s of what has no price, so that nobody can say that it is within the %s", p.action, limit)
	case x.before.IsPositive():
		return fmt.Sprintf("%s of %s, with the %s that he gave away on the same ticket before above the %s", p.action, money(p.measure, p.currency), money(x.before, p.currency), limit)
	default:
		return fmt.Sprintf("%s of %s, above the %s", p.action, money(p.measure, p.currency), limit)
	}
}

// beyond says how far the ruling goes beyond what the person may decide alone; nil: it does not. The most that one of
// his roles may counts. On work that he resolved himself he goes no further than a dispatcher. What gives away is
// measured with all that he gave away on this round of the ticket, so that nobody gets around a limit hold by hold. What
// has no price cannot be measured: where somebody has set a limit, it is beyond it.
func (d *settling) beyond(ctx context.Context, t *tx, who actor, p *planned) (*beyond, error) {
	roles := who.Roles
	if who.ID == d.found.RequestedBy {
		roles = []string{"dispatcher"}
	}
	limit, set, err := rulingLimit(ctx, t.conn, roles, d.found.Reason.Queue(), p.action, p.currency)
	if err != nil || limit == nil {
		return nil, err
	}
	x := &beyond{limit: *limit}
	if slices.Contains(givingAway, p.action) {
		if err := t.conn.QueryRow(ctx, givenAway, d.ticket.Number, d.found.Round, who.ID, p.currency).Scan(&x.before); err != nil {
			return nil, fmt.Errorf("sum what %s gave away: %w", who.ID, err)
		}
	}
	if (p.unpriced && set) || (p.measure.IsPositive() && p.measure.Add(x.before).GreaterThan(x.limit)) {
		return x, nil
	}
	return nil, nil
}

// givenAway sums what a person's rulings and confirmations on one round of a ticket gave away. What others confirmed is
// theirs: it does not use up what he may decide alone.
const givenAway = `
select coalesce(sum((e.answer ->> 'gives_up')::numeric), 0)
from ticket_events e join holds h on h.id = (e.answer ->> 'hold')::bigint
where e.ticket = $1 and h.round = $2 and e.actor = $3 and e.effect and e.kind in ('rule', 'confirm') and h.currency = $4`

// rulingLimit gives the limit, nil for none, and whether somebody has set it.
func rulingLimit(ctx context.Context, q querier, roles []string, queue billing.Queue, action billing.Action, currency string) (most *decimal.Decimal, set bool, err error) {
	limits, err := collect[struct {
		Role   string
		Action billing.Action
		Queue  string
		Amount decimal.Decimal
	}](ctx, q, "limits of rulings",
		"select role, action, queue, amount from ruling_limits where action = any ($1) and currency = $2 and queue in ('', $3)", measuredBy(action), currency, queue)
	if err != nil {
		return nil, false, err
	}
	may := rightsOf(queue).may
	for _, role := range roles {
		if !slices.Contains(may, role) {
			continue
		}
		limit, closest := limitByDefault(role, action, currency), 0
		for _, l := range limits {
			near := 1 // the ruling's own limit counts before that of writing off, then a queue's own before that of all
			if l.Action == action {
				near += 2
			}
			if l.Queue != "" {
				near++
			}
			if l.Role == role && near > closest {
				limit, closest = &l.Amount, near
			}
		}
		if limit == nil {
			return nil, false, nil
		}
		if most == nil || limit.GreaterThan(*most) {
			most, set = limit, closest > 0
		}
	}
	return most, set, nil
}
