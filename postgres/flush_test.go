package postgres_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/internal/pgdev"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/ticket"
)

// A closing finalises ahead of the disk. Where PostgreSQL is killed meanwhile, what was flushed has the numbers that were told. What
// was not may be gone, but from the end alone, and closing again gives what is left the numbers after: no gap, and none twice.
func TestEdge62NumbersHaveNoGapWhenPostgreSQLIsKilled(t *testing.T) {
	dir, err := os.MkdirTemp("/tmp", "docket-flush-") // where the server's account may enter
	require.NoError(t, err)
	require.NoError(t, os.Chmod(dir, 0o755))
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	o := pgdev.Options{Dir: dir, Durable: true, Settings: map[string]string{"wal_writer_delay": "10s"}} // nothing gets to the disk unasked
	cluster, err := pgdev.Start(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, cluster.Stop(context.Background())) })
	url := cluster.URL(cluster.User, "postgres")
	_, err = postgres.Migrate(t.Context(), url, "", "")
	require.NoError(t, err)
	k := tillIn(t, url)
	const clients, flushed = 12, 5
	for i := range clients {
		id := fmt.Sprintf("client-%02d", i)
		require.NoError(t, k.PutClient(t.Context(), ticket.Client{ID: id, Name: id, TimeZone: "America/New_York", Currency: "USD"}))
		k.apply(strings.NewReplacer("acme-fee", id+"-fee", "client: acme", "client: "+id).Replace(monthlyHundred))
	}
	k.sweep()
	k.nextMonth()
	m := billing.MonthClose{Until: "2026-04-01", By: "olga"}
	over, err := k.OverInvoices(t.Context(), m, billing.OverInvoice{}, 0)
	require.NoError(t, err)
	require.Len(t, over, clients)
	told := make([]string, flushed)
	for i, invoice := range over[:clients-1] {
		done, err := k.FinaliseOver(t.Context(), invoice, "olga")
		require.NoError(t, err)
		require.Empty(t, done.Refused)
		if i < flushed {
			told[i] = done.Number
		}
		if i == flushed-1 {
			require.NoError(t, k.Flush(t.Context()))
		}
	}

	require.NoError(t, syscall.Kill(cluster.PID(), syscall.SIGKILL))
	<-cluster.Done()
	require.NoError(t, cluster.Stop(t.Context()))
	o.Port = cluster.Port
	cluster, err = pgdev.Start(t.Context(), o)
	require.NoError(t, err)
	k.Store = k.open(url)

	list, err := k.OverInvoices(t.Context(), m, billing.OverInvoice{}, 0)
	require.NoError(t, err)
	require.Greater(t, len(list), 1, "the crash lost finalisations, or this test shows nothing")
	for _, invoice := range list {
		_, err := k.FinaliseOver(t.Context(), invoice, "olga")
		require.NoError(t, err)
	}
	require.NoError(t, k.Flush(t.Context()))
	for i, invoice := range over {
		again, err := k.FinaliseOver(t.Context(), invoice, "olga")
		require.NoError(t, err)
		require.Equal(t, fmt.Sprintf("INV-2026-%05d", i+1), again.Number, "as payers follow each other, before the crash and after")
		if i < flushed {
			require.Equal(t, told[i], again.Number)
		}
	}
	k.proved()
}
