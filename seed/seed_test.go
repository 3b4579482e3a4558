package seed_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/internal/testenv"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/seed"
	"github.com/docket-psa/docket/ticket"
	"github.com/docket-psa/docket/triage"
)

// now is when these tests begin; clock, which they share, goes on from there.
var (
	now   = time.Date(2026, time.November, 23, 15, 0, 0, 0, time.UTC)
	clock = now
)

func open(t *testing.T) *postgres.Store {
	t.Helper()
	url := testenv.Template(t, "docket", func(url string) error {
		_, err := postgres.Migrate(context.Background(), url, "", "")
		return err
	})
	s, err := postgres.Open(t.Context(), url, postgres.Options{Now: func() time.Time { return clock }})
	require.NoError(t, err)
	t.Cleanup(s.Disconnect)
	return s
}

func TestApply(t *testing.T) {
	s := open(t)
	first, err := seed.Apply(t.Context(), s)
	require.NoError(t, err)
	assert.Equal(t, 8, first.Clients)

	clients, err := s.Clients(t.Context())
	require.NoError(t, err)
	require.Len(t, clients, 8)
	zones, currencies := map[string]bool{}, map[string]bool{}
	for _, c := range clients {
		zones[c.TimeZone], currencies[c.Currency] = true, true
		assert.NotEmpty(t, c.Sites, c.ID)
		assert.NotEmpty(t, c.Devices, c.ID)
	}
	assert.GreaterOrEqual(t, len(zones), 5)
	assert.Len(t, currencies, 2)

	contracts, err := s.Contracts(t.Context(), "")
	require.NoError(t, err)
	require.Len(t, contracts, 11)

	profiles, err := s.TaxProfiles(t.Context())
	require.NoError(t, err)
	require.Len(t, profiles, 3)
	costs, err := s.CostVersions(t.Context())
	require.NoError(t, err)
	require.Len(t, costs, 1)
	harbour, err := s.Client(t.Context(), "harbour")
	require.NoError(t, err)
	assert.Equal(t, "NL", harbour.Tax)

	t.Run("a second start changes nothing, not even what was changed by hand", func(t *testing.T) {
		require.NoError(t, s.TaxClient(t.Context(), "harbour", "", seed.By))
		renamed := clients[0]
		renamed.Name = "Renamed by hand"
		require.NoError(t, s.PutClient(t.Context(), renamed))
		again, err := seed.Apply(t.Context(), s)
		require.NoError(t, err)
		assert.Zero(t, again)
		kept, err := s.Client(t.Context(), renamed.ID)
		require.NoError(t, err)
		assert.Equal(t, "Renamed by hand", kept.Name)
		untaxed, err := s.Client(t.Context(), "harbour")
		require.NoError(t, err)
		assert.Empty(t, untaxed.Tax)
	})
	t.Run("every client is under contract since 2015", func(t *testing.T) {
		for _, c := range clients {
			since := ""
			for _, v := range contracts {
				if v.Client != c.ID {
					continue
				}
				history, err := s.ContractHistory(t.Context(), v.Contract)
				require.NoError(t, err)
				if since == "" || history[0].EffectiveFrom < since {
					since = history[0].EffectiveFrom
				}
			}
			assert.Equal(t, "2015-01-01", since, c.ID)
		}
	})
	t.Run("plays name people that exist, each where he may act", func(t *testing.T) {
		tickets, err := seed.Tickets()
		require.NoError(t, err)
		require.Len(t, tickets, 47)
		for _, d := range tickets {
			require.NoError(t, d.Opening.Validate(now), d.Opening.ExternalID)
			contact, err := s.Person(t.Context(), d.Opening.Contact)
			require.NoError(t, err, d.Opening.ExternalID)
			assert.Equal(t, d.Opening.Client, contact.Client, d.Opening.ExternalID)
			for _, step := range d.Play {
				p, err := s.Person(t.Context(), step.Actor)
				require.NoError(t, err, d.Opening.ExternalID)
				switch step.Do {
				case seed.Approve, seed.Decline:
					assert.True(t, p.Has("approver") && p.Client == d.Opening.Client, "%s: %s signs off", d.Opening.ExternalID, p.ID)
				case seed.Reply, seed.Reopen:
					assert.Equal(t, d.Opening.Client, p.Client, d.Opening.ExternalID)
				case seed.Rule:
					assert.True(t, p.Has("dispatcher"), "%s: %s rules", d.Opening.ExternalID, p.ID)
				case seed.Claim, seed.Work, seed.Wait, seed.Resume, seed.Escalate, seed.Resolve, seed.RequestApproval, seed.Merge, seed.Cancel, seed.Item, seed.Usage:
					assert.Empty(t, p.Client, d.Opening.ExternalID)
					assert.Equal(t, p.Kind == ticket.AI, p.Has("agent"), p.ID)
				}
			}
		}
	})
}

