package postgres

import (
	"context"
	"io/fs"
	"net/url"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/internal/testenv"
)

// migratedTo gives a database at an earlier version of the schema, whose owner is no superuser: as a managed service has it.
func migratedTo(t *testing.T, version int64) (owner, super string) {
	t.Helper()
	ctx := t.Context()
	super = testenv.EmptyDatabase(t)
	admin, err := pgx.Connect(ctx, super)
	require.NoError(t, err)
	t.Cleanup(func() { _ = admin.Close(context.WithoutCancel(ctx)) })
	name := pgx.Identifier{admin.Config().Database}.Sanitize()
	_, err = admin.Exec(ctx, `
do $$ begin
  perform pg_advisory_xact_lock(hashtext('docket roles'));
  if not exists (select from pg_roles where rolname = 'plain_owner') then
    create role plain_owner login createrole nosuperuser nobypassrls password 'plain';
  end if;
  if not exists (select from pg_roles where rolname = 'docket_staff') then create role docket_staff; end if;
  if not exists (select from pg_roles where rolname = 'docket_client') then create role docket_client; end if;
  grant docket_staff, docket_client to plain_owner with admin option;
end $$;
alter database `+name+` owner to plain_owner;
alter schema public owner to plain_owner;`)
	require.NoError(t, err)
	at, err := url.Parse(super)
	require.NoError(t, err)
	at.User = url.UserPassword("plain_owner", "plain")

	cfg, err := pgx.ParseConfig(at.String())
	require.NoError(t, err)
	db := stdlib.OpenDB(*cfg)
	defer func() { _ = db.Close() }()
	files, err := fs.Sub(migrations, "migrations")
	require.NoError(t, err)
	provider, err := goose.NewProvider(goose.DialectPostgres, db, files)
	require.NoError(t, err)
	_, err = provider.UpTo(ctx, version)
	require.NoError(t, err)
	return at.String(), super
}

// What was booked on the day of a sweep moves to the last day of the hours, and a period's grant to its first; nothing else moves, no
// amount changes, and the journal is as closed as before.
func TestMigratingBooksExpiriesOnTheirLastDay(t *testing.T) {
	ctx := t.Context()
	owner, super := migratedTo(t, 26)
	admin, err := pgx.Connect(ctx, super)
	require.NoError(t, err)
	t.Cleanup(func() { _ = admin.Close(context.WithoutCancel(ctx)) })
	_, err = admin.Exec(ctx, `
insert into clients (id, name, time_zone, currency, payer_id, created_at) values ('acme', 'Acme', 'Asia/Tokyo', 'USD', 'acme', '2026-01-01');
insert into contracts (id, client_id, name, created_at) values ('hours', 'acme', 'Hours', '2026-01-01');
insert into contract_versions (contract_id, client_id, revision, effective_from, document, digest, applied_by, applied_at)
values ('hours', 'acme', 1, '2026-01-01', '{"time_zone": "America/New_York"}', 'd', 'olga', '2026-01-01');
-- A block that was sold until April 1 in Tokyo, and March's and April's hours in New York, of which some rolled over: all swept in June.
insert into blocks (id, contract_id, client_id, operation_key, granted_ms, remaining_ms, granted_at, expires_at, price, currency)
overriding system value values (1, 'hours', 'acme', 'sold', 3000, 3000, '2026-03-10 00:00Z', '2026-03-31 15:00Z', 90, 'USD');
insert into blocks (id, contract_id, client_id, operation_key, granted_ms, remaining_ms, granted_at, expires_at, currency, clause, revision, period, rollover_ms)
overriding system value values (2, 'hours', 'acme', 'march', 5000, 5000, '2026-03-01 05:00Z', '2026-04-01 04:00Z', 'USD', '6', 1, '2026-03-01', 1000);
insert into blocks (id, contract_id, client_id, operation_key, granted_ms, remaining_ms, granted_at, expires_at, currency, clause, revision, period, rolled_from)
overriding system value values (3, 'hours', 'acme', 'april', 0, 0, '2026-04-01 04:00Z', '2026-05-01 04:00Z', 'USD', '6', 1, '2026-04-01', 2);
insert into block_grants (operation_key, block_id, client_id, ms, revision, at) values ('g2', 2, 'acme', 5000, 1, '2026-03-18 15:00Z');
insert into block_moves (block_id, client_id, kind, ms, operation_key, at) values (1, 'acme', 'forfeit', 3000, 'f1', '2026-06-10 12:00Z'), (2, 'acme', 'forfeit', 4000, 'f2', '2026-06-10 12:00Z');
insert into block_moves (block_id, client_id, kind, ms, into_block, operation_key, at) values (2, 'acme', 'roll', 1000, 3, 'r2', '2026-06-10 12:00Z');
insert into block_grants (operation_key, block_id, client_id, ms, revision, from_block, at) values ('g3', 3, 'acme', 1000, 1, 2, '2026-06-10 12:00Z');`)
	require.NoError(t, err)
	amounts := func() (sum string) {
		require.NoError(t, admin.QueryRow(ctx, "select string_agg(kind || source || account || unit || amount, ' ' order by kind, source, account, unit) from journal").Scan(&sum))
		return sum
	}
	days := func() (said []string) {
		rows, err := admin.Query(ctx, "select kind || ' of block ' || block_id || ' ' || booked_on from journal group by kind, source, block_id, booked_on order by kind, source")
		require.NoError(t, err)
		said, err = pgx.CollectRows(rows, pgx.RowTo[string])
		require.NoError(t, err)
		return said
	}
	before := amounts()
	require.Equal(t, []string{
		"block of block 1 2026-03-10", "grant of block 2 2026-03-19", "grant of block 3 2026-06-10",
		"move of block 1 2026-06-10", "move of block 2 2026-06-10", "move of block 2 2026-06-10",
	}, days())

	_, err = Migrate(ctx, owner, "", "")
	require.NoError(t, err)
	require.Equal(t, []string{
		"block of block 1 2026-03-10", "grant of block 2 2026-03-01", "grant of block 3 2026-03-31",
		"move of block 1 2026-03-31", "move of block 2 2026-03-31", "move of block 2 2026-03-31",
	}, days())
	require.Equal(t, before, amounts())
	_, err = admin.Exec(ctx, "update journal set booked_on = '2026-06-10'")
	require.ErrorContains(t, err, "append-only")
	var open int
	require.NoError(t, admin.QueryRow(ctx, `
select count(*) from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and c.relname <> 'goose_db_version' and not c.relforcerowsecurity`).Scan(&open))
	require.Zero(t, open, "and no table is left open to its owner")
	again, err := Migrate(ctx, owner, "", "")
	require.NoError(t, err)
	require.Zero(t, again)
}
