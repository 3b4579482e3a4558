package postgres_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/ticket"
)

// BenchmarkClosingInTheJournal closes tickets, each with a draw of a sold block and a line beyond it, in turn with the journal and
// without it. x-without is how much more processor time a closing takes with it, of this process and of PostgreSQL, by the medians of the turns;
// ms-with and ms-without are by the clock.
func BenchmarkClosingInTheJournal(b *testing.B) {
	k := newTill(b, bookedBlocks)
	const turns, each = 16, 32
	var took, cost [2][]time.Duration
	for b.Loop() {
		for turn := range turns {
			with := turn % 2
			for _, table := range []string{"invoice_lines", "block_moves"} {
				_, err := k.admin.Exec(b.Context(), "alter table "+table+[]string{" disable", " enable"}[with]+" trigger journalise")
				require.NoError(b, err)
			}
			var ids []ticket.ID
			for range each + 8 {
				_, err := k.GrantBlock(b.Context(), postgres.BlockGrant{
					OperationKey: k.key(), Contract: "acme-block", Hours: decimal.NewFromInt(1), GrantedAt: noon.AddDate(0, 0, -1), Price: decimal.NewFromInt(100), Currency: "USD",
				})
				require.NoError(b, err)
				ids = append(ids, k.ticket("email"))
			}
			for range 8 { // plans are made anew after the change of the triggers, and settle with the sixth
				id := ids[0]
				k.close(id, 1, k.minutes("tom", 90))
				ids = ids[1:]
			}
			began, spent := time.Now(), processorTime(b)+k.processorTime(b)
			for _, id := range ids {
				_, err := k.Close(b.Context(), id, 1, k.resolve("tom", k.minutes("tom", 90)))
				require.NoError(b, err)
			}
			took[with] = append(took[with], time.Since(began)/each)
			cost[with] = append(cost[with], (processorTime(b)+k.processorTime(b)-spent)/each)
		}
	}
	median := func(all []time.Duration) float64 {
		slices.Sort(all)
		return float64(all[len(all)/2])
	}
	b.ReportMetric(median(took[0])/1e6, "ms-without")
	b.ReportMetric(median(took[1])/1e6, "ms-with")
	b.ReportMetric(median(cost[1])/median(cost[0]), "x-without")
}

// BenchmarkDrawingFromAnOldBlock closes tickets on one block of hours, of which few moves or many have gone before: a closing takes as
// long on either.
func BenchmarkDrawingFromAnOldBlock(b *testing.B) {
	for _, moves := range []int{10, 5000} {
		b.Run(fmt.Sprintf("%d moves", moves), func(b *testing.B) {
			k := newTill(b, bookedBlocks)
			_, err := k.GrantBlock(b.Context(), postgres.BlockGrant{
				OperationKey: k.key(), Contract: "acme-block", Hours: decimal.NewFromInt(100_000), GrantedAt: noon.AddDate(0, 0, -1),
				Price: decimal.NewFromInt(10_000_000), Currency: "USD",
			})
			require.NoError(b, err)
			_, err = k.admin.Exec(b.Context(), `
insert into block_moves (block_id, client_id, kind, ms, operation_key, at) select b.id, b.client_id, 'repay', 1, 'bench-' || n, now() from blocks b, generate_series(1, $1) as n`, moves)
			require.NoError(b, err)
			for b.Loop() {
				b.StopTimer()
				id := k.ticket("email")
				b.StartTimer()
				_, err := k.Close(b.Context(), id, 1, k.resolve("tom", k.minutes("tom", 30)))
				require.NoError(b, err)
			}
		})
	}
}
