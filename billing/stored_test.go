package billing_test

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/docket-psa/docket/billing"
)

// store writes the decisions that this version of the rules makes, once, when a new version is
// made: `go test ./billing -run TestStoredDecisions -store`. A file that exists is never written again.
var store = flag.Bool("store", false, "store the decisions of today's rules, if none are stored yet")

// storedDecision is a decision as a database may keep it for years: its facts, the documents of its
// contracts by digest, and the digest that it had.
type storedDecision struct {
	Facts     billing.Facts     `json:"facts"`
	Documents map[string]string `json:"documents"`
	Digest    string            `json:"digest"`
}

// TestStoredDecisions decides again what earlier versions of the rules decided: each keeps its
// bytes, whatever has been added since.
func TestStoredDecisions(t *testing.T) {
	if *store {
		storeDecisions(t)
	}
	files, err := filepath.Glob("testdata/decisions-rules-*.jsonl.gz")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, name := range files {
		t.Run(filepath.Base(name), func(t *testing.T) {
			f, err := os.Open(name)
			require.NoError(t, err)
			defer func() { require.NoError(t, f.Close()) }()
			unzipped, err := gzip.NewReader(f)
			require.NoError(t, err)
			n := 0
			lines := bufio.NewScanner(unzipped)
			lines.Buffer(nil, 1<<20)
			for ; lines.Scan(); n++ {
				var s storedDecision
				require.NoError(t, json.Unmarshal(lines.Bytes(), &s))
				for i := range s.Facts.Contracts {
					v := &s.Facts.Contracts[i]
					document, err := billing.ReadContract([]byte(s.Documents[v.Digest]))
					require.NoError(t, err)
					v.Terms, err = document.Compile()
					require.NoError(t, err)
					require.Equal(t, v.Digest, v.Terms.Digest(), "the document is what it was")
				}
				d, err := billing.Decide(s.Facts)
				require.NoError(t, err)
				require.Equal(t, s.Digest, d.Digest(), "decision %d: %s", n, lines.Bytes())
			}
			require.NoError(t, lines.Err())
			require.GreaterOrEqual(t, n, 200)
		})
	}
}

func storeDecisions(t *testing.T) {
	docs, all := mixedContracts(t), wholeContracts(t)
	documents := map[string]string{}
	for _, v := range slices.Concat(docs, all) {
		canonical, err := billing.Canonical(v.Terms.Contract())
		require.NoError(t, err)
		documents[v.Digest] = string(canonical)
	}
	require.NoError(t, os.MkdirAll("testdata", 0o755))
	f, err := os.OpenFile(fmt.Sprintf("testdata/decisions-rules-%d.jsonl.gz", billing.Rules), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	require.NoError(t, err)
	zipped := gzip.NewWriter(f)
	closures := rapid.Custom(func(t *rapid.T) billing.Facts { return drawn(t, docs) })
	wholes := rapid.Custom(func(t *rapid.T) billing.Facts {
		return onSomeBooks(t, drawnWhole(t, rapid.SampledFrom(all).Draw(t, "contract")))
	})
	for seed := range 500 {
		s := storedDecision{Facts: closures.Example(seed), Documents: map[string]string{}}
		if seed >= 300 {
			s.Facts = wholes.Example(seed)
		}
		for _, v := range s.Facts.Contracts {
			s.Documents[v.Digest] = documents[v.Digest]
		}
		d, err := billing.Decide(s.Facts)
		require.NoError(t, err)
		s.Digest = d.Digest()
		line, err := billing.Canonical(s)
		require.NoError(t, err)
		_, err = zipped.Write(append(line, '\n'))
		require.NoError(t, err)
	}
	require.NoError(t, zipped.Close())
	require.NoError(t, f.Close())
}
