package postgres

import (
	"context"
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

// mostAlone is how much a role may give away by one ruling where no limit is set, in minor units of any currency:
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

// limit is how far the person may go alone with such a ruling on this hold; nil: as far as he likes. The most that one of
// his roles may counts. On work that he resolved himself he goes no further than a dispatcher.
func (d *settling) limit(ctx context.Context, t *tx, who actor, p *planned) (*decimal.Decimal, error) {
	roles := who.Roles
	if who.ID == d.found.RequestedBy {
		roles = []string{"dispatcher"}
	}
	return rulingLimit(ctx, t.conn, roles, d.found.Reason.Queue(), p.action, p.currency)
}

func rulingLimit(ctx context.Context, q querier, roles []string, queue billing.Queue, action billing.Action, currency string) (*decimal.Decimal, error) {
	set, err := collect[struct {
		Role   string
		Action billing.Action
		Queue  string
		Amount decimal.Decimal
	}](ctx, q, "limits of rulings",
		"select role, action, queue, amount from ruling_limits where action = any ($1) and currency = $2 and queue in ('', $3)", measuredBy(action), currency, queue)
	if err != nil {
		return nil, err
	}
	may := rightsOf(queue).may
	var most *decimal.Decimal
	for _, role := range roles {
		if !slices.Contains(may, role) {
			continue
		}
		limit, closest := limitByDefault(role, action, currency), 0
		for _, l := range set {
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
			return nil, nil
		}
		if most == nil || limit.GreaterThan(*most) {
			most = limit
		}
	}
	return most, nil
}
