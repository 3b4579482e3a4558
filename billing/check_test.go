package billing_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// wrongContract is what follows the head of a contract, and all that is wrong with it. The tests of each concept provoke
// every check of it once: each is reported with its line and its fix, all at once.
type wrongContract struct{ name, body, want string }

func requireProblems(t *testing.T, wrong []wrongContract) {
	t.Helper()
	for _, c := range wrong {
		t.Run(c.name, func(t *testing.T) {
			document := strings.TrimSpace(contract("C-1", "")) + c.body
			require.Equal(t, strings.Split(strings.Trim(c.want, "\n"), "\n"), problems(t, document))
		})
	}
}
