package pgdev

import (
	"fmt"
	"os/exec"
	"strconv"
	"syscall"
)

// removeScript waits for its parent's end, which closes stdin, then up to 30 s for the server's, and removes the directory. The server removes
// its lock file last; one that was killed leaves the file, and may stay a zombie where nobody waits for orphans.
const removeScript = `cat >/dev/null
n=0
while [ -e "$2/data/postmaster.pid" ] && kill -0 "$1" 2>/dev/null && [ $n -lt 300 ]; do sleep 0.1; n=$((n+1)); done
rm -rf -- "$2"`

// removeAfterDeath leaves a process behind that removes the temporary directory when this process ends without Stop: tests have no hook
// at their binary's end, and a kill -9 leaves nobody else to do it.
func (c *Cluster) removeAfterDeath() error {
	cmd := exec.Command("/bin/sh", "-c", removeScript, "docket-pg-remover", strconv.Itoa(c.PID()), c.Dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Dir = "/"
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return fmt.Errorf("watch over the temporary directory %s: %w", c.Dir, err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("watch over the temporary directory %s: %w", c.Dir, err)
	}
	c.remover = func() error {
		_ = stdin.Close()
		return cmd.Wait()
	}
	return nil
}
