package e2e_test

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"

	"github.com/docket-psa/docket/activities"
	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/internal/child"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/ticket"
	"github.com/docket-psa/docket/worker"
)

// workerEnv makes this test binary a worker, described by its value, a job.
const workerEnv = "DOCKET_E2E_WORKER"

// job is what a worker process is told.
type job struct {
	Database    string `json:"database"`
	Temporal    string `json:"temporal"`
	Namespace   string `json:"namespace"`
	StopClosing bool   `json:"stop_closing"` // the first closing stops between its commit and its acknowledgement
	Steps       string `json:"steps"`        // a file: each ticket stops at a step of its own, see stopping
	StopAfter   int64  `json:"stop_after"`   // ticket: the ones that follow it stop
}

// What a worker process says on its standard output, and is told on its standard input.
const (
	saysReady     = "ready"
	saysCommitted = "committed"
	goOn          = "go on\n"
)

func TestMain(m *testing.M) {
	if described, is := os.LookupEnv(workerEnv); is {
		if err := work(described); err != nil {
			_, _ = fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	for name, value := range map[string]string{
		"test.parallel": "6",  // most of these tests wait most of the time, for timeouts of Temporal's
		"rapid.checks":  "30", // a story is some thirty transactions
	} { // those of the command line still win
		if err := flag.Set(name, value); err != nil {
			_, _ = fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

// work is a worker process's whole life: the real worker over the real store.
func work(described string) error {
	var j job
	if err := json.Unmarshal([]byte(described), &j); err != nil {
		return fmt.Errorf("read $%s: %w", workerEnv, err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	store, err := postgres.Open(ctx, j.Database, postgres.Options{Now: time.Now})
	if err != nil {
		return err
	}
	defer store.Disconnect()
	c, err := client.DialContext(ctx, client.Options{
		HostPort: j.Temporal, Namespace: j.Namespace,
		Logger: log.NewStructuredLogger(slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))),
	})
	if err != nil {
		return fmt.Errorf("connect to Temporal at %s: %w", j.Temporal, err)
	}
	defer c.Close()
	deps := worker.Deps{Desk: store, Ledger: store}
	if j.StopClosing {
		deps.Ledger = &stopped{Ledger: store, commands: bufio.NewReader(os.Stdin)}
	}
	fmt.Println(saysReady)
	if j.Steps != "" {
		return workStopping(ctx, c, deps, j)
	}
	return worker.Run(ctx, c, deps)
}

// stopped is a ledger whose first closing stops after its commit, until the test lets it go on.
type stopped struct {
	activities.Ledger
	commands *bufio.Reader
	once     sync.Once
}

func (s *stopped) Close(ctx context.Context, id ticket.ID, round int, m ticket.Resolve) (billing.Receipt, error) {
	receipt, err := s.Ledger.Close(ctx, id, round, m)
	s.once.Do(func() {
		fmt.Println(saysCommitted)
		_, _ = s.commands.ReadString('\n') // at its end there is no test to wait for any more
	})
	return receipt, err
}

// crew is a worker process as a test sees it.
type crew struct {
	*child.Process
	t     testing.TB
	said  chan string
	stdin io.WriteCloser
}

// work starts a worker process, which is killed after the test at the latest.
func (h *house) work() *crew { return h.start(job{}) }

// workThatStopsClosing starts one whose first closing stops after its commit.
func (h *house) workThatStopsClosing() *crew { return h.start(job{StopClosing: true}) }

func (h *house) start(j job) *crew {
	h.t.Helper()
	j.Database, j.Temporal, j.Namespace = h.url, h.server.Address, h.server.Namespace
	described, err := json.Marshal(j)
	require.NoError(h.t, err)
	self, err := os.Executable()
	require.NoError(h.t, err)
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), workerEnv+"="+string(described))
	last := &child.Tail{}
	cmd.Stderr = last
	w := &crew{t: h.t, said: make(chan string, 16)}
	w.stdin, err = cmd.StdinPipe()
	require.NoError(h.t, err)
	stdout, err := cmd.StdoutPipe()
	require.NoError(h.t, err)
	w.Process, err = child.Start(cmd, syscall.SIGKILL)
	require.NoError(h.t, err)
	go func() {
		for lines := bufio.NewScanner(stdout); lines.Scan(); {
			w.said <- lines.Text()
		}
	}()
	h.t.Cleanup(func() {
		w.kill9()
		if h.t.Failed() {
			h.t.Logf("worker %d said last:\n%s", w.PID(), last)
		}
	})
	w.await(saysReady)
	return w
}

// await waits for the worker to say it.
func (w *crew) await(what string) {
	w.t.Helper()
	select {
	case got := <-w.said:
		require.Equal(w.t, what, got)
	case <-w.Done():
		require.FailNow(w.t, "the worker has ended", "%v", w.Err())
	case <-time.After(patience):
		require.FailNow(w.t, "the worker did not come to it in time", what)
	}
}

// kill9 ends the worker as a crash does.
func (w *crew) kill9() {
	w.t.Helper()
	require.NoError(w.t, w.Kill())
}

// goOn lets a stopped closing go on.
func (w *crew) goOn() {
	w.t.Helper()
	_, err := io.WriteString(w.stdin, goOn)
	require.NoError(w.t, err)
}
