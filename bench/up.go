package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/docket-psa/docket/internal/child"
)

const (
	upWithin   = 2 * time.Minute
	stopWithin = 30 * time.Second
)

// up is a running `docket up`, as other commands find it.
type up struct {
	DatabaseURL string `json:"database_url"`
	Temporal    string `json:"temporal"`
	Namespace   string `json:"namespace"`

	process *child.Process
	tail    *child.Tail
	now     func() time.Time
}

// up starts `docket up` on free ports, and returns when others can connect to what it runs.
func (o FootprintOptions) up(ctx context.Context, dir string, args ...string) (*up, error) {
	u := &up{tail: &child.Tail{}, now: o.Now}
	args = append([]string{"up", "--data", dir, "--temporal-port", "0", "--ui-port", "0", "--listen", "127.0.0.1:0"}, args...)
	cmd := exec.Command(o.Binary, args...)
	for _, kv := range os.Environ() {
		// Servers of somebody's own are not what is measured.
		if !strings.HasPrefix(kv, "DATABASE_URL=") && !strings.HasPrefix(kv, "TEMPORAL_") {
			cmd.Env = append(cmd.Env, kv)
		}
	}
	cmd.Stdout, cmd.Stderr = u.tail, u.tail
	var err error
	if u.process, err = child.Start(cmd, syscall.SIGTERM); err != nil {
		return nil, err
	}
	err = u.until(ctx, func() (bool, error) {
		raw, err := os.ReadFile(filepath.Join(dir, "state.json"))
		if errors.Is(err, os.ErrNotExist) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		return true, json.Unmarshal(raw, u)
	})
	if err != nil {
		return nil, errors.Join(err, u.stop(ctx))
	}
	return u, nil
}

// until waits for something that can only be looked at.
func (u *up) until(ctx context.Context, so func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, upWithin)
	defer cancel()
	look := time.NewTicker(lookEach)
	defer look.Stop()
	for {
		if is, err := so(); is || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("docket up did not get so far in %s: %w\n%s", upWithin, ctx.Err(), u.tail)
		case <-u.process.Done():
			return fmt.Errorf("docket up ended: %w\n%s", u.process.Err(), u.tail)
		case <-look.C:
		}
	}
}

// untilQuiet waits until its processes hardly use any CPU; at most for a minute, then it is as
// quiet as it gets.
func (u *up) untilQuiet(ctx context.Context) error {
	began := u.now()
	since := began
	before, err := cpuOf(u.process.PID())
	if err != nil {
		return err
	}
	return u.until(ctx, func() (bool, error) {
		now := u.now()
		if now.Sub(since) < quietFor {
			return false, nil
		}
		used, err := cpuOf(u.process.PID())
		idle := (used-before).Seconds()/now.Sub(since).Seconds() < quiet
		since, before = now, used
		return idle || now.Sub(began) > quietIn, err
	})
}

func (u *up) stop(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopWithin)
	defer cancel()
	return u.process.Stop(ctx, syscall.SIGINT, syscall.SIGKILL)
}
