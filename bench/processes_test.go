package bench

import (
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestCPUCountsEndedChildren(t *testing.T) {
	before, err := cpuOf(os.Getpid())
	require.NoError(t, err)
	child := exec.Command("sh", "-c", "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done")
	require.NoError(t, child.Run())
	spent := child.ProcessState.UserTime() + child.ProcessState.SystemTime()
	after, err := cpuOf(os.Getpid())
	require.NoError(t, err)
	require.GreaterOrEqual(t, after-before, spent-2*tick, "a child that ended and was waited for counts")
}

func TestCPUCountsLivingChildren(t *testing.T) {
	child := exec.Command("sh", "-c", "while :; do :; done")
	require.NoError(t, child.Start())
	t.Cleanup(func() {
		require.NoError(t, child.Process.Kill())
		_ = child.Wait() // it was killed
	})
	before, err := cpuOf(child.Process.Pid)
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		own, err := cpuOf(child.Process.Pid)
		require.NoError(t, err)
		whole, err := cpuOf(os.Getpid())
		require.NoError(t, err)
		return own > before && whole >= own
	}, 30*time.Second, tick)
}

func TestMemoryIsSummedByName(t *testing.T) {
	child := exec.Command("sleep", "60")
	require.NoError(t, child.Start())
	t.Cleanup(func() {
		require.NoError(t, child.Process.Kill())
		_ = child.Wait() // it was killed
	})
	require.Eventually(t, func() bool { // until it has become `sleep`
		all, err := memoryOf(os.Getpid())
		require.NoError(t, err)
		for _, m := range all {
			if m.Process == "sleep" {
				return m.Processes == 1 && m.PSSKB > 0
			}
		}
		return false
	}, 30*time.Second, tick)
}

func TestTitles(t *testing.T) {
	for said, want := range map[string]string{
		"/usr/lib/postgresql/15/bin/postgres":                       "postgres",
		"postgres: docket: docket_desk docket 127.0.0.1(4711) idle": "postgres: docket_desk docket",
		"postgres: docket: temporal temporal [local] BIND":          "postgres: temporal temporal",
		"postgres: docket: background writer ":                      "postgres: background writer",
		"postgres: docket: checkpointer performing something":       "postgres: checkpointer performing something",
		"bin/docket": "docket",
	} {
		require.Equal(t, want, titleOf([]byte(said+"\x00up\x00")), said)
	}
}
