package postgres_test

import (
	"sync"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/ticket"
)

// disguised covers everything, up to what looks like a project.
const disguised = `
schema: docket.contract/v1
contract: acme-care
client: acme
name: All care
effective_from: "2026-01-01"
currency: USD
time_zone: America/New_York
project: {clause: "8.1", time_over: 4h}
rates:
  - {clause: "3.1", work_role: engineer, hourly: "150.00"}
lines:
  - {clause: "2.1", name: Support, charge: covered}
`

func (k *till) project(id string) billing.ProjectView {
	k.t.Helper()
	p, err := k.Project(k.t.Context(), id)
	require.NoError(k.t, err)
	return p
}

func (k *till) projectDeed(project string) postgres.ProjectDeed {
	return postgres.ProjectDeed{Project: project, Client: "acme", By: "olga", OperationKey: k.key(), Reason: "agreed"}
}

func (k *till) addProject(id, budget, hours string) {
	k.t.Helper()
	d := k.projectDeed(id)
	d.Budget, d.Hours = budget, hours
	_, err := k.AddProject(k.t.Context(), d)
	require.NoError(k.t, err)
}

// on opens a ticket of the project, in resolution.
func (k *till) ticketOn(project, category string) ticket.ID {
	k.t.Helper()
	key := k.key()
	opened, err := k.Open(k.t.Context(), ticket.Opening{
		Client: "acme", Subject: "Part of " + project, Source: "test", ExternalID: key, EventID: key, Category: category, Project: project,
		OpenedAt: k.now().Add(-8 * time.Hour),
	})
	require.NoError(k.t, err)
	k.begin(opened.Ticket, 1)
	return opened.Ticket
}