func TestTriageReadsTheDemoTicketsAsMeant(t *testing.T) {
	tickets, err := seed.Tickets()
	require.NoError(t, err)
	for _, d := range tickets {
		c := triage.Classify(d.Opening.Subject, d.Opening.Description)
		assert.Equal(t, d.Category, string(c.Category), "%s %q: %v", d.Opening.ExternalID, d.Opening.Subject, c.Matched)
	}
}

func TestContractsCompile(t *testing.T) {
	contracts, err := seed.Contracts()
	require.NoError(t, err)
	for _, c := range contracts {
		_, err := c.Compile()
		require.NoError(t, err, c.ID)
	}
}

func TestRoutingGivesAnEasyTicketToTheScriptedAgent(t *testing.T) {
	s := open(t)
	_, err := seed.Apply(t.Context(), s)
	require.NoError(t, err)
	tickets, err := seed.Tickets()
	require.NoError(t, err)
	for _, d := range tickets[:2] {
		opened, err := s.Open(t.Context(), d.Opening)
		require.NoError(t, err)
		_, err = s.Begin(t.Context(), opened.Ticket, 1)
		require.NoError(t, err)
		_, err = s.Triage(t.Context(), opened.Ticket, 1)
		require.NoError(t, err)
		to, err := s.Route(t.Context(), opened.Ticket, 1, nil)
		require.NoError(t, err)
		assert.NotEmpty(t, to.Assignee, to.Says)
		if d.Category == "password-reset" {
			assert.Equal(t, "scripted-agent", to.Assignee, to.Says)
		}
	}
}

func TestTicketsComeInAtTheirTimeOfAWeekday(t *testing.T) {
	zone, err := time.LoadLocation("America/New_York")
	require.NoError(t, err)
	for name, c := range map[string]struct{ at, now, began string }{
		"as late as its work fits in":  {"", "2026-11-23T15:00:00Z", "2026-11-23T13:00:00Z"},
		"earlier on the same day":      {"09:00", "2026-11-24T20:00:00Z", "2026-11-24T14:00:00Z"},
		"the work would not fit in":    {"09:00", "2026-11-24T15:59:00Z", "2026-11-23T14:00:00Z"},
		"the evening before":           {"21:10", "2026-11-24T15:00:00Z", "2026-11-24T02:10:00Z"},
		"not on a weekend":             {"21:10", "2026-11-23T15:00:00Z", "2026-11-21T02:10:00Z"},
		"over the change of the clock": {"10:00", "2026-11-02T14:00:00Z", "2026-10-30T14:00:00Z"},
	} {
		t.Run(name, func(t *testing.T) {
			now, err := time.Parse(time.RFC3339, c.now)
			require.NoError(t, err)
			began, err := seed.Ticket{At: c.at}.Began(now, 2*time.Hour, zone)
			require.NoError(t, err)
			assert.Equal(t, c.began, began.UTC().Format(time.RFC3339))
		})
	}
	_, err = seed.Ticket{At: "late"}.Began(now, 0, zone)
	require.ErrorContains(t, err, "at:")
}
