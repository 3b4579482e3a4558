package postgres

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/shopspring/decimal"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

// Rule is a person of ours' word about a hold: bill, cover or write off its lines, split them, bill them to a
// project, rate them under another contract, or send the ticket back. What a client was asked to sign cannot
// be billed without the client. A ruling above its sender's limit is only proposed: see Confirm.
func (s *Store) Rule(ctx context.Context, id ticket.ID, m ticket.Rule) (billing.Settlement, error) {
	if err := m.Validate(); err != nil {
		return billing.Settlement{}, err
	}
	if _, err := parseRuling(m, ""); err != nil {
		return billing.Settlement{}, err
	}
	asks := []any{m.Hold, m.Action, m.Reason, m.Hourly}
	if m.RuleTerms != (ticket.RuleTerms{}) {
		asks = append(asks, m.RuleTerms)
	}
	d := &settling{name: ticket.MsgRule, head: m.Header, hold: m.Hold, asks: asks}
	return s.settle(ctx, id, d, func(t *tx, b *pgx.Batch) (billing.Settlement, error) {
		if d.typed() {
			return billing.Settlement{Outcome: billing.Refused, Says: unprovenDeed(m.Header, "rule at the desk: docket exception rule "+ticket.HoldID(m.Hold))}, nil
		}
		who := d.people[m.Who]
		releases, err := d.mayRelease(ctx, t.conn, m)
		if err != nil {
			return billing.Settlement{}, err
		}
		if refusal := d.mayRule(who, ticket.MsgRule); refusal != "" && !releases {
			return billing.Settlement{Outcome: billing.Refused, Says: refusal}, nil
		}
		if outcome, says := d.unruled(m.Action); outcome != "" {
			return billing.Settlement{Outcome: outcome, Says: says}, nil
		}
		if m.Action == ticket.Rework {
			says := fmt.Sprintf("%s sent %s back: %s", who.Name, ticket.HoldID(m.Hold), m.Reason)
			_, err := s.reopenRound(ctx, t, b, d.ticket, reopening{by: m.Who, at: d.at, invoices: d.invoices, sentBack: m.Hold, says: says})
			return billing.Settlement{Outcome: billing.SentBack, Says: says}, err
		}
		p, refusal, err := s.plan(ctx, t, d, m, "")
		if err != nil || refusal != "" {
			return billing.Settlement{Outcome: billing.Refused, Says: refusal}, err
		}
		above, err := d.beyond(ctx, t, who, p)
		if err != nil {
			return billing.Settlement{}, err
		}
		if above != nil {
			return s.propose(b, d, m, p, *above)
		}
		return p.settle(b)
	})
}

// planned is a ruling that can be applied, and what a limit measures of it.
type planned struct {
	action   billing.Action
	measure  decimal.Decimal // in currency: what it gives away, or what it bills
	currency string
	unpriced bool // it gives away what nobody has found a price for
	apply    func(b *pgx.Batch) (billing.Settlement, error)
}

// settle applies it, and notes what it gave away for the next ruling's limit.
func (p *planned) settle(b *pgx.Batch) (billing.Settlement, error) {
	s, err := p.apply(b)
	if err == nil && s.Outcome == billing.Settled && slices.Contains(givingAway, p.action) {
		s.GivesUp = p.measure
	}
	return s, err
}

