package postgres_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/sla"
	"github.com/docket-psa/docket/ticket"
)

// TestWhatIfOfTheSameTermsInAnyOrder plays a hundred deeds in a random order under contracts that keep
// counters, blocks and allowances. A draft that says what is in force must change no closure: whatever
// the rehearsal forgets of what the books do shows here. So it is asked from the beginning, and from
// some day in between, when reversals and settlements of earlier closures fall into the period.
func TestWhatIfOfTheSameTermsInAnyOrder(t *testing.T) {
	const asks = `amount_over: "500.00"`
	for name, c := range map[string]struct{ block, counted, reopened, asks string }{
		"hours ahead":   {"block: {overdraw: 2h}", "included: 3", "", asks},
		"renewal":       {`block: {renewal: {hours: 4h, price: "400.00"}}`, "included: 1", "", asks},
		"kept rounds":   {"overage: hold", "included: 2", "reopen: keep\n", asks},
		"waived quotes": {"overage: hold", "included: 2, cap: 120", "", "categories: [onboarding]"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			seed := uint64(time.Now().UnixNano())
			t.Logf("seed %d", seed)
			r := rand.New(rand.NewPCG(seed, seed))
			contracts := []string{
				replaced(bucket, "[email, network]", "[email]"),
				replaced(replaced(blocks, "categories: [email, network]", "categories: [network]"), "charge: block,", "charge: block, "+c.block+",") + c.reopened,
				replaced(replaced(replaced(hourly, "[email, network]", "[hardware]"), "included: 1", c.counted), asks, c.asks) + c.reopened,
				replaced(managed, "charge: time", "charge: time, match: {categories: [project]}"),
			}
			k := newTill(t, contracts...)
			k.devices("workstation", "2026-01-01", 12)
			begin := sla.DateAt(k.now(), time.UTC)
			k.randomDeeds(r, 100)
			end := sla.DateAt(k.now(), time.UTC).AddDays(2)
			days := begin.DaysUntil(end)
			for range 3 {
				for _, doc := range contracts {
					q := postgres.WhatIfQuestion{From: begin, To: end}
					found := k.whatIf(q, doc)
					require.Equal(t, int(k.count("select count(*) from closures")), found.Closures)
					k.requireSame(found)
					q.From = begin.AddDays(r.IntN(days))
					q.To = q.From.AddDays(1 + r.IntN(days))
					k.requireSame(k.whatIf(q, doc))
				}
			}
		})
	}
}

func (k *till) requireSame(found billing.WhatIf) {
	k.t.Helper()
	for _, row := range found.Tickets {
		for _, c := range row.Clauses {
			require.True(k.t, c.Posted.Equal(c.WouldPost) && c.Held.Equal(c.WouldHold), "%s to %s under %s: %s round %d of %s: %+v",
				found.From, found.To, found.Contract, row.Ticket, row.Round, row.ClosedAt, c)
		}
	}
	require.Zero(k.t, found.Changed)
	for _, p := range found.Periods {
		for _, c := range p.Clauses {
			require.True(k.t, c.Posted.Equal(c.WouldPost) && c.Held.Equal(c.WouldHold), "%s to %s under %s: %s: %+v", found.From, found.To, found.Contract, p.Period, c)
		}
	}
}

// randomDeeds closes, reopens, signs, rules, buys and lets time pass, a minute at least between two of them.
func (k *till) randomDeeds(r *rand.Rand, n int) {
	k.t.Helper()
	ctx := k.t.Context()
	type held struct {
		id ticket.ID
		billing.HeldQuote
	}
	var (
		closed []ticket.ID
		round  = map[ticket.ID]int{}
		open   []held
	)
	closing := func(id ticket.ID) {
		round[id]++
		k.begin(id, round[id])
		entry := k.minutes("tom", 10+r.IntN(600))
		entry.StartedAt = entry.StartedAt.AddDate(0, 0, -r.IntN(40))
		receipt := k.close(id, round[id], entry)
		closed = append(closed, id)
		for _, h := range receipt.Held {
			open = append(open, held{id, h})
		}
	}
	for range n {
		k.pass(time.Duration(1+r.IntN(300)) * time.Minute)
		switch r.IntN(12) {
		case 10:
			k.devices("workstation", k.now().Format(time.DateOnly), 8+r.IntN(9))
		case 11:
			k.sweep()
		case 0:
			k.pass(time.Duration(1+r.IntN(20)) * 24 * time.Hour)
		case 1:
			g := postgres.BlockGrant{OperationKey: k.key(), Contract: "acme-block", Hours: decimal.NewFromInt(int64(1 + r.IntN(6))), GrantedAt: k.now(), Currency: "USD"}
			g.ExpiresAt = k.now().AddDate(0, 0, 1+r.IntN(60))
			if r.IntN(2) == 0 { // entered late: it counts from some day before
				g.Price, g.GrantedAt = decimal.NewFromInt(100), k.now().Add(-time.Duration(r.IntN(20*24))*time.Hour)
			}
			_, err := k.GrantBlock(ctx, g)
			require.NoError(k.t, err)
		case 2:
			_, err := k.EndBlocks(ctx, "", k.now())
			require.NoError(k.t, err)
		case 3:
			if len(closed) == 0 {
				continue
			}
			i := r.IntN(len(closed))
			id := closed[i]
			closed = append(closed[:i], closed[i+1:]...)
			k.reopen(id)
			open = slices.DeleteFunc(open, func(h held) bool { return h.id == id })
			k.pass(time.Duration(1+r.IntN(3000)) * time.Minute)
			closing(id)
		case 4:
			if len(open) == 0 {
				continue
			}
			i := r.IntN(len(open))
			h := open[i]
			open = append(open[:i], open[i+1:]...)
			if h.Kind == billing.SignOff && r.IntN(2) == 0 {
				_, err := k.SignOff(ctx, h.id, ticket.SignOff{Header: k.by("ann"), Hold: h.Hold, Digest: h.Digest, Approved: true})
				require.NoError(k.t, err)
				continue
			}
			action := []ticket.Ruling{ticket.Cover, ticket.WriteOff}[r.IntN(2)]
			_, err := k.Rule(ctx, h.id, ticket.Rule{Header: k.by("dora"), Hold: h.Hold, Action: action, Reason: "so be it"})
			require.NoError(k.t, err)
		default:
			closing(k.opened([]string{"email", "network", "onboarding", "hardware", "project"}[r.IntN(5)]))
		}
	}
}
