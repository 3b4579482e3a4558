package pgdev

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// leftoversTimeout is how long the processes of an earlier start may take to notice that it is over.
const leftoversTimeout = 20 * time.Second

// RunningError says that the directory's cluster is in use.
type RunningError struct {
	Dir string
	PID int // of the server, 0 while it is only starting
}

func (e *RunningError) Error() string {
	return fmt.Sprintf("PostgreSQL already runs in %s (pid %d): stop the Docket that started it, or choose another directory", e.Dir, e.PID)
}

// lock makes this process the only one that starts the cluster. The kernel releases it when the process ends, however it ends.
func (d directory) lock() (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(d.path, lockName), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock the directory for PostgreSQL: %w", err)
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil {
		return f, nil
	}
	_ = f.Close()
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, &RunningError{Dir: d.path, PID: d.postmaster().pid}
	}
	return nil, fmt.Errorf("lock the directory %s for PostgreSQL: %w", d.path, err)
}

// postmaster is what PostgreSQL's own lock file, data/postmaster.pid, says of the server that wrote it; zero without one.
type postmaster struct {
	pid    int
	memory string // id of the System V segment that each of its processes attaches
}

func (d directory) postmaster() postmaster {
	text, err := os.ReadFile(filepath.Join(d.data(), "postmaster.pid"))
	if err != nil {
		return postmaster{}
	}
	lines := strings.Split(string(text), "\n")
	pid, _ := strconv.Atoi(lines[0]) // 0 in a file cut short
	pm := postmaster{pid: pid}
	const keyAndID = 6 // the seventh line
	if len(lines) > keyAndID {
		if fields := strings.Fields(lines[keyAndID]); len(fields) == 2 {
			pm.memory = fields[1]
		}
	}
	return pm
}

// runs tells whether the process is a server on this data, by its command line, which every user may read.
func (p postmaster) runs(data string) bool {
	args, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", p.pid))
	return err == nil && bytes.Contains(args, []byte("\x00"+data+"\x00"))
}

// attached tells whether any process still has the server's shared memory: its sessions outlive a killed server for a moment.
func (p postmaster) attached() bool {
	table, err := os.ReadFile("/proc/sysvipc/shm")
	if err != nil || p.memory == "" {
		return false // then PostgreSQL's own check decides
	}
	for line := range strings.Lines(string(table)) {
		const id, attachments = 1, 6
		if f := strings.Fields(line); len(f) > attachments && f[id] == p.memory {
			return f[attachments] != "0"
		}
	}
	return false
}

// waitUntilFree returns when no process of an earlier start uses the data: a server that is shutting down because its parent died,
// or the sessions of one that was killed, beside which PostgreSQL refuses to start.
func (d directory) waitUntilFree(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, leftoversTimeout)
	defer cancel()
	tick := time.NewTicker(readyPoll)
	defer tick.Stop()
	for {
		pm := d.postmaster()
		runs, attached := pm.runs(d.data()), pm.attached()
		if pm.pid == 0 {
			return nil
		}
		if !runs && !attached {
			return d.removeStaleLock()
		}
		select {
		case <-ctx.Done():
			if runs {
				return &RunningError{Dir: d.path, PID: pm.pid}
			}
			return fmt.Errorf("sessions of a PostgreSQL that was killed (pid %d) still use %s: end them, then start again: %w", pm.pid, d.data(), ctx.Err())
		case <-tick.C:
		}
	}
}

// removeStaleLock removes the lock file of a killed server. PostgreSQL does that itself, unless another process of the same account has got
// the same id since, as happens after a restart of the machine.
func (d directory) removeStaleLock() error {
	err := os.Remove(filepath.Join(d.data(), "postmaster.pid"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove the lock file of a PostgreSQL that was killed: %w", err)
	}
	return nil
}
