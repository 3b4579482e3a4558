package postgres

import (
	"context"
	"errors"
	"slices"

	"github.com/shopspring/decimal"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

// RulingLimit is how far a role may go alone on one round of a ticket; above it a second person confirms.
type RulingLimit struct {
	Role     string          `json:"role"`
	Action   billing.Action  `json:"action"`
	Queue    billing.Queue   `json:"queue,omitempty"` // empty: every queue
	Currency string          `json:"currency"`
	Amount   decimal.Decimal `json:"amount"`
	By       string          `json:"set_by"`
}

// limitedRulings are those that a limit can be set for: sending back moves no money.
var limitedRulings = []billing.Action{billing.Bill, billing.Cover, billing.WriteOff, billing.ToProject, billing.Split, billing.ReRate}

// SetRulingLimit sets a limit; the last word counts.
func (s *Store) SetRulingLimit(ctx context.Context, l RulingLimit) error {
	var errs []error
	if !slices.Contains([]string{"dispatcher", "finance", "owner"}, l.Role) {
		errs = append(errs, ticket.Invalid("role", l.Role, "does not rule", "dispatcher, finance or owner"))
	}
	if !slices.Contains(limitedRulings, l.Action) {
		errs = append(errs, ticket.Invalid("action", l.Action, "has no limit to set", "bill, cover, write-off, project, split or contract"))
	}
	if l.Queue != "" && !slices.Contains(billing.Queues, l.Queue) {
		errs = append(errs, ticket.Invalid("queue", l.Queue, "is no queue", "scope, money, time, contract, project, pattern, order or block"))
	}
	if l.Amount.IsNegative() {
		errs = append(errs, ticket.Invalid("amount", l.Amount, "is negative", "give 0 or more"))
	}
	if err := errors.Join(append(errs, wholeUnits("amount", l.Amount, l.Currency))...); err != nil {
		return err
	}
	return s.tx(ctx, "set a limit of rulings", func(t *tx) error {
		who := map[string]actor{}
		b := t.batch()
		queueActor(b, l.By, who)
		if err := t.send(ctx, b); err != nil {
			return err
		}
		by, err := pick(who, "by", l.By)
		if err != nil {
			return err
		}
		if !by.mayFinalise() {
			return ticket.Invalid("by", l.By, "may not set limits", "it takes the role owner or finance")
		}
		b = t.batch()
		b.Queue(`
insert into ruling_limits (role, action, queue, currency, amount, set_by, set_at) values ($1, $2, $3, $4, $5, $6, $7)
on conflict (role, action, queue, currency) do update set amount = excluded.amount, set_by = excluded.set_by, set_at = excluded.set_at`,
			l.Role, l.Action, l.Queue, l.Currency, l.Amount, l.By, s.now())
		return t.commit(ctx, b)
	})
}

// RulingLimits lists the limits that are set.
func (r Reads) RulingLimits(ctx context.Context) ([]RulingLimit, error) {
	return collect[RulingLimit](ctx, r.q, "limits of rulings",
		"select role, action, queue, currency, amount, set_by from ruling_limits order by role, action, queue, currency")
}
