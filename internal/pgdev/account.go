package pgdev

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// account is the operating system's user that runs the server. PostgreSQL refuses to run as root.
type account struct {
	name string
	uid  int
	gid  int
	drop bool // this process is root and becomes the account for the server
}

// serverAccount is this process's own user, or for root "postgres" where that user exists, else "nobody".
func serverAccount() (account, error) {
	if os.Geteuid() != 0 {
		name := strconv.Itoa(os.Geteuid())
		if u, err := user.Current(); err == nil {
			name = u.Username
		}
		return account{name: name, uid: os.Geteuid(), gid: os.Getegid()}, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uerr := strconv.Atoi(u.Uid)
		gid, gerr := strconv.Atoi(u.Gid)
		if err := errors.Join(uerr, gerr); err != nil {
			return account{}, fmt.Errorf("read the ids of user %s: %w", name, err)
		}
		return account{name: name, uid: uid, gid: gid, drop: true}, nil
	}
	return account{}, errors.New("PostgreSQL cannot run as root, and neither user postgres nor nobody exists: run `useradd --system postgres`, or start Docket as an ordinary user")
}

// command runs a program as the account, with an environment that cannot change what PostgreSQL does.
func (a account) command(program string, args ...string) *exec.Cmd {
	cmd := exec.Command(program, args...)
	cmd.Env = []string{"PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8", "TZ=UTC", "HOME=/"}
	if a.drop {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(a.uid), Gid: uint32(a.gid)}}
	}
	return cmd
}

// own makes the account the owner of path.
func (a account) own(path string) error {
	if !a.drop {
		return nil
	}
	return os.Chown(path, a.uid, a.gid)
}

// reach checks that the account can enter dir and run the programs, by doing both. The usual obstacle: a clone or a home under /root,
// which nobody else may enter.
func (a account) reach(dir string, bin programs) error {
	if err := a.enter(dir, bin); err == nil {
		return nil
	}
	if err := a.enter("/", bin); err != nil {
		return fmt.Errorf("user %s cannot run %s: %w", a.name, bin.postgres, err)
	}
	for blocked := dir; ; blocked = filepath.Dir(blocked) {
		if err := a.enter(filepath.Dir(blocked), bin); err == nil {
			return fmt.Errorf("PostgreSQL runs as user %s, who cannot enter %s, so the directory %s is no place for it: choose one that this user can reach, such as /var/lib/docket", a.name, blocked, dir)
		}
	}
}

func (a account) enter(dir string, bin programs) error {
	cmd := a.command(bin.postgres, "-V")
	cmd.Dir = dir
	return cmd.Run()
}

// owns tells whether path belongs to the account.
func (a account) owns(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == a.uid
}