func TestEdge52AProjectInDisguiseBecomesOne(t *testing.T) {
	k := newTill(t, disguised)
	id := k.ticket("email")
	q := k.close(id, 1, k.minutes("tom", 360)).Held[0]
	require.Equal(t, billing.ProjectSize, q.Reason)
	holds, err := k.Exceptions(t.Context(), postgres.ExceptionFilter{Open: true})
	require.NoError(t, err)
	require.Equal(t, billing.QueueProject, holds[0].Queue)
	require.Contains(t, holds[0].Rulings, billing.ToProject, "what is possible suggests it")

	unknown, err := k.Rule(t.Context(), id, ticket.Rule{
		Header: k.by("dora"), Hold: q.Hold, Action: ticket.ToProject, Reason: "a project", Hourly: "100.00", RuleTerms: ticket.RuleTerms{Project: "cedar-hill"},
	})
	require.NoError(t, err)
	require.Equal(t, billing.Refused, unknown.Outcome)
	require.Contains(t, unknown.Says, "give its budget")

	m := ticket.Rule{
		Header: k.by("dora"), Hold: q.Hold, Action: ticket.ToProject, Reason: "quoted as a project", Hourly: "100.00",
		RuleTerms: ticket.RuleTerms{Project: "cedar-hill", Name: "Cedar Hill", Budget: "500.00"},
	}
	short, err := k.Rule(t.Context(), id, m)
	require.NoError(t, err)
	require.Equal(t, billing.Refused, short.Outcome)
	require.Contains(t, short.Says, "takes 600.00 USD of project cedar-hill, whose budget of 500.00 USD has 500.00 USD left")
	require.EqualValues(t, 0, k.count("select count(*) from projects"), "nothing of it")

	m.Header, m.Budget = k.by("dora"), "1000.00"
	ruled, err := k.Rule(t.Context(), id, m)
	require.NoError(t, err)
	require.Equal(t, billing.Settled, ruled.Outcome, ruled.Says)
	require.Equal(t, "600.00", k.owed())
	require.Contains(t, k.why(ruled), "dora ruled that it bills to project cedar-hill at 100.00 USD an hour: quoted as a project.")
	p := k.project("cedar-hill")
	require.Equal(t, "600", p.Billed.String())
	require.Equal(t, 6*time.Hour.Milliseconds(), p.WorkedMS)
	require.Equal(t, []string{string(id)}, p.Tickets)
	at, err := k.Ticket(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, "cedar-hill", at.Project)
	k.proved()

	// Later closings bill to it, at its rate, although the contract covers such work; beyond the budget they wait.
	id2 := k.ticketOn("cedar-hill", "email")
	r := k.close(id2, 1, k.minutes("tom", 180))
	require.Len(t, r.Posted, 1)
	require.Equal(t, "300.00", r.Posted[0].Amount.StringFixed(2))
	id3 := k.ticketOn("cedar-hill", "email")
	over := k.close(id3, 1, k.minutes("tom", 120)).Held[0]
	require.Equal(t, billing.ProjectBudget, over.Reason)
	require.Equal(t, "The budget of project cedar-hill, 1000.00 USD, has 100.00 USD left, and this comes to 200.00 USD: raise its budget (docket project budget), or rule on it; 200.00 USD if it is billed.", over.Says)
	require.Equal(t, "900", k.project("cedar-hill").Billed.String())
	k.proved()
	beyond := k.rule(id3, "dora", over.Hold, ticket.Bill, ticket.RuleTerms{})
	require.Equal(t, billing.Settled, beyond.Outcome)
	require.Equal(t, "1100", k.project("cedar-hill").Billed.String(), "billed after all")
	k.proved()

	// The reopening gives back, and the ticket stays the project's.
	k.reopen(id)
	require.Equal(t, "500", k.project("cedar-hill").Billed.String())
	require.Equal(t, "500.00", k.owed())
	k.proved()
	k.begin(id, 2)
	again := k.close(id, 2)
	require.Equal(t, billing.ProjectBudget, again.Held[0].Reason, "the six hours do not fit any more")
	k.proved()
	moved := k.rule(id, "dora", again.Held[0].Hold, ticket.ToProject, ticket.RuleTerms{Project: "cedar-two", Hours: "10"})
	require.Equal(t, billing.Settled, moved.Outcome, moved.Says)
	require.Equal(t, "500", k.project("cedar-hill").Billed.String())
	require.Equal(t, "600", k.project("cedar-two").Billed.String())
	k.proved()
}

func TestProjectBudgetInHours(t *testing.T) {
	k := newTill(t, hourly)
	k.addProject("rollout", "", "3")
	id := k.ticketOn("rollout", "email")
	require.Len(t, k.close(id, 1, k.minutes("tom", 120)).Posted, 1)
	late := k.ticketOn("rollout", "email")
	q := k.close(late, 1, k.minutes("tom", 61)).Held[0]
	require.Equal(t, billing.ProjectBudget, q.Reason)
	require.Contains(t, q.Says, "The budget of project rollout, 3 h, has 1 h left, and this takes 1 h 1 min")
	fits := k.ticketOn("rollout", "email")
	require.Len(t, k.close(fits, 1, k.minutes("tom", 60)).Posted, 1, "so that what fits still posts")
	k.proved()
}

func TestASignOffReservesTheProjectsBudget(t *testing.T) {
	k := newTill(t, hourly)
	k.addProject("rollout", "1000.00", "")
	id := k.ticketOn("rollout", "email")
	q := k.close(id, 1, k.minutes("tom", 240)).Held[0]
	require.Equal(t, billing.OverThreshold, q.Reason)
	p := k.project("rollout")
	require.Equal(t, "0", p.Billed.String())
	require.Equal(t, "600", p.Reserved.String())
	other := k.ticketOn("rollout", "email")
	require.Equal(t, billing.ProjectBudget, k.close(other, 1, k.minutes("tom", 180)).Held[0].Reason, "400.00 are left beside what waits")
	k.proved()
	signed, err := k.SignOff(t.Context(), id, ticket.SignOff{Header: k.by("ann"), Hold: q.Hold, Digest: q.Digest, Approved: true})
	require.NoError(t, err)
	require.Equal(t, billing.Settled, signed.Outcome)
	require.Equal(t, "600", k.project("rollout").Billed.String())
	k.proved()
}

