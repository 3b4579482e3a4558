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

func TestADocumentOfAnotherKindIsToldOnce(t *testing.T) {
	_, err := billing.ParseContract(wholeDocument(t, "costs.md"))
	require.EqualError(t, err, `line 1: schema "docket.cost/v1" is that of a cost document, not of a contract: check it as one: docs/costs.md tells how`)
	_, err = billing.ParseTaxProfile([]byte("tax: NL\nschema: docket.contract/v1\nlines: []\n"))
	require.EqualError(t, err, `line 2: schema "docket.contract/v1" is that of a contract, not of a tax profile: check it as one: docs/contracts.md tells how`)
	_, err = billing.ParseCostRates(wholeDocument(t, "taxes.md"))
	require.EqualError(t, err, `line 1: schema "docket.tax/v1" is that of a tax profile, not of a cost document: check it as one: docs/taxes.md tells how`)
}
