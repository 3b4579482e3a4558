package billing_test

import (
	"maps"
	"regexp"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/docket-psa/docket/billing"
)

// spoken are the sentences that people read about money, one of each shape: numbers and lengths of time stand for others.
type spoken map[string]string

var (
	numbers    = regexp.MustCompile(`[−-]?[0-9]+([.][0-9]+)?( (h|min|s|ms))*`)
	clumsy     = regexp.MustCompile(`\ba [aeiou]|  |\(\)|"" | ,|[.][.]|\bof of\b|\b-[0-9.]+ [A-Z]{3} (of|are used)`)
	wholeSaid  = regexp.MustCompile(`^[A-Z0-9−-].*[.]$`)
	wholeNames = regexp.MustCompile(`^(anna|ben|cleo|night|evening) `)
)

func (s spoken) add(sentence string) {
	shape := numbers.ReplaceAllString(sentence, "#")
	if have, ok := s[shape]; !ok || len(sentence) < len(have) {
		s[shape] = sentence
	}
}

func (s spoken) charges(charges []billing.Charge) {
	for _, c := range charges {
		for _, sentence := range billing.Explain(c) {
			s.add(sentence)
		}
	}
}

// TestSentences says everything that `docket why` and holds can say about closings and periods under a contract that has
// everything: whole sentences without clumsy ends. `go test ./billing -run TestSentences -v` prints them to be read.
func TestSentences(t *testing.T) {
	said := spoken{}
	docs := wholeContracts(t)
	closings := rapid.Custom(func(t *rapid.T) billing.Facts {
		return onSomeBooks(t, drawnWhole(t, rapid.SampledFrom(docs).Draw(t, "contract")))
	})
	for seed := range 700 {
		f := closings.Example(seed)
		d, err := billing.Decide(f)
		require.NoError(t, err)
		said.charges(every(d))
		for _, h := range d.Holds {
			said.add(h.Says)
			charges, err := billing.Settle(h, rulings(h)[seed%3])
			require.NoError(t, err)
			said.charges(charges)
		}
		said.released(t, f, d)
		undoing := billing.Undo(f.Counters)
		for i, c := range d.Charges {
			if r, err := undoing.Reverse(int64(i+1), c, f.Contracts[0].Terms); err == nil {
				said.charges([]billing.Charge{r})
			}
		}
	}
	for _, w := range wholes()[:4] {
		said.charges(periodsOf(t, w))
	}
	for _, sentence := range slices.Sorted(maps.Values(said)) {
		t.Log(sentence)
		require.NotRegexp(t, clumsy, sentence)
		require.True(t, wholeSaid.MatchString(sentence) || wholeNames.MatchString(sentence), sentence)
	}
}

// released says what letting go of the decision's holds sets right, where somebody has counted since.
func (s spoken) released(t *testing.T, f billing.Facts, d billing.Decision) {
	t.Helper()
	b := &book{counters: f.Counters}
	for _, h := range d.Holds {
		for range 3 { // as if others had counted as much twice
			b.countAll(h.Charges, 1)
		}
		posted, err := billing.Undo(b.counters).Release("H-7", billing.Rules, h, nil, func(string, int) (*billing.Terms, error) { return f.Contracts[0].Terms, nil })
		require.NoError(t, err)
		s.charges(posted)
	}
}

// periodsOf gives what the runs of March post under a whole contract.
func periodsOf(t *testing.T, w whole) []billing.Charge {
	t.Helper()
	terms := w.version(t).Terms
	v := billing.DatedVersion{Revision: 1, Digest: terms.Digest(), From: "2026-01-01", Terms: terms}
	var charges []billing.Charge
	var sums []billing.PeriodSum
	for _, kind := range []billing.PeriodRun{billing.Opening, billing.Closing, billing.Adjusting} {
		f := run(kind, terms.PeriodOf("2026-03-15"), v)
		f.Contract, f.Because = "ALL-1", "T-9"
		f.Devices = counts("seat 2026-02-01 10", "seat 2026-03-16 7", "workstation 2026-02-01 8", "workstation 2026-03-21 12")
		f.Posted = sums
		if kind == billing.Adjusting {
			f.Billed = billed("200")
		}
		d, err := billing.DecidePeriod(f)
		require.NoError(t, err)
		for _, c := range d.Charges {
			sums = add(sums, c)
		}
		charges = append(charges, d.Charges...)
	}
	return charges
}
