package postgres_test

import (
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/ticket"
)

func (k *till) log(id ticket.ID, who string, entry ticket.WorkEntry) ticket.Answer {
	k.t.Helper()
	answer, err := k.Log(k.t.Context(), id, ticket.Work{Header: k.by(who), Entry: entry})
	require.NoError(k.t, err)
	return answer
}

func (k *till) merge(child, into ticket.ID) ticket.Answer {
	k.t.Helper()
	answer, err := k.Merge(k.t.Context(), child, ticket.Merge{Header: k.by("dora"), Into: into})
	require.NoError(k.t, err)
	return answer
}

// lineSum is what a ticket's lines come to.
func (k *till) lineSum(id ticket.ID) string {
	k.t.Helper()
	lines, err := k.LinesOf(k.t.Context(), id)
	require.NoError(k.t, err)
	sum := decimal.Zero
	for _, l := range lines {
		sum = sum.Add(l.Amount)
	}
	return sum.StringFixed(2)
}

func TestEdge01ReopenedBeforeItsChargeIsOnAFinalisedInvoice(t *testing.T) {
	k := newTill(t, hourly)
	id := k.ticket("email")
	first := k.close(id, 1, k.minutes("tom", 70)).Posted[0].Line
	k.reopen(id)
	lines, err := k.LinesOf(t.Context(), id)
	require.NoError(t, err)
	require.Len(t, lines, 2)
	require.Equal(t, first, lines[1].Reverses, "an adjusting line, linked to the original")
	require.Equal(t, "0.00", k.lineSum(id))
	k.begin(id, 2)
	k.pass(3 * time.Hour)
	k.close(id, 2, k.minutes("tom", 30))
	require.Equal(t, "262.50", k.lineSum(id), "an hour and three quarters: the next closure rates all of it afresh")
	k.proved()
}

func TestEdge07MergeBothUnbilled(t *testing.T) {
	k := newTill(t, hourly)
	child, into := k.ticket("email"), k.ticket("email")
	k.log(child, "tom", k.minutes("tom", 70))
	merged := k.merge(child, into)
	require.True(t, merged.Effect)
	k.pass(3 * time.Hour)
	k.close(into, 1, k.minutes("tom", 30))
	require.Equal(t, "262.50", k.lineSum(into), "the work moved, and bills once")
	require.Equal(t, "0.00", k.lineSum(child), "the child charges nothing")
	require.Zero(t, k.count("select count(*) from closures where ticket = $1", child.Number()))
	require.EqualValues(t, 2, k.count("select count(*) from charge_work"))
	k.proved()
}

func TestEdge08MergeChildAlreadyInvoiced(t *testing.T) {
	k := newTill(t, replaced(hourly, "currency: USD", "currency: USD\nreopen: keep"))
	child, into := k.ticket("email"), k.ticket("email")
	k.close(child, 1, k.minutes("tom", 70))
	k.month("2026-03")
	refused := k.merge(child, into)
	require.False(t, refused.Effect, "it is over: %s", refused.Says)

	k.reopen(child)
	k.begin(child, 2)
	k.pass(3 * time.Hour)
	k.log(child, "tom", k.minutes("tom", 30))
	require.True(t, k.merge(child, into).Effect)
	k.close(into, 1)
	require.Equal(t, "187.50", k.lineSum(child), "the child keeps its charge")
	require.Equal(t, "75.00", k.lineSum(into), "only what nobody had billed moved")
	require.EqualValues(t, 1, k.count("select count(*) from work_entries where ticket = $1", child.Number()))
	k.proved()
}

func TestEdge09MergeAcrossClients(t *testing.T) {
	k := newTill(t, hourly)
	child := k.ticket("email")
	k.log(child, "tom", k.minutes("tom", 70))
	opened, err := k.Open(t.Context(), ticket.Opening{Client: "zenith", Subject: "The same printer", Source: "test", ExternalID: "z", EventID: "z", OpenedAt: k.now()})
	require.NoError(t, err)
	k.begin(opened.Ticket, 1)
	refused := k.merge(child, opened.Ticket)
	require.False(t, refused.Effect)
	require.Contains(t, refused.Says, "tickets of different clients are never merged")
	require.EqualValues(t, 1, k.count("select count(*) from work_entries where ticket = $1", child.Number()), "its work stays")
	k.close(child, 1)
	require.Equal(t, "187.50", k.lineSum(child))
	k.proved()
}

const agents = `
schema: docket.contract/v1
contract: acme-hourly
client: acme
name: Time and materials
effective_from: "2026-01-01"
currency: USD
time_zone: America/New_York
rates:
  - {clause: "3.1", hourly: "150.00"}
  - {clause: "3.2", actor: ai, hourly: "36.00"}
lines:
  - {clause: "2.1", name: Support, charge: time}
approval: {clause: "5.1", amount_over: "500.00", approvers: [ann], expires: 72h}
`

// ran is work of the agent that ended just now.
func (k *till) ran(d time.Duration, outcome string) ticket.WorkEntry {
	return ticket.WorkEntry{
		OperationKey: k.key(), WorkType: "ai-resolution", StartedAt: k.now().Add(-d), MS: d.Milliseconds(), TokensIn: 10_000, TokensOut: 1_000, Outcome: outcome,
	}
}

func TestEdge15AnAgentIdleWhileItWaitsForAnApproval(t *testing.T) {
	k := newTill(t, agents)
	id := k.ticket("email")
	k.log(id, "bot", k.ran(30*time.Second, ""))
	asked, err := k.RequestApproval(t.Context(), id, ticket.RequestApproval{Header: k.by("bot"), Action: "Rebuild the mailbox", Amount: "600.00", Currency: "USD"})
	require.NoError(t, err)
	k.pass(26 * time.Hour)
	_, err = k.SignOff(t.Context(), id, ticket.SignOff{Header: k.by("ann"), Hold: asked.Hold, Digest: asked.Digest, Approved: true})
	require.NoError(t, err)
	k.pass(time.Minute)
	k.log(id, "bot", k.ran(20*time.Second, ""))
	r, err := k.Close(t.Context(), id, 1, k.resolve("bot"))
	require.NoError(t, err)
	require.Empty(t, r.Held)
	require.Equal(t, "0.50", k.owed(), "fifty seconds at 36.00 an hour, and nothing of the day that it waited")
	require.EqualValues(t, 50_000, k.count("select sum(ms)::bigint from work_entries"))
	k.proved()
}

func TestEdge14FailedAttemptsAreCostAllTheSame(t *testing.T) {
	k := newTill(t, agents)
	_, err := k.ApplyCosts(t.Context(), []byte(costs), "olga")
	require.NoError(t, err)
	id := k.ticket("email")
	k.log(id, "bot", k.ran(40*time.Second, ticket.Failed))
	k.pass(time.Minute)
	k.log(id, "bot", k.ran(50*time.Second, ""))
	_, err = k.Close(t.Context(), id, 1, k.resolve("bot"))
	require.NoError(t, err)
	require.Equal(t, "0.50", k.owed(), "only what led somewhere bills")
	margin, err := k.ReportMargin(t.Context(), postgres.ReportFilter{From: day(t, "2026-03-01"), To: day(t, "2026-04-01")})
	require.NoError(t, err)
	require.Equal(t, "14.10", margin[0].Cost.StringFixed(2), "two runs, 20,000 tokens in and 2,000 out")
	k.proved()
}
