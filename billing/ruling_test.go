package billing_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/docket-psa/docket/billing"
)

// TestEveryReasonHasAQueue reads the reasons from the source: one that nobody gave a queue would wait where nobody looks.
func TestEveryReasonHasAQueue(t *testing.T) {
	strays := map[string]bool{}
	for _, file := range []string{"decision.go", "queue.go"} {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		require.NoError(t, err)
		ast.Inspect(parsed, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.ValueSpec:
				if kind, ok := n.Type.(*ast.Ident); ok && kind.Name == "HoldReason" {
					strays[n.Names[0].Name] = true
				}
			case *ast.KeyValueExpr:
				if name, ok := n.Key.(*ast.Ident); ok {
					delete(strays, name.Name)
				}
			}
			return true
		})
	}
	require.Empty(t, strays, "give each a row in billing/queue.go")
	for _, r := range []billing.HoldReason{billing.Tie, billing.ProjectBudget, billing.Declined} {
		require.Contains(t, billing.Queues, r.Queue())
	}
}

const blockOrTime = `
time: {minimum: 30m, increment: 15m}
rates: [{hourly: 133.37}, {actor: ai, hourly: 36}]
lines:
  - {clause: B1, name: Block hours, match: {work_types: [onsite]}, charge: block}
  - {clause: T1, name: Support, charge: time}
approval: {amount_over: 0, approvers: [P-1]}
`

// TestPropertySplitsLoseNothing splits random holds at random: the parts add up to the quote, in work, time, draws and
// money; the split is decided the same again from what its charges say; and reversed, nothing is left.
func TestPropertySplitsLoseNothing(t *testing.T) {
	v := version(t, contract("TM-1", blockOrTime))
	rapid.Check(t, func(t *rapid.T) {
		f := facts([]billing.Version{v})
		at := noon.Add(-3 * time.Hour)
		for i := range rapid.IntRange(1, 4).Draw(t, "entries") {
			ms := rapid.Int64Range(1, 3*hour).Draw(t, "ms")
			w := work(int64(i+1), at, ms)
			if rapid.Bool().Draw(t, "onsite") {
				w.WorkType = "onsite"
			}
			f.Work, at = append(f.Work, w), at.Add(4*time.Hour)
		}
		f.Blocks = []billing.Block{block(7, rapid.Int64Range(0, 2*hour).Draw(t, "left"))}
		d, err := billing.Decide(f)
		require.NoError(t, err)
		if len(d.Holds) == 0 {
			return
		}
		hold := billing.Decline(d.Holds[0], "P-1", "too dear", time.Hour)
		var whole, worked int64
		for _, c := range hold.Charges {
			whole += c.Quantity.Mul(decimal.NewFromInt(hour)).Round(0).IntPart()
			for _, s := range c.Spans {
				worked += s.To - s.From
			}
		}
		r := billing.Ruling{Action: billing.Split, By: "D-1", Reason: "half of it", Part: billing.Part{Rest: billing.WriteOff}}
		if rapid.Bool().Draw(t, "by amount") && hold.Amount.GreaterThan(dec("0.02")) {
			cents := rapid.Int64Range(1, hold.Amount.Shift(2).IntPart()-1).Draw(t, "cents")
			amount := decimal.New(cents, -2)
			r.Part.Amount = &amount
		} else {
			r.Part.MS = rapid.Int64Range(1, whole-1).Draw(t, "bill")
		}
		charges, err := billing.Settle(hold, r)
		require.NoError(t, err)
		keys := map[string]bool{}
		var ms, work, drawn int64
		billed := decimal.Zero
		for _, c := range charges {
			require.False(t, keys[c.Key], c.Key)
			keys[c.Key] = true
			ms += c.Quantity.Mul(decimal.NewFromInt(hour)).Round(0).IntPart()
			billed = billed.Add(c.Amount)
			require.False(t, c.Kind == billing.WrittenOff && !c.Amount.IsZero())
			for _, s := range c.Spans {
				require.Less(t, s.From, s.To)
				work += s.To - s.From
			}
			for _, d := range c.Draws {
				drawn += d.MS
			}
		}
		require.Equal(t, whole, ms)
		require.Equal(t, worked, work)
		if r.Part.Amount != nil {
			require.Equal(t, r.Part.Amount.String(), billed.String())
		}
		require.Equal(t, hold.Amount.Sub(billed).String(), r.GivesUp(hold).String())
		var quoted int64
		for _, c := range hold.Charges {
			for _, d := range c.Draws {
				quoted += d.MS
			}
		}
		require.LessOrEqual(t, drawn, quoted)

		again, err := billing.Settle(hold, billing.RulingOf(charges[0]))
		require.NoError(t, err)
		require.Equal(t, render(charges), render(again))
		for i, c := range charges {
			require.NotEmpty(t, billing.Explain(c))
			reversed, err := billing.Reverse(int64(i+1), c, v.Terms, nil)
			require.NoError(t, err)
			require.True(t, reversed.Amount.Add(c.Amount).IsZero())
		}
	})
}

