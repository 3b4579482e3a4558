package postgres_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/ticket"
)

const metered = `
schema: docket.contract/v1
contract: acme-metered
client: acme
name: Metered
effective_from: "2026-01-01"
currency: USD
time_zone: America/New_York
lines:
  - {clause: U, name: Onboarding of devices, charge: usage, usage: {event: device-added, model: graduated, zero_flat: true, tiers: [{up_to: 10, unit: 10, flat: 2}, {unit: 5}]}}
`

func (k *till) event(quantity, on string) postgres.UsageEvent {
	return postgres.UsageEvent{
		OperationKey: k.key(), Client: "acme", Event: "device-added", Quantity: decimal.RequireFromString(quantity), On: on, Who: "tom", Via: "cli",
	}
}

func (k *till) record(quantity, on string) postgres.UsageReceipt {
	k.t.Helper()
	r, err := k.RecordUsage(k.t.Context(), k.event(quantity, on))
	require.NoError(k.t, err)
	return r
}

func TestUsageOutsideTicketsIsPricedByThePeriod(t *testing.T) {
	k := periods(t, metered)
	k.on("2026-03-20")
	require.Equal(t, "8 device-added on 2026-03-10: 82.00 USD", k.record("8", "2026-03-10").Says)
	require.Equal(t, "15 device-added on 2026-03-11: 85.00 USD", k.record("15", "2026-03-11").Says, "two at 10, thirteen at 5")
	k.record("1", "2026-02-10")
	require.Equal(t, "179.00", k.owed())
	events, err := k.UsageEvents(t.Context(), postgres.UsageFilter{Client: "acme", From: "2026-03-01"})
	require.NoError(t, err)
	require.Len(t, events, 2)
	line := events[0].Posted[0].Line
	why, err := k.Why(t.Context(), line)
	require.NoError(t, err)
	require.Empty(t, why.Line.Ticket)
	require.Equal(t, "Onboarding of devices · 2026-03-11 — 15 device-added", why.Line.Text)
	require.NotEmpty(t, why.Sentences)
	k.proved()
}

func TestAnEventIsRecordedOnceByItsKey(t *testing.T) {
	k := periods(t, metered)
	e := k.event("3", "2026-03-01")
	receipts := make([]postgres.UsageReceipt, 12)
	var group sync.WaitGroup
	for i := range receipts {
		group.Go(func() {
			var err error
			if receipts[i], err = k.RecordUsage(t.Context(), e); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	for _, r := range receipts {
		require.Equal(t, receipts[0].Posting, r.Posting)
		require.Equal(t, receipts[0].Posted[0].Line, r.Posted[0].Line)
	}
	require.Equal(t, "32.00", k.owed())
	e.Quantity = decimal.NewFromInt(4)
	_, err := k.RecordUsage(t.Context(), e)
	require.Equal(t, "operation_key", ticket.Problems(err)[0].Field)
	k.proved()
}

func TestUsageThatCannotBeRecorded(t *testing.T) {
	k := periods(t, metered)
	for name, c := range map[string]struct {
		spoil func(*postgres.UsageEvent)
		field string
	}{
		"nobody prices it":    {func(e *postgres.UsageEvent) { e.Event = "alert" }, "event"},
		"before the contract": {func(e *postgres.UsageEvent) { e.On = "2025-12-31" }, "event"},
		"in the future":       {func(e *postgres.UsageEvent) { e.On = "2027-01-01" }, "on"},
		"no date":             {func(e *postgres.UsageEvent) { e.On = "today" }, "on"},
		"nothing":             {func(e *postgres.UsageEvent) { e.Quantity = decimal.Zero }, "quantity"},
		"a closing":           {func(e *postgres.UsageEvent) { e.Event = "Closure" }, "event"},
		"an absurd number":    {func(e *postgres.UsageEvent) { e.Quantity = decimal.New(1, 40) }, "quantity"},
		"an unknown client":   {func(e *postgres.UsageEvent) { e.Client = "nobody" }, "client"},
		"nobody":              {func(e *postgres.UsageEvent) { e.Who = "nobody" }, "who"},
		"the client's person": {func(e *postgres.UsageEvent) { e.Who = "ann" }, "who"},
		"without a key":       {func(e *postgres.UsageEvent) { e.OperationKey = "" }, "operation_key"},
	} {
		t.Run(name, func(t *testing.T) {
			e := k.event("1", "2026-03-01")
			c.spoil(&e)
			_, err := k.RecordUsage(t.Context(), e)
			problems := ticket.Problems(err)
			require.Len(t, problems, 1, "%v", err)
			require.Equal(t, c.field, problems[0].Field)
		})
	}
	require.Zero(t, k.count("select count(*) from postings"))
	require.Zero(t, k.count("select count(*) from usage_events"))
}

// A period without use bills its flat fee; use that comes late takes it back.
func TestUseThatComesLateTakesTheFeeForNoUseBack(t *testing.T) {
	k := periods(t, metered)
	k.on("2026-04-01")
	require.Equal(t, "closing 2026-03-01: U 2.00", k.sweep())
	require.Equal(t, "22.00", decimal.RequireFromString(k.record("2", "2026-03-30").Posted[0].Amount.String()).StringFixed(2))
	require.Equal(t, "22.00", k.owed(), "2 + 22 − 2")
	k.proved()
}

func TestCountingMoreDevicesBillsTheAddedOnes(t *testing.T) {
	k := periods(t, metered)
	count := func(on string, n int) postgres.DeviceCounted {
		c, err := k.RecordCount(t.Context(), postgres.DeviceCounting{Client: "acme", Kind: "workstation", On: day(t, on), Devices: n, Who: "tom", Via: "cli"})
		require.NoError(t, err)
		return c
	}
	require.Nil(t, count("2026-02-01", 10).Added, "what the contract begins with is not added")
	k.on("2026-03-10")
	added := count("2026-03-09", 13)
	require.Equal(t, 10, added.Before)
	require.True(t, strings.HasPrefix(added.Added.Says, "3 device-added"), added.Added.Says)
	require.Equal(t, added.Added.Posting, count("2026-03-09", 13).Added.Posting, "the same count adds nothing")
	require.True(t, strings.HasPrefix(count("2026-03-09", 14).Added.Says, "1 device-added"))
	require.Nil(t, count("2026-03-10", 12).Added)
	require.Equal(t, "42.00", k.owed())
	k.proved()
}
