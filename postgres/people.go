package postgres

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
	"github.com/docket-psa/docket/triage"
)

// Staffing is a person with what routing and costing need to know.
type Staffing struct {
	ticket.Person
	Capacity     int             // open tickets at a time; 0 takes none by routing
	HourlyCost   decimal.Decimal // of work, in CostCurrency
	TokenCost    decimal.Decimal // of a thousand model tokens, in CostCurrency
	CostCurrency string          // empty: USD
	Policy       *triage.Policy  // of an AI agent: what routing may give it; nil: nothing
	Delegate     string          // person id: who acts when this one is away or may not
}

var (
	personID = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{0,62}$`)
	roles    = []string{"technician", "dispatcher", "owner", "finance", "approver", "contact", "agent"}
)

// PutPerson stores somebody who acts, or brings what is stored up to date. Returns a Problem
// for each field that is wrong.
func (s *Store) PutPerson(ctx context.Context, p Staffing) error {
	if p.CostCurrency == "" {
		p.CostCurrency = "USD"
	}
	if err := errors.Join(p.problems(), s.personRefers(ctx, p)); err != nil {
		return err
	}
	if _, err := s.pool.Exec(ctx, `
		insert into people (id, name, kind, client_id, roles, work_role, email, board, skills, capacity, hourly_cost, token_cost,
			cost_currency, policy, delegate_id)
		values ($1, $2, $3, nullif($4, ''), $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, nullif($15, ''))
		on conflict (id) do update set name = excluded.name, kind = excluded.kind, client_id = excluded.client_id,
			roles = excluded.roles, work_role = excluded.work_role, email = excluded.email, board = excluded.board,
			skills = excluded.skills, capacity = excluded.capacity, hourly_cost = excluded.hourly_cost,
			token_cost = excluded.token_cost, cost_currency = excluded.cost_currency, policy = excluded.policy,
			delegate_id = excluded.delegate_id`,
		p.ID, p.Name, p.Kind, p.Client, orEmpty(p.Roles), p.WorkRole, p.Email, p.Board, orEmpty(p.Skills), p.Capacity,
		p.HourlyCost, p.TokenCost, p.CostCurrency, (*policy)(p.Policy), p.Delegate); err != nil {
		return fmt.Errorf("store person %s: %w", p.ID, err)
	}
	return nil
}

func (p Staffing) problems() error {
	errs := []error{named("name", p.Name)}
	if !personID.MatchString(p.ID) {
		errs = append(errs, ticket.Invalid("person", p.ID, "is not an id", "use 1 to 63 lower-case letters, digits, dots and hyphens"))
	}
	if p.Kind != ticket.Human && p.Kind != ticket.AI && p.Kind != ticket.System {
		errs = append(errs, ticket.Invalid("kind", p.Kind, "is not known", "human, ai or system"))
	}
	for _, r := range p.Roles {
		if !slices.Contains(roles, r) {
			errs = append(errs, ticket.Invalid("roles", r, "is not a role", strings.Join(roles, ", ")))
		}
	}
	if p.Capacity < 0 {
		errs = append(errs, ticket.Invalid("capacity", p.Capacity, "is negative", "give the number of open tickets at a time"))
	}
	if p.HourlyCost.IsNegative() {
		errs = append(errs, ticket.Invalid("hourly_cost", p.HourlyCost, "is negative", "give what an hour costs us, 0 or more"))
	}
	if p.TokenCost.IsNegative() {
		errs = append(errs, ticket.Invalid("token_cost", p.TokenCost, "is negative", "give what a thousand tokens cost us, 0 or more"))
	}
	if _, ok := billing.MinorUnits(p.CostCurrency); !ok {
		errs = append(errs, ticket.Invalid("cost_currency", p.CostCurrency, "is not an ISO 4217 currency", "give a code such as USD"))
	}
	return errors.Join(errs...)
}

func (s *Store) personRefers(ctx context.Context, p Staffing) error {
	var errs []error
	if p.Client != "" {
		errs = append(errs, s.clientExists(ctx, p.Client))
	}
	if p.Delegate != "" {
		errs = append(errs, s.mustExist(ctx, "delegate", "people", p.Delegate, "store the delegate first"))
	}
	return errors.Join(errs...)
}

func orEmpty(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}