func TestSplitTellsWhatCannotBeParted(t *testing.T) {
	quarter := dec("25")
	for name, c := range map[string]struct {
		body, says string
		entry      billing.Work
	}{
		"what the month has counted": {"rates: [{actor: ai, hourly: 36}]\nlines: [{clause: X1, name: Projects, charge: out-of-scope}]", "is priced by what its period has counted (ai/", aiWork(1, noon, hour)},
		"what has no price":          {"lines: [{clause: X1, name: Projects, charge: out-of-scope}]", "no price could be found", work(1, noon, hour)},
	} {
		t.Run(name, func(t *testing.T) {
			hold := decide(t, under(t, contract("TM-1", c.body), c.entry)).Holds[0]
			require.NotContains(t, hold.Rulings(), billing.Split)
			_, err := billing.Settle(hold, billing.Ruling{Action: billing.Split, Part: billing.Part{Amount: &quarter, Rest: billing.Cover}})
			require.ErrorIs(t, err, billing.ErrUndivided)
			require.ErrorContains(t, err, c.says)
		})
	}
}

func projected(f billing.Facts, p billing.TicketProject) billing.Facts {
	f.Ticket.Project = &p
	return f
}

func TestWorkBillsToItsProject(t *testing.T) {
	const care = `
rates: [{hourly: 60}]
lines:
  - {clause: A1, name: All care, match: {work_types: [remote]}, charge: covered}
  - {clause: T1, name: The rest, charge: time}
project: {clause: P1, time_over: 1h}
`
	budget, rate := dec("200"), dec("80")
	f := projected(under(t, contract("AC-1", care), work(1, noon, 2*hour)), billing.TicketProject{ID: "move", Currency: "EUR", Budget: &budget, Hourly: &rate})
	d := decide(t, f)
	require.Equal(t, "time A1 2 h × 80 = 160", posts(d), "it is no project in disguise any more, and the contract's cover is not for projects")
	require.Empty(t, d.Holds)
	c := d.Charges[0]
	require.Equal(t, "move", c.Project)
	require.Equal(t, "project/move/EUR 160, hours/move 7200000", c.Counts[0].Key+" "+c.Counts[0].Quantity.String()+", "+c.Counts[1].Key+" "+c.Counts[1].Quantity.String())
	said := billing.Explain(c)
	require.Contains(t, said, "The ticket belongs to project move: what the contract covers by itself, it does not cover for a project.")
	require.Contains(t, said, "The project asks 80.00 EUR an hour for it.")
	require.Contains(t, said, "It bills to project move, 160.00 EUR of 200.00 EUR with it, 2 h of work.")
	require.Subset(t, billing.Want(f).Counters, []string{"project/move/EUR", "hours/move"}, "locked before they are read")

	for name, tt := range map[string]struct {
		change func(*billing.Facts)
		says   string
	}{
		"money": {func(f *billing.Facts) {
			f.Counters = []billing.Counter{{Key: "project/move/EUR", Value: dec("40.01")}}
		}, "The budget of project move, 200.00 EUR, has 159.99 EUR left, and this comes to 160.00 EUR: raise its budget (docket project budget), or rule on it; 160.00 EUR if it is billed."},
		"hours":    {func(f *billing.Facts) { f.Ticket.Project.BudgetMS = 2*hour - 1 }, "The budget of project move, 1 h 59 min 59 s, has 1 h 59 min 59 s left, and this takes 2 h: raise its budget"},
		"closed":   {func(f *billing.Facts) { f.Ticket.Project.Closed = true }, "The ticket belongs to project move, which is closed, and nothing more was agreed"},
		"currency": {func(f *billing.Facts) { f.Ticket.Project.Currency = "USD" }, "whose budget is in USD, and this bills in EUR"},
	} {
		t.Run("beyond: "+name, func(t *testing.T) {
			project := *f.Ticket.Project
			beyond := projected(f, project)
			tt.change(&beyond)
			d := decide(t, beyond)
			require.Empty(t, d.Charges)
			require.Equal(t, billing.ProjectBudget, d.Holds[0].Reason)
			require.Contains(t, d.Holds[0].Says, tt.says)
			require.Empty(t, d.Holds[0].Charges[0].Counts, "so that it takes nothing from the budget")
			require.NotContains(t, d.Holds[0].Rulings(), billing.ReRate)
			billed, err := billing.Settle(d.Holds[0], billing.Ruling{Action: billing.Bill, By: "D-1", Reason: "agreed"})
			require.NoError(t, err)
			require.Len(t, billed[0].Counts, 2, "billed after all, it counts")
			moved, err := billing.Settle(d.Holds[0], billing.Ruling{Action: billing.ToProject, By: "D-1", Reason: "the other one", Project: "next"})
			require.NoError(t, err)
			require.Equal(t, "project/next/EUR", moved[0].Counts[0].Key)
			require.Contains(t, strings.Join(billing.Explain(moved[0]), " "), "D-1 ruled that it bills to project next: the other one.")
		})
	}
}

