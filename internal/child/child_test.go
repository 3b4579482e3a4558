package child_test

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/internal/child"
)

// parentEnv makes this test binary play a parent: it starts a child, prints the child's id and waits.
const parentEnv = "DOCKET_CHILD_TEST_PARENT"

func TestMain(m *testing.M) {
	if os.Getenv(parentEnv) == "" {
		os.Exit(m.Run())
	}
	p, err := child.Start(exec.Command("sleep", "600"), syscall.SIGTERM)
	if err != nil {
		panic(err)
	}
	_, _ = os.Stdout.WriteString(strconv.Itoa(p.PID()) + "\n")
	<-p.Done()
}

func TestChildEndsWithAParentThatIsKilled(t *testing.T) {
	parent := exec.Command(os.Args[0])
	parent.Env = append(os.Environ(), parentEnv+"=1")
	out, err := parent.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, parent.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	require.NoError(t, err)

	require.NoError(t, parent.Process.Kill())
	require.Error(t, parent.Wait())
	require.Eventually(t, func() bool { return !alive(pid) }, 10*time.Second, 10*time.Millisecond)
}

func TestChildHasItsOwnProcessGroup(t *testing.T) {
	p := start(t, "sleep", "600")
	group, err := syscall.Getpgid(p.PID())
	require.NoError(t, err)
	require.Equal(t, p.PID(), group, "a terminal's Ctrl-C goes to the group of Docket alone")
}

func TestStopForcesAChildThatDoesNotListen(t *testing.T) {
	cmd := exec.Command("sh", "-c", "trap '' TERM; echo deaf; while :; do sleep 600; done")
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	p, err := child.Start(cmd, syscall.SIGKILL)
	require.NoError(t, err)
	_, err = bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, p.Stop(ctx, syscall.SIGTERM, syscall.SIGKILL), context.DeadlineExceeded)
	require.Error(t, p.Err())
}

func TestStoppingAnEndedChildIsNoError(t *testing.T) {
	p := start(t, "true")
	<-p.Done()
	require.NoError(t, p.Err())
	require.NoError(t, p.Stop(t.Context(), syscall.SIGTERM, syscall.SIGKILL))
	require.NoError(t, p.Kill())
}

func TestMissingProgramIsNamed(t *testing.T) {
	_, err := child.Start(exec.Command("/nowhere/program"), syscall.SIGTERM)
	require.ErrorContains(t, err, "/nowhere/program")
}

func TestTailKeepsWholeLastLines(t *testing.T) {
	var all strings.Builder
	tail := &child.Tail{Next: &all}
	for i := range 2000 {
		_, err := tail.Write([]byte("line " + strconv.Itoa(i) + "\n"))
		require.NoError(t, err)
	}
	lines := strings.Split(tail.String(), "\n")
	require.Equal(t, "line 1999", lines[len(lines)-1])
	require.Regexp(t, `^line \d+$`, lines[0])
	require.Len(t, strings.Split(strings.TrimSpace(all.String()), "\n"), 2000, "everything is passed on")
}

func start(t *testing.T, name string, args ...string) *child.Process {
	t.Helper()
	p, err := child.Start(exec.Command(name, args...), syscall.SIGTERM)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.Kill()) })
	return p
}

// alive is false for a process that has ended, even if nobody has waited for it yet.
func alive(pid int) bool {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return false
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(rest, "Z")
}
