package ticket_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/ticket"
)

func TestALinkIsForOnePersonAndOneQuoteAndCannotBeChanged(t *testing.T) {
	key := []byte(strings.Repeat("k", 32))
	l := ticket.Link{Hold: 7, Step: 1, Digest: "abc", Person: "ann", Expires: time.Date(2026, 3, 21, 12, 0, 0, 0, time.UTC).Unix()}
	token, err := l.Seal(key)
	require.NoError(t, err)
	for _, whole := range []string{token, "https://desk.example.com/approve#" + token, "  " + token + "\n"} {
		found, err := ticket.Unseal(key, whole)
		require.NoError(t, err)
		require.Equal(t, l, found)
	}
	ben := l
	ben.Person = "ben"
	other, err := ben.Seal(key)
	require.NoError(t, err)
	seal := token[strings.LastIndex(token, "."):]
	for name, bad := range map[string]string{
		"another person under the same seal": other[:strings.LastIndex(other, ".")] + seal,
		"sealed with another key":            mustSeal(t, l, []byte(strings.Repeat("x", 32))),
		"without its seal":                   strings.TrimSuffix(token, seal),
		"an empty seal":                      strings.TrimSuffix(token, seal) + ".",
		"another version":                    "v2" + strings.TrimPrefix(token, "v1"),
		"cut short":                          token[:len(token)-1],
		"nothing":                            "",
		"huge":                               token + strings.Repeat("A", 1<<20),
	} {
		_, err := ticket.Unseal(key, bad)
		require.ErrorContains(t, err, "is not one of ours", name)
	}
}

func mustSeal(t *testing.T, l ticket.Link, key []byte) string {
	t.Helper()
	token, err := l.Seal(key)
	require.NoError(t, err)
	return token
}