// TestRatedAnewFromAPart rates the second half of an entry under another contract: its charges name the entry's own
// milliseconds, and keys that no closing's charge has.
func TestRatedAnewFromAPart(t *testing.T) {
	part := work(1, noon.Add(time.Hour), hour)
	part.Offset = hour
	f := under(t, contract("TM-1", threshold), part)
	f.Rerating = &billing.Rerating{Hold: 12, Contract: "TM-1", By: "D-1", ConfirmedBy: "O-1", Reason: "Theirs"}
	d, err := billing.Decide(f)
	require.NoError(t, err)
	c := d.Charges[0]
	require.Equal(t, []billing.Span{{Work: 1, From: hour, To: 2 * hour}}, c.Spans)
	require.True(t, strings.HasPrefix(c.Key, "H-12/time/TM-1@1/T1/2026-03/work-1+"+strconv.FormatInt(hour, 10)), c.Key)
	require.Contains(t, billing.Explain(c), "It was held as H-12, and D-1 ruled that it falls under contract TM-1, and O-1 agreed: Theirs.")
	require.Equal(t, billing.ReRate, billing.RulingOf(c).Action)

	f.Work[0] = work(1, noon, 2*hour)
	require.Equal(t, "H-12/sign-off/TM-1", decide(t, f).Holds[0].Key)
	stored, err := billing.Canonical(f)
	require.NoError(t, err)
	read, err := billing.ParseFacts(string(stored))
	require.NoError(t, err)
	require.Equal(t, f.Rerating, read.Rerating)

	f.Work = nil
	require.Empty(t, decide(t, f).Holds, "that the closing had no time was asked when it closed")
}
