package devserver

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

const (
	// BinaryName is the file name of the server's program.
	BinaryName = "docket-devstack"
	// BinaryEnv is the environment variable that names another place for it.
	BinaryEnv = "DOCKET_DEVSTACK"
)

// ErrNoBinary says that the server's binary is nowhere, and how to get it.
var ErrNoBinary = errors.New("the Temporal server's binary " + BinaryName + " is not built: run `make build` in Docket's clone, or `go install github.com/docket-psa/docket/devstack@latest` and name the result in $" + BinaryEnv)

// Find returns the binary next to this executable, else the one that $DOCKET_DEVSTACK names, else the one in bin/ of the clone
// that the working directory is in.
func Find(env func(string) string) (string, error) {
	if self, err := os.Executable(); err == nil {
		if self, err = filepath.EvalSymlinks(self); err == nil {
			if beside := filepath.Join(filepath.Dir(self), BinaryName); isFile(beside) {
				return beside, nil
			}
		}
	}
	if named := env(BinaryEnv); named != "" {
		if !isFile(named) {
			return "", fmt.Errorf("$%s names %s, which is no file: correct it or unset it", BinaryEnv, named)
		}
		return named, nil
	}
	root, err := ModuleRoot()
	if err != nil {
		return "", ErrNoBinary
	}
	if built := filepath.Join(root, "bin", BinaryName); isFile(built) {
		return built, nil
	}
	return "", ErrNoBinary
}

// ModuleRoot is the clone of Docket that the working directory is in.
func ModuleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find the working directory: %w", err)
	}
	for start := dir; ; dir = filepath.Dir(dir) {
		if isFile(filepath.Join(dir, "go.mod")) && isFile(filepath.Join(dir, "devstack", "go.mod")) {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("%s is in no clone of Docket", start)
		}
	}
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}
