package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/blang/semver/v4"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/log"
	"go.temporal.io/server/common/persistence/sql/sqlplugin/postgresql"
	schemaversion "go.temporal.io/server/schema/postgresql/v12"
	"go.temporal.io/server/tools/common/schema"
	sqltool "go.temporal.io/server/tools/sql"
)

const connectTimeout = 10 * time.Second

// prepareSchema brings both databases to the schema of this server: creates what is missing, upgrades what is older.
func prepareSchema(ctx context.Context, o options, logger log.Logger) error {
	stores := []struct{ database, schema, version string }{
		{o.postgres.database, "postgresql/v12/temporal", schemaversion.Version},
		{o.postgres.visibilityDatabase(), "postgresql/v12/visibility", schemaversion.VisibilityVersion},
	}
	for _, s := range stores {
		if err := createDatabase(ctx, o.postgres, s.database); err != nil {
			return err
		}
		if err := clearUnfinishedSetup(ctx, o.postgres, s.database); err != nil {
			return err
		}
		if err := ensureSchema(o.postgres, s.database, s.schema, s.version, logger); err != nil {
			return fmt.Errorf("schema %s in database %q: %w", s.schema, s.database, err)
		}
	}
	return nil
}

// createDatabase creates the database unless it exists, connected to "postgres" as every cluster has it.
func createDatabase(ctx context.Context, p postgresOptions, database string) error {
	existing, err := connect(ctx, p, database)
	if err == nil {
		return existing.Close(ctx)
	}
	const invalidCatalogName = "3D000"
	var refused *pgconn.PgError
	if !errors.As(err, &refused) || refused.Code != invalidCatalogName {
		return unreachable(p, err)
	}
	admin, err := connect(ctx, p, "postgres")
	if err != nil {
		return unreachable(p, err)
	}
	defer func() { _ = admin.Close(ctx) }()
	if _, err := admin.Exec(ctx, "CREATE DATABASE "+pgx.Identifier{database}.Sanitize()); err != nil {
		return fmt.Errorf("create database %q as -postgres-user %s: %w", database, p.user, err)
	}
	return nil
}

func unreachable(p postgresOptions, err error) error {
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		return fmt.Errorf("-postgres-addr %s refuses -postgres-user %s: %s (the password is read from $%s)", p.addr, p.user, refused.Message, passwordEnv)
	}
	return fmt.Errorf("cannot reach PostgreSQL at -postgres-addr %s: start it there, or give its address: %w", p.addr, err)
}

// clearUnfinishedSetup empties a database whose very first setup was cut off. The setup makes its version table first and writes
// its one row last, and no server starts without that row: so the table without a row holds nothing that anybody wrote.
func clearUnfinishedSetup(ctx context.Context, p postgresOptions, database string) error {
	db, err := connect(ctx, p, database)
	if err != nil {
		return unreachable(p, err)
	}
	defer func() { _ = db.Close(ctx) }()
	var versioned bool
	if err := db.QueryRow(ctx, "SELECT to_regclass('schema_version') IS NOT NULL").Scan(&versioned); err != nil {
		return fmt.Errorf("look for the schema version in database %q: %w", database, err)
	}
	if !versioned {
		return nil
	}
	var rows int
	if err := db.QueryRow(ctx, "SELECT count(*) FROM schema_version").Scan(&rows); err != nil {
		return fmt.Errorf("read the schema version in database %q: %w", database, err)
	}
	if rows > 0 {
		return nil
	}
	if _, err := db.Exec(ctx, "DROP SCHEMA public CASCADE; CREATE SCHEMA public"); err != nil {
		return fmt.Errorf("clear the unfinished setup of database %q: %w", database, err)
	}
	return nil
}

// connect is without TLS, as the server's own connections are.
func connect(ctx context.Context, p postgresOptions, database string) (*pgx.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	target := url.URL{Scheme: "postgres", User: url.UserPassword(p.user, p.password), Host: p.addr, Path: "/" + database, RawQuery: "sslmode=disable"}
	return pgx.Connect(ctx, target.String())
}

// ensureSchema applies the whole schema to an empty database, or the missing versions to an older one. A newer one is left
// alone: the server itself judges whether it can work with it.
func ensureSchema(p postgresOptions, database, name, version string, logger log.Logger) error {
	db, err := sqltool.NewConnection(sqlStore(p, database), logger)
	if err != nil {
		return err
	}
	defer db.Close()
	current, err := db.ReadSchemaVersion()
	if err != nil { // no version table, so an empty database
		return schema.NewSetupSchemaTask(db, &schema.SetupConfig{SchemaName: name, InitialVersion: version}, logger).Run()
	}
	older, err := isOlder(current, version)
	if err != nil || !older {
		return err
	}
	return schema.NewUpdateSchemaTask(db, &schema.UpdateConfig{SchemaName: name}, logger).Run()
}

func isOlder(current, wanted string) (bool, error) {
	have, err := semver.ParseTolerant(current)
	if err != nil {
		return false, fmt.Errorf("version %q: %w", current, err)
	}
	want, err := semver.ParseTolerant(wanted)
	if err != nil {
		return false, fmt.Errorf("version %q: %w", wanted, err)
	}
	return have.LT(want), nil
}

// sqlStore is the server's own description of a database. Each of the four services opens a pool of its own, and each connection is a
// process of PostgreSQL with a few megabytes: those of a busy hour do not stay for a quiet one.
func sqlStore(p postgresOptions, database string) *config.SQL {
	return &config.SQL{
		PluginName:      postgresql.PluginNamePGX,
		User:            p.user,
		Password:        p.password,
		DatabaseName:    database,
		ConnectAddr:     p.addr,
		ConnectProtocol: "tcp",
		MaxConns:        20,
		MaxIdleConns:    20,
		MaxConnLifetime: 10 * time.Minute,
	}
}
