package pgdev

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// ErrNotInstalled says that the machine has no PostgreSQL server programs, and the command that installs them.
var ErrNotInstalled = errors.New("PostgreSQL's server programs (initdb, postgres; version 15 or newer) are not installed: run `apt-get install -y --no-install-recommends postgresql` as root")

// oldestMajor has what Docket's schema needs: views with security_invoker.
const oldestMajor = 15

// programs are the executables of one installed version.
type programs struct {
	dir      string
	major    int
	initdb   string
	postgres string
}

// findPrograms returns the newest installed version, or the version of an existing cluster if major is not 0: PostgreSQL reads
// only its own major version's files.
func findPrograms(major int) (programs, error) {
	found := installed()
	if major != 0 {
		i := slices.IndexFunc(found, func(p programs) bool { return p.major == major })
		if i < 0 {
			return programs{}, fmt.Errorf("the cluster was made by PostgreSQL %d, which is not installed: run `apt-get install -y --no-install-recommends postgresql-%d` as root, or give another directory", major, major)
		}
		return found[i], nil
	}
	if len(found) == 0 || found[0].major < oldestMajor {
		return programs{}, ErrNotInstalled
	}
	return found[0], nil
}

// installed lists each version found on this machine once, the newest first.
func installed() []programs {
	var dirs []string
	if path, err := exec.LookPath("initdb"); err == nil {
		if real, err := filepath.EvalSymlinks(path); err == nil {
			dirs = append(dirs, filepath.Dir(real))
		}
	}
	if out, err := exec.Command("pg_config", "--bindir").Output(); err == nil {
		dirs = append(dirs, strings.TrimSpace(string(out)))
	}
	for _, pattern := range []string{"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/usr/local/pgsql/bin", "/usr/local/bin"} {
		matches, _ := filepath.Glob(pattern) // the only error is a bad pattern
		dirs = append(dirs, matches...)
	}
	var found []programs
	for _, dir := range dirs {
		p, ok := programsIn(dir)
		if ok && !slices.ContainsFunc(found, func(f programs) bool { return f.major == p.major }) {
			found = append(found, p)
		}
	}
	slices.SortStableFunc(found, func(a, b programs) int { return cmp.Compare(b.major, a.major) })
	return found
}

// version is what `postgres -V` says: "postgres (PostgreSQL) 15.14 (Debian ...)".
var version = regexp.MustCompile(`\(PostgreSQL\) (\d+)`)

func programsIn(dir string) (programs, bool) {
	p := programs{dir: dir, initdb: filepath.Join(dir, "initdb"), postgres: filepath.Join(dir, "postgres")}
	if _, err := os.Stat(p.initdb); err != nil {
		return programs{}, false
	}
	out, err := exec.Command(p.postgres, "-V").Output()
	if err != nil {
		return programs{}, false
	}
	m := version.FindSubmatch(out)
	if m == nil {
		return programs{}, false
	}
	p.major, err = strconv.Atoi(string(m[1]))
	return p, err == nil
}
