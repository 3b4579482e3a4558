package bench

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"time"

	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"github.com/docket-psa/docket/internal/pgdev"
)

// Machine is what the figures were measured on. It names no host.
type Machine struct {
	Cores      int    `json:"cores"`
	CPU        string `json:"cpu"`
	MemoryMB   int64  `json:"memory_mb"`
	OS         string `json:"os"`
	Go         string `json:"go"`
	PostgreSQL string `json:"postgresql"`
	Temporal   string `json:"temporal,omitempty"` // empty where no bench started it
}

// ThisMachine reads what Linux says of the machine, and the version of the installed PostgreSQL.
func ThisMachine(ctx context.Context) (Machine, error) {
	m := Machine{Cores: runtime.NumCPU(), OS: runtime.GOOS + "/" + runtime.GOARCH, Go: runtime.Version()}
	var err error
	if m.CPU, err = procField("/proc/cpuinfo", "model name"); err != nil {
		return m, err
	}
	memory, err := procField("/proc/meminfo", "MemTotal")
	if err != nil {
		return m, err
	}
	if kb, err := strconv.ParseInt(strings.TrimSuffix(memory, " kB"), 10, 64); err == nil {
		m.MemoryMB = kb >> 10
	}
	program, err := pgdev.Beside("postgres")
	if err != nil {
		return m, err
	}
	said, err := exec.CommandContext(ctx, program, "--version").Output()
	if err != nil {
		return m, fmt.Errorf("ask PostgreSQL for its version: %w", err)
	}
	m.PostgreSQL = strings.TrimSpace(strings.TrimPrefix(string(said), "postgres (PostgreSQL) "))
	return m, nil
}

// temporalVersion asks the server which it is.
func temporalVersion(ctx context.Context, c client.Client) (string, error) {
	info, err := c.WorkflowService().GetClusterInfo(ctx, &workflowservice.GetClusterInfoRequest{})
	if err != nil {
		return "", fmt.Errorf("ask Temporal for its version: %w", err)
	}
	return info.GetServerVersion(), nil
}

// procField gives the value of the first line "name: value"; empty where the file has none.
func procField(path, name string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("read what machine this is: %w", err)
	}
	defer func() { _ = f.Close() }()
	return field(f, name)
}

func field(r io.Reader, name string) (string, error) {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		if key, value, ok := strings.Cut(lines.Text(), ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value), nil
		}
	}
	return "", lines.Err()
}

// busy is the CPU time that the whole machine has spent on anything since it started.
func busy() (time.Duration, error) {
	raw, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, fmt.Errorf("read how busy the machine is: %w", err)
	}
	first, _, _ := strings.Cut(string(raw), "\n")
	fields := strings.Fields(first)
	const user, nice, system, irq, softirq = 1, 2, 3, 6, 7 // proc(5)
	if len(fields) <= softirq || fields[0] != "cpu" {
		return 0, fmt.Errorf("/proc/stat reads otherwise than proc(5) says: %q", first)
	}
	var total time.Duration
	for _, i := range []int{user, nice, system, irq, softirq} {
		n, err := strconv.ParseInt(fields[i], 10, 64)
		if err != nil {
			return 0, err
		}
		total += time.Duration(n) * tick
	}
	return total, nil
}
