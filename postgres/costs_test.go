package postgres_test

import (
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/ticket"
)

const costs = `
schema: docket.cost/v1
effective_from: "2026-01-01"
time_zone: America/New_York
currency: USD
rates:
  - {work_role: engineer, hourly: "40.00"}
  - {person: dora, hourly: "90.00"}
  - {actor: ai, run: "0.05", tokens_in: "0.50", tokens_out: "2.00"}
`

// costOf is what all work of a person on a ticket cost, as it was written.
func (k *till) costOf(id ticket.ID, who string) string {
	k.t.Helper()
	var cost decimal.Decimal
	require.NoError(k.t, k.admin.QueryRow(k.t.Context(), "select sum(cost) from work_entries where ticket = $1 and actor = $2", id.Number(), who).Scan(&cost))
	return cost.StringFixed(2)
}

func TestWorkCostsByTheVersionOfItsTime(t *testing.T) {
	k := newTill(t, hourly)
	today := strings.Replace(costs, "2026-01-01", "2026-03-18", 1) + "  - {person: tom, hourly: \"50.00\"}\n"
	for _, document := range []string{costs, today} {
		_, err := k.ApplyCosts(t.Context(), []byte(document), "olga")
		require.NoError(t, err)
	}
	id := k.ticket("email")
	now, yesterday := k.minutes("tom", 60), k.minutes("tom", 30)
	yesterday.StartedAt = noon.Add(-24 * time.Hour)
	run := k.minutes("bot", 1)
	run.TokensIn, run.TokensOut = 2000, 1000
	dora := k.minutes("dora", 60)
	k.close(id, 1, now, yesterday, dora, run)

	require.Equal(t, "70.00", k.costOf(id, "tom"), "an hour at his own 50.00 of today, half an hour at the role's 40.00 of yesterday")
	require.Equal(t, "90.00", k.costOf(id, "dora"), "the person wins over the role")
	require.Equal(t, "3.05", k.costOf(id, "bot"), "a run, 2000 tokens in and 1000 out")

	_, err := k.ApplyCosts(t.Context(), []byte(costs), "tom")
	require.NotEmpty(t, ticket.Problems(err), "only who keeps the books says what work costs")

	// Items cost too, and the margin counts both.
	other := k.ticket("email")
	_, err = k.AddItem(t.Context(), other, ticket.Material{Header: k.by("tom"), Kind: ticket.Part, Text: "SSD 1 TB", Quantity: "2", Cost: "80.00"})
	require.NoError(t, err)
	rows, err := k.ReportMargin(t.Context(), postgres.ReportFilter{From: day(t, "2026-03-01"), To: day(t, "2026-04-01")})
	require.NoError(t, err)
	require.Len(t, rows, 1)
	require.Equal(t, "323.05", rows[0].Cost.StringFixed(2))
}
