package postgres_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/sla"
)

const monthlyHundred = `
schema: docket.contract/v1
contract: acme-fee
client: acme
name: Monthly fee
effective_from: "2026-03-01"
currency: USD
time_zone: America/New_York
lines:
  - {clause: F, name: Managed service, charge: flat, price: "100.00"}
`

func TestRevenueByMonthAndAtThisRate(t *testing.T) {
	k := newTill(t, hourly, monthlyHundred)
	k.sweep() // 100.00 for March, in advance
	id := k.ticket("email")
	k.close(id, 1, k.minutes("tom", 72)) // 187.50 of work on tickets by March 18
	rows, err := k.ReportRevenue(t.Context(), sla.LocalDate{}, sla.LocalDate{})
	require.NoError(t, err)
	require.Len(t, rows, 1)
	require.Equal(t, "2026-03 USD 0.00 287.50 287.50", rows[0].Month+" "+rows[0].Currency+" "+rows[0].Finalised.StringFixed(2)+" "+rows[0].Open.StringFixed(2)+" "+rows[0].Revenue.StringFixed(2))
	require.Equal(t, "422.92", rows[0].RunRate.StringFixed(2), "100.00 + 187.50 / 18 × 31")

	invoice := k.month("2026-03")
	k.credit(invoice, "87.50")
	k.nextMonth()
	rows, err = k.ReportRevenue(t.Context(), sla.LocalDate{}, sla.LocalDate{})
	require.NoError(t, err)
	require.Len(t, rows, 1)
	require.Equal(t, "200.00", rows[0].Finalised.StringFixed(2), "less what the credit note gave back")
	require.Nil(t, rows[0].RunRate, "March is over")

	margins, err := k.ReportContractMargin(t.Context(), sla.LocalDate{}, sla.LocalDate{})
	require.NoError(t, err)
	client, err := k.ReportMargin(t.Context(), sla.LocalDate{}, sla.LocalDate{})
	require.NoError(t, err)
	billed, cost := rows[0].Revenue.Sub(rows[0].Revenue), rows[0].Revenue.Sub(rows[0].Revenue)
	for _, m := range margins {
		billed, cost = billed.Add(m.Billed), cost.Add(m.Cost)
	}
	require.Equal(t, client[0].Billed.StringFixed(2)+" "+client[0].Cost.StringFixed(2), billed.StringFixed(2)+" "+cost.StringFixed(2), "the contracts come to the client")
	require.Equal(t, "acme-fee", margins[0].Contract)

	actors, err := k.ReportAIvsTech(t.Context(), sla.LocalDate{}, sla.LocalDate{})
	require.NoError(t, err)
	require.Len(t, actors, 1)
	require.Equal(t, "187.50", actors[0].Billed.Add(actors[0].Credits).StringFixed(2), "billed is less by the credits")
	require.True(t, actors[0].Credits.IsPositive())
}

func TestWhatIsOwedByAge(t *testing.T) {
	k := newTill(t, hourly+"billing: {payment_days: 10}\n")
	owed := func() string {
		rows, err := k.ReportAged(t.Context())
		require.NoError(t, err)
		if len(rows) == 0 {
			return ""
		}
		require.Len(t, rows, 1)
		r := rows[0]
		says := r.Payer + " " + r.Currency
		for _, d := range []interface{ StringFixed(int32) string }{r.NotDue, r.To30, r.To60, r.To90, r.Older, r.Owed, r.Disputed, r.Credit} {
			says += " " + d.StringFixed(2)
		}
		return says
	}
	require.Empty(t, owed())
	_, march := k.billed(60) // due on March 28
	require.Equal(t, "acme USD 150.00 0.00 0.00 0.00 0.00 150.00 0.00 0.00", owed())
	const day = 24 * time.Hour
	k.pass(10 * day)
	require.Equal(t, "acme USD 0.00 150.00 0.00 0.00 0.00 150.00 0.00 0.00", owed(), "the day on which it is due")
	k.pass(30 * day)
	require.Equal(t, "acme USD 0.00 150.00 0.00 0.00 0.00 150.00 0.00 0.00", owed())
	k.pass(day)
	require.Equal(t, "acme USD 0.00 0.00 150.00 0.00 0.00 150.00 0.00 0.00", owed())
	k.pass(30 * day)
	require.Equal(t, "acme USD 0.00 0.00 0.00 150.00 0.00 150.00 0.00 0.00", owed())
	k.pass(30 * day)
	k.question(march, k.linesOn(march)[0], "ann")
	require.Equal(t, "acme USD 0.00 0.00 0.00 0.00 150.00 150.00 150.00 0.00", owed())
	k.pay(march, "175.00")
	require.Equal(t, "acme USD 0.00 0.00 0.00 0.00 0.00 0.00 0.00 25.00", owed(), "credit that nobody has used")
}

func TestBlocksThatRunLow(t *testing.T) {
	k := newTill(t, blocks)
	k.grant(10)
	low, err := k.LowBlocks(t.Context())
	require.NoError(t, err)
	require.Empty(t, low)
	k.close(k.ticket("email"), 1, k.minutes("tom", 570))
	low, err = k.LowBlocks(t.Context())
	require.NoError(t, err)
	require.Len(t, low, 1)
	require.EqualValues(t, 30*60*1000, low[0].RemainingMS)
}