func TestClosingsRaceForTheLastOfAProject(t *testing.T) {
	k := newTill(t, hourly)
	k.addProject("rollout", "450.00", "")
	ids := make([]ticket.ID, 8)
	for i := range ids {
		ids[i] = k.ticketOn("rollout", "email")
	}
	receipts := make([]billing.Receipt, len(ids))
	var all sync.WaitGroup
	for i, id := range ids {
		m := k.resolve("tom", k.minutes("tom", 60))
		m.Work[0].StartedAt = m.Work[0].StartedAt.Add(-time.Duration(i) * 24 * time.Hour) // one person is at one place
		all.Go(func() {
			r, err := k.Close(t.Context(), id, 1, m)
			if err == nil {
				receipts[i] = r
			}
		})
	}
	all.Wait()
	posted := 0
	for _, r := range receipts {
		posted += len(r.Posted)
	}
	require.Equal(t, 3, posted, "of 150.00 each; no more, no less")
	require.Equal(t, "450", k.project("rollout").Billed.String())
	require.Equal(t, "450.00", k.owed())
	k.proved()
}

func TestProjects(t *testing.T) {
	k := newTill(t, hourly)
	ctx := t.Context()
	for name, d := range map[string]postgres.ProjectDeed{
		"no budget":       k.projectDeed("rollout"),
		"no id":           {Project: "Roll out!", Client: "acme", Budget: "1", By: "olga", OperationKey: k.key()},
		"no client":       {Project: "rollout", Client: "nobody", Budget: "1", By: "olga", OperationKey: k.key()},
		"a technician":    {Project: "rollout", Client: "acme", Budget: "1", By: "tom", OperationKey: k.key()},
		"no such money":   {Project: "rollout", Client: "acme", Budget: "1.001", By: "olga", OperationKey: k.key()},
		"nothing to bill": {Project: "rollout", Client: "acme", Budget: "0", By: "olga", OperationKey: k.key()},
	} {
		_, err := k.AddProject(ctx, d)
		require.Error(t, err, name)
	}
	d := k.projectDeed("rollout")
	d.Budget = "1000.00"
	first, err := k.AddProject(ctx, d)
	require.NoError(t, err)
	again, err := k.AddProject(ctx, d)
	require.NoError(t, err)
	require.Equal(t, first, again, "the same key answers the same")
	_, err = k.AddProject(ctx, func() postgres.ProjectDeed { d.OperationKey = k.key(); return d }())
	require.ErrorContains(t, err, "is there already")

	id := k.ticketOn("rollout", "email")
	_, err = k.CloseProject(ctx, k.projectDeed("rollout"))
	require.ErrorContains(t, err, "has 1 open tickets")
	k.close(id, 1, k.minutes("tom", 60))
	_, err = k.CloseProject(ctx, k.projectDeed("rollout"))
	require.NoError(t, err)
	key := k.key()
	_, err = k.Open(ctx, ticket.Opening{Client: "acme", Subject: "late", Source: "test", ExternalID: key, EventID: key, Project: "rollout"})
	require.ErrorContains(t, err, "is closed")
	_, err = k.Open(ctx, ticket.Opening{Client: "zenith", Subject: "theirs", Source: "test", ExternalID: key, EventID: key, Project: "rollout"})
	require.ErrorContains(t, err, "is no project of zenith")
	k.reopen(id)
	k.begin(id, 2)
	q := k.close(id, 2).Held[0]
	require.Equal(t, billing.ProjectBudget, q.Reason)
	require.Contains(t, q.Says, "which is closed")
	k.proved()

	_, err = k.OpenProject(ctx, k.projectDeed("rollout"))
	require.NoError(t, err)
	more := k.projectDeed("rollout")
	more.Hours, more.Hourly = "40", "120.00"
	changed, err := k.SetProjectBudget(ctx, more)
	require.NoError(t, err)
	require.Equal(t, "Olga changed project rollout from 1000.00 USD to 1000.00 USD and 40 h: agreed", changed.Says)
	all, err := k.Projects(ctx, "acme", false)
	require.NoError(t, err)
	require.Len(t, all, 1)
	require.Equal(t, "1000", all[0].Budget.String())
	require.Equal(t, decimal.NewFromInt(0).String(), all[0].Billed.String(), "reversed")
	require.Len(t, k.project("rollout").Events, 4)

	require.NoError(t, k.AsClient(ctx, "acme", func(r postgres.Reads) error {
		mine, err := r.Projects(ctx, "", false)
		require.Len(t, mine, 1)
		return err
	}))
	require.NoError(t, k.AsClient(ctx, "zenith", func(r postgres.Reads) error {
		none, err := r.Projects(ctx, "", false)
		require.Empty(t, none)
		return err
	}))
}

