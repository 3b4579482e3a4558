package pgdev

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/docket-psa/docket/internal/child"
)

const (
	dataName     = "data"
	passwordName = "password"
	halfMade     = "data.new" // an initdb that has not finished
	lockName     = "lock"

	// A socket's path ends at 107 bytes; PostgreSQL adds "/.s.PGSQL.65535.lock".
	longestSocketDir = 107 - len("/.s.PGSQL.65535.lock")
)

// directory is a cluster's place on disk, absolute and without symbolic links.
type directory struct{ path string }

func (d directory) data() string     { return filepath.Join(d.path, dataName) }
func (d directory) password() string { return filepath.Join(d.path, passwordName) }

// DefaultDir is where a cluster is kept between runs: for root a place that the server's account can reach too, for everybody else
// their own state directory.
func DefaultDir(env func(string) string) (string, error) {
	if os.Geteuid() == 0 {
		return "/var/lib/docket/postgres", nil
	}
	if state := env("XDG_STATE_HOME"); filepath.IsAbs(state) {
		return filepath.Join(state, "docket", "postgres"), nil
	}
	home := env("HOME")
	if !filepath.IsAbs(home) {
		return "", errors.New("no place for PostgreSQL's data: HOME is not set; set it, or name a directory")
	}
	return filepath.Join(home, ".local", "state", "docket", "postgres"), nil
}

// prepareDir makes the directory, or checks that an existing one is empty or a cluster of pgdev's.
func prepareDir(path string, acc account) (directory, error) {
	var err error
	if path == "" {
		path, err = os.MkdirTemp("", "docket-pg-")
	} else if path, err = filepath.Abs(path); err == nil {
		err = os.MkdirAll(path, 0o755)
	}
	if err == nil {
		path, err = filepath.EvalSymlinks(path)
	}
	if err != nil {
		return directory{}, fmt.Errorf("make the directory for PostgreSQL: %w", err)
	}
	d := directory{path}
	entries, err := os.ReadDir(path)
	if err != nil {
		return directory{}, fmt.Errorf("look into the directory for PostgreSQL: %w", err)
	}
	known := false
	for _, e := range entries {
		switch e.Name() {
		case dataName, passwordName, halfMade, lockName:
			known = true
		}
	}
	if len(entries) > 0 && !known {
		return directory{}, fmt.Errorf("the directory %s holds files of somebody else (%s, ...): choose an empty or new one for PostgreSQL", path, entries[0].Name())
	}
	if len(entries) > 0 {
		info, err := os.Stat(path)
		if err != nil {
			return directory{}, fmt.Errorf("look at the directory for PostgreSQL: %w", err)
		}
		if !acc.owns(info) {
			return directory{}, fmt.Errorf("the cluster in %s belongs to another user than %s, as whom PostgreSQL runs now: start Docket as the user who made it, or choose another directory", path, acc.name)
		}
	}
	if err := errors.Join(acc.own(path), os.Chmod(path, 0o700)); err != nil {
		return directory{}, fmt.Errorf("prepare the directory %s for user %s: %w", path, acc.name, err)
	}
	return d, nil
}

// version is the major version that made the cluster, 0 if there is none yet.
func (d directory) version() int {
	text, err := os.ReadFile(filepath.Join(d.data(), "PG_VERSION"))
	if err != nil {
		return 0
	}
	major, _ := strconv.Atoi(string(bytes.TrimSpace(text))) // 0 finds no programs, and initialise tells the rest
	return major
}

// initialise makes the cluster unless it exists, and returns the superuser's password. A cluster is made beside its final place and
// moved there when whole, so that an interrupted start leaves no half of one.
func (d directory) initialise(ctx context.Context, bin programs, acc account, durable bool) (string, error) {
	if _, err := os.Stat(d.data()); err == nil {
		password, err := os.ReadFile(d.password())
		if err != nil {
			return "", fmt.Errorf("read the password of the cluster in %s: %w", d.path, err)
		}
		return string(bytes.TrimSpace(password)), nil
	}
	password := rand.Text()
	fresh := filepath.Join(d.path, halfMade)
	err := errors.Join(
		os.RemoveAll(fresh),
		os.RemoveAll(d.password()),
		os.WriteFile(d.password(), []byte(password+"\n"), 0o600),
		acc.own(d.password()),
	)
	if err != nil {
		return "", fmt.Errorf("prepare the cluster in %s: %w", d.path, err)
	}
	args := []string{
		"--pgdata=" + fresh, "--username=" + superuser, "--pwfile=" + d.password(), "--auth=scram-sha-256",
		"--encoding=UTF8", "--locale=C.UTF-8", "--no-instructions",
	}
	if durable {
		args = append(args, "--data-checksums")
	} else {
		args = append(args, "--no-sync")
	}
	tail := &child.Tail{}
	cmd := acc.command(bin.initdb, args...)
	cmd.Dir = d.path
	cmd.Stdout, cmd.Stderr = tail, tail
	process, err := child.Start(cmd, syscall.SIGKILL)
	if err != nil {
		return "", err
	}
	select {
	case <-process.Done():
		err = process.Err()
	case <-ctx.Done():
		err = errors.Join(ctx.Err(), process.Kill())
	}
	if err != nil {
		return "", fmt.Errorf("make a PostgreSQL cluster in %s with %s: %w\n%s", d.path, bin.initdb, err, tail)
	}
	if err := os.Rename(fresh, d.data()); err != nil {
		return "", fmt.Errorf("put the new cluster in place: %w", err)
	}
	return password, nil
}

// socketDir is the cluster's directory if its path is short enough for a socket, else a short temporary one.
func (d directory) socketDir(acc account) (string, error) {
	if len(d.path) <= longestSocketDir {
		return d.path, nil
	}
	short, err := os.MkdirTemp("/tmp", "docket-pg-")
	if err == nil {
		err = acc.own(short)
	}
	if err != nil {
		return "", fmt.Errorf("make a short directory for PostgreSQL's socket: %w", err)
	}
	return short, nil
}
