package postgres_test

import (
	"context"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/ticket"
)

// deadlyRulings are what our people decide about a hold, alone or by two, and what it sets right elsewhere.
var deadlyRulings = []deadly{
	{"rule to split an amount", one(hourly), func(k *till) func(context.Context, *postgres.Store) error {
		id, q := k.outOfScope(180)
		return k.ruling(id, q, ticket.Split, ticket.RuleTerms{BillAmount: "100.01", Rest: ticket.WriteOff})
	}},
	{"rule to split what draws on a block", one(blocks), func(k *till) func(context.Context, *postgres.Store) error {
		id, q := k.declined()
		return k.ruling(id, q, ticket.Split, ticket.RuleTerms{BillMS: 30 * 60_000, Rest: ticket.Cover})
	}},
	{"rule another contract, which draws", one(hourly, blocks), func(k *till) func(context.Context, *postgres.Store) error {
		k.grant(2)
		id := k.ticket("network")
		q := k.close(id, 1, k.minutes("tom", 60)).Held[0]
		return k.ruling(id, q, ticket.OtherContract, ticket.RuleTerms{Contract: "acme-block"})
	}},
	{"rule another contract, which asks", one(hourly, blocks), func(k *till) func(context.Context, *postgres.Store) error {
		id := k.ticket("network")
		q := k.close(id, 1, k.minutes("tom", 360)).Held[0]
		return k.ruling(id, q, ticket.OtherContract, ticket.RuleTerms{Contract: "acme-hourly"})
	}},
	{"rule another contract, which buys its next block", one(scoped, renewing), func(k *till) func(context.Context, *postgres.Store) error {
		k.grantOn("acme-prepaid", 2)
		id, q := k.outOfScope(180)
		return k.ruling(id, q, ticket.OtherContract, ticket.RuleTerms{Contract: "acme-prepaid"})
	}},
	{"rule it a project that is not there yet", one(disguised), func(k *till) func(context.Context, *postgres.Store) error {
		id := k.ticket("email")
		q := k.close(id, 1, k.minutes("tom", 360)).Held[0]
		return k.ruling(id, q, ticket.ToProject, ticket.RuleTerms{Project: "cedar-hill", Name: "Cedar Hill", Budget: "5000.00"}, "100.00")
	}},
	{"rule it to a project", one(disguised), func(k *till) func(context.Context, *postgres.Store) error {
		k.addProject("cedar-hill", "5000.00", "40")
		id := k.ticket("email")
		q := k.close(id, 1, k.minutes("tom", 360)).Held[0]
		return k.ruling(id, q, ticket.ToProject, ticket.RuleTerms{Project: "cedar-hill"}, "100.00")
	}},
	{"propose", one(hourly), func(k *till) func(context.Context, *postgres.Store) error {
		id, q := k.outOfScope(480)
		return k.ruling(id, q, ticket.WriteOff, ticket.RuleTerms{})
	}},
	{"confirm", one(hourly), confirmed(true)},
	{"reject", one(hourly), confirmed(false)},
	{"cover a quote that others were charged after", one(heldTickets), waived(ticket.Cover)},
	{"send back a quote that others were charged after", one(heldTickets), waived(ticket.Rework)},
	{"a limit of rulings", one(hourly), func(*till) func(context.Context, *postgres.Store) error {
		l := postgres.RulingLimit{Role: "dispatcher", Action: billing.WriteOff, Currency: "USD", By: "olga"}
		return func(ctx context.Context, s *postgres.Store) error { return s.SetRulingLimit(ctx, l) }
	}},
	{"a project", one(hourly), func(k *till) func(context.Context, *postgres.Store) error {
		d := k.projectDeed("cedar-hill")
		d.Name, d.Budget = "Cedar Hill", "5000.00"
		return func(ctx context.Context, s *postgres.Store) error { _, err := s.AddProject(ctx, d); return err }
	}},
	{"another budget", one(hourly), func(k *till) func(context.Context, *postgres.Store) error {
		k.addProject("cedar-hill", "5000.00", "")
		d := k.projectDeed("cedar-hill")
		d.Budget = "6000.00"
		return func(ctx context.Context, s *postgres.Store) error { _, err := s.SetProjectBudget(ctx, d); return err }
	}},
	{"the end of a project", one(hourly), func(k *till) func(context.Context, *postgres.Store) error {
		k.addProject("cedar-hill", "5000.00", "")
		d := k.projectDeed("cedar-hill")
		return func(ctx context.Context, s *postgres.Store) error { _, err := s.CloseProject(ctx, d); return err }
	}},
	{"close and bill to a project", one(hourly), func(k *till) func(context.Context, *postgres.Store) error {
		k.addProject("cedar-hill", "5000.00", "40")
		id, m := k.ticketOn("cedar-hill", "email"), k.resolve("tom", k.minutes("tom", 60))
		return func(ctx context.Context, s *postgres.Store) error { _, err := s.Close(ctx, id, 1, m); return err }
	}},
}

