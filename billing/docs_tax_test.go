package billing_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
)

// wholeDocument gives the first YAML block of a file of docs.
func wholeDocument(t *testing.T, file string) []byte {
	t.Helper()
	text, err := os.ReadFile("../docs/" + file)
	require.NoError(t, err)
	_, rest, found := strings.Cut(string(text), "```yaml\n")
	require.True(t, found)
	document, _, _ := strings.Cut(rest, "```")
	return []byte(document)
}

func TestTaxesAndCostsDocuments(t *testing.T) {
	p, err := billing.ParseTaxProfile(wholeDocument(t, "taxes.md"))
	require.NoError(t, err)
	require.Equal(t, "NL", p.ID)
	c, err := billing.ParseCostRates(wholeDocument(t, "costs.md"))
	require.NoError(t, err)
	require.Len(t, c.Rates, 3)

	_, err = billing.ParseTaxProfile(nil)
	require.ErrorContains(t, err, "docs/taxes.md")
	_, err = billing.ParseCostRates(nil)
	require.ErrorContains(t, err, "docs/costs.md")
}
