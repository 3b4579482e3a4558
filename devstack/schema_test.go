package main

import (
	"testing"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
)

func TestOnlyAnOlderSchemaIsUpgraded(t *testing.T) {
	for _, c := range []struct {
		current, wanted string
		older           bool
	}{
		{"1.9", "1.18", true},
		{"1.18", "1.18", false},
		{"1.19", "1.18", false},
	} {
		older, err := isOlder(c.current, c.wanted)
		require.NoError(t, err)
		require.Equal(t, c.older, older, "%s against %s", c.current, c.wanted)
	}
	_, err := isOlder("newest", "1.18")
	require.ErrorContains(t, err, "newest")
}

func TestOnlyMissingAttributesAreAdded(t *testing.T) {
	listed := searchAttributes{"Client": enumspb.INDEXED_VALUE_TYPE_KEYWORD}
	missing, err := missingAttributes(searchAttributes{
		"Client":   enumspb.INDEXED_VALUE_TYPE_KEYWORD,
		"Priority": enumspb.INDEXED_VALUE_TYPE_INT,
	}, listed)
	require.NoError(t, err)
	require.Equal(t, map[string]enumspb.IndexedValueType{"Priority": enumspb.INDEXED_VALUE_TYPE_INT}, missing)

	_, err = missingAttributes(searchAttributes{"Client": enumspb.INDEXED_VALUE_TYPE_INT}, listed)
	require.ErrorContains(t, err, "Client=Int")
	require.ErrorContains(t, err, "Keyword")
}
