package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// state is how other commands find what `docket up` runs. It holds passwords: mode 0600.
type state struct {
	PID         int       `json:"pid"`
	StartedAt   time.Time `json:"started_at"`
	DatabaseURL string    `json:"database_url"` // as the login of the desk
	OwnerURL    string    `json:"owner_url"`    // as the owner of the schema
	Temporal    string    `json:"temporal"`     // host:port
	Namespace   string    `json:"namespace"`
	UI          string    `json:"ui,omitempty"`
	Metrics     string    `json:"metrics,omitempty"`
}

var errNotRunning = errors.New("nothing to connect to: start Docket with `docket up` (or `make demo`), or set DATABASE_URL and TEMPORAL_ADDRESS to servers of your own")

func statePath(data string) string { return filepath.Join(data, "state.json") }

// readState gives what runs in the data directory; errNotRunning where nothing does.
func readState(data string) (state, error) {
	var s state
	raw, err := os.ReadFile(statePath(data))
	if errors.Is(err, fs.ErrNotExist) {
		return s, errNotRunning
	}
	if errors.Is(err, fs.ErrPermission) {
		return s, fmt.Errorf("`docket up` was started by another user: run this as that user, or set DATABASE_URL and TEMPORAL_ADDRESS: %w", err)
	}
	if err != nil {
		return s, fmt.Errorf("read what `docket up` runs: %w", err)
	}
	if err := json.Unmarshal(raw, &s); err != nil {
		return s, fmt.Errorf("read %s: %w", statePath(data), err)
	}
	if !alive(s.PID) {
		return s, errNotRunning
	}
	return s, nil
}

func writeState(data string, s state) error {
	raw, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return fmt.Errorf("write what runs: %w", err)
	}
	// Beside it and moved, so that nobody reads half of one.
	fresh := statePath(data) + ".new"
	if err := os.WriteFile(fresh, append(raw, '\n'), 0o600); err != nil {
		return fmt.Errorf("write what runs: %w", err)
	}
	if err := os.Rename(fresh, statePath(data)); err != nil {
		return fmt.Errorf("write what runs: %w", err)
	}
	return nil
}

// removeState takes away what this process wrote.
func removeState(data string) error {
	if s, err := readState(data); err != nil || s.PID != os.Getpid() {
		return nil // another's, or none: nothing to take away
	}
	return os.Remove(statePath(data))
}

func alive(pid int) bool {
	if pid <= 0 {
		return false
	}
	err := syscall.Kill(pid, 0)
	return err == nil || errors.Is(err, syscall.EPERM)
}
