package e2e_test

import (
	"context"
	"os"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"

	"github.com/docket-psa/docket/internal/pgdev"
	"github.com/docket-psa/docket/internal/testenv"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/ticket"
)

func TestE2EPostgreSQLGoneInMidRun(t *testing.T) {
	t.Parallel()
	o := pgdev.Options{Dir: reachableDir(t), Durable: true}
	cluster, err := pgdev.Start(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, cluster.Stop(context.Background())) })
	o.Port = cluster.Port // it comes back where it was
	h := openOver(t, testenv.Temporal(t, testenv.WithFreshNamespace()), docketIn(t, cluster))
	h.work()
	closing, waiting := h.inResolution("email"), h.inResolution("email")
	_, err = h.desk.Work(t.Context(), closing, ticket.Work{Header: h.by("tom"), Entry: h.minutes(70)})
	require.NoError(t, err)
	h.until("the work written", func(context.Context) bool { return len(h.logging(closing)) == 1 })

	require.NoError(t, cluster.Stop(t.Context()))
	late := h.resolve("tom", h.minutes(30))
	_, err = h.desk.Resolve(t.Context(), waiting, late)
	require.Error(t, err, "nobody is told that something is done which is not")
	_, err = h.desk.Open(t.Context(), h.opening("email"))
	require.Error(t, err, "nor that a ticket is taken which is not stored")
	// What Temporal has taken goes on when it can: the closing is tried until PostgreSQL is back.
	require.NoError(t, h.temporal.SignalWorkflow(t.Context(), closing.WorkflowID(), "", string(ticket.MsgResolve), h.resolve("tom")))
	h.until("the closing tried and tried again", func(ctx context.Context) bool {
		d, err := h.temporal.DescribeWorkflowExecution(ctx, closing.WorkflowID(), "")
		if err != nil || len(d.GetPendingActivities()) != 1 {
			return false
		}
		p := d.GetPendingActivities()[0]
		return p.GetAttempt() > 1 && p.GetLastFailure().GetMessage() != ""
	})

	cluster, err = pgdev.Start(t.Context(), o)
	require.NoError(t, err)
	h.reaches(closing, ticket.Posted)
	h.ends(closing)
	require.Equal(t, []string{"187.50"}, h.billed(closing))
	require.Equal(t, 1, h.happened(closing, enumspb.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED), "its tries leave no trace in history")

	receipt, err := h.desk.Resolve(t.Context(), waiting, late)
	require.NoError(t, err, "the same message may be sent again")
	require.Len(t, receipt.Posted, 1)
	h.ends(waiting)
	h.proved(2)
}

// docketIn makes Docket's database in a cluster.
func docketIn(t *testing.T, c *pgdev.Cluster) string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), c.SocketURL(c.User, "postgres"))
	require.NoError(t, err)
	_, err = conn.Exec(t.Context(), "create database docket")
	require.NoError(t, err)
	require.NoError(t, conn.Close(t.Context()))
	url := c.URL(c.User, "docket")
	_, err = postgres.Migrate(t.Context(), url, "", "")
	require.NoError(t, err)
	return url
}

// reachableDir is a directory that the server's account can enter: those of testing belong to
// whoever runs the tests alone.
func reachableDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "docket-e2e-")
	require.NoError(t, err)
	require.NoError(t, os.Chmod(dir, 0o755))
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	return dir
}
