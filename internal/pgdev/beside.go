package pgdev

import (
	"fmt"
	"os"
	"path/filepath"
)

// Beside finds a program that comes with the installed server, such as pgbench.
func Beside(name string) (string, error) {
	p, err := findPrograms(0)
	if err != nil {
		return "", err
	}
	path := filepath.Join(p.dir, name)
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("%s is not installed beside PostgreSQL's server (%s): run `apt-get install -y --no-install-recommends postgresql` as root", name, p.dir)
	}
	return path, nil
}