func TestRulingsRaceForAProject(t *testing.T) {
	k := newTill(t, scoped)
	ids := make([]ticket.ID, 6)
	holds := make([]int64, len(ids))
	for i := range ids {
		entry := k.minutes("tom", 60)
		entry.StartedAt = entry.StartedAt.Add(-time.Duration(i) * 24 * time.Hour)
		ids[i] = k.ticket("project")
		holds[i] = k.close(ids[i], 1, entry).Held[0].Hold
	}
	outcomes := make([]billing.Settlement, len(ids))
	var all sync.WaitGroup
	for i, id := range ids {
		m := ticket.Rule{
			Header: k.by("dora"), Hold: holds[i], Action: ticket.ToProject, Reason: "all one project",
			RuleTerms: ticket.RuleTerms{Project: "p-1", Budget: "300.00"},
		}
		all.Go(func() {
			s, err := k.Rule(t.Context(), id, m)
			if err == nil {
				outcomes[i] = s
			}
		})
	}
	all.Wait()
	made := 0
	for _, s := range outcomes {
		if s.Outcome == billing.Settled {
			made++
			continue
		}
		require.Equal(t, billing.Refused, s.Outcome)
		require.Contains(t, s.Says, "is there already, with 300.00 USD")
	}
	require.Equal(t, 1, made, "one makes it; the others must name it as it is")
	fits := 0
	for i, id := range ids {
		if outcomes[i].Outcome == billing.Settled {
			continue
		}
		if s := k.rule(id, "dora", holds[i], ticket.ToProject, ticket.RuleTerms{Project: "p-1"}); s.Outcome == billing.Settled {
			fits++
		} else {
			require.Contains(t, s.Says, "has 0.00 USD left")
		}
	}
	require.Equal(t, 1, fits)
	require.Equal(t, "300", k.project("p-1").Billed.String())
	k.proved()
}

func TestAnotherContractRatesWorkOfAProject(t *testing.T) {
	k := newTill(t, scoped, rateCard)
	k.addProject("rollout", "500.00", "")
	id := k.ticketOn("rollout", "project")
	q := k.close(id, 1, k.minutes("tom", 180)).Held[0]
	require.Equal(t, billing.OutOfScope, q.Reason)
	require.Equal(t, "450", k.project("rollout").Reserved.String())
	s := k.rule(id, "dora", q.Hold, ticket.OtherContract, ticket.RuleTerms{Contract: "acme-rates"})
	require.Equal(t, billing.Settled, s.Outcome, s.Says)
	p := k.project("rollout")
	require.Equal(t, "270", p.Billed.String(), "what was reserved at the other rate has gone back before it is counted")
	require.Equal(t, "0", p.Reserved.String())
	k.proved()
	k.reopen(id)
	require.Equal(t, "0", k.project("rollout").Billed.String())
	k.proved()
}