var renewing = replaced(blockCard, "charge: block", `charge: block, block: {renewal: {hours: 10h, price: "500.00", expires_days: 365}}`)

// outOfScope closes a ticket that its contract says nothing about.
func (k *till) outOfScope(minutes int) (ticket.ID, billing.HeldQuote) {
	k.t.Helper()
	id := k.ticket("project")
	return id, k.close(id, 1, k.minutes("tom", minutes)).Held[0]
}

// declined is heldOnBlock after the client's no.
func (k *till) declined() (ticket.ID, billing.HeldQuote) {
	k.t.Helper()
	id, q := k.heldOnBlock()
	_, err := k.SignOff(k.t.Context(), id, ticket.SignOff{Header: k.by("ann"), Hold: q.Hold, Digest: q.Digest, Reason: "too much"})
	require.NoError(k.t, err)
	return id, q
}

// ruling is the dispatcher's, at a rate of his own where one is given.
func (k *till) ruling(id ticket.ID, q billing.HeldQuote, action ticket.Ruling, terms ticket.RuleTerms, hourly ...string) func(context.Context, *postgres.Store) error {
	m := ticket.Rule{Header: k.by("dora"), Hold: q.Hold, Action: action, Reason: "agreed by phone", Hourly: strings.Join(hourly, ""), RuleTerms: terms}
	return func(ctx context.Context, s *postgres.Store) error {
		settlement, err := s.Rule(ctx, id, m)
		if err == nil {
			require.True(k.t, settlement.Changed(), settlement.Says)
		}
		return err
	}
}

// confirmed answers a proposal.
func confirmed(agreed bool) func(k *till) func(context.Context, *postgres.Store) error {
	return func(k *till) func(context.Context, *postgres.Store) error {
		id, q := k.outOfScope(480)
		proposed := k.rule(id, "dora", q.Hold, ticket.WriteOff, ticket.RuleTerms{})
		m := ticket.Confirm{Header: k.by("olga"), Hold: q.Hold, Proposal: proposed.Proposal, Agreed: agreed, Reason: "not again"}
		return func(ctx context.Context, s *postgres.Store) error { _, err := s.Confirm(ctx, id, m); return err }
	}
}

// waived rules on a quote that stands before charges of later tickets, which it sets right.
func waived(action ticket.Ruling) func(k *till) func(context.Context, *postgres.Store) error {
	return func(k *till) func(context.Context, *postgres.Store) error {
		k.close(k.ticket("email"), 1, k.minutes("tom", 5))
		id, held := k.heldTicket()
		other, next := k.heldTicket()
		k.later(func() { k.agreed(other, next) })
		last, capped := k.heldTicket()
		k.later(func() { k.agreed(last, capped) })
		k.pass(time.Minute)
		return k.ruling(id, held, action, ticket.RuleTerms{})
	}
}
