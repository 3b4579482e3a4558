package postgres_test

import (
	"context"
	"flag"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

var races = flag.Int("races", 1, "how often each pair of an invoice's deeds races in TestEveryPairOfAnInvoicesDeedsRaces")

// Whatever two people do to a payer's invoices at once, it ends as if one had waited for the other: where every invoice, the credit, the
// journal, the block, the tickets and the numbers stand, and what each of the two was told, is what one of the two orders gives.
func TestEveryPairOfAnInvoicesDeedsRaces(t *testing.T) {
	s := newStage(t)
	var first, other, deadlocks atomic.Int64
	const stages = 3 // that play at once
	t.Run("pairs", func(t *testing.T) {
		for n := range stages {
			t.Run(fmt.Sprintf("stage %d", n+1), func(t *testing.T) {
				t.Parallel()
				p, pair := s.play(t), 0
				for i, a := range lifeDeeds {
					for _, b := range lifeDeeds[i:] {
						if pair++; pair%stages != n {
							continue
						}
						t.Run(a.name+" and "+b.name, func(t *testing.T) {
							p.t = t
							one, two := s.inTurn(p, a, b, false), s.inTurn(p, a, b, true)
							for range *races {
								end := s.atOnce(p, a, b)
								if end == one {
									first.Add(1)
								} else {
									other.Add(1)
									require.Equal(t, two, end, "nor is it the other order:\n%s", one)
								}
							}
						})
					}
				}
				p.t = t
				deadlocks.Add(p.deadlocks())
			})
		}
	})
	t.Logf("%d races ended as the first order, %d as the other; %d deadlocks were tried again", first.Load(), other.Load(), deadlocks.Load())
}

const (
	aKey = "the-one"
	bKey = "the-other"
)

// inTurn does one after the other, and tells what came of it.
func (s *stage) inTurn(p *played, a, b lifeDeed, otherFirst bool) string {
	p.t.Helper()
	p.rewind()
	ctx, one, other := p.t.Context(), "", ""
	if otherFirst {
		other = told(p.t, b.name, b.do(ctx, s, p.Store, bKey))
	}
	one = told(p.t, a.name, a.do(ctx, s, p.Store, aKey))
	if !otherFirst {
		other = told(p.t, b.name, b.do(ctx, s, p.Store, bKey))
	}
	return p.end(one, other)
}

// atOnce does both at the same time.
func (s *stage) atOnce(p *played, a, b lifeDeed) string {
	p.t.Helper()
	p.rewind()
	ctx, errs := context.WithoutCancel(p.t.Context()), make([]error, 2)
	many(2, func(i int) {
		if i == 0 {
			errs[0] = a.do(ctx, s, p.Store, aKey)
		} else {
			errs[1] = b.do(ctx, s, p.Store, bKey)
		}
	})
	p.proved()
	return p.end(told(p.t, a.name, errs[0]), told(p.t, b.name, errs[1]))
}

func (p *played) end(one, other string) string {
	p.t.Helper()
	return fmt.Sprintf("one: %s\nother: %s\n%s", one, other, p.stands())
}
