package main

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
)

const lateFee = `
schema: docket.contract/v1
contract: redwood-late
client: redwood
name: Signed late
effective_from: %s
currency: USD
time_zone: UTC
lines:
  - {clause: F, name: Managed service, charge: flat, price: "500.00"}
`

// Whoever applies a contract months late hears at once what nobody bills, before and after, and how to bill it.
func TestAContractThatComesLate(t *testing.T) {
	s := openShop(t)
	month := time.Now().UTC()
	month = month.AddDate(0, 0, 1-month.Day()) // its first day
	from := month.AddDate(0, -2, 0).Format(time.DateOnly)
	ended := month.Format(time.DateOnly)
	file := filepath.Join(t.TempDir(), "late.yaml")
	require.NoError(t, os.WriteFile(file, fmt.Appendf(nil, lateFee, from), 0o600))
	notBilled := fmt.Sprintf("Not billed: %s (2 periods) were over when redwood-late was applied, and are not billed here: they come to 1000.00 USD. "+
		"Where nobody else has billed them: docket period run --contract redwood-late --from %s --dry-run, then without\n", billing.Period{Start: from, End: ended}.Tell(), from)

	tried := s.ok("contract", "apply", file, "--dry-run", "--as", "felix.moreau")
	assert.Equal(t, "redwood-late revision 1 would be stored, in force from "+from+"; nothing was\n"+notBilled, tried.out)
	assert.NotContains(t, s.ok("contract", "list").out, "redwood-late")

	applied := read[appliedContract](s, "contract", "apply", file, "--as", "felix.moreau")
	require.NotNil(t, applied.Past)
	assert.Equal(t, 2, applied.Past.Periods)
	assert.Equal(t, "redwood-late revision 1 says this already; nothing changed\n"+notBilled, s.ok("contract", "apply", file, "--as", "felix.moreau").out)
	assert.Contains(t, s.docket("doctor").out, "contracts applied late")
	assert.Contains(t, s.ok("period", "list", "--contract", "redwood-late", "--state", "past").out, "500.00 USD")
	last := month.AddDate(0, -1, 0).Format("2006-01")
	assert.Contains(t, s.ok("month", "close", last, "--dry-run").out, "Would not be billed: "+billing.Period{Start: last + "-01", End: ended}.Tell()+" was over when redwood-late was applied")

	s.ok("period", "run", "--contract", "redwood-late", "--from", from, "--as", "felix.moreau")
	assert.NotContains(t, s.ok("month", "close", last, "--dry-run").out, "redwood-late was applied")
	assert.Equal(t, "redwood-late revision 1 says this already; nothing changed\n", s.ok("contract", "apply", file, "--as", "felix.moreau").out)
}
