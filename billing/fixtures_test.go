package billing_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
)

// ms of the units in which tests speak.
const (
	second = int64(1000)
	minute = 60 * second
	hour   = 60 * minute
)

// noon of Tuesday, 10 March 2026: where tests begin unless they say otherwise.
var noon = time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)

const head = `
schema: docket.contract/v1
contract: %s
client: C-1
name: Test contract
effective_from: 2026-01-01
currency: EUR
time_zone: UTC
`

// contract is a document of one contract, without its head.
func contract(id, body string) string { return fmt.Sprintf(head, id) + body }

func terms(t testing.TB, document string) *billing.Terms {
	t.Helper()
	c, err := billing.ParseContract([]byte(document))
	require.NoError(t, err)
	compiled, err := c.Compile()
	require.NoError(t, err)
	return compiled
}

// version is a document in force over all of the year.
func version(t testing.TB, document string) billing.Version {
	t.Helper()
	compiled := terms(t, document)
	return billing.Version{
		Contract: compiled.Contract().ID, Revision: 1, Digest: compiled.Digest(), Terms: compiled,
		From: compiled.Begins(), Until: compiled.Ends(),
	}
}

// work is a person's entry of one segment, remote by an engineer.
func work(id int64, start time.Time, ms int64) billing.Work {
	return billing.Work{
		ID: id, Actor: "anna", Kind: "human", WorkType: "remote", WorkRole: "engineer",
		StartedAt: start, MS: ms,
		Segments: []billing.Segment{{From: 0, To: ms, Date: start.Format(time.DateOnly)}},
	}
}

// aiWork is an entry of the AI agent.
func aiWork(id int64, start time.Time, ms int64) billing.Work {
	w := work(id, start, ms)
	w.Actor, w.Kind, w.WorkType, w.WorkRole = "scripted", "ai", "ai-resolution", "ai-agent"
	return w
}

func facts(versions []billing.Version, entries ...billing.Work) billing.Facts {
	resolved := noon.Add(6 * time.Hour)
	return billing.Facts{
		Rules: billing.Rules,
		Ticket: billing.Ticket{
			ID: "T-1", Round: 1, Client: "C-1", Category: "Email", Priority: 3, OpenedAt: noon.Add(-time.Hour),
			ResolvedAt: resolved, ResolvedOn: resolved.Format(time.DateOnly), ResolvedBy: "anna", ResolvedKind: "human", Code: "solved",
		},
		Work: entries, Contracts: versions,
	}
}

func under(t testing.TB, document string, entries ...billing.Work) billing.Facts {
	t.Helper()
	return facts([]billing.Version{version(t, document)}, entries...)
}

// decide decides, and checks what is true of every decision.
func decide(t testing.TB, f billing.Facts) billing.Decision {
	t.Helper()
	d, err := billing.Decide(f)
	require.NoError(t, err)
	requireWhole(t, f, d)
	return d
}

