package postgres

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/shopspring/decimal"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

// projectFor finds the project that a ruling names, or makes it up from what the ruling says of it. It says why the held
// work cannot bill to it, where it cannot.
func (s *Store) projectFor(ctx context.Context, t *tx, d *settling, m ticket.Rule, held billing.Hold, charges []billing.Charge) (projectTerms, string, error) {
	found, err := lockProject(ctx, t.conn, m.Project, "for share")
	if err != nil {
		return projectTerms{}, "", err
	}
	terms := ProjectDeed{Budget: m.Budget, Hours: m.Hours, Hourly: m.Hourly}
	switch {
	case found == nil && !projectID.MatchString(m.Project):
		return projectTerms{}, "", ticket.Invalid("project", m.Project, "is no id of a project", "small letters, digits and hyphens, like cedar-hill")
	case found == nil && m.Budget == "" && m.Hours == "":
		return projectTerms{}, fmt.Sprintf("%s is no project of %s yet: give its budget, in money or in hours, and the ruling makes it", m.Project, d.ticket.ClientID), nil
	case found == nil:
		made := projectTerms{
			ID: m.Project, Client: d.ticket.ClientID, Name: cmp.Or(m.Name, d.ticket.Subject), Currency: cmp.Or(m.Currency, held.Currency), State: "open", fresh: true,
		}
		return made, "", made.agree(terms)
	case found.Client != d.ticket.ClientID:
		return projectTerms{}, fmt.Sprintf("%s is no project of %s", m.Project, d.ticket.ClientID), nil
	case found.State != "open":
		return projectTerms{}, fmt.Sprintf("project %s is closed: open it again (docket project open), or name another", m.Project), nil
	case m.Budget != "" || m.Hours != "" || m.Name != "" || m.Currency != "":
		return projectTerms{}, fmt.Sprintf("project %s is there already, with %s: name it alone, or change it first (docket project budget)", m.Project, found.tell()), nil
	}
	for _, c := range charges {
		if !c.Amount.IsZero() && c.Currency != found.Currency {
			return projectTerms{}, fmt.Sprintf("project %s is in %s, and %s bills in %s", m.Project, found.Currency, ticket.HoldID(d.hold), c.Currency), nil
		}
	}
	return *found, "", nil
}

// postToProject posts the held charges against the project's budget, as far as it reaches; the ticket belongs to the
// project from now on.
func (s *Store) postToProject(ctx context.Context, t *tx, b *pgx.Batch, d *settling, r billing.Ruling, p projectTerms) (billing.Settlement, error) {
	return s.postHold(ctx, t, b, d, r, func(stand []billing.Counter, charges []billing.Charge) string {
		if refusal := p.short(d, stand, charges); refusal != "" {
			return refusal
		}
		if p.fresh { // before what refers to it
			p.queueInsert(b, d.at)
			key := "made/" + ticket.HoldID(d.hold)
			says := fmt.Sprintf("made by the ruling on %s of %s: %s", ticket.HoldID(d.hold), d.ticket.id(), p.tell())
			queueProjectEvent(b, p.ID, p.Client, "added", r.By, d.at, says, key, key, ProjectAnswer{Project: p.ID, Effect: true, Says: says})
		}
		b.Queue("update tickets set project_id = $2 where number = $1", d.ticket.Number, p.ID)
		return ""
	})
}

// short says why the budget does not reach for the charges; "" where it does. The counters are locked, and still hold what
// the hold itself has reserved of them.
func (p *projectTerms) short(d *settling, stand []billing.Counter, charges []billing.Charge) string {
	billed, hours := billing.ProjectCounters(p.ID, p.Currency)
	at := func(key string) decimal.Decimal {
		if i := slices.IndexFunc(stand, func(c billing.Counter) bool { return c.Key == key }); i >= 0 {
			return stand[i].Value
		}
		return decimal.Zero
	}
	takes := map[string]decimal.Decimal{}
	for _, c := range charges {
		for _, n := range c.Counts {
			takes[n.Key] = takes[n.Key].Add(n.Quantity)
		}
	}
	if content, err := d.found.content(); err == nil {
		for _, c := range content.Charges {
			for _, n := range c.Counts {
				takes[n.Key] = takes[n.Key].Sub(n.Quantity)
			}
		}
	}
	name := ticket.HoldID(d.hold)
	if p.Budget != nil && takes[billed].IsPositive() && at(billed).Add(takes[billed]).GreaterThan(*p.Budget) {
		return fmt.Sprintf("%s takes %s of project %s, whose budget of %s has %s left: agree on more (docket project budget), or rule otherwise",
			name, money(takes[billed], p.Currency), p.ID, money(*p.Budget, p.Currency), money(p.Budget.Sub(at(billed)), p.Currency))
	}
	if left := p.BudgetMS - at(hours).IntPart(); p.BudgetMS > 0 && takes[hours].IsPositive() && takes[hours].IntPart() > left {
		return fmt.Sprintf("%s takes %s h of project %s, whose budget of %s h has %s left: agree on more (docket project budget), or rule otherwise",
			name, hoursOf(takes[hours].IntPart()), p.ID, hoursOf(p.BudgetMS), hoursOf(left))
	}
	return ""
}
