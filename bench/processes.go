package bench

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// tick is the unit of CPU times in /proc: USER_HZ, 100 a second on every Linux that Go runs on.
const tick = 10 * time.Millisecond

// process is one line of /proc/PID/stat.
type process struct {
	pid, parent int
	cpu         time.Duration // its own and that of its ended children that it has waited for
}

// readProcess reads one process; false where it has ended.
func readProcess(pid int) (process, bool, error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if gone(err) {
		return process{}, false, nil
	}
	if err != nil {
		return process{}, false, err
	}
	// The name, in brackets, may hold blanks and brackets itself: count from its end.
	_, rest, ok := bytes.Cut(raw[bytes.LastIndexByte(raw, ')'):], []byte(" "))
	fields := strings.Fields(string(rest))
	const parent, utime, stime, cutime, cstime = 1, 11, 12, 13, 14 // proc(5), from the state on
	if !ok || len(fields) <= cstime {
		return process{}, false, fmt.Errorf("/proc/%d/stat reads otherwise than proc(5) says: %q", pid, raw)
	}
	p := process{pid: pid}
	if p.parent, err = strconv.Atoi(fields[parent]); err != nil {
		return p, false, err
	}
	for _, i := range []int{utime, stime, cutime, cstime} {
		n, err := strconv.ParseInt(fields[i], 10, 64)
		if err != nil {
			return p, false, err
		}
		p.cpu += time.Duration(n) * tick
	}
	return p, true, nil
}

// table is every process of the machine, by its parent.
type table map[int][]process

func readTable() (table, error) {
	paths, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return nil, err
	}
	all := table{}
	for _, path := range paths {
		pid, err := strconv.Atoi(filepath.Base(path))
		if err != nil {
			continue
		}
		p, ok, err := readProcess(pid)
		if err != nil {
			return nil, err
		}
		if ok {
			all[p.parent] = append(all[p.parent], p)
		}
	}
	return all, nil
}

// family is the process and all its descendants.
func (t table) family(root int) []process {
	var all []process
	for _, siblings := range t {
		for _, p := range siblings {
			if p.pid == root {
				all = append(all, p)
			}
		}
	}
	for i := 0; i < len(all); i++ {
		all = append(all, t[all[i].pid]...)
	}
	return all
}

// cpu is the CPU time, user and system, of the process, its descendants, and those of them that
// have ended and been waited for.
func (t table) cpu(root int) time.Duration {
	var total time.Duration
	for _, p := range t.family(root) {
		total += p.cpu
	}
	return total
}

// cpuOf is table.cpu of now.
func cpuOf(root int) (time.Duration, error) {
	t, err := readTable()
	return t.cpu(root), err
}

// Memory is what processes of one name hold, each page shared with others by its share (PSS).
type Memory struct {
	Process   string `json:"process"`
	Processes int    `json:"processes"`
	PSSKB     int64  `json:"pss_kb"`
}

// memoryOf gives the memory of the process and its descendants, by name, the largest first.
func memoryOf(root int) ([]Memory, error) {
	t, err := readTable()
	if err != nil {
		return nil, err
	}
	byName := map[string]*Memory{}
	for _, p := range t.family(root) {
		kb, ok, err := pss(p.pid)
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		name := title(p.pid)
		if byName[name] == nil {
			byName[name] = &Memory{Process: name}
		}
		byName[name].Processes++
		byName[name].PSSKB += kb
	}
	var sums []Memory
	for _, m := range byName {
		sums = append(sums, *m)
	}
	slices.SortFunc(sums, func(a, b Memory) int { return int(b.PSSKB - a.PSSKB) })
	return sums, nil
}

// pss is a process's proportional set size in kB; false where it has ended.
func pss(pid int) (int64, bool, error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if gone(err) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, fmt.Errorf("read the memory of process %d: %w", pid, err)
	}
	value, err := field(bytes.NewReader(raw), "Pss")
	if err != nil || value == "" {
		return 0, false, err
	}
	kb, err := strconv.ParseInt(strings.TrimSuffix(value, " kB"), 10, 64)
	return kb, err == nil, err
}

// title is what a process calls itself: "docket", "postgres: docket_desk docket".
func title(pid int) string {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil {
		return "ended"
	}
	return titleOf(raw)
}

func titleOf(cmdline []byte) string {
	first, _, _ := bytes.Cut(cmdline, []byte{0})
	said := string(bytes.TrimSpace(first))
	if !strings.HasPrefix(said, "postgres: ") {
		return filepath.Base(said)
	}
	// "postgres: CLUSTER: USER DATABASE ADDRESS STATE" of a session, "postgres: CLUSTER: checkpointer" of a servant.
	words := strings.Fields(strings.TrimPrefix(said, "postgres: "))
	if len(words) > 1 && strings.HasSuffix(words[0], ":") {
		words = words[1:]
	}
	if len(words) > 2 && words[1] != "replication" && strings.ContainsAny(words[2], "0123456789[") {
		words = words[:2]
	}
	return "postgres: " + strings.Join(words, " ")
}

// gone says that a process ended while it was read.
func gone(err error) bool { return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) }
