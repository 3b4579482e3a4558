package billing_test

import (
	"encoding/json"
	"testing"

	"github.com/docket-psa/docket/billing"
)

// FuzzDecidePeriod looks for documents and facts that make a run panic, or decide differently the second time.
func FuzzDecidePeriod(f *testing.F) {
	for _, body := range []string{
		flat100, flatArrears, committed, seats(", count: {fewer: credit}"), flat100 + "term: {months: 12, uplift_percent: 3}\n",
		flat100 + "pauses: [{from: 2026-03-05, to: 2026-03-10}]\npurchase_order: {number: PO-1, limit: 50, used_up: hold}\n",
	} {
		for _, kind := range []billing.PeriodRun{billing.Opening, billing.Closing, billing.Adjusting} {
			facts := run(kind, march, dated(f, 1, "2026-01-01", "", body))
			facts.Devices, facts.Posted, facts.Billed = counts("seat 2026-02-01 10", "seat 2026-03-16 7"), []billing.PeriodSum{posted(billing.Recurring, "F", "100")}, billed("20")
			text, err := json.Marshal(facts)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(contract("A-1", body), text)
		}
	}
	f.Fuzz(func(t *testing.T, document string, text []byte) {
		c, err := billing.ParseContract([]byte(document))
		if err != nil {
			return
		}
		terms, err := c.Compile()
		if err != nil {
			t.Fatalf("it parses and does not compile: %v", err)
		}
		var facts billing.PeriodFacts
		if json.Unmarshal(text, &facts) != nil {
			return
		}
		for i := range facts.Versions {
			facts.Versions[i].Digest, facts.Versions[i].Terms = terms.Digest(), terms
		}
		d, err := billing.DecidePeriod(facts)
		if err != nil {
			return
		}
		for _, c := range d.Charges {
			billing.Explain(c)
		}
		again, err := billing.DecidePeriod(facts)
		if err != nil || again.Digest() != d.Digest() {
			t.Fatalf("decided again it is another decision: %v", err)
		}
	})
}
