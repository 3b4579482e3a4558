package testenv

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/internal/devserver"
)

// Devstack is the path of an up-to-date docket-devstack, for tests that start it themselves.
func Devstack(t testing.TB) string {
	t.Helper()
	binary, err := devstack()
	require.NoError(t, err)
	return binary
}

// devstack is the path of an up-to-date docket-devstack: the one that $DOCKET_DEVSTACK names, else bin/ of this clone, built when
// it is missing or older than its sources. A first build takes minutes.
var devstack = sync.OnceValues(func() (string, error) {
	if named := os.Getenv(devserver.BinaryEnv); named != "" {
		return named, nil
	}
	root, err := devserver.ModuleRoot()
	if err != nil {
		return "", fmt.Errorf("find the Temporal server's sources: %w", err)
	}
	binary := filepath.Join(root, "bin", devserver.BinaryName)
	if err := os.MkdirAll(filepath.Dir(binary), 0o755); err != nil {
		return "", fmt.Errorf("make the directory for the Temporal server's binary: %w", err)
	}
	unlock, err := lockFile(binary + ".lock") // `go test ./...` runs several test binaries at once
	if err != nil {
		return "", err
	}
	defer unlock()
	fresh, err := isFresh(binary, filepath.Join(root, "devstack"))
	if err != nil || fresh {
		return binary, err
	}
	return binary, build(root, binary)
})

// build writes beside the binary and moves it there: another test may be running the old one.
func build(root, binary string) error {
	_, _ = fmt.Fprintln(os.Stderr, "testenv: building the Temporal server; the first time takes minutes")
	cmd := exec.Command("go", "build", "-C", filepath.Join(root, "devstack"), "-buildvcs=false", "-ldflags=-s -w", "-o", binary+".new", ".")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build the Temporal server, as `make build` does: %w\n%s", err, out)
	}
	if err := os.Rename(binary+".new", binary); err != nil {
		return fmt.Errorf("put the Temporal server's binary in place: %w", err)
	}
	return nil
}

// isFresh tells whether the binary is newer than every file of its module.
func isFresh(binary, module string) (bool, error) {
	built, err := os.Stat(binary)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look at the Temporal server's binary: %w", err)
	}
	files, err := os.ReadDir(module)
	if err != nil {
		return false, fmt.Errorf("look at the Temporal server's sources: %w", err)
	}
	for _, f := range files {
		info, err := f.Info()
		if err != nil {
			return false, fmt.Errorf("look at the Temporal server's sources: %w", err)
		}
		if info.ModTime().After(built.ModTime()) {
			return false, nil
		}
	}
	return true, nil
}

func lockFile(path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("lock the Temporal server's binary: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		return nil, errors.Join(fmt.Errorf("lock the Temporal server's binary: %w", err), f.Close())
	}
	return func() { _ = f.Close() }, nil
}
