package billing_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/docket-psa/docket/billing"
)

func TestCanonical(t *testing.T) {
	zone := time.FixedZone("", 2*60*60)
	at := time.Date(2026, 3, 10, 14, 0, 0, 500_000_000, zone)
	f := billing.Facts{
		Rules: 1, Ticket: billing.Ticket{ID: "T-1", Category: "R&D <é>", OpenedAt: at},
		Blocks:   []billing.Block{{ID: 7, GrantedAt: at}},
		Counters: []billing.Counter{{Key: "k", Value: dec("1.500")}},
	}
	got, err := billing.Canonical(f)
	require.NoError(t, err)
	require.JSONEq(t, `{"rules":1,"ticket":{"id":"T-1","round":0,"client":"","category":"R&D <é>","priority":0,"opened_at":"2026-03-10T12:00:00.5Z",`+
		`"resolved_at":"0001-01-01T00:00:00Z","resolved_on":"","resolved_by":"","resolved_kind":"","code":""},"work":null,"contracts":null,`+
		`"blocks":[{"id":7,"contract":"","priority":0,"granted_at":"2026-03-10T12:00:00.5Z","left_ms":0}],"counters":[{"key":"k","value":"1.5"}]}`, string(got))
	require.Contains(t, string(got), `"R&D <é>"`, "nothing is escaped that need not be")
	require.Equal(t, zone, f.Blocks[0].GrantedAt.Location(), "the value itself is not changed")
}

// TestPropertyStoredFactsDecideTheSame is what an audit relies on: facts that were
// written and read again, with the terms found by their digest, give the same decision.
func TestPropertyStoredFactsDecideTheSame(t *testing.T) {
	docs := mixedContracts(t)
	rapid.Check(t, func(t *rapid.T) {
		f := drawn(t, docs)
		d, err := billing.Decide(f)
		require.NoError(t, err)
		stored, err := billing.Canonical(f)
		require.NoError(t, err)
		var read billing.Facts
		require.NoError(t, json.Unmarshal(stored, &read))
		for i := range read.Contracts {
			read.Contracts[i].Terms = f.Contracts[i].Terms
		}
		again, err := billing.Decide(read)
		require.NoError(t, err)
		require.Equal(t, d.Digest(), again.Digest())

		decided, err := billing.Canonical(d)
		require.NoError(t, err)
		var decision billing.Decision
		require.NoError(t, json.Unmarshal(decided, &decision))
		require.Equal(t, d.Digest(), decision.Digest(), "a decision survives being stored")
	})
}

func TestDecisionsHaveNoNulls(t *testing.T) {
	f := under(t, contract("AYCE-1", allCare))
	f.Ticket.Code = "silent"
	got, err := billing.Canonical(decide(t, f))
	require.NoError(t, err)
	require.JSONEq(t, `{"rules":3,"charges":[],"holds":[]}`, string(got))
}

func TestDecideRefusesMalformedFacts(t *testing.T) {
	good := func() billing.Facts { return under(t, contract("TM-1", timeAndMaterials), work(1, noon, hour)) }
	for name, c := range map[string]struct {
		spoil func(*billing.Facts)
		want  string
	}{
		"rules of another time":      {func(f *billing.Facts) { f.Rules = 99 }, "rules 99 are not known"},
		"negative length":            {func(f *billing.Facts) { f.Work[0].MS = -1 }, "-1 ms is no length of work"},
		"segments that do not tile":  {func(f *billing.Facts) { f.Work[0].Segments[0].To-- }, "segments end at 3599999 ms of 3600000"},
		"segments that overlap":      {func(f *billing.Facts) { f.Work[0].Segments[0].From = 1 }, "does not follow on 0 ms"},
		"no date":                    {func(f *billing.Facts) { f.Work[0].Segments[0].Date = "10.3.2026" }, `"10.3.2026" is not a date`},
		"neither human nor AI":       {func(f *billing.Facts) { f.Work[0].Kind = "cat" }, `kind "cat"`},
		"the same work twice":        {func(f *billing.Facts) { f.Work = append(f.Work, f.Work[0]) }, "work 1 is there twice"},
		"no terms":                   {func(f *billing.Facts) { f.Contracts[0].Terms = nil }, "comes without its terms"},
		"other terms":                {func(f *billing.Facts) { f.Contracts[0].Digest = "0" }, "not 0"},
		"two revisions at once":      {func(f *billing.Facts) { f.Contracts = append(f.Contracts, f.Contracts[0]) }, "in force at once"},
		"a block with less than 0":   {func(f *billing.Facts) { f.Blocks = []billing.Block{{ID: 7, LeftMS: -1}} }, "block 7 has -1 ms left"},
		"a counter below 0":          {func(f *billing.Facts) { f.Counters = []billing.Counter{{Key: "k", Value: dec("-1")}} }, "counter k is out of bounds"},
		"a counter beyond all count": {func(f *billing.Facts) { f.Counters = []billing.Counter{{Key: "k", Value: dec("1e9999")}} }, "counter k is out of bounds"},
		"an unknown code":            {func(f *billing.Facts) { f.Ticket.Code = "gone" }, `code "gone"`},
		"nobody resolved it":         {func(f *billing.Facts) { f.Ticket.ResolvedKind = "" }, `resolved_kind ""`},
	} {
		t.Run(name, func(t *testing.T) {
			f := good()
			c.spoil(&f)
			_, err := billing.Decide(f)
			require.ErrorContains(t, err, c.want)
			require.ErrorContains(t, err, "facts of ticket T-1")
			require.Empty(t, billing.Want(f).Blocks)
		})
	}
}
