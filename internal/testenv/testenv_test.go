package testenv_test

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/docket-psa/docket/internal/testenv"
)

func TestEmptyDatabasesAreApart(t *testing.T) {
	first, second := testenv.EmptyDatabase(t), testenv.EmptyDatabase(t)
	execute(t, first, "CREATE TABLE only_here (n int)")
	execute(t, second, "CREATE TABLE only_here (n int)")
}

func TestTemplateIsBuiltOnceAndCopied(t *testing.T) {
	var built atomic.Int32
	build := func(url string) error {
		built.Add(1)
		conn, err := pgx.Connect(context.Background(), url)
		if err != nil {
			return err
		}
		_, err = conn.Exec(context.Background(), "CREATE TABLE seeded AS SELECT 1 AS n")
		return errors.Join(err, conn.Close(context.Background()))
	}
	for range 3 {
		t.Run("copy", func(t *testing.T) {
			t.Parallel()
			execute(t, testenv.Template(t, "seeded", build), "INSERT INTO seeded VALUES (2)")
		})
	}
	t.Cleanup(func() { require.EqualValues(t, 1, built.Load()) })
}

func TestTemporalRunsAWorkflowAndShowsItsUI(t *testing.T) {
	server := testenv.Temporal(t)
	require.Equal(t, "hello", run(t, server))

	res, err := http.Get(server.UI)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, http.StatusOK, res.StatusCode)
}

// What lies in a partition that no poller has come to waits up to a minute after a restart: a small house has one.
func TestATaskQueueIsOne(t *testing.T) {
	server := testenv.Temporal(t)
	partitions, err := dial(t, server).WorkflowService().ListTaskQueuePartitions(t.Context(), &workflowservice.ListTaskQueuePartitionsRequest{
		Namespace: server.Namespace, TaskQueue: &taskqueue.TaskQueue{Name: "any"},
	})
	require.NoError(t, err)
	require.Len(t, partitions.WorkflowTaskQueuePartitions, 1)
	require.Len(t, partitions.ActivityTaskQueuePartitions, 1)
}

func TestFreshNamespaceRunsAWorkflow(t *testing.T) {
	server := testenv.Temporal(t, testenv.WithFreshNamespace())
	require.NotEqual(t, testenv.Temporal(t).Namespace, server.Namespace)
	require.Equal(t, "hello", run(t, server))
}

func TestKilledTemporalGoesOnWithItsWorkflows(t *testing.T) {
	server := testenv.OwnTemporal(t)
	c := dial(t, server)
	started, err := c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{TaskQueue: t.Name()}, greet)
	require.NoError(t, err)

	before := *server
	server.Kill9(t)
	server.Restart(t)
	require.Equal(t, before.Address, server.Address)
	require.Equal(t, before.UI, server.UI)

	work(t, c)
	var got string
	require.NoError(t, started.Get(t.Context(), &got))
	require.Equal(t, "hello", got)
}

func TestSharedTemporalComesBackAfterACrash(t *testing.T) {
	testenv.Temporal(t).Kill9(t)
	require.Equal(t, "hello", run(t, testenv.Temporal(t)))
}

func greet(ctx workflow.Context) (string, error) {
	err := workflow.UpsertTypedSearchAttributes(ctx, clientAttribute.ValueSet("C-1"))
	return "hello", err
}

var clientAttribute = temporal.NewSearchAttributeKeyKeyword("Client")

func dial(t *testing.T, server *testenv.TemporalServer) client.Client {
	t.Helper()
	c, err := client.Dial(client.Options{HostPort: server.Address, Namespace: server.Namespace})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

func work(t *testing.T, c client.Client) {
	t.Helper()
	w := worker.New(c, t.Name(), worker.Options{})
	w.RegisterWorkflow(greet)
	require.NoError(t, w.Start())
	t.Cleanup(w.Stop)
}

func run(t *testing.T, server *testenv.TemporalServer) string {
	t.Helper()
	c := dial(t, server)
	work(t, c)
	started, err := c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{TaskQueue: t.Name()}, greet)
	require.NoError(t, err)
	var got string
	require.NoError(t, started.Get(t.Context(), &got))
	return got
}

func execute(t *testing.T, url, statement string) {
	t.Helper()
	ctx := context.Background() // cleanups run after the test's own context
	conn, err := pgx.Connect(ctx, url)
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close(ctx)) }()
	_, err = conn.Exec(ctx, statement)
	require.NoError(t, err)
}