// plan works out what the ruling does, without doing it. It says why it cannot be done, where it cannot.
// confirmed names the second person, where the first one's limit asks for one.
func (s *Store) plan(ctx context.Context, t *tx, d *settling, m ticket.Rule, confirmed string) (*planned, string, error) {
	content, err := d.found.content()
	if err != nil {
		return nil, "", err
	}
	r, err := parseRuling(m, confirmed)
	if err != nil {
		return nil, "", err
	}
	if possible := content.Rulings(); !slices.Contains(possible, r.Action) {
		return nil, fmt.Sprintf("%s cannot be decided by %s; possible: %s", ticket.HoldID(d.hold), r.Action, tellRulings(possible)), nil
	}
	// A rate that would be passed over is no detail: whoever gave it means another amount than what would post.
	if rated := r.Action == billing.Bill && content.Unrated; r.Hourly != nil && !rated && r.Action != billing.ToProject {
		return nil, fmt.Sprintf("%s takes no rate by the ruling %s: a rate is for bill where no price was found, and for project; leave it out, or bill a part by split",
			ticket.HoldID(d.hold), r.Action), nil
	}
	if r.Action == billing.ReRate {
		return s.planRerating(ctx, t, d, content, r, m.Contract)
	}
	charges, err := d.settled(content, r)
	if err != nil {
		return nil, "", err
	}
	p := &planned{action: r.Action, measure: r.GivesUp(content), currency: content.Currency}
	p.unpriced = content.Unrated && slices.Contains(givingAway, r.Action)
	var project projectTerms
	if r.Action == billing.Bill || r.Action == billing.ToProject {
		for _, c := range charges {
			p.measure = p.measure.Add(c.Amount)
		}
	}
	if r.Action == billing.ToProject {
		var refusal string
		if project, refusal, err = s.projectFor(ctx, t, d, m, content, charges); err != nil || refusal != "" {
			return nil, refusal, err
		}
	}
	p.apply = func(b *pgx.Batch) (billing.Settlement, error) {
		if r.Action != billing.ToProject {
			return s.postHold(ctx, t, b, d, r, nil)
		}
		return s.postToProject(ctx, t, b, d, r, project)
	}
	return p, "", nil
}

// parseRuling is the message's ruling, as billing knows it; a Problem where a number is none.
func parseRuling(m ticket.Rule, confirmed string) (billing.Ruling, error) {
	r := billing.Ruling{Action: billing.Action(m.Action), By: m.Who, ConfirmedBy: confirmed, Reason: m.Reason, Project: m.Project}
	if m.Hourly != "" {
		rate, ok := figure(m.Hourly)
		if !ok || rate.GreaterThan(highestRate) {
			return r, ticket.Invalid("hourly", m.Hourly, "is not a rate", "give what an hour costs, such as 150.00")
		}
		r.Hourly = &rate
	}
	if m.Action == ticket.Split {
		r.Part = billing.Part{MS: m.BillMS, Rest: billing.Action(m.Rest)}
		if m.BillAmount != "" {
			amount, ok := figure(m.BillAmount)
			if !ok {
				return r, ticket.Invalid("bill_amount", m.BillAmount, "is not an amount", "give what bills, such as 100.00")
			}
			r.Part.Amount = &amount
		}
	}
	return r, nil
}

// mayRule says why the person has no word in this; "" when he has.
func (d *settling) mayRule(who actor, deed ticket.Name) string {
	if err := who.may(deed, d.ticket.ClientID); err != nil {
		return err.Error()
	}
	q := d.found.Reason.Queue()
	if may := rightsOf(q).may; !slices.ContainsFunc(who.Roles, func(role string) bool { return slices.Contains(may, role) }) {
		return fmt.Sprintf("%s may not rule in the queue %s: it takes one of the roles %s", who.ID, q, strings.Join(may, ", "))
	}
	return ""
}

// unruled says why a ruling has no effect; "" when it has.
func (d *settling) unruled(action ticket.Ruling) (billing.Outcome, string) {
	h, name := d.found, ticket.HoldID(d.hold)
	switch {
	case h.State != "open":
		return h.decided()
	case h.ClosureID == nil:
		return billing.Refused, name + " asks the client before the work; there is nothing to rule on yet"
	case h.Kind == billing.SignOff && action != ticket.Cover && action != ticket.WriteOff && action != ticket.Rework:
		return billing.Refused, name + " waits for the client's sign-off; cover it, write it off or send it back, or wait"
	}
	return "", ""
}

// tellRulings names what is possible, with sending back, which always is.
func tellRulings(possible []billing.Action) string {
	names := make([]string, 0, len(possible)+1)
	for _, a := range possible {
		names = append(names, string(a))
	}
	return strings.Join(append(names, string(ticket.Rework)), ", ")
}
