package billing_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/docket-psa/docket/billing"
)

// TestPropertyOneClosing: whatever closes under a contract that has everything, each millisecond and each material is
// charged once, the shares of an entry's billable time are the whole of it, and the same facts give the same bytes in any
// order, also after they were stored.
func TestPropertyOneClosing(t *testing.T) {
	docs := wholeContracts(t)
	rapid.Check(t, func(t *rapid.T) {
		f := onSomeBooks(t, drawnWhole(t, rapid.SampledFrom(docs).Draw(t, "contract")))
		d, err := billing.Decide(f)
		require.NoError(t, err)
		requireWhole(t, f, d)
		requireShares(t, d)
		items := map[string]int{}
		for _, c := range every(d) {
			items[c.Item]++
			for _, sentence := range billing.Explain(c) {
				require.Regexp(t, `[.]$`, sentence)
			}
		}
		for _, i := range f.Items {
			require.Equal(t, 1, items["item-"+decimal.NewFromInt(i.ID).String()], "each material is charged once")
		}
		require.NotEmpty(t, billing.Say(f, d))

		canonical, err := billing.Canonical(f)
		require.NoError(t, err)
		stored, err := billing.ParseFacts(string(canonical))
		require.NoError(t, err)
		stored.Contracts = f.Contracts
		f.Work = rapid.Permutation(f.Work).Draw(t, "work")
		f.Blocks = rapid.Permutation(f.Blocks).Draw(t, "blocks")
		f.Counters = rapid.Permutation(f.Counters).Draw(t, "counters")
		if len(f.Items) > 0 {
			f.Items = rapid.Permutation(f.Items).Draw(t, "items in another order")
		}
		if len(f.Events) > 0 {
			f.Events = rapid.Permutation(f.Events).Draw(t, "events in another order")
		}
		for _, again := range []billing.Facts{stored, f} {
			same, err := billing.Decide(again)
			require.NoError(t, err)
			require.Equal(t, d.Digest(), same.Digest())
		}
	})
}

// requireShares requires that what the explanations call shares of an entry's billable time sum to it.
func requireShares(t require.TestingT, d billing.Decision) {
	whole, shared := map[string]string{}, map[string]decimal.Decimal{}
	other := map[string]bool{} // entries with parts that bill nothing, which have no such step
	for _, c := range every(d) {
		timed, work := false, ""
		if _, after, ok := strings.Cut(c.Key, "/work-"); ok {
			work, _, _ = strings.Cut(after, "/")
		}
		for _, s := range c.Steps {
			if s.Rule != "time" {
				continue
			}
			timed = true
			for _, a := range s.Args {
				switch a.Name {
				case "billable_ms":
					whole[work] = a.Value
				case "share_ms":
					shared[work] = shared[work].Add(dec(a.Value))
				}
			}
		}
		for _, s := range c.Spans {
			id := strconv.FormatInt(s.Work, 10)
			other[id] = other[id] || !timed
		}
	}
	for work, ms := range whole {
		if !other[work] {
			require.Equal(t, ms, shared[work].String(), "work %s", work)
		}
	}
}

// TestPropertyRaisingARateBillsNoLessTime: with every rate of the card and every price of overage higher, the time of a
// closing costs no less, after discounts, caps and retainers. Credits and fees stand apart, and so does what is rounded
// for the ticket.
func TestPropertyRaisingARateBillsNoLessTime(t *testing.T) {
	raise := strings.NewReplacer(
		"hourly: 97.31", "hourly: 97.32", "hourly: 181.17", "hourly: 210", "hourly: 41.77", "hourly: 42", "hourly: 210.01", "hourly: 250",
		`overage: "133.33"`, `overage: "140"`, `overage: "88.88"`, `overage: "88.89"`,
	)
	var low, high []billing.Version
	for _, w := range wholes() {
		low = append(low, w.version(t))
		high = append(high, version(t, raise.Replace(contract("ALL-1", w.document()))))
	}
	rapid.Check(t, func(t *rapid.T) {
		i := rapid.IntRange(0, len(low)-1).Draw(t, "contract")
		f := onSomeBooks(t, drawnWhole(t, low[i]))
		before, err := billing.Decide(f)
		require.NoError(t, err)
		f.Contracts = high[i : i+1]
		after, err := billing.Decide(f)
		require.NoError(t, err)
		was, sums := timeOf(before)
		is, _ := timeOf(after)
		// Differences of rounded sums may be off by a minor unit each.
		require.False(t, is.Add(dec("0.01").Mul(decimal.NewFromInt(sums))).LessThan(was), "time costs %s, and %s at higher rates", was, is)
	})
}

// timeOf is what a decision's time costs exactly, with what lowers it, and how many of its amounts are differences of sums.
func timeOf(d billing.Decision) (cost decimal.Decimal, sums int64) {
	for _, c := range every(d) {
		lowers := (c.Kind == billing.Discount || c.Kind == billing.FromRetainer) && (strings.Contains(c.Key, "time/") || strings.Contains(c.Key, "overage/"))
		if c.Kind == billing.Time && !strings.Contains(c.Key, "beyond") || c.Kind == billing.Overage || lowers {
			cost = cost.Add(c.Exact)
			sums += int64(len(c.Counts))
		}
	}
	return cost, sums
}

// dutchLow names the low category as the whole contracts do.
var dutchLow = strings.Replace(dutch, "reduced", "low", 1)

// TestPropertyLinesSumToTheInvoice: what a book of closings posts stands on the invoices of its payers and periods, and
// each of them adds up from its printed lines, taxes and all.
func TestPropertyLinesSumToTheInvoice(t *testing.T) {
	docs := wholeContracts(t)
	profiles := []*billing.TaxProfile{taxProfile(t, dutchLow), taxProfile(t, dutchLow+"per: line\n")}
	rapid.Check(t, func(t *rapid.T) {
		b := plenty(rapid.SampledFrom(docs).Draw(t, "contract"))
		for range rapid.IntRange(1, 4).Draw(t, "closings") {
			r, d := b.close(t, drawnWhole(t, b.version))
			for range d.Holds {
				b.settle(t, r, 0, rulings(r.holds[0])[0])
			}
		}
		if len(b.rounds) > 1 {
			b.undo(t, b.rounds[0])
		}
		profile := rapid.SampledFrom(profiles).Draw(t, "tax")
		invoices := map[billing.Period]*billing.Document{}
		for _, r := range b.rounds {
			for _, c := range r.posted {
				if c.Hidden {
					require.True(t, c.Amount.IsZero(), "%s costs something and has no line", c.Key)
					continue
				}
				require.NotNil(t, c.Bills)
				d := invoices[*c.Bills]
				if d == nil {
					d = &billing.Document{Currency: "EUR", TaxDate: c.Bills.End}
					invoices[*c.Bills] = d
				}
				d.Lines = append(d.Lines, billing.TaxableLine{Amount: c.Amount, Category: c.TaxCategory, Profile: profile})
			}
		}
		sum := decimal.Zero
		for _, d := range invoices {
			totals, err := d.Totals()
			require.NoError(t, err)
			requireAddsUp(t, *d, totals)
			sum = sum.Add(totals.LineTotal)
		}
		posted, _ := b.total()
		require.True(t, sum.Equal(posted), "the invoices come to %s, and %s posted", sum, posted)
	})
}
