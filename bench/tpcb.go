package bench

import (
	"context"
	"fmt"
	"io"
	"os/exec"
	"regexp"
	"strconv"
	"time"

	"github.com/docket-psa/docket/internal/pgdev"
)

// tpcb is pgbench's TPC-B, in a database of its own beside what is measured.
type tpcb struct {
	url         string
	connections int
	phase       time.Duration
	scale       int
}

// yardstickDatabase is the database of pgbench.
const yardstickDatabase = "yardstick"

// roomy is what both sides get of PostgreSQL: pgbench's tables do not fit into Docket's defaults, which are for a small house.
var roomy = map[string]string{"shared_buffers": "512MB", "max_wal_size": "4GB"}

func (y tpcb) fill(ctx context.Context, progress io.Writer) error {
	pgbench, err := pgdev.Beside("pgbench")
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(progress, "filling pgbench at scale %d …\n", y.scale)
	if out, err := exec.CommandContext(ctx, pgbench, "-i", "-q", "-s", strconv.Itoa(y.scale), y.url).CombinedOutput(); err != nil {
		return fmt.Errorf("pgbench -i: %w: %s", err, out)
	}
	return nil
}

var tps = regexp.MustCompile(`tps = ([0-9.]+)`)

// run gives transactions a second.
func (y tpcb) run(ctx context.Context) (float64, error) {
	pgbench, err := pgdev.Beside("pgbench")
	if err != nil {
		return 0, err
	}
	run := exec.CommandContext(ctx, pgbench, "-n", "-M", "prepared", "-c", strconv.Itoa(y.connections), "-j", "2",
		"-T", strconv.Itoa(max(1, int(y.phase.Seconds()))), y.url)
	out, err := run.CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("pgbench: %w: %s", err, out)
	}
	found := tps.FindSubmatch(out)
	if found == nil {
		return 0, fmt.Errorf("pgbench said no tps: %s", out)
	}
	return strconv.ParseFloat(string(found[1]), 64)
}
