package billing_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
)

// TestContractsDocument parses every contract of docs/contracts.md, whole or in part, and
// decides every example below it.
func TestContractsDocument(t *testing.T) {
	doc, err := os.ReadFile("../docs/contracts.md")
	require.NoError(t, err)
	var governing billing.Version
	contracts, parts, examples := 0, 0, 0
	for i, block := range strings.Split(string(doc), "```") {
		kind, text, _ := strings.Cut(block, "\n")
		switch {
		case i%2 == 0:
		case kind == "yaml":
			governing = version(t, text)
			contracts++
		case kind == "yaml part":
			requirePart(t, text)
			parts++
		case kind == "example":
			t.Run(strings.ReplaceAll(strings.TrimSpace(text), "\n", "; "), func(t *testing.T) {
				decideExample(t, governing, text)
			})
			examples++
		default:
			t.Errorf("a block of kind %q", kind)
		}
	}
	require.Equal(t, 9, contracts)
	require.Equal(t, 11, parts)
	require.Equal(t, 46, examples)
}

// requirePart requires that a part of a contract is one: that it stands in a whole document
// without a problem.
func requirePart(t *testing.T, text string) {
	t.Helper()
	if !strings.Contains(text, "lines:\n") {
		text += "lines: [{clause: A1, name: Support, charge: time}]\n"
	}
	_, err := billing.ParseContract([]byte(contract("C-1", text)))
	require.NoError(t, err, "%s", text)
}