// requireWhole requires that every millisecond of work is in exactly one charge, that
// keys are unique, that nobody draws more than there is, that sums are sums.
func requireWhole(t require.TestingT, f billing.Facts, d billing.Decision) {
	all := every(d)
	keys := map[string]bool{}
	spans := map[int64][]billing.Span{}
	drawn := map[int64]int64{}
	for _, c := range all {
		require.False(t, keys[c.Key], "key %s is there twice", c.Key)
		keys[c.Key] = true
		blocks := map[int64]bool{}
		for _, s := range c.Spans {
			require.Less(t, s.From, s.To, "span of work %d", s.Work)
			spans[s.Work] = append(spans[s.Work], s)
		}
		for _, draw := range c.Draws {
			require.False(t, blocks[draw.Block], "block %d is drawn twice by %s", draw.Block, c.Key)
			require.Positive(t, draw.MS)
			blocks[draw.Block] = true
			require.LessOrEqual(t, draw.Restores+draw.Unrolls, draw.MS)
			drawn[draw.Block] += draw.MS - draw.Restores - draw.Unrolls
		}
		for _, count := range c.Counts {
			kind, _, _ := strings.Cut(count.Key, "/")
			money := kind == "po" || kind == "cap" || kind == "retainer" // which goes back where a charge is less than nothing
			require.True(t, money || !count.Quantity.IsNegative(), count.Key)
		}
		switch c.Kind {
		case billing.Discount, billing.FromRetainer, billing.Credit:
			if strings.HasSuffix(c.Key, "/rounding") {
				break // a rounded sum may be more than its rounded lines
			}
			if len(c.Counts) > 0 && c.Counts[0].Quantity.IsNegative() {
				break // what it lowers gives money back, and so it takes off less
			}
			require.False(t, c.Amount.IsPositive(), "%s takes off", c.Key)
		case billing.Usage: // volume prices fall: the 16th unit may cost less than nothing
		default:
			if strings.Contains(counted(c.Counts), "day-time/") {
				break // its day may cost less with it: what was short of a minimum at a high rate is worked at a low one
			}
			require.False(t, c.Amount.IsNegative(), "%s", c.Key)
		}
	}
	for _, w := range f.Work {
		covered := make(map[int64]int64, len(spans[w.ID]))
		for _, s := range spans[w.ID] {
			_, twice := covered[s.From]
			require.False(t, twice, "work %d is charged twice at %d ms", w.ID, s.From)
			covered[s.From] = s.To
		}
		at := int64(0)
		for range spans[w.ID] {
			to, ok := covered[at]
			require.True(t, ok, "work %d is in no charge at %d ms", w.ID, at)
			at = to
		}
		require.Equal(t, w.MS, at, "work %d ends at %d ms", w.ID, at)
		delete(spans, w.ID)
	}
	require.Empty(t, spans, "spans of unknown work")
	for _, b := range f.Blocks {
		require.LessOrEqual(t, drawn[b.ID], b.LeftMS, "block %d", b.ID)
		delete(drawn, b.ID)
	}
	for _, g := range d.Grants {
		require.LessOrEqual(t, drawn[g.Block], g.MS, "block %s", g.Key)
		delete(drawn, g.Block)
	}
	require.Empty(t, drawn, "draws of unknown blocks")
	for _, h := range d.Holds {
		sum := decimal.Zero
		for _, c := range h.Charges {
			sum = sum.Add(c.Amount)
		}
		require.True(t, sum.Equal(h.Amount), "hold %s is %s, its charges %s", h.Key, h.Amount, sum)
		require.NotEmpty(t, h.Says)
		require.NotEmpty(t, h.Digest)
		require.Positive(t, h.Patience)
	}
}

// every gives the charges that post and those that wait.
func every(d billing.Decision) []billing.Charge {
	all := append([]billing.Charge{}, d.Charges...)
	for _, h := range d.Holds {
		all = append(all, h.Charges...)
	}
	return all
}

// counted renders what a charge counts: "po/TM-1/PO-77 60".
func counted(counts []billing.Count) string {
	var said []string
	for _, c := range counts {
		said = append(said, c.Key+" "+c.Quantity.String())
	}
	return strings.Join(said, ", ")
}

// posts renders what posts, one line a charge: "time A1 1.75 h × 150 = 262.5".
func posts(d billing.Decision) string { return render(d.Charges) }

// holds renders what waits: "exception no-rate A1 unrated: time A1 0.5 h × 0 = 0".
func holds(d billing.Decision) string {
	var lines []string
	for _, h := range d.Holds {
		line := fmt.Sprintf("%s %s", h.Kind, h.Reason)
		if h.Clause != "" {
			line += " " + h.Clause
		}
		if h.Unrated {
			line += " unrated"
		}
		lines = append(lines, strings.TrimSuffix(line+": "+render(h.Charges), ": "))
	}
	return strings.Join(lines, "\n")
}

func render(charges []billing.Charge) string {
	var lines []string
	for _, c := range charges {
		line := string(c.Kind)
		if c.Clause != "" {
			line += " " + c.Clause
		}
		line += fmt.Sprintf(" %s %s × %s = %s", c.Quantity, c.Unit, c.Rate, c.Amount)
		for _, draw := range c.Draws {
			line += fmt.Sprintf(" [block %d: %d min]", draw.Block, draw.MS/minute)
		}
		if c.Hidden {
			line += " hidden"
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

func dec(s string) decimal.Decimal { return decimal.RequireFromString(s) }
