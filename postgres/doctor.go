package postgres

import (
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// Finding is one thing that somebody should look at.
type Finding struct {
	Severity Severity `json:"severity"`
	What     string   `json:"what"`   // what it is about: T-1042, H-7, a setting
	AgeMS    int64    `json:"age_ms"` // for how long; 0: no matter of time
	Owner    string   `json:"owner"`  // person id or role whose turn it is
	Why      string   `json:"why"`    // what is wrong, one sentence
	Do       string   `json:"do"`     // the command or setting that helps
}

// Severity orders findings.
type Severity string

// The severities: data is at risk or nothing moves; somebody waits; worth knowing.
const (
	Critical Severity = "critical"
	Warning  Severity = "warning"
	Notice   Severity = "notice"
)

func (s Severity) rank() int { return slices.Index([]Severity{Critical, Warning, Notice}, s) }

// Patience is for how long something may stand still before the doctor tells of it.
type Patience struct {
	Start time.Duration // of a ticket that no run has begun; 0: 30 s
	Move  time.Duration // of a run that should act by itself; 0: 5 min
	Skew  time.Duration // between the clocks of the program and of the database; 0: 2 s
}

// Doctor looks for what stands still, runs out or is set wrongly, the worst first. Told-again
// pasts (event time) are left out: nobody waits for them.
func (s *Store) Doctor(ctx context.Context, p Patience) ([]Finding, error) {
	p.Start, p.Move, p.Skew = cmp.Or(p.Start, 30*time.Second), cmp.Or(p.Move, 5*time.Minute), cmp.Or(p.Skew, 2*time.Second)
	found := []Finding{}
	for _, look := range []func(context.Context, Patience) ([]Finding, error){s.lookAtServer, s.lookAtSchema, s.lookAtDesk, s.lookAtBlocks, s.lookAtNotices, s.lookAtPastPeriods} {
		more, err := look(ctx, p)
		if err != nil {
			return nil, err
		}
		found = append(found, more...)
	}
	slices.SortStableFunc(found, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Severity.rank(), b.Severity.rank()), cmp.Compare(b.AgeMS, a.AgeMS))
	})
	return found, nil
}

// settings that a promise rests on.
var settings = []struct {
	name     string
	wrong    []string
	severity Severity
	why      string
}{
	{"fsync", []string{"off"}, Critical, "an acknowledged ticket would not survive a crash of the machine"},
	{"full_page_writes", []string{"off"}, Critical, "a torn page would not be repaired after a crash"},
	{"synchronous_commit", []string{"off"}, Critical, "a closing that was acknowledged could be gone after a crash"},
	{"lock_timeout", []string{"0"}, Warning, "a closing could wait for a lock for ever"},
	{"idle_in_transaction_session_timeout", []string{"0"}, Warning, "a process that hangs would keep its locks"},
	{"client_connection_check_interval", []string{"0"}, Notice, "statements of a client that is gone run to their end"},
}

func (s *Store) lookAtServer(ctx context.Context, p Patience) ([]Finding, error) {
	var found []Finding
	for _, setting := range settings {
		var value string
		if err := s.pool.QueryRow(ctx, "select current_setting($1)", setting.name).Scan(&value); err != nil {
			return nil, fmt.Errorf("read setting %s: %w", setting.name, err)
		}
		if slices.Contains(setting.wrong, value) {
			found = append(found, Finding{
				Severity: setting.severity, What: setting.name, Owner: "operations", Why: setting.name + " is " + value + ": " + setting.why,
				Do: "set it in postgresql.conf or the connection's options, then `docket doctor` again",
			})
		}
	}
	var (
		clock   time.Time
		version int
	)
	before := s.now()
	if err := s.pool.QueryRow(ctx, "select clock_timestamp(), current_setting('server_version_num')::int").Scan(&clock, &version); err != nil {
		return nil, fmt.Errorf("ask the database for its clock: %w", err)
	}
	if skew := clock.Sub(before).Abs(); skew > p.Skew {
		found = append(found, Finding{
			Severity: Warning, What: "clock", AgeMS: skew.Milliseconds(), Owner: "operations",
			Why: fmt.Sprintf("the clocks of this machine and of the database are %s apart: work may seem to lie in the future", skew.Round(time.Millisecond)),
			Do:  "let both follow the same time servers (`timedatectl timesync-status`)",
		})
	}
	if version < 150000 {
		found = append(found, Finding{
			Severity: Warning, What: "PostgreSQL " + strconv.Itoa(version/10000), Owner: "operations",
			Why: "Docket is tested on PostgreSQL 15 and later", Do: "upgrade the server (docs/runbook.md)",
		})
	}
	return found, nil
}

// lookAtSchema compares the migrations that ran with those that this program has.
func (s *Store) lookAtSchema(ctx context.Context, _ Patience) ([]Finding, error) {
	names, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return nil, fmt.Errorf("list migrations: %w", err)
	}
	var latest, ran int64
	for _, name := range names {
		number, _, _ := strings.Cut(strings.TrimPrefix(name, "migrations/"), "_")
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("migration %s: name it NUMBER_NAME.sql: %w", name, err)
		}
		latest = max(latest, n)
	}
	if err := s.pool.QueryRow(ctx, "select coalesce(max(version_id), 0) from goose_db_version where is_applied").Scan(&ran); err != nil {
		return nil, fmt.Errorf("read the schema's version: %w", err)
	}
	f := Finding{Severity: Critical, What: "schema", Owner: "operations"}
	switch {
	case ran < latest:
		f.Why, f.Do = fmt.Sprintf("the schema is at version %d, this program needs %d", ran, latest), "`docket migrate`"
	case ran > latest:
		f.Why, f.Do = fmt.Sprintf("the schema is at version %d, this program knows %d: it is older than the database", ran, latest), "run the newer program"
	default:
		return nil, nil
	}
	return []Finding{f}, nil
}

func (s *Store) lookAtDesk(ctx context.Context, p Patience) ([]Finding, error) {
	var found []Finding
	for _, look := range []struct {
		severity Severity
		sql      string
		args     []any
	}{
		{Critical, notStarted, []any{p.Start}},
		{Critical, notMoving, []any{p.Move}},
		{Warning, overdueHolds, []any{p.Move}},
		{Warning, escalatedHolds, []any{p.Move}},
		{Warning, openDisputes, nil},
		{Warning, proposed, []any{p.Move}},
		{Warning, breached, nil},
		{Warning, unassigned, []any{p.Move}},
	} {
		rows, err := s.pool.Query(ctx, look.sql, append([]any{s.now()}, look.args...)...)
		if err != nil {
			return nil, fmt.Errorf("look at the desk: %w", err)
		}
		more, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (Finding, error) {
			f := Finding{Severity: look.severity}
			err := row.Scan(&f.What, &f.AgeMS, &f.Owner, &f.Why, &f.Do)
			return f, err
		})
		if err != nil {
			return nil, fmt.Errorf("look at the desk: %w", err)
		}
		found = append(found, more...)
	}
	return found, nil
}
