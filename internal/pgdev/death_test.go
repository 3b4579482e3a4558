package pgdev_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/internal/pgdev"
)

// parentEnv makes this test binary play a Docket: it starts a cluster in the directory that it holds (or "temporary"), prints
// the server's id and the directory, and waits.
const parentEnv = "DOCKET_PGDEV_TEST_PARENT"

func TestMain(m *testing.M) {
	dir := os.Getenv(parentEnv)
	if dir == "" {
		os.Exit(m.Run())
	}
	if dir == "temporary" {
		dir = ""
	}
	c, err := pgdev.Start(context.Background(), pgdev.Options{Dir: dir})
	if err != nil {
		panic(err)
	}
	fmt.Println(c.PID(), c.Dir)
	<-c.Done()
}

func TestKilledDocketTakesItsServerAlong(t *testing.T) {
	dir := reachableDir(t)
	pid, _ := startAndKillParent(t, dir)
	// The next start waits for the old server's end and goes on with its data.
	c := start(t, pgdev.Options{Dir: dir})
	require.NotEqual(t, pid, c.PID())
	require.False(t, alive(pid))
	require.Equal(t, "1", ask(t, c.URL(c.User, "postgres"), "SELECT '1'"))
}

func TestKilledDocketLeavesNoTemporaryDirectory(t *testing.T) {
	pid, dir := startAndKillParent(t, "temporary")
	require.Eventually(t, func() bool {
		_, err := os.Stat(dir)
		return !alive(pid) && errors.Is(err, fs.ErrNotExist)
	}, 20*time.Second, 20*time.Millisecond)
}

func startAndKillParent(t *testing.T, dir string) (pid int, at string) {
	t.Helper()
	parent := exec.Command(os.Args[0])
	parent.Env = append(os.Environ(), parentEnv+"="+dir)
	parent.Stderr = os.Stderr
	out, err := parent.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, parent.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	_, err = fmt.Sscan(line, &pid, &at)
	require.NoError(t, err)
	require.NoError(t, parent.Process.Kill())
	require.Error(t, parent.Wait())
	return pid, at
}

// alive is false for a process that has ended, even if nobody has waited for it yet: only then its command line is empty.
func alive(pid int) bool {
	args, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/cmdline")
	return err == nil && len(args) > 0
}
