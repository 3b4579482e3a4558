package postgres

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
)

func TestTermsAreKeptUpToABound(t *testing.T) {
	c := newTermsCache()
	for i := range 3 * mostTerms / 2 {
		c.keep(fmt.Sprint(i), &billing.Terms{})
		c.keep(fmt.Sprint(i), &billing.Terms{}) // by two at once
	}
	require.Len(t, c.compiled, mostTerms)
	require.NotContains(t, c.compiled, "0", "the first goes first")
	require.Contains(t, c.compiled, fmt.Sprint(3*mostTerms/2-1))
	require.Contains(t, c.compiled, fmt.Sprint(mostTerms/2))
}
