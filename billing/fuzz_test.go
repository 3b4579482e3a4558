package billing_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/docket-psa/docket/billing"
)

func FuzzParseContract(f *testing.F) {
	for _, seed := range []string{
		contract("TM-1", timeAndMaterials), contract("TM-1", threshold), contract("PT-1", perTicket), "", "{", "a: &a [*a]", "? [a]\n: b",
		"schema: docket.contract/v1\nlines: [{time: {minimum: 1000000000000h}}]\nsla: {targets: {x: 1}}", "rates: [{hourly: 1e999999999}]",
		`{"schema": "docket.contract/v1", "lines": [null, 1, {"match": {"priorities": [1.5]}}]}`, "<<: {a: 1}", "\xff\xfe", "!!binary a", "lines: !!seq {a: b}",
		"bands: [{name: a, days: [weekdays], hours: [\"24:00-24:00\", \"99:99-00:00\"], dates: [0000-00-00]}]\npremium: {on: on}\nterm: {months: 1e3, cancelled_on: 9999-12-31, notice_days: 999999999}",
		"lines: [{charge: usage, usage: {model: graduated, tiers: [{}, {up_to: -0}, {percent: 999999999999.999999999}], divide_by: 0.000000001}}]\npauses: [{from: 2026-01-01}, {}]",
		"effective_to: 9999-12-31\nterm: {cancelled_on: 9999-12-31, notice_days: 3660}\nlisted: {users: [a], unlisted: add, add: a}\nlines: [{}, {clause: a, charge: per-seat, count: {tiers: []}}]",
	} {
		f.Add([]byte(seed))
	}
	for _, document := range written(f) {
		f.Add([]byte(document))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := billing.ParseContract(data)
		if err != nil {
			require.NotEmpty(t, billing.Problems(err))
			require.Nil(t, c)
			return
		}
		compiled, err := c.Compile()
		require.NoError(t, err, "what parses compiles")
		canonical, err := billing.Canonical(c)
		require.NoError(t, err)
		again, err := billing.ParseContract(canonical)
		require.NoError(t, err, "%s", canonical)
		same, err := again.Compile()
		require.NoError(t, err)
		require.Equal(t, compiled.Digest(), same.Digest())
		stored, err := billing.ReadContract(canonical)
		require.NoError(t, err)
		same, err = stored.Compile()
		require.NoError(t, err)
		require.Equal(t, compiled.Digest(), same.Digest())
	})
}

// FuzzDecide reads facts as they are stored; whatever they say, the answer is a whole
// decision or an error.
func FuzzDecide(f *testing.F) {
	compiled := []*billing.Terms{terms(f, contract("HB-1", guards[3]+fmt.Sprintf(mixed, times[0])+strings.TrimPrefix(fmt.Sprintf(ticketTerms, ""), "\n")))}
	for _, v := range wholeContracts(f)[:6] {
		compiled = append(compiled, v.Terms)
	}
	seeds := []billing.Facts{
		facts([]billing.Version{{Contract: "HB-1", Revision: 1}}, work(1, noon, hour), aiWork(2, noon, 2*second)),
		facts(nil, work(1, noon, 0)),
		facts([]billing.Version{{Contract: "HB-1", Revision: 1, From: noon}}, typed(work(1, noon.AddDate(-30, 0, 0), 9e12), "onsite")),
	}
	seeds = append(seeds, facts([]billing.Version{{From: noon.Add(time.Hour)}}, work(1, noon, 2*hour))) // a contract without a name, and work under none
	seeds[0].Blocks = []billing.Block{block(7, minute), block(8, 0)}
	seeds[0].Counters = []billing.Counter{{Key: "ai/HB-1//41.77/2026-03", Value: dec("1e9")}}
	seeds[0].Items = []billing.Item{item(7, "2", "33.33"), item(8, "1", "80")}
	seeds[1].Events = []billing.Event{event(1, "action", "15"), event(2, "payment", "10")}
	seeds[0].Ticket.SLA, seeds[1].Ticket.SLA = &billing.SLAOutcome{ResponseMissed: true}, &billing.SLAOutcome{Contract: "HB-1", ResolutionMissed: true}
	for i := range compiled[1:] { // what a contract that has everything is drawn for
		v := wholeContracts(f)[i]
		v.Revision = i + 1
		seeds = append(seeds, rapid.Custom(func(t *rapid.T) billing.Facts { return onSomeBooks(t, drawnWhole(t, v)) }).Example(i))
	}
	for _, s := range seeds {
		data, err := json.Marshal(s)
		require.NoError(f, err)
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var facts billing.Facts
		if json.Unmarshal(data, &facts) != nil {
			return
		}
		for i := range facts.Contracts {
			v := &facts.Contracts[i]
			v.Terms = compiled[uint(v.Revision)%uint(len(compiled))]
			v.Digest = v.Terms.Digest()
		}
		billing.Want(facts)
		d, err := billing.Decide(facts)
		if err != nil {
			return
		}
		requireWhole(t, facts, d)
		require.NotEmpty(t, billing.Say(facts, d))
		for _, c := range every(d) {
			require.NotEmpty(t, billing.Explain(c))
		}
	})
}
