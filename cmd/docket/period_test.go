package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/postgres"
)

const monthly = `
schema: docket.contract/v1
contract: redwood-monthly
client: redwood
name: Monthly
effective_from: %s
currency: USD
time_zone: UTC
lines:
  - {clause: F, name: Managed service, charge: flat, price: "500.00", prorate: no}
  - {clause: W, name: Workstations, charge: per-device, price: "10.00", prorate: no, count: {of: kiosk}}
  - {clause: U, name: Set-up of devices, charge: usage, usage: {event: device-added, model: unit, price: "25.00"}}
`

func TestPeriodsAndUsageFromTheCommandLine(t *testing.T) {
	s := openShop(t)
	assert.Contains(t, s.ok("period", "list", "--client", "redwood").err, "docket contract list")
	assert.Contains(t, s.ok("period", "list", "--state", "due").out, "bayside-managed")
	assert.Contains(t, s.ok("period", "run", "--as", "felix.moreau").out, "3121.00 USD for ")
	assert.Contains(t, s.ok("period", "run").err, "Nothing is due")
	assert.Contains(t, s.ok("usage", "list").err, "docket usage record")

	today := time.Now().UTC()
	from := today.AddDate(0, 0, 1-today.Day()).Format(time.DateOnly)
	file := filepath.Join(t.TempDir(), "monthly.yaml")
	require.NoError(t, os.WriteFile(file, fmt.Appendf(nil, monthly, from), 0o600))
	s.ok("contract", "apply", file, "--as", "felix.moreau")

	waiting := s.ok("period", "list", "--state", "waiting")
	assert.Contains(t, waiting.out, "nobody has counted any")
	assert.Contains(t, s.ok("period", "show", "redwood-monthly", from[:7]).out, "`docket client count --client redwood --kind kiosk --on "+from+" NUMBER` does.")
	assert.Contains(t, s.ok("client", "count", "20", "--client", "redwood", "--kind", "kiosk", "--on", from, "--as", "tom.reyes").out, "20 × kiosk")
	assert.Contains(t, s.ok("period", "show", "redwood-monthly", from[:7]).out, "700.00 USD")
	dry := s.ok("period", "run", "--client", "redwood", "--dry-run")
	assert.Contains(t, dry.out, "700.00 USD")
	assert.Contains(t, dry.err, "Nothing was posted")
	assert.Empty(t, read[[]postgres.UsageReceipt](s, "usage", "list"))
	assert.Empty(t, read[[]billing.PeriodReceipt](s, "invoice", "list", "--payer", "redwood"))

	assert.Contains(t, s.ok("period", "run", "--as", "felix.moreau").out, "posted")
	assert.Contains(t, s.ok("period", "run").err, "Nothing is due")
	shown := s.ok("period", "show", "redwood-monthly", from[:7]).out
	for _, part := range []string{"700.00 USD", "felix.moreau", "20 × kiosk", "The count of kiosk on " + from + " was 20."} {
		assert.Contains(t, shown, part)
	}
	assert.Contains(t, s.ok("period", "list").out, "redwood-monthly")

	if tomorrow := today.AddDate(0, 0, 1); tomorrow.Month() == today.Month() {
		on := today.Format(time.DateOnly)
		if on == from {
			on = tomorrow.Format(time.DateOnly)
		}
		counted := s.ok("client", "count", "22", "--client", "redwood", "--kind", "kiosk", "--on", on, "--as", "tom.reyes")
		assert.Contains(t, counted.out, "2 device-added on "+on+": 50.00 USD")
	}
	args := []string{"usage", "record", "--client", "redwood", "--event", "device-added", "--quantity", "3", "--on", from, "--key", "k-1", "--as", "tom.reyes"}
	first := read[postgres.UsageReceipt](s, args...)
	require.Len(t, first.Posted, 1)
	assert.Equal(t, first.Posting, read[postgres.UsageReceipt](s, args...).Posting, "the same key has one effect")
	assert.Contains(t, s.ok("why", fmt.Sprintf("L-%d", first.Posted[0].Line)).out, "Set-up of devices")
	assert.NotEmpty(t, read[[]postgres.UsageReceipt](s, "usage", "list", "--client", "redwood"))

	for name, c := range map[string]struct {
		args []string
		says string
	}{
		"no draft":           {[]string{"period", "approve", "redwood-monthly", from[:7], "--as", "felix.moreau"}, "has no draft"},
		"no such state":      {[]string{"period", "list", "--state", "paid"}, "due, waiting, draft, posted, void or past"},
		"no date":            {[]string{"period", "run", "--until", "soon"}, "write it like"},
		"no quantity":        {[]string{"usage", "record", "--client", "redwood", "--event", "device-added", "--quantity", "many", "--on", from, "--as", "tom.reyes"}, "is not a number"},
		"nobody prices it":   {[]string{"usage", "record", "--client", "redwood", "--event", "alert", "--on", from, "--as", "tom.reyes"}, "usage.event: alert"},
		"no number":          {[]string{"client", "count", "few", "--client", "redwood", "--kind", "kiosk", "--on", from, "--as", "tom.reyes"}, "whole number"},
		"nothing has posted": {[]string{"period", "show", "redwood-monthly", "1999-01"}, "has posted nothing"},
		"no such contract":   {[]string{"period", "show", "redwood-gone", from[:7]}, `contract "redwood-gone" is not known`},
		"no period":          {[]string{"period", "show", "redwood-monthly"}, "PERIOD is missing"},
		"no reason":          {[]string{"period", "decline", "redwood-monthly", from[:7], "--as", "felix.moreau"}, "reason"},
		"no rows":            {[]string{"period", "list", "--limit", "0"}, "give 1 or more"},
		"a closing":          {[]string{"usage", "record", "--client", "redwood", "--event", "closure", "--on", from, "--as", "tom.reyes"}, "counted by itself when a ticket closes"},
		"the future":         {[]string{"usage", "record", "--client", "redwood", "--event", "device-added", "--on", "2099-01-01", "--as", "tom.reyes"}, "lies in the future"},
		"no event":           {[]string{"usage", "record", "--client", "redwood", "--on", from, "--as", "tom.reyes"}, "event"},
		"less than nothing":  {[]string{"usage", "record", "--client", "redwood", "--event", "device-added", "--quantity=-3", "--on", from, "--as", "tom.reyes"}, "give more than 0"},
		"nobody records":     {[]string{"usage", "record", "--client", "redwood", "--event", "device-added", "--on", from}, "--as PERSON"},
		"fewer than none":    {[]string{"client", "count", "--client", "redwood", "--kind", "kiosk", "--on", from, "--as", "tom.reyes", "--", "-1"}, "devices"},
		"no kind":            {[]string{"client", "count", "3", "--client", "redwood", "--on", from, "--as", "tom.reyes"}, "kind"},
		"no day":             {[]string{"client", "count", "3", "--client", "redwood", "--kind", "kiosk", "--as", "tom.reyes"}, "write it like"},
	} {
		t.Run(name, func(t *testing.T) {
			said := s.docket(c.args...)
			assert.Equal(t, exitBadInput, said.code, said.err)
			assert.Contains(t, said.err, c.says)
		})
	}

	// An invoice is not finalised without the fees that are due.
	more := strings.ReplaceAll(strings.Split(fmt.Sprintf(monthly, from), "  - {clause: W")[0], "redwood-monthly", "redwood-more")
	require.NoError(t, os.WriteFile(file, []byte(more), 0o600))
	s.ok("contract", "apply", file, "--as", "felix.moreau")
	lacks := s.docket("invoice", "finalize", "redwood", "--early", "--as", "felix.moreau")
	assert.Equal(t, exitBadInput, lacks.code)
	assert.Contains(t, lacks.err, "lacks what is due: opening of redwood-more for "+today.Format("January 2006"))
	assert.Contains(t, lacks.err, "docket period run --client redwood posts it")
	assert.Contains(t, s.ok("invoice", "finalize", "redwood", "--early", "--incomplete", "--as", "felix.moreau").out, "INV-")
	assert.Contains(t, s.ok("audit").out, "postings")
}
