// Package child starts the programs that Docket runs beside itself, so that none outlives it.
//
// It owns a child's life: its own process group (a terminal's Ctrl-C reaches only Docket, which then stops its children in order), a signal
// at the parent's death however it died, and an orderly stop. It does not own what a child runs or says.
package child

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// pipeGrace is how long output is still read after the child has ended, when processes of its own keep the pipe open.
const pipeGrace = 5 * time.Second

// Process is a started child.
type Process struct {
	cmd  *exec.Cmd
	done chan struct{}
	err  error // set before done closes
}

// Start starts cmd. When this process dies, even by kill -9, the child receives onDeath. Credentials, environment and output are
// the caller's to set.
func Start(cmd *exec.Cmd, onDeath syscall.Signal) (*Process, error) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid = true
	cmd.SysProcAttr.Pdeathsig = onDeath
	if cmd.WaitDelay == 0 {
		cmd.WaitDelay = pipeGrace
	}
	p := &Process{cmd: cmd, done: make(chan struct{})}
	started := make(chan error)
	go func() {
		// The kernel sends the signal when the starting thread ends, so that thread must live as long as the child.
		runtime.LockOSThread()
		err := cmd.Start()
		started <- err
		if err != nil {
			return
		}
		p.err = cmd.Wait()
		close(p.done)
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", cmd.Path, err)
	}
	return p, nil
}

// PID is the child's process id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Done closes when the child has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Err is how the child ended, nil for exit code 0. It is meaningful after Done.
func (p *Process) Err() error { return p.err }

// Stop sends the signal and waits for the child's end. When ctx ends first, it sends the second signal, waits for that end, and returns
// the error of ctx. It returns nil if the child has ended already, by itself or by an earlier Stop.
func (p *Process) Stop(ctx context.Context, sig, atTimeout syscall.Signal) error {
	if err := p.signal(sig); err != nil {
		return err
	}
	select {
	case <-p.done:
		return nil
	case <-ctx.Done():
	}
	if err := p.signal(atTimeout); err != nil {
		return err
	}
	<-p.done
	return fmt.Errorf("%s (pid %d) did not stop in time and was ended by force: %w", p.cmd.Path, p.PID(), ctx.Err())
}

// Kill ends the child at once, as a crash would, and waits for its end.
func (p *Process) Kill() error {
	if err := p.signal(syscall.SIGKILL); err != nil {
		return err
	}
	<-p.done
	return nil
}

func (p *Process) signal(sig syscall.Signal) error {
	err := p.cmd.Process.Signal(sig)
	if err == nil || errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	return fmt.Errorf("send %s to %s (pid %d): %w", sig, p.cmd.Path, p.PID(), err)
}
