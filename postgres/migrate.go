package postgres

import (
	"context"
	"embed"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrate brings the schema of the owner's database up to date, and gives the login role app
// the rights of staff. app "" leaves logins alone. Safe to repeat and to race.
func Migrate(ctx context.Context, ownerURL, app, password string) (applied int, err error) {
	cfg, err := pgx.ParseConfig(ownerURL)
	if err != nil {
		return 0, fmt.Errorf("read the owner's URL: %w", err)
	}
	db := stdlib.OpenDB(*cfg)
	defer func() { _ = db.Close() }()
	// One migration at a time: the lock is released with the connection.
	lock, err := db.Conn(ctx)
	if err != nil {
		return 0, fmt.Errorf("connect to migrate: %w", err)
	}
	defer func() { _ = lock.Close() }()
	if _, err := lock.ExecContext(ctx, "select pg_advisory_lock(hashtext('docket migrate'))"); err != nil {
		return 0, fmt.Errorf("wait for another migration: %w", err)
	}
	defer func() {
		_, _ = lock.ExecContext(context.WithoutCancel(ctx), "select pg_advisory_unlock(hashtext('docket migrate'))")
	}()

	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return 0, fmt.Errorf("read migrations: %w", err)
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, db, files)
	if err != nil {
		return 0, fmt.Errorf("read migrations: %w", err)
	}
	results, err := provider.Up(ctx)
	if err != nil {
		return 0, fmt.Errorf("migrate: %w", err)
	}
	if app == "" {
		return len(results), nil
	}
	role := pgx.Identifier{app}.Sanitize()
	var exists bool
	if err := lock.QueryRowContext(ctx, "select exists (select from pg_roles where rolname = $1)", app).Scan(&exists); err != nil {
		return 0, fmt.Errorf("look for role %s: %w", app, err)
	}
	statement := "create role"
	if exists {
		statement = "alter role"
	}
	var secret string
	if err := lock.QueryRowContext(ctx, "select quote_literal($1)", password).Scan(&secret); err != nil {
		return 0, fmt.Errorf("quote the password: %w", err)
	}
	if _, err := lock.ExecContext(ctx, fmt.Sprintf("%s %s login password %s; grant docket_staff to %s", statement, role, secret, role)); err != nil {
		return 0, fmt.Errorf("give %s the rights of staff: %w", app, err)
	}
	return len(results), nil
}
